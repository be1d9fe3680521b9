import type { CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse, SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { AllocationEvent, AllocationOrder, AllocationPiece, ReadUpTo, SharedLine } from './allocation.contract.js';
import { inPieces } from './in-pieces.js';

export type AllocationRejectionCode =
  'forbidden' | 'not-found' | 'already-requested' | 'run-ended' | 'no-answer' | 'nothing-to-share';
export type AllocationRejection = Rejection<AllocationRejectionCode>;

type DataOf<T extends AllocationEvent['type']> = Extract<AllocationEvent, { type: T }>['data'];

export type AllocationCommand =
  | { readonly type: 'RequestAllocation'; readonly by: CommandContext; readonly order: AllocationOrder }
  | { readonly type: 'CancelAllocation'; readonly by: CommandContext }
  /** `lines`: those of the run that the party may be told. */
  | {
      readonly type: 'ShareLines';
      readonly by: CommandContext;
      readonly party: string;
      readonly lines: readonly SharedLine[];
      readonly note?: string;
    }
  /** The commands of the run itself, by the process. */
  | { readonly type: 'StartRun'; readonly by: CommandContext; readonly started: DataOf<'AllocationStarted'> }
  | { readonly type: 'RecordProgress'; readonly by: CommandContext; readonly progress: DataOf<'AllocationProgressed'> }
  /** `n`: which piece of its list, from 0. */
  | { readonly type: 'RecordPiece'; readonly by: CommandContext; readonly n: number; readonly piece: AllocationPiece }
  | { readonly type: 'EndRun'; readonly by: CommandContext; readonly end: DataOf<'AllocationEnded'> }
  /** By the timer: nothing was heard of the run for long. */
  | { readonly type: 'GiveUpRun'; readonly by: CommandContext };

export const ALLOCATION_STATUSES = ['queued', 'running', 'done', 'infeasible', 'failed', 'cancelled'] as const;
export type AllocationStatus = (typeof ALLOCATION_STATUSES)[number];

export const PIECE_PARTS = [
  'pairs',
  'unmet',
  'prices',
  'left-out',
  'certificate',
] as const satisfies readonly AllocationPiece['part'][];
export type PiecePart = (typeof PIECE_PARTS)[number];

export interface AllocationRun {
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly order: AllocationOrder;
  readonly status: AllocationStatus;
  /** When something was last heard of a run that has not ended. */
  readonly heardAt: string;
  readonly readUpTo?: ReadUpTo;
  readonly started?: Omit<DataOf<'AllocationStarted'>, 'readUpTo'>;
  readonly progress?: DataOf<'AllocationProgressed'>;
  /** Revisions of the events that hold the pieces of each list, in order. */
  readonly pieces: Readonly<Record<PiecePart, readonly number[]>>;
  readonly end?: DataOf<'AllocationEnded'>;
  /** By party what of the run it was told: which pairs, and when the last of them. */
  readonly shared: Readonly<Record<string, { readonly at: string; readonly lines: readonly number[] }>>;
}

export interface AllocationState {
  readonly run?: AllocationRun;
}

export const hasEnded = ({ status }: Pick<AllocationRun, 'status'>): boolean =>
  status !== 'queued' && status !== 'running';

const NO_PIECES: AllocationRun['pieces'] = { pairs: [], unmet: [], prices: [], 'left-out': [], certificate: [] };
const ENDED = refuse('run-ended', 'The run has ended: ask for a new one.');

/** Pieces that one call may write: an append of KurrentDB takes a MiB at the most. */
const MOST_SHARED_AT_ONCE = 3;

const share = (
  { party, lines, note }: Extract<AllocationCommand, { type: 'ShareLines' }>,
  { end, shared }: AllocationRun,
): Decision<AllocationEvent, AllocationRejection> => {
  if (end?.summary === undefined) {
    return refuse('no-answer', 'The run has no answer that could be shared: wait for its end, or ask for another one.');
  }
  if (lines.length === 0) {
    return refuse(
      'nothing-to-share',
      `Nothing of this run is of an offer of ${party} for a need that ${party} sees: name another party.`,
      'party',
    );
  }
  const told = new Set(shared[party]?.lines);
  const pieces = inPieces(
    lines.filter(({ n }) => !told.has(n)),
    note === undefined ? 0 : Buffer.byteLength(JSON.stringify(note)),
  ).slice(0, MOST_SHARED_AT_ONCE);
  return accept<AllocationEvent>(
    ...pieces.map((piece): AllocationEvent => ({
      type: 'AllocationShared',
      data: { party, lines: piece, ...(note === undefined ? {} : { note }) },
    })),
  );
};

const decide = (
  command: AllocationCommand,
  { run }: AllocationState,
): Decision<AllocationEvent, AllocationRejection> => {
  const { actor } = command.by;
  if (command.type === 'RequestAllocation') {
    if (actor.role !== 'coordinator') return refuse('forbidden', 'Allocations are asked for by a coordinator.');
    if (run === undefined) {
      return accept<AllocationEvent>({
        type: 'AllocationRequested',
        data: { requestedBy: actor.party, order: command.order },
      });
    }
    return canonicalJson(run.order) === canonicalJson(command.order)
      ? accept()
      : refuse('already-requested', 'This run was asked for with another order: ask for it under a new id.');
  }
  if (run === undefined) return refuse('not-found', 'There is no such allocation.');
  if (command.type === 'CancelAllocation' || command.type === 'ShareLines') {
    if (actor.role !== 'coordinator' || actor.party !== run.requestedBy) {
      return refuse('forbidden', 'A run is cancelled and shared by a coordinator of the party that asked for it.');
    }
    if (command.type === 'ShareLines') return share(command, run);
    if (run.status === 'cancelled') return accept();
    return hasEnded(run) ? ENDED : accept<AllocationEvent>({ type: 'AllocationCancelled', data: { by: actor.party } });
  }
  const author = command.type === 'GiveUpRun' ? SYSTEM_TIMER : SYSTEM_PROCESS;
  if (actor.party !== author.party) return refuse('forbidden', 'What a run found is recorded by the run itself.');
  if (command.type === 'GiveUpRun') {
    if (hasEnded(run)) return accept();
    return accept<AllocationEvent>({ type: 'AllocationEnded', data: { outcome: 'failed', because: LOST } });
  }
  if (command.type === 'EndRun' && canonicalJson(run.end ?? {}) === canonicalJson(command.end)) return accept();
  if (hasEnded(run)) return ENDED;
  switch (command.type) {
    case 'StartRun':
      return run.status === 'running'
        ? accept()
        : accept<AllocationEvent>({ type: 'AllocationStarted', data: command.started });
    case 'RecordProgress': {
      const { progress, by } = command;
      const isNew = canonicalJson(run.progress ?? {}) !== canonicalJson(progress);
      return isNew || Date.parse(by.at) - Date.parse(run.heardAt) >= HEARD_AFTER_MS
        ? accept<AllocationEvent>({ type: 'AllocationProgressed', data: progress })
        : accept();
    }
    case 'RecordPiece': {
      const { n, piece } = command;
      return n < run.pieces[piece.part].length
        ? accept()
        : accept<AllocationEvent>({ type: 'AllocationPieceRecorded', data: { n, piece } });
    }
    case 'EndRun':
      return accept<AllocationEvent>({ type: 'AllocationEnded', data: command.end });
  }
};

/** A run that is no further than before says so again after this time only. */
const HEARD_AFTER_MS = 60_000;
const LOST = 'nothing was heard of the run for long: the program that ran it was stopped. Ask for it again';

const changed = (run: AllocationRun, event: RecordedEvent<AllocationEvent>): AllocationRun => {
  // The event's type and data belong together; the envelope's type lost that.
  const fact = { type: event.type, data: event.data } as AllocationEvent;
  const heardAt = event.metadata.recordedAt;
  switch (fact.type) {
    case 'AllocationStarted': {
      const { readUpTo, ...started } = fact.data;
      return { ...run, heardAt, status: 'running', started, ...(readUpTo === undefined ? {} : { readUpTo }) };
    }
    case 'AllocationProgressed':
      return { ...run, heardAt, progress: fact.data };
    case 'AllocationPieceRecorded': {
      const { part } = fact.data.piece;
      return { ...run, heardAt, pieces: { ...run.pieces, [part]: [...run.pieces[part], event.revision] } };
    }
    case 'AllocationEnded':
      return { ...run, status: fact.data.outcome, end: fact.data };
    case 'AllocationCancelled':
      return { ...run, status: 'cancelled' };
    case 'AllocationShared': {
      const { party, lines } = fact.data;
      const told = [...(run.shared[party]?.lines ?? []), ...lines.map(({ n }) => n)];
      return { ...run, shared: { ...run.shared, [party]: { at: heardAt, lines: told } } };
    }
    default:
      return run;
  }
};

const evolve = (state: AllocationState, event: RecordedEvent<AllocationEvent>): AllocationState => {
  const { run } = state;
  if (run !== undefined) {
    const next = changed(run, event);
    return next === run ? state : { run: next };
  }
  if (event.type !== 'AllocationRequested') return state;
  const { requestedBy, order } = event.data as DataOf<'AllocationRequested'>;
  const at = event.metadata.recordedAt;
  return { run: { requestedBy, requestedAt: at, order, status: 'queued', heardAt: at, pieces: NO_PIECES, shared: {} } };
};

/** What coordinators ask the solver, and what it answered. Nothing here binds anybody. */
export const allocationDecider: Decider<AllocationState, AllocationCommand, AllocationEvent, AllocationRejection> = {
  category: 'allocation',
  initial: {},
  schemas: {
    AllocationRequested: 1,
    AllocationStarted: 1,
    AllocationProgressed: 1,
    AllocationPieceRecorded: 1,
    AllocationEnded: 1,
    AllocationCancelled: 1,
    AllocationShared: 1,
  },
  decide,
  evolve,
};
