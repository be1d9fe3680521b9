import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Subscription } from './event-store.js';
import type { RecordedEvent } from './events.js';

const MAX_BATCH = 500;

/**
 * Subscriptions of a store that lives in this process: each reads at its own pace from its own position, and is woken
 * by `advance` once new events can be read. Nothing is buffered per subscriber, so a slow one costs no memory.
 */
export class LocalDelivery {
  private readonly running = new Set<LocalSubscription>();

  /**
   * @param read events of domain streams after a position, oldest first
   * @param head position of the newest domain event that can be read
   */
  constructor(
    private readonly read: (after: bigint, limit: number) => RecordedEvent[],
    private head: bigint,
  ) {}

  subscribe(
    after: bigint,
    handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    maxBatch: number = MAX_BATCH,
  ): Subscription {
    if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) throw new RangeError(`a batch of ${maxBatch} events`);
    const subscription: LocalSubscription = new LocalSubscription(
      this.read,
      () => this.head,
      after,
      handler,
      maxBatch,
      () => this.running.delete(subscription),
    );
    this.running.add(subscription);
    return subscription;
  }

  /** Says that events up to `head` can now be read. */
  advance(head: bigint): void {
    this.head = head;
    for (const subscription of this.running) subscription.wake();
  }

  /** Stops every subscription; resolves when no handler runs any more. */
  async stop(): Promise<void> {
    await Promise.all([...this.running].map((subscription) => subscription.stop()));
  }
}

class LocalSubscription implements Subscription {
  readonly done: Promise<void>;
  private stopped = false;
  private awaken: (() => void) | undefined;

  constructor(
    private readonly read: (after: bigint, limit: number) => RecordedEvent[],
    private readonly head: () => bigint,
    private after: bigint,
    private readonly handler: (batch: readonly RecordedEvent[]) => Promise<void>,
    private readonly maxBatch: number,
    ended: () => void,
  ) {
    this.done = this.run().finally(ended);
  }

  wake(): void {
    this.awaken?.();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    // A handler's error is for whoever watches `done`; stopping has succeeded all the same.
    await this.done.catch(() => undefined);
  }

  private async run(): Promise<void> {
    // The caller must hold the subscription before the first batch reaches its handler.
    await nextTurn();
    for (;;) {
      while (!this.stopped && this.after >= this.head()) {
        await new Promise<void>((resolve) => (this.awaken = resolve));
      }
      if (this.stopped) return;
      const batch = this.read(this.after, this.maxBatch);
      const last = batch.at(-1);
      if (last === undefined) throw new Error(`the log ends before its head ${this.head()}`);
      await this.handler(batch);
      this.after = last.position;
      // A long catch-up with a handler that never leaves the turn would starve requests.
      await nextTurn();
    }
  }
}
