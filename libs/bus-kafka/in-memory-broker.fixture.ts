import {
  Broker,
  BrokerError,
  type GroupListener,
  type GroupMember,
  nameOf,
  type OffsetRange,
  type OutgoingMessage,
  type SentTo,
  type TopicMessage,
  type TopicPartition,
  TopicProducer,
} from './broker.js';
import { partitionOf } from './partition-of.js';

/** Kafka as the bus and the relay see it, in memory: for the specs of their core, and for simulations. */
export class InMemoryBroker extends Broker {
  /** Set while the broker is to be out of reach. */
  away = false;
  /** Called before a send is stored, and after it was stored but before that is told: throws or waits to disturb it. */
  beforeStoring: (messages: readonly OutgoingMessage[]) => Promise<void> = () => Promise.resolve();
  beforeAcknowledging: (messages: readonly OutgoingMessage[]) => Promise<void> = () => Promise.resolve();
  private readonly topics = new Map<string, Partition[]>();
  private readonly groups = new Map<string, Group>();
  private readers = 0;

  create(topic: string, partitions: number): void {
    this.topics.set(
      topic,
      Array.from({ length: partitions }, () => new Partition()),
    );
  }

  /** Every message that a topic holds, partition by partition. */
  messagesOf(topic: string): readonly TopicMessage[] {
    return this.partitionsOf(topic).flatMap(({ messages }) => messages);
  }

  /** Forgets all but the newest messages of every partition, as retention does. */
  forget(topic: string, keep: number): void {
    for (const partition of this.partitionsOf(topic)) partition.forget(keep);
  }

  override producer(): TopicProducer {
    return new InMemoryProducer(this);
  }

  override join(group: string, topics: readonly string[], listener: GroupListener): InMemoryMember {
    const of = this.groups.get(group) ?? new Group(this);
    this.groups.set(group, of);
    return of.join(topics, listener);
  }

  override follow(topics: readonly string[], listener: GroupListener): GroupMember {
    this.readers += 1;
    return this.join(`reader-${this.readers}`, topics, listener);
  }

  override async ranges(topics: readonly string[]): Promise<ReadonlyMap<string, readonly OffsetRange[]>> {
    await this.answer();
    return new Map(topics.map((topic) => [topic, this.partitionsOf(topic).map(({ first, end }) => ({ first, end }))]));
  }

  override async committedOffsets(
    group: string,
    topics: readonly string[],
  ): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>> {
    await this.answer();
    const committed = this.groups.get(group)?.committed;
    return new Map(
      topics.map((topic) => [
        topic,
        this.partitionsOf(topic).map((_, partition) => committed?.get(nameOf({ topic, partition }))),
      ]),
    );
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  /** Answers in a later turn, as a network does, and with a failure while it is away. */
  async answer(): Promise<void> {
    await nextTurn();
    if (this.away) throw new BrokerError('the broker is away', 'ECONNREFUSED');
  }

  partitionsOf(topic: string): readonly Partition[] {
    const partitions = this.topics.get(topic);
    if (partitions === undefined) throw new BrokerError(`there is no topic ${topic}`, 'UNKNOWN_TOPIC_OR_PARTITION');
    return partitions;
  }

  /** Stores messages as they are, and wakes those that read. */
  put(messages: readonly OutgoingMessage[]): readonly SentTo[] {
    const sent = new Map<string, SentTo>();
    for (const { topic, key, headers, value } of messages) {
      const partitions = this.partitionsOf(topic);
      const partition = partitionOf(key, partitions.length);
      const offset = partitions[partition]?.append({ key, headers, value: value ?? undefined }) ?? 0n;
      const of = nameOf({ topic, partition });
      if (!sent.has(of)) sent.set(of, { topic, partition, offset });
    }
    this.wake();
    return [...sent.values()];
  }

  /** Takes every partition from every member of a group, as if another had them all for a moment; `giveBack` shares them out anew. */
  takeAway(group: string): void {
    this.groups.get(group)?.takeAway();
  }

  /** What another member commits that has a partition meanwhile. */
  committedByAnother(group: string, of: TopicPartition, offset: bigint): void {
    this.groups.get(group)?.committed.set(nameOf(of), offset);
  }

  giveBack(group: string): void {
    this.groups.get(group)?.rebalance();
  }

  /** After `away`, or a change of the topics. */
  wake(): void {
    for (const group of this.groups.values()) group.wake();
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Partition {
  first = 0n;
  readonly messages: TopicMessage[] = [];

  get end(): bigint {
    return this.first + BigInt(this.messages.length);
  }

  append(message: Omit<TopicMessage, 'offset'>): bigint {
    const offset = this.end;
    this.messages.push({ ...message, offset });
    return offset;
  }

  forget(keep: number): void {
    const gone = Math.max(0, this.messages.length - keep);
    this.messages.splice(0, gone);
    this.first += BigInt(gone);
  }

  after(offset: bigint, limit: number): readonly TopicMessage[] {
    const from = Number(offset - this.first);
    return this.messages.slice(Math.max(0, from), Math.max(0, from) + limit);
  }
}

class InMemoryProducer extends TopicProducer {
  private sending: Promise<unknown> = Promise.resolve();

  constructor(private readonly broker: InMemoryBroker) {
    super();
  }

  override send(messages: readonly OutgoingMessage[], wanted?: () => boolean): Promise<readonly SentTo[]> {
    const sent = this.sending.then(async () => {
      await this.broker.answer();
      await this.broker.beforeStoring(messages);
      if (wanted?.() === false) throw new BrokerError('it is not to be sent any more', 'NOT_WANTED');
      const where = this.broker.put(messages);
      await this.broker.beforeAcknowledging(messages);
      return where;
    });
    this.sending = sent.catch(() => undefined);
    return sent;
  }

  override async close(): Promise<void> {
    await this.sending;
  }
}

const FETCHED = 50;

class Group {
  readonly committed = new Map<string, bigint>();
  private members: InMemoryMember[] = [];

  constructor(readonly broker: InMemoryBroker) {}

  join(topics: readonly string[], listener: GroupListener): InMemoryMember {
    const member = new InMemoryMember(this, topics, listener);
    this.members.push(member);
    // Told of in a later turn: the caller must hold its member first.
    setImmediate(() => {
      this.rebalance();
    });
    return member;
  }

  part(member: InMemoryMember): void {
    this.members = this.members.filter((each) => each !== member);
    this.rebalance();
  }

  wake(): void {
    for (const member of this.members) member.wake();
  }

  takeAway(): void {
    for (const member of this.members) member.assign([]);
  }

  rebalance(): void {
    const assigned = new Map(this.members.map((member) => [member, [] as TopicPartition[]]));
    for (const topic of new Set(this.members.flatMap(({ topics }) => topics))) {
      const readers = this.members.filter(({ topics }) => topics.includes(topic));
      this.broker.partitionsOf(topic).forEach((_, partition) => {
        const reader = readers[partition % readers.length];
        if (reader !== undefined) assigned.get(reader)?.push({ topic, partition });
      });
    }
    for (const [member, partitions] of assigned) member.assign(partitions);
  }
}

/** A member of a group. It fetches what its listener has not paused, from the committed offset on after each change of the group. */
class InMemoryMember implements GroupMember {
  private cursors = new Map<string, { readonly of: TopicPartition; next: bigint }>();
  private readonly paused = new Set<string>();
  private fetching = false;
  private gone = false;

  constructor(
    private readonly group: Group,
    readonly topics: readonly string[],
    private readonly listener: GroupListener,
  ) {}

  assign(partitions: readonly TopicPartition[]): void {
    if (this.gone) return;
    this.cursors = new Map(
      partitions.map((of) => [nameOf(of), { of, next: this.group.committed.get(nameOf(of)) ?? 0n }]),
    );
    this.listener.assigned(partitions);
    this.wake();
  }

  wake(): void {
    if (this.fetching || this.gone) return;
    this.fetching = true;
    setImmediate(() => {
      this.fetching = false;
      if (this.fetch()) this.wake();
    });
  }

  async commit(offsets: readonly (TopicPartition & { readonly offset: bigint })[]): Promise<void> {
    await this.group.broker.answer();
    for (const { topic, partition, offset } of offsets) {
      const of = nameOf({ topic, partition });
      if (this.gone || !this.cursors.has(of)) throw new BrokerError(`${of} is another member's`, 'ILLEGAL_GENERATION');
      this.group.committed.set(of, offset);
    }
  }

  pause(of: TopicPartition): void {
    this.paused.add(nameOf(of));
  }

  resume(of: TopicPartition): void {
    this.paused.delete(nameOf(of));
    this.wake();
  }

  async leave(): Promise<void> {
    await nextTurn();
    this.vanish();
  }

  /** Ends as a process does that is killed: nothing is told to it, and nothing of it counts. */
  vanish(): void {
    if (this.gone) return;
    this.gone = true;
    this.group.part(this);
  }

  /** True where something was fetched. */
  private fetch(): boolean {
    const { broker } = this.group;
    if (this.gone || broker.away) return false;
    let fetched = false;
    for (const [name, cursor] of this.cursors) {
      const partition = broker.partitionsOf(cursor.of.topic)[cursor.of.partition];
      if (partition === undefined || this.paused.has(name)) continue;
      if (cursor.next < partition.first || cursor.next > partition.end) cursor.next = partition.first;
      const messages = partition.after(cursor.next, FETCHED);
      if (messages.length === 0) continue;
      cursor.next += BigInt(messages.length);
      fetched = true;
      this.listener.messages(cursor.of, messages, partition.end);
    }
    return fetched;
  }
}
