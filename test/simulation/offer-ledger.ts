import type { RecordedEvent } from '#kernel';
import type { CapacityKey, OfferContent, OfferEvent } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits } from '#vocabulary';

/** What commitments have of a line, in minor units. `committed` includes what was delivered. */
export interface OfferFigures {
  held: bigint;
  committed: bigint;
  delivered: bigint;
}

interface Take {
  committed: boolean;
  amount: bigint;
}

interface Leg {
  /** 0 while nothing was reserved. */
  line: number;
  /** By amendment. */
  readonly takes: Map<number, Take>;
  readonly tranches: Map<number, { reported: bigint; returned: bigint }>;
  freed: bigint;
}

/**
 * An offer's capacity, reckoned from its events apart from the offer's own rules: held, committed and delivered are sums over what single
 * events say, and at every revision they are held against I1, I3 and I6.
 */
export class OfferLedger {
  readonly lines = new Map<number, OfferFigures>();
  private content: OfferContent | undefined;
  private readonly legs = new Map<string, Leg>();

  /** @throws {Error} naming the rule that an event breaks */
  take(recorded: RecordedEvent): void {
    // The envelope keeps type and data apart; together they are one of the offer's events.
    const event = recorded as unknown as OfferEvent;
    switch (event.type) {
      case 'OfferDrafted':
      case 'OfferPosted':
        this.content = event.data.content;
        break;
      case 'OfferAmended':
        if (this.content !== undefined) this.content = { ...this.content, ...event.data.changes };
        break;
      case 'CapacityReserved':
        this.reserve(event.data);
        break;
      case 'CapacityCommitted':
        this.commit(event.data);
        break;
      case 'CapacityReleased':
        this.release(event.data);
        break;
      case 'AccessFreed': {
        const { line, quantity } = event.data;
        this.release(event.data);
        this.leg(event.data).freed += minorUnits(quantity);
        this.figures(line).delivered -= minorUnits(quantity);
        break;
      }
      case 'CapacityDelivered':
      case 'CapacityReturned':
      case 'CapacityDeliveryCorrected':
        this.deliver(event);
        break;
      default:
        return;
    }
    this.check(event.data as Partial<CapacityKey>);
  }

  private reserve(data: CapacityKey & { readonly line: number; readonly quantity: Quantity }): void {
    const leg = this.leg(data);
    if (leg.takes.has(data.amendment)) throw new Error(`${nameOf(data)} is reserved twice, or after its release`);
    if (leg.line !== 0 && leg.line !== data.line) throw new Error(`${nameOf(data)} changes its line`);
    leg.line = data.line;
    const amount = minorUnits(data.quantity);
    leg.takes.set(data.amendment, { committed: false, amount });
    this.figures(data.line).held += amount;
  }

  private commit(data: CapacityKey & { readonly quantity: Quantity }): void {
    const { line, take } = this.taken(data);
    if (take.committed) throw new Error(`${nameOf(data)} is committed twice`);
    if (take.amount !== minorUnits(data.quantity))
      throw new Error(`${nameOf(data)} commits another amount than it holds`);
    take.committed = true;
    this.figures(line).held -= take.amount;
    this.figures(line).committed += take.amount;
  }

  private release(data: CapacityKey & { readonly quantity?: Quantity }): void {
    // A release that overtook its reservation says no more than that.
    if (data.quantity === undefined) {
      const { takes } = this.leg(data);
      if (takes.has(data.amendment)) throw new Error(`${nameOf(data)} is released as if nothing had been reserved`);
      takes.set(data.amendment, { committed: false, amount: 0n });
      return;
    }
    const { line, take } = this.taken(data);
    const amount = minorUnits(data.quantity);
    if (amount > take.amount) throw new Error(`${nameOf(data)} gives back more than it took`);
    take.amount -= amount;
    this.figures(line)[take.committed ? 'committed' : 'held'] -= amount;
  }

  private deliver({
    type,
    data,
  }: Extract<OfferEvent, { type: 'CapacityDelivered' | 'CapacityReturned' | 'CapacityDeliveryCorrected' }>): void {
    const { tranches } = this.leg(data);
    const amount = minorUnits(data.quantity);
    const tranche = tranches.get(data.delivery);
    if (type === 'CapacityDelivered') {
      if (tranche !== undefined) throw new Error(`${nameOf(data)} delivers tranche ${data.delivery} twice`);
      tranches.set(data.delivery, { reported: amount, returned: 0n });
      this.figures(data.line).delivered += amount;
      return;
    }
    if (tranche === undefined) throw new Error(`${nameOf(data)} has no tranche ${data.delivery}`);
    if (type === 'CapacityReturned') {
      tranche.returned += amount;
      this.figures(data.line).delivered -= amount;
    } else {
      this.figures(data.line).delivered += amount - tranche.reported;
      tranche.reported = amount;
    }
  }

  private check(data: Partial<CapacityKey>): void {
    for (const { line, capacity } of this.content?.lines ?? []) {
      const { held, committed, delivered } = this.figures(line);
      const all = isRival(capacity) ? minorUnits(capacity) : undefined;
      const said = `line ${line} has ${held} held, ${committed} committed, ${delivered} delivered of ${all ?? 'unlimited'}`;
      if (held < 0n || committed < 0n || delivered < 0n) throw new Error(`I6: ${said}`);
      if (delivered > committed) throw new Error(`I3: ${said}`);
      if (all !== undefined && held + committed > all) throw new Error(`I1: ${said}`);
    }
    if (data.commitment === undefined) return;
    const { takes, tranches, freed } = this.leg(data as CapacityKey);
    let arrived = -freed;
    for (const { reported, returned } of tranches.values()) arrived += reported - returned;
    let committed = 0n;
    for (const take of takes.values()) if (take.committed) committed += take.amount;
    if (arrived < 0n || arrived > committed) {
      throw new Error(`I3: ${nameOf(data as CapacityKey)} has ${arrived} delivered of ${committed} committed`);
    }
  }

  private figures(line: number): OfferFigures {
    let figures = this.lines.get(line);
    if (figures === undefined) this.lines.set(line, (figures = { held: 0n, committed: 0n, delivered: 0n }));
    return figures;
  }

  private leg({ commitment, leg }: Pick<CapacityKey, 'commitment' | 'leg'>): Leg {
    const key = `${commitment}/${leg}`;
    let known = this.legs.get(key);
    if (known === undefined)
      this.legs.set(key, (known = { line: 0, takes: new Map(), tranches: new Map(), freed: 0n }));
    return known;
  }

  private taken(data: CapacityKey): { readonly line: number; readonly take: Take } {
    const { line, takes } = this.leg(data);
    const take = takes.get(data.amendment);
    if (take === undefined || line === 0) throw new Error(`${nameOf(data)} was never reserved`);
    return { line, take };
  }
}

const nameOf = ({ commitment, leg, amendment }: CapacityKey): string => `${commitment}/${leg}/${amendment}`;
