/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A message as a topic holds it. Header values are UTF-8 text. */
export interface TopicMessage {
  readonly offset: bigint;
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for a tombstone. */
  readonly value: string | undefined;
}

/** A message to send; its key decides the partition (see `partitionOf`). `value` null is a tombstone. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string | null;
}

/** Where the first of the messages sent to one partition stands. */
export type SentTo = TopicPartition & { readonly offset: bigint };

/** The broker cannot be reached or refused; `code` is Kafka's name of the error where it gave one. Its text names no data. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  constructor(
    message: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a partition holds: offset of its oldest message, and the one that its next message will have. */
export interface OffsetRange {
  readonly first: bigint;
  readonly end: bigint;
}

/** Sends in the order of the calls. */
export abstract class TopicProducer {
  /**
   * Resolves once every replica in sync has all messages; where each partition's first one stands. After a rejection any part of
   * them may have been stored: sending them again makes duplicates, never a gap or another order.
   * @param wanted asked as late as can be before anything is handed to the network, and before every repeat: false makes it reject
   * @throws {BrokerError}
   */
  abstract send(messages: readonly OutgoingMessage[], wanted?: () => boolean): Promise<readonly SentTo[]>;
  abstract close(): Promise<void>;
}

/** What a member of a consumer group is told, one call at a time. */
export interface GroupListener {
  /** The member owns exactly these from now on; what it owned before and still does goes on. */
  assigned(partitions: readonly TopicPartition[]): void;
  /**
   * Messages of a partition in the order of their offsets: those after the last told of, or again from the group's committed offset.
   * Returns at once; `pause` says that there are enough for now. `end` is the offset the next message of the partition will have.
   */
  messages(of: TopicPartition, messages: readonly TopicMessage[], end: bigint): void;
  /** The membership broke; it is taken up again after a capped backoff, for ever. */
  broken(error: unknown, attempt: number): void;
}

/** A member of a consumer group: heartbeats go on whatever its listener does. */
export interface GroupMember {
  /** Offsets of the next message to be consumed. @throws {BrokerError} also where the partition went to another member meanwhile */
  commit(offsets: readonly (TopicPartition & { readonly offset: bigint })[]): Promise<void>;
  pause(of: TopicPartition): void;
  resume(of: TopicPartition): void;
  /** Leaves the group; nothing is told any more once this resolves. */
  leave(): Promise<void>;
}

/** All that the bus and the relay ask of Kafka. */
export abstract class Broker {
  abstract producer(): TopicProducer;
  abstract join(group: string, topics: readonly string[], listener: GroupListener): GroupMember;
  /** Follows every partition of `topics` from its beginning, outside any group that keeps offsets. */
  abstract follow(topics: readonly string[], listener: GroupListener): GroupMember;
  /** Per topic, what each partition holds. @throws {BrokerError} also where a topic does not exist */
  abstract ranges(topics: readonly string[]): Promise<ReadonlyMap<string, readonly OffsetRange[]>>;
  /** Per topic, what the group has committed for each partition. @throws {BrokerError} */
  abstract committedOffsets(
    group: string,
    topics: readonly string[],
  ): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>>;
  abstract close(): Promise<void>;
}

/** A partition as a key of maps. */
export const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
