import type { RecordedEvent, Rejection, Subscription } from '#kernel';
import { EventStore, streamOf, Transactor } from '#kernel';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { CommitmentEvent } from './commitment.contract.js';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';

/** What a `Prefer: wait` waits for: undefined while it is open, then what was answered. */
type Settled = { readonly refusal: Rejection | undefined } | undefined;

interface Question {
  /** The answer that this event is, if it is one. */
  readonly answeredBy: (event: CommitmentEvent) => Settled;
  /** Whether an answer is still to come. */
  readonly isOpen: (state: CommitmentState) => boolean;
}

const CLOSINGS: Readonly<Record<string, string>> = {
  'need-closed': 'The need has closed.',
  'offer-closed': 'The offer has closed.',
};

/** A proposal that was left before the answer came: refused where a process left it because need or offer had closed. */
const leftBy = (event: CommitmentEvent): Settled => {
  switch (event.type) {
    case 'CommitmentDeclined': {
      const { code } = event.data.reason;
      const detail = CLOSINGS[code];
      return { refusal: detail === undefined ? undefined : { code, detail } };
    }
    case 'CommitmentWithdrawn':
    case 'CommitmentLapsed':
      return { refusal: undefined };
    default:
      return undefined;
  }
};

const HOLD: Question = {
  isOpen: ({ hold, status }) => hold === 'pending' && status === 'proposed',
  answeredBy: (event) => {
    if (event.type === 'CommitmentHeld') return { refusal: undefined };
    return event.type === 'HoldRefused' ? { refusal: event.data } : leftBy(event);
  },
};

const ACCEPTANCE: Question = {
  isOpen: ({ acceptance, status }) => acceptance === 'pending' && status === 'proposed',
  answeredBy: (event) => {
    if (event.type === 'CommitmentAccepted') return { refusal: undefined };
    return event.type === 'AcceptanceRefused' ? { refusal: event.data } : leftBy(event);
  },
};

const AMENDMENT: Question = {
  isOpen: ({ amendments }) => amendments.some(({ status }) => status === 'agreed' || status === 'held'),
  answeredBy: (event) => {
    if (event.type === 'CommitmentAmended') return { refusal: undefined };
    if (event.type === 'CommitmentCancelled') return { refusal: undefined };
    return event.type === 'AmendmentRefused' ? { refusal: event.data } : leftBy(event);
  },
};

const PAGE = 500;

/** Waits for the answers of offer and need. All waiters share one subscription, which lives while there are any. */
@Injectable()
export class CommitmentOutcomes implements OnModuleDestroy {
  private readonly waiting = new Map<string, Set<() => void>>();
  private subscription: Subscription | undefined;
  private ending = false;

  constructor(
    private readonly store: EventStore,
    private readonly transactor: Transactor,
  ) {}

  /**
   * The refusal of the hold asked for at `since`; undefined where it was granted or `waitMs` milliseconds ran out. Whatever happened
   * later, the answer stays the same: a repeat under the same key is told what the first was told.
   */
  hold(id: string, waitMs: number, since: bigint): Promise<Rejection | undefined> {
    return this.settle(id, waitMs, since, HOLD);
  }

  /** The refusal of the acceptance given at `since`; undefined where it was granted or `waitMs` milliseconds ran out. */
  acceptance(id: string, waitMs: number, since: bigint): Promise<Rejection | undefined> {
    return this.settle(id, waitMs, since, ACCEPTANCE);
  }

  /** The refusal of the amendment agreed at `since`; undefined where it took effect or `waitMs` milliseconds ran out. */
  amendment(id: string, waitMs: number, since: bigint): Promise<Rejection | undefined> {
    return this.settle(id, waitMs, since, AMENDMENT);
  }

  /** Whoever still waits is answered with the record as it is. */
  async onModuleDestroy(): Promise<void> {
    this.ending = true;
    for (const wakes of this.waiting.values()) for (const wake of wakes) wake();
    await this.stop();
  }

  private async settle(id: string, waitMs: number, since: bigint, question: Question): Promise<Rejection | undefined> {
    const until = Date.now() + waitMs;
    const stream = streamOf(commitmentDecider.category, id);
    let changed = nothingYet();
    const wake = (): void => {
      changed.resolve();
    };
    const wakes = this.waiting.get(stream) ?? new Set();
    // Until this waiter leaves, the subscription stays: who waits between two looks must not lose it.
    this.waiting.set(stream, wakes.add(wake));
    const timer = setTimeout(wake, waitMs);
    try {
      await this.follow();
      for (;;) {
        changed = nothingYet();
        const settled = await this.look(stream, id, since, question);
        if (settled !== undefined) return settled.refusal;
        if (this.ending || Date.now() >= until) return undefined;
        await changed.promise;
      }
    } finally {
      clearTimeout(timer);
      wakes.delete(wake);
      if (wakes.size === 0) this.waiting.delete(stream);
      if (this.waiting.size === 0) void this.stop();
    }
  }

  private async look(stream: string, id: string, since: bigint, { answeredBy, isOpen }: Question): Promise<Settled> {
    const { state } = await this.transactor.load(commitmentDecider, id);
    if (isOpen(state)) return undefined;
    for (let from = 0; ; from += PAGE) {
      const page = await this.store.readStream(stream, from, PAGE);
      for (const event of page) {
        // The envelope keeps type and data apart; together they are one of our events.
        const answer = event.position > since ? answeredBy(event as unknown as CommitmentEvent) : undefined;
        if (answer !== undefined) return answer;
      }
      // Nothing was asked at `since`: what was asked before holds.
      if (page.length < PAGE) return { refusal: undefined };
    }
  }

  private isFollowingOrEnding(): boolean {
    return this.ending || this.subscription !== undefined;
  }

  private async follow(): Promise<void> {
    if (this.isFollowingOrEnding()) return;
    const head = await this.store.head();
    // Another waiter may have begun meanwhile.
    if (this.isFollowingOrEnding()) return;
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

/** A promise and its key. */
const nothingYet = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
};
