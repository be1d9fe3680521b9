import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { TopicMessage, TopicNames } from '#bus-kafka';
import { KafkaBroker } from '#bus-kafka';
import { InMemoryEventStore, sampleEvent } from '#kernel-testing';
import { freshTopics } from '../topics.js';
import { effectsOf } from './effects.js';
import { serveLog, tellGrown } from './ipc-event-store.js';

const BUILT = join(process.cwd(), 'dist', 'test', 'services', 'processes');
const POLL_MS = 25;

/** Asks again and again until it holds. What it waits for is in other processes, which do not tell of it. */
export const untilIt = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await wait(POLL_MS);
};

/** A process of the services' shape, and what it told of itself. */
export class Member {
  readonly handled: string[] = [];
  readonly alarms: string[] = [];
  status: { readonly role: string; readonly position: bigint } | undefined;
  private readonly exited: Promise<unknown>;

  constructor(readonly child: ChildProcess) {
    this.exited = once(child, 'exit');
    child.on('message', (message: Record<string, unknown>) => {
      if (typeof message.handled === 'string') this.handled.push(message.handled);
      if (typeof message.alarm === 'string') this.alarms.push(message.alarm);
      if (typeof message.role === 'string') this.status = message as unknown as NonNullable<Member['status']>;
    });
  }

  async ask(): Promise<NonNullable<Member['status']>> {
    this.status = undefined;
    this.child.send({ status: true });
    await untilIt(() => this.status !== undefined);
    return this.status!;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async stop(): Promise<void> {
    if (this.child.connected) this.child.send({ stop: true });
    await this.exited;
  }
}

class GrowingStore extends InMemoryEventStore {
  readonly told = new Set<ChildProcess>();
  override async append(...args: Parameters<InMemoryEventStore['append']>) {
    const receipt = await super.append(...args);
    if (!args[0].startsWith('_')) for (const child of this.told) tellGrown(child);
    return receipt;
  }
}

/** A log in this process, topics on a broker, and processes that work on both. */
export class ProcessWorld {
  readonly store = new GrowingStore();
  private readonly members: Member[] = [];

  private constructor(
    private readonly brokers: string,
    readonly names: TopicNames,
  ) {}

  static async on(brokers: string, partitions = 3): Promise<ProcessWorld> {
    return new ProcessWorld(brokers, await freshTopics(brokers, { partitions }));
  }

  relay(options: { readonly leaseMs?: number; readonly checkpointEveryMs?: number } = {}): Member {
    const { leaseMs = 2_000, checkpointEveryMs = 100 } = options;
    return this.member('relay-member.js', [String(leaseMs), String(checkpointEveryMs)]);
  }

  bus(options: { readonly workMs?: number; readonly sessionMs?: number } = {}): Member {
    const { workMs = 0, sessionMs = 3_000 } = options;
    return this.member('bus-member.js', [String(workMs), String(sessionMs)]);
  }

  async raise(stream: string, count: number): Promise<void> {
    const { length } = await this.store.readStream(stream, 0, 100_000);
    const events = Array.from({ length: count }, () => ({ ...sampleEvent(), type: 'Raised' }));
    await this.store.append(stream, length - 1, events);
  }

  /** Resolves once every event of these streams took effect; rejects where one did twice or out of order. */
  async untilAllTookEffect(streams: readonly string[]): Promise<void> {
    for (const stream of streams) {
      const ids = (await this.store.readStream(stream, 0, 100_000)).map(({ id }) => id);
      await untilIt(async () => (await effectsOf(this.store, stream)).length >= ids.length);
      expect(await effectsOf(this.store, stream)).toEqual(ids);
    }
  }

  /** Everything that stands in the topic of wake-ups, partition by partition. */
  async wakeUps(): Promise<readonly TopicMessage[]> {
    const topic = this.names.restricted('counter');
    const broker = new KafkaBroker({ brokers: this.brokers.split(',') });
    try {
      const ranges = (await broker.ranges([topic])).get(topic) ?? [];
      const found: TopicMessage[][] = ranges.map(() => []);
      const reader = broker.follow([topic], {
        assigned: () => undefined,
        messages: ({ partition }, messages) => found[partition]?.push(...messages),
        broken: (error) => {
          throw error;
        },
      });
      await untilIt(() => ranges.every(({ end }, partition) => (found[partition]?.length ?? 0) >= end));
      await reader.leave();
      return found.flat();
    } finally {
      await broker.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    await this.store.close();
  }

  private member(program: string, args: readonly string[]): Member {
    const child = fork(join(BUILT, program), [this.brokers, this.names.prefix, this.store.storeId, ...args], {
      serialization: 'advanced',
      // None of the test runner's options.
      execArgv: [],
    });
    serveLog(child, this.store);
    this.store.told.add(child);
    child.once('exit', () => this.store.told.delete(child));
    const member = new Member(child);
    this.members.push(member);
    return member;
  }
}
