import type { Caller } from '#directory/contract';
import type { Kind, Quantity, RefusalReasonCode, Visibility } from '#vocabulary';
import type { Earmark } from './earmark.js';

export type { Earmark, EarmarkedNeed, EarmarkedOffer, EarmarkReason, EarmarkReasonCode, LinePair } from './earmark.js';
// A pure function, so that matching and proposals judge an earmark exactly as the offer does.
export { earmarkReasons } from './earmark.js';

export interface OfferLine {
  /** From 1; never reused. */
  readonly line: number;
  readonly kinds: readonly Kind[];
  readonly description?: string;
  readonly capacity: Quantity;
  /** The least that one commitment may draw, in the measure of the capacity. */
  readonly minimumLot?: string;
}

/** A provider of a joint offer. */
export interface Provider {
  readonly party: string;
  /** Percent of the whole, where the split is published: an unpublished one stays undivided. */
  readonly share?: string;
}

/** A condition in the donor's terms: a code and what it asks, e.g. `{code:'co-financing', percent:'10'}`. */
export interface OfferCondition {
  readonly code: string;
  readonly percent?: string;
  readonly text?: string;
}

export interface OfferContent {
  readonly title: string;
  /** The providers of a joint offer, the lead first; absent where the provider stands alone. */
  readonly providers?: readonly Provider[];
  readonly description?: string;
  readonly lines: readonly OfferLine[];
  readonly earmark: Earmark;
  readonly conditions: readonly OfferCondition[];
  readonly period?: { readonly from?: string; readonly to?: string };
  readonly languages?: readonly string[];
  readonly documents?: readonly {
    readonly kind: string;
    readonly title: string;
    readonly sha256: string;
    readonly label?: Visibility;
  }[];
  readonly visibility: Visibility;
  readonly named: readonly string[];
}

/** A hold of capacity is keyed by commitment, leg and amendment. */
export interface CapacityKey {
  readonly commitment: string;
  readonly leg: number;
  readonly amendment: number;
}

export type CapacityRefusalCode =
  'insufficient-capacity' | 'offer-not-open' | 'earmark' | 'below-minimum-lot' | 'measure-mismatch' | 'unknown-line';

/** Stream `offer-<uuid>`. */
export type OfferEvent =
  | {
      readonly type: 'OfferDrafted';
      readonly data: { readonly provider: string; readonly claimedFrom?: string; readonly content: OfferContent };
    }
  /** Carries the whole content as posted, also from a draft. */
  | { readonly type: 'OfferPosted'; readonly data: { readonly provider: string; readonly content: OfferContent } }
  | { readonly type: 'OfferAmended'; readonly data: { readonly changes: Partial<OfferContent> } }
  | { readonly type: 'OfferSuspended'; readonly data: { readonly reason?: OfferReason } }
  | { readonly type: 'OfferResumed'; readonly data: Record<string, never> }
  | { readonly type: 'OfferWithdrawn'; readonly data: { readonly reason?: OfferReason } }
  | { readonly type: 'OfferCompleted'; readonly data: Record<string, never> }
  | { readonly type: 'OfferExpired'; readonly data: Record<string, never> }
  | {
      readonly type: 'CapacityReserved';
      readonly data: CapacityKey & { readonly line: number; readonly quantity: Quantity };
    }
  | {
      readonly type: 'CapacityRefused';
      readonly data: {
        readonly commitment: string;
        readonly amendment: number;
        readonly code: CapacityRefusalCode;
        readonly detail: string;
      };
    }
  | {
      readonly type: 'CapacityCommitted';
      readonly data: CapacityKey & { readonly line: number; readonly quantity: Quantity };
    }
  | {
      readonly type: 'CapacityDelivered';
      readonly data: CapacityKey & { readonly delivery: number; readonly line: number; readonly quantity: Quantity };
    }
  | {
      readonly type: 'CapacityReleased';
      readonly data: CapacityKey & {
        readonly line?: number;
        readonly quantity?: Quantity;
        /** The amendment that took this part back; the rest of the reservation stays. */
        readonly by?: number;
      };
    }
  /** Sent back: no longer delivered; it stays committed and may be delivered again. */
  | {
      readonly type: 'CapacityReturned';
      readonly data: CapacityKey & {
        readonly delivery: number;
        /** Number of the return. */
        readonly return: number;
        readonly line: number;
        readonly quantity: Quantity;
      };
    }
  /** A tranche's size after a correction or a settled dispute: the figure is the whole tranche now. */
  | {
      readonly type: 'CapacityDeliveryCorrected';
      readonly data: CapacityKey & {
        readonly delivery: number;
        readonly line: number;
        readonly quantity: Quantity;
        /** Id of the event that said so: answered once. */
        readonly asked: string;
      };
    }
  /** Uses of an access line that a confirmed or left commitment no longer holds. */
  | {
      readonly type: 'AccessFreed';
      readonly data: CapacityKey & { readonly line: number; readonly quantity: Quantity };
    };

export interface OfferReason {
  readonly code: RefusalReasonCode;
  readonly note?: string;
  readonly noteFor?: 'other-side' | 'coordinator';
}

/** What a proposal needs to know of an offer: read from its stream, carried in the command. */
export interface OfferFacts {
  readonly offerId: string;
  readonly status: 'draft' | 'open' | 'suspended' | 'closed';
  /** The lead. */
  readonly provider: string;
  /** Every provider, the lead first. */
  readonly providers: readonly string[];
  readonly lines: readonly OfferLine[];
  readonly earmark: Earmark;
  readonly conditions: readonly OfferCondition[];
  readonly period?: { readonly from?: string; readonly to?: string };
  /** The offer's label: what a commitment takes over once it binds. */
  readonly visibility?: Visibility;
}

/** Port by which other contexts read one offer from its own stream: never behind. */
export abstract class OfferReader {
  /** undefined where the offer does not exist. */
  abstract facts(offerId: string): Promise<OfferFacts | undefined>;
  abstract sees(offerId: string, caller: Caller): Promise<boolean>;
  /** For views over many offers: answers, of the ids it is given, those this caller sees, as the board of offers has them. */
  abstract seenBy(caller: Caller): Promise<(offerIds: readonly string[]) => ReadonlySet<string>>;
}

/**
 * Port: offers labelled `eligible` that the caller could match, mirrored from the label's meaning for needs: those that an open need of
 * its party, older than 24 hours, could draw on. Where no context provides it such offers are shown to none but their owner,
 * the parties to their commitments and mandated auditors.
 */
export abstract class EligibleOffers {
  /** Ids of offers. */
  abstract for(caller: Caller): Promise<ReadonlySet<string>>;
}
