import type { Quantity } from '#vocabulary';

/** Which open needs take part: as the filters of the list of needs, all of those named at once. */
export interface AllocationScope {
  /** Alpha-3 code of a State among the beneficiaries. */
  readonly state?: string;
  /** M49 code. */
  readonly region?: string;
  /** Party id of a network of which a beneficiary is a member. */
  readonly network?: string;
  /** Only lines of this kind. */
  readonly kind?: string;
  readonly instrument?: string;
  /** Days: needs whose period reaches into them, and those that state none. */
  readonly from?: string;
  readonly to?: string;
}

/** At least this share (a decimal such as "0.25") of what a State, or the States of a region, have outstanding, measure by measure. */
export type AllocationFloor = ({ readonly state: string } | { readonly region: string }) & { readonly share: string };

/** At most so much from one donor's offers, or to needs of one kind. */
export type AllocationBudget = ({ readonly donor: string } | { readonly kind: string }) & {
  readonly quantity: Quantity;
};

export interface AllocationOrder {
  readonly scope: AllocationScope;
  readonly objective: 'max-min' | 'max-value';
  readonly floors: readonly AllocationFloor[];
  readonly budgets: readonly AllocationBudget[];
  /** Kinds of which each line is to be served by one offer line only. */
  readonly singleSource?: readonly string[];
  readonly seed: number;
}

export interface AllocationPair {
  readonly needId: string;
  readonly needLine: number;
  readonly offerId: string;
  readonly offerLine: number;
  readonly quantity: Quantity;
  readonly because: string;
}

export interface UnmetLine {
  readonly needId: string;
  readonly needLine: number;
  readonly quantity: Quantity;
  readonly binds: readonly { readonly code: string; readonly offers: number; readonly because: string }[];
  readonly because: string;
}

export interface OfferPrice {
  readonly offerId: string;
  readonly offerLine: number;
  /** One unit of this measure, currency or unit: `money:USD`, `seats`, `items:tonne`. */
  readonly per: string;
  /** Decimals in units of the value. */
  readonly low: string;
  readonly high: string;
  readonly basis: 'range' | 'one-valid-price';
  readonly givenTheLots: boolean;
  readonly because: string;
}

/** A need line of which less good offers than the best ones were not looked at. */
export interface LeftOutOffers {
  readonly needId: string;
  readonly needLine: number;
  readonly offers: readonly { readonly offerId: string; readonly offerLine: number }[];
}

export interface ServedShare {
  readonly code: string;
  readonly lines: number;
  readonly outstanding: Quantity;
  readonly served: Quantity;
  /** Decimal cut to six places. */
  readonly share: string;
}

export interface FairnessSummary {
  readonly equalShares: readonly {
    readonly part: number;
    readonly per: string;
    readonly lines: number;
    /** What every line could get at least; absent under `max-value`. */
    readonly possible?: string;
    readonly reached: string;
  }[];
  readonly leastServed: readonly {
    readonly needId: string;
    readonly needLine: number;
    readonly outstanding: Quantity;
    readonly served: Quantity;
    readonly share: string;
  }[];
  readonly states: readonly ServedShare[];
  readonly regions: readonly ServedShare[];
}

/** What the answer holds beside its lists. */
export interface AllocationSummary {
  /** Σ weight × score × share of the line that is met: without a unit. */
  readonly value: string;
  /** What no allocation can pass. */
  readonly bound: string;
  readonly fairness: FairnessSummary;
  readonly floors: readonly {
    readonly of: string;
    readonly share: string;
    readonly outstanding: Quantity;
    readonly asked: Quantity;
  }[];
  readonly notes: readonly string[];
  /** SHA-256 of the certificate, hexadecimal. */
  readonly certificateSha256: string;
}

/** A bound that cannot be kept together with those beside it. */
export interface ConflictingBound {
  readonly kind: 'floor' | 'budget';
  readonly of: string;
  readonly quantity: Quantity;
  readonly because: string;
}

/** A list of the answer, in pieces of at most 256 KiB. */
export type AllocationPiece =
  | { readonly part: 'pairs'; readonly items: readonly AllocationPair[] }
  | { readonly part: 'unmet'; readonly items: readonly UnmetLine[] }
  | { readonly part: 'prices'; readonly items: readonly OfferPrice[] }
  | { readonly part: 'left-out'; readonly items: readonly LeftOutOffers[] }
  | { readonly part: 'certificate'; readonly text: string };

/** A pair of a run as a desk is told it: how much, and nothing of why. */
export interface SharedLine {
  /** Which pair of the run, from 0. */
  readonly n: number;
  readonly needId: string;
  readonly needLine: number;
  readonly offerId: string;
  readonly offerLine: number;
  readonly quantity: Quantity;
}

/** The newest event of the log that the run took account of. */
export interface ReadUpTo {
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
}

/**
 * Stream `allocation-<uuid>`: a coordinator's question to the solver and its answer. It binds nobody. `AllocationEnded` is the header
 * of the answer; its lists and the certificate stand before it in pieces.
 */
export type AllocationEvent =
  | {
      readonly type: 'AllocationRequested';
      readonly data: { readonly requestedBy: string; readonly order: AllocationOrder };
    }
  | {
      readonly type: 'AllocationStarted';
      readonly data: {
        /** Absent where the log was empty. */
        readonly readUpTo?: ReadUpTo;
        readonly ruleset: string;
        readonly needLines: number;
        readonly offerLines: number;
        readonly pairs: number;
      };
    }
  | {
      readonly type: 'AllocationProgressed';
      /** Absent while others are run before it. */
      readonly data: {
        readonly parts?: number;
        readonly ofParts?: number;
        readonly pairs?: number;
        readonly ofPairs?: number;
      };
    }
  | { readonly type: 'AllocationPieceRecorded'; readonly data: { readonly n: number; readonly piece: AllocationPiece } }
  | {
      readonly type: 'AllocationEnded';
      readonly data: {
        readonly outcome: 'done' | 'infeasible' | 'failed';
        /** Why it failed, which bounds conflict, or which limit of the solver was reached before all of it was looked at. */
        readonly because?: string;
        readonly summary?: AllocationSummary;
        /** Lists of which no member can be left out. */
        readonly conflicts?: readonly (readonly ConflictingBound[])[];
      };
    }
  | { readonly type: 'AllocationCancelled'; readonly data: { readonly by: string } }
  | {
      readonly type: 'AllocationShared';
      /** Told to one desk, in pieces of at most 256 KiB; a line is told to it once. */
      readonly data: { readonly party: string; readonly lines: readonly SharedLine[]; readonly note?: string };
    };
