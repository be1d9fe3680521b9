import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { ProjectionRunner } from '#kernel';
import type { Quantity } from '#vocabulary';
import { minorUnits, quantityOf, sumByMeasure } from '#vocabulary';
import type { CommandAccess, RecordKind, PastView } from '#web';
import { RecordKinds } from '#web';
import type { AnsweredRequest } from '../confirmations/confirmation-board.projection.js';
import { answeredAbout, CONFIRMATION_BOARD } from '../confirmations/confirmation-board.projection.js';
import type { Evidence } from './evidence.js';
import { evidenceFor } from './evidence.js';
import type { SampledItem, SampleEvent } from './sample.contract.js';
import type { SampleCommand, SampleRejection, SampleState } from './sample.js';
import { sampleDecider } from './sample.js';
import { keyOf, Sampling } from './sampling.js';

export const SAMPLE_ACCESS: CommandAccess = { action: 'sample.draw', roles: ['auditor'] };

type Sample = NonNullable<SampleState['sample']>;

/** A drawn item as it stands now. */
export interface ItemShown extends SampledItem {
  /** Monetary units that drew it; 1 at random. */
  readonly hits: number;
  readonly currency?: string;
  readonly evidence: readonly Evidence[];
  /** What parties answered when the auditor asked them about it. */
  readonly answers: readonly AnsweredRequest[];
}

/** What of a population was drawn: items, and of each currency its share, a decimal cut to four places. */
interface Coverage {
  readonly currency: string;
  readonly items: { readonly population: number; readonly drawn: number };
  readonly amount: { readonly population: Quantity; readonly drawn: Quantity; readonly share: string };
}

const SHARE_PLACES = 10_000n;

const shareOf = (part: bigint, whole: bigint): string => {
  const cut = whole === 0n ? 0n : (part * SHARE_PLACES) / whole;
  return `${cut / SHARE_PLACES}.${String(cut % SHARE_PLACES).padStart(4, '0')}`;
};

const amountIn = ({ amounts }: SampledItem, currency: string): Quantity | undefined =>
  amounts.find((amount) => amount.measure === 'money' && amount.currency === currency);

/** How much of its population a sample is, currency by currency. Pure. */
export const coverageOf = ({ population, draws }: Pick<Sample, 'population' | 'draws'>): readonly Coverage[] =>
  sumByMeasure(population.flatMap(({ amounts }) => amounts)).flatMap((total): Coverage[] => {
    if (total.measure !== 'money') return [];
    const { currency } = total;
    const places = new Set(
      draws
        .filter((draw) => draw.currency === undefined || draw.currency === currency)
        .flatMap(({ drawn }) => drawn.map(({ item }) => item)),
    );
    const held = population.flatMap((item, place) => {
      const amount = amountIn(item, currency);
      return amount === undefined ? [] : [{ place, minor: minorUnits(amount) }];
    });
    const drawn = held.filter(({ place }) => places.has(place));
    const sum = drawn.reduce((all, { minor }) => all + minor, 0n);
    return [
      {
        currency,
        items: { population: held.length, drawn: drawn.length },
        amount: { population: total, drawn: quantityOf(total, sum), share: shareOf(sum, minorUnits(total)) },
      },
    ];
  });

/**
 * How samples are served: to the auditor's own party, for as long as the mandate is in force under which it was drawn. Whom an auditor looks at
 * is for nobody else to know. Of a commitment that it does not see any more its place alone is shown.
 */
@Injectable()
export class SampleRecords implements RecordKind<SampleState, SampleCommand, SampleEvent, SampleRejection> {
  readonly decider = sampleDecider;
  readonly path = '/v1/samples';

  constructor(
    private readonly sampling: Sampling,
    private readonly runner: ProjectionRunner,
    kinds: RecordKinds,
  ) {
    kinds.add(this);
  }

  exists({ sample }: SampleState): boolean {
    return sample !== undefined;
  }

  sees(caller: Caller, _id: string, { sample }: SampleState): boolean {
    return (
      sample !== undefined &&
      hasRole(caller, 'auditor') &&
      caller.party === sample.auditor &&
      caller.mandates.some(({ mandate }) => mandate === sample.mandate)
    );
  }

  /** A draw is never changed. */
  permits(): boolean {
    return false;
  }

  async view(caller: Caller, id: string, { state: { sample } }: Folded<SampleState>): Promise<object> {
    if (sample === undefined) return {};
    return { ...summaryOf(id, sample), items: await this.items(caller, sample) };
  }

  /** Evidence is of today. */
  lookBack(caller: Caller, id: string): PastView<SampleState> {
    return {
      of: (then) => (then.sample !== undefined && this.sees(caller, id, then) ? summaryOf(id, then.sample) : null),
    };
  }

  /** The drawn items in the order of the draws, each with the evidence that stands now. */
  async items(
    caller: Caller,
    { population, draws }: Sample,
  ): Promise<readonly (ItemShown | { readonly masked: true })[]> {
    const items: (ItemShown | { readonly masked: true })[] = [];
    for (const { currency, drawn } of draws) {
      for (const { item: place, hits } of drawn) {
        const item = population[place];
        const shown = item === undefined ? undefined : await this.sampling.shown(caller, item.commitment);
        items.push(
          item === undefined || shown === undefined
            ? { masked: true }
            : {
                ...item,
                ...(currency === undefined ? {} : { currency }),
                hits,
                evidence: evidenceFor(shown, item.transfer),
                answers: this.answered(caller, item),
              },
        );
      }
    }
    return items;
  }

  /** Requests of the auditor's own party that were answered about the item. */
  private answered(caller: Caller, item: SampledItem): readonly AnsweredRequest[] {
    return answeredAbout(this.runner.model(CONFIRMATION_BOARD), caller.party, item);
  }

  async maskEvent(caller: Caller, _state: SampleState, { data }: RecordedEvent<SampleEvent>): Promise<object> {
    const ids = [...new Set(data.population.map(({ commitment }) => commitment))];
    const seen = new Set<string>();
    for (const id of ids) if ((await this.sampling.shown(caller, id)) !== undefined) seen.add(id);
    return {
      ...data,
      population: data.population.map((item) =>
        seen.has(item.commitment) ? { key: keyOf(item), ...item } : { masked: true },
      ),
    };
  }
}

/** A sample but for its items. */
export const summaryOf = (id: string, sample: Sample): object => {
  const { population, draws, ...rest } = sample;
  return {
    id,
    ...rest,
    population: population.length,
    draws: draws.map(({ drawn, ...draw }) => ({ ...draw, drawn: drawn.length })),
    coverage: coverageOf(sample),
  };
};
