import type { RecordedEvent, Rejection, Subscription } from '#kernel';
import { EventStore, streamOf, Transactor } from '#kernel';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';

/** What a `Prefer: wait` waits for: undefined while it is open, then what was answered. */
type Settled = { readonly refusal: Rejection | undefined } | undefined;

const holdOf = ({ status, hold, refusal, reason }: CommitmentState): Settled => {
  if (hold === 'pending' && status === 'proposed') return undefined;
  if (hold === 'refused' && refusal !== undefined) return { refusal };
  return { refusal: left(status, hold, reason?.code) };
};

const acceptanceOf = ({ acceptance, refusal, status, hold, reason }: CommitmentState): Settled => {
  if (acceptance === 'pending' && status === 'proposed') return undefined;
  if (acceptance === 'refused' && refusal !== undefined) return { refusal };
  return { refusal: acceptance === 'given' ? undefined : left(status, hold, reason?.code) };
};

/** A process ended the proposal in the meantime: `need-closed` or `offer-closed`. */
const left = (status: CommitmentState['status'], hold: string, code: string | undefined): Rejection | undefined =>
  status === 'declined' && hold === 'released' && (code === 'need-closed' || code === 'offer-closed')
    ? { code, detail: code === 'need-closed' ? 'The need has closed.' : 'The offer has closed.' }
    : undefined;

/** Waits for the answers of offer and need. All waiters share one subscription, which lives while there are any. */
@Injectable()
export class CommitmentOutcomes implements OnModuleDestroy {
  private readonly waiting = new Map<string, Set<() => void>>();
  private subscription: Subscription | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly transactor: Transactor,
  ) {}

  /** The refusal of the hold, undefined where it was granted or `waitMs` milliseconds ran out. */
  hold(id: string, waitMs: number): Promise<Rejection | undefined> {
    return this.settle(id, waitMs, holdOf);
  }

  /** The refusal of the acceptance, undefined where it was granted or `waitMs` milliseconds ran out. */
  acceptance(id: string, waitMs: number): Promise<Rejection | undefined> {
    return this.settle(id, waitMs, acceptanceOf);
  }

  async onModuleDestroy(): Promise<void> {
    for (const wakes of this.waiting.values()) for (const wake of wakes) wake();
    await this.stop();
  }

  private async settle(
    id: string,
    waitMs: number,
    settledBy: (state: CommitmentState) => Settled,
  ): Promise<Rejection | undefined> {
    const until = Date.now() + waitMs;
    const stream = streamOf(commitmentDecider.category, id);
    await this.follow();
    for (;;) {
      let wake = (): void => undefined;
      // Listening begins before the look, so that nothing is missed in between.
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const wakes = this.waiting.get(stream) ?? new Set();
      this.waiting.set(stream, wakes.add(wake));
      const timer = setTimeout(wake, Math.max(0, until - Date.now()));
      try {
        const settled = settledBy((await this.transactor.load(commitmentDecider, id)).state);
        if (settled !== undefined) return settled.refusal;
        if (Date.now() >= until) return undefined;
        await changed;
      } finally {
        clearTimeout(timer);
        wakes.delete(wake);
        if (wakes.size === 0 && this.waiting.get(stream) === wakes) this.waiting.delete(stream);
        if (this.waiting.size === 0) void this.stop();
      }
    }
  }

  private isFollowing(): boolean {
    return this.subscription !== undefined;
  }

  private async follow(): Promise<void> {
    if (this.isFollowing()) return;
    const head = await this.store.head();
    // Another waiter may have begun meanwhile.
    if (this.isFollowing()) return;
    const subscription = this.store.subscribeToAll(head, (batch) => {
      this.tell(batch);
      return Promise.resolve();
    });
    this.subscription = subscription;
    // A broken feed only costs the waiters their wake-up: their time runs out, and the next one follows anew.
    subscription.done
      .catch(() => undefined)
      .finally(() => {
        if (this.subscription === subscription) this.subscription = undefined;
      });
  }

  private tell(batch: readonly RecordedEvent[]): void {
    for (const { stream } of batch) for (const wake of this.waiting.get(stream) ?? []) wake();
  }

  private async stop(): Promise<void> {
    const subscription = this.subscription;
    this.subscription = undefined;
    await subscription?.stop();
  }
}
