import type { RecordedEvent } from '#kernel';
import type { CoverageKey, NeedContent, NeedEvent } from '#needs/contract';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits } from '#vocabulary';

/** What stands on a line, in minor units: `accepted` is reserved and not yet binding; binding ≥ delivered ≥ confirmed. */
export interface NeedFigures {
  accepted: bigint;
  binding: bigint;
  delivered: bigint;
  confirmed: bigint;
}

interface Reservation {
  readonly line: number;
  bound: boolean;
  amount: bigint;
}

interface Tranche {
  reported: bigint;
  returned: bigint;
  confirmed: bigint;
}

interface Leg {
  line: number;
  readonly reservations: Map<number, Reservation>;
  readonly tranches: Map<number, Tranche>;
}

/** A scope in words has no figure and adds none. */
const minor = (quantity: Quantity | undefined): bigint =>
  quantity === undefined || !isRival(quantity) ? 0n : minorUnits(quantity);

/** A need's coverage, reckoned from its events apart from the need's own rules and held against I2, I3 and I6 at every revision. */
export class NeedLedger {
  readonly lines = new Map<number, NeedFigures>();
  /** Ids of the needs it has taken in, and the one that took it in. */
  readonly absorbed = new Set<string>();
  supersededBy: string | undefined;
  private content: NeedContent | undefined;
  private readonly legs = new Map<string, Leg>();

  /** @throws {Error} naming the rule that an event breaks */
  take(recorded: RecordedEvent): void {
    // The envelope keeps type and data apart; together they are one of the need's events.
    const event = recorded as unknown as NeedEvent;
    switch (event.type) {
      case 'NeedDrafted':
        this.content = event.data.content;
        break;
      case 'NeedAmended':
        if (this.content !== undefined) this.content = { ...this.content, ...event.data.changes };
        break;
      case 'NeedAssessed':
        this.assess(event.data.lines);
        break;
      case 'NeedSuperseded':
        this.supersededBy = event.data.into;
        return;
      case 'NeedsMerged':
        this.absorbed.add(event.data.absorbed);
        return;
      case 'NeedUnmerged':
        if (event.data.as === 'survivor') this.absorbed.delete(event.data.other);
        else this.supersededBy = undefined;
        return;
      case 'CoverageReserved':
        this.reserve(event.data);
        break;
      case 'CoverageBound':
        this.bind(event.data);
        break;
      case 'CoverageReleased':
        this.release(event.data);
        break;
      case 'CoverageDelivered':
      case 'CoverageReturned':
      case 'CoverageDeliveryCorrected':
      case 'CoverageConfirmed':
        this.deliver(event);
        break;
      default:
        return;
    }
    this.check(event.data as Partial<CoverageKey>);
  }

  private assess(assessed: readonly { readonly line: number; readonly quantity: Quantity }[]): void {
    if (this.content === undefined) return;
    const lines = this.content.lines.map((line) => ({ ...line, ...assessed.find((each) => each.line === line.line) }));
    this.content = { ...this.content, lines };
  }

  private reserve(data: CoverageKey & { readonly line: number; readonly quantity: Quantity }): void {
    const leg = this.leg(data);
    if (leg.reservations.has(data.amendment))
      throw new Error(`${nameOf(data)} is reserved twice, or after its release`);
    const amount = minor(data.quantity);
    leg.line = data.line;
    leg.reservations.set(data.amendment, { line: data.line, bound: false, amount });
    this.figures(data.line).accepted += amount;
  }

  private bind(data: CoverageKey & { readonly quantity: Quantity }): void {
    const reservation = this.reserved(data);
    if (reservation.bound) throw new Error(`${nameOf(data)} binds twice`);
    if (reservation.amount !== minor(data.quantity))
      throw new Error(`${nameOf(data)} binds another amount than it has`);
    reservation.bound = true;
    this.figures(reservation.line).accepted -= reservation.amount;
    this.figures(reservation.line).binding += reservation.amount;
  }

  private release(data: CoverageKey & { readonly line?: number; readonly quantity?: Quantity }): void {
    if (data.line === undefined) {
      const { reservations } = this.leg(data);
      if (reservations.has(data.amendment))
        throw new Error(`${nameOf(data)} is released as if nothing had been reserved`);
      reservations.set(data.amendment, { line: 0, bound: false, amount: 0n });
      return;
    }
    const reservation = this.reserved(data);
    const amount = minor(data.quantity);
    if (amount > reservation.amount) throw new Error(`${nameOf(data)} gives back more than it has`);
    reservation.amount -= amount;
    this.figures(reservation.line)[reservation.bound ? 'binding' : 'accepted'] -= amount;
  }

  private deliver({
    type,
    data,
  }: Extract<
    NeedEvent,
    { type: 'CoverageDelivered' | 'CoverageReturned' | 'CoverageDeliveryCorrected' | 'CoverageConfirmed' }
  >): void {
    const { tranches } = this.leg(data);
    const figures = this.figures(data.line);
    const amount = minor(data.quantity);
    const tranche = tranches.get(data.delivery);
    if (type === 'CoverageDelivered') {
      if (tranche !== undefined) throw new Error(`${nameOf(data)} delivers tranche ${data.delivery} twice`);
      tranches.set(data.delivery, { reported: amount, returned: 0n, confirmed: 0n });
      figures.delivered += amount;
      return;
    }
    if (tranche === undefined) throw new Error(`${nameOf(data)} has no tranche ${data.delivery}`);
    const before = { ...tranche };
    if (type === 'CoverageReturned') {
      tranche.returned += amount;
      tranche.confirmed -= minor(data.confirmed);
    } else if (type === 'CoverageConfirmed') tranche.confirmed = amount;
    else {
      tranche.reported = amount;
      // Reported anew: what was confirmed of the earlier figure is said again, or is open again.
      tranche.confirmed = 0n;
    }
    figures.delivered += tranche.reported - tranche.returned - before.reported + before.returned;
    figures.confirmed += tranche.confirmed - before.confirmed;
    if (tranche.confirmed < 0n || tranche.confirmed > tranche.reported - tranche.returned) {
      throw new Error(`I3: ${nameOf(data)} confirms more of tranche ${data.delivery} than is there`);
    }
  }

  private check(data: Partial<CoverageKey>): void {
    for (const { line, quantity } of this.content?.lines ?? []) {
      const { accepted, binding, delivered, confirmed } = this.figures(line);
      const asked = isRival(quantity) ? minorUnits(quantity) : undefined;
      const said = `line ${line} has ${accepted} accepted, ${binding} binding, ${delivered} delivered, ${confirmed} confirmed of ${asked ?? 'no figure'}`;
      if (accepted < 0n || binding < 0n || delivered < 0n || confirmed < 0n) throw new Error(`I6: ${said}`);
      if (delivered > binding || confirmed > delivered) throw new Error(`I3: ${said}`);
      if (asked !== undefined && this.content?.oversubscription !== true && accepted + binding > asked) {
        throw new Error(`I2: ${said}`);
      }
    }
    if (data.commitment === undefined) return;
    const { reservations, tranches } = this.leg(data as CoverageKey);
    let arrived = 0n;
    for (const { reported, returned } of tranches.values()) arrived += reported - returned;
    let binding = 0n;
    for (const { bound, amount } of reservations.values()) if (bound) binding += amount;
    if (arrived > binding)
      throw new Error(`I3: ${nameOf(data as CoverageKey)} has ${arrived} delivered of ${binding} binding`);
  }

  private figures(line: number): NeedFigures {
    let figures = this.lines.get(line);
    if (figures === undefined) {
      this.lines.set(line, (figures = { accepted: 0n, binding: 0n, delivered: 0n, confirmed: 0n }));
    }
    return figures;
  }

  private leg({ commitment, leg }: Pick<CoverageKey, 'commitment' | 'leg'>): Leg {
    const key = `${commitment}/${leg}`;
    let known = this.legs.get(key);
    if (known === undefined) this.legs.set(key, (known = { line: 0, reservations: new Map(), tranches: new Map() }));
    return known;
  }

  private reserved(data: CoverageKey): Reservation {
    const reservation = this.leg(data).reservations.get(data.amendment);
    if (reservation === undefined || reservation.line === 0) throw new Error(`${nameOf(data)} was never reserved`);
    return reservation;
  }
}

const nameOf = ({ commitment, leg, amendment }: CoverageKey): string => `${commitment}/${leg}/${amendment}`;
