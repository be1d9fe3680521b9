import { backoffMs, pause } from './backoff.js';
import type { EventStore } from './event-store.js';
import type { RecordedEvent } from './events.js';

export interface FeedOptions {
  readonly maxBatch: number;
  /** Told of every break of the subscription; it is taken up again after a capped backoff. */
  readonly broken: (error: unknown, attempt: number) => void;
  /** As in `SubscriptionOptions`. */
  readonly passed?: (position: bigint) => Promise<void>;
}

/**
 * A subscription to all events that survives breaks: after a failure it is taken up again behind the last batch handled,
 * for ever, with capped backoff. The handler gets each batch, never an empty one, with the position of its last event.
 */
export class Feed {
  private readonly ending = new AbortController();
  private readonly running: Promise<void>;
  private handled: bigint;

  constructor(
    private readonly store: EventStore,
    after: bigint,
    private readonly handler: (batch: readonly RecordedEvent[], last: bigint) => Promise<void>,
    private readonly options: FeedOptions,
  ) {
    this.handled = after;
    this.running = this.run();
  }

  /** Stops after the batch in hand; resolves when no handler runs any more. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    const { maxBatch, passed } = this.options;
    const stopped = (): boolean => signal.aborted;
    let failures = 0;
    while (!stopped()) {
      try {
        const subscription = this.store.subscribeToAll(
          this.handled,
          async (batch) => {
            const last = batch.at(-1)?.position;
            if (last === undefined) return;
            await this.handler(batch, last);
            this.handled = last;
            failures = 0;
          },
          {
            maxBatch,
            passed: async (position) => {
              await passed?.(position);
              this.handled = position;
              failures = 0;
            },
          },
        );
        const stop = (): void => {
          // A failure of the stop is the failure of `done`, which is awaited below.
          subscription.stop().catch(() => undefined);
        };
        signal.addEventListener('abort', stop, { once: true });
        try {
          await subscription.done;
        } finally {
          signal.removeEventListener('abort', stop);
        }
        // Ended without a failure and without our asking: the store is closing.
        return;
      } catch (error) {
        if (stopped()) return;
        failures += 1;
        this.options.broken(error, failures);
        await pause(backoffMs(failures), signal);
      }
    }
  }
}
