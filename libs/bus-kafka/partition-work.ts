import { backoffMs, categoryOfStream, failureOf, NewerEventError, pause, StoreUnavailableError } from '#kernel';
import type { DeadLetter, EventStore, RecordedEvent, StuckMessage } from '#kernel';
import { LRUCache } from 'lru-cache';
import type { KafkaBusAlarm } from './alarms.js';
import type { TopicMessage, TopicPartition } from './broker.js';
import { heard, type WakeUp } from './cloud-event.js';
import type { DeadLetters } from './dead-letters.js';
import { partitionOf } from './partition-of.js';
import type { Slots } from './slots.js';
import type { TopicNames } from './topic-names.js';

/** What a partition's work needs of the subscription it is part of. */
export interface WorkParts {
  readonly process: string;
  readonly handles: Pick<ReadonlySet<string>, 'has'>;
  readonly handler: (event: RecordedEvent) => Promise<void>;
  readonly store: EventStore;
  readonly names: TopicNames;
  readonly source: string;
  readonly deadLetters: DeadLetters;
  readonly slots: Slots;
  readonly alarm: (alarm: KafkaBusAlarm) => void;
  /** Something was handled or passed over. */
  readonly moved: (work: PartitionWork) => void;
  readonly pause: (of: TopicPartition) => void;
  readonly resume: (of: TopicPartition) => void;
  readonly window: number;
  readonly attempts: number;
  readonly firstBackoffMs: number | undefined;
  readonly maxBackoffMs: number | undefined;
}

/** Where a partition's work begins. */
export interface Start {
  /** What the group has committed; undefined where it never did. */
  readonly committed: bigint | undefined;
  /** Offset of the oldest message that the partition still holds. */
  readonly first: bigint;
  /** Partitions of the topic. */
  readonly partitions: number;
}

/** A message given out: the offset that may be committed while it is not handled is its own. */
interface Entry {
  readonly offset: bigint;
  readonly what:
    | { readonly kind: 'wake-up'; readonly wakeUp: WakeUp }
    | { readonly kind: 'replay' }
    | { readonly kind: 'malformed' };
}

/** The messages of one stream that wait or are being handled, in order. */
interface Lane {
  readonly queue: Entry[];
  /** Events read ahead of their turn, by revision. */
  readonly ahead: Map<number, RecordedEvent>;
}

/** Where an event stands, as far as it is known. */
type Place = Pick<DeadLetter, 'revision' | 'eventId' | 'type' | 'position'>;

const placeOf = (event: RecordedEvent | undefined): Place | undefined =>
  event && { revision: event.revision, eventId: event.id, type: event.type, position: event.position };

type Ended = 'done' | 'gave-up' | 'halted';

/** The log does not hold an event that a message tells of: it was restored from an older copy, or the message is no relay's. */
export class MissingEventError extends Error {
  override readonly name = 'MissingEventError';
}

const KNOWN_STREAMS = 5_000;
const READ_AHEAD = 100;
const PAGE = 500;

/** Neither is the message's fault: nothing of it is given up for them. */
const passes = (error: unknown): boolean => error instanceof StoreUnavailableError || error instanceof NewerEventError;

/**
 * One partition while this member owns it: wakes the process up for each message, streams side by side and each stream in its order.
 * A message says only where in the log to look.
 */
export class PartitionWork {
  private readonly halting = new AbortController();
  /** Offset of each entry given out and not handled yet, oldest first. */
  private readonly open = new Map<Entry, bigint>();
  private readonly lanes = new Map<string, Lane>();
  /** Lanes that run: awaited when the work ends. */
  private readonly running = new Set<Promise<void>>();
  /** The last revision handled or passed over of each stream. */
  private readonly known = new LRUCache<string, number>({ max: KNOWN_STREAMS });
  /** The newest revision passed over of each stream that is given up on. */
  private readonly passedOver = new Map<string, number>();
  private readonly failing = new Map<string, StuckMessage>();
  private readonly foreign = new Set<string>();
  private backlog: TopicMessage[] = [];
  private isPumping = false;
  private pumping: Promise<void> | undefined;
  private readonly begun: Promise<void>;
  private start: Start | undefined;
  private expected = 0n;
  private end = 0n;
  private lastPosition = 0n;
  private paused = false;
  committed = 0n;

  /**
   * @param ready resolves when work may begin: the work before has ended, dead letters are known, and where the group stands.
   * With undefined where it never may.
   */
  constructor(
    readonly of: TopicPartition,
    private readonly parts: WorkParts,
    ready: Promise<Start | undefined>,
  ) {
    this.begun = ready.then((start) => {
      if (start === undefined) return;
      this.start = start;
      this.expected = start.committed ?? 0n;
      this.committed = this.expected;
      this.take([], 0n);
    });
  }

  /** Offset of the next message to be consumed by whoever comes after us. Undefined while the work has not begun. */
  get handledTo(): bigint | undefined {
    if (this.start === undefined) return undefined;
    for (const oldest of this.open.values()) return oldest;
    return this.expected;
  }

  get stuck(): readonly StuckMessage[] {
    return [...this.failing.values()];
  }

  /** Messages taken in and not handled. */
  get waiting(): number {
    return this.open.size + this.backlog.length;
  }

  /** Messages of the partition that are not handled. */
  get lag(): bigint {
    const to = this.handledTo ?? 0n;
    return this.end > to ? this.end - to : 0n;
  }

  /** Every event of this partition up to this position of the log is handled; undefined where nothing limits it. */
  get limit(): bigint | undefined {
    for (const { what } of this.open.keys()) if (what.kind === 'wake-up') return what.wakeUp.position - 1n;
    return this.lag > 0n || this.start === undefined ? this.lastPosition : undefined;
  }

  get newestPosition(): bigint {
    return this.lastPosition;
  }

  take(messages: readonly TopicMessage[], end: bigint): void {
    this.end = end;
    this.backlog.push(...messages);
    this.throttle();
    if (this.isPumping) return;
    this.isPumping = true;
    this.pumping = this.pump();
  }

  /** No new event begins; resolves when no handler runs any more. What was not handled comes again to whoever comes after. */
  async halt(): Promise<void> {
    this.halting.abort();
    await this.pumping;
    await Promise.all(this.running);
  }

  private isHalted(): boolean {
    return this.halting.signal.aborted;
  }

  private async pump(): Promise<void> {
    try {
      if (this.start === undefined) await this.begun;
      await this.catchUp();
      while (this.start !== undefined && this.backlog.length > 0 && !this.isHalted()) {
        const messages = this.backlog;
        this.backlog = [];
        for (const message of messages) {
          if (message.offset !== this.expected && !(await this.follows(message))) continue;
          if (this.isHalted()) return;
          this.accept(message);
          this.expected = message.offset + 1n;
        }
        this.parts.moved(this);
        this.throttle();
      }
    } finally {
      this.isPumping = false;
    }
  }

  /** A process that comes after the oldest messages are gone reads from the log what they told of. */
  private async catchUp(): Promise<void> {
    const { first = 0n } = this.start ?? {};
    if (this.start === undefined || first <= this.expected) return;
    if (await this.skipTo(first, undefined)) this.expected = first;
  }

  /** Whether the message is the next one; reads from the log what stood before it and is gone. */
  private async follows({ offset, headers }: TopicMessage): Promise<boolean> {
    const { process, alarm } = this.parts;
    if (offset > this.expected) {
      const { ce_logposition: position = '' } = headers;
      return this.skipTo(offset, /^\d{1,20}$/.test(position) ? BigInt(position) : undefined);
    }
    // Taken in already, and delivered again because it was not committed when the group changed.
    if (offset >= this.committed) return false;
    alarm({ kind: 'topic-rewound', subscription: process, of: this.of, committed: this.committed, offset });
    this.expected = offset;
    this.committed = offset;
    return true;
  }

  private accept(message: TopicMessage): void {
    const { process, names, source, alarm, handles } = this.parts;
    const { offset } = message;
    const what = heard(message, names, source);
    switch (what.kind) {
      case 'foreign':
        if (!this.foreign.has(what.source)) {
          this.foreign.add(what.source);
          alarm({ kind: 'foreign-log', subscription: process, of: this.of, source: what.source });
        }
        return;
      case 'malformed':
        alarm({ kind: 'malformed-message', subscription: process, of: this.of, offset });
        if (message.key !== undefined && message.key !== '')
          this.giveOut(message.key, { offset, what: { kind: 'malformed' } });
        return;
      case 'replay':
        if (what.process === process) this.giveOut(what.stream, { offset, what: { kind: 'replay' } });
        return;
      case 'wake-up': {
        const { stream, revision, type, position } = what.wakeUp;
        if (position > this.lastPosition) this.lastPosition = position;
        if (!handles.has(type) && !this.lanes.has(stream) && this.isNext(stream, revision))
          this.known.set(stream, revision);
        else this.giveOut(stream, { offset, what });
      }
    }
  }

  private isNext(stream: string, revision: number): boolean {
    const known = this.known.get(stream);
    return (
      (known === undefined || known === revision - 1) &&
      this.parts.deadLetters.find(this.parts.process, stream) === undefined
    );
  }

  private giveOut(stream: string, entry: Entry): void {
    this.open.set(entry, entry.offset);
    const lane = this.lanes.get(stream);
    if (lane !== undefined) {
      lane.queue.push(entry);
      return;
    }
    const opened: Lane = { queue: [entry], ahead: new Map() };
    this.lanes.set(stream, opened);
    const run: Promise<void> = this.run(stream, opened).finally(() => this.running.delete(run));
    this.running.add(run);
  }

  private async run(stream: string, lane: Lane): Promise<void> {
    for (let entry = lane.queue[0]; entry !== undefined && !this.isHalted(); entry = lane.queue[0]) {
      if (!(await this.handle(stream, lane, entry))) break;
      lane.queue.shift();
      this.open.delete(entry);
      this.throttle();
      this.parts.moved(this);
    }
    this.lanes.delete(stream);
  }

  /** False where the work was halted before the entry was handled. */
  private async handle(stream: string, lane: Lane, { what }: Entry): Promise<boolean> {
    const { process, deadLetters, alarm } = this.parts;
    const letter = deadLetters.find(process, stream);
    if (what.kind === 'replay') return letter === undefined || this.replay(stream, letter);
    const known = this.known.get(stream);
    if (what.kind === 'malformed') {
      if (letter !== undefined) return true;
      const at = { revision: (known ?? -1) + 1, eventId: '', type: '', position: this.lastPosition };
      return this.giveUp(stream, at, 'MalformedMessage', 1, new Date().toISOString());
    }
    const { wakeUp } = what;
    if (letter !== undefined) {
      this.passedOver.set(stream, Math.max(wakeUp.revision, this.passedOver.get(stream) ?? -1));
      return true;
    }
    if (known !== undefined && wakeUp.revision <= known) return true;
    const from = known === undefined ? wakeUp.revision : known + 1;
    if (from < wakeUp.revision) {
      alarm({ kind: 'gap', subscription: process, stream, from, to: wakeUp.revision - 1 });
    }
    for (let revision = from; revision <= wakeUp.revision; revision += 1) {
      const ended = await this.handleOne(stream, lane, revision, wakeUp);
      if (ended === 'halted') return false;
      if (ended === 'gave-up') {
        this.passedOver.set(stream, wakeUp.revision);
        return true;
      }
      this.known.set(stream, revision);
    }
    return true;
  }

  private async handleOne(stream: string, lane: Lane, revision: number, wakeUp: WakeUp): Promise<Ended> {
    const { handles, handler } = this.parts;
    const told = revision === wakeUp.revision;
    if (told && !handles.has(wakeUp.type)) return 'done';
    const at = { revision, eventId: told ? wakeUp.id : '', type: told ? wakeUp.type : '', position: wakeUp.position };
    const ended = await this.insist(stream, at, async (found) => {
      const event = await this.eventAt(stream, lane, revision);
      found(event);
      if (handles.has(event.type)) await handler(event);
    });
    lane.ahead.delete(revision);
    return ended;
  }

  /** An event of the log, read together with those whose turn comes next. */
  private async eventAt(stream: string, lane: Lane, revision: number): Promise<RecordedEvent> {
    const ahead = lane.ahead.get(revision);
    if (ahead !== undefined) return ahead;
    lane.ahead.clear();
    for (const event of await this.parts.store.readStream(stream, revision, this.toRead(lane, revision))) {
      lane.ahead.set(event.revision, event);
    }
    const event = lane.ahead.get(revision);
    if (event === undefined) throw new MissingEventError(`the log holds no event ${stream}@${revision}`);
    return event;
  }

  private toRead({ queue }: Lane, revision: number): number {
    let last = revision;
    for (const { what } of queue.slice(0, READ_AHEAD)) {
      if (what.kind !== 'wake-up') break;
      if (what.wakeUp.revision > last + 1) last = queue[0]?.what === what ? what.wakeUp.revision : last;
      else if (what.wakeUp.revision === last + 1) last += 1;
    }
    return Math.min(last - revision + 1, READ_AHEAD);
  }

  /** Tries until it succeeds, is given up, or the work is halted. */
  private async insist(
    stream: string,
    told: Place,
    act: (found: (event: RecordedEvent) => void) => Promise<void>,
  ): Promise<Ended> {
    const { process, slots, alarm, attempts: most, firstBackoffMs, maxBackoffMs } = this.parts;
    let event: RecordedEvent | undefined;
    let faults = 0;
    let since: string | undefined;
    try {
      for (let attempts = 1; !this.isHalted(); attempts += 1) {
        try {
          const handled = await slots.run(async () => {
            // The turn may have come after the end.
            if (this.isHalted()) return false;
            await act((found) => (event = found));
            return true;
          });
          if (handled) return 'done';
        } catch (error) {
          since ??= new Date().toISOString();
          const place = placeOf(event) ?? told;
          const { revision, ...of } = place;
          const reason = failureOf(error);
          this.failing.set(stream, { ...of, error: reason, attempts, since });
          alarm({ kind: 'handler-failed', subscription: process, stream, revision, event, error, attempts });
          if (!passes(error)) faults += 1;
          if (faults >= most) return (await this.giveUp(stream, place, reason, attempts, since)) ? 'gave-up' : 'halted';
          await pause(backoffMs(attempts, firstBackoffMs, maxBackoffMs), this.halting.signal);
        }
      }
      return 'halted';
    } finally {
      this.failing.delete(stream);
    }
  }

  /** Writes the dead letter, however long the broker is away; false where the work is halted before. */
  private async giveUp(stream: string, at: Place, reason: string, attempts: number, since: string): Promise<boolean> {
    const { process, deadLetters, alarm } = this.parts;
    const letter: DeadLetter = { process, stream, ...at, reason, attempts, since };
    const written = await this.untilDone(() => deadLetters.write(letter));
    if (written) alarm({ kind: 'dead-letter', subscription: process, letter });
    return written;
  }

  /** Handles everything of the stream from the dead revision to its end, then takes the letter back. False where halted before. */
  private async replay(stream: string, letter: DeadLetter): Promise<boolean> {
    const { process, store, handles, handler, deadLetters, alarm } = this.parts;
    let next = letter.revision;
    for (let page: RecordedEvent[] = []; ;) {
      const read = await this.untilDone(async () => {
        page = await store.readStream(stream, next, PAGE);
        // A log read behind what messages already told of is no end of the stream.
        if (page.length < PAGE && next + page.length <= (this.passedOver.get(stream) ?? -1)) {
          throw new StoreUnavailableError(`the log does not hold ${stream} to its end yet`);
        }
      });
      if (!read) return false;
      for (const event of page) {
        const { revision, id, type, position } = event;
        if (handles.has(type)) {
          const ended = await this.insist(stream, { revision, eventId: id, type, position }, () => handler(event));
          if (ended === 'halted') return false;
          // Dead again, from here on.
          if (ended === 'gave-up') return true;
        }
        next = revision + 1;
      }
      if (page.length < PAGE) break;
    }
    if (!(await this.untilDone(() => deadLetters.clear(letter)))) return false;
    this.known.set(stream, next - 1);
    this.passedOver.delete(stream);
    alarm({ kind: 'replayed', subscription: process, letter });
    return true;
  }

  /**
   * Gives out from the log what the messages before offset `to` told of: everything before `until`, or to the log's end.
   * False where the work is halted before.
   */
  private async skipTo(to: bigint, until: bigint | undefined): Promise<boolean> {
    const { store, names, process, alarm } = this.parts;
    alarm({ kind: 'messages-missing', subscription: process, of: this.of, from: this.expected, to });
    const { topic, partition } = this.of;
    const partitions = this.start?.partitions ?? 1;
    // While any of it is open the group stays before the hole, so that whoever comes after us finds it too.
    const offset = this.expected;
    for (let after = this.lastPosition, page: RecordedEvent[] = []; ;) {
      if (!(await this.untilDone(async () => void (page = await store.readAll(after, PAGE))))) return false;
      for (const { stream, revision, position, id, type } of page) {
        if (until !== undefined && position >= until) return true;
        after = position;
        if (names.restricted(categoryOfStream(stream)) !== topic || partitionOf(stream, partitions) !== partition)
          continue;
        this.giveOut(stream, { offset, what: { kind: 'wake-up', wakeUp: { stream, revision, position, id, type } } });
        while (this.open.size >= this.parts.window && !this.isHalted()) await this.room();
        if (this.isHalted()) return false;
      }
      if (page.length < PAGE) return true;
    }
  }

  /** Resolves when one of the lanes has ended. */
  private async room(): Promise<void> {
    await Promise.race(this.running);
  }

  /** Repeats what fails, with capped backoff; false where the work is halted before it succeeds. */
  private async untilDone(act: () => Promise<void>): Promise<boolean> {
    const { process, alarm, firstBackoffMs, maxBackoffMs } = this.parts;
    for (let attempt = 1; !this.isHalted(); attempt += 1) {
      try {
        await act();
        return true;
      } catch (error) {
        alarm({ kind: 'broken', subscription: process, error });
        await pause(backoffMs(attempt, firstBackoffMs, maxBackoffMs), this.halting.signal);
      }
    }
    return false;
  }

  private throttle(): void {
    const { window } = this.parts;
    if (!this.paused && this.waiting >= window) {
      this.paused = true;
      this.parts.pause(this.of);
    } else if (this.paused && this.waiting <= window / 2) {
      this.paused = false;
      this.parts.resume(this.of);
    }
  }
}
