import type { ChildProcess } from 'node:child_process';
import type { AppendReceipt, EventToAppend, RecordedEvent, Subscription } from '#kernel';
import { EventStore, StoreUnavailableError, WrongRevisionError } from '#kernel';

/** What a process asks of the log that its parent keeps. */
interface Question {
  readonly ask: number;
  readonly call: 'append' | 'readStream' | 'readAll' | 'head';
  readonly args: readonly unknown[];
}

interface Answer {
  readonly answer: number;
  readonly value?: unknown;
  readonly wrongRevision?: readonly [stream: string, expected: number, actual: number];
  readonly failure?: string;
}

/** Told whenever the log has grown. */
interface Grown {
  readonly grown: true;
}

const isQuestion = (message: unknown): message is Question =>
  typeof message === 'object' && message !== null && 'ask' in message;

/** Lets a child process use the log of this one, as its log server. */
export const serveLog = (child: ChildProcess, store: EventStore): void => {
  child.on('message', (message) => {
    if (isQuestion(message)) void answer(child, store, message);
  });
};

/** Tells a child process that the log has grown. */
export const tellGrown = (child: ChildProcess): void => {
  if (child.connected) child.send({ grown: true } satisfies Grown, () => undefined);
};

const answer = async (child: ChildProcess, store: EventStore, { ask, call, args }: Question): Promise<void> => {
  const reply = async (): Promise<Answer> => {
    try {
      const act = store[call].bind(store) as (...of: readonly unknown[]) => Promise<unknown>;
      return { answer: ask, value: await act(...args) };
    } catch (error) {
      if (error instanceof WrongRevisionError) {
        return { answer: ask, wrongRevision: [error.stream, error.expected, error.actual] };
      }
      return { answer: ask, failure: String(error) };
    }
  };
  const said = await reply();
  // A child that is killed meanwhile may still seem connected: what it does not take is not missed.
  if (child.connected) child.send(said, () => undefined);
};

/** The log of the parent process, over the channel between the two. */
export class IpcEventStore extends EventStore {
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private grown: (() => void)[] = [];
  private asked = 0;

  constructor(override readonly storeId: string) {
    super();
    process.on('message', (message: Answer | Grown) => {
      if ('grown' in message) this.wake();
      else if ('answer' in message) this.hear(message);
    });
  }

  override append(stream: string, expected: number, events: readonly EventToAppend[]): Promise<AppendReceipt> {
    return this.ask('append', stream, expected, events);
  }

  override readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]> {
    return this.ask('readStream', stream, from, limit);
  }

  override readAll(after: bigint, limit: number): Promise<RecordedEvent[]> {
    return this.ask('readAll', after, limit);
  }

  override head(): Promise<bigint> {
    return this.ask('head');
  }

  override subscribeToAll(
    after: bigint,
    handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    { maxBatch = 500 }: { readonly maxBatch?: number } = {},
  ): Subscription {
    let stopped = false;
    const run = async (): Promise<void> => {
      for (let last = after; !stopped;) {
        const grown = new Promise<void>((resolve) => this.grown.push(resolve));
        const batch = await this.readAll(last, maxBatch);
        if (batch.length === 0) await grown;
        else {
          await handler(batch);
          last = batch.at(-1)?.position ?? last;
        }
      }
    };
    const done = run();
    return {
      done,
      stop: async () => {
        stopped = true;
        this.wake();
        await done.catch(() => undefined);
      },
    };
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  private ask<T>(call: Question['call'], ...args: readonly unknown[]): Promise<T> {
    this.asked += 1;
    const ask = this.asked;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(ask, { resolve: resolve as (value: unknown) => void, reject });
      process.send?.({ ask, call, args } satisfies Question);
    });
  }

  private wake(): void {
    const { grown } = this;
    this.grown = [];
    for (const resolve of grown) resolve();
  }

  private hear({ answer: ask, value, wrongRevision, failure }: Answer): void {
    const waiter = this.waiting.get(ask);
    this.waiting.delete(ask);
    if (wrongRevision !== undefined) waiter?.reject(new WrongRevisionError(...wrongRevision));
    else if (failure !== undefined) waiter?.reject(new StoreUnavailableError(failure));
    else waiter?.resolve(value);
  }
}
