import type { Caller } from '#directory/contract';
import { Networks } from '#directory/contract';
import { Clock, yieldToLoop } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { InstrumentCode, Kind, Quantity } from '#vocabulary';
import { dateOf, isRival, minorUnits, stateOf, stateOfParty, stateParty, STATES } from '#vocabulary';
import type { AsOf } from '#web';
import { Injectable } from '@nestjs/common';
import type { Cell, Dimension, Places } from './cells.js';
import { Cells, yearsOf } from './cells.js';
import type { StandingNeed, StandingOffer } from './line-history.projection.js';
import type { Cut } from './line-history.js';
import { LineHistory } from './line-history.js';

/** Which lines are counted; an absent part leaves none out. `network`: needs of it or of its members, offers that admit one of them. */
export interface LineFilter {
  readonly measure?: Quantity['measure'];
  readonly currency?: string;
  readonly state?: string;
  readonly region?: string;
  readonly network?: string;
  readonly kind?: Kind;
  readonly instrument?: InstrumentCode;
}

export interface UnusedFilter extends LineFilter {
  /** A provider. */
  readonly donor?: string;
  readonly status?: StandingOffer['status'];
}

export const GAP_FIGURES = ['asked', 'binding', 'delivered', 'unmet'] as const;
export type GapFigure = (typeof GAP_FIGURES)[number];

export const UNUSED_FIGURES = ['capacity', 'held', 'committed', 'available'] as const;
export type UnusedFigure = (typeof UNUSED_FIGURES)[number];

export interface CellList<Figure extends string> {
  readonly cells: Iterable<Cell<Figure>>;
  /** Position of the log that the figures stood at. */
  readonly asOf: string;
}

/** Value of a dimension in which a need stands nowhere: a network as beneficiary lies in no region we know. */
export const NONE = 'none';
/** Value of a dimension about which an earmark says nothing: it admits any. */
export const ANY = 'any';

/** Records read at a time: others have their turn in between, for each may stand in many cells. */
const PAGE = 50;

/** What is unmet of open needs, and unused of offers, as far as a caller sees them, now or at an earlier position of the log. */
@Injectable()
export class Gaps {
  constructor(
    private readonly history: LineHistory,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly networks: Networks,
    private readonly clock: Clock,
  ) {}

  /** Lines of needs that matching counted as open at `at` and whose body the caller sees now. */
  async unmet(
    caller: Caller,
    by: readonly Dimension[],
    filter: LineFilter,
    at: AsOf | undefined,
  ): Promise<CellList<GapFigure>> {
    const cut = this.history.cut(at);
    const day = this.dayOf(cut);
    const cells = new Cells<GapFigure>(by, GAP_FIGURES);
    const sees = await this.needs.bodiesSeenBy(caller);
    for await (const { id, doc } of this.counted('need', cut, sees)) {
      const where = this.placesOf(doc, day);
      if (!admitsNeed(filter, doc, where)) continue;
      for (const { line, kind, quantity } of doc.lines) {
        if (!admitsLine(filter, quantity) || (filter.kind !== undefined && filter.kind !== kind)) continue;
        const [binding, delivered] = this.history.figures(id, line, cut);
        const asked = isRival(quantity) ? minorUnits(quantity) : 0n;
        // What one line has too much of serves no other.
        const unmet = asked > binding ? asked - binding : 0n;
        cells.add({
          record: id,
          quantity,
          figures: { asked, binding, delivered, unmet },
          places: { ...where, kind: [kind] },
        });
      }
    }
    return { cells: cells.all(), asOf: String(cut.position) };
  }

  /** Lines of offers that were open or suspended at `at` and that the caller sees now. */
  async unused(
    caller: Caller,
    by: readonly Dimension[],
    filter: UnusedFilter,
    at: AsOf | undefined,
  ): Promise<CellList<UnusedFigure>> {
    const cut = this.history.cut(at);
    const admits = this.admitting(filter, this.dayOf(cut));
    const cells = new Cells<UnusedFigure>(by, UNUSED_FIGURES, ['capacity', 'available']);
    const sees = await this.offers.seenBy(caller);
    for await (const { id, doc } of this.counted('offer', cut, sees)) {
      if (!admits(doc)) continue;
      const { earmark } = doc;
      const where = {
        region: named(earmark.regions),
        instrument: named(earmark.instruments),
        network: named(earmark.networks),
        period: yearsOf(doc.period),
      };
      for (const { line, kinds, capacity } of doc.lines) {
        const kind = kindsOf(kinds, earmark.kinds);
        const { kind: asked } = filter;
        if (!admitsLine(filter, capacity) || (asked !== undefined && !admitsCode(kind, [asked, ANY]))) continue;
        const [held, committed] = this.history.figures(id, line, cut);
        const whole = isRival(capacity) ? minorUnits(capacity) : 0n;
        const figures = { capacity: whole, held, committed, available: whole - held - committed };
        cells.add({ record: id, quantity: capacity, figures, places: { ...where, kind } });
      }
    }
    return { cells: cells.all(), asOf: String(cut.position) };
  }

  private async *counted<Doc extends 'need' | 'offer'>(
    kind: Doc,
    cut: Cut,
    sees: (ids: readonly string[]) => ReadonlySet<string>,
  ): AsyncGenerator<ReturnType<typeof this.history.standing<Doc>>[number]> {
    for (let after = -1n; ;) {
      const page = this.history.standing(kind, cut, after, PAGE);
      const seen = sees(page.map(({ id }) => id));
      for (const each of page) if (seen.has(each.id)) yield each;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last.since;
      await yieldToLoop();
    }
  }

  /** The day on which memberships are asked. */
  private dayOf({ day }: Cut): string {
    const today = dateOf(this.clock.now());
    return day === undefined || day > today ? today : day;
  }

  private placesOf({ beneficiaries, instruments, period }: StandingNeed, day: string): Omit<Places, 'kind'> {
    const regions = beneficiaries.flatMap((party) => stateOf(stateOfParty(party) ?? '')?.regions ?? []);
    const networks = beneficiaries.flatMap((party) => [
      ...(party.startsWith('network:') ? [party] : []),
      ...this.networks.networksOf(party, day),
    ]);
    return {
      region: orNone(regions),
      instrument: orNone(instruments),
      network: orNone(networks),
      period: yearsOf(period),
    };
  }

  /** Offers are filtered as their list is: by what their earmark admits. */
  private admitting(filter: UnusedFilter, day: string): (offer: StandingOffer) => boolean {
    const { donor, status, state, region, network, instrument } = filter;
    const tests: ((offer: StandingOffer) => boolean)[] = [];
    if (donor !== undefined) tests.push(({ providers }) => providers.includes(donor));
    if (status !== undefined) tests.push((offer) => offer.status === status);
    if (instrument !== undefined) tests.push(({ earmark }) => admitsCode(earmark.instruments, [instrument]));
    if (state !== undefined) {
      const memberships = this.networks.networksOf(stateParty(state), day);
      tests.push(
        ({ earmark }) =>
          admitsCode(earmark.beneficiaries, [state, stateParty(state)]) &&
          admitsCode(earmark.regions, regionsOf(state)) &&
          admitsCode(earmark.networks, memberships),
      );
    }
    if (region !== undefined) {
      const states = STATES.filter(({ regions }) => regions.includes(region)).map(({ code }) => code);
      const parties = states.flatMap((code) => [code, stateParty(code)]);
      const regions = [region, ...states.flatMap(regionsOf)];
      tests.push(({ earmark }) => admitsCode(earmark.beneficiaries, parties) && admitsCode(earmark.regions, regions));
    }
    if (network !== undefined) {
      const members = this.networks.countedMembers(network, day);
      const parties = [network, ...members, ...members.flatMap((party) => stateOfParty(party) ?? [])];
      tests.push(
        ({ earmark }) => admitsCode(earmark.beneficiaries, parties) && admitsCode(earmark.networks, [network]),
      );
    }
    return (offer) => tests.every((test) => test(offer));
  }
}

const regionsOf = (state: string): readonly string[] => stateOf(state)?.regions ?? [];

const orNone = (values: readonly string[]): readonly string[] => (values.length === 0 ? [NONE] : [...new Set(values)]);

const named = (part: readonly string[] | undefined): readonly string[] =>
  part === undefined || part.length === 0 ? [ANY] : [...new Set(part)];

/** An absent or empty part of an earmark admits any. */
const admitsCode = (part: readonly string[] | undefined, codes: readonly string[]): boolean =>
  part === undefined || part.length === 0 || part.some((code) => codes.includes(code));

/** The kinds that both the line and the earmark admit. */
const kindsOf = (line: readonly Kind[], earmark: readonly Kind[] = []): readonly string[] => {
  if (line.length === 0 || earmark.length === 0) return named([...line, ...earmark]);
  return orNone(line.filter((kind) => earmark.includes(kind)));
};

const admitsLine = ({ measure, currency }: LineFilter, quantity: Quantity): boolean =>
  (measure === undefined || quantity.measure === measure) &&
  (currency === undefined || (quantity.measure === 'money' && quantity.currency === currency));

const admitsNeed = (
  { state, region, network, instrument }: LineFilter,
  { beneficiaries }: StandingNeed,
  where: Omit<Places, 'kind'>,
): boolean =>
  (state === undefined || beneficiaries.includes(stateParty(state))) &&
  (region === undefined || where.region.includes(region)) &&
  (network === undefined || where.network.includes(network)) &&
  (instrument === undefined || where.instrument.includes(instrument));
