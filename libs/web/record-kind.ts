import type { Command, CommandContext, Decider, DomainEvent, Folded, RecordedEvent, Rejection } from '#kernel';
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
  /** A past fold of the record to this caller, where it differs from `view`: without what other streams say today. */
  past?(caller: Caller, id: string, folded: Folded<S>): Promise<object> | object;
  /** One event as the record's history shows it to this caller; undefined hides its data but keeps its place. */
  maskEvent(caller: Caller, state: S, event: RecordedEvent<E>): Promise<object | undefined> | object | undefined;
  /** True while it is hidden for not being filed, posted, bound or published yet, whatever its label says: no sign that it is restricted. */
  isBeforehand?(state: S): boolean;
  /** Streams of other records whose labels count for this one, too. */
  under?(state: S): readonly string[];
  /** What of a mandate's scope reaches the record; absent: nothing but a mandate for everything. It says nothing of labels: `sees` does. */
  mandated?(id: string, state: S): MandateReach;
}

export type CommandBuilder<C extends Command> = (by: CommandContext) => C;
