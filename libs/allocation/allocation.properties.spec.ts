import fc from 'fast-check';
import { solve as solveWithYalps } from 'yalps';
import type { Tally } from './allocation.fixture.js';
import {
  answered,
  broken,
  couldBeServed,
  need,
  offer,
  problem,
  solved,
  tallied,
  valueOf,
} from './allocation.fixture.js';
import { checkCertificate } from './certificate-check.js';
import type { Conflict, NeedLine, OfferLine, Problem } from './index.js';

/** Every allocation of whole units that keeps every bound, by trying all of them. */
const everyAllocation = function* (given: Problem): Generator<Tally> {
  const quantities = given.arcs.map(() => 0n);
  const most = given.arcs.map(({ need: n, offer: o }) => {
    const asked = given.needs[n]!.outstanding;
    const { available } = given.offers[o]!;
    return available === 'unlimited' || asked < available ? asked : available;
  });
  for (;;) {
    const byNeed = new Map<NeedLine, bigint>(given.needs.map((line) => [line, 0n]));
    const byOffer = new Map<OfferLine, bigint>(given.offers.map((line) => [line, 0n]));
    const pairs = given.arcs.flatMap(({ need: n, offer: o }, place) => {
      const quantity = quantities[place]!;
      const [one, other] = [given.needs[n]!, given.offers[o]!];
      byNeed.set(one, byNeed.get(one)! + quantity);
      byOffer.set(other, byOffer.get(other)! + quantity);
      return quantity > 0n ? [{ need: one, offer: other, quantity }] : [];
    });
    const tally = { byNeed, byOffer, pairs };
    if (broken(given, tally).length === 0) yield tally;
    let place = 0;
    while (place < quantities.length && quantities[place] === most[place]) {
      quantities[place] = 0n;
      place += 1;
    }
    if (place === quantities.length) return;
    quantities[place] = quantities[place]! + 1n;
  }
};

/** Worlds a rule is tried on; fast-check prints the seed of one that breaks it. */
const RUNS = 40;
const SMALL_RUNS = 100;

/** Mostly one, so that lines meet. */
const MEASURES = ['seats', 'seats', 'seats', 'items:marking-machine'];
const STATES = ['VUT', 'FJI'];

interface Shape {
  readonly lots: boolean;
  readonly single: boolean;
  readonly budgets: boolean;
  readonly floors: boolean;
}

/** Worlds small enough to try everything. */
const smallWorld = ({ lots, single, budgets, floors }: Shape): fc.Arbitrary<Problem> =>
  fc
    .record({
      needs: fc.array(
        fc.record({
          outstanding: fc.integer({ min: 1, max: 3 }),
          measure: fc.constantFrom(...MEASURES),
          weight: fc.constantFrom(0.5, 1, 3),
          state: fc.constantFrom(...STATES),
          kind: fc.constantFrom('legal', 'training'),
          singleSource: fc.constantFrom(...(single ? [true, true, false] : [false])),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      offers: fc.array(
        fc.record({
          available: fc.oneof(
            { weight: 5, arbitrary: fc.integer({ min: 0, max: 4 }) },
            { weight: 1, arbitrary: fc.constant('unlimited' as const) },
          ),
          measure: fc.constantFrom(...MEASURES),
          donor: fc.constantFrom('donor:japan', 'donor:norway'),
          lot: lots ? fc.integer({ min: 0, max: 3 }) : fc.constant(0),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      scores: fc.array(fc.constantFrom(undefined, 0.25, 0.5, 0.9, 1), { minLength: 9, maxLength: 9 }),
      donorBudget: budgets ? fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }) : fc.constant(undefined),
      kindBudget: budgets ? fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }) : fc.constant(undefined),
      shares: fc.array(fc.constantFrom('0.2', '0.5', '1'), { maxLength: floors ? 2 : 0 }),
    })
    .map(({ needs, offers, scores, donorBudget, kindBudget, shares }) =>
      problem({
        needs: needs.map(({ outstanding, state, ...rest }, n) =>
          need(`n${n}`, { ...rest, outstanding: BigInt(outstanding), states: [state] }),
        ),
        offers: offers.map(({ available, lot, ...rest }, o) =>
          offer(`o${o}`, {
            ...rest,
            available: available === 'unlimited' ? available : BigInt(available),
            ...(lot === 0 ? {} : { minimumLot: BigInt(lot) }),
          }),
        ),
        arcs: needs.flatMap((one, n) =>
          offers.flatMap((other, o) => {
            const score = scores[n * 3 + o];
            return score === undefined || one.measure !== other.measure
              ? []
              : [{ need: n, offer: o, score, because: 'they fit' }];
          }),
        ),
        budgets: [
          ...(donorBudget === undefined
            ? []
            : [{ donor: 'donor:japan', measure: 'seats', quantity: BigInt(donorBudget) }]),
          ...(kindBudget === undefined ? [] : [{ kind: 'legal', measure: 'seats', quantity: BigInt(kindBudget) }]),
        ],
        floors: shares.map((share, place) => ({ state: STATES[place]!, share })),
      }),
    );

const NONE: Shape = { lots: false, single: false, budgets: false, floors: false };
const ALL: Shape = { lots: true, single: true, budgets: true, floors: true };
/** Branch and bound may stop so near to the best. */
const WHOLE_GAP = 0.001;

describe('against every allocation of small worlds', () => {
  // Seen to fail when a budget of a donor was counted over all measures, when a choice was bounded by its lot instead of by the most it can
  // carry, and when nothing kept a line from two providers.
  it.each<[string, Shape, number]>([
    ['plain', NONE, 1e-6],
    ['with budgets', { ...NONE, budgets: true }, 1e-6],
    ['with floors', { ...NONE, floors: true }, WHOLE_GAP],
    ['with smallest lots', { ...NONE, lots: true }, WHOLE_GAP],
    ['with single providers', { ...NONE, single: true }, WHOLE_GAP],
    ['with all of them', ALL, WHOLE_GAP],
  ])('finds the greatest value: %s', async (_name, shape, within) => {
    await fc.assert(
      fc.asyncProperty(smallWorld(shape), async (given) => {
        let best = -1;
        for (const tally of everyAllocation(given)) best = Math.max(best, valueOf(given, tally));
        const outcome = await solved(given);
        if (best < 0) {
          expect(outcome.status).toBe('infeasible');
          return;
        }
        if (outcome.status !== 'done')
          throw new Error(`${outcome.status}: ${'because' in outcome ? outcome.because : ''}`);
        const tally = tallied(given, outcome.answer);
        expect(broken(given, tally)).toEqual([]);
        const value = valueOf(given, tally);
        expect(value).toBeGreaterThanOrEqual(best * (1 - within) - 1e-9);
        expect(value).toBeLessThanOrEqual(best + 1e-9);
        expect(Number(outcome.answer.value)).toBeCloseTo(value, 6);
        expect(checkCertificate(outcome.answer.certificate.join(''))).toMatchObject({ ok: true, doubts: [] });
      }),
      { numRuns: SMALL_RUNS },
    );
  });

  /** What is left of a problem that only these bounds of one measure are asked of. */
  const askedOnly = (given: Problem, conflict: readonly Conflict[]): Problem => {
    const { measure } = conflict[0]!;
    const holds = (kind: Conflict['kind'], of: string): boolean =>
      conflict.some((one) => one.kind === kind && one.of === of);
    return {
      ...given,
      needs: given.needs.map((line) => (line.measure === measure ? line : { ...line, outstanding: 0n })),
      floors: given.floors.filter((one) => 'state' in one && holds('floor', one.state)),
      budgets: given.budgets.filter(
        (one) => one.measure === measure && holds('budget', 'donor' in one ? one.donor : one.kind),
      ),
    };
  };

  // Seen to fail when no bound was tried without.
  it('names floors and budgets that cannot be kept together, and none that could be left out', async () => {
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(smallWorld(ALL), async (given) => {
        const outcome = await solved(given);
        if (outcome.status !== 'infeasible') return;
        for (const conflict of outcome.conflicts) {
          seen += 1;
          const keepable = (some: readonly Conflict[]): boolean =>
            some.length === 0 || everyAllocation(askedOnly(given, some)).next().done !== true;
          expect(keepable(conflict)).toBe(false);
          for (const one of conflict) expect(keepable(conflict.filter((other) => other !== one))).toBe(true);
        }
      }),
      { numRuns: SMALL_RUNS },
    );
    expect(seen).toBeGreaterThan(0);
  });

  /** By max-flow and min-cut: the scarcest set of lines against all that reaches it. */
  const greatestShare = (given: Problem, lines: readonly NeedLine[]): { asked: bigint; reachable: bigint } => {
    let least = { asked: 1n, reachable: 1n };
    for (let subset = 1; subset < 1 << lines.length; subset += 1) {
      const members = lines.filter((_, place) => (subset & (1 << place)) !== 0);
      const sources = given.offers.filter((_, o) =>
        given.arcs.some((one) => one.offer === o && members.includes(given.needs[one.need]!)),
      );
      if (sources.some(({ available }) => available === 'unlimited')) continue;
      const asked = members.reduce((sum, line) => sum + line.outstanding, 0n);
      const reachable = sources.reduce((sum, { available }) => sum + (available === 'unlimited' ? 0n : available), 0n);
      if (reachable * least.asked < least.reachable * asked) least = { asked, reachable };
    }
    return least;
  };

  // Seen to fail when demands were rounded down from a share a millionth too low, and when remainders were given where no room was.
  it('gives every line the greatest equal share, rounded to whole units, then the greatest value', async () => {
    await fc.assert(
      fc.asyncProperty(smallWorld(NONE), async (plain) => {
        const given: Problem = { ...plain, objective: 'max-min' };
        const answer = await answered(given);
        const tally = tallied(given, answer);
        expect(broken(given, tally)).toEqual([]);
        expect(checkCertificate(answer.certificate.join(''))).toMatchObject({ ok: true, doubts: [] });
        const demands = new Map<NeedLine, bigint>();
        for (const component of componentsOf(given)) {
          const { asked, reachable } = greatestShare(given, component);
          for (const line of component) demands.set(line, (line.outstanding * reachable) / asked);
        }
        for (const [line, demand] of demands) expect(tally.byNeed.get(line)).toBeGreaterThanOrEqual(demand);
        let best = -1;
        for (const each of everyAllocation(given)) {
          if ([...demands].every(([line, demand]) => each.byNeed.get(line)! >= demand))
            best = Math.max(best, valueOf(given, each));
        }
        expect(valueOf(given, tally)).toBeCloseTo(best, 6);
      }),
      { numRuns: SMALL_RUNS },
    );
  });

  // Seen to fail when a column was bounded by what its offer had available (low ends fell to 0), and when the dual at hand was taken for
  // the low end.
  it('prices say what one more unit adds and what one less costs', async () => {
    const bestOf = (given: Problem): number => {
      let best = 0;
      for (const tally of everyAllocation(given)) best = Math.max(best, valueOf(given, tally));
      return best;
    };
    await fc.assert(
      fc.asyncProperty(smallWorld({ ...NONE, budgets: true }), async (given) => {
        const answer = await answered(given);
        const value = bestOf(given);
        for (const price of answer.prices) {
          expect(price.basis).toBe('range');
          const place = given.offers.findIndex(({ offerId }) => offerId === price.offerId);
          const available = given.offers[place]!.available as bigint;
          const changed = (by: bigint): Problem => ({
            ...given,
            offers: given.offers.map((one, o) => (o === place ? { ...one, available: available + by } : one)),
          });
          expect(bestOf(changed(1n)) - value).toBeCloseTo(Number(price.low), 6);
          expect(value - bestOf(changed(-1n))).toBeCloseTo(Number(price.high), 6);
        }
      }),
      { numRuns: SMALL_RUNS },
    );
  });
});

/** Lines that pairs tie together. */
const componentsOf = (given: Problem): NeedLine[][] => {
  const arcs = given.arcs.filter(({ offer: o }) => given.offers[o]!.available !== 0n);
  const left = new Set(given.needs.filter((line) => couldBeServed(given, line)));
  const components: NeedLine[][] = [];
  for (const first of left) {
    const component = new Set([first]);
    for (const line of component) {
      left.delete(line);
      for (const one of arcs) {
        if (given.needs[one.need] !== line) continue;
        for (const other of arcs) if (other.offer === one.offer) component.add(given.needs[other.need]!);
      }
    }
    components.push([...component]);
  }
  return components;
};

const middlingWorld = fc.record({
  asked: fc.array(fc.integer({ min: 100, max: 5_000_000 }), { minLength: 6, maxLength: 20 }),
  given: fc.array(fc.integer({ min: 1, max: 8_000_000 }), { minLength: 4, maxLength: 15 }),
  admitted: fc.array(fc.boolean(), { minLength: 300, maxLength: 300 }),
  scores: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 300, maxLength: 300 }),
  weights: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 20, maxLength: 20 }),
  budget: fc.option(fc.integer({ min: 1, max: 10_000_000 }), { nil: undefined }),
});

const worldOf = ({
  asked,
  given,
  admitted,
  scores,
  weights,
  budget,
}: typeof middlingWorld extends fc.Arbitrary<infer T> ? T : never): Problem =>
  problem({
    needs: asked.map((outstanding, n) =>
      need(`n${n}`, { outstanding: BigInt(outstanding), weight: weights[n]!, states: [STATES[n % 2]!] }),
    ),
    offers: given.map((available, o) =>
      offer(`o${o}`, { available: BigInt(available), donor: o % 2 === 0 ? 'donor:japan' : 'donor:norway' }),
    ),
    arcs: asked.flatMap((_, n) =>
      given.flatMap((_other, o) => {
        const place = n * 15 + o;
        return admitted[place] === true ? [{ need: n, offer: o, score: scores[place]! / 100, because: '' }] : [];
      }),
    ),
    budgets: budget === undefined ? [] : [{ donor: 'donor:japan', measure: 'money:USD', quantity: BigInt(budget) }],
  });

describe('against another solver', () => {
  /** The same question as yalps understands it, in shares of what each line asks. */
  const yalps = (given: Problem, fair: boolean): number => {
    const constraints = new Map<string, { max?: number; min?: number }>();
    given.needs.forEach(({ outstanding }, n) => {
      constraints.set(`need ${n}`, { max: Number(outstanding) / 1e6 });
      if (fair && given.arcs.some((one) => one.need === n)) constraints.set(`share ${n}`, { min: 0 });
    });
    given.offers.forEach(({ available }, o) => constraints.set(`offer ${o}`, { max: Number(available) / 1e6 }));
    given.budgets.forEach(({ quantity }, b) => constraints.set(`budget ${b}`, { max: Number(quantity) / 1e6 }));
    const variables = given.arcs.map(({ need: n, offer: o, score }, place): readonly [string, Map<string, number>] => {
      const { weight, outstanding } = given.needs[n]!;
      const coefficients = new Map<string, number>([
        [`need ${n}`, 1],
        [`offer ${o}`, 1],
        ['value', fair ? 0 : (1e6 * weight * score) / Number(outstanding)],
      ]);
      if (fair) coefficients.set(`share ${n}`, 1);
      given.budgets.forEach((budget, b) => {
        if ('donor' in budget && budget.donor === given.offers[o]!.donor) coefficients.set(`budget ${b}`, 1);
      });
      return [`x${place}`, coefficients];
    });
    if (fair) {
      const shares = given.needs.map(({ outstanding }, n): [string, number] => [
        `share ${n}`,
        -Number(outstanding) / 1e6,
      ]);
      variables.push(['t', new Map([...shares.filter(([name]) => constraints.has(name)), ['value', 1], ['one', 1]])]);
      constraints.set('one', { max: 1 });
    }
    const { status, result } = solveWithYalps(
      { direction: 'maximize', objective: 'value', constraints, variables },
      { maxPivots: 100_000 },
    );
    if (status !== 'optimal') throw new Error(`yalps says ${status}`);
    return result;
  };

  // Seen to fail when scores were cut to tenths, and when a budget bounded the other donors.
  it('finds the same greatest value', async () => {
    await fc.assert(
      fc.asyncProperty(middlingWorld.map(worldOf), async (given) => {
        const answer = await answered(given);
        const tally = tallied(given, answer);
        expect(broken(given, tally)).toEqual([]);
        const other = yalps(given, false);
        expect(Math.abs(valueOf(given, tally) - other)).toBeLessThanOrEqual(1e-5 * Math.max(1, other));
        expect(checkCertificate(answer.certificate.join(''))).toMatchObject({ ok: true, doubts: [] });
      }),
      { numRuns: RUNS },
    );
  });

  // Seen to fail when the share of each line was reckoned by what the first one asks.
  it('finds the same greatest equal share', async () => {
    await fc.assert(
      fc.asyncProperty(middlingWorld.map(worldOf), async (plain) => {
        const given: Problem = { ...plain, objective: 'max-min' };
        const answer = await answered(given);
        expect(broken(given, tallied(given, answer))).toEqual([]);
        const parts = answer.fairness.equalShares;
        const least = parts.reduce((share, part) => Math.min(share, Number(part.possible)), 1);
        expect(least).toBeCloseTo(yalps(given, true), 5);
        // A line gets whole units: what it has less than its share is less than one of them.
        const unit = Math.max(...given.needs.map(({ outstanding }) => 1 / Number(outstanding)));
        for (const { possible, reached } of parts)
          expect(Number(reached)).toBeGreaterThan(Number(possible) - 3e-6 - unit);
        expect(checkCertificate(answer.certificate.join(''))).toMatchObject({ ok: true, doubts: [] });
      }),
      { numRuns: RUNS },
    );
  });
});

describe('always', () => {
  const figure = fc.oneof(
    fc.bigInt({ min: 1n, max: 50n }),
    fc.bigInt({ min: 1n, max: 10n ** 9n }),
    fc.bigInt({ min: 10n ** 14n, max: 10n ** 18n }),
  );
  const wideWorld = fc
    .record({
      needs: fc.array(
        fc.record({
          outstanding: figure,
          weight: fc.constantFrom(0.001, 1, 1000),
          state: fc.constantFrom(...STATES),
          kind: fc.constantFrom('legal', 'training'),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      offers: fc.array(fc.record({ available: figure, donor: fc.constantFrom('donor:japan', 'donor:norway') }), {
        minLength: 1,
        maxLength: 8,
      }),
      measures: fc.array(fc.constantFrom('money:USD', 'money:JPY', 'person-days'), { minLength: 20, maxLength: 20 }),
      scores: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 96, maxLength: 96 }),
      budget: fc.option(figure, { nil: undefined }),
      objective: fc.constantFrom('max-value', 'max-min'),
    })
    .map(({ needs, offers, measures, scores, budget, objective }): Problem => {
      const needLines = needs.map(({ state, ...rest }, n) =>
        need(`n${n}`, { ...rest, states: [state], measure: measures[n]! }),
      );
      const offerLines = offers.map((rest, o) => offer(`o${o}`, { ...rest, measure: measures[12 + o]! }));
      return problem({
        needs: needLines,
        offers: offerLines,
        arcs: needLines.flatMap((one, n) =>
          offerLines.flatMap((other, o) =>
            one.measure === other.measure ? [{ need: n, offer: o, score: scores[n * 8 + o]!, because: '' }] : [],
          ),
        ),
        budgets: budget === undefined ? [] : [{ kind: 'legal', measure: 'money:USD', quantity: budget }],
        objective,
      });
    });

  // Seen to fail when quantities too great by the solver's tolerance were left so, and when nothing was filled up after rounding.
  it('keeps every bound to the last unit, never mixes measures, and leaves nothing that a pair could still take', async () => {
    await fc.assert(
      fc.asyncProperty(wideWorld, async (given) => {
        const answer = await answered(given);
        const tally = tallied(given, answer);
        expect(broken(given, tally)).toEqual([]);
        expect(checkCertificate(answer.certificate.join(''))).toMatchObject({ ok: true, doubts: [] });
        for (const { need: n, offer: o } of given.arcs) {
          const [one, other] = [given.needs[n]!, given.offers[o]!];
          const budgets = given.budgets.filter(
            (budget) => budget.measure === one.measure && 'kind' in budget && budget.kind === one.kind,
          );
          const spent = budgets.some(
            ({ quantity }) =>
              tally.pairs
                .filter((pair) => pair.need.kind === one.kind && pair.need.measure === one.measure)
                .reduce((sum, pair) => sum + pair.quantity, 0n) === quantity,
          );
          expect(
            tally.byNeed.get(one) === one.outstanding || tally.byOffer.get(other) === other.available || spent,
          ).toBe(true);
        }
        const left = new Map(answer.unmet.map(({ needId, quantity }) => [needId, quantity] as const));
        for (const line of given.needs)
          expect(left.get(line.needId) ?? 0n).toBe(line.outstanding - tally.byNeed.get(line)!);
      }),
      { numRuns: RUNS },
    );
  });

  // Seen to fail when the solver was given a seed of its own.
  it('gives the same bytes for the same problem', async () => {
    await fc.assert(
      fc.asyncProperty(smallWorld(ALL), async (given) => {
        expect(await solved(structuredClone(given))).toEqual(await solved(given));
      }),
      { numRuns: RUNS },
    );
  });
});
