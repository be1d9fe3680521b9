import {
  type Clock,
  derivedId,
  type EventStore,
  lastEventOf,
  NO_STREAM,
  technicalEvent,
  WrongRevisionError,
} from '#kernel';
import { LEASE } from './technical-stream.js';

/** Time that only goes forward and that no operator sets, in milliseconds. Two machines' are never compared. */
export type Monotonic = () => number;

const TAKEN = 'RelayLeaseTaken';
const RELEASED = 'RelayLeaseReleased';

interface LeaseData {
  readonly holder: string;
}

/**
 * One holder at a time, by expected revision in a technical stream. A lease whose revision has not moved for `ttlMs` of the observer's
 * own time is free; the holder's own time runs out earlier, for it counts from before its append was sent.
 */
export class Lease {
  private observed: { readonly revision: number; readonly since: number } | undefined;
  private held: { readonly revision: number; readonly until: number } | undefined;
  /** An append whose outcome is unknown: repeated as it was, so that it is recognised where it did arrive. */
  private unsure:
    { readonly expected: number; readonly type: string; readonly id: string; readonly sent: number } | undefined;
  private tries = 0;

  constructor(
    private readonly store: EventStore,
    private readonly holder: string,
    private readonly ttlMs: number,
    private readonly now: Monotonic,
    private readonly clock: Clock,
  ) {}

  /** Milliseconds for which it is ours for certain. */
  get remaining(): number {
    return this.held === undefined ? 0 : Math.max(0, this.held.until - this.now());
  }

  get isHeld(): boolean {
    return this.remaining > 0;
  }

  /** Takes the lease if it is free. False where another holds it or was faster. @throws {StoreUnavailableError} */
  async acquire(): Promise<boolean> {
    const last = await lastEventOf(this.store, LEASE);
    const revision = last?.revision ?? NO_STREAM;
    const now = this.now();
    if (this.observed?.revision !== revision) this.observed = { revision, since: now };
    const free = last === undefined || last.type === RELEASED || (last.data as LeaseData).holder === this.holder;
    if (!free && now - this.observed.since < this.ttlMs) return false;
    return this.write(revision, TAKEN);
  }

  /** Keeps the lease; false where it has run out or another took it. @throws {StoreUnavailableError} it may be tried again while `isHeld` */
  async renew(): Promise<boolean> {
    if (this.held === undefined || !this.isHeld) return false;
    if (await this.write(this.held.revision, TAKEN)) return true;
    this.held = undefined;
    return false;
  }

  /** Gives it back, so that another need not wait. Best effort: it runs out by itself. */
  async release(): Promise<void> {
    const { held } = this;
    if (held === undefined) return;
    this.held = undefined;
    await this.write(held.revision, RELEASED).catch(() => undefined);
    this.held = undefined;
  }

  private async write(expected: number, type: string): Promise<boolean> {
    const { unsure } = this;
    const same = unsure?.expected === expected && unsure.type === type;
    if (!same) this.tries += 1;
    const attempt = same
      ? unsure
      : { expected, type, id: derivedId('relay-lease', this.holder, String(this.tries)), sent: this.now() };
    this.unsure = attempt;
    try {
      const data: LeaseData = { holder: this.holder };
      const { revision } = await this.store.append(LEASE, expected, [
        technicalEvent(attempt.id, type, data, this.clock.now()),
      ]);
      this.held = { revision, until: attempt.sent + this.ttlMs };
    } catch (error) {
      if (!(error instanceof WrongRevisionError)) throw error;
      this.unsure = undefined;
      return false;
    }
    this.unsure = undefined;
    return true;
  }
}
