import type { Clock } from './clock.js';
import type { EventStore } from './event-store.js';
import { NO_STREAM, StoreUnavailableError, WrongRevisionError } from './event-store.js';
import { technicalEvent } from './events.js';
import { newId } from './ids.js';
import { lastEventOf } from './last-event.js';

/** The log is not to be written: nothing of the append is stored. The message says what was found. */
export class WritesRefusedError extends StoreUnavailableError {}

/** Whether events of the domain may be appended: the one gate of every write of a process. Open unless told. */
export class WriteGate {
  private reason: string | undefined;
  private checking: Promise<unknown> | undefined;

  /** Why nothing is written; undefined where writes pass. */
  get refusal(): string | undefined {
    return this.reason;
  }

  get isOpen(): boolean {
    return this.reason === undefined && this.checking === undefined;
  }

  refuse(reason: string): void {
    this.reason = reason;
  }

  allow(): void {
    this.reason = undefined;
  }

  /** Has writes wait until `check` has settled: it may refuse them meanwhile. */
  hold(check: Promise<unknown>): void {
    const settled = check.then(
      () => undefined,
      () => undefined,
    );
    const held = (this.checking ?? Promise.resolve()).then(() => settled);
    this.checking = held;
    void held.then(() => {
      if (this.checking === held) this.checking = undefined;
    });
  }

  /** @throws {WritesRefusedError} */
  async pass(): Promise<void> {
    await this.checking;
    if (this.reason !== undefined) throw new WritesRefusedError(this.reason);
  }
}

/** The technical stream in which one service tells all others that the log is not to be written, and that it may be again. */
export const WRITES_STREAM = '_log-writes';

const PAGE = 100;
const ATTEMPTS = 5;

export interface SharedWriteGateOptions {
  /** Milliseconds between looks at what others say, which is how long they may go on writing; `manual`: only `look`. */
  readonly everyMs: number | 'manual';
  /** Told where a look fails: the next one follows. */
  readonly failed?: (error: unknown) => void;
}

/**
 * The gate of one process, kept as the newest event of `_log-writes` says: every process of every service follows it, and it outlasts
 * them all.
 */
export class SharedWriteGate {
  private revision = NO_STREAM;
  private recorded: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  private tail: Promise<void> = Promise.resolve();

  constructor(
    readonly gate: WriteGate,
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly options: SharedWriteGateOptions,
  ) {}

  /** Resolves once this process stands as the stream says, and follows it from then on. @throws {StoreUnavailableError} */
  async start(): Promise<void> {
    await this.look();
    this.schedule();
  }

  async stop(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.tail.catch(() => undefined);
  }

  /** Takes up what was told since. @throws {StoreUnavailableError} */
  look(): Promise<void> {
    return this.inTurn(() => this.refresh());
  }

  /** Closes the gate here at once, and everywhere once the others have looked. @throws {StoreUnavailableError} where they cannot be told */
  refuse(reason: string): Promise<void> {
    this.gate.refuse(reason);
    return this.inTurn(() => this.record(reason));
  }

  /** Opens the gate, here and everywhere. @throws {StoreUnavailableError} */
  async allow(): Promise<void> {
    await this.inTurn(() => this.record(undefined));
    this.gate.allow();
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.tail.catch(() => undefined).then(work);
    this.tail = done;
    return done;
  }

  private schedule(): void {
    const { everyMs, failed } = this.options;
    if (everyMs === 'manual' || this.ended) return;
    this.timer = setTimeout(() => {
      void this.look()
        .catch((error: unknown) => failed?.(error))
        .then(() => {
          this.schedule();
        });
    }, everyMs);
    this.timer.unref();
  }

  private async refresh(): Promise<void> {
    const news =
      this.revision === NO_STREAM
        ? await lastEventOf(this.store, WRITES_STREAM)
        : (await this.store.readStream(WRITES_STREAM, this.revision + 1, PAGE)).at(-1);
    if (news === undefined) return;
    this.revision = news.revision;
    const { reason } = news.data as { readonly reason?: string };
    this.recorded = reason;
    if (reason === undefined) this.gate.allow();
    else this.gate.refuse(reason);
  }

  private async record(reason: string | undefined): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await this.refresh();
      if (this.recorded === reason) break;
      const told = technicalEvent(
        newId(),
        reason === undefined ? 'WritesAllowed' : 'WritesRefused',
        reason === undefined ? {} : { reason },
        this.clock.now(),
      );
      try {
        this.revision = (await this.store.append(WRITES_STREAM, this.revision, [told])).revision;
        this.recorded = reason;
        break;
      } catch (error) {
        if (!(error instanceof WrongRevisionError)) throw error;
      }
    }
    if (reason !== undefined) this.gate.refuse(reason);
  }
}
