import type { GroupListener, GroupMember, OffsetRange, OutgoingMessage, SentTo, TopicMessage } from '#bus-kafka';
import type { TopicPartition } from '#bus-kafka';
import { Broker, BrokerError, partitionOf, TopicProducer } from '#bus-kafka';
import { backoffMs, pause } from '#kernel';
import type { Owner, Request, Scheduler } from './scheduler.js';
import { NATURE } from './scheduler.js';

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** How long a group waits for a member that is not heard of, in milliseconds. */
const SESSION_MS = 6_000;
const FETCHED = 8;

/** Topics and groups that the brokers of all nodes are connected to. By itself it answers at once and never fails. */
export class SimulatedKafka {
  private readonly topics = new Map<string, TopicMessage[][]>();
  private readonly groups = new Map<string, Group>();
  private readers = 0;

  constructor(readonly scheduler: Scheduler) {}

  create(topic: string, partitions: number): void {
    this.topics.set(
      topic,
      Array.from({ length: partitions }, () => []),
    );
  }

  /** @throws {BrokerError} */
  partitionsOf(topic: string): readonly TopicMessage[][] {
    const partitions = this.topics.get(topic);
    if (partitions === undefined) throw new BrokerError(`there is no topic ${topic}`, 'UNKNOWN_TOPIC_OR_PARTITION');
    return partitions;
  }

  put(messages: readonly OutgoingMessage[]): readonly SentTo[] {
    const sent = new Map<string, SentTo>();
    for (const { topic, key, headers, value } of messages) {
      const partitions = this.partitionsOf(topic);
      const of = { topic, partition: partitionOf(key, partitions.length) };
      const held = partitions[of.partition] ?? [];
      const offset = BigInt(held.length);
      held.push({ offset, key, headers, value: value ?? undefined });
      if (!sent.has(nameOf(of))) sent.set(nameOf(of), { ...of, offset });
    }
    this.wake();
    return [...sent.values()];
  }

  group(name: string): Group {
    const group = this.groups.get(name) ?? new Group(name, this);
    this.groups.set(name, group);
    return group;
  }

  /** A group of one that keeps no offsets. */
  reader(): Group {
    this.readers += 1;
    return this.group(`reader-${this.readers}`);
  }

  wake(): void {
    for (const group of this.groups.values()) group.wake();
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

  /** What groups have not handled yet; empty where they have handled everything. */
  get behind(): readonly string[] {
    return [...this.groups.values()].flatMap((group) => group.behind);
  }
}

class Group {
  readonly committed = new Map<string, bigint>();
  /** Counts how often partitions were given out. */
  generation = 0;
  private members: Member[] = [];
  private owners = new Map<string, Member>();
  private rebalancing = false;

  constructor(
    readonly name: string,
    readonly kafka: SimulatedKafka,
  ) {}

  /** A reader keeps no offsets: nobody waits for it. */
  get behind(): readonly string[] {
    if (this.committed.size === 0 && this.name.startsWith('reader-')) return [];
    return [...new Set(this.members.flatMap(({ topics }) => topics))].flatMap((topic) =>
      this.kafka.partitionsOf(topic).flatMap((messages, partition) => {
        const of = nameOf({ topic, partition });
        const at = this.committed.get(of) ?? 0n;
        return at < messages.length ? [`${this.name} is at ${at} of ${messages.length} in ${of}`] : [];
      }),
    );
  }

  wake(): void {
    for (const member of this.members) member.wake();
  }

  join(member: Member): void {
    if (!this.members.includes(member)) this.members.push(member);
    this.rebalanceSoon();
  }

  leave(member: Member): void {
    this.members = this.members.filter((each) => each !== member);
    for (const [of, owner] of this.owners) if (owner === member) this.owners.delete(of);
    this.rebalanceSoon();
  }

  missed(owner: Owner): void {
    const gone = this.members.filter((member) => member.owner === owner);
    if (gone.length === 0) return;
    const miss = (): void => {
      for (const member of gone) this.leave(member);
    };
    this.kafka.scheduler.timer(SESSION_MS, `${this.name} misses ${owner.name}`, miss, NATURE);
  }

  rebalanceSoon(): void {
    if (this.rebalancing) return;
    this.rebalancing = true;
    const { scheduler } = this.kafka;
    // A group waits a little for others that may join.
    scheduler.timer(
      scheduler.random.between(1, 500),
      `${this.name} gives partitions out`,
      () => this.rebalance(),
      NATURE,
    );
  }

  /** What the group has given this member, whether or not it has heard of it. */
  given(member: Member): readonly TopicPartition[] {
    return member.topics.flatMap((topic) =>
      this.kafka
        .partitionsOf(topic)
        .map((_, partition) => ({ topic, partition }))
        .filter((of) => this.owners.get(nameOf(of)) === member),
    );
  }

  /** @throws {BrokerError} where partitions were given out anew since `generation` */
  commit(member: Member, generation: number, offsets: readonly (TopicPartition & { readonly offset: bigint })[]): void {
    for (const { offset, ...of } of offsets) {
      if (generation !== this.generation || this.owners.get(nameOf(of)) !== member) {
        throw new BrokerError(`${nameOf(of)} was given out anew`, 'ILLEGAL_GENERATION');
      }
      this.committed.set(nameOf(of), offset);
    }
  }

  private rebalance(): void {
    this.rebalancing = false;
    this.generation += 1;
    const { random } = this.kafka.scheduler;
    const before = this.owners;
    this.owners = new Map();
    for (const topic of new Set(this.members.flatMap(({ topics }) => topics))) {
      const readers = this.members.filter(({ topics }) => topics.includes(topic));
      this.kafka.partitionsOf(topic).forEach((_, partition) => {
        const of = nameOf({ topic, partition });
        const had = before.get(of);
        const stays = had !== undefined && readers.includes(had) && random.chance(0.7);
        this.owners.set(of, stays ? had : random.pick(readers));
      });
    }
    // Each hears of it in its own time: who lost a partition works on until then.
    for (const member of this.members) member.hearSoon();
  }
}

interface Cursor {
  readonly of: TopicPartition;
  next: number;
}

class Member implements GroupMember {
  readonly owner: Owner;
  private cursors = new Map<string, Cursor>();
  private readonly paused = new Set<string>();
  /** The giving out it has heard of. */
  private generation = 0;
  private wakeFetch: () => void = () => undefined;
  private gone = false;

  constructor(
    private readonly group: Group,
    readonly topics: readonly string[],
    private readonly listener: GroupListener,
    private readonly connection: BrokerConnection,
  ) {
    this.owner = connection.owner;
    void this.live();
  }

  hearSoon(): void {
    const { scheduler } = this.group.kafka;
    scheduler.later('hears which partitions it has', this.group.name, () => this.hear(), this.owner);
  }

  wake(): void {
    if (!this.waits()) this.wakeFetch();
  }

  commit(offsets: readonly (TopicPartition & { readonly offset: bigint })[]): Promise<void> {
    const { generation } = this;
    return this.connection.ask('commits', this.group.name, () => {
      this.group.commit(this, generation, offsets);
    });
  }

  pause(of: TopicPartition): void {
    this.paused.add(nameOf(of));
  }

  resume(of: TopicPartition): void {
    this.paused.delete(nameOf(of));
    this.wake();
  }

  async leave(): Promise<void> {
    this.gone = true;
    this.wake();
    this.group.leave(this);
  }

  private hear(): void {
    if (this.gone) return;
    const { committed, kafka, generation } = this.group;
    this.generation = generation;
    const given = this.group.given(this);
    this.cursors = new Map(
      given.map((of) => {
        const kept = this.cursors.get(nameOf(of));
        // What it goes on with comes on, or again from what was committed: a member bears both.
        const goesOn = kept !== undefined && kafka.scheduler.random.chance(0.5);
        return [nameOf(of), goesOn ? kept : { of, next: Number(committed.get(nameOf(of)) ?? 0n) }];
      }),
    );
    this.listener.assigned(given);
    this.wake();
  }

  /** Joins, fetches and tells for as long as it lives; what breaks is taken up again. */
  private async live(): Promise<void> {
    const { random } = this.group.kafka.scheduler;
    let joined = false;
    for (let failures = 0; !this.isGone();) {
      try {
        if (!joined) {
          await this.connection.ask('joins', this.group.name, () => {
            this.group.join(this);
          });
          joined = true;
        }
        const fetched = await this.fetch();
        failures = 0;
        for (const { of, messages, end } of fetched) {
          const cursor = this.cursors.get(nameOf(of));
          const [first] = messages;
          // Given out anew meanwhile: what was fetched is another's now, or is fetched again.
          if (this.isGone() || cursor?.next !== Number(first?.offset)) continue;
          cursor.next += messages.length;
          this.listener.messages(of, messages, end);
        }
      } catch (error) {
        failures += 1;
        await pause(backoffMs(failures));
        if (this.isGone() || random.chance(0.7)) continue;
        joined = false;
        this.listener.broken(error, failures);
      }
    }
  }

  /** What waits behind the cursors that are not paused, of one partition or of several. */
  private fetch(): Promise<readonly { of: TopicPartition; messages: readonly TopicMessage[]; end: bigint }[]> {
    const { kafka } = this.group;
    const { random } = kafka.scheduler;
    return this.connection.ask(
      'fetches',
      this.group.name,
      () =>
        this.waiting()
          .filter(() => random.chance(0.8))
          .map(({ of, next }) => {
            const held = this.messagesOf(of);
            return { of, messages: held.slice(next, next + random.between(1, FETCHED)), end: BigInt(held.length) };
          }),
      {
        parked: (wake) => {
          if (!this.waits()) return false;
          this.wakeFetch = () => {
            this.wakeFetch = () => undefined;
            wake();
          };
          return true;
        },
      },
    );
  }

  private waiting(): readonly Cursor[] {
    return [...this.cursors.values()].filter(
      ({ of, next }) => !this.paused.has(nameOf(of)) && this.messagesOf(of).length > next,
    );
  }

  /** Whether a fetch has nothing to tell. */
  private waits(): boolean {
    return !this.gone && !this.connection.isCut() && this.waiting().length === 0;
  }

  private messagesOf({ topic, partition }: TopicPartition): readonly TopicMessage[] {
    return this.group.kafka.partitionsOf(topic)[partition] ?? [];
  }

  private isGone(): boolean {
    return this.gone;
  }
}

class Producer extends TopicProducer {
  private sending: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly kafka: SimulatedKafka,
    private readonly connection: BrokerConnection,
  ) {
    super();
  }

  override send(messages: readonly OutgoingMessage[], wanted?: () => boolean): Promise<readonly SentTo[]> {
    const [first] = messages;
    const sent = this.sending.then(() => {
      // From here on it is on its way, and arrives whatever is wanted then.
      if (wanted?.() === false) throw new BrokerError('it is not to be sent any more', 'NOT_WANTED');
      return this.connection.ask('sends', first?.topic ?? '', () => this.kafka.put(messages), { isWrite: true });
    });
    this.sending = sent.catch(() => undefined);
    return sent;
  }

  override async close(): Promise<void> {
    await this.sending;
  }
}

/** How one node sees Kafka: everything takes steps, and may fail as a network makes it fail. */
export class BrokerConnection extends Broker {
  constructor(
    private readonly kafka: SimulatedKafka,
    readonly owner: Owner,
    readonly isCut: () => boolean,
  ) {
    super();
  }

  override producer(): TopicProducer {
    return new Producer(this.kafka, this);
  }

  override join(group: string, topics: readonly string[], listener: GroupListener): GroupMember {
    return new Member(this.kafka.group(group), topics, listener, this);
  }

  override follow(topics: readonly string[], listener: GroupListener): GroupMember {
    return new Member(this.kafka.reader(), topics, listener, this);
  }

  override ranges(topics: readonly string[]): Promise<ReadonlyMap<string, readonly OffsetRange[]>> {
    return this.ask(
      'asks for the ends of',
      topics.join(' '),
      () =>
        new Map(
          topics.map((topic) => [
            topic,
            this.kafka.partitionsOf(topic).map(({ length }) => ({ first: 0n, end: BigInt(length) })),
          ]),
        ),
    );
  }

  override committedOffsets(
    group: string,
    topics: readonly string[],
  ): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>> {
    return this.ask('asks for the offsets of', group, () => {
      const { committed } = this.kafka.group(group);
      return new Map(
        topics.map((topic) => [
          topic,
          this.kafka.partitionsOf(topic).map((_, partition) => committed.get(nameOf({ topic, partition }))),
        ]),
      );
    });
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  ask<T>(what: string, on: string, effect: () => T, more: Pick<Request<T>, 'isWrite' | 'parked'> = {}): Promise<T> {
    return this.kafka.scheduler.request({
      what,
      on,
      effect,
      isCut: this.isCut,
      failure: () => new BrokerError(`the broker does not answer to ${what} ${on}`, 'REQUEST_TIMED_OUT'),
      ...more,
    });
  }
}
