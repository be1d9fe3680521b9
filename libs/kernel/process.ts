import type { Command, CommandContext, Decider, Rejection } from './decider.js';
import type { DomainEvent, RecordedEvent } from './events.js';
import type { Folded } from './transact.js';

/** A command of a process to one record. Its id derives from the event and `key`, so that reacting twice writes once. */
export interface ProcessCommand {
  readonly decider: Decider<unknown, Command, DomainEvent, Rejection>;
  readonly id: string;
  /** Tells apart several commands that one event leads to. */
  readonly key: string;
  readonly command: (by: CommandContext) => Command;
  /**
   * Called when the decider refuses: the commands (if any) that carry the refusal on. Where absent a refusal is an alarm:
   * a process command that can be refused without an answer is a fault of the code. The refusal itself is not remembered: an event that
   * comes again is decided afresh, so a refusal that must stand is an event of the decider's stream.
   */
  readonly refused?: (rejection: Rejection) => readonly ProcessCommand[];
}

/** Builds a `ProcessCommand` with the decider's types checked. */
export const processCommand = <S, C extends Command, E extends DomainEvent, R extends Rejection>(command: {
  readonly decider: Decider<S, C, E, R>;
  readonly id: string;
  readonly key: string;
  // Naming the type's type keeps the literal: callers write `{ type: 'Raise', … }` without an annotation.
  readonly command: (by: CommandContext) => C & { readonly type: C['type'] };
  readonly refused?: (rejection: NoInfer<R>) => readonly ProcessCommand[];
}): ProcessCommand => command as unknown as ProcessCommand;

/** A decider refused a process command that has no answer to a refusal. Names the refusal's code, not its text, which may hold figures. */
export class UnansweredRefusalError extends Error {
  override readonly name = 'UnansweredRefusalError';
  constructor(process: string, { decider, id, key }: ProcessCommand, { code }: Rejection) {
    super(`${process}: ${decider.category} ${id} refused ${key}: ${code}`);
  }
}

/** Reads of other streams that a reaction may need; never a read model. */
export interface ProcessReads {
  load<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
  ): Promise<Folded<S>>;
}

/** What must happen after an event: named for what it guarantees. Runs at least once per event, in stream order; streams run side by side. */
export interface Process {
  readonly name: string;
  readonly handles: readonly string[];
  react(event: RecordedEvent, reads: ProcessReads): Promise<readonly ProcessCommand[]> | readonly ProcessCommand[];
}

/** A process gave up on a stream: from `revision` on nothing of it is handled until it is replayed. Nothing of the data stands here. */
export interface DeadLetter {
  readonly process: string;
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  readonly type: string;
  readonly position: bigint;
  /** Why, as `failureOf` tells it: never the text of a foreign error. */
  readonly reason: string;
  readonly attempts: number;
  /** When it first failed, RFC 3339. */
  readonly since: string;
}

/** Brings events to processes at least once, in order per stream, from a durable checkpoint. */
export abstract class MessageBus {
  /**
   * The handler's promise is awaited before the checkpoint moves past the event. A throw is retried with capped backoff, for ever.
   * @param isUnknown types that only a newer version knows: they are handed over like those of `handles`, because what is passed over once
   *   is never seen again by the version that handles it
   */
  abstract subscribe(
    name: string,
    handles: readonly string[],
    handler: (event: RecordedEvent) => Promise<void>,
    isUnknown?: (type: string) => boolean,
  ): BusSubscription;

  /** What processes gave up on, on any instance; nothing on a bus that tries for ever. @throws {StoreUnavailableError} where it does not answer */
  deadLetters(): Promise<readonly DeadLetter[]> {
    return Promise.resolve([]);
  }

  /** Asks that `process` takes up `stream` again, or everything it gave up on; answers what was asked for. @throws {StoreUnavailableError} */
  replay(_process: string, _stream?: string): Promise<readonly DeadLetter[]> {
    return Promise.resolve([]);
  }

  abstract close(): Promise<void>;
}

/** An event a handler keeps failing on. */
export interface StuckMessage {
  readonly position: bigint;
  readonly eventId: string;
  readonly type: string;
  /** Class of the error (see `failureOf`), never the event's data. */
  readonly error: string;
  readonly attempts: number;
  readonly since: string;
}

export interface BusSubscription {
  readonly name: string;
  /** Everything up to here has been handled. */
  readonly position: bigint;
  readonly stuck: readonly StuckMessage[];
  /** Resolves when everything up to `position` has been handled; rejects when the subscription stops before. */
  reached(position: bigint): Promise<void>;
  stop(): Promise<void>;
}
