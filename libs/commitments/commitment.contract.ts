import type { Caller } from '#directory/contract';
import type { InstrumentCode, Kind, Quantity, RefusalReasonCode, TransferKind, Valuation } from '#vocabulary';

export interface Reason {
  readonly code: RefusalReasonCode;
  readonly note?: string;
  readonly noteFor?: 'other-side' | 'coordinator';
}

export interface Leg {
  /** From 1. */
  readonly leg: number;
  readonly offerLine: number;
  readonly needLine: number;
  /** In the offer line's measure. */
  readonly drawn: Quantity;
  /** In the need line's measure. */
  readonly credited: Quantity;
  readonly valuation?: Valuation;
  /** The amendment that brought the leg's figures; 0 as proposed. */
  readonly amendment: number;
}

/** What the offer's earmark is judged on: travels in the proposal so that the offer decides on the facts of that moment. */
export interface EarmarkFacts {
  readonly beneficiaries: readonly string[];
  readonly networks: readonly string[];
  readonly regions: readonly string[];
  readonly instruments: readonly InstrumentCode[];
  readonly traffickingNexus: boolean;
  readonly needPeriod?: { readonly from?: string; readonly to?: string };
  /** Kind of each need line, by line number. */
  readonly needLineKinds: Readonly<Record<string, Kind>>;
  /** Category of the implementer, where one is named. */
  readonly implementerType?: string;
}

export type Side = 'provider' | 'recipient';

/** Stream `commitment-<uuid>`. */
export type CommitmentEvent =
  | {
      readonly type: 'CommitmentProposed';
      readonly data: {
        readonly offerId: string;
        readonly needId: string;
        readonly side: Side;
        readonly proposedBy: string;
        readonly providers: readonly string[];
        readonly beneficiaries: readonly string[];
        /** Filer of the need: acts for a joint need beside its beneficiaries. */
        readonly filer: string;
        readonly legs: readonly Leg[];
        readonly implementer?: string;
        readonly fiscalAgent?: string;
        readonly signatories: readonly string[];
        /** A parent commitment or reported programme; never added to its children. */
        readonly partOf?: string;
        readonly expiresAt: string;
        readonly conditions: readonly { readonly code: string; readonly percent?: string; readonly text?: string }[];
        readonly earmarkFacts: EarmarkFacts;
      };
    }
  | { readonly type: 'CommitmentHeld'; readonly data: Record<string, never> }
  | { readonly type: 'HoldRefused'; readonly data: { readonly code: string; readonly detail: string } }
  | { readonly type: 'AcceptanceGiven'; readonly data: { readonly party: string } }
  | { readonly type: 'CommitmentAccepted'; readonly data: Record<string, never> }
  | { readonly type: 'AcceptanceRefused'; readonly data: { readonly code: string; readonly detail: string } }
  | {
      readonly type: 'CommitmentDeclined';
      /** `code` is a refusal reason of a person, or `need-closed` / `offer-closed` by the process. */
      readonly data: {
        readonly party?: string;
        readonly reason: {
          readonly code: string;
          readonly note?: string;
          readonly noteFor?: 'other-side' | 'coordinator';
        };
      };
    }
  | { readonly type: 'CommitmentLapsed'; readonly data: Record<string, never> }
  | { readonly type: 'CommitmentWithdrawn'; readonly data: { readonly party: string; readonly reason: Reason } }
  | {
      readonly type: 'TaskConsented';
      readonly data: { readonly agency: string; readonly as: readonly ('implementer' | 'fiscal-agent')[] };
    }
  | { readonly type: 'TaskDeclined'; readonly data: { readonly agency: string; readonly reason: Reason } }
  | { readonly type: 'CommitmentSigned'; readonly data: { readonly party: string } }
  | { readonly type: 'CommitmentBound'; readonly data: Record<string, never> }
  | {
      readonly type: 'TransferReported';
      readonly data: {
        readonly n: number;
        readonly kind: TransferKind;
        readonly from: string;
        readonly to: string;
        readonly amount: Quantity;
        readonly leg?: number;
        /** The transfer this one passes on. */
        readonly onward?: number;
        /** The transfer a refund reverses; only refunds have one. */
        readonly of?: number;
        readonly date: string;
        readonly reference?: string;
      };
    }
  | {
      readonly type: 'ReceiptReported';
      readonly data: {
        readonly n: number;
        readonly transfer: number;
        readonly party: string;
        readonly amount: Quantity;
        readonly credited?: Quantity;
        readonly rate?: string;
        readonly charges?: Quantity;
        readonly date: string;
        readonly reference?: string;
        /** transfer − amount − charges where not zero; `sign` tells which side is larger. */
        readonly discrepancy?: { readonly n: number; readonly quantity: Quantity; readonly sign: 'short' | 'over' };
      };
    }
  | {
      readonly type: 'DeliveryReported';
      readonly data: {
        readonly n: number;
        readonly party: string;
        readonly leg: number;
        readonly quantity: Quantity;
        /** The tranche in the offer's and in the need's measure: cumulative pro rata where they differ. */
        readonly drawn: Quantity;
        readonly credited: Quantity;
        readonly beneficiary?: string;
        readonly date: string;
        readonly evidence?: readonly { readonly title: string; readonly uri: string; readonly sha256: string }[];
      };
    }
  | {
      readonly type: 'DeliveryConfirmed';
      readonly data: {
        readonly n: number;
        readonly party: string;
        readonly quantity: Quantity;
        readonly drawn: Quantity;
        readonly credited: Quantity;
        readonly condition: 'usable' | 'in-use-later' | 'not-usable';
        readonly note?: string;
      };
    }
  | {
      readonly type: 'DeliveryDisputed';
      readonly data: { readonly n: number; readonly party: string; readonly reason: string };
    }
  | { readonly type: 'DiscrepancyAccepted'; readonly data: { readonly n: number; readonly reason: string } }
  | { readonly type: 'CommitmentCancelled'; readonly data: { readonly party: string; readonly reason: Reason } }
  | { readonly type: 'CloseProposed'; readonly data: { readonly side: Side; readonly party: string } }
  | {
      readonly type: 'CommitmentClosed';
      readonly data: {
        readonly as: 'confirmed' | 'unconfirmed' | 'cancelled';
        /** Discrepancies still open, recorded by the timer's close. */
        readonly openDiscrepancies: readonly number[];
      };
    };

/** Port by which the needs context shows what proposals add to a need's figures; a projection, behind by its lag. */
export abstract class ProposalFigures {
  /** Per need line: credited quantities of held proposals, and of accepted commitments not yet binding. */
  abstract indicative(needId: string): Promise<ReadonlyMap<number, readonly Quantity[]>>;
  /** True where the caller's party is a side, agency or signatory of a commitment on this need (offer). */
  abstract isPartyTo(
    caller: Caller,
    record: { readonly needId: string } | { readonly offerId: string },
  ): Promise<boolean>;
}
