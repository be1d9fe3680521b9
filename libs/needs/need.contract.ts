import type { Caller } from '#directory/contract';
import type { InstrumentCode, Kind, Quantity, RefusalReasonCode, Urgency, Visibility } from '#vocabulary';

/** A refusal reason given by a person. */
export interface GivenReason {
  readonly code: RefusalReasonCode;
  readonly note?: string;
  readonly noteFor?: 'other-side' | 'coordinator';
}

/** Inclusive UTC days. */
export interface Period {
  readonly from?: string;
  readonly to?: string;
}

export interface DocumentRef {
  readonly kind: string;
  readonly title: string;
  readonly sha256: string;
  readonly label?: Visibility;
}

export interface NeedLine {
  /** From 1; never reused. */
  readonly line: number;
  readonly kind: Kind;
  readonly description?: string;
  readonly quantity: Quantity;
}

export interface NeedVisibility {
  readonly summary: Visibility;
  readonly body: Visibility;
  readonly annex: Visibility;
}

export interface NeedAnnex {
  readonly sites?: readonly string[];
  readonly quantitiesHeld?: readonly { readonly description: string; readonly quantity: Quantity }[];
  readonly risk?: string;
  readonly accessLimits?: string;
}

/** What the filer writes. Wire form: quantities, dates and codes exactly as API.md has them. Defaults are filled in at drafting. */
export interface NeedContent {
  readonly title: string;
  readonly problem?: string;
  readonly outcome?: string;
  readonly kinds: readonly Kind[];
  readonly instruments: readonly InstrumentCode[];
  readonly traffickingNexus: boolean;
  readonly lines: readonly NeedLine[];
  readonly rank?: number;
  readonly urgency: Urgency;
  readonly period?: Period;
  readonly languages?: readonly string[];
  readonly priorAid?: 'none' | readonly ({ readonly text: string } | { readonly commitmentId: string })[];
  readonly ownContribution?: 'none' | readonly { readonly description: string; readonly quantity?: Quantity }[];
  readonly planLink?: string;
  readonly reportRefs?: readonly {
    readonly instrument: InstrumentCode;
    readonly year: number;
    readonly section?: string;
    readonly url?: string;
  }[];
  readonly authorityRef?: string;
  readonly requestingAuthority?: string;
  readonly contactOffice?: string;
  readonly approached?: readonly { readonly party: string; readonly when?: string; readonly result?: string }[];
  readonly proposedImplementer?: string;
  readonly documents?: readonly DocumentRef[];
  readonly annex?: NeedAnnex;
  readonly visibility: NeedVisibility;
  /** Parties that the label `named` lists. */
  readonly named: readonly string[];
  readonly oversubscription: boolean;
}

/** A beneficiary as it stands to the need. `at`: when it said so, or was named by its own filing; absent while it is only invited. */
export interface Participant {
  readonly party: string;
  readonly status: 'invited' | 'consented' | 'withdrawn';
  /** RFC 3339 UTC. */
  readonly at?: string;
}

/** How those a filing names stand: the State or network it is filed for takes part, the others are invited. */
export const participantsOf = (
  {
    filer,
    onBehalfOf,
    beneficiaries,
  }: { readonly filer: string; readonly onBehalfOf?: string; readonly beneficiaries: readonly string[] },
  at: string,
): readonly Participant[] =>
  beneficiaries.map((party) =>
    party === filer || party === onBehalfOf ? { party, status: 'consented', at } : { party, status: 'invited' },
  );

/** Whom a need is for: those who take part. */
export const countedOf = (participants: readonly Participant[]): readonly string[] =>
  participants.filter(({ status }) => status === 'consented').map(({ party }) => party);

/** A reservation of coverage is keyed by commitment, leg and amendment. */
export interface CoverageKey {
  readonly commitment: string;
  readonly leg: number;
  /** 0 for the commitment as proposed; the amendment's number for what it adds. */
  readonly amendment: number;
}

export type CoverageRefusalCode = 'insufficient-coverage' | 'need-not-open' | 'measure-mismatch' | 'unknown-line';

/** Stream `need-<uuid>`. */
export type NeedEvent =
  | {
      readonly type: 'NeedDrafted';
      readonly data: {
        readonly filer: string;
        readonly beneficiaries: readonly string[];
        /** Set where a coordinator transcribed a note of the State. */
        readonly onBehalfOf?: string;
        /** The reported record a claim made this draft from. */
        readonly claimedFrom?: string;
        readonly content: NeedContent;
      };
    }
  | {
      readonly type: 'NeedSubmitted';
      readonly data: {
        /** `yes`, or `asked`: given by silence until the objection window of five working days has passed. */
        readonly consent: { readonly circulate: 'yes' | 'asked'; readonly publish: 'yes' | 'asked' };
        /** When the objection window ends, RFC 3339 UTC. */
        readonly windowEnds: string;
      };
    }
  | { readonly type: 'NeedReturned'; readonly data: { readonly reasons: readonly string[]; readonly note?: string } }
  | { readonly type: 'NeedSetAside'; readonly data: { readonly code: string; readonly note?: string } }
  | { readonly type: 'NeedObjected'; readonly data: { readonly to: 'circulation' | 'publication' } }
  | { readonly type: 'NeedRatified'; readonly data: Record<string, never> }
  | { readonly type: 'NeedOpened'; readonly data: { readonly reaffirmBy: string } }
  | {
      readonly type: 'NeedAmended';
      readonly data: {
        readonly changes: Partial<NeedContent>;
        /** Everyone the need names from now on: those who were not named before are invited. */
        readonly beneficiaries?: readonly string[];
      };
    }
  /** The States a joint need is for take part by their own word; their host or filer does not speak for them. */
  | { readonly type: 'ParticipationConsented'; readonly data: { readonly party: string } }
  | { readonly type: 'ParticipationWithdrawn'; readonly data: { readonly party: string } }
  /** Quantities of lines that were undetermined. */
  | {
      readonly type: 'NeedAssessed';
      readonly data: {
        readonly lines: readonly { readonly line: number; readonly quantity: Quantity }[];
        readonly report: DocumentRef;
      };
    }
  /** On the absorbed need; its lines, stream and reservations stay its own. */
  | { readonly type: 'NeedSuperseded'; readonly data: { readonly into: string } }
  /** On the survivor. */
  | { readonly type: 'NeedsMerged'; readonly data: { readonly absorbed: string } }
  /** On the absorbed need, which is open again, then on the survivor. */
  | {
      readonly type: 'NeedUnmerged';
      readonly data: { readonly other: string; readonly as: 'absorbed' | 'survivor' };
    }
  | { readonly type: 'NeedReaffirmed'; readonly data: { readonly reaffirmBy: string } }
  | { readonly type: 'NeedFellDormant'; readonly data: Record<string, never> }
  | { readonly type: 'NeedReopened'; readonly data: { readonly reaffirmBy: string } }
  | { readonly type: 'NeedWithdrawn'; readonly data: { readonly reason?: GivenReason } }
  | {
      readonly type: 'NeedClosed';
      readonly data: {
        readonly outcome: 'met' | 'partly-met';
        readonly waivers: readonly { readonly line: number; readonly reason: string }[];
      };
    }
  | {
      readonly type: 'CoverageReserved';
      readonly data: CoverageKey & { readonly line: number; readonly quantity: Quantity };
    }
  | {
      readonly type: 'CoverageRefused';
      readonly data: {
        readonly commitment: string;
        readonly amendment: number;
        readonly code: CoverageRefusalCode;
        readonly detail: string;
        /** Event id of the acceptance (or agreed amendment) this answers: a refused acceptance may be given again. */
        readonly asked: string;
      };
    }
  | {
      readonly type: 'CoverageBound';
      readonly data: CoverageKey & { readonly line: number; readonly quantity: Quantity };
    }
  | {
      readonly type: 'CoverageDelivered';
      readonly data: CoverageKey & { readonly delivery: number; readonly line: number; readonly quantity: Quantity };
    }
  | {
      readonly type: 'CoverageConfirmed';
      readonly data: CoverageKey & { readonly delivery: number; readonly line: number; readonly quantity: Quantity };
    }
  /** `quantity` is what was freed; zero-quantity releases (one that overtook its reservation) leave it out. */
  | {
      readonly type: 'CoverageReleased';
      readonly data: CoverageKey & {
        readonly line?: number;
        readonly quantity?: Quantity;
        /** The amendment that took this part back; the rest of the reservation stays. */
        readonly by?: number;
      };
    }
  /** Sent back: no longer delivered (nor confirmed, as far as `confirmed` says); it may be delivered again. */
  | {
      readonly type: 'CoverageReturned';
      readonly data: CoverageKey & {
        readonly delivery: number;
        /** Number of the return. */
        readonly return: number;
        readonly line: number;
        readonly quantity: Quantity;
        readonly confirmed?: Quantity;
      };
    }
  /** A tranche's size after a correction, a settled dispute or a new credit: the figure is the whole tranche now. */
  | {
      readonly type: 'CoverageDeliveryCorrected';
      readonly data: CoverageKey & {
        readonly delivery: number;
        readonly line: number;
        readonly quantity: Quantity;
        /** Id of the event that said so: answered once. */
        readonly asked: string;
      };
    }
  /** A late answer took the commitment's unconfirmed closing back: it is live again, and its figures stand as they stood. */
  | { readonly type: 'CoverageReopened'; readonly data: CoverageKey & { readonly line: number } };

/** What a proposal needs to know of a need: read from its stream, carried in the command. */
export interface NeedFacts {
  readonly needId: string;
  readonly status: 'draft' | 'submitted' | 'returned' | 'set-aside' | 'open' | 'dormant' | 'closed';
  readonly filer: string;
  /** The need it was merged into, at the end of the chain. */
  readonly supersededBy?: string;
  /** Those who take part by their own word; whoever is invited and has not consented is not among them. */
  readonly beneficiaries: readonly string[];
  /** Networks the beneficiaries belong to on the day of asking. */
  readonly networks: readonly string[];
  /** The same by beneficiary, where there are several: an earmark is to admit each of them. */
  readonly memberships?: Readonly<Record<string, readonly string[]>>;
  /** M49 codes that contain the beneficiaries. */
  readonly regions: readonly string[];
  readonly kinds: readonly Kind[];
  readonly instruments: readonly InstrumentCode[];
  readonly traffickingNexus: boolean;
  readonly lines: readonly NeedLine[];
  readonly period?: Period;
  /** Effective label of the body: what a commitment takes over once it binds. */
  readonly visibility?: Visibility;
}

/** What a caller may see of a need; all false where the need is hidden from it or absent. */
export interface NeedSight {
  readonly summary: boolean;
  readonly body: boolean;
  readonly annex: boolean;
}

/** Port by which other contexts read one need from its own stream: never behind. */
export abstract class NeedReader {
  /** undefined where the need does not exist. */
  abstract facts(needId: string): Promise<NeedFacts | undefined>;
  abstract sight(needId: string, caller: Caller): Promise<NeedSight>;
  /** For views over many needs: answers, of the ids it is given, those whose body this caller sees, as the board of needs has them. */
  abstract bodiesSeenBy(caller: Caller): Promise<(needIds: readonly string[]) => ReadonlySet<string>>;
}

/**
 * Port: needs labelled `eligible` that a provider may see: those that an open offer of its, older than 24 hours, could match (DOMAIN,
 * visibility). Where no context provides it such needs are shown to none but their owner, the coordinator, parties to their
 * commitments and mandated auditors.
 */
export abstract class EligibleProviders {
  /** Ids of needs. */
  abstract needsFor(caller: Caller): Promise<ReadonlySet<string>>;
}
