/** Offers that may serve one need line, the best by score; further ones are left out, and the outcome says which. */
export const MOST_OFFERS_PER_LINE = 50;
/** Greatest figure in minor units: beyond it the exact arithmetic of values would lose its precision. */
export const GREATEST_FIGURE = 10n ** 18n;
/** Greatest weight of a need line; scores end at 1. */
export const GREATEST_WEIGHT = 1_000_000;

/** A line of an open need. */
export interface NeedLine {
  readonly needId: string;
  readonly line: number;
  /** What a budget of a kind is counted by. */
  readonly kind: string;
  /** Alpha-3 codes of its beneficiaries; of a joint need several, and the line counts in full for each. */
  readonly states: readonly string[];
  /** M49 codes of every region that holds a beneficiary, the wide ones too: floors and the summary go by these. */
  readonly regions: readonly string[];
  /** `measureKey` of its quantity (`money:USD`, `items:tonne`, `seats` …). Only lines of one key ever meet. */
  readonly measure: string;
  /** Minor units not yet accepted or binding; existing commitments are subtracted by the caller. */
  readonly outstanding: bigint;
  /** What meeting this line in full counts for, above 0 and at most `GREATEST_WEIGHT`, taken to the millionth. */
  readonly weight: number;
  /** At most one offer line may serve it. */
  readonly singleSource?: boolean;
}

/** A line of an open offer. */
export interface OfferLine {
  readonly offerId: string;
  readonly line: number;
  /** Party id of the lead provider: what a budget of a donor is counted by. */
  readonly donor: string;
  /** `measureKey` of its capacity. */
  readonly measure: string;
  /** Minor units neither held nor committed; `unlimited` for access without a bound. */
  readonly available: bigint | 'unlimited';
  /** The least that one commitment may draw, in minor units. */
  readonly minimumLot?: bigint;
}

/** A pair of lines that the ruleset admits. */
export interface Arc {
  /** Place of the need line in `needs`. */
  readonly need: number;
  /** Place of the offer line in `offers`. */
  readonly offer: number;
  /** How well they fit, 0 to 1, taken to the millionth. */
  readonly score: number;
  /** Why they fit, in words; comes back with the pair. */
  readonly because: string;
}

/** At most so much from the offers of one donor, or to needs of one kind; other measures than this one are not bounded by it. */
export type Budget = ({ readonly donor: string } | { readonly kind: string }) & {
  readonly measure: string;
  /** Minor units. */
  readonly quantity: bigint;
};

/**
 * At least this share of what the needs of a State (or of the States of a region) have outstanding is to be met, in each measure by itself in which
 * an admitted pair exists.
 */
export type Floor = ({ readonly state: string } | { readonly region: string }) & {
  /** Decimal above 0 and at most 1, such as "0.25". */
  readonly share: string;
};

/**
 * `max-value`: the greatest Σ weight × score × quantity ÷ outstanding, which has no unit: 1 is one line of weight 1 met in full by a perfect fit.
 * `max-min`: first the greatest share that every line with an admitted offer can get (within each group of lines that offers tie
 * together), then the greatest value that leaves each at least this share.
 */
export type Objective = 'max-value' | 'max-min';

/** Bounds on the solver's work for each part; steps, not time, so that every machine stops at the same place. */
export interface Limits {
  /** Branch-and-bound nodes; 5,000 by default. */
  readonly nodes?: number;
  /** Simplex iterations; 10,000,000 by default. */
  readonly iterations?: number;
}

/**
 * Which offers should serve which needs. Plain data that a thread can be given. Ids of lines are unique; pairs are of one measure and
 * named once.
 */
export interface Problem {
  readonly needs: readonly NeedLine[];
  readonly offers: readonly OfferLine[];
  readonly arcs: readonly Arc[];
  readonly budgets: readonly Budget[];
  readonly floors: readonly Floor[];
  readonly objective: Objective;
  /** A whole number from 0 to 2^31 − 1 that fixes every choice the solver makes by chance. */
  readonly seed: number;
  readonly limits?: Limits;
}
