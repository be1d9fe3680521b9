import type { Actor, Decision, RecordedEvent, Rejection } from '#kernel';
import { refuse } from '#kernel';
import type { Quantity } from '#vocabulary';
import { add, compare, isDeterminate, isUnlimited, sameMeasure, stateOfParty, subtract, zeroLike } from '#vocabulary';
import type { DocumentsState } from './commitment-documents.js';
import type { AmendingRejectionCode, AmendingState } from './commitment-amending.js';
import type { DeliveriesRejectionCode, DeliveriesState } from './commitment-deliveries.js';
import type { MoneyRejectionCode, MoneyState } from './commitment-money.js';
import type { TermsRejectionCode, TermsState } from './commitment-terms.js';
import type { CommitmentEvent, Leg, Reason, Side } from './commitment.contract.js';

export type CoreRejectionCode =
  | 'forbidden'
  | 'not-found'
  | 'already-exists'
  | 'need-not-open'
  | 'offer-not-open'
  | 'earmark'
  | 'unknown-line'
  | 'undetermined-line'
  | 'measure-mismatch'
  | 'valuation-required'
  | 'valuation-mismatch'
  | 'unknown-agency'
  | 'unknown-signatory'
  | 'below-minimum-lot'
  | 'expired'
  | 'not-due'
  | 'not-proposed'
  | 'not-accepted'
  | 'not-binding'
  | 'not-confirmed'
  | 'not-held'
  | 'own-proposal'
  | 'acceptance-pending'
  | 'already-consented'
  | 'already-declined'
  | 'already-signed'
  | 'already-proposed';

export type CommitmentRejectionCode =
  CoreRejectionCode | AmendingRejectionCode | DeliveriesRejectionCode | MoneyRejectionCode | TermsRejectionCode;
export type CommitmentRejection = Rejection<CommitmentRejectionCode>;

export type CommitmentStatus =
  | 'proposed'
  | 'accepted'
  | 'binding'
  | 'delivered'
  | 'confirmed'
  | 'closed'
  | 'declined'
  | 'lapsed'
  | 'withdrawn'
  | 'cancelled';

export type AgencyRole = 'implementer' | 'fiscal-agent';

export interface LegState extends Leg {
  /** Σ of the tranches reported, in the offer's and in the need's measure. */
  readonly deliveredDrawn: Quantity;
  readonly deliveredCredited: Quantity;
  readonly confirmedDrawn: Quantity;
  readonly confirmedCredited: Quantity;
}

export type EventData<T extends CommitmentEvent['type']> = Extract<CommitmentEvent, { type: T }>['data'];
/** What stands beside an event's data. */
export type EventContext = RecordedEvent['metadata'];

export interface CommitmentState extends AmendingState, DeliveriesState, DocumentsState, MoneyState, TermsState {
  /** undefined: there is no such commitment. */
  readonly status?: CommitmentStatus;
  readonly closedAs?: 'confirmed' | 'unconfirmed' | 'cancelled';
  readonly offerId: string;
  readonly needId: string;
  readonly side: Side;
  readonly proposedBy: string;
  /** Sovereign of the proposer: never accepted by the same one. */
  readonly proposerSovereign?: string;
  readonly proposedAt: string;
  readonly providers: readonly string[];
  readonly beneficiaries: readonly string[];
  readonly filer: string;
  readonly implementer?: string;
  readonly fiscalAgent?: string;
  readonly signatories: readonly string[];
  readonly partOf?: string;
  readonly expiresAt: string;
  readonly hold: 'pending' | 'held' | 'released' | 'refused';
  readonly acceptance: 'none' | 'pending' | 'refused' | 'given';
  /** The newest refusal of offer or need. */
  readonly refusal?: { readonly by: 'offer' | 'need'; readonly code: string; readonly detail: string };
  readonly reason?: {
    readonly party?: string;
    readonly code: string;
    readonly note?: string;
    readonly noteFor?: 'other-side' | 'coordinator';
  };
  readonly legs: readonly LegState[];
  readonly consents: readonly { readonly party: string; readonly as: readonly AgencyRole[]; readonly at: string }[];
  readonly taskDeclines: readonly { readonly party: string; readonly reason: Reason; readonly at: string }[];
  readonly signatures: readonly { readonly party: string; readonly at: string }[];
  readonly boundAt?: string;
  readonly closeProposed?: { readonly side: Side; readonly party: string };
  /** Of the parties that acted here, the State each belongs to; of a State its id says so. */
  readonly sovereigns: Readonly<Record<string, string>>;
}

/** Who asks, as far as the rules look. `roles` narrows a State to its office of that side; undefined: not judged. */
export interface Who {
  readonly party: string;
  readonly sovereign?: string;
  readonly coordinator: boolean;
  readonly roles?: readonly string[];
}

export const whoOf = ({ party, sovereign, role }: Actor): Who => ({
  party,
  coordinator: role === 'coordinator',
  ...(sovereign === undefined ? {} : { sovereign }),
});

export const sovereignOf = ({
  party,
  sovereign,
}: {
  readonly party: string;
  readonly sovereign?: string;
}): string | undefined => sovereign ?? stateOfParty(party);

/** Two parties of one sovereign count as the same side wherever a rule says "another party" (DOMAIN). */
export const sameSide = (
  a: { readonly party: string; readonly sovereign?: string },
  b: { readonly party: string; readonly sovereign?: string },
): boolean => {
  if (a.party === b.party) return true;
  const sovereign = sovereignOf(a);
  return sovereign !== undefined && sovereign === sovereignOf(b);
};

/** A party of the record with its sovereign, as far as the record knows it. */
export const asParty = (
  { sovereigns }: Pick<CommitmentState, 'sovereigns'>,
  party: string,
): { readonly party: string; readonly sovereign?: string } => {
  const sovereign = sovereigns[party];
  return sovereign === undefined ? { party } : { party, sovereign };
};

/** A State that offers does so through its donor desk; its offices receive (DOMAIN, roles table). */
export const hasOfficeFor = ({ party, roles }: Who, side: Side): boolean => {
  if (roles === undefined || !/^(state|authority):/.test(party)) return true;
  return side === 'provider'
    ? roles.includes('donor-desk')
    : roles.some((role) => role === 'npc' || role === 'mission' || role === 'line-ministry');
};

/** The parties that act for the recipients: the beneficiaries, and the host of a joint need. */
export const recipientsOf = ({ beneficiaries, filer }: Pick<CommitmentState, 'beneficiaries' | 'filer'>): string[] =>
  filer.startsWith('network:') && !beneficiaries.includes(filer) ? [...beneficiaries, filer] : [...beneficiaries];

/** The network that filed for several: it signs, and answers what was delivered to all of them. */
export const hostOf = ({
  beneficiaries,
  filer,
}: Pick<CommitmentState, 'beneficiaries' | 'filer'>): string | undefined =>
  beneficiaries.length > 1 && filer.startsWith('network:') ? filer : undefined;

export const isProvider = (state: CommitmentState, who: Who): boolean =>
  state.providers.includes(who.party) && hasOfficeFor(who, 'provider');
export const isRecipient = (state: CommitmentState, who: Who): boolean =>
  recipientsOf(state).includes(who.party) && hasOfficeFor(who, 'recipient');

/** The sides this party may speak for. */
export const sidesOf = (state: CommitmentState, who: Who): Side[] => [
  ...(isProvider(state, who) ? (['provider'] as const) : []),
  ...(isRecipient(state, who) ? (['recipient'] as const) : []),
];

export const isSide = (state: CommitmentState, who: Who): boolean => sidesOf(state, who).length > 0;
export const otherSide = (side: Side): Side => (side === 'provider' ? 'recipient' : 'provider');

/** The roles an agency is named for. */
export const tasksOf = (state: CommitmentState, party: string): AgencyRole[] => [
  ...(state.implementer === party ? (['implementer'] as const) : []),
  ...(state.fiscalAgent === party ? (['fiscal-agent'] as const) : []),
];

/** Everyone the record itself names: its parties. */
export const partiesOf = (state: CommitmentState): Set<string> =>
  new Set(
    [
      ...state.providers,
      ...state.beneficiaries,
      state.filer,
      state.proposedBy,
      state.implementer ?? '',
      state.fiscalAgent ?? '',
      ...state.signatories,
    ].filter((party) => party !== ''),
  );

/** A coordinator never acts where its own party is provider, implementer, beneficiary or filer (DOMAIN, roles table). */
export const isCoordinatorInCharge = (state: CommitmentState, who: Who): boolean =>
  who.coordinator && !partiesOf(state).has(who.party);

export const BEFORE_BINDING: readonly CommitmentStatus[] = ['proposed', 'accepted'];
export const BOUND: readonly CommitmentStatus[] = ['binding', 'delivered', 'confirmed', 'cancelled', 'closed'];

export interface Rule {
  /** Name in URLs and in `actions`. */
  readonly segment: string;
  readonly from: readonly CommitmentStatus[];
  /** The code where the status does not allow it. */
  readonly otherwise: CommitmentRejectionCode;
  who(state: CommitmentState, who: Who): boolean;
  /** Further refusals that follow from state, caller and server time alone. */
  also?(state: CommitmentState, who: Who, at: string): CommitmentRejection | undefined;
}

export const rejection = (code: CommitmentRejectionCode, detail: string, field?: string): CommitmentRejection =>
  field === undefined ? { code, detail } : { code, detail, field };

/** Nothing of this quantity; what has no figure adds none. */
export const noneOf = (quantity: Quantity): Quantity => (isDeterminate(quantity) ? zeroLike(quantity) : quantity);

/** a + b where they are of one measure, else a: a scope in words adds no figure, and a replay by effective time may lack a new credit. */
export const plus = (a: Quantity, b: Quantity): Quantity => (sameMeasure(a, b) ? add(a, b) : a);

/** a − b, as `plus`. */
export const minus = (a: Quantity, b: Quantity): Quantity => (sameMeasure(a, b) ? subtract(a, b) : a);

/** A leg of which nothing has come yet. */
export const undelivered = (leg: Leg): LegState => ({
  ...leg,
  deliveredDrawn: noneOf(leg.drawn),
  deliveredCredited: noneOf(leg.credited),
  confirmedDrawn: noneOf(leg.drawn),
  confirmedCredited: noneOf(leg.credited),
});

const isThere = (delivered: Quantity, committed: Quantity): boolean =>
  !sameMeasure(delivered, committed) || compare(delivered, committed) >= 0;

/** All of a leg has come, in both measures: what was sent back in the smaller one may be less than a whole in the other. */
export const isComplete = (leg: LegState): boolean =>
  isThere(leg.deliveredDrawn, leg.drawn) && isThere(leg.deliveredCredited, leg.credited);

export type Outcome = Decision<CommitmentEvent, CommitmentRejection>;

export const refused = ({ code, detail, field }: CommitmentRejection): Outcome => refuse(code, detail, field);

/**
 * What part of `other` belongs to `stated` out of `whole`: rounded down, so that the sum of the parts never passes the whole
 * and the part that completes it takes the rest. Minor units.
 */
export const proRata = (stated: bigint, whole: bigint, other: bigint): bigint => (stated * other) / whole;

export const isInMeasureOf = (quantity: Quantity, { drawn, credited }: Pick<Leg, 'drawn' | 'credited'>): boolean =>
  !isUnlimited(quantity) && (sameMeasure(quantity, drawn) || sameMeasure(quantity, credited));

export const replaced = <T extends { readonly n: number }>(
  items: readonly T[],
  n: number,
  change: (item: T) => T,
): T[] => items.map((item) => (item.n === n ? change(item) : item));
