import type { Quantity } from '#vocabulary';

/** What may be drawn: a binding commitment with the money of its legs, or one of its transfers. */
export interface SampledItem {
  readonly commitment: string;
  readonly transfer?: number;
  /** Money, one amount per currency; none where nothing of the commitment is money. */
  readonly amounts: readonly Quantity[];
}

/** Which commitments or transfers a population is made of. */
export interface SampleFilter {
  readonly donor?: string;
  /** Alpha-3 code of a beneficiary. */
  readonly state?: string;
  /** Days on which the commitment was bound, or of which the transfer is. */
  readonly from?: string;
  readonly to?: string;
}

/** One draw: at random over the whole population, or by monetary units over one currency of it. Units are minor units, decimal texts. */
export interface SampleDraw {
  readonly currency?: string;
  readonly interval?: string;
  readonly start?: string;
  /** Places in the population, from 0, and how many units drew each. */
  readonly drawn: readonly { readonly item: number; readonly hits: number }[];
}

/** Stream `sample-<uuid>`: what an auditor drew. The population stands beside the seed, so that anyone can draw it again. */
export interface SampleEvent {
  readonly type: 'SampleDrawn';
  readonly data: {
    readonly auditor: string;
    readonly mandate: string;
    readonly of: 'commitments' | 'transfers';
    readonly method: 'random' | 'monetary-unit';
    /** Items at random; by monetary units how many units of each currency. */
    readonly size: number;
    readonly seed: string;
    readonly filter: SampleFilter;
    readonly population: readonly SampledItem[];
    readonly draws: readonly SampleDraw[];
  };
}
