import { backoffMs, messageOf, newId, pause } from '#kernel';
import kafkajs from 'kafkajs';
import type { Admin, Consumer, IHeaders, Kafka, KafkaMessage, Producer, SASLOptions } from 'kafkajs';
import {
  Broker,
  BrokerError,
  type GroupListener,
  type GroupMember,
  type OffsetRange,
  type OutgoingMessage,
  type SentTo,
  type TopicMessage,
  type TopicPartition,
  TopicProducer,
} from './broker.js';
import { isOver } from './change.js';
import { copartitioned } from './copartitioned.js';
import { partitionOf } from './partition-of.js';

export interface KafkaBrokerOptions {
  /** `host:port` of some brokers of the cluster. */
  readonly brokers: readonly string[];
  /** What this process is called in the broker's logs (`pledgebook`). */
  readonly clientId?: string;
  readonly ssl?: boolean;
  readonly sasl?: SASLOptions;
  /** Longest wait for an answer, in milliseconds (10,000). */
  readonly requestTimeoutMs?: number;
  /** A member that is not heard of for so long loses its partitions (10,000); it is heard of three times as often, or oftener. */
  readonly sessionTimeoutMs?: number;
  /**
   * How long the broker holds a fetch that finds nothing (100). A message is delivered at once whatever it is; it bounds how long commits
   * and leaving wait, since a connection answers one request after the other.
   */
  readonly maxWaitMs?: number;
  /** Most to wait before a broken membership is taken up again, in milliseconds (5,000). */
  readonly maxBackoffMs?: number;
}

/** Longest goodbye: a broker that is away must not hold up a shutdown. */
const GOODBYE_MS = 5_000;
const PARTITION_BYTES = 64 * 1024;
const FETCH_BYTES = 1024 * 1024;

/** A client of kafkajs, silent: failures come back as errors, and are repeated by us, who know whether they still should be. */
export const kafkaOf = ({
  brokers,
  clientId = 'pledgebook',
  ssl = false,
  sasl,
  requestTimeoutMs = 10_000,
}: KafkaBrokerOptions): Kafka =>
  new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    ssl,
    ...(sasl === undefined ? {} : { sasl }),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: Math.min(requestTimeoutMs, 3_000),
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 1_000 },
  });

/** Kafka through kafkajs. Thin: what must hold is decided elsewhere. */
export class KafkaBroker extends Broker {
  private readonly kafka: Kafka;
  private readonly open = new Set<{ close(): Promise<void> }>();
  private asker: Promise<Admin> | undefined;

  constructor(private readonly options: KafkaBrokerOptions) {
    super();
    this.kafka = kafkaOf(options);
  }

  override producer(): TopicProducer {
    return this.kept(new KafkaProducer(this.kafka));
  }

  override join(group: string, topics: readonly string[], listener: GroupListener): GroupMember {
    return this.kept(new KafkaMember(this.kafka, group, topics, listener, this.options));
  }

  override follow(topics: readonly string[], listener: GroupListener): GroupMember {
    // kafkajs reads in groups alone: one of its own, that never commits, begins at the beginning.
    const group = `${topics.join('+')}.reader.${newId()}`;
    return this.kept(new KafkaMember(this.kafka, group, topics, listener, this.options));
  }

  override async ranges(topics: readonly string[]): Promise<ReadonlyMap<string, readonly OffsetRange[]>> {
    return this.ask(async (admin) => {
      const found = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
      return new Map(
        topics.map((topic, index) => [
          topic,
          inOrder(found[index] ?? []).map(({ low, high }) => ({ first: BigInt(low), end: BigInt(high) })),
        ]),
      );
    });
  }

  override async committedOffsets(
    group: string,
    topics: readonly string[],
  ): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>> {
    return this.ask(async (admin) => {
      const found = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
      return new Map(
        found.map(({ topic, partitions }) => [
          topic,
          inOrder(partitions).map(({ offset }) => (offset.startsWith('-') ? undefined : BigInt(offset))),
        ]),
      );
    });
  }

  override async close(): Promise<void> {
    await Promise.all([...this.open].map((each) => each.close()));
    const { asker } = this;
    this.asker = undefined;
    if (asker !== undefined)
      await within(
        GOODBYE_MS,
        asker.then((admin) => admin.disconnect()),
      );
  }

  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    this.asker ??= this.connected();
    const { asker } = this;
    try {
      return await question(await asker);
    } catch (error) {
      // A connection that failed once is not trusted again.
      if (this.asker === asker) this.asker = undefined;
      void within(
        GOODBYE_MS,
        asker.then((admin) => admin.disconnect()),
      );
      throw brokerError(error);
    }
  }

  private async connected(): Promise<Admin> {
    const admin = this.kafka.admin();
    await admin.connect();
    return admin;
  }

  private kept<T extends { close(): Promise<void>; ended?: () => void }>(one: T): T {
    this.open.add(one);
    one.ended = () => this.open.delete(one);
    return one;
  }
}

/** Sends one batch after the other; after a failure with a connection and a producer id of its own. */
class KafkaProducer extends TopicProducer {
  ended: () => void = () => undefined;
  private producer: Promise<Producer> | undefined;
  private sending: Promise<unknown> = Promise.resolve();
  private wanted: (() => boolean) | undefined;
  private closed = false;

  constructor(private readonly kafka: Kafka) {
    super();
  }

  override send(messages: readonly OutgoingMessage[], wanted?: () => boolean): Promise<readonly SentTo[]> {
    const sent = this.sending.then(() => this.sendNow(messages, wanted));
    this.sending = sent.catch(() => undefined);
    return sent;
  }

  override async close(): Promise<void> {
    this.closed = true;
    await within(GOODBYE_MS, this.sending);
    await this.drop();
    this.ended();
  }

  private async sendNow(
    messages: readonly OutgoingMessage[],
    wanted: (() => boolean) | undefined,
  ): Promise<readonly SentTo[]> {
    if (this.closed) throw new BrokerError('the producer is closed', 'CLOSED');
    this.wanted = wanted;
    try {
      this.producer ??= this.connected();
      const producer = await this.producer;
      const sent = await producer.sendBatch({ acks: -1, topicMessages: byTopic(messages) });
      return sent.map(({ topicName, partition, baseOffset = '-1' }) => ({
        topic: topicName,
        partition,
        offset: BigInt(baseOffset),
      }));
    } catch (error) {
      // The broker may have any part of it: the numbers that a producer id counts by are not to be trusted any more.
      void this.drop();
      throw brokerError(error);
    } finally {
      this.wanted = undefined;
    }
  }

  private async connected(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // kafkajs asks for one at least; it looks for the partitions again before each, and so asks whether it still should.
      retry: { retries: 1, initialRetryTime: 20 },
      createPartitioner: () => (args) => {
        if (this.wanted?.() === false) throw new BrokerError('it is not to be sent any more', 'NOT_WANTED');
        return partitionOf(String(args.message.key), args.partitionMetadata.length);
      },
    });
    await producer.connect();
    return producer;
  }

  private async drop(): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    if (producer !== undefined)
      await within(
        GOODBYE_MS,
        producer.then((one) => one.disconnect()),
      );
  }
}

/** A member of a group, under one kafkajs consumer after the other. */
class KafkaMember implements GroupMember {
  ended: () => void = () => undefined;
  private readonly ending = new AbortController();
  private readonly running: Promise<void>;
  private consumer: Consumer | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly group: string,
    private readonly topics: readonly string[],
    private readonly listener: GroupListener,
    private readonly options: KafkaBrokerOptions,
  ) {
    this.running = this.run();
  }

  async commit(offsets: readonly (TopicPartition & { readonly offset: bigint })[]): Promise<void> {
    if (this.consumer === undefined) throw new BrokerError(`not a member of ${this.group} now`, 'NO_MEMBER');
    try {
      await this.consumer.commitOffsets(
        offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset: String(offset) })),
      );
    } catch (error) {
      throw brokerError(error);
    }
  }

  pause({ topic, partition }: TopicPartition): void {
    this.consumer?.pause([{ topic, partitions: [partition] }]);
  }

  resume({ topic, partition }: TopicPartition): void {
    this.consumer?.resume([{ topic, partitions: [partition] }]);
  }

  leave(): Promise<void> {
    this.ending.abort();
    return this.running;
  }

  close(): Promise<void> {
    return this.leave();
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    // The caller must hold the member before its listener is called.
    await Promise.resolve();
    for (let failures = 0; !isOver(signal);) {
      const began = performance.now();
      const error = await this.membership();
      this.listener.assigned([]);
      if (isOver(signal)) break;
      // One that lasted is a first failure again.
      failures = performance.now() - began > 30_000 ? 1 : failures + 1;
      this.listener.broken(brokerError(error), failures);
      await pause(backoffMs(failures, 100, this.options.maxBackoffMs ?? 5_000), signal);
    }
    this.ended();
  }

  /** Lives until the consumer fails or we leave; answers the failure. */
  private async membership(): Promise<unknown> {
    const { signal } = this.ending;
    const { sessionTimeoutMs = 10_000, maxWaitMs = 100 } = this.options;
    const consumer = this.kafka.consumer({
      groupId: this.group,
      partitionAssigners: [copartitioned],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(sessionTimeoutMs, 10_000),
      heartbeatInterval: Math.min(1_000, sessionTimeoutMs / 3),
      maxWaitTimeInMs: maxWaitMs,
      minBytes: 1,
      maxBytesPerPartition: PARTITION_BYTES,
      maxBytes: FETCH_BYTES,
      allowAutoTopicCreation: false,
      // kafkajs would start again by itself, under rules of its own.
      retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 1_000, restartOnFailure: () => Promise.resolve(false) },
    });
    const over = new AbortController();
    let failure: unknown;
    const fail = (error: unknown): void => {
      failure ??= error;
      over.abort();
    };
    const end = (): void => {
      over.abort();
    };
    signal.addEventListener('abort', end, { once: true });
    if (isOver(signal)) end();
    let memberId: string | undefined;
    consumer.on('consumer.crash', ({ payload }) => {
      fail(payload.error);
    });
    consumer.on('consumer.group_join', ({ payload }) => {
      if (over.signal.aborted) return;
      // Thrown out and let in again: others had our partitions meanwhile, so nothing that we know of them goes on.
      if (memberId !== undefined && memberId !== payload.memberId) {
        fail(new BrokerError(`${this.group} had thrown this member out`, 'UNKNOWN_MEMBER_ID'));
        return;
      }
      ({ memberId } = payload);
      this.consumer = consumer;
      this.listener.assigned(
        Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
          partitions.map((partition) => ({ topic, partition })),
        ),
      );
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: ({ batch }) => {
          if (!over.signal.aborted) {
            const { topic, partition } = batch;
            this.listener.messages({ topic, partition }, batch.messages.map(asRead), BigInt(batch.highWatermark));
          }
          return Promise.resolve();
        },
      });
      if (!over.signal.aborted) {
        await new Promise<void>((resolve) => {
          over.signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    } catch (error) {
      fail(error);
    } finally {
      this.consumer = undefined;
      signal.removeEventListener('abort', end);
      over.abort();
      await within(GOODBYE_MS, consumer.disconnect());
    }
    return failure;
  }
}

const asRead = ({ offset, key, headers = {}, value }: KafkaMessage): TopicMessage => ({
  offset: BigInt(offset),
  key: key?.toString(),
  headers: textOf(headers),
  value: value?.toString(),
});

const textOf = (headers: IHeaders): Record<string, string> => {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) texts[name] = first.toString();
  }
  return texts;
};

const byTopic = (messages: readonly OutgoingMessage[]) => {
  const topics = new Map<string, { key: string; headers: Record<string, string>; value: string | null }[]>();
  for (const { topic, key, headers, value } of messages) {
    const of = topics.get(topic) ?? [];
    of.push({ key, headers: { ...headers }, value });
    topics.set(topic, of);
  }
  return [...topics].map(([topic, of]) => ({ topic, messages: of }));
};

const inOrder = <T extends { readonly partition: number }>(partitions: readonly T[]): readonly T[] =>
  [...partitions].sort((a, b) => a.partition - b.partition);

/** Resolves when `work` has ended in whatever way, or after so many milliseconds. */
const within = async (milliseconds: number, work: Promise<unknown>): Promise<void> => {
  const done = new AbortController();
  const ended = work.then(
    () => {
      done.abort();
    },
    () => {
      done.abort();
    },
  );
  await Promise.race([ended, pause(milliseconds, done.signal)]);
};

const brokerError = (error: unknown): BrokerError => {
  if (error instanceof BrokerError) return error;
  // kafkajs wraps what happened in what it did about it.
  let told = error;
  while (told instanceof Error && told.cause instanceof Error) told = told.cause;
  if (told instanceof BrokerError) return told;
  const { type, code, name } = (told ?? {}) as {
    readonly type?: unknown;
    readonly code?: unknown;
    readonly name?: unknown;
  };
  const text = [type, code, name].find((each) => typeof each === 'string');
  return new BrokerError(messageOf(told), text ?? 'UNKNOWN', { cause: error });
};
