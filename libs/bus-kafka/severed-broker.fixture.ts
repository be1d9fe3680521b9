import {
  Broker,
  BrokerError,
  type GroupListener,
  type GroupMember,
  type OffsetRange,
  type OutgoingMessage,
  type SentTo,
  type TopicPartition,
  TopicProducer,
} from './broker.js';

/** A broker whose clients can be cut off as a kill cuts a process off: nothing they do counts any more, nothing reaches them. */
export class SeveredBroker extends Broker {
  private severed = false;
  private readonly members: GroupMember[] = [];

  constructor(private readonly broker: Broker) {
    super();
  }

  /** Cuts everything off. The group learns of it at once, as if the session had run out. */
  async sever(): Promise<void> {
    this.severed = true;
    await Promise.all(this.members.map((member) => member.leave()));
  }

  override producer(): TopicProducer {
    return new SeveredProducer(this.broker.producer(), () => this.severed);
  }

  override join(group: string, topics: readonly string[], listener: GroupListener): GroupMember {
    return this.member((told) => this.broker.join(group, topics, told), listener);
  }

  override follow(topics: readonly string[], listener: GroupListener): GroupMember {
    return this.member((told) => this.broker.follow(topics, told), listener);
  }

  override ranges(topics: readonly string[]): Promise<ReadonlyMap<string, readonly OffsetRange[]>> {
    return this.through(() => this.broker.ranges(topics));
  }

  override committedOffsets(
    group: string,
    topics: readonly string[],
  ): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>> {
    return this.through(() => this.broker.committedOffsets(group, topics));
  }

  override async close(): Promise<void> {
    await this.broker.close();
  }

  private member(join: (listener: GroupListener) => GroupMember, listener: GroupListener): GroupMember {
    const member = join({
      assigned: (partitions) => {
        if (!this.severed) listener.assigned(partitions);
      },
      messages: (of, messages, end) => {
        if (!this.severed) listener.messages(of, messages, end);
      },
      broken: (error, attempt) => {
        if (!this.severed) listener.broken(error, attempt);
      },
    });
    this.members.push(member);
    return {
      commit: (offsets: readonly (TopicPartition & { readonly offset: bigint })[]) =>
        this.through(() => member.commit(offsets)),
      pause: (of) => {
        member.pause(of);
      },
      resume: (of) => {
        member.resume(of);
      },
      leave: () => member.leave(),
    };
  }

  private through<T>(act: () => Promise<T>): Promise<T> {
    return this.severed ? Promise.reject(gone()) : act();
  }
}

const gone = (): BrokerError => new BrokerError('this process is gone', 'SEVERED');

class SeveredProducer extends TopicProducer {
  constructor(
    private readonly producer: TopicProducer,
    private readonly isSevered: () => boolean,
  ) {
    super();
  }

  override send(messages: readonly OutgoingMessage[], wanted?: () => boolean): Promise<readonly SentTo[]> {
    return this.isSevered() ? Promise.reject(gone()) : this.producer.send(messages, wanted);
  }

  override close(): Promise<void> {
    return this.producer.close();
  }
}
