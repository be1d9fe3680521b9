import type { Quantity, RefusalReasonCode, Visibility } from '#vocabulary';

/** Inclusive UTC days. */
export interface FundPeriod {
  readonly from: string;
  readonly to: string;
}

/** What an administrator or host may charge: `percent` of every contribution received, of every transfer paid, or of expenditure. */
export interface FeeRate {
  readonly code: string;
  readonly percent: string;
  readonly base: 'contributions' | 'transfers' | 'expenditure';
}

export interface FundTerms {
  /** Keeps the books. */
  readonly administrator?: string;
  /** Decides on allocations; members are parties. */
  readonly decidingBody: { readonly name: string; readonly members: readonly string[] };
  /** The currency the fund accounts in. */
  readonly currency: string;
  readonly windows: readonly { readonly code: string; readonly name: string }[];
  readonly feeRates: readonly FeeRate[];
  /** What may be allocated: what arrived, or already what was signed. */
  readonly capacityBasis: 'received' | 'signed';
  /** Never allocated; money of the fund's currency. */
  readonly reserve?: Quantity;
  /** Accounting periods, in order, without overlap. */
  readonly periods: readonly FundPeriod[];
}

/** Why a person cancels or declines. */
export interface FundReason {
  readonly code: RefusalReasonCode;
  readonly note?: string;
  readonly noteFor?: 'other-side' | 'coordinator';
}

export interface FundDocument {
  readonly kind: string;
  readonly title: string;
  readonly sha256: string;
  readonly label?: Visibility;
}

/** What a fund books for itself. */
export type BookingKind = 'interest' | 'fee' | 'bank-charge' | 'exchange-difference' | 'programme-income';

export interface Allocation {
  readonly needId: string;
  /** Application to a call that it answers. */
  readonly call?: string;
  readonly application?: number;
  readonly amount: Quantity;
}

/** Stream `fund-<party id>`. A `fund:` party that never recorded its terms keeps no book here. */
export type FundEvent =
  | { readonly type: 'FundEstablished'; readonly data: { readonly fund: string; readonly terms: FundTerms } }
  | { readonly type: 'FundTermsAmended'; readonly data: { readonly changes: Partial<FundTerms> } }
  /**
   * What capacity is reckoned from, in the fund's currency. Keyed by source, record and `n`: a later one with the same key replaces the
   * earlier (a corrected receipt), also by zero.
   */
  | {
      readonly type: 'FundCredited';
      readonly data: {
        /**
         * A contribution's signed worth (`signed`) and what of that will not come any more (`unsigned`: closed or cancelled), what arrived
         * of it (`received`), what the fund paid back to its donor (`repaid`, lowers); a commitment's refund that arrived (`refund`).
         */
        readonly source: 'signed' | 'unsigned' | 'received' | 'repaid' | 'refund';
        readonly contribution?: string;
        readonly commitment?: string;
        /** With `received` and `repaid` the number within the contribution, with `refund` the receipt's within the commitment. */
        readonly n?: number;
        readonly quantity: Quantity;
      };
    }
  | {
      readonly type: 'FundBooked';
      readonly data: {
        readonly n: number;
        readonly kind: BookingKind;
        /** Whether the fund's balance grew or shrank. */
        readonly effect: 'gain' | 'loss';
        readonly amount: Quantity;
        /** With a fee: the rate it was taken at, and what it was taken of. */
        readonly rate?: string;
        readonly base?: Quantity;
        readonly counterparty?: string;
        readonly date: string;
        readonly reference?: string;
        readonly document?: FundDocument;
      };
    }
  | {
      readonly type: 'AllocationDecided';
      readonly data: {
        readonly n: number;
        readonly body: string;
        readonly date: string;
        readonly reference: string;
        readonly window?: string;
        readonly allocations: readonly Allocation[];
        /** What members of the body declared, and whether they took part in the decision. */
        readonly interests: readonly {
          readonly party: string;
          readonly declaration: string;
          readonly recused: boolean;
        }[];
        readonly documents?: readonly FundDocument[];
      };
    }
  /**
   * A commitment draws on a decision: by the fund's signature, or by what it grew or was paid since. What it draws in all is the sum of
   * its uses less its releases. More than was decided is recorded as it is (two signatures under one decision): the book shows it overdrawn.
   */
  | {
      readonly type: 'AllocationUsed';
      readonly data: {
        readonly decision: number;
        readonly needId: string;
        readonly commitment: string;
        readonly quantity: Quantity;
      };
    }
  /** What a commitment that was left or cancelled will not pay, or a decision taken back: free to be allocated again. */
  | {
      readonly type: 'AllocationReleased';
      readonly data: {
        readonly decision: number;
        readonly needId: string;
        readonly commitment?: string;
        readonly quantity: Quantity;
        readonly reason?: string;
      };
    }
  /** The books of the period are closed: what is dated in it and recorded later is marked prior-period. */
  | { readonly type: 'PeriodClosed'; readonly data: { readonly period: FundPeriod; readonly party: string } }
  | { readonly type: 'FundDocumentAttached'; readonly data: { readonly document: FundDocument } };

/** Stream `contribution-<uuid>`. */
export type ContributionEvent =
  | {
      readonly type: 'ContributionPledged';
      readonly data: {
        readonly fund: string;
        readonly donor: string;
        readonly amount: Quantity;
        readonly window?: string;
        /** In words and codes; empty is unearmarked. */
        readonly earmark?: {
          readonly kinds?: readonly string[];
          readonly beneficiaries?: readonly string[];
          readonly regions?: readonly string[];
          readonly text?: string;
        };
        /** When parts fall due; the whole at once where absent. */
        readonly schedule?: readonly { readonly due: string; readonly amount: Quantity }[];
        readonly date: string;
        readonly reference?: string;
        readonly documents?: readonly FundDocument[];
        readonly visibility: Visibility;
      };
    }
  | {
      readonly type: 'ContributionSigned';
      readonly data: {
        readonly party: string;
        readonly date: string;
        readonly reference?: string;
        /** What it is worth in the fund's currency where it is given in another, with the rate agreed. */
        readonly valued?: { readonly quantity: Quantity; readonly rate: string; readonly source: string };
      };
    }
  /** The donor says that it paid. */
  | {
      readonly type: 'ContributionPaid';
      readonly data: {
        readonly n: number;
        readonly amount: Quantity;
        readonly date: string;
        readonly reference?: string;
      };
    }
  /** The fund says what arrived; `credited` and `rate` where it is booked in another currency. */
  | {
      readonly type: 'ContributionReceived';
      readonly data: {
        readonly n: number;
        readonly payment?: number;
        readonly amount: Quantity;
        readonly credited?: Quantity;
        readonly rate?: string;
        readonly charges?: Quantity;
        readonly date: string;
        readonly reference?: string;
      };
    }
  /** The fund pays back; what is left of the contribution shrinks. `credited`: what it cost the fund, where that is another currency. */
  | {
      readonly type: 'ContributionRefunded';
      readonly data: {
        readonly n: number;
        readonly amount: Quantity;
        readonly credited?: Quantity;
        readonly rate?: string;
        readonly date: string;
        readonly reference?: string;
      };
    }
  | {
      readonly type: 'ContributionClosed' | 'ContributionCancelled';
      readonly data: { readonly party: string; readonly reason?: FundReason };
    };

/** Stream `call-<uuid>`. */
export type CallEvent =
  | {
      readonly type: 'CallAnnounced';
      readonly data: {
        readonly fund: string;
        readonly title: string;
        readonly window?: string;
        readonly opens: string;
        readonly closes: string;
        /** Most that one application may ask. */
        readonly ceiling?: Quantity;
        readonly criteria: readonly { readonly code: string; readonly text: string; readonly weight?: string }[];
        readonly documents?: readonly FundDocument[];
        readonly visibility: Visibility;
      };
    }
  | {
      readonly type: 'ApplicationFiled';
      readonly data: { readonly n: number; readonly party: string; readonly needId: string; readonly amount: Quantity };
    }
  | { readonly type: 'ApplicationWithdrawn'; readonly data: { readonly n: number; readonly party: string } }
  | {
      readonly type: 'ApplicationScreened';
      readonly data: { readonly n: number; readonly eligible: boolean; readonly reason?: string };
    }
  | {
      readonly type: 'ApplicationRanked';
      readonly data: { readonly n: number; readonly rank: number; readonly note?: string };
    }
  /** By the fund's decision (its number), or declined. A declined need stays open and says so only to its State. */
  | {
      readonly type: 'ApplicationDecided';
      readonly data: {
        readonly n: number;
        readonly outcome: 'approved' | 'declined';
        readonly decision?: number;
        readonly reason?: FundReason;
      };
    }
  | { readonly type: 'CallClosed'; readonly data: Record<string, never> };

/** Every event of the funds context. */
export type AnyFundEvent = FundEvent | ContributionEvent | CallEvent;

/** Port by which a commitment asks whether a fund may sign: its decision must stand first. Read from the fund's own stream. */
export abstract class FundDecisions {
  /** True where this party keeps its book here: from then on it signs only under a decision. */
  abstract keepsBook(party: string): Promise<boolean>;
  /**
   * What decisions of the fund leave for this need, in the fund's currency, with what this commitment drew already; undefined where there
   * is none. Money of another currency is never covered by it.
   */
  abstract decidedFor(fund: string, needId: string, commitment: string): Promise<Quantity | undefined>;
  /** Returns when the fund's book shows that this commitment drew on it, or after two seconds. */
  abstract untilDrawn(fund: string, commitment: string): Promise<void>;
}
