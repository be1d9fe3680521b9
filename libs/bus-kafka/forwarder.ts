import {
  backoffMs,
  type Clock,
  derivedId,
  type EventStore,
  failureOf,
  lastEventOf,
  NO_STREAM,
  pause,
  type RecordedEvent,
  type Subscription,
  technicalEvent,
  WrongRevisionError,
} from '#kernel';
import type { Broker, OutgoingMessage, TopicProducer } from './broker.js';
import { Change, isOver } from './change.js';
import { checkpointOf } from './technical-stream.js';

/** Something the relay's operator should hear of. Nothing is skipped: the lane goes on where it was, once it can. */
export type ForwarderAlarm =
  /** The broker did not take a batch; it is sent again. */
  | { readonly kind: 'send-failed'; readonly lane: string; readonly error: unknown; readonly attempts: number }
  /** It could not be told what an event is to this lane's readers: the lane waits before it. */
  | {
      readonly kind: 'unclassified';
      readonly lane: string;
      readonly event: RecordedEvent;
      readonly error: unknown;
      readonly attempts: number;
    }
  /** The log does not answer, or cut the subscription. */
  | { readonly kind: 'log-away'; readonly lane: string; readonly error: unknown; readonly attempts: number }
  /** Another relay saved its checkpoint: this one sends nothing more. */
  | { readonly kind: 'fenced'; readonly lane: string };

export interface ForwarderParts {
  /** For status and alarms. */
  readonly lane: string;
  /** The technical stream of its checkpoint. */
  readonly stream: string;
  readonly store: EventStore;
  readonly broker: Broker;
  readonly clock: Clock;
  /** Unique to this run of the relay. */
  readonly holder: string;
  readonly maySend: () => boolean;
  readonly messagesOf: (event: RecordedEvent) => Promise<readonly OutgoingMessage[]> | readonly OutgoingMessage[];
  readonly alarm: (alarm: ForwarderAlarm) => void;
  readonly checkpointEveryMs: number;
  readonly idleCheckpointEveryMs: number;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
}

/** What one event leads to; without messages the lane only moves past it. */
interface Outgoing {
  readonly position: bigint;
  readonly messages: readonly OutgoingMessage[];
  readonly bytes: number;
}

const MAX_BATCH = 250;
/** Kept under the topics' limit for what goes to one partition at once, unless one event alone is larger. */
const MAX_SEND_BYTES = 512 * 1024;
const MAX_SEND_EVENTS = 500;
/** Reading on waits while so much is to be sent. */
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
const MAX_QUEUED_EVENTS = 2_000;
/** What a header costs beside its text. */
const OVERHEAD = 16;

/** One lane from the log to Kafka: in the log's order, nothing skipped, the checkpoint saved only behind what the broker acknowledged. */
export class Forwarder {
  private readonly changed = new Change();
  private queue: Outgoing[] = [];
  private queuedBytes = 0;
  private sentTo = 0n;
  /** The newest position that had something to send: saved soon. What only passed by is saved rarely. */
  private due = 0n;
  private saved = { position: 0n, revision: NO_STREAM };
  /** Position of a save whose outcome is unknown. */
  private unsure: bigint | undefined;
  private troubled: string | undefined;

  constructor(private readonly parts: ForwarderParts) {}

  /** Everything up to here is acknowledged by the broker. */
  get position(): bigint {
    return this.sentTo;
  }

  /** Events read and not acknowledged. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Why it does not get on; undefined while it does. */
  get trouble(): string | undefined {
    return this.troubled;
  }

  /** Forwards from the saved checkpoint until `signal` aborts or another relay turns out to be at work; false for the latter. */
  async run(signal: AbortSignal): Promise<boolean> {
    const ending = new AbortController();
    const end = (): void => {
      ending.abort();
      this.changed.announce();
    };
    signal.addEventListener('abort', end, { once: true });
    if (isOver(signal)) end();
    const producer = this.parts.broker.producer();
    try {
      if (!(await this.begin(ending.signal))) return true;
      const [, , alone] = await Promise.all([
        this.read(ending.signal).finally(end),
        this.send(producer, ending.signal).finally(end),
        this.saveOnTheWay(ending.signal).finally(end),
      ]);
      return alone && (await this.saveAtTheEnd());
    } finally {
      signal.removeEventListener('abort', end);
      this.queue = [];
      this.queuedBytes = 0;
      this.troubled = undefined;
      await producer.close().catch(() => undefined);
    }
  }

  private async begin(signal: AbortSignal): Promise<boolean> {
    const { store, stream } = this.parts;
    return this.untilDone(signal, async () => {
      const last = await lastEventOf(store, stream);
      this.saved = { position: checkpointOf(last), revision: last?.revision ?? NO_STREAM };
      this.sentTo = this.saved.position;
      this.due = this.saved.position;
      this.unsure = undefined;
    });
  }

  /** Follows the log; a subscription that breaks is taken up again behind what it brought. */
  private async read(signal: AbortSignal): Promise<void> {
    const { store, lane, alarm, firstBackoffMs, maxBackoffMs } = this.parts;
    let after = this.sentTo;
    for (let failures = 0; !isOver(signal);) {
      let subscription: Subscription | undefined;
      const stop = (): void => {
        // A failure of the stop is the failure of `done`, which is awaited below.
        subscription?.stop().catch(() => undefined);
      };
      signal.addEventListener('abort', stop, { once: true });
      try {
        subscription = store.subscribeToAll(
          after,
          async (batch) => {
            after = (await this.take(batch, signal)) ?? after;
            failures = 0;
          },
          {
            maxBatch: MAX_BATCH,
            passed: async (position) => {
              if (position <= after) return;
              await this.enqueue({ position, messages: [], bytes: 0 }, signal);
              after = position;
            },
          },
        );
        await subscription.done;
        // Ended without a failure and without our asking: the store is closing.
        return;
      } catch (error) {
        failures += 1;
        this.troubled = failureOf(error);
        alarm({ kind: 'log-away', lane, error, attempts: failures });
        await pause(backoffMs(failures, firstBackoffMs, maxBackoffMs), signal);
      } finally {
        signal.removeEventListener('abort', stop);
      }
    }
  }

  /** Answers the position of the last event that was queued. */
  private async take(batch: readonly RecordedEvent[], signal: AbortSignal): Promise<bigint | undefined> {
    const found = await this.messagesOf(batch, signal);
    let last: bigint | undefined;
    for (const [index, { position }] of batch.entries()) {
      const messages = found[index];
      if (messages === undefined || isOver(signal)) return last;
      const bytes = messages.reduce((sum, message) => sum + bytesOf(message), 0);
      await this.enqueue({ position, messages, bytes }, signal);
      last = position;
    }
    return last;
  }

  /** What each event leads to: streams side by side, each in its order. Undefined for those not reached before the signal. */
  private async messagesOf(
    batch: readonly RecordedEvent[],
    signal: AbortSignal,
  ): Promise<readonly (readonly OutgoingMessage[] | undefined)[]> {
    const found: (readonly OutgoingMessage[] | undefined)[] = batch.map(() => undefined);
    const byStream = new Map<string, (readonly [index: number, event: RecordedEvent])[]>();
    for (const [index, event] of batch.entries()) {
      const of = byStream.get(event.stream) ?? [];
      of.push([index, event]);
      byStream.set(event.stream, of);
    }
    const classify = async (events: readonly (readonly [number, RecordedEvent])[]): Promise<void> => {
      for (const [index, event] of events) {
        const done = await this.untilDone(
          signal,
          async () => {
            found[index] = await this.parts.messagesOf(event);
          },
          event,
        );
        if (!done) return;
      }
    };
    await Promise.all([...byStream.values()].map(classify));
    return found;
  }

  private async enqueue(outgoing: Outgoing, signal: AbortSignal): Promise<void> {
    while (this.queue.length >= MAX_QUEUED_EVENTS || this.queuedBytes >= MAX_QUEUED_BYTES) {
      if (isOver(signal)) return;
      await this.changed.next();
    }
    this.queue.push(outgoing);
    this.queuedBytes += outgoing.bytes;
    this.changed.announce();
  }

  /** Sends whatever waits, at once: alone while there is little, many together while there is much. */
  private async send(producer: TopicProducer, signal: AbortSignal): Promise<void> {
    while (!isOver(signal)) {
      const count = this.nextSend();
      if (count === 0) {
        await this.changed.next();
        continue;
      }
      const batch = this.queue.slice(0, count);
      const messages = batch.flatMap((outgoing) => outgoing.messages);
      if (messages.length > 0 && !(await this.acknowledged(producer, messages, signal))) return;
      const last = batch.at(-1)?.position ?? this.sentTo;
      this.queue.splice(0, count);
      this.queuedBytes -= batch.reduce((sum, { bytes }) => sum + bytes, 0);
      this.sentTo = last;
      this.due = batch.findLast((outgoing) => outgoing.messages.length > 0)?.position ?? this.due;
      this.changed.announce();
    }
  }

  private nextSend(): number {
    let bytes = 0;
    let count = 0;
    for (const outgoing of this.queue) {
      bytes += outgoing.bytes;
      if (count > 0 && (bytes > MAX_SEND_BYTES || count >= MAX_SEND_EVENTS)) break;
      count += 1;
    }
    return count;
  }

  /** Sends until the broker has acknowledged; false where it ended before, or may send no more. */
  private async acknowledged(
    producer: TopicProducer,
    messages: readonly OutgoingMessage[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { lane, alarm, maySend, firstBackoffMs, maxBackoffMs } = this.parts;
    const wanted = (): boolean => !isOver(signal) && maySend();
    for (let attempts = 1; wanted(); attempts += 1) {
      try {
        await producer.send(messages, wanted);
        this.troubled = undefined;
        return true;
      } catch (error) {
        if (!wanted()) return false;
        this.troubled = failureOf(error);
        alarm({ kind: 'send-failed', lane, error, attempts });
        await pause(backoffMs(attempts, firstBackoffMs, maxBackoffMs), signal);
      }
    }
    return false;
  }

  /** False where another relay has saved meanwhile. */
  private async saveOnTheWay(signal: AbortSignal): Promise<boolean> {
    const { lane, alarm, checkpointEveryMs, idleCheckpointEveryMs, firstBackoffMs, maxBackoffMs } = this.parts;
    for (let failures = 0; !isOver(signal);) {
      if (this.sentTo <= this.saved.position) {
        await this.changed.next();
        continue;
      }
      // What only passed by is saved rarely: a save is itself something that passes by.
      if (!this.isDue) await this.becomesDue(idleCheckpointEveryMs, signal);
      if (isOver(signal)) break;
      try {
        if (!(await this.save())) return false;
        failures = 0;
        await pause(checkpointEveryMs, signal);
      } catch (error) {
        failures += 1;
        alarm({ kind: 'log-away', lane, error, attempts: failures });
        await pause(backoffMs(failures, firstBackoffMs, maxBackoffMs), signal);
      }
    }
    return true;
  }

  private async saveAtTheEnd(): Promise<boolean> {
    if (this.sentTo <= this.saved.position) return true;
    // What is not saved is sent again by whoever comes after us.
    return this.save().catch(() => true);
  }

  private get isDue(): boolean {
    return this.due > this.saved.position;
  }

  /** Waits until something was sent that is not saved, but no longer than `milliseconds`. */
  private async becomesDue(milliseconds: number, signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const watch = async (): Promise<void> => {
      while (!this.isDue && !isOver(signal) && !enough.signal.aborted) await this.changed.next();
      enough.abort();
    };
    void watch();
    await pause(milliseconds, enough.signal);
    enough.abort();
  }

  /** False where another relay has saved meanwhile. @throws {StoreUnavailableError} the same save is then made first the next time */
  private async save(): Promise<boolean> {
    const { store, stream, lane, holder, clock, alarm } = this.parts;
    const { revision: expected } = this.saved;
    const position = this.unsure ?? this.sentTo;
    const id = derivedId('relay-checkpoint', holder, stream, String(expected), String(position));
    const event = technicalEvent(id, 'RelayCheckpointSaved', { position: String(position) }, clock.now());
    this.unsure = position;
    try {
      const { revision } = await store.append(stream, expected, [event]);
      this.saved = { position, revision };
    } catch (error) {
      if (!(error instanceof WrongRevisionError)) throw error;
      alarm({ kind: 'fenced', lane });
      return false;
    }
    this.unsure = undefined;
    return true;
  }

  /** Repeats what fails, with capped backoff; false where the signal aborts before it succeeds. */
  private async untilDone(signal: AbortSignal, act: () => Promise<void>, event?: RecordedEvent): Promise<boolean> {
    const { lane, alarm, firstBackoffMs, maxBackoffMs } = this.parts;
    for (let attempts = 1; !isOver(signal); attempts += 1) {
      try {
        await act();
        if (attempts > 1) this.troubled = undefined;
        return true;
      } catch (error) {
        this.troubled = failureOf(error);
        alarm(
          event === undefined
            ? { kind: 'log-away', lane, error, attempts }
            : { kind: 'unclassified', lane, event, error, attempts },
        );
        await pause(backoffMs(attempts, firstBackoffMs, maxBackoffMs), signal);
      }
    }
    return false;
  }
}

const bytesOf = ({ key, headers, value }: OutgoingMessage): number => {
  let bytes = Buffer.byteLength(key) + Buffer.byteLength(value ?? '') + OVERHEAD;
  for (const [name, text] of Object.entries(headers)) bytes += name.length + text.length + OVERHEAD;
  return bytes;
};
