import { Injectable } from '@nestjs/common';
import type { Caller, MandateInForce } from '#directory/contract';
import { ProjectionRunner, Transactor, Turns } from '#kernel';
import type { Quantity } from '#vocabulary';
import { lastInstant, minorUnits, stateParty, sumByMeasure } from '#vocabulary';
import { RecordKinds } from '#web';
import { reaches } from '../findings/grounds.js';
import { drawAtRandom, drawByUnits, intervalFor } from './drawing.js';
import type { CommitmentShown } from './evidence.js';
import { boundCommitments, SAMPLE_BOARD } from './sample-board.projection.js';
import type { SampleDraw, SampledItem, SampleFilter } from './sample.contract.js';
import type { DrawnSample } from './sample.js';
import { MOST_ITEMS } from './sample.js';

/** What an auditor asks to be drawn. */
export type SampleOrder = Pick<DrawnSample, 'of' | 'method' | 'size' | 'seed' | 'filter'>;

const PAGE = 200;

type Money = Extract<Quantity, { measure: 'money' }>;
const isMoney = (quantity: Quantity): quantity is Money => quantity.measure === 'money';

/** An item's name within its population. */
export const keyOf = ({ commitment, transfer }: SampledItem): string =>
  transfer === undefined ? commitment : `${commitment} ${String(transfer).padStart(6, '0')}`;

const inDays = (moment: string | null, { from = '', to = '9999-12-31' }: SampleFilter): boolean => {
  const day = moment === null ? '' : lastInstant(moment).slice(0, 10);
  return day >= from && day <= to;
};

/** The items of one commitment that a filter lets through. */
export const itemsOf = (
  { id, providers, beneficiaries, boundAt, legs, transfers }: CommitmentShown,
  of: DrawnSample['of'],
  filter: SampleFilter,
): readonly SampledItem[] => {
  const { donor, state } = filter;
  if (donor !== undefined && !providers.includes(donor)) return [];
  if (state !== undefined && !beneficiaries.includes(stateParty(state))) return [];
  if (of === 'commitments') {
    const amounts = sumByMeasure(legs.map(({ drawn }) => drawn).filter(isMoney));
    return inDays(boundAt, filter) ? [{ commitment: id, amounts }] : [];
  }
  return transfers
    .filter(({ amount, date }) => isMoney(amount) && inDays(date, filter))
    .map(({ n, amount }) => ({ commitment: id, transfer: n, amounts: [amount] }));
};

/** The draws that an order makes of a population. Pure: the same order and population give the same. */
export const drawnFrom = (
  { method, size, seed }: SampleOrder,
  population: readonly SampledItem[],
): readonly SampleDraw[] => {
  const drawables = population.map((item, place) => ({ place, key: keyOf(item), amount: 0n, item }));
  const placesOf = (drawn: readonly { readonly item: { readonly place: number }; readonly hits: number }[]) =>
    drawn.map(({ item: { place }, hits }) => ({ item: place, hits }));
  if (method === 'random') return [{ drawn: placesOf(drawAtRandom(drawables, size, seed)) }];
  const currencies = new Set(
    population.flatMap(({ amounts }) => amounts.filter(isMoney).map(({ currency }) => currency)),
  );
  return [...currencies].sort().map((currency) => {
    const items = drawables.flatMap(({ item, ...drawable }) =>
      item.amounts
        .filter((amount) => isMoney(amount) && amount.currency === currency)
        .map((amount) => ({ ...drawable, amount: minorUnits(amount) })),
    );
    const total = items.reduce((sum, { amount }) => sum + amount, 0n);
    const { interval, start } = intervalFor(total, size, seed, currency);
    return {
      currency,
      interval: String(interval),
      start: String(start),
      drawn: placesOf(drawByUnits(items, { interval, start })),
    };
  });
};

/** Draws samples of what an auditor sees and one of its mandates covers. */
@Injectable()
export class Sampling {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly transactor: Transactor,
    private readonly runner: ProjectionRunner,
  ) {}

  /** Undefined where the caller has no mandate in force. */
  async draw(caller: Caller, order: SampleOrder): Promise<DrawnSample | undefined> {
    const [mandate] = caller.mandates;
    if (mandate === undefined) return undefined;
    const drawn = await Promise.all(
      caller.mandates.map(async (each) => ({ each, population: await this.population(caller, each, order) })),
    );
    // The widest of its mandates.
    const { each, population } = drawn.reduce((most, next) =>
      next.population.length > most.population.length ? next : most,
    );
    return { ...order, mandate: each.mandate, population, draws: drawnFrom(order, population) };
  }

  /** The commitment as this caller sees it now; undefined where it does not. */
  async shown(caller: Caller, id: string): Promise<CommitmentShown | undefined> {
    const kind = this.kinds.of('commitment');
    if (kind === undefined) return undefined;
    const folded = await this.transactor.load(kind.decider, id);
    if (!kind.exists(folded.state) || !(await kind.sees(caller, id, folded.state))) return undefined;
    return (await kind.view(caller, id, folded)) as CommitmentShown;
  }

  private async population(
    caller: Caller,
    mandate: MandateInForce,
    { of, filter }: SampleOrder,
  ): Promise<readonly SampledItem[]> {
    const kind = this.kinds.of('commitment');
    if (kind?.mandated === undefined) return [];
    const items: SampledItem[] = [];
    const turns = new Turns();
    for (let after = 0; ;) {
      const page = boundCommitments(this.runner.model(SAMPLE_BOARD), PAGE, after);
      for (const { id } of page) {
        await turns.pass();
        const { state } = await this.transactor.load(kind.decider, id);
        if (!reaches(mandate, kind.mandated(id, state))) continue;
        const shown = await this.shown({ ...caller, mandates: [mandate] }, id);
        if (shown !== undefined) items.push(...itemsOf(shown, of, filter));
      }
      const last = page.at(-1);
      // A population that is too large is refused, however much too large it is.
      if (last === undefined || page.length < PAGE || items.length > MOST_ITEMS) return items;
      after = last.seq;
    }
  }
}
