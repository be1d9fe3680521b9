import type { RecordedEvent } from '#kernel';
import { idOfStream } from '#kernel';

interface Entry {
  reserved: number;
  bound: number;
  delivered: number;
  confirmed: number;
  released: number;
}

interface Story {
  readonly offerId: string;
  readonly needId: string;
  readonly drawn: number;
  hold: 'pending' | 'held' | 'refused';
  acceptance: 'none' | 'pending' | 'given';
  bound: boolean;
  left: boolean;
  cancelled: boolean;
  delivered: number;
  confirmed: number;
}

/** The parts of events that this ledger reads; every quantity in these tests is a number of seats of line 1. */
interface Data {
  readonly commitment: string;
  readonly offerId: string;
  readonly needId: string;
  readonly quantity?: { readonly amount: string };
  readonly legs: readonly { readonly drawn: { readonly amount: string } }[];
  readonly content: { readonly lines: readonly { readonly capacity?: Amount; readonly quantity?: Amount }[] };
}
interface Amount {
  readonly amount: string;
}

/**
 * An account of the whole log kept independently of the program: what offers and needs hold for each commitment, and what each
 * commitment says of itself. `faults` names every place where I1, I2 or I6 break, and everything left half-done.
 */
export class Ledger {
  readonly faults: string[] = [];
  readonly stories = new Map<string, Story>();
  private readonly limits = new Map<string, number>();
  private readonly books = new Map<string, Map<string, Entry>>();

  constructor(events: readonly RecordedEvent[]) {
    for (const event of events) this.read(event);
    for (const [commitment, story] of this.stories) this.settle(commitment, story);
    this.orphans();
  }

  /** How many commitments stand in each way. */
  get outcomes(): Readonly<Record<'held' | 'refused' | 'left' | 'bound' | 'cancelled', number>> {
    const count = { held: 0, refused: 0, left: 0, bound: 0, cancelled: 0 };
    for (const { hold, left, bound, cancelled } of this.stories.values()) {
      if (hold === 'refused') count.refused += 1;
      else if (cancelled) count.cancelled += 1;
      else if (left) count.left += 1;
      else if (bound) count.bound += 1;
      else if (hold === 'held') count.held += 1;
    }
    return count;
  }

  private read({ type, stream, revision, data: raw }: RecordedEvent): void {
    const data = raw as Data;
    const amount = Number(data.quantity?.amount ?? 0);
    switch (type) {
      case 'OfferPosted':
        this.limits.set(stream, Number(data.content.lines[0]?.capacity?.amount));
        return;
      case 'NeedDrafted':
        this.limits.set(stream, Number(data.content.lines[0]?.quantity?.amount));
        return;
      case 'CapacityReserved':
      case 'CoverageReserved':
        this.entry(stream, data.commitment).reserved += amount;
        this.limit(stream, revision);
        return;
      case 'CapacityCommitted':
      case 'CoverageBound':
        this.entry(stream, data.commitment).bound += amount;
        return;
      case 'CapacityDelivered':
      case 'CoverageDelivered':
        this.entry(stream, data.commitment).delivered += amount;
        return;
      case 'CoverageConfirmed':
        this.entry(stream, data.commitment).confirmed += amount;
        return;
      case 'CapacityReleased':
      case 'CoverageReleased':
        this.entry(stream, data.commitment).released += amount;
        return;
      default:
        if (stream.startsWith('commitment-')) this.tell(idOfStream(stream), type, data, amount);
    }
  }

  private tell(id: string, type: string, data: Data, amount: number): void {
    if (type === 'CommitmentProposed') {
      const drawn = data.legs.reduce((sum, leg) => sum + Number(leg.drawn.amount), 0);
      const { offerId, needId } = data;
      this.stories.set(id, {
        offerId,
        needId,
        drawn,
        hold: 'pending',
        acceptance: 'none',
        bound: false,
        left: false,
        cancelled: false,
        delivered: 0,
        confirmed: 0,
      });
    }
    const story = this.stories.get(id);
    if (story === undefined) {
      this.faults.push(`${id} begins with ${type}`);
      return;
    }
    const told: Readonly<Record<string, () => void>> = {
      CommitmentHeld: () => (story.hold = 'held'),
      HoldRefused: () => (story.hold = 'refused'),
      AcceptanceGiven: () => (story.acceptance = 'pending'),
      CommitmentAccepted: () => (story.acceptance = 'given'),
      AcceptanceRefused: () => (story.acceptance = 'none'),
      CommitmentDeclined: () => (story.left = true),
      CommitmentWithdrawn: () => (story.left = true),
      CommitmentLapsed: () => (story.left = true),
      CommitmentBound: () => (story.bound = true),
      CommitmentCancelled: () => (story.cancelled = true),
      DeliveryReported: () => (story.delivered += amount),
      DeliveryConfirmed: () => (story.confirmed += amount),
    };
    told[type]?.();
  }

  private entry(stream: string, commitment: string): Entry {
    const book = this.books.get(stream) ?? new Map<string, Entry>();
    this.books.set(stream, book);
    const entry = book.get(commitment) ?? { reserved: 0, bound: 0, delivered: 0, confirmed: 0, released: 0 };
    book.set(commitment, entry);
    return entry;
  }

  /** I1 and I2, at this revision. */
  private limit(stream: string, revision: number): void {
    const limit = this.limits.get(stream) ?? 0;
    let total = 0;
    for (const { reserved, released } of this.books.get(stream)?.values() ?? []) total += reserved - released;
    if (total > limit) this.faults.push(`${stream} has promised ${total} of ${limit} at revision ${revision}`);
  }

  private settle(id: string, story: Story): void {
    const { offerId, needId, drawn, hold, acceptance, bound, left, cancelled, delivered, confirmed } = story;
    const fault = (what: string): void => {
      this.faults.push(`commitment ${id}: ${what}`);
    };
    if (hold === 'pending' && !left) fault('its hold is neither granted nor refused');
    if (acceptance === 'pending' && !left) fault('its acceptance is neither taken nor refused');
    const ended = left || hold === 'refused';
    const kept = ended ? 0 : cancelled ? delivered : drawn;
    const expectations = [
      ['offer', `offer-${offerId}`, kept],
      ['need', `need-${needId}`, acceptance === 'given' ? kept : 0],
    ] as const;
    for (const [side, stream, expected] of expectations) {
      const { reserved, released, ...entry } = this.entry(stream, id);
      if (reserved - released !== expected) fault(`its ${side} holds ${reserved - released} for it, not ${expected}`);
      if (entry.bound !== (bound ? drawn : 0)) fault(`its ${side} has ${entry.bound} bound`);
      if (entry.delivered !== delivered) fault(`its ${side} counts ${entry.delivered} delivered, not ${delivered}`);
      if (side === 'need' && entry.confirmed !== confirmed) {
        fault(`its need counts ${entry.confirmed} confirmed, not ${confirmed}`);
      }
    }
  }

  private orphans(): void {
    for (const [stream, book] of this.books) {
      for (const commitment of book.keys()) {
        if (!this.stories.has(commitment)) this.faults.push(`${stream} holds for ${commitment}, which does not exist`);
      }
    }
  }
}
