import type { Caller } from '#directory/contract';
import { derivedId } from '#kernel';
import type {
  InstrumentCode,
  Kind,
  Quantity,
  RefusalReasonCode,
  TransferKind,
  Valuation,
  Visibility,
} from '#vocabulary';
import { stateOfParty } from '#vocabulary';

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
  /** In the need line's measure; `undetermined` where the leg credits a scope in words. */
  readonly credited: Quantity;
  /** What is credited to a line whose quantity is not known yet, in words; both sides credit a figure once it was assessed. */
  readonly scope?: string;
  readonly valuation?: Valuation;
  /** The amendment that brought the leg's figures; 0 as proposed. */
  readonly amendment: number;
}

/** What the offer's earmark is judged on: travels in the proposal so that the offer decides on the facts of that moment. */
export interface EarmarkFacts {
  readonly beneficiaries: readonly string[];
  readonly networks: readonly string[];
  /** Networks of each beneficiary, where there are several. */
  readonly memberships?: Readonly<Record<string, readonly string[]>>;
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

/** A paper that the sides agreed. */
export interface Agreement {
  readonly kind: 'mou' | 'grant' | 'implementing' | 'financial';
  readonly parties: readonly string[];
  readonly reference: string;
  /** YYYY-MM-DD. */
  readonly date: string;
  readonly sha256?: string;
  readonly legallyBinding: boolean;
  /** What it is subject to, in words: parliamentary approval, availability of funds … */
  readonly subjectTo?: string;
}

/** One payment the sides planned. `n` is its number from 1, never reused. */
export interface Instalment {
  readonly n: number;
  /** Money. */
  readonly amount: Quantity;
  /** What makes it payable. */
  readonly on: 'signature' | 'date' | 'report' | 'condition';
  /** The date it is due on (with `date`) or planned for. */
  readonly due?: string;
  /** With `report`: number of the report whose acceptance releases it. */
  readonly report?: number;
  /** With `condition`: number of the condition. */
  readonly condition?: number;
  readonly leg?: number;
}

/** Something that is to hold first. It is found met, or waived, by the side it does not lie on. */
export interface AgreedCondition {
  readonly n: number;
  readonly code: string;
  readonly percent?: string;
  readonly text?: string;
  /** The side that has to meet it. */
  readonly on: Side;
  readonly due?: string;
}

/** A report that a party owes. It is accepted, returned or waived by the other side, never by its author's. */
export interface OwedReport {
  readonly n: number;
  readonly kind: 'narrative' | 'financial' | 'end-use' | 'completion' | 'audit' | 'other';
  /** The party that owes it. */
  readonly by: string;
  readonly due: string;
  readonly text?: string;
}

/** What the sides agreed beside quantities (DOMAIN, Terms). An absent list is an empty one. */
export interface Terms {
  readonly agreements?: readonly Agreement[];
  /** Inclusive UTC days. */
  readonly period?: { readonly from?: string; readonly to?: string };
  readonly schedule?: readonly Instalment[];
  /** Those of the offer first, then those the sides added. */
  readonly conditions?: readonly AgreedCondition[];
  readonly reports?: readonly OwedReport[];
  /** The third party that may verify deliveries. */
  readonly verifier?: string;
}

/** What an amendment asks for; what is left out stays. */
export interface AmendmentChanges {
  /** The legs as they shall be: those left out end, those without earlier figures are new; a kept leg keeps number and lines. */
  readonly legs?: readonly Omit<Leg, 'amendment'>[];
  /** null: none any more. */
  readonly implementer?: string | null;
  readonly fiscalAgent?: string | null;
  /** Each part given replaces that part. */
  readonly terms?: Terms;
}

/** What an amendment adds to one leg, or takes from it, in the measures of its lines. */
export interface LegShift {
  readonly leg: number;
  readonly offerLine: number;
  readonly needLine: number;
  readonly drawn?: Quantity;
  readonly credited?: Quantity;
}

/** A tranche's part of a leg that was credited anew: what of it is delivered, and confirmed, in the need line's measure. */
export interface Recredit {
  readonly leg: number;
  readonly delivery: number;
  readonly credited: Quantity;
  readonly confirmed?: Quantity;
}

export interface DocumentLink {
  readonly kind: string;
  readonly title: string;
  readonly sha256: string;
  readonly label?: Visibility;
}

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
        readonly terms?: Terms;
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
        /** The instalment of the schedule that it pays. */
        readonly instalment?: number;
        /** An exchange difference only: whether the holder's balance grew or shrank. */
        readonly effect?: 'gain' | 'loss';
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
  /** A tranche that a third party looked at: beside what provider and recipient say, never instead of it. */
  | {
      readonly type: 'DeliveryVerified';
      readonly data: {
        readonly n: number;
        readonly party: string;
        readonly quantity: Quantity;
        readonly note?: string;
        readonly document?: DocumentLink;
      };
    }
  | {
      readonly type: 'SettlementStated';
      readonly data: {
        readonly n: number;
        readonly party: string;
        /** `mediator`: the coordinator's record of a mediation; it settles nothing by itself. */
        readonly as: Side | 'mediator';
        readonly outcome: 'stands' | 'reduced';
        /** With `reduced`: what stands of the tranche. */
        readonly quantity?: Quantity;
      };
    }
  /** Both sides stated the same. The tranche is reported again, of this size, and waits for the State's confirmation. */
  | {
      readonly type: 'DisputeSettled';
      readonly data: {
        readonly n: number;
        readonly outcome: 'stands' | 'reduced';
        readonly quantity: Quantity;
        readonly drawn: Quantity;
        readonly credited: Quantity;
      };
    }
  | {
      readonly type: 'ReturnReported';
      readonly data: {
        readonly n: number;
        readonly delivery: number;
        readonly party: string;
        readonly leg: number;
        /** As stated; `drawn` and `credited` say it in both measures. */
        readonly quantity: Quantity;
        readonly drawn: Quantity;
        readonly credited: Quantity;
        /** What of it had been confirmed, in both measures; absent where the tranche was not confirmed. */
        readonly confirmed?: { readonly drawn: Quantity; readonly credited: Quantity };
        readonly reason: string;
        readonly date: string;
      };
    }
  /** The tranche as it is now; what it said before stays in the stream. */
  | {
      readonly type: 'DeliveryCorrected';
      readonly data: {
        readonly n: number;
        readonly party: string;
        readonly leg: number;
        readonly quantity: Quantity;
        readonly drawn: Quantity;
        readonly credited: Quantity;
        readonly beneficiary?: string;
        readonly date: string;
        readonly evidence?: readonly { readonly title: string; readonly uri: string; readonly sha256: string }[];
        readonly reason: string;
      };
    }
  /** The transfer as it is now, whole. */
  | {
      readonly type: 'TransferCorrected';
      readonly data: {
        readonly n: number;
        readonly amount: Quantity;
        readonly leg?: number;
        readonly instalment?: number;
        readonly date: string;
        readonly reference?: string;
        readonly reason: string;
      };
    }
  /** The receipt as it is now, whole; `discrepancy` as in ReceiptReported, for the transfer after the correction. */
  | {
      readonly type: 'ReceiptCorrected';
      readonly data: {
        readonly n: number;
        readonly transfer: number;
        readonly amount: Quantity;
        readonly credited?: Quantity;
        readonly rate?: string;
        readonly charges?: Quantity;
        readonly date: string;
        readonly reference?: string;
        readonly reason: string;
        readonly discrepancy?: { readonly n: number; readonly quantity: Quantity; readonly sign: 'short' | 'over' };
      };
    }
  | { readonly type: 'DiscrepancyAccepted'; readonly data: { readonly n: number; readonly reason: string } }
  | {
      readonly type: 'DiscrepancySettlementStated';
      readonly data: {
        readonly n: number;
        readonly side: Side;
        readonly party: string;
        /** What both sides take as having arrived; all that was sent where absent. */
        readonly amount?: Quantity;
        readonly reason: string;
      };
    }
  | { readonly type: 'DiscrepancySettled'; readonly data: { readonly n: number; readonly amount?: Quantity } }
  /** A holder's account of what it spent, by budget line. A certified one replaces the interim ones of the days it covers. */
  | {
      readonly type: 'ExpenditureReported';
      readonly data: {
        readonly n: number;
        /** The holder. */
        readonly party: string;
        readonly kind: 'interim' | 'certified';
        readonly from: string;
        readonly to: string;
        readonly lines: readonly { readonly budgetLine: string; readonly amount: Quantity }[];
        /** Invoices and the like, by reference; a check looks for one used twice. */
        readonly invoices?: readonly string[];
        /** Numbers of the interim reports it replaces. */
        readonly replaces?: readonly number[];
        readonly date: string;
        readonly reference?: string;
        readonly document?: DocumentLink;
      };
    }
  | {
      readonly type: 'AmendmentProposed';
      readonly data: {
        /** From 1, one at a time. */
        readonly n: number;
        readonly party: string;
        readonly side: Side;
        readonly changes: AmendmentChanges;
        /** Dates only, quantities and agencies as they were. */
        readonly extension?: boolean;
        readonly reason: string;
        readonly expiresAt: string;
      };
    }
  | {
      readonly type: 'AmendmentAgreed';
      readonly data: {
        readonly n: number;
        readonly party: string;
        /** What offer and need have to reserve more; empty where nothing grows. */
        readonly increases: readonly LegShift[];
        readonly earmarkFacts: EarmarkFacts;
      };
    }
  | {
      readonly type: 'AmendmentDeclined';
      readonly data: { readonly n: number; readonly party: string; readonly reason?: Reason };
    }
  | { readonly type: 'AmendmentLapsed'; readonly data: { readonly n: number } }
  /** The offer holds what the amendment adds (or it adds nothing there): the need is asked. */
  | {
      readonly type: 'AmendmentHeld';
      readonly data: { readonly n: number; readonly increases: readonly LegShift[] };
    }
  | {
      readonly type: 'AmendmentRefused';
      readonly data: {
        readonly n: number;
        readonly by: 'offer' | 'need' | 'agency' | 'commitment';
        readonly code: string;
        readonly detail: string;
      };
    }
  | {
      readonly type: 'CommitmentAmended';
      readonly data: {
        readonly n: number;
        readonly changes: AmendmentChanges;
        /** Every leg as it is now. */
        readonly legs: readonly Leg[];
        /** What was reserved under `n` and counts from now on. */
        readonly increases: readonly LegShift[];
        /** What offer and need release. */
        readonly decreases: readonly LegShift[];
        /** Tranches whose credit changed with their leg's. */
        readonly recredited: readonly Recredit[];
        readonly extension?: boolean;
      };
    }
  | {
      readonly type: 'CommitmentSuspended';
      readonly data: { readonly side: Side; readonly party: string; readonly reason: Reason };
    }
  | { readonly type: 'CommitmentResumed'; readonly data: { readonly side: Side; readonly party: string } }
  | {
      readonly type: 'ConditionMet' | 'ConditionWaived';
      readonly data: {
        readonly n: number;
        readonly party: string;
        readonly note?: string;
        readonly document?: DocumentLink;
      };
    }
  | {
      readonly type: 'ReportFiled';
      readonly data: {
        readonly n: number;
        readonly party: string;
        readonly date: string;
        readonly reference?: string;
        readonly document?: DocumentLink;
      };
    }
  | {
      readonly type: 'ReportAccepted' | 'ReportReturned' | 'ReportWaived';
      readonly data: { readonly n: number; readonly party: string; readonly note?: string };
    }
  | {
      readonly type: 'DocumentAttached';
      readonly data: { readonly n: number; readonly party: string; readonly document: DocumentLink };
    }
  | {
      readonly type: 'CommitmentCancelled';
      readonly data: {
        readonly party: string;
        readonly reason: Reason;
        /** Per provider and currency: what it paid out beyond the money delivered. */
        readonly refundsDue?: readonly { readonly provider: string; readonly quantity: Quantity }[];
      };
    }
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

/** Port by which the audit context reads what totals stood at; a projection, behind by its lag. */
export abstract class TotalsReader {
  /** The read model that the answers come from. */
  abstract readonly model: string;
  /**
   * `committed`, `disbursed`, `delivered` and `confirmed`, by measure, over everything the caller sees.
   * @param moment everything on record where it has no place
   */
  abstract at(
    caller: Caller,
    moment: {
      readonly clock: 'recorded' | 'effective';
      readonly place: { readonly position: bigint } | { readonly time: string } | undefined;
    },
  ): Promise<Readonly<Record<string, readonly Quantity[]>>>;
}

/** Who may ever propose a commitment: roles and power (DOMAIN, roles table). */
export const PROPOSE = {
  action: 'commitment.propose',
  roles: ['npc', 'mission', 'line-ministry', 'donor-desk', 'network-host', 'implementer'],
  power: 'propose',
} as const;

/** A State that offers does so through its donor desk; its other offices never do (DOMAIN, roles table). */
export const givesThroughDesk = ({ party, roles }: Pick<Caller, 'party' | 'roles'>): boolean =>
  roles.includes('donor-desk') || (stateOfParty(party) === undefined && !party.startsWith('authority:'));

/** Lines of an offer and of a need in one measure, and how much of them, that were suggested to a provider of the offer. */
export interface SuggestedPair {
  readonly needId: string;
  readonly needLine: number;
  readonly offerId: string;
  readonly offerLine: number;
  readonly quantity: Quantity;
}

/** Port: what is suggested to whom. Where no context provides it, nothing is. */
export abstract class SuggestedPairs {
  /** The suggestion of this id where it was made to the caller's party, which still sees offer and need; undefined otherwise. */
  abstract find(caller: Caller, suggestionId: string): Promise<SuggestedPair | undefined>;
}

/** The commitment that a suggestion is proposed as: there is one, so that nothing is proposed twice over. */
export const suggestedCommitmentId = (suggestionId: string): string => derivedId('suggested', suggestionId);
