import { backoffMs, type Clock, type EventStore, newId, pause, type RecordedEvent, SystemClock } from '#kernel';
import type { Broker } from './broker.js';
import { isOver } from './change.js';
import { partnerMessageOf, wakeUpOf } from './cloud-event.js';
import { Forwarder, type ForwarderAlarm, type ForwarderParts } from './forwarder.js';
import { Lease, type Monotonic } from './lease.js';
import { LEASE, PARTNERS, WAKE_UPS } from './technical-stream.js';
import { TopicNames } from './topic-names.js';

export type RelayAlarm =
  | ForwarderAlarm
  /** This relay forwards from now on. */
  | { readonly kind: 'leading' }
  /** Another relay forwards, or nobody may: this one waits. */
  | { readonly kind: 'standing-by' }
  /** The log does not answer; whether this relay may forward cannot be told. */
  | { readonly kind: 'lease-unknown'; readonly error: unknown };

export interface RelayOptions {
  /**
   * Whether partners may read this event: its record was public at every revision up to and with this one, and nothing of the event is
   * masked for the anonymous reader. Asked in the order of each stream. While it throws, the lane of partners waits before the event;
   * wake-ups go on.
   */
  readonly isPublic: (event: RecordedEvent) => Promise<boolean> | boolean;
  /** What topics begin with (`pledgebook`). */
  readonly prefix?: string;
  readonly alarm?: (alarm: RelayAlarm) => void;
  /** A relay that was not heard of for so long is taken over, in milliseconds (10,000). */
  readonly leaseMs?: number;
  /** Least time between two saves of a checkpoint while events are sent (100), and while none are (60,000), in milliseconds. */
  readonly checkpointEveryMs?: number;
  readonly idleCheckpointEveryMs?: number;
  /** Wait after the first failure (100) and most after any (5,000), in milliseconds. */
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Lets a technical stream forget all but its newest events, where the store can. */
  readonly keepNewest?: (stream: string, count: number) => Promise<void>;
  readonly clock?: Clock;
  /** This process's own time that only goes forward; the machine's unless a test gives another. */
  readonly monotonic?: Monotonic;
}

export interface LaneStatus {
  /** Everything up to here is acknowledged by the broker. */
  readonly position: bigint;
  /** Events read and not acknowledged. */
  readonly waiting: number;
  /** Why it does not get on; absent while it does. */
  readonly trouble?: string;
}

export interface RelayStatus {
  readonly role: 'leader' | 'standby' | 'stopped';
  /** Identifies this run of this relay in the lease. */
  readonly instance: string;
  readonly wakeUps: LaneStatus;
  readonly partners: LaneStatus;
  /** Position of the newest event of the log, and how far the wake-ups are behind it; positions are not dense. */
  readonly head: bigint;
  readonly lag: bigint;
}

const KEPT = 10;

/**
 * The log is the outbox: sends every event as a wake-up to the services' topics, and every public one with its data to the partners'.
 * The two lanes have checkpoints of their own, so that an event that cannot be classified holds up partners alone. Of several
 * relays one is at work; the others stand by.
 */
export class Relay {
  private readonly instance = newId();
  private readonly lease: Lease;
  private readonly leaseMs: number;
  private readonly wakeUps: Forwarder;
  private readonly partners: Forwarder;
  private readonly alarm: (alarm: RelayAlarm) => void;
  private readonly ending = new AbortController();
  private running: Promise<void> | undefined;
  private role: RelayStatus['role'] = 'standby';

  /**
   * @param broker not closed by the relay
   * @throws {RangeError} for a prefix that no topic can begin with
   */
  constructor(
    private readonly store: EventStore,
    broker: Broker,
    private readonly options: RelayOptions,
  ) {
    const names = new TopicNames(options.prefix);
    const source = names.source(store.storeId);
    const clock = options.clock ?? new SystemClock();
    this.alarm = options.alarm ?? (() => undefined);
    this.leaseMs = options.leaseMs ?? 10_000;
    this.lease = new Lease(store, this.instance, this.leaseMs, options.monotonic ?? (() => performance.now()), clock);
    const lane = (name: string, stream: string, messagesOf: ForwarderParts['messagesOf']): Forwarder =>
      new Forwarder({
        lane: name,
        stream,
        store,
        broker,
        clock,
        holder: this.instance,
        maySend: () => this.lease.isHeld,
        messagesOf,
        alarm: this.alarm,
        checkpointEveryMs: options.checkpointEveryMs ?? 100,
        idleCheckpointEveryMs: options.idleCheckpointEveryMs ?? 60_000,
        firstBackoffMs: options.firstBackoffMs ?? 100,
        maxBackoffMs: options.maxBackoffMs ?? 5_000,
      });
    this.wakeUps = lane('wake-ups', WAKE_UPS, (event) => [wakeUpOf(event, names, source)]);
    this.partners = lane('partners', PARTNERS, async (event) =>
      (await options.isPublic(event)) ? [partnerMessageOf(event, names, source)] : [],
    );
  }

  /** Begins to forward, or to stand by. Called once. */
  start(): void {
    this.running ??= this.run();
  }

  /** Ends after the batch in hand is acknowledged and its checkpoint saved; another relay may take over at once. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
    this.role = 'stopped';
  }

  /** @throws {StoreUnavailableError} */
  async status(): Promise<RelayStatus> {
    const head = await this.store.head();
    const wakeUps = statusOf(this.wakeUps);
    const behind = head - wakeUps.position;
    return {
      role: this.role,
      instance: this.instance,
      wakeUps,
      partners: statusOf(this.partners),
      head,
      lag: behind > 0n ? behind : 0n,
    };
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    while (!isOver(signal)) {
      if (!(await this.takeLease())) {
        // A quarter of the lease: noticed soon, asked for seldom.
        await pause(this.leaseMs / 4, signal);
        continue;
      }
      this.role = 'leader';
      this.alarm({ kind: 'leading' });
      await this.lead(signal);
      this.role = 'standby';
      if (!isOver(signal)) this.alarm({ kind: 'standing-by' });
    }
  }

  private async takeLease(): Promise<boolean> {
    try {
      return await this.lease.acquire();
    } catch (error) {
      this.alarm({ kind: 'lease-unknown', error });
      return false;
    }
  }

  private async lead(signal: AbortSignal): Promise<void> {
    const tenure = new AbortController();
    const end = (): void => {
      tenure.abort();
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      await Promise.all([
        this.forget(),
        this.keepLease(tenure.signal).finally(end),
        // A lane that was fenced ends the tenure of both.
        this.wakeUps.run(tenure.signal).finally(end),
        this.partners.run(tenure.signal).finally(end),
      ]);
    } finally {
      signal.removeEventListener('abort', end);
    }
    await this.lease.release();
  }

  private async keepLease(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !isOver(signal);) {
      await pause(failures === 0 ? this.leaseMs / 3 : backoffMs(failures, 50, this.leaseMs / 6), signal);
      if (isOver(signal)) return;
      try {
        if (!(await this.lease.renew())) return;
        failures = 0;
      } catch (error) {
        failures += 1;
        this.alarm({ kind: 'lease-unknown', error });
        if (!this.lease.isHeld) return;
      }
    }
  }

  private async forget(): Promise<void> {
    const { keepNewest } = this.options;
    if (keepNewest === undefined) return;
    for (const stream of [WAKE_UPS, PARTNERS, LEASE]) {
      // Only room on the server's disk: the next tenure tries again.
      await keepNewest(stream, KEPT).catch(() => undefined);
    }
  }
}

const statusOf = ({ position, waiting, trouble }: Forwarder): LaneStatus => ({
  position,
  waiting,
  ...(trouble === undefined ? {} : { trouble }),
});
