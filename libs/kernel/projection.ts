import type { RecordedEvent } from './events.js';

export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** Reads of a read model. Statements are prepared once per text: pass values as parameters. */
export interface ReadQueries {
  get(sql: string, ...parameters: readonly SqlValue[]): SqlRow | undefined;
  all(sql: string, ...parameters: readonly SqlValue[]): SqlRow[];
}

/** What a projection may do within the transaction that also moves its checkpoint. */
export interface ReadTransaction extends ReadQueries {
  run(sql: string, ...parameters: readonly SqlValue[]): void;
}

/**
 * A read model: rows derived from the log alone. Named for the question it answers.
 * Another `version` is another read model: it is built beside the old one, then switched to.
 */
export interface Projection {
  readonly name: string;
  readonly version: number;
  /**
   * Event types it reads; the checkpoint also moves past all others. `everything`: every event exactly as it was recorded, without
   * upcasting and whatever version wrote it, for what is said of the log itself.
   */
  readonly handles: readonly string[] | 'everything';
  /** SQL that creates its tables and indexes in an empty database of its own. */
  readonly schema: string;
  /** Starts the fold of one batch; what is kept in memory between `apply` calls is written by `flush`, in the same transaction. */
  begin(tx: ReadTransaction): ProjectionBatch;
}

export interface ProjectionBatch {
  /** Applies one event. Throwing parks the projection at this event. */
  apply(event: RecordedEvent): void;
  /** Writes what was coalesced; called once, after the batch's last event. */
  flush(): void;
}

/** A projection whose every event writes rows at once. */
export const rowByRow =
  (apply: (tx: ReadTransaction, event: RecordedEvent) => void): Projection['begin'] =>
  (tx) => ({
    apply: (event) => {
      apply(tx, event);
    },
    flush: () => undefined,
  });

/** A read model cannot be written now (a full disk, say), or has not come far enough. No fault of the event: it is tried again until it can. */
export class ReadModelUnavailableError extends Error {
  override readonly name = 'ReadModelUnavailableError';
}

/** An open read model of one projection. */
export interface ReadModel extends ReadQueries {
  readonly checkpoint: bigint;
  /**
   * Runs `work` and moves the checkpoint in one transaction; nothing of either is kept where it throws.
   * @throws {ReadModelUnavailableError} and whatever `work` throws
   */
  commit(checkpoint: bigint, work: (tx: ReadTransaction) => void): void;
  close(): void;
}

/** Where read models live: local and disposable. */
export abstract class ReadDatabase {
  /** Opens (creates where absent) the model of this name and version. */
  abstract open(projection: Pick<Projection, 'name' | 'version' | 'schema'>): ReadModel;
  /** Opens an empty model beside the current one, for a rebuild. */
  abstract openBeside(projection: Pick<Projection, 'name' | 'version' | 'schema'>): ReadModel;
  /** Replaces the current model by the one built beside it; both handles are closed, the new one is returned. */
  abstract switchTo(
    projection: Pick<Projection, 'name' | 'version' | 'schema'>,
    current: ReadModel,
    built: ReadModel,
  ): ReadModel;
  /** Removes the models of other versions of this projection, once this one has caught up. */
  abstract dropOlder(projection: Pick<Projection, 'name' | 'version'>): void;
  abstract close(): void;
}

/** How a projection stands, for health, metrics and `npm run admin`. */
export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  readonly position: bigint;
  /** Set while it stands still at an event it cannot apply. */
  readonly parked?: {
    readonly position: bigint;
    readonly eventId: string;
    readonly type: string;
    /** Class of the error (see `failureOf`), never the event's data. */
    readonly error: string;
    /** A newer version wrote the event: nothing is wrong with it, this instance is to be replaced. */
    readonly newer?: true;
  };
}
