import { backoffMs, pause } from '#kernel';
import type { BusSubscription, EventStore, RecordedEvent, StuckMessage } from '#kernel';
import type { KafkaBusAlarm } from './alarms.js';
import {
  type Broker,
  type GroupMember,
  nameOf,
  type OffsetRange,
  type TopicMessage,
  type TopicPartition,
} from './broker.js';
import { isOver } from './change.js';
import type { DeadLetters } from './dead-letters.js';
import { PartitionWork, type Start, type WorkParts } from './partition-work.js';
import { Slots } from './slots.js';
import type { TopicNames } from './topic-names.js';

export interface SubscriptionParts {
  readonly process: string;
  readonly handles: readonly string[];
  /** Types of a newer version, handed over as well: what a member passes over here no member ever sees again. */
  readonly isUnknown: (type: string) => boolean;
  readonly handler: (event: RecordedEvent) => Promise<void>;
  readonly topics: readonly string[];
  readonly store: EventStore;
  readonly broker: Broker;
  readonly names: TopicNames;
  readonly deadLetters: DeadLetters;
  readonly alarm: (alarm: KafkaBusAlarm) => void;
  /** Resolves once the relay has forwarded everything up to a position; with false where the signal aborts before. */
  readonly forwarded: (position: bigint, signal: AbortSignal) => Promise<boolean>;
  /** What the topics hold, now or later. */
  readonly ranges: (topics: readonly string[]) => Promise<ReadonlyMap<string, readonly OffsetRange[]>>;
  readonly options: SubscriptionOptions;
}

export interface SubscriptionOptions {
  /** Messages of one partition taken in and not handled, at which fetching it pauses (1,000). */
  readonly window?: number;
  /** Events handled at the same time, per process and instance (64). */
  readonly concurrency?: number;
  /** Attempts at an event before its stream is given up on as a dead letter (10). Failures of the log do not count. */
  readonly attempts?: number;
  /** Wait before the second attempt (100), and most to wait before any (30,000), in milliseconds. */
  readonly firstBackoffMs?: number;
  readonly maxBackoffMs?: number;
  /** Least time between two commits of offsets, in milliseconds (50). */
  readonly commitEveryMs?: number;
}

/** A process's part in its consumer group. */
export class ProcessSubscription implements BusSubscription {
  readonly name: string;
  private readonly works = new Map<string, PartitionWork>();
  /** Work of partitions that were lost, until its handlers have ended. */
  private readonly leaving = new Map<string, Promise<void>>();
  private readonly ending = new AbortController();
  private readonly member: GroupMember;
  private readonly workParts: WorkParts;
  private readonly dirty = new Set<PartitionWork>();
  private committing: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  /** Aborted when something was handled or assigned; there is one only while somebody waits for it. */
  private changed: AbortController | undefined;
  /** Everything up to here was once seen handled, by all members. */
  private floor = 0n;

  constructor(private readonly parts: SubscriptionParts) {
    const { process, handles, isUnknown, handler, store, broker, names, deadLetters, alarm, options, topics } = parts;
    this.name = process;
    const handled = new Set(handles);
    this.workParts = {
      process,
      handles: { has: (type) => handled.has(type) || isUnknown(type) },
      handler,
      store,
      names,
      source: names.source(store.storeId),
      deadLetters,
      slots: new Slots(options.concurrency ?? 64),
      alarm,
      moved: (work) => {
        this.moved(work);
      },
      pause: (of) => {
        this.member.pause(of);
      },
      resume: (of) => {
        this.member.resume(of);
      },
      window: options.window ?? 1_000,
      attempts: options.attempts ?? 10,
      firstBackoffMs: options.firstBackoffMs,
      maxBackoffMs: options.maxBackoffMs,
    };
    this.member = broker.join(names.group(process), topics, {
      assigned: (partitions) => {
        this.assigned(partitions);
      },
      messages: (of, messages, end) => {
        this.messages(of, messages, end);
      },
      broken: (error) => {
        alarm({ kind: 'broken', subscription: process, error });
      },
    });
  }

  get position(): bigint {
    let limit: bigint | undefined;
    let newest = 0n;
    for (const work of this.works.values()) {
      if (work.limit !== undefined && (limit === undefined || work.limit < limit)) limit = work.limit;
      if (work.newestPosition > newest) newest = work.newestPosition;
    }
    const handled = limit ?? newest;
    return handled > this.floor ? handled : this.floor;
  }

  get stuck(): readonly StuckMessage[] {
    return [...this.works.values()].flatMap(({ stuck }) => stuck);
  }

  /** How this instance stands: partitions it owns, messages in hand, and messages of its partitions that are not handled. */
  get standing(): { readonly partitions: number; readonly inHand: number; readonly lag: bigint } {
    const works = [...this.works.values()];
    return {
      partitions: works.length,
      inHand: works.reduce((sum, { waiting }) => sum + waiting, 0),
      lag: works.reduce((sum, { lag }) => sum + lag, 0n),
    };
  }

  async reached(position: bigint): Promise<void> {
    if (position <= this.floor) return;
    const { signal } = this.ending;
    if (isOver(signal) || !(await this.parts.forwarded(position, signal))) throw this.stopped();
    const held = await this.untilDone(() => this.parts.ranges(this.parts.topics));
    if (held === undefined || !(await this.handledTo(held))) throw this.stopped();
    if (position > this.floor) this.floor = position;
  }

  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    this.ending.abort();
    this.wake();
    await Promise.all([...this.works.values()].map((work) => work.halt()));
    await Promise.all(this.leaving.values());
    await this.committing;
    await this.commit(true);
    await this.member.leave();
  }

  private stopped(): Error {
    return new Error(`${this.name} stopped at ${this.position}`);
  }

  private assigned(partitions: readonly TopicPartition[]): void {
    const owned = new Set(partitions.map(nameOf));
    for (const [name, work] of this.works) {
      if (owned.has(name)) continue;
      this.works.delete(name);
      this.dirty.delete(work);
      const left = work.halt().finally(() => {
        if (this.leaving.get(name) === left) this.leaving.delete(name);
      });
      this.leaving.set(name, left);
    }
    const gained = partitions.filter((of) => !this.works.has(nameOf(of)));
    if (gained.length > 0 && !this.ending.signal.aborted) {
      const starts = this.starts([...new Set(gained.map(({ topic }) => topic))]);
      for (const of of gained) {
        const ready = Promise.all([starts, this.leaving.get(nameOf(of))]).then(([startOf]) => startOf?.(of));
        this.works.set(nameOf(of), new PartitionWork(of, this.workParts, ready));
        this.member.resume(of);
      }
    }
    this.wake();
  }

  /** Where work of these topics begins, asked once dead letters are known; undefined where the subscription ends before. */
  private async starts(topics: readonly string[]): Promise<((of: TopicPartition) => Start | undefined) | undefined> {
    const { broker, names, process, deadLetters, ranges } = this.parts;
    return this.untilDone(async () => {
      await deadLetters.upToDate();
      const [committed, held] = await Promise.all([
        broker.committedOffsets(names.group(process), topics),
        ranges(topics),
      ]);
      return ({ topic, partition }) => {
        const of = held.get(topic);
        const range = of?.[partition];
        return (
          of && range && { committed: committed.get(topic)?.[partition], first: range.first, partitions: of.length }
        );
      };
    });
  }

  private messages(of: TopicPartition, messages: readonly TopicMessage[], end: bigint): void {
    if (!this.ending.signal.aborted) this.works.get(nameOf(of))?.take(messages, end);
  }

  private moved(work: PartitionWork): void {
    // Of a partition that was lost: what it has come to is not ours to commit, also once the partition is ours again.
    if (this.works.get(nameOf(work.of)) !== work) return;
    this.dirty.add(work);
    this.committing ??= this.commitLoop();
    this.wake();
  }

  private async commitLoop(): Promise<void> {
    // What is handled in one turn is committed together.
    await Promise.resolve();
    for (let failures = 0; this.dirty.size > 0 && !this.ending.signal.aborted;) {
      failures = (await this.commit(false)) ? 0 : failures + 1;
      const { commitEveryMs = 50, firstBackoffMs, maxBackoffMs } = this.parts.options;
      await pause(
        failures === 0 ? commitEveryMs : backoffMs(failures, firstBackoffMs, maxBackoffMs),
        this.ending.signal,
      );
    }
    this.committing = undefined;
  }

  /** Commits what moved, or everything at the end. A failure costs nothing: what is not committed is handled again, to no effect. */
  private async commit(everything: boolean): Promise<boolean> {
    const works = everything ? [...this.works.values()] : [...this.dirty];
    this.dirty.clear();
    const moved = works.flatMap((work) => {
      const { handledTo: offset, of, committed } = work;
      return offset !== undefined && offset > committed ? [{ work, offset, of }] : [];
    });
    if (moved.length === 0) return true;
    try {
      await this.member.commit(moved.map(({ of, offset }) => ({ ...of, offset })));
      for (const { work, offset } of moved) if (offset > work.committed) work.committed = offset;
      return true;
    } catch (error) {
      for (const { work } of moved) if (this.works.get(nameOf(work.of)) === work) this.dirty.add(work);
      this.parts.alarm({ kind: 'commit-failed', subscription: this.name, error });
      return false;
    }
  }

  /** Waits until every partition is handled up to its end, by us or by whom the group has given it; false where we stop before. */
  private async handledTo(held: ReadonlyMap<string, readonly OffsetRange[]>): Promise<boolean> {
    const { broker, names, process } = this.parts;
    const { signal } = this.ending;
    const missing = new Map<string, { readonly of: TopicPartition; readonly end: bigint }>();
    for (const [topic, ranges] of held) {
      ranges.forEach(({ end }, partition) => {
        const of = { topic, partition };
        if (end > 0n) missing.set(nameOf(of), { of, end });
      });
    }
    for (let waits = 1; !isOver(signal); waits += 1) {
      this.changed ??= new AbortController();
      const changed = this.changed.signal;
      const others: string[] = [];
      for (const [name, { end }] of missing) {
        const work = this.works.get(name);
        if (work === undefined) others.push(name);
        else if ((work.handledTo ?? -1n) >= end) missing.delete(name);
      }
      if (missing.size === 0) return true;
      if (others.length > 0) {
        const topics = [...new Set(others.map((name) => missing.get(name)?.of.topic ?? ''))];
        const committed = await this.untilDone(() => broker.committedOffsets(names.group(process), topics));
        for (const name of others) {
          const { of, end } = missing.get(name) ?? {};
          if (of === undefined || end === undefined) continue;
          if ((committed?.get(of.topic)?.[of.partition] ?? -1n) >= end) missing.delete(name);
        }
        if (missing.size === 0) return true;
      }
      // Ours tell of themselves; of the others' partitions nobody tells us.
      await pause(others.length > 0 ? backoffMs(waits, 10, 200) : 60_000, changed);
    }
    return false;
  }

  private wake(): void {
    this.changed?.abort();
    this.changed = undefined;
  }

  private async untilDone<T>(act: () => Promise<T>): Promise<T | undefined> {
    const { alarm, process, options } = this.parts;
    const { signal } = this.ending;
    for (let attempt = 1; !isOver(signal); attempt += 1) {
      try {
        return await act();
      } catch (error) {
        if (isOver(signal)) return undefined;
        alarm({ kind: 'broken', subscription: process, error });
        await pause(backoffMs(attempt, options.firstBackoffMs, options.maxBackoffMs), signal);
      }
    }
    return undefined;
  }
}
