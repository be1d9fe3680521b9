import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { RecordedEvent, Subscription } from '#kernel';
import { backoffMs, pause } from '#kernel';
import { cancelLater } from './client-calls.js';
import { CallFailure, callFailure } from './failures.js';
import type { KurrentConnection } from './kurrent-connection.js';
import type { LogHead } from './log-head.js';
import { positionOf, recordedOf, sizeOf, storedStreamOf } from './recorded.js';
import { subscriptionRequest } from './requests.js';
import type { StreamNames } from './stream-names.js';

/** Told of every break that is not routine; the subscription goes on by itself. */
export type BreakListener = (error: Error, attempt: number) => void;

export interface SubscriptionParts {
  readonly connection: KurrentConnection;
  readonly names: StreamNames;
  readonly head: LogHead;
  readonly handler: (batch: readonly RecordedEvent[]) => Promise<void>;
  readonly passed: ((position: bigint) => Promise<void>) | undefined;
  readonly maxBatch: number;
  /** Silence, in milliseconds, after which the log's head is asked for what the server may have kept from us. */
  readonly muteMs: number;
  readonly broken: BreakListener;
  readonly ended: () => void;
}

/** An event that came in, or how far the server has read without one. */
type Item =
  { readonly event: RecordedEvent; readonly bytes: number } | { readonly event: undefined; readonly passed: bigint };

/** Bytes of events that may wait for the handler. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How long events of the past gather to a batch, in milliseconds. */
const GATHER_MS = 10;
/** Time between a look at the head and the verdict that the server is mute, in milliseconds. */
const VERDICT_MS = 500;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5_000;

/** A subscription to all domain events that takes itself up again, for ever, behind what was handled. */
export class KurrentSubscription implements Subscription {
  readonly done: Promise<void>;
  private readonly stopping = new AbortController();

  constructor(
    private readonly parts: SubscriptionParts,
    private after: bigint,
  ) {
    this.done = this.run().finally(parts.ended);
    // Whoever watches `done` hears of it; nobody has to.
    this.done.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done.catch(() => undefined);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    // The caller must hold the subscription before the first batch reaches its handler.
    await nextTurn();
    let failures = 0;
    let from = this.after;
    while (!signal.aborted) {
      const start = this.after;
      const failure = await this.follow(from);
      if (failure === undefined) return;
      if (failure.kind === 'no-boundary' && from !== 0n) {
        // No record begins there, but whoever asks is to have what comes after it: found by coming from the start.
        from = 0n;
        continue;
      }
      from = this.after;
      const progress = this.after > start;
      // A burst overflows the server's buffer for us: routine, and nothing is lost.
      if (failure.kind === 'too-slow' && progress) {
        failures = 0;
        continue;
      }
      failures = progress ? 1 : failures + 1;
      this.parts.broken(failure, failures);
      await pause(backoffMs(failures, FIRST_BACKOFF_MS, MAX_BACKOFF_MS), signal);
    }
  }

  /** One call, until it fails or the subscription is stopped (undefined). @throws whatever the handler throws */
  private async follow(from: bigint): Promise<CallFailure | undefined> {
    const { signal } = this.stopping;
    const inflow = new Inflow(this.parts, from, this.after, signal);
    try {
      for (;;) {
        const { batch, passed } = await inflow.next();
        if (signal.aborted) return undefined;
        const last = batch.at(-1);
        if (last !== undefined) {
          await this.parts.handler(batch);
          this.after = last.position;
        }
        if (passed !== undefined && passed > this.after) {
          await this.parts.passed?.(passed);
          this.after = passed;
        }
        // A long catch-up with a handler that never leaves the turn would starve requests.
        await nextTurn();
      }
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      return signal.aborted ? undefined : error;
    } finally {
      inflow.end();
    }
  }
}

/** What one call brings in: held back while the handler is behind, handed out in batches. */
class Inflow {
  private readonly items: Item[] = [];
  /** The newest that came in. */
  private newest: bigint;
  private bytes = 0;
  private call: ClientReadableStream<ReadResp> | undefined;
  private failure: CallFailure | undefined;
  private over = false;
  private confirmed = false;
  private caughtUp = false;
  private waiting: { readonly for: () => boolean; readonly go: () => void } | undefined;
  private readonly stop = (): void => {
    this.wake();
  };

  constructor(
    private readonly parts: SubscriptionParts,
    from: bigint,
    private readonly after: bigint,
    private readonly signal: AbortSignal,
  ) {
    this.newest = after;
    signal.addEventListener('abort', this.stop);
    const { calls } = parts.connection;
    calls.open(subscriptionRequest(from, parts.names.domainRegex)).then(
      (call) => {
        this.call = call;
        call.on('data', (message: ReadResp) => {
          this.take(message);
        });
        // Stays for good: an error without a listener would end the process.
        call.on('error', (error: unknown) => {
          this.fail(callFailure(error));
        });
        call.on('end', () => {
          this.fail(new CallFailure('broken', 'the server ended the subscription'));
        });
        if (this.over) cancelLater(call);
      },
      (error: unknown) => {
        this.fail(callFailure(error));
      },
    );
  }

  /** The next events, or how far there are none; nothing where the subscription is stopped. @throws {CallFailure} */
  async next(): Promise<{ readonly batch: readonly RecordedEvent[]; readonly passed: bigint | undefined }> {
    while (this.items.length === 0 && !this.signal.aborted) {
      if (this.failure !== undefined) throw this.failure;
      const patience = this.confirmed ? this.parts.muteMs : this.parts.connection.patience.readMs;
      const confirmed = this.confirmed;
      if (!(await this.comes(() => this.items.length > 0 || this.confirmed !== confirmed, patience))) {
        await this.expectSign();
      }
    }
    // The past comes in by ones and twos: handlers are for batches. What is live goes on at once.
    if (!this.caughtUp) await this.comes(() => this.full || this.caughtUp, GATHER_MS);
    const batch: RecordedEvent[] = [];
    let passed: bigint | undefined;
    let count = 0;
    for (const item of this.items) {
      if (item.event !== undefined) {
        if (batch.length === this.parts.maxBatch) break;
        batch.push(item.event);
        this.bytes -= item.bytes;
      } else passed = item.passed;
      count += 1;
    }
    this.items.splice(0, count);
    if (!this.full) this.call?.resume();
    return { batch, passed };
  }

  end(): void {
    this.over = true;
    this.signal.removeEventListener('abort', this.stop);
    if (this.call !== undefined) cancelLater(this.call);
  }

  private get full(): boolean {
    return this.items.length >= this.parts.maxBatch || this.bytes >= MAX_WAITING_BYTES;
  }

  private take(message: ReadResp): void {
    if (this.over) return;
    this.confirmed = true;
    this.caughtUp ||= message.hasCaughtUp();
    try {
      const item = this.itemOf(message);
      if (item !== undefined) {
        this.items.push(item);
        if (item.event !== undefined) {
          this.newest = item.event.position;
          this.bytes += item.bytes;
          this.parts.head.seen(this.newest);
        }
        if (this.full) this.call?.pause();
      }
    } catch (error) {
      this.fail(new CallFailure('other', error instanceof Error ? error.message : String(error), error));
    }
    this.wake();
  }

  private itemOf(message: ReadResp): Item | undefined {
    const checkpoint = message.getCheckpoint();
    if (checkpoint !== undefined) return { event: undefined, passed: BigInt(checkpoint.getCommitPosition()) };
    const event = message.getEvent()?.getEvent();
    if (event === undefined) return undefined;
    const stream = this.parts.names.ownDomain(storedStreamOf(event));
    // From a position behind the log's end the server would deliver what comes before it.
    if (stream === undefined || positionOf(event) <= this.after) return undefined;
    return { event: recordedOf(event, stream), bytes: sizeOf(event) };
  }

  private fail(failure: CallFailure): void {
    this.failure ??= failure;
    this.wake();
  }

  private wake(): void {
    if (this.failure !== undefined || this.signal.aborted || this.waiting?.for() === true) this.waiting?.go();
  }

  /** True once `what` holds or the call is over, false after `ms`. */
  private async comes(what: () => boolean, ms: number): Promise<boolean> {
    if (what() || this.failure !== undefined || this.signal.aborted) return true;
    let timer: NodeJS.Timeout | undefined;
    const came = await new Promise<boolean>((resolve) => {
      this.waiting = {
        for: what,
        go: () => {
          resolve(true);
        },
      };
      timer = setTimeout(resolve, ms, false);
    });
    clearTimeout(timer);
    this.waiting = undefined;
    return came;
  }

  /** After a long silence: is there something that should have come? @throws {CallFailure} where there is, or nobody answers */
  private async expectSign(): Promise<void> {
    if (!this.confirmed) throw new CallFailure('mute', 'the server does not confirm the subscription');
    const head = await this.parts.head.find();
    if (this.items.length > 0 || head <= this.newest) return;
    if (!(await this.comes(() => this.items.length > 0, VERDICT_MS)))
      throw new CallFailure('mute', 'the server keeps events back');
  }
}
