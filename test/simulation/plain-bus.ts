import type { BusSubscription, EventStore, RecordedEvent, StuckMessage } from '#kernel';
import { backoffMs, categoryOfStream, failureOf, MessageBus, pause } from '#kernel';
import type { Owner, Scheduler } from './scheduler.js';
import { NATURE } from './scheduler.js';
import type { SimulatedLog } from './simulated-log.js';

/** Where an event stands: all that a topic holds of it. */
interface WakeUp {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
}

/** What came of some streams of a category, in its order. */
class Partition {
  readonly wakeUps: WakeUp[] = [];
  private readonly sleepers = new Set<() => void>();

  get end(): number {
    return this.wakeUps.length;
  }

  push(wakeUp: WakeUp): void {
    this.wakeUps.push(wakeUp);
    this.wake();
  }

  untilWoken(sleeper: () => void): void {
    this.sleepers.add(sleeper);
  }

  wake(): void {
    if (this.sleepers.size === 0) return;
    const woken = [...this.sleepers];
    this.sleepers.clear();
    for (const sleeper of woken) sleeper();
  }
}

/** One topic per category of streams. */
class Topic {
  readonly partitions: readonly Partition[];

  constructor(
    readonly category: string,
    readonly types: ReadonlySet<string>,
    partitions: number,
  ) {
    this.partitions = Array.from({ length: partitions }, () => new Partition());
  }
}

export class BrokerAwayError extends Error {
  override readonly name = 'BrokerAwayError';
}

/** How long a group waits for a member that is not heard of, in milliseconds. */
const SESSION_MS = 6_000;
const FETCHED = 6;
/** A commitment leaves by these before it binds. */
const EXITS: readonly string[] = ['CommitmentDeclined', 'CommitmentLapsed', 'CommitmentWithdrawn'];

/**
 * The smallest bus that brings every event at least once: partitions by stream, one offset per group and partition, members that come and
 * go. A member that lost a partition works on until it hears of it. Events of one stream come in order, as every bus promises, but for the
 * one exception that the records are built to bear: an exit may overtake what came before it.
 */
export class PlainTopics {
  private readonly topics: readonly Topic[];
  private readonly groups = new Map<string, Group>();
  private forwarded = 0;
  private forwarding = false;

  constructor(
    readonly scheduler: Scheduler,
    private readonly log: SimulatedLog,
    categories: readonly { readonly name: string; readonly types: readonly string[] }[],
    partitions: number,
    private readonly overtaking: boolean,
  ) {
    this.topics = categories.map(({ name, types }) => new Topic(name, new Set(types), partitions));
  }

  /** Brings what was stored to the partitions, in its order; now and then some of it twice. */
  forwardSoon(): void {
    if (this.forwarding || this.forwarded >= this.log.events.length) return;
    this.forwarding = true;
    this.scheduler.later('forwards', 'topics', () => this.forward(), NATURE);
  }

  group(name: string, handles: readonly string[]): Group {
    const topics = this.topics.filter(({ types }) => handles.some((type) => types.has(type)));
    const group = this.groups.get(name) ?? new Group(name, this.scheduler, topics);
    this.groups.set(name, group);
    return group;
  }

  wake(): void {
    for (const { partitions } of this.topics) for (const partition of partitions) partition.wake();
  }

  /** Gives partitions out anew somewhere, as if a member had been slow to answer. */
  disturb(): void {
    const groups = [...this.groups.values()];
    if (groups.length > 0) this.scheduler.random.pick(groups).rebalanceSoon();
  }

  /** A dead node's members are missed after a while. */
  missed(owner: Owner): void {
    for (const group of this.groups.values()) group.missed(owner);
  }

  /** What is not handled yet; empty where everything is. */
  get behind(): readonly string[] {
    const waiting = this.log.events.length - this.forwarded;
    return [
      ...(waiting > 0 ? [`${waiting} events are not forwarded`] : []),
      ...[...this.groups.values()].flatMap((group) => group.behind),
    ];
  }

  private forward(): void {
    this.forwarding = false;
    const { random, disturbance } = this.scheduler;
    if (disturbance.lost > 0 && random.chance(0.05)) {
      this.forwarded = Math.max(0, this.forwarded - random.between(1, 5));
    }
    const until = Math.min(this.log.events.length, this.forwarded + random.between(1, 4));
    for (const { stream, revision, type } of this.log.events.slice(this.forwarded, until)) {
      const category = categoryOfStream(stream);
      const topic = this.topics.find((each) => each.category === category);
      if (topic === undefined) throw new Error(`there is no topic for ${stream}`);
      const lane = this.overtaking && EXITS.includes(type) ? 1 : 0;
      topic.partitions[(hashOf(stream) + lane) % topic.partitions.length]?.push({ stream, revision, type });
    }
    this.forwarded = until;
    this.forwardSoon();
  }
}

interface Place {
  readonly name: string;
  readonly partition: Partition;
}

class Group {
  readonly committed = new Map<string, number>();
  /** Counts how often partitions were given out: whoever has them of an earlier time begins anew where the group stands. */
  generation = 0;
  private rebalancing = false;
  private members: PlainMember[] = [];
  private owners = new Map<string, PlainMember>();

  readonly places: readonly Place[];

  constructor(
    readonly name: string,
    readonly scheduler: Scheduler,
    topics: readonly Topic[],
  ) {
    this.places = topics.flatMap(({ category, partitions }) =>
      partitions.map((partition, n) => ({ name: `${category}/${n}`, partition })),
    );
  }

  get behind(): readonly string[] {
    return this.places.flatMap(({ name, partition: { end } }) => {
      const at = this.committed.get(name) ?? 0;
      return at < end ? [`${this.name} is at ${at} of ${end} in ${name}`] : [];
    });
  }

  join(member: PlainMember): void {
    this.members.push(member);
    this.rebalanceSoon();
  }

  leave(member: PlainMember): void {
    this.members = this.members.filter((each) => each !== member);
    this.rebalanceSoon();
  }

  missed(owner: Owner): void {
    const gone = this.members.filter((member) => member.owner === owner);
    if (gone.length === 0) return;
    const miss = (): void => {
      for (const member of gone) this.leave(member);
    };
    this.scheduler.timer(SESSION_MS, `${this.name} misses ${owner.name}`, miss, NATURE);
  }

  rebalanceSoon(): void {
    if (this.rebalancing) return;
    this.rebalancing = true;
    this.scheduler.later('gives partitions out', this.name, () => this.rebalance(), NATURE);
  }

  owns(member: PlainMember, place: Place): boolean {
    return this.owners.get(place.name) === member;
  }

  commit(member: PlainMember, place: Place, generation: number, offset: number): void {
    if (!this.owns(member, place) || generation !== this.generation) {
      throw new BrokerAwayError(`${place.name} was given out anew`);
    }
    this.committed.set(place.name, offset);
  }

  private rebalance(): void {
    this.rebalancing = false;
    if (this.members.length === 0) return;
    this.generation += 1;
    this.owners = new Map(this.places.map((place) => [place.name, this.scheduler.random.pick(this.members)]));
    // Each hears of it in its own time: who lost a partition works on until then.
    for (const member of this.members) member.hearSoon();
  }
}

/** A time for which a member has a partition, as far as it knows. */
class Tenure {
  private over = false;

  constructor(readonly generation: number) {}

  isOver(): boolean {
    return this.over;
  }

  end(): void {
    this.over = true;
  }
}

type Handler = (event: RecordedEvent) => Promise<void>;

class PlainMember implements BusSubscription {
  readonly position = 0n;
  readonly owner: Owner;
  private readonly tenures = new Map<string, Tenure>();
  private readonly failing = new Map<string, StuckMessage>();
  private stopped = false;

  constructor(
    readonly name: string,
    private readonly group: Group,
    private readonly store: EventStore,
    private readonly handles: ReadonlySet<string>,
    private readonly handler: Handler,
    private readonly isCut: () => boolean,
  ) {
    this.owner = group.scheduler.owner;
    group.join(this);
  }

  get stuck(): readonly StuckMessage[] {
    return [...this.failing.values()];
  }

  reached(): Promise<void> {
    return Promise.reject(new Error('nobody waits for the plain bus'));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const tenure of this.tenures.values()) tenure.end();
    this.group.leave(this);
  }

  hearSoon(): void {
    this.group.scheduler.later('hears which partitions it has', this.name, () => this.hear(), this.owner);
  }

  private hear(): void {
    const { generation } = this.group;
    for (const place of this.group.places) {
      const name = place.name;
      const tenure = this.tenures.get(name);
      if (tenure?.generation === generation) continue;
      tenure?.end();
      this.tenures.delete(name);
      if (!this.group.owns(this, place) || this.stopped) continue;
      const begun = new Tenure(generation);
      this.tenures.set(name, begun);
      void this.work(place, begun);
    }
  }

  private async work(place: Place, tenure: Tenure): Promise<void> {
    const { group } = this;
    const start = await this.insist(tenure, () =>
      this.ask('asks where it stands in', place, () => group.committed.get(place.name) ?? 0),
    );
    let offset = start ?? 0;
    let committed = offset;
    let failures = 0;
    while (!tenure.isOver()) {
      const from = offset;
      const fetched = await this.insist(tenure, () => this.fetch(place, from, from > committed));
      if (fetched === undefined || tenure.isOver()) return;
      await this.handleAll(fetched, tenure);
      if (tenure.isOver()) return;
      offset = from + fetched.length;
      if (offset === committed) continue;
      try {
        const to = offset;
        await this.ask('commits', place, () => {
          group.commit(this, place, tenure.generation, to);
        });
        committed = offset;
        failures = 0;
      } catch {
        // A failure costs nothing: what is not committed is handled again.
        failures += 1;
        await pause(backoffMs(failures));
      }
    }
  }

  /** Streams side by side, each in its order. */
  private async handleAll(wakeUps: readonly WakeUp[], tenure: Tenure): Promise<void> {
    const byStream = new Map<string, WakeUp[]>();
    for (const wakeUp of wakeUps) {
      if (this.handles.has(wakeUp.type)) byStream.set(wakeUp.stream, [...(byStream.get(wakeUp.stream) ?? []), wakeUp]);
    }
    await Promise.all(
      [...byStream.values()].map(async (lane) => {
        for (const wakeUp of lane) await this.handle(wakeUp, tenure);
      }),
    );
  }

  private async handle({ stream, revision }: WakeUp, tenure: Tenure): Promise<void> {
    const key = `${stream}@${revision}`;
    for (let attempts = 1; !tenure.isOver(); attempts += 1) {
      try {
        const [event] = await this.store.readStream(stream, revision, 1);
        if (event === undefined) throw new Error(`the log holds no ${key}`);
        await this.handler(event);
        break;
      } catch (error) {
        const since = new Date().toISOString();
        this.failing.set(key, { position: 0n, eventId: '', type: key, error: failureOf(error), attempts, since });
        await pause(backoffMs(attempts));
      }
    }
    this.failing.delete(key);
  }

  /** What comes next; nothing, at once, where `impatient`. */
  private fetch(place: Place, from: number, impatient: boolean): Promise<readonly WakeUp[]> {
    const { partition } = place;
    const most = this.group.scheduler.random.between(1, FETCHED);
    return this.ask(
      'fetches',
      place,
      () => partition.wakeUps.slice(from, from + most),
      (wake) => {
        if (impatient || partition.end > from || this.isCut()) return false;
        partition.untilWoken(wake);
        return true;
      },
    );
  }

  private ask<T>(what: string, place: Place, effect: () => T, parked?: (wake: () => void) => boolean): Promise<T> {
    return this.group.scheduler.request({
      what,
      on: `${this.name} ${place.name}`,
      effect,
      isCut: this.isCut,
      failure: () => new BrokerAwayError(`the broker does not answer when ${this.name} ${what} ${place.name}`),
      ...(parked === undefined ? {} : { parked }),
    });
  }

  private async insist<T>(tenure: Tenure, act: () => Promise<T>): Promise<T | undefined> {
    for (let attempts = 1; !tenure.isOver(); attempts += 1) {
      try {
        return await act();
      } catch {
        await pause(backoffMs(attempts));
      }
    }
    return undefined;
  }
}

/** One node's part in the groups. */
export class PlainBus extends MessageBus {
  private readonly members: PlainMember[] = [];

  constructor(
    private readonly topics: PlainTopics,
    private readonly store: EventStore,
    private readonly isCut: () => boolean,
  ) {
    super();
  }

  override subscribe(name: string, handles: readonly string[], handler: Handler): BusSubscription {
    const group = this.topics.group(name, handles);
    const member = new PlainMember(name, group, this.store, new Set(handles), handler, this.isCut);
    this.members.push(member);
    return member;
  }

  override async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
  }
}

/** FNV-1a. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
};
