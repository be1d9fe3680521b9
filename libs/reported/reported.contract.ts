import type { Actor, ProcessCommand } from '#kernel';
import type { NeedContent } from '#needs/contract';
import type { OfferContent } from '#offers/contract';
import type { InstrumentCode, Kind, Quantity, ReportedKind, SourceKind, Visibility } from '#vocabulary';

/** Who a publication names: a party id, a State's alpha-3 code, or the published words where neither is certain. */
export type PartyRef = string | { readonly name: string };

export interface ReportedSource {
  /** `published`: anyone can read it; `transcribed`: copied from a paper that is not public. */
  readonly kind: SourceKind;
  readonly reference?: string;
  readonly url?: string;
  /** At the precision known: `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a full time. */
  readonly publishedOn?: string;
  readonly readOn?: string;
}

/** What one source claims where sources contradict each other. Nobody decides between them here. */
export interface ContradictoryClaim {
  readonly value: string | Quantity;
  readonly source: string | ReportedSource;
}

/**
 * The fields the record would have had if its party had filed it (those of a need's, offer's or commitment's creation), all
 * optional, plus `implementers`. Read by `readReported`, which holds the exact shapes by kind.
 */
export interface ReportedWhat {
  readonly implementers?: readonly PartyRef[];
  readonly implementer?: PartyRef;
  readonly fiscalAgent?: PartyRef;
  readonly lines?: readonly ReportedLine[];
  readonly [field: string]: unknown;
}

/** A need's line has `kind` and `quantity`, an offer's `kinds` and `capacity`; any of them may be unpublished. */
export interface ReportedLine {
  readonly kind?: Kind;
  readonly kinds?: readonly Kind[];
  readonly description?: string;
  readonly quantity?: Quantity;
  readonly capacity?: Quantity;
  readonly minimumLot?: string;
}

/** Claimed dates, each at its own precision: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`. */
export interface ReportedDates {
  readonly agreed?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface ReportedDocument {
  readonly kind: string;
  readonly title: string;
  readonly sha256?: string;
  readonly label?: Visibility;
}

export interface ReportedContent {
  readonly kind: ReportedKind;
  readonly title: string;
  readonly donors: readonly PartyRef[];
  readonly beneficiaries: readonly PartyRef[];
  readonly kinds: readonly Kind[];
  readonly instruments: readonly InstrumentCode[];
  readonly what: ReportedWhat;
  readonly visibility: Visibility;
  readonly amounts: readonly Quantity[] | 'not-published';
  readonly dates: ReportedDates;
  /** The source's own words for how far things are, verbatim: never mapped to a status of ours. */
  readonly statusWords?: string;
  readonly description?: string;
  readonly source: ReportedSource;
  readonly claims: readonly ContradictoryClaim[];
  /** Papers about the fact: the publication itself, say. Without a hash a document is a title only. */
  readonly documents?: readonly ReportedDocument[];
  /** Another reported record or a commitment of which this one is a part: amounts are never added across. */
  readonly partOf?: string;
}

/** The draft that a claim makes: its id is fixed in the claim, so that drafting it twice is drafting it once. */
export interface ClaimedDraft {
  readonly kind: 'need' | 'offer';
  readonly id: string;
}

/** Stream `reported-<uuid>`. Holds no acceptance, signature or confirmation: nothing is put into a party's mouth. */
export type ReportedEvent =
  | {
      readonly type: 'ReportedRecorded';
      readonly data: { readonly recordedBy: string; readonly content: ReportedContent };
    }
  | { readonly type: 'ReportedClaimed'; readonly data: { readonly party: string; readonly draft?: ClaimedDraft } }
  | { readonly type: 'ReportedDisowned'; readonly data: { readonly party: string; readonly note?: string } };

interface ClaimHandedOver {
  /** The draft's id: fixed in the claim. */
  readonly id: string;
  /** Who claimed, as the claim's event has it: the draft is this party's. */
  readonly claimant: Actor;
  /** The reported record. */
  readonly claimedFrom: string;
}

/** What a claim hands over: the reported fields as far as they were published. A draft may lack what submission needs. */
export type DraftFromClaim =
  | (ClaimHandedOver & { readonly kind: 'need'; readonly content: NeedContent })
  | (ClaimHandedOver & { readonly kind: 'offer'; readonly content: OfferContent });

/**
 * Port by which a claim becomes a draft in the need's or offer's own stream. One implementation per kind of draft, in the context
 * that owns the stream. The command is decided in the claimant's name, whether its own request or the process carries it; it
 * enforces none of the fields that only submission or posting needs, and answers a draft that exists by writing nothing.
 */
export abstract class DraftFactory {
  abstract readonly kind: 'need' | 'offer';
  abstract draft(claim: DraftFromClaim): ProcessCommand;
}
