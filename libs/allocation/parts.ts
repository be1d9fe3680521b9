import { decimal } from '#vocabulary';
import { at } from './canonical-model.js';
import type { CanonicalPart } from './certificate.js';
import { MICRO } from './certificate.js';
import type { BindingCode, FloorReport, LeftOut } from './outcome.js';
import { budgetOf, floorOf } from './problem-faults.js';
import type { Budget, Floor, NeedLine, OfferLine, Problem } from './problem.js';
import { MOST_OFFERS_PER_LINE } from './problem.js';

/** Lines that pairs, budgets and floors tie together: solved by itself, nothing outside can change it. */
export interface Part {
  readonly number: number;
  readonly canonical: CanonicalPart;
  /** Places in the problem of the canonical needs, offers and pairs. */
  readonly needs: readonly number[];
  readonly offers: readonly number[];
  readonly arcs: readonly number[];
  /** Places in `Divided.floors` of the canonical floors. */
  readonly floors: readonly number[];
}

export interface Divided {
  /** By the first need line in them. */
  readonly parts: readonly Part[];
  readonly leftOut: readonly LeftOut[];
  readonly floors: readonly FloorReport[];
  /** Floors that ask nothing because no pair is admitted in a measure. */
  readonly notes: readonly string[];
  /** Of each need line that has outstanding: why pairs with it can carry nothing, and how many. */
  readonly hopeless: ReadonlyMap<number, ReadonlyMap<BindingCode, number>>;
  /** Need lines with something outstanding that are in no part. */
  readonly withoutOffer: readonly number[];
}

/** A floor in one measure. */
interface MeasuredFloor {
  readonly report: FloorReport;
  readonly members: readonly number[];
}

/** Divides a problem into the parts that can be solved alone; a problem without faults. */
export const divided = (problem: Problem): Divided => {
  const { kept, hopeless } = carrying(problem);
  const { arcs, leftOut } = bestOnly(problem, kept);
  const served = new Set(arcs.map((arc) => at(problem.arcs, arc).need));
  const { floors, notes } = measuredFloors(problem, served);
  const needs = problem.needs.length;
  const groups = new Groups(needs + problem.offers.length);
  for (const arc of arcs) groups.join(at(problem.arcs, arc).need, needs + at(problem.arcs, arc).offer);
  const used = new Set(arcs.map((arc) => at(problem.arcs, arc).offer));
  const bounded = problem.budgets.map((budget) => membersOf(budget, problem, served, used));
  for (const { side, members } of bounded)
    groups.joinAll(members.map((member) => (side === 'need' ? member : needs + member)));
  for (const { members } of floors) groups.joinAll(members);

  const byGroup = new Map<
    number,
    { needs: number[]; offers: number[]; arcs: number[]; budgets: number[]; floors: number[] }
  >();
  const groupOf = (place: number) => {
    const key = groups.of(place);
    const found = byGroup.get(key) ?? { needs: [], offers: [], arcs: [], budgets: [], floors: [] };
    byGroup.set(key, found);
    return found;
  };
  for (const need of [...served].sort((a, b) => a - b)) groupOf(need).needs.push(need);
  for (const offer of [...used].sort((a, b) => a - b)) groupOf(needs + offer).offers.push(offer);
  let [need, group] = [-1, { arcs: [] as number[] }];
  for (const arc of arcs) {
    // Pairs mostly come need by need.
    if (at(problem.arcs, arc).need !== need) {
      need = at(problem.arcs, arc).need;
      group = groupOf(need);
    }
    group.arcs.push(arc);
  }
  bounded.forEach(({ side, members }, budget) => {
    const [first] = members;
    if (first !== undefined) groupOf(side === 'need' ? first : needs + first).budgets.push(budget);
  });
  floors.forEach(({ members }, floor) => groupOf(at(members, 0)).floors.push(floor));
  const places = { need: new Int32Array(needs), offer: new Int32Array(problem.offers.length) };
  const parts = [...byGroup.values()].map((group, number): Part => ({
    number,
    needs: group.needs,
    offers: group.offers,
    arcs: group.arcs,
    floors: group.floors,
    canonical: canonicalOf(problem, group, bounded, floors, places),
  }));
  return {
    parts,
    leftOut,
    floors: floors.map(({ report }) => report),
    notes,
    hopeless,
    withoutOffer: problem.needs.flatMap(({ outstanding }, need) =>
      outstanding > 0n && !served.has(need) ? [need] : [],
    ),
  };
};

/**
 * A part with the pairs that its budgets leave nothing, and the lines of its floors that only such pairs could serve: a budget of nothing may
 * be what a floor cannot be kept together with.
 */
export const withBudgetedOut = (problem: Problem, division: Divided, part: Part): CanonicalPart => {
  const needOf = (arc: number): number => at(problem.arcs, arc).need;
  const offerOf = (arc: number): number => at(problem.arcs, arc).offer;
  const out = problem.arcs.flatMap((_, arc) => {
    const [line, source] = [at(problem.needs, needOf(arc)), at(problem.offers, offerOf(arc))];
    const asks = line.outstanding > 0n && line.measure === part.canonical.measure;
    return asks && hopelessBecause(line, source, problem.budgets) === 'budget' ? [arc] : [];
  });
  const own = part.floors.map((floor) => at(division.floors, floor));
  const floors = measuredFloors(problem, new Set([...part.needs, ...out.map(needOf)])).floors.filter(({ report }) =>
    own.some(({ of, measure }) => of === report.of && measure === report.measure),
  );
  const needs = new Set([...part.needs, ...floors.flatMap(({ members }) => members)]);
  const arcs = inOrder([...part.arcs, ...out.filter((arc) => needs.has(needOf(arc)))]);
  const offers = new Set(arcs.map(offerOf));
  const bounded = problem.budgets.map((budget) => membersOf(budget, problem, needs, offers));
  return canonicalOf(
    problem,
    {
      needs: inOrder(needs),
      offers: inOrder(offers),
      arcs,
      budgets: bounded.flatMap(({ members }, budget) => (members.length > 0 ? [budget] : [])),
      floors: floors.map((_, floor) => floor),
    },
    bounded,
    floors,
    { need: new Int32Array(problem.needs.length), offer: new Int32Array(problem.offers.length) },
  );
};

const inOrder = (places: Iterable<number>): number[] => [...places].sort((a, b) => a - b);

/** Pairs that can carry something, and of the others why not. */
const carrying = (problem: Problem): { readonly kept: readonly number[]; readonly hopeless: Divided['hopeless'] } => {
  const { needs, offers, arcs, budgets } = problem;
  const hopeless = new Map<number, Map<BindingCode, number>>();
  const kept: number[] = [];
  arcs.forEach(({ need, offer }, arc) => {
    const needLine = at(needs, need);
    if (needLine.outstanding === 0n) return;
    const code = hopelessBecause(needLine, at(offers, offer), budgets);
    if (code === undefined) kept.push(arc);
    else {
      const codes = hopeless.get(need) ?? new Map<BindingCode, number>();
      codes.set(code, (codes.get(code) ?? 0) + 1);
      hopeless.set(need, codes);
    }
  });
  return { kept, hopeless };
};

const hopelessBecause = (need: NeedLine, offer: OfferLine, budgets: readonly Budget[]): BindingCode | undefined => {
  const { available, minimumLot = 0n } = offer;
  if (available === 0n) return 'offer-used-up';
  let most = available === 'unlimited' || need.outstanding < available ? need.outstanding : available;
  if (most < minimumLot) return 'minimum-lot';
  for (const budget of budgets) {
    const holds = 'donor' in budget ? budget.donor === offer.donor : budget.kind === need.kind;
    if (holds && budget.measure === need.measure && budget.quantity < most) most = budget.quantity;
  }
  return most === 0n || most < minimumLot ? 'budget' : undefined;
};

/** The best pairs of every need line, in the order of the problem. */
const bestOnly = (
  problem: Problem,
  kept: readonly number[],
): { readonly arcs: readonly number[]; readonly leftOut: readonly LeftOut[] } => {
  const ofNeed: number[][] = problem.needs.map(() => []);
  for (const arc of kept) at(ofNeed, at(problem.arcs, arc).need).push(arc);
  const without = new Set<number>();
  const leftOut: LeftOut[] = [];
  ofNeed.forEach((arcs, need) => {
    if (arcs.length <= MOST_OFFERS_PER_LINE) return;
    const offerOf = (arc: number): OfferLine => at(problem.offers, at(problem.arcs, arc).offer);
    const ranked = [...arcs].sort((a, b) => {
      const [one, other] = [offerOf(a), offerOf(b)];
      return (
        at(problem.arcs, b).score - at(problem.arcs, a).score ||
        (one.offerId < other.offerId ? -1 : one.offerId > other.offerId ? 1 : one.line - other.line)
      );
    });
    const rest = ranked.slice(MOST_OFFERS_PER_LINE);
    for (const arc of rest) without.add(arc);
    const { needId, line } = at(problem.needs, need);
    leftOut.push({
      needId,
      needLine: line,
      offers: rest.map((arc) => ({ offerId: offerOf(arc).offerId, offerLine: offerOf(arc).line })),
    });
  });
  return { arcs: without.size === 0 ? kept : kept.filter((arc) => !without.has(arc)), leftOut };
};

const measuredFloors = (
  problem: Problem,
  served: ReadonlySet<number>,
): { readonly floors: readonly MeasuredFloor[]; readonly notes: readonly string[] } => {
  const floors: MeasuredFloor[] = [];
  const notes: string[] = [];
  for (const floor of problem.floors) {
    const byMeasure = new Map<string, number[]>();
    problem.needs.forEach((need, place) => {
      if (need.outstanding > 0n && counts(floor, need))
        byMeasure.set(need.measure, [...(byMeasure.get(need.measure) ?? []), place]);
    });
    if (byMeasure.size === 0)
      notes.push(`the floor for ${floorOf(floor)} asks nothing: it has no line with anything outstanding`);
    for (const [measure, lines] of [...byMeasure].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const members = lines.filter((line) => served.has(line));
      if (members.length === 0) {
        notes.push(`the floor for ${floorOf(floor)} asks nothing in ${measure}: no offer is admitted there`);
        continue;
      }
      const outstanding = lines.reduce((sum, line) => sum + at(problem.needs, line).outstanding, 0n);
      const { digits, scale } = decimal(floor.share);
      const whole = 10n ** BigInt(scale);
      const asked = (digits * outstanding + whole - 1n) / whole;
      floors.push({ report: { of: floorOf(floor), measure, share: floor.share, outstanding, asked }, members });
    }
  }
  return { floors, notes };
};

const counts = (floor: Floor, { states, regions }: NeedLine): boolean =>
  'state' in floor ? states.includes(floor.state) : regions.includes(floor.region);

const membersOf = (
  budget: Budget,
  { needs, offers }: Problem,
  served: ReadonlySet<number>,
  used: ReadonlySet<number>,
): { readonly side: 'need' | 'offer'; readonly members: readonly number[] } => {
  if ('kind' in budget) {
    const members = needs.flatMap(({ kind, measure }, need) =>
      kind === budget.kind && measure === budget.measure && served.has(need) ? [need] : [],
    );
    return { side: 'need', members };
  }
  const members = offers.flatMap(({ donor, measure }, offer) =>
    donor === budget.donor && measure === budget.measure && used.has(offer) ? [offer] : [],
  );
  return { side: 'offer', members };
};

const canonicalOf = (
  problem: Problem,
  group: {
    readonly needs: number[];
    readonly offers: number[];
    readonly arcs: number[];
    readonly budgets: number[];
    readonly floors: number[];
  },
  bounded: readonly { readonly side: 'need' | 'offer'; readonly members: readonly number[] }[],
  floors: readonly MeasuredFloor[],
  /** Of every line of the problem its place in its part; filled here for the lines of this one. */
  places: { readonly need: Int32Array; readonly offer: Int32Array },
): CanonicalPart => {
  group.needs.forEach((need, place) => {
    places.need[need] = place;
  });
  group.offers.forEach((offer, place) => {
    places.offer[offer] = place;
  });
  const placeOf = (side: 'need' | 'offer', of: number): number => places[side][of] ?? -1;
  const arcs = group.arcs.map((arc) => at(problem.arcs, arc));
  return {
    measure: at(problem.needs, at(group.needs, 0)).measure,
    needs: group.needs.map((place) => {
      const { needId, line, outstanding, weight, singleSource } = at(problem.needs, place);
      return {
        needId,
        line,
        outstanding: String(outstanding),
        weight: Math.round(weight * MICRO),
        singleSource: singleSource === true,
      };
    }),
    offers: group.offers.map((place) => {
      const { offerId, line, available, minimumLot = 0n } = at(problem.offers, place);
      // One minor unit is the least that anything carries.
      return { offerId, line, available: String(available), minimumLot: minimumLot > 1n ? String(minimumLot) : '0' };
    }),
    arcs: {
      need: arcs.map(({ need }) => placeOf('need', need)),
      offer: arcs.map(({ offer }) => placeOf('offer', offer)),
      score: arcs.map(({ score }) => Math.round(score * MICRO)),
    },
    budgets: group.budgets.map((place) => {
      const budget = at(problem.budgets, place);
      const { side, members } = at(bounded, place);
      return {
        side,
        of: budgetOf(budget),
        quantity: String(budget.quantity),
        members: members.map((of) => placeOf(side, of)),
      };
    }),
    floors: group.floors.map((place) => {
      const { report, members } = at(floors, place);
      return { of: report.of, quantity: String(report.asked), members: members.map((of) => placeOf('need', of)) };
    }),
  };
};

/** Which things belong together, by what joins them. */
class Groups {
  private readonly parents: number[];

  constructor(size: number) {
    this.parents = Array.from({ length: size }, (_, place) => place);
  }

  of(place: number): number {
    let root = place;
    for (let parent = at(this.parents, root); parent !== root; parent = at(this.parents, root)) root = parent;
    for (let next = place; next !== root;) {
      const parent = at(this.parents, next);
      this.parents[next] = root;
      next = parent;
    }
    return root;
  }

  join(a: number, b: number): void {
    const [one, other] = [this.of(a), this.of(b)];
    this.parents[Math.max(one, other)] = Math.min(one, other);
  }

  joinAll(places: readonly number[]): void {
    const [first] = places;
    if (first !== undefined) for (const place of places) this.join(first, place);
  }
}
