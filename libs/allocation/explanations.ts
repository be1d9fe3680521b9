import { activityOf, at } from './canonical-model.js';
import type { Binding, BindingCode, Pair, Price, Unmet } from './outcome.js';
import type { Divided, Part } from './parts.js';
import { needName } from './problem-faults.js';
import type { Problem } from './problem.js';
import type { PartSolution } from './solve-part.js';
import { valueNumber } from './solver.js';
import { counted, inWords, minorPerUnit, percentOf, plainDecimal, unitIn } from './words.js';

type Solution = Extract<PartSolution, { readonly kind: 'solved' }>;

/** What each pair carries, and how much that is of what is asked, in the order of the part's pairs; beside each its place in the problem. */
export const pairsOf = (problem: Problem, part: Part, { quantities }: Solution): readonly (readonly [Pair, number])[] =>
  quantities.flatMap((quantity, place) => {
    if (quantity === 0n) return [];
    const arcPlace = at(part.arcs, place);
    const arc = at(problem.arcs, arcPlace);
    const { needId, line: needLine, measure, outstanding } = at(problem.needs, arc.need);
    const { offerId, line: offerLine } = at(problem.offers, arc.offer);
    const because = `${inWords(measure, quantity)} is ${percentOf(quantity, outstanding)} of what the line has outstanding`;
    return [[{ needId, needLine, offerId, offerLine, measure, quantity, because }, arcPlace] as const];
  });

/** What stays outstanding in a part, and what keeps each line from more. */
export const unmetOf = (problem: Problem, part: Part, solution: Solution, hopeless: Divided['hopeless']): Unmet[] => {
  const { model, quantities, duals } = solution;
  const { need: needOf, offer: offerOf } = part.canonical.arcs;
  const left = part.canonical.needs.map(({ outstanding }) => BigInt(outstanding));
  const arcsOf: number[][] = part.canonical.needs.map(() => []);
  quantities.forEach((quantity, arc) => {
    const need = at(needOf, arc);
    left[need] = at(left, need) - quantity;
    at(arcsOf, need).push(arc);
  });
  const usedUp = new Set<number>();
  const servedBy: number[][] = part.canonical.offers.map(() => []);
  quantities.forEach((quantity, arc) => {
    if (quantity > 0n) at(servedBy, at(offerOf, arc)).push(arc);
  });
  /** Budgets that are spent, by offer and by need. */
  const spent = { offer: new Map<number, string>(), need: new Map<number, string>() };
  /** Needs that a floor or the equal share gives more than value alone would. */
  const kept = new Map<number, BindingCode>();
  model.rows.forEach((row, place) => {
    if (row.kind !== 'offer' && row.kind !== 'budget' && row.kind !== 'floor' && row.kind !== 'least-share') return;
    if (activityOf(row, quantities) !== row.bound) return;
    if (row.kind === 'offer') usedUp.add(row.of);
    else if (row.kind === 'budget') {
      const { side, of, members } = at(part.canonical.budgets, row.of);
      for (const member of members) spent[side].set(member, of);
    } else if (at(duals, place) > 0n) {
      const members = row.kind === 'floor' ? at(part.canonical.floors, row.of).members : [row.of];
      for (const member of members) kept.set(member, row.kind === 'floor' ? 'floor' : 'fairness');
    }
  });
  const codeOf = (arc: number): BindingCode => {
    const need = at(needOf, arc);
    const offer = at(offerOf, arc);
    const choice = at(model.choices, arc);
    const { singleSource } = at(part.canonical.needs, need);
    if (singleSource && quantities[arc] === 0n && at(arcsOf, need).some((other) => at(quantities, other) > 0n))
      return 'single-source';
    if (spent.need.has(need) || spent.offer.has(offer)) return 'budget';
    if (!usedUp.has(offer)) return choice < 0 ? 'offer-used-up' : 'minimum-lot';
    const cost = at(model.costs, arc);
    const elsewhere = at(servedBy, offer).find((other) => {
      const code = kept.get(at(needOf, other));
      return code !== undefined && at(needOf, other) !== need && at(model.costs, other) < cost;
    });
    return (elsewhere === undefined ? undefined : kept.get(at(needOf, elsewhere))) ?? 'offer-used-up';
  };
  return left.flatMap((quantity, place) => {
    if (quantity === 0n) return [];
    const counts = new Map<BindingCode, number>(hopeless.get(at(part.needs, place)) ?? []);
    const budgets = new Set<string>();
    for (const arc of at(arcsOf, place)) {
      const code = codeOf(arc);
      counts.set(code, (counts.get(code) ?? 0) + 1);
      const budget = spent.need.get(place) ?? spent.offer.get(at(offerOf, arc));
      if (code === 'budget' && budget !== undefined) budgets.add(budget);
    }
    return [unmet(problem, at(part.needs, place), quantity, counts, [...budgets])];
  });
};

/** A line that no part holds, or one whose part came to nothing (`code`). */
export const unservedLine = (
  problem: Problem,
  need: number,
  hopeless: Divided['hopeless'],
  code?: BindingCode,
): Unmet => {
  const counts = new Map<BindingCode, number>(code === undefined ? hopeless.get(need) : [[code, 0]]);
  if (counts.size === 0) counts.set('no-offer', 0);
  return unmet(problem, need, at(problem.needs, need).outstanding, counts, []);
};

const unmet = (
  problem: Problem,
  need: number,
  quantity: bigint,
  counts: ReadonlyMap<BindingCode, number>,
  budgets: readonly string[],
): Unmet => {
  const { needId, line, measure } = at(problem.needs, need);
  const binds = [...counts]
    .map(([code, offers]): Binding => ({ code, offers, because: sentenceOf(code, offers, budgets) }))
    .sort((a, b) => b.offers - a.offers || (a.code < b.code ? -1 : 1));
  return { needId, needLine: line, measure, quantity, binds, because: binds.map(({ because }) => because).join('; ') };
};

const sentenceOf = (code: BindingCode, offers: number, budgets: readonly string[]): string => {
  const lines = counted(offers, 'offer line that fits', 'offer lines that fit');
  switch (code) {
    case 'no-offer':
      return 'no offer is admitted';
    case 'offer-used-up':
      return `${lines}: used up`;
    case 'budget':
      return `${lines}: kept back by ${budgets.length === 0 ? 'a budget' : `the budget of ${budgets.join(' and ')}`}`;
    case 'minimum-lot':
      return `${lines}: the smallest lot is more than could still be drawn or is asked`;
    case 'single-source':
      return `${lines}: the line takes one provider only, and another serves it`;
    case 'floor':
      return `${lines}: kept for others by a floor`;
    case 'fairness':
      return `${lines}: kept for the equal share of others`;
    case 'limit':
      return "the solver's limit was reached before an allocation was found";
    case 'conflict':
      return 'the floors that concern it cannot be kept together';
    case 'failed':
      return 'the solver failed on the lines it stands with';
    case 'not-reached':
      return 'the run ended before this line was looked at';
  }
};

/** What one more unit of each offer line with a bound would add. */
export const pricesOf = (problem: Problem, part: Part, solution: Solution): Price[] => {
  const { model, duals, ranges, whole } = solution;
  const perUnit = Number(minorPerUnit(part.canonical.measure));
  const dualOf = new Map(
    model.rows.flatMap(({ kind, of }, place) => (kind === 'offer' ? [[of, at(duals, place)] as const] : [])),
  );
  const noise = PRICE_NOISE * model.costs.reduce((greatest, cost) => Math.max(greatest, valueNumber(cost)), 0);
  const nextOf = nextNeeds(part, solution);
  return part.canonical.offers.flatMap(({ available }, place) => {
    if (available === 'unlimited') return [];
    const { offerId, line, measure } = at(problem.offers, at(part.offers, place));
    const range = ranges?.get(place);
    const one = valueNumber(dualOf.get(place) ?? 0n);
    const [least, most] = [range?.low ?? one, range?.high ?? one].map((price) => (price < noise ? 0 : price * perUnit));
    const low = plainDecimal(least ?? 0);
    const together = most !== undefined && least !== undefined && most - least <= ONE_PRICE * most;
    const high = together ? low : most === Infinity ? 'unbounded' : plainDecimal(most ?? 0);
    const next = nextOf.get(place);
    const to = next === undefined ? '' : `, first of all to ${needName(at(problem.needs, at(part.needs, next)))}`;
    return [
      {
        offerId,
        offerLine: line,
        measure,
        low,
        high,
        basis: range === undefined ? ('one-valid-price' as const) : ('range' as const),
        givenTheLots: whole,
        because: priceSentence(unitIn(measure), low, high, to, range === undefined, whole),
      },
    ];
  });
};

/** Against the greatest price a pair could pay, what is below this is noise. */
const PRICE_NOISE = 1e-11;
/** Ends so near to each other are one price. */
const ONE_PRICE = 1e-8;

const priceSentence = (
  unit: string,
  low: string,
  high: string,
  to: string,
  oneOfMany: boolean,
  whole: boolean,
): string => {
  const given = whole ? ', given the chosen lots' : '';
  if (oneOfMany)
    return `one more ${unit} would add ${low} to the value${to}${given}: one valid price, others may be as valid`;
  if (low === high) {
    return low === '0'
      ? `one more ${unit} would meet nothing that is not met without it${given}`
      : `one more ${unit} would add ${low} to the value${to}${given}`;
  }
  const less =
    high === 'unbounded' ? 'without one the floors or equal shares could not be kept' : `one less would cost ${high}`;
  return `one more ${unit} would add ${low} to the value${low === '0' ? '' : to}; ${less}${given}`;
};

/** Of each offer line the need line with something left that it serves best. */
const nextNeeds = (part: Part, { model, quantities }: Solution): ReadonlyMap<number, number> => {
  const { need: needOf, offer: offerOf } = part.canonical.arcs;
  const left = part.canonical.needs.map(({ outstanding }) => BigInt(outstanding));
  quantities.forEach((quantity, arc) => {
    left[at(needOf, arc)] = at(left, at(needOf, arc)) - quantity;
  });
  const best = new Map<number, number>();
  quantities.forEach((_quantity, arc) => {
    if (at(left, at(needOf, arc)) === 0n) return;
    const offer = at(offerOf, arc);
    const other = best.get(offer);
    if (other === undefined || at(model.costs, arc) > at(model.costs, other)) best.set(offer, arc);
  });
  return new Map([...best].map(([offer, arc]) => [offer, at(needOf, arc)] as const));
};
