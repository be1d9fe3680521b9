import type { Answer, Arc, Floor, NeedLine, OfferLine, Outcome, Problem } from './index.js';
import { allocate } from './allocate.js';
import { at } from './canonical-model.js';
import { Collected } from './collected.js';
import { Solver } from './solver.js';

/** A need line of 100 minor units of USD, unless said otherwise. */
export const need = (needId: string, given: Partial<NeedLine> = {}): NeedLine => ({
  needId,
  line: 1,
  kind: 'legal',
  states: ['VUT'],
  regions: ['001', '009'],
  measure: 'money:USD',
  outstanding: 100n,
  weight: 1,
  ...given,
});

/** An offer line of 100 minor units of USD, unless said otherwise. */
export const offer = (offerId: string, given: Partial<OfferLine> = {}): OfferLine => ({
  offerId,
  line: 1,
  donor: 'donor:japan',
  measure: 'money:USD',
  available: 100n,
  ...given,
});

export const arc = (needPlace: number, offerPlace: number, score = 1): Arc => ({
  need: needPlace,
  offer: offerPlace,
  score,
  because: 'they fit',
});

/** Every need with every offer of its measure, with score 1. */
export const everyArc = (needs: readonly NeedLine[], offers: readonly OfferLine[]): readonly Arc[] =>
  needs.flatMap((one, n) => offers.flatMap((other, o) => (one.measure === other.measure ? [arc(n, o)] : [])));

export const problem = (given: Partial<Problem> & Pick<Problem, 'needs' | 'offers'>): Problem => ({
  arcs: everyArc(given.needs, given.offers),
  budgets: [],
  floors: [],
  objective: 'max-value',
  seed: 1,
  ...given,
});

export const floor = (state: string, share: string): Floor => ({ state, share });

let loaded: Promise<Solver> | undefined;

/** Solves in this thread. */
export const solved = async (given: Problem): Promise<Outcome> => {
  loaded ??= Solver.load();
  const collected = new Collected(given);
  allocate(given, await loaded, (finding) => {
    collected.take(finding);
  });
  return collected.outcome();
};

/** As `solved`, where nothing but `done` will do. */
export const answered = async (given: Problem): Promise<Extract<Outcome, { status: 'done' }>['answer']> => {
  const outcome = await solved(given);
  if (outcome.status !== 'done') throw new Error(`${outcome.status}: ${'because' in outcome ? outcome.because : ''}`);
  return outcome.answer;
};

/** What of each line was given and drawn, and by which pairs; from the answer and the problem alone. */
export const tallied = (given: Problem, answer: Answer): Tally => {
  const byNeed = new Map<NeedLine, bigint>(given.needs.map((line) => [line, 0n]));
  const byOffer = new Map<OfferLine, bigint>(given.offers.map((line) => [line, 0n]));
  const pairs = answer.pairs.map((pair) => {
    const needLine = found(given.needs, ({ needId, line }) => needId === pair.needId && line === pair.needLine);
    const offerLine = found(given.offers, ({ offerId, line }) => offerId === pair.offerId && line === pair.offerLine);
    byNeed.set(needLine, (byNeed.get(needLine) ?? 0n) + pair.quantity);
    byOffer.set(offerLine, (byOffer.get(offerLine) ?? 0n) + pair.quantity);
    return { need: needLine, offer: offerLine, quantity: pair.quantity };
  });
  return { byNeed, byOffer, pairs };
};

const found = <T>(all: readonly T[], is: (one: T) => boolean): T => {
  const one = all.find(is);
  if (one === undefined) throw new Error('the answer names what the problem does not hold');
  return one;
};

export interface Tally {
  readonly byNeed: ReadonlyMap<NeedLine, bigint>;
  readonly byOffer: ReadonlyMap<OfferLine, bigint>;
  readonly pairs: readonly { readonly need: NeedLine; readonly offer: OfferLine; readonly quantity: bigint }[];
}

/** Every bound of the problem that these quantities break, in words. */
export const broken = (given: Problem, { byNeed, byOffer, pairs }: Tally): string[] => {
  const found: string[] = [];
  const sum = (counts: (pair: Tally['pairs'][number]) => boolean): bigint =>
    pairs.filter(counts).reduce((total, { quantity }) => total + quantity, 0n);
  for (const pair of pairs) {
    if (pair.quantity <= 0n) found.push(`${pair.need.needId} gets ${pair.quantity}`);
    if (pair.need.measure !== pair.offer.measure) found.push(`${pair.need.measure} from ${pair.offer.measure}`);
    if (pair.quantity < (pair.offer.minimumLot ?? 0n))
      found.push(`${pair.quantity} is below the lot of ${pair.offer.offerId}`);
    const admitted = given.arcs.some(
      (one) => given.needs[one.need] === pair.need && given.offers[one.offer] === pair.offer,
    );
    if (!admitted) found.push(`${pair.need.needId} from ${pair.offer.offerId} is not admitted`);
  }
  for (const [line, got] of byNeed) {
    if (got > line.outstanding) found.push(`${line.needId} gets ${got} of ${line.outstanding}`);
    if (line.singleSource === true && pairs.filter((pair) => pair.need === line).length > 1)
      found.push(`${line.needId} has two sources`);
  }
  for (const [line, drawn] of byOffer) {
    if (line.available !== 'unlimited' && drawn > line.available)
      found.push(`${line.offerId} gives ${drawn} of ${line.available}`);
  }
  for (const budget of given.budgets) {
    const spent = sum(
      ({ need: n, offer: o }) =>
        n.measure === budget.measure && ('donor' in budget ? o.donor === budget.donor : n.kind === budget.kind),
    );
    if (spent > budget.quantity)
      found.push(`${JSON.stringify({ ...budget, quantity: String(budget.quantity) })}: ${spent}`);
  }
  for (const one of given.floors) {
    const counts = (line: NeedLine): boolean =>
      'state' in one ? line.states.includes(one.state) : line.regions.includes(one.region);
    for (const measure of new Set(given.needs.map((line) => line.measure))) {
      const lines = given.needs.filter((line) => line.measure === measure && counts(line));
      if (!lines.some((line) => couldBeServed(given, line))) continue;
      const asked = lines.reduce((total, line) => total + line.outstanding, 0n);
      const got = lines.reduce((total, line) => total + (byNeed.get(line) ?? 0n), 0n);
      if (Number(got) < Number(one.share) * Number(asked) - 1e-9)
        found.push(`floor ${JSON.stringify(one)} in ${measure}: ${got} of ${asked}`);
    }
  }
  return found;
};

/** Whether one of its pairs could carry anything. */
export const couldBeServed = (given: Problem, line: NeedLine): boolean =>
  given.arcs.some((one) => {
    if (given.needs[one.need] !== line || line.outstanding === 0n) return false;
    const source = at(given.offers, one.offer);
    const caps = [
      line.outstanding,
      ...(source.available === 'unlimited' ? [] : [source.available]),
      ...given.budgets
        .filter(
          (budget) =>
            budget.measure === line.measure &&
            ('donor' in budget ? budget.donor === source.donor : budget.kind === line.kind),
        )
        .map(({ quantity }) => quantity),
    ];
    const most = caps.reduce((least, cap) => (cap < least ? cap : least));
    return most > 0n && most >= (source.minimumLot ?? 0n);
  });

/** weight × score × quantity ÷ outstanding over these pairs, in floating point: not as the engine reckons it. */
export const valueOf = (given: Problem, { pairs }: Pick<Tally, 'pairs'>): number =>
  pairs.reduce((total, pair) => {
    const one = found(
      given.arcs,
      (each) => given.needs[each.need] === pair.need && given.offers[each.offer] === pair.offer,
    );
    return total + (pair.need.weight * one.score * Number(pair.quantity)) / Number(pair.need.outstanding);
  }, 0);
