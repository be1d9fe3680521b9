import { type DeadLetter, newId, pause } from '#kernel';
import type { Broker, GroupListener, GroupMember, TopicMessage, TopicProducer } from './broker.js';
import { replayRequest } from './cloud-event.js';
import type { TopicNames } from './topic-names.js';

interface Known {
  readonly offset: bigint;
  /** Undefined where the last word on it is a tombstone. */
  readonly letter: DeadLetter | undefined;
}

const keyOf = (process: string, stream: string): string => `${process}/${stream}`;
const MARK_AGAIN_MS = 5_000;
const MARK = 'mark/';

/**
 * The topic of dead letters, followed from its beginning. It has one partition, so that a mark written into it and read again proves
 * that everything written before was read.
 */
export class DeadLetters {
  private readonly known = new Map<string, Known>();
  private readonly marks = new Map<string, AbortController>();
  private follower: GroupMember | undefined;
  private sender: TopicProducer | undefined;
  private seen = -1n;
  private closed = false;

  constructor(
    private readonly broker: Broker,
    private readonly names: TopicNames,
    private readonly broken: (error: unknown) => void = () => undefined,
  ) {}

  find(process: string, stream: string): DeadLetter | undefined {
    return this.known.get(keyOf(process, stream))?.letter;
  }

  /** Every dead letter known of here. */
  all(): readonly DeadLetter[] {
    return [...this.known.values()].flatMap(({ letter }) => letter ?? []);
  }

  /** Resolves once everything written so far, by anyone, is known here. @throws {BrokerError} */
  async upToDate(): Promise<void> {
    this.follower ??= this.broker.follow([this.names.deadLetters], this.listener());
    const mark = `${MARK}${newId()}`;
    const came = new AbortController();
    this.marks.set(mark, came);
    try {
      while (!came.signal.aborted && !this.closed) {
        await this.put(mark, null);
        await pause(MARK_AGAIN_MS, came.signal);
      }
    } finally {
      this.marks.delete(mark);
    }
  }

  /** Resolves once the letter is acknowledged, and known here. @throws {BrokerError} */
  async write(letter: DeadLetter): Promise<void> {
    const key = keyOf(letter.process, letter.stream);
    const offset = await this.put(key, JSON.stringify({ ...letter, position: String(letter.position) }));
    this.learn(key, { offset, letter });
  }

  /** Takes a letter back: its stream was replayed. @throws {BrokerError} */
  async clear({ process, stream }: DeadLetter): Promise<void> {
    const key = keyOf(process, stream);
    const offset = await this.put(key, null);
    this.learn(key, { offset, letter: undefined });
  }

  /**
   * Asks that `process` takes up `stream` again, or every stream it gave up on; answers the letters asked for. The member that owns
   * the stream does it, in order with what comes; the letter goes when it is done. @throws {BrokerError}
   */
  async replay(process: string, stream?: string): Promise<readonly DeadLetter[]> {
    await this.upToDate();
    const letters = this.all().filter((each) => each.process === process && (stream ?? each.stream) === each.stream);
    if (letters.length > 0) {
      await this.producer().send(letters.map((each) => replayRequest(this.names, process, each.stream, newId())));
    }
    return letters;
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const mark of this.marks.values()) mark.abort();
    await Promise.all([this.follower?.leave(), this.sender?.close()]);
  }

  private producer(): TopicProducer {
    this.sender ??= this.broker.producer();
    return this.sender;
  }

  private async put(key: string, value: string | null): Promise<bigint> {
    const headers = value === null ? {} : { 'content-type': 'application/json' };
    const [sent] = await this.producer().send([{ topic: this.names.deadLetters, key, headers, value }]);
    if (sent === undefined) throw new Error(`nobody says where ${key} was stored`);
    return sent.offset;
  }

  private listener(): GroupListener {
    return {
      assigned: () => undefined,
      messages: (_of, messages) => {
        for (const message of messages) this.hear(message);
      },
      broken: this.broken,
    };
  }

  private hear({ key = '', offset, value }: TopicMessage): void {
    // Followed anew after a break: a letter read again without the tombstone behind it would pass over what is due.
    if (offset <= this.seen) return;
    this.seen = offset;
    if (key.startsWith(MARK)) {
      this.marks.get(key)?.abort();
      return;
    }
    this.learn(key, { offset, letter: value === undefined ? undefined : letterOf(value) });
    // A tombstone that was read is forgotten: nothing older comes any more.
    const known = this.known.get(key);
    if (known?.letter === undefined && known?.offset === offset) this.known.delete(key);
  }

  private learn(key: string, said: Known): void {
    const before = this.known.get(key);
    if (before === undefined || before.offset <= said.offset) this.known.set(key, said);
  }
}

const letterOf = (text: string): DeadLetter | undefined => {
  try {
    const letter = JSON.parse(text) as Omit<DeadLetter, 'position'> & { readonly position: string };
    return { ...letter, position: BigInt(letter.position) };
  } catch {
    // Written by nobody of ours: it names no process and no stream that could be replayed.
    return undefined;
  }
};
