import type { Filter } from './filter.js';
import type { Log, LogRecord } from './log.js';
import { caughtUp, checkpoint, confirmation, streamDeleted, tooSlow } from './messages.js';
import type { Outgoing, Outlet } from './outlet.js';

/** Live messages the server keeps for a consumer that is behind. */
const LIVE_BUFFER = 32;
/** Events of one append that a consumer which keeps up can take while they are handed out: more, and the buffer overflows. */
const RACE = 128;
/** How long the server's dispatch lags behind the log at most, in milliseconds: a consumer may catch its breath that long. */
const BREATH_MS = 10;

export interface SubscriptionSource {
  /** Records after the subscription's start, oldest first, as they can be read now. */
  readonly past: () => LogRecord[];
  /** True for records of this stream, or of any. */
  readonly concerns: (record: LogRecord) => boolean;
  /** A stream; all of them where undefined. */
  readonly stream: string | undefined;
  /** How a record is told to the consumer. */
  readonly told: (record: LogRecord) => Outgoing;
}

/** One subscription: the past at the consumer's pace, then live through a small buffer that cuts who does not keep up. */
export class Subscription {
  private considered = 0;
  private readonly inbox: (readonly LogRecord[])[] = [];
  private readonly buffer: Outgoing[] = [];
  private dispatching = false;
  private muted = false;

  constructor(
    private readonly log: Log,
    private readonly outlet: Outlet,
    private readonly source: SubscriptionSource,
    private readonly filter: Filter | undefined,
  ) {}

  async run(): Promise<void> {
    this.outlet.write(confirmation(crypto.randomUUID()));
    let first = true;
    for (let past = this.source.past(); past.length > 0; past = this.source.past()) {
      first = false;
      for (const record of past) {
        for (const message of this.messagesFor(record)) this.outlet.write(message);
        await this.outlet.drained();
        if (this.outlet.closed) return;
        if (this.ends(record)) return;
      }
    }
    const missing = first && this.source.stream !== undefined && this.log.view(this.source.stream).kind === 'missing';
    if (!missing) this.outlet.write(caughtUp());
    this.outlet.onClose(
      this.log.onCommitted((records) => {
        this.inbox.push(records);
        if (!this.dispatching) void this.dispatch(missing);
      }),
    );
  }

  /** Goes on without a word, whatever happens. */
  mute(): void {
    this.muted = true;
  }

  cut(): void {
    this.outlet.fail(tooSlow());
  }

  private async dispatch(wasMissing: boolean): Promise<void> {
    this.dispatching = true;
    for (let records = this.inbox.shift(); records !== undefined; records = this.inbox.shift()) {
      if (this.outlet.full) {
        await Promise.race([this.outlet.drained(), new Promise((resolve) => setTimeout(resolve, BREATH_MS).unref())]);
      }
      if (!this.muted) this.publish(records, wasMissing);
    }
    this.dispatching = false;
  }

  private publish(records: readonly LogRecord[], wasMissing: boolean): void {
    if (!this.outlet.full) this.flush();
    let race = this.outlet.full ? 0 : RACE;
    for (const record of records) {
      if (this.outlet.closed) return;
      for (const message of this.messagesFor(record)) {
        // The first events of a stream come by the way of catching up, which has no such limit.
        if ((race > 0 || wasMissing) && this.buffer.length === 0) this.outlet.write(message);
        else this.buffer.push(message);
      }
      race -= 1;
      if (this.buffer.length > LIVE_BUFFER) {
        this.cut();
        return;
      }
      if (this.ends(record)) return;
    }
    if (this.buffer.length > 0)
      void this.outlet.drained().then(() => {
        this.flush();
      });
  }

  private flush(): void {
    for (const message of this.buffer.splice(0)) this.outlet.write(message);
  }

  private messagesFor(record: LogRecord): Outgoing[] {
    if (!this.source.concerns(record)) return [];
    const messages: Outgoing[] = this.filter?.matches(record) === false ? [] : [this.source.told(record)];
    if (this.filter === undefined) return messages;
    this.considered += 1;
    if (this.considered % this.filter.every === 0) messages.push(checkpoint(record));
    return messages;
  }

  /** The end of a stream is told, and ends its subscriptions. */
  private ends(record: LogRecord): boolean {
    if (!record.isTombstone || this.source.stream === undefined || !this.source.concerns(record)) return false;
    this.outlet.fail(streamDeleted(this.source.stream));
    return true;
  }
}
