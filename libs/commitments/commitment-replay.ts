import type { RecordedEvent } from '#kernel';
import { isInstant, isRealDate, lastInstant } from '#vocabulary';
import type { FieldError } from '#web';
import type { CommitmentEvent } from './commitment.contract.js';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';

export type ReplayClock = 'recorded' | 'effective';

/** A moment to replay at: a place in the log, or a time (RFC 3339 UTC with milliseconds). */
type ReplayMoment = { readonly position: bigint } | { readonly time: string };

export interface ReplayQuery {
  /** As it was asked; undefined for now. */
  readonly at: string | undefined;
  readonly clock: ReplayClock;
  readonly moment: ReplayMoment | undefined;
}

const LARGEST_POSITION = 9_223_372_036_854_775_807n;

/** Reads `at` and `clock`: the query, or everything wrong with it (API.md, History and audit). */
export const readReplayQuery = (
  query: Readonly<Record<string, string>>,
): { readonly query: ReplayQuery } | { readonly errors: readonly FieldError[] } => {
  const errors: FieldError[] = [];
  for (const field of Object.keys(query)) {
    if (field !== 'at' && field !== 'clock')
      errors.push({ field, message: 'unknown field; known fields are at, clock' });
  }
  const { at, clock = 'recorded' } = query;
  if (clock !== 'recorded' && clock !== 'effective') {
    errors.push({ field: 'clock', message: 'must be recorded or effective' });
  }
  const moment = at === undefined ? undefined : momentOf(at);
  if (at !== undefined && moment === undefined) {
    errors.push({
      field: 'at',
      message: 'must be a position, a full time such as 2026-11-22T10:00:00Z, or a date (its end)',
    });
  }
  if (clock === 'effective' && moment !== undefined && 'position' in moment) {
    errors.push({ field: 'at', message: 'a position belongs to the recorded clock: send a time, or clock=recorded' });
  }
  return errors.length > 0 ? { errors } : { query: { at, clock: clock as ReplayClock, moment } };
};

const momentOf = (at: string): ReplayMoment | undefined => {
  if (/^[0-9]+$/.test(at)) {
    if (at.length > 19) return undefined;
    const position = BigInt(at);
    return position > LARGEST_POSITION ? undefined : { position };
  }
  if (isRealDate(at) || isInstant(at)) return { time: lastInstant(at) };
  return undefined;
};

/** The events that count at that moment, in revision order. A moment known to the day, month or year counts from its last instant. */
export const eventsAt = (
  events: readonly RecordedEvent<CommitmentEvent>[],
  { clock, moment }: ReplayQuery,
): readonly RecordedEvent<CommitmentEvent>[] => {
  if (moment === undefined) return events;
  if ('position' in moment) return events.filter(({ position }) => position <= moment.position);
  return events.filter(({ metadata }) =>
    clock === 'recorded' ? metadata.recordedAt <= moment.time : lastInstant(metadata.effectiveAt) <= moment.time,
  );
};

export interface Change {
  /** Place in the record, such as `legs[0].delivered.amount`. */
  readonly path: string;
  /** Absent where there was nothing. */
  readonly from?: unknown;
  /** Absent where nothing is left. */
  readonly to?: unknown;
}

/** One event and what it changed; `null` stands for what was not there. */
export interface ReplayStep {
  readonly revision: number;
  readonly type: string;
  readonly actor: { readonly party: string; readonly role: string };
  readonly changes: readonly Required<Change>[];
}

const isBranch = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Where two JSON values differ: leaf by leaf where both have a branch, else the whole of what came or went. */
export const differences = (from: unknown, to: unknown, path = ''): Change[] => {
  if (!isBranch(from) || !isBranch(to)) {
    return from === to ? [] : [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
  }
  const [before, after] = [entriesOf(from), entriesOf(to)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((key) =>
    differences(before.get(key), after.get(key), `${path}${key.startsWith('[') || path === '' ? '' : '.'}${key}`),
  );
};

const entriesOf = (value: object): Map<string, unknown> =>
  Array.isArray(value)
    ? new Map(value.map((element: unknown, index) => [`[${index}]`, element]))
    : new Map(Object.entries(value));

/** What depends on who asks and when is no part of what happened. */
const withoutCaller = (view: object): object => {
  const { actions: _actions, revision: _revision, ...record } = view as Record<string, unknown>;
  return record;
};

/** What is not for everyone who sees the record: of whom it is not, it changes nothing in what that caller sees. */
const IN_CONFIDENCE: readonly CommitmentEvent['type'][] = [
  'AmendmentProposed',
  'AmendmentAgreed',
  'AmendmentHeld',
  'AmendmentRefused',
  'AmendmentDeclined',
  'AmendmentLapsed',
  'DocumentAttached',
];

/**
 * Folds the events and says what each of them changed in the record as this caller sees it.
 * @param show the record as `GET` would show it at that state and revision
 */
export const replayOf = (
  events: readonly RecordedEvent<CommitmentEvent>[],
  show: (state: CommitmentState, revision: number) => object,
): { readonly state: object | null; readonly steps: readonly ReplayStep[] } => {
  const steps: ReplayStep[] = [];
  let folded = commitmentDecider.initial;
  let shown: object | null = null;
  for (const event of events) {
    folded = commitmentDecider.evolve(folded, event);
    const now = folded.status === undefined ? null : show(folded, event.revision);
    const { party, role } = event.metadata.actor;
    const changes = differences(withoutCaller(shown ?? {}), withoutCaller(now ?? {})).map(
      ({ path, from = null, to = null }) => ({ path, from, to }),
    );
    shown = now;
    if (changes.length === 0 && IN_CONFIDENCE.includes(event.type)) continue;
    steps.push({ revision: event.revision, type: event.type, actor: { party, role }, changes });
  }
  return { state: shown, steps };
};
