import type { Command, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, derivedId, refuse } from '#kernel';
import type { DuplicateVerdict } from '#vocabulary';
import type { Candidate, DuplicateEvent, PairedRecord } from './duplicate.contract.js';

export type DuplicateRejectionCode = 'forbidden' | 'not-found' | 'already-judged';
export type DuplicateRejection = Rejection<DuplicateRejectionCode>;

/** What the coordinator finds. `candidate`: the pair as it stands now, where nobody has judged it yet. */
export interface DuplicateCommand extends Command {
  readonly type: 'JudgeDuplicate';
  readonly candidate?: Candidate;
  readonly verdict: DuplicateVerdict;
  readonly note?: string;
}

/** The last word on a pair. */
export interface Judged {
  readonly candidate: Candidate;
  readonly verdict: DuplicateVerdict;
  readonly note?: string;
  /** Party of the coordinator. */
  readonly by: string;
  /** RFC 3339 UTC. */
  readonly at: string;
}

export interface DuplicateState {
  readonly judged?: Judged;
}

const order = ({ kind, id }: PairedRecord): string => `${kind} ${id}`;

/** Two records in the order in which a pair names them. */
export const inOrder = (a: PairedRecord, b: PairedRecord): readonly [PairedRecord, PairedRecord] =>
  order(a) < order(b) ? [a, b] : [b, a];

/** The id of a pair: the same whichever of the two is named first. */
export const duplicateIdOf = (a: PairedRecord, b: PairedRecord): string =>
  derivedId('duplicate', ...inOrder(a, b).map(order));

const decide = (
  { by, candidate, verdict, note }: DuplicateCommand,
  { judged }: DuplicateState,
): Decision<DuplicateEvent, DuplicateRejection> => {
  const pair = judged?.candidate ?? candidate;
  if (pair === undefined) return refuse('not-found', 'There is no such candidate.');
  if (by.actor.role !== 'coordinator') return refuse('forbidden', 'Duplicates are judged by the coordinator.');
  if (pair.parties.includes(by.actor.party)) {
    return refuse('forbidden', 'A coordinator does not judge records of its own party.');
  }
  if (judged !== undefined && candidate !== undefined) {
    return refuse('already-judged', 'The pair was judged meanwhile: read it, and send its revision in If-Match.');
  }
  if (judged?.verdict === verdict && judged.note === note) return accept();
  return accept<DuplicateEvent>({
    type: 'DuplicateJudged',
    data: { ...pair, verdict, ...(note === undefined ? {} : { note }) },
  });
};

const evolve = (state: DuplicateState, event: RecordedEvent<DuplicateEvent>): DuplicateState => {
  // An event of a later version says nothing here.
  if ((event.type as string) !== 'DuplicateJudged') return state;
  const { verdict, note, ...candidate } = event.data;
  const { actor, recordedAt } = event.metadata;
  return {
    judged: { candidate, verdict, ...(note === undefined ? {} : { note }), by: actor.party, at: recordedAt },
  };
};

const DUPLICATE_SCHEMAS = { DuplicateJudged: 1 } as const;

/** What was found of a pair of records that look alike. A verdict is never forgotten; the coordinator may come to another. */
export const duplicateDecider: Decider<DuplicateState, DuplicateCommand, DuplicateEvent, DuplicateRejection> = {
  category: 'duplicate',
  initial: {},
  schemas: DUPLICATE_SCHEMAS,
  decide,
  evolve,
};
