import type {
  Command,
  CommandContext,
  Decider,
  DomainEvent,
  Folded,
  LifeCycleRule,
  RecordedEvent,
  Rejection,
} from '#kernel';
import type { Caller } from '#directory/contract';
import type { Power, Role } from '#vocabulary';

/** Who may call a command at all: checked before the record is read (403 `forbidden`). */
export interface CommandAccess {
  /** Name of the action, e.g. `need.submit`. */
  readonly action: string;
  readonly roles: readonly Role[];
  /** The power the person needs; absent for roles whose authority is the role itself (coordinator, operator, auditor). */
  readonly power?: Power;
}

/** How the scopes of audit mandates name a record: whose it is, and the ids it goes by. */
export interface MandateReach {
  readonly owners: readonly string[];
  readonly ids: readonly string[];
}

/**
 * How one kind of record is served over HTTP. The pipeline around it is written once, in the order of API.md:
 * 401, 429, 413/415, 400, 403 by role or registration, idempotency, 404, 403 by record, 428, 412, 409.
 */
export interface RecordKind<S, C extends Command, E extends DomainEvent, R extends Rejection> {
  readonly decider: Decider<S, C, E, R>;
  /** e.g. `/v1/needs`. */
  readonly path: string;
  /** False for an initial state: the record does not exist. */
  exists(state: S): boolean;
  /** False: the record is answered 404 to this caller. */
  sees(caller: Caller, id: string, state: S): Promise<boolean> | boolean;
  /** False: visible, but this command on this record is not the caller's (403). The decider holds the same rule again. */
  permits(caller: Caller, command: C['type'], state: S): boolean;
  /** The record as `GET` shows it to this caller, without `revision`, which the pipeline adds. */
  view(caller: Caller, id: string, folded: Folded<S>): Promise<object> | object;
  /**
   * Prepares showing past folds of the record to this caller, masked as it is now and as it was then, without what other streams say
   * today. Absent: as `view` shows what `sees` lets through.
   * @param now the record as it stands @param at what is shown as of: RFC 3339 UTC with milliseconds
   */
  lookBack?(caller: Caller, id: string, now: S, at: string): Promise<PastView<S>> | PastView<S>;
  /** One event as the record's history shows it to this caller; undefined hides its data but keeps its place. */
  maskEvent(caller: Caller, state: S, event: RecordedEvent<E>): Promise<object | undefined> | object | undefined;
  /** The rule of the record's life cycle that allowed an event, where its context publishes its rules. */
  ruleOf?(event: RecordedEvent<E>): LifeCycleRule;
  /** True while it is hidden for not being filed, posted, bound or published yet, whatever its label says: no sign that it is restricted. */
  isBeforehand?(state: S): boolean;
  /**
   * Whether what this caller is shown of it is not for every party to see: reading it is logged. Call where the caller sees it. Absent: nothing of
   * this kind is.
   */
  isRestricted?(caller: Caller, id: string, state: S): Promise<boolean> | boolean;
  /** Streams of other records whose labels count for this one, too. */
  under?(state: S): readonly string[];
  /** What of a mandate's scope reaches the record; absent: nothing but a mandate for everything. It says nothing of labels: `sees` does. */
  mandated?(id: string, state: S): MandateReach;
}

/** Past folds of one record as one caller sees them. */
export interface PastView<S> {
  /** The record at that state, without `revision`; null where the caller saw nothing of it then. */
  of(then: S): Promise<object | null> | object | null;
  /** The commands the caller could send in that state. Absent: `of` shows them, as `actions`. */
  actions?(then: S): readonly string[];
}

export type CommandBuilder<C extends Command> = (by: CommandContext) => C;

/** True where what a history shows of an event is all of its data. */
export const showsWhole = (shown: object | undefined, data: object): boolean =>
  shown !== undefined && tellsSame(shown, data);

/** Whether two values say the same as JSON, lists that are empty aside: one that is not shown hides nothing. */
const tellsSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((each, at) => tellsSame(each, b[at]))
    );
  const [one, other] = [a, b] as readonly Readonly<Record<string, unknown>>[];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(
    (field) => (isNothing(one?.[field]) && isNothing(other?.[field])) || tellsSame(one?.[field], other?.[field]),
  );
};

const isNothing = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.length === 0);
