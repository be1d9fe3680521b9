import { BatchAppends } from './batch-appends.js';
import { ClientCalls } from './client-calls.js';

const open = new Map<string, KurrentConnection>();

/** How long to wait for the server, in milliseconds. */
export interface Patience {
  /** For the answer to an append. */
  readonly appendMs: number;
  /** For the next sign of life in a read. */
  readonly readMs: number;
}

const PATIENCE: Patience = { appendMs: 5_000, readMs: 5_000 };

/** One client per process and url, shared by all stores on it. */
export class KurrentConnection {
  readonly calls: ClientCalls;
  readonly appends: BatchAppends;
  private users = 0;

  /**
   * @param url connection string, `esdb://host:2113?tls=false` or `esdb+discover://…`. Nothing is sent yet.
   * @param patience taken from whoever opens the url first
   * @throws {RangeError} for a connection string that is none
   */
  static open(url: string, patience: Partial<Patience> = {}): KurrentConnection {
    const connection = open.get(url) ?? new KurrentConnection(url, { ...PATIENCE, ...patience });
    open.set(url, connection);
    connection.users += 1;
    return connection;
  }

  private constructor(
    private readonly url: string,
    readonly patience: Patience,
  ) {
    try {
      this.calls = new ClientCalls(url);
    } catch (error) {
      // The client's text would show the password in the string.
      throw new RangeError('the event store url is none: say esdb://host:2113?tls=false, or esdb+discover://host', {
        cause: error instanceof Error ? error.name : undefined,
      });
    }
    this.appends = new BatchAppends(this.calls, patience.appendMs);
  }

  /** Gives the connection back; the last user's call ends it, and lets the process end. */
  async close(): Promise<void> {
    this.users -= 1;
    if (this.users > 0) return;
    open.delete(this.url);
    this.appends.end();
    await this.calls.dispose();
  }
}
