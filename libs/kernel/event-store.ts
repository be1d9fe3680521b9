import type { EventToAppend, RecordedEvent } from './events.js';

/** The revision a stream must have for an append: an exact revision, or -1 for "does not exist yet". There is no "any". */
export type ExpectedRevision = number;
export const NO_STREAM: ExpectedRevision = -1;

export interface AppendReceipt {
  /** Revision of the last event appended. */
  readonly revision: number;
  /** Position of the last event appended. */
  readonly position: bigint;
}

/** The stream is not at the expected revision. */
export class WrongRevisionError extends Error {
  override readonly name = 'WrongRevisionError';
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
    readonly actual: number,
  ) {
    super(`stream ${stream} is at revision ${actual}, not at ${expected}`);
  }
}

/** The log cannot be reached or refuses writes (full disk, corrupt file, closed). Nothing of the append is stored, or its outcome is unknown and a repeat with the same ids is safe. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** An append over the limit, an id that is not a UUID, an empty type or stream: a fault of the caller, nothing is stored. */
export class InvalidAppendError extends Error {
  override readonly name = 'InvalidAppendError';
}

/** Largest append, in bytes of serialised data and metadata. */
export const MAX_APPEND_BYTES = 1_048_576;

export interface Subscription {
  /** Stops after the batch in hand; resolves when no handler runs any more. */
  stop(): Promise<void>;
  /** Resolves when stopped, rejects when the handler threw: delivery has then ended at the failed batch. */
  readonly done: Promise<void>;
}

export interface SubscriptionOptions {
  /** Most events per batch. */
  readonly maxBatch?: number;
  /**
   * Told that the log was read up to `position` without an event for the subscriber since the last batch: a valid `after`, worth saving
   * where the log holds much that is not delivered. Called between batches, never while the handler or an earlier call runs; a rejection
   * ends the subscription as the handler's does. A store need not call it, and an idle log brings no call.
   */
  readonly passed?: (position: bigint) => Promise<void>;
}

/**
 * The log. Streams whose name starts with `_` are technical: readable as streams, absent from `readAll` and `subscribeToAll`.
 */
export abstract class EventStore {
  /** Identifies this log across restarts and backups' restores; part of consistency tokens. */
  abstract readonly storeId: string;

  /**
   * Appends durably. The same ids to the same stream at the same expected revision return the first receipt.
   * @throws {WrongRevisionError} @throws {InvalidAppendError} @throws {StoreUnavailableError}
   */
  abstract append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<AppendReceipt>;

  /** Events of one stream from revision `from` (inclusive), oldest first, at most `limit`. Empty for a stream that does not exist. */
  abstract readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]>;

  /** Events of all domain streams after position `after` (exclusive; 0n for the start), oldest first, at most `limit`. */
  abstract readAll(after: bigint, limit: number): Promise<RecordedEvent[]>;

  /** Position of the newest domain event, 0n for an empty log. */
  abstract head(): Promise<bigint>;

  /**
   * Delivers every domain event after `after` (exclusive) in order, in batches, through to live ones, without gap or duplicate.
   * The next batch waits for the handler's promise (back-pressure). `after` is 0n or a position that this log gave.
   */
  abstract subscribeToAll(
    after: bigint,
    handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    options?: SubscriptionOptions,
  ): Subscription;

  abstract close(): Promise<void>;
}
