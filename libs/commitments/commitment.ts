import type { Actor, Command, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse, SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { Quantity, TransferKind, Valuation } from '#vocabulary';
import {
  add,
  addDays,
  compare,
  isRival,
  isUnlimited,
  minorUnits,
  quantityOf,
  rateHolds,
  sameMeasure,
  stateOfParty,
  subtract,
  zeroLike,
} from '#vocabulary';
import type { CommitmentEvent, EarmarkFacts, Leg, Reason, Side } from './commitment.contract.js';

/** A proposal stands for this many days unless it says otherwise. */
const PROPOSAL_DAYS = 60;
/** A delivered commitment closes unconfirmed this many days after its last tranche. */
const UNCONFIRMED_DAYS = 180;

export type CommitmentRejectionCode =
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
  | 'unknown-leg'
  | 'unknown-transfer'
  | 'unknown-beneficiary'
  | 'expired'
  | 'not-due'
  | 'not-proposed'
  | 'not-accepted'
  | 'not-binding'
  | 'not-confirmed'
  | 'not-held'
  | 'own-proposal'
  | 'own-delivery'
  | 'acceptance-pending'
  | 'already-consented'
  | 'already-declined'
  | 'already-signed'
  | 'already-confirmed'
  | 'already-disputed'
  | 'already-settled'
  | 'already-proposed'
  | 'currency-mismatch'
  | 'onward-mismatch'
  | 'refund-mismatch'
  | 'over-refund'
  | 'over-disbursement'
  | 'over-delivery'
  | 'over-confirmation'
  | 'open-discrepancies';
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

export interface DeliveryState {
  readonly n: number;
  readonly leg: number;
  readonly quantity: Quantity;
  readonly drawn: Quantity;
  readonly credited: Quantity;
  readonly party: string;
  /** Sovereign of who reported it: never confirmed by the same one. */
  readonly sovereign?: string;
  readonly beneficiary?: string;
  readonly date: string;
  readonly evidence?: readonly { readonly title: string; readonly uri: string; readonly sha256: string }[];
  readonly status: 'reported' | 'confirmed' | 'disputed';
  readonly confirmed?: {
    readonly party: string;
    readonly quantity: Quantity;
    readonly condition: 'usable' | 'in-use-later' | 'not-usable';
    readonly note?: string;
    readonly at: string;
  };
  readonly dispute?: { readonly party: string; readonly reason: string; readonly at: string };
}

type EventData<T extends CommitmentEvent['type']> = Extract<CommitmentEvent, { type: T }>['data'];
type TransferState = EventData<'TransferReported'>;
type ReceiptState = Omit<EventData<'ReceiptReported'>, 'discrepancy'>;

/** What remains of a transfer after its receipts: one per transfer, moved by every further receipt. */
export interface DiscrepancyState {
  readonly n: number;
  readonly transfer: number;
  /** transfer − Σ amounts − Σ charges, as an absolute figure; `short`: less arrived than was sent. */
  readonly difference: Quantity;
  readonly sign: 'short' | 'over';
  /** `settled`: a later receipt made up for it. */
  readonly status: 'open' | 'accepted' | 'settled';
  readonly reason?: string;
}

export interface CommitmentState {
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
  readonly conditions: EventData<'CommitmentProposed'>['conditions'];
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
  readonly deliveries: readonly DeliveryState[];
  readonly transfers: readonly TransferState[];
  readonly receipts: readonly ReceiptState[];
  readonly discrepancies: readonly DiscrepancyState[];
  readonly closeProposed?: { readonly side: Side; readonly party: string };
  /** Server time of the last tranche, or of the act that reopened an unconfirmed closing: silence counts from here. */
  readonly silentSince?: string;
}

const INITIAL: CommitmentState = {
  offerId: '',
  needId: '',
  side: 'provider',
  proposedBy: '',
  proposedAt: '',
  providers: [],
  beneficiaries: [],
  filer: '',
  signatories: [],
  expiresAt: '',
  conditions: [],
  hold: 'pending',
  acceptance: 'none',
  legs: [],
  consents: [],
  taskDeclines: [],
  signatures: [],
  deliveries: [],
  transfers: [],
  receipts: [],
  discrepancies: [],
};

/** A leg as proposed: numbered by its place, `credited` left out where it equals `drawn`. */
export interface ProposedLeg {
  readonly offerLine: number;
  readonly needLine: number;
  readonly drawn: Quantity;
  readonly credited?: Quantity;
  readonly valuation?: Valuation;
}

/** What the other streams said when the proposal was made: advisory, offer and need decide again. */
export interface ProposalFacts {
  readonly offer: {
    readonly offerId: string;
    readonly open: boolean;
    readonly providers: readonly string[];
    readonly lines: readonly { readonly line: number; readonly capacity: Quantity }[];
    readonly conditions: EventData<'CommitmentProposed'>['conditions'];
  };
  readonly need: {
    readonly needId: string;
    readonly open: boolean;
    readonly filer: string;
    readonly beneficiaries: readonly string[];
    readonly lines: readonly { readonly line: number; readonly quantity: Quantity }[];
  };
  readonly earmarkFacts: EarmarkFacts;
  /** Why the offer's earmark excludes the need; undefined where it does not. */
  readonly earmarkFault?: string;
  /** Named agencies that the directory does not hold. */
  readonly unknownAgencies: readonly string[];
}

export type CommitmentCommand = Command &
  (
    | {
        readonly type: 'ProposeCommitment';
        readonly facts: ProposalFacts;
        readonly legs: readonly ProposedLeg[];
        readonly implementer?: string;
        readonly fiscalAgent?: string;
        readonly partOf?: string;
        readonly expiresAt?: string;
      }
    | { readonly type: 'AcceptCommitment' }
    | { readonly type: 'DeclineCommitment' | 'WithdrawCommitment' | 'CancelCommitment'; readonly reason: Reason }
    | { readonly type: 'ConsentTask' }
    | { readonly type: 'DeclineTask'; readonly reason: Reason }
    | { readonly type: 'SignCommitment' }
    | {
        readonly type: 'ReportTransfer';
        readonly kind: TransferKind;
        readonly from: string;
        readonly to: string;
        readonly amount: Quantity;
        readonly leg?: number;
        readonly onward?: number;
        /** The transfer a refund reverses. */
        readonly of?: number;
        readonly date: string;
        readonly reference?: string;
      }
    | {
        readonly type: 'ReportReceipt';
        readonly transfer: number;
        readonly amount: Quantity;
        readonly credited?: Quantity;
        readonly rate?: string;
        readonly charges?: Quantity;
        readonly date: string;
        readonly reference?: string;
      }
    | { readonly type: 'AcceptDiscrepancy'; readonly n: number; readonly reason: string }
    | {
        readonly type: 'ReportDelivery';
        readonly leg: number;
        readonly quantity: Quantity;
        readonly beneficiary?: string;
        readonly date: string;
        readonly evidence?: readonly { readonly title: string; readonly uri: string; readonly sha256: string }[];
      }
    | {
        readonly type: 'ConfirmDelivery';
        readonly n: number;
        /** All of the tranche where absent. */
        readonly quantity?: Quantity;
        readonly condition: 'usable' | 'in-use-later' | 'not-usable';
        readonly note?: string;
      }
    | { readonly type: 'DisputeDelivery'; readonly n: number; readonly reason: string }
    | { readonly type: 'CloseCommitment' }
    | { readonly type: 'LapseCommitment' | 'CloseUnconfirmed' }
    | { readonly type: 'RecordHold' | 'RecordAcceptance' }
    | {
        readonly type: 'RecordHoldRefusal' | 'RecordAcceptanceRefusal';
        readonly code: string;
        readonly detail: string;
      }
    | { readonly type: 'DeclineForClosure'; readonly code: 'need-closed' | 'offer-closed' }
  );

type CommandOf<T extends CommitmentCommand['type']> = Extract<CommitmentCommand, { type: T }>;

/** Who asks, as far as the rules look. `roles` narrows a State to its office of that side; undefined: not judged. */
export interface Who {
  readonly party: string;
  readonly sovereign?: string;
  readonly coordinator: boolean;
  readonly roles?: readonly string[];
}

const whoOf = ({ party, sovereign, role }: Actor): Who => ({
  party,
  coordinator: role === 'coordinator',
  ...(sovereign === undefined ? {} : { sovereign }),
});

const sovereignOf = ({
  party,
  sovereign,
}: {
  readonly party: string;
  readonly sovereign?: string;
}): string | undefined => sovereign ?? stateOfParty(party);

/** Two parties of one sovereign count as the same side wherever a rule says "another party" (DOMAIN). */
const sameSide = (
  a: { readonly party: string; readonly sovereign?: string },
  b: { readonly party: string; readonly sovereign?: string },
): boolean => {
  if (a.party === b.party) return true;
  const sovereign = sovereignOf(a);
  return sovereign !== undefined && sovereign === sovereignOf(b);
};

/** A State that offers does so through its donor desk; its offices receive (DOMAIN, roles table). */
const hasOfficeFor = ({ party, roles }: Who, side: Side): boolean => {
  if (roles === undefined || !/^(state|authority):/.test(party)) return true;
  return side === 'provider'
    ? roles.includes('donor-desk')
    : roles.some((role) => role === 'npc' || role === 'mission' || role === 'line-ministry');
};

/** The parties that act for the recipients: the beneficiaries, and the host of a joint need. */
export const recipientsOf = ({ beneficiaries, filer }: Pick<CommitmentState, 'beneficiaries' | 'filer'>): string[] =>
  filer.startsWith('network:') && !beneficiaries.includes(filer) ? [...beneficiaries, filer] : [...beneficiaries];

const isProvider = (state: CommitmentState, who: Who): boolean =>
  state.providers.includes(who.party) && hasOfficeFor(who, 'provider');
const isRecipient = (state: CommitmentState, who: Who): boolean =>
  recipientsOf(state).includes(who.party) && hasOfficeFor(who, 'recipient');

/** The sides this party may speak for. */
const sidesOf = (state: CommitmentState, who: Who): Side[] => [
  ...(isProvider(state, who) ? (['provider'] as const) : []),
  ...(isRecipient(state, who) ? (['recipient'] as const) : []),
];

const isSide = (state: CommitmentState, who: Who): boolean => sidesOf(state, who).length > 0;
const otherSide = (side: Side): Side => (side === 'provider' ? 'recipient' : 'provider');

/** The roles an agency is named for. */
const tasksOf = (state: CommitmentState, party: string): AgencyRole[] => [
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
const isCoordinatorInCharge = (state: CommitmentState, who: Who): boolean =>
  who.coordinator && !partiesOf(state).has(who.party);

/** Money moves from a side, a named agency, or whoever an earlier transfer reached. */
const mayPay = (state: CommitmentState, who: Who): boolean =>
  state.providers.includes(who.party) ||
  recipientsOf(state).includes(who.party) ||
  tasksOf(state, who.party).length > 0 ||
  state.transfers.some(({ to }) => to === who.party);

const delivers = (state: CommitmentState, who: Who): boolean =>
  state.implementer === who.party || state.providers.includes(who.party);

const BEFORE_BINDING: readonly CommitmentStatus[] = ['proposed', 'accepted'];
const BOUND: readonly CommitmentStatus[] = ['binding', 'delivered', 'confirmed', 'cancelled', 'closed'];

interface Rule {
  /** Name in URLs and in `actions`. */
  readonly segment: string;
  readonly from: readonly CommitmentStatus[];
  /** The code where the status does not allow it. */
  readonly otherwise: CommitmentRejectionCode;
  who(state: CommitmentState, who: Who): boolean;
  /** Further refusals that follow from state and caller alone. */
  also?(state: CommitmentState, who: Who): CommitmentRejection | undefined;
}

const rejection = (code: CommitmentRejectionCode, detail: string, field?: string): CommitmentRejection =>
  field === undefined ? { code, detail } : { code, detail, field };

/** Commands of parties: where from, and who. One table for `decide`, for permission and for `actions`. */
export const COMMITMENT_RULES = {
  AcceptCommitment: {
    segment: 'accept',
    from: ['proposed'],
    otherwise: 'not-proposed',
    who: isSide,
    also: (state, who) => {
      // The proposer's own side may ask, and hears the rule instead of a 403 (I4).
      if (sameSide(who, proposerOf(state)) || !sidesOf(state, who).includes(otherSide(state.side))) {
        return rejection(
          'own-proposal',
          'A proposal is accepted by the other side, never by the proposer’s sovereign.',
        );
      }
      if (state.hold !== 'held')
        return rejection('not-held', 'The offer has not yet held capacity: wait for its answer.');
      if (state.acceptance === 'pending') {
        return rejection('acceptance-pending', 'The acceptance is given already; the need’s answer is awaited.');
      }
      return undefined;
    },
  },
  DeclineCommitment: {
    segment: 'decline',
    from: ['proposed'],
    otherwise: 'not-proposed',
    who: (state, who) => sidesOf(state, who).includes(otherSide(state.side)),
  },
  WithdrawCommitment: {
    segment: 'withdraw',
    from: BEFORE_BINDING,
    otherwise: 'not-proposed',
    who: (state, who) => who.party === state.proposedBy && sidesOf(state, who).includes(state.side),
  },
  ConsentTask: {
    segment: 'consent-task',
    from: BEFORE_BINDING,
    otherwise: 'not-proposed',
    who: (state, who) => tasksOf(state, who.party).length > 0,
    also: (state, who) =>
      state.consents.some(({ party }) => party === who.party)
        ? rejection('already-consented', 'The agency has consented already; one consent covers every role.')
        : undefined,
  },
  DeclineTask: {
    segment: 'decline-task',
    from: BEFORE_BINDING,
    otherwise: 'not-proposed',
    who: (state, who) => tasksOf(state, who.party).length > 0,
    also: (state, who) =>
      state.taskDeclines.some(({ party }) => party === who.party)
        ? rejection('already-declined', 'The agency has declined already.')
        : undefined,
  },
  SignCommitment: {
    segment: 'sign',
    from: ['accepted'],
    otherwise: 'not-accepted',
    who: (state, who) => state.signatories.includes(who.party) && isSide(state, who),
    also: (state, who) =>
      state.signatures.some(({ party }) => party === who.party)
        ? rejection('already-signed', 'Each signatory signs once.')
        : undefined,
  },
  ReportTransfer: { segment: 'transfers', from: BOUND, otherwise: 'not-binding', who: mayPay },
  ReportReceipt: {
    segment: 'receipts',
    from: BOUND,
    otherwise: 'not-binding',
    who: (state, who) => state.transfers.some(({ to }) => to === who.party),
  },
  AcceptDiscrepancy: {
    segment: 'accept-discrepancy',
    from: BOUND,
    otherwise: 'not-binding',
    who: isCoordinatorInCharge,
  },
  ReportDelivery: {
    segment: 'deliveries',
    // Delivered and confirmed: nothing is left to deliver, which the quantity rule says better than the status.
    from: ['binding', 'delivered', 'confirmed'],
    otherwise: 'not-binding',
    who: delivers,
  },
  ConfirmDelivery: {
    segment: 'confirm',
    from: BOUND,
    otherwise: 'not-binding',
    who: isRecipient,
  },
  DisputeDelivery: {
    segment: 'dispute',
    from: BOUND,
    otherwise: 'not-binding',
    who: isRecipient,
  },
  CancelCommitment: {
    segment: 'cancel',
    from: ['binding', 'delivered'],
    otherwise: 'not-binding',
    who: isSide,
  },
  CloseCommitment: {
    segment: 'close',
    from: ['confirmed', 'cancelled'],
    otherwise: 'not-confirmed',
    who: (state, who) => isCoordinatorInCharge(state, who) || isSide(state, who),
    also: (state, who) => {
      if (openDiscrepancies(state).length > 0) {
        return rejection('open-discrepancies', 'Discrepancies are settled or accepted before the closing.');
      }
      const { closeProposed } = state;
      return closeProposed !== undefined &&
        !isCoordinatorInCharge(state, who) &&
        !sidesOf(state, who).includes(otherSide(closeProposed.side))
        ? rejection('already-proposed', 'This side has proposed the closing; the other side or the coordinator closes.')
        : undefined;
    },
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type PartyCommandType = keyof typeof COMMITMENT_RULES;

const proposerOf = (state: CommitmentState): { readonly party: string; readonly sovereign?: string } => ({
  party: state.proposedBy,
  ...(state.proposerSovereign === undefined ? {} : { sovereign: state.proposerSovereign }),
});

const openDiscrepancies = (state: CommitmentState): DiscrepancyState[] =>
  state.discrepancies.filter(({ status }) => status === 'open');

/** True where the record is this party's to command so, whatever its status. */
export const mayCommand = (type: PartyCommandType, state: CommitmentState, who: Who): boolean =>
  (COMMITMENT_RULES[type] as Rule).who(state, who);

const PAST_LIMIT: readonly (CommitmentStatus | undefined)[] = ['proposed', 'accepted', 'lapsed'];

/**
 * Whether this party may do this now, as far as state and time tell: the refusal, or undefined.
 * @param at server time, RFC 3339 UTC with milliseconds
 */
const refusalOf = (
  type: PartyCommandType,
  state: CommitmentState,
  who: Who,
  at: string,
): CommitmentRejection | undefined => {
  const rule: Rule = COMMITMENT_RULES[type];
  if (state.status === undefined) return rejection('not-found', 'There is no such commitment.');
  if (!rule.who(state, who)) return rejection('forbidden', `This is not for ${who.party} to do on this commitment.`);
  // The time limit binds parties before the timer has fired and reads the same after it.
  if (PAST_LIMIT.includes(state.status) && at >= state.expiresAt) {
    return rejection('expired', `The proposal’s time limit passed at ${state.expiresAt}: propose anew.`);
  }
  if (!rule.from.includes(state.status)) {
    return rejection(
      rule.otherwise,
      `The commitment is ${state.status}; "${rule.segment}" is possible while it is ${rule.from.join(' or ')}.`,
    );
  }
  return rule.also?.(state, who);
};

const hasToAnswer = (state: CommitmentState, who: Who, which: (delivery: DeliveryState) => boolean): boolean =>
  isDeliveryAnswerable(state) &&
  state.deliveries.some((delivery) => which(delivery) && answersFor(state, delivery, who));

/** The commands this caller may send now, by their names in URLs. */
export const actionsOf = (state: CommitmentState, who: Who, at: string): string[] =>
  (Object.keys(COMMITMENT_RULES) as PartyCommandType[])
    .filter((type) => {
      if (refusalOf(type, state, who, at) !== undefined) return false;
      if (type === 'ReportDelivery') return state.legs.some((leg) => !isComplete(leg));
      if (type === 'ConfirmDelivery') {
        return hasToAnswer(state, who, (delivery) => delivery.status !== 'confirmed' && !sameSide(who, delivery));
      }
      if (type === 'DisputeDelivery') return hasToAnswer(state, who, ({ status }) => status === 'reported');
      if (type === 'AcceptDiscrepancy') return openDiscrepancies(state).length > 0;
      return true;
    })
    .map((type) => COMMITMENT_RULES[type].segment);

const isComplete = (leg: LegState): boolean => compare(leg.deliveredDrawn, leg.drawn) >= 0;

/** Tranches are answered while the commitment lives, after a cancellation, and late, after an unconfirmed closing. */
const isDeliveryAnswerable = ({ status, closedAs }: CommitmentState): boolean =>
  status !== 'closed' || closedAs === 'unconfirmed';

/** A tranche for one State is that State's to answer; a shared one any recipient's, so the host's too. */
const answersFor = (state: CommitmentState, delivery: DeliveryState, who: Who): boolean =>
  delivery.beneficiary === undefined ? isRecipient(state, who) : delivery.beneficiary === who.party;

/** What a deadline waits for; undefined where none runs. */
export const deadlineOf = (
  state: CommitmentState,
): { readonly due: string; readonly command: 'LapseCommitment' | 'CloseUnconfirmed' } | undefined => {
  if (state.status === 'proposed' || state.status === 'accepted') {
    return { due: state.expiresAt, command: 'LapseCommitment' };
  }
  // A dispute is not silence: it stays open until the two sides have settled it.
  if (state.status === 'delivered' && state.silentSince !== undefined && !isDisputed(state)) {
    return { due: addDays(state.silentSince, UNCONFIRMED_DAYS), command: 'CloseUnconfirmed' };
  }
  return undefined;
};

export const isDisputed = (state: CommitmentState): boolean =>
  state.deliveries.some(({ status }) => status === 'disputed');

type Outcome = Decision<CommitmentEvent, CommitmentRejection>;

const refused = ({ code, detail, field }: CommitmentRejection): Outcome => refuse(code, detail, field);

const forbiddenUnless = (actor: Actor, principal: Actor): Outcome | undefined =>
  actor.party === principal.party ? undefined : refuse('forbidden', `Only ${principal.party} records this.`);

const decide = (command: CommitmentCommand, state: CommitmentState): Outcome => {
  switch (command.type) {
    case 'ProposeCommitment':
      return propose(command, state);
    case 'LapseCommitment':
    case 'CloseUnconfirmed':
      return forbiddenUnless(command.by.actor, SYSTEM_TIMER) ?? atDeadline(command, state);
    case 'RecordHold':
    case 'RecordHoldRefusal':
    case 'RecordAcceptance':
    case 'RecordAcceptanceRefusal':
    case 'DeclineForClosure':
      return forbiddenUnless(command.by.actor, SYSTEM_PROCESS) ?? recordAnswer(command, state);
    default:
      return ofParty(command, state);
  }
};

const ofParty = (command: CommandOf<PartyCommandType>, state: CommitmentState): Outcome => {
  const who = whoOf(command.by.actor);
  const { party } = who;
  const refusal = refusalOf(command.type, state, who, command.by.at);
  if (refusal !== undefined) return refused(refusal);
  switch (command.type) {
    case 'AcceptCommitment':
      return accept({ type: 'AcceptanceGiven', data: { party } });
    case 'DeclineCommitment':
      return accept({ type: 'CommitmentDeclined', data: { party, reason: command.reason } });
    case 'WithdrawCommitment':
      return accept({ type: 'CommitmentWithdrawn', data: { party, reason: command.reason } });
    case 'CancelCommitment':
      return accept({ type: 'CommitmentCancelled', data: { party, reason: command.reason } });
    case 'ConsentTask':
      return bindingWhenComplete(state, { type: 'TaskConsented', data: { agency: party, as: tasksOf(state, party) } });
    case 'DeclineTask':
      return accept({ type: 'TaskDeclined', data: { agency: party, reason: command.reason } });
    case 'SignCommitment':
      return bindingWhenComplete(state, { type: 'CommitmentSigned', data: { party } });
    case 'ReportTransfer':
      return reportTransfer(command, state, party);
    case 'ReportReceipt':
      return reportReceipt(command, state, party);
    case 'AcceptDiscrepancy':
      return acceptDiscrepancy(command, state);
    case 'ReportDelivery':
      return reportDelivery(command, state, party);
    case 'ConfirmDelivery':
      return confirmDelivery(command, state, who);
    case 'DisputeDelivery':
      return disputeDelivery(command, state, who);
    case 'CloseCommitment':
      return close(state, who);
  }
};

/** Checks legs against the lines they bind. Capacity and coverage are not looked at: those are the offer's and the need's answers. */
const legFault = (legs: readonly ProposedLeg[], { offer, need }: ProposalFacts): CommitmentRejection | undefined => {
  for (const [index, leg] of legs.entries()) {
    const at = `legs[${index}]`;
    const offered = offer.lines.find(({ line }) => line === leg.offerLine);
    if (offered === undefined) {
      return rejection('unknown-line', `The offer has no line ${leg.offerLine}.`, `${at}.offerLine`);
    }
    const asked = need.lines.find(({ line }) => line === leg.needLine);
    if (asked === undefined) {
      return rejection('unknown-line', `The need has no line ${leg.needLine}.`, `${at}.needLine`);
    }
    if (asked.quantity.measure === 'undetermined') {
      return rejection(
        'undetermined-line',
        `Line ${leg.needLine} of the need has no quantity yet and cannot be credited before it is assessed.`,
        `${at}.needLine`,
      );
    }
    if (!isRival(leg.drawn) || !sameMeasure(leg.drawn, offered.capacity)) {
      return rejection('measure-mismatch', 'What is drawn is in the measure of the offer’s line.', `${at}.drawn`);
    }
    const credited = leg.credited ?? leg.drawn;
    if (!isRival(credited) || !sameMeasure(credited, asked.quantity)) {
      return rejection('measure-mismatch', 'What is credited is in the measure of the need’s line.', `${at}.credited`);
    }
    const fault = valuationFault(leg.drawn, credited, leg.valuation, at);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

const valuationFault = (
  drawn: Quantity,
  credited: Quantity,
  valuation: Valuation | undefined,
  at: string,
): CommitmentRejection | undefined => {
  if (sameMeasure(drawn, credited)) {
    return compare(drawn, credited) === 0
      ? undefined
      : rejection('valuation-mismatch', 'In one measure as much is credited as is drawn.', `${at}.credited`);
  }
  if (valuation === undefined) {
    return rejection('valuation-required', 'Measures differ: say how one became the other.', `${at}.valuation`);
  }
  return 'rate' in valuation && !rateHolds(drawn, valuation.rate, credited)
    ? rejection('valuation-mismatch', 'drawn × rate is not what is credited.', `${at}.valuation.rate`)
    : undefined;
};

const unique = (parties: readonly string[]): string[] => [...new Set(parties)];

/** Who signs unless a later issue lets sides name others: every provider, and every beneficiary or the host of a joint need. */
export const defaultSignatories = (
  providers: readonly string[],
  { beneficiaries, filer }: { readonly beneficiaries: readonly string[]; readonly filer: string },
): string[] =>
  unique([...providers, ...(beneficiaries.length > 1 && filer.startsWith('network:') ? [filer] : beneficiaries)]);

const propose = (command: CommandOf<'ProposeCommitment'>, state: CommitmentState): Outcome => {
  const { facts, by, implementer, fiscalAgent, partOf } = command;
  const { offer, need } = facts;
  if (state.status !== undefined) return refuse('already-exists', 'This commitment has been proposed already.');
  const who = whoOf(by.actor);
  const side: Side | undefined =
    offer.providers.includes(who.party) && (by.actor.role === 'donor-desk' || !recipientsOf(need).includes(who.party))
      ? 'provider'
      : recipientsOf(need).includes(who.party)
        ? 'recipient'
        : undefined;
  if (side === undefined) {
    return refuse(
      'forbidden',
      'A commitment is proposed by a provider of the offer, or by the State or host of the need.',
    );
  }
  if (!offer.open) return refuse('offer-not-open', 'The offer does not take proposals now.', 'offerId');
  if (!need.open) return refuse('need-not-open', 'The need does not take proposals now.', 'needId');
  const fault = legFault(command.legs, facts);
  if (fault !== undefined) return refused(fault);
  if (facts.earmarkFault !== undefined) return refuse('earmark', facts.earmarkFault, 'needId');
  const [unknown] = facts.unknownAgencies;
  if (unknown !== undefined) {
    return refuse(
      'unknown-agency',
      `${unknown} is not a registered agency.`,
      unknown === implementer ? 'implementer' : 'fiscalAgent',
    );
  }
  const expiresAt = command.expiresAt ?? addDays(by.at, PROPOSAL_DAYS);
  if (expiresAt <= by.at) return refuse('expired', 'The time limit lies in the future.', 'expiresAt');
  return accept({
    type: 'CommitmentProposed',
    data: {
      offerId: offer.offerId,
      needId: need.needId,
      side,
      proposedBy: who.party,
      providers: offer.providers,
      beneficiaries: need.beneficiaries,
      filer: need.filer,
      legs: command.legs.map(({ offerLine, needLine, drawn, credited, valuation }, index) => ({
        leg: index + 1,
        offerLine,
        needLine,
        drawn,
        credited: credited ?? drawn,
        ...(valuation === undefined ? {} : { valuation }),
        amendment: 0,
      })),
      ...(implementer === undefined ? {} : { implementer }),
      ...(fiscalAgent === undefined ? {} : { fiscalAgent }),
      signatories: defaultSignatories(offer.providers, need),
      ...(partOf === undefined ? {} : { partOf }),
      expiresAt,
      conditions: offer.conditions,
      earmarkFacts: facts.earmarkFacts,
    },
  });
};

const atDeadline = (
  { type, by }: CommandOf<'LapseCommitment' | 'CloseUnconfirmed'>,
  state: CommitmentState,
): Outcome => {
  const deadline = deadlineOf(state);
  if (deadline?.command !== type || by.at < deadline.due) return refuse('not-due', 'No such deadline has come.');
  return type === 'LapseCommitment'
    ? accept({ type: 'CommitmentLapsed', data: {} })
    : accept({
        type: 'CommitmentClosed',
        data: { as: 'unconfirmed', openDiscrepancies: openDiscrepancies(state).map(({ n }) => n) },
      });
};

/** Answers are recorded whenever they come while the proposal stands; past an exit the offer's and need's own release has the last word. */
const recordAnswer = (
  command: CommandOf<
    'RecordHold' | 'RecordHoldRefusal' | 'RecordAcceptance' | 'RecordAcceptanceRefusal' | 'DeclineForClosure'
  >,
  state: CommitmentState,
): Outcome => {
  if (state.status !== 'proposed') return accept();
  switch (command.type) {
    case 'RecordHold':
      return state.hold === 'pending' ? accept({ type: 'CommitmentHeld', data: {} }) : accept();
    case 'RecordHoldRefusal':
      return state.hold === 'pending'
        ? accept({ type: 'HoldRefused', data: { code: command.code, detail: command.detail } })
        : accept();
    case 'RecordAcceptance':
      return state.acceptance === 'pending' ? accept({ type: 'CommitmentAccepted', data: {} }) : accept();
    case 'RecordAcceptanceRefusal':
      return state.acceptance === 'pending'
        ? accept({ type: 'AcceptanceRefused', data: { code: command.code, detail: command.detail } })
        : accept();
    case 'DeclineForClosure':
      return accept({ type: 'CommitmentDeclined', data: { reason: { code: command.code } } });
  }
};

/** Adds CommitmentBound where this was the last signature or consent missing: both stand in one append (I20). */
const bindingWhenComplete = (
  state: CommitmentState,
  event: Extract<CommitmentEvent, { type: 'TaskConsented' | 'CommitmentSigned' }>,
): Outcome => {
  const signed = new Set(state.signatures.map(({ party }) => party));
  const consented = new Set(state.consents.map(({ party }) => party));
  if (event.type === 'CommitmentSigned') signed.add(event.data.party);
  else consented.add(event.data.agency);
  const agencies = [state.implementer, state.fiscalAgent].filter((agency) => agency !== undefined);
  const binds =
    // Signing takes an accepted commitment, so all signatures are only ever there on one.
    state.signatories.every((party) => signed.has(party)) && agencies.every((agency) => consented.has(agency));
  return binds ? accept<CommitmentEvent>(event, { type: 'CommitmentBound', data: {} }) : accept(event);
};

type TransferLike = Pick<TransferState, 'kind' | 'from' | 'to' | 'onward' | 'of'>;

/**
 * What a transfer adds to a party's net disbursement, as a sign: 1 for its own payments, 0 for what it passes on for others, books
 * with itself or has no part in. A refund undoes what its transfer did, also where that was a refund; passing a refund on undoes the refund.
 */
const disbursementSign = (state: CommitmentState, party: string, transfer: TransferLike): bigint => {
  // Of a transfer that is not on the record nothing is undone.
  const undone = (n: number | undefined): bigint =>
    state.transfers.filter((known) => known.n === n).reduce((_, known) => -disbursementSign(state, party, known), 0n);
  if (transfer.kind === 'refund') return undone(transfer.of);
  if (transfer.from !== party || transfer.from === transfer.to) return 0n;
  const source = state.transfers.find(({ n }) => n === transfer.onward);
  if (source === undefined) return 1n;
  return source.kind === 'refund' ? undone(source.n) : 0n;
};

/** The net disbursement of a provider in a currency, in minor units. */
const netDisbursement = (state: CommitmentState, provider: string, currency: Quantity): bigint =>
  state.transfers
    .filter(({ amount }) => sameMeasure(amount, currency))
    .reduce((net, each) => net + disbursementSign(state, provider, each) * minorUnits(each.amount), 0n);

/** Money of this currency that is bound now, in minor units; undefined where the commitment has no money leg at all. */
const moneyBound = (state: CommitmentState, currency: Quantity): bigint | undefined => {
  const legs = state.legs.filter(({ drawn }) => drawn.measure === 'money');
  if (legs.length === 0) return undefined;
  const cancelled = state.status === 'cancelled' || state.closedAs === 'cancelled';
  return legs
    .filter(({ drawn }) => sameMeasure(drawn, currency))
    .reduce((sum, leg) => sum + minorUnits(cancelled ? leg.deliveredDrawn : leg.drawn), 0n);
};

const reportTransfer = (
  { kind, from, to, amount, leg, onward, of, date, reference }: CommandOf<'ReportTransfer'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  if (party !== from) return refuse('forbidden', 'A transfer is reported by its payer.', 'from');
  if (leg !== undefined && !state.legs.some((known) => known.leg === leg)) {
    return refuse('unknown-leg', `The commitment has no leg ${leg}.`, 'leg');
  }
  if (onward !== undefined) {
    const source = state.transfers.find(({ n }) => n === onward);
    if (source === undefined) return refuse('unknown-transfer', `There is no transfer ${onward}.`, 'onward');
    if (source.to !== from) {
      return refuse('onward-mismatch', `Transfer ${onward} went to ${source.to}, who alone passes it on.`, 'onward');
    }
  }
  if (of !== undefined) {
    const reversed = state.transfers.find(({ n }) => n === of);
    if (reversed === undefined) return refuse('unknown-transfer', `There is no transfer ${of}.`, 'of');
    if (reversed.from !== to || reversed.to !== from) {
      return refuse('refund-mismatch', `A refund goes back the way transfer ${of} came.`, 'of');
    }
    if (!sameMeasure(reversed.amount, amount)) {
      return refuse('currency-mismatch', `Transfer ${of} was in another currency.`, 'amount.currency');
    }
    const back = state.transfers.filter((refund) => refund.of === of).map((refund) => minorUnits(refund.amount));
    if (back.reduce((sum, minor) => sum + minor, minorUnits(amount)) > minorUnits(reversed.amount)) {
      return refuse('over-refund', `More would come back than transfer ${of} sent.`, 'amount');
    }
  }
  const asked = { kind, from, to, ...(onward === undefined ? {} : { onward }), ...(of === undefined ? {} : { of }) };
  if (state.providers.includes(from) && disbursementSign(state, from, asked) === 1n) {
    const bound = moneyBound(state, amount);
    if (bound !== undefined && netDisbursement(state, from, amount) + minorUnits(amount) > bound) {
      return refuse('over-disbursement', 'More would be paid out than the money legs of this currency bind.', 'amount');
    }
  }
  return accept({
    type: 'TransferReported',
    data: {
      n: state.transfers.length + 1,
      kind,
      from,
      to,
      amount,
      ...(leg === undefined ? {} : { leg }),
      ...(onward === undefined ? {} : { onward }),
      ...(of === undefined ? {} : { of }),
      date,
      ...(reference === undefined ? {} : { reference }),
    },
  });
};

const reportReceipt = (
  { transfer, amount, credited, rate, charges, date, reference }: CommandOf<'ReportReceipt'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  const sent = state.transfers.find(({ n }) => n === transfer);
  if (sent === undefined) return refuse('unknown-transfer', `There is no transfer ${transfer}.`, 'transfer');
  if (sent.to !== party) return refuse('forbidden', 'A receipt is reported by the holder of the money.', 'transfer');
  if (!sameMeasure(sent.amount, amount)) {
    return refuse('currency-mismatch', 'What arrived is stated in the transfer’s currency.', 'amount.currency');
  }
  if (charges !== undefined && !sameMeasure(sent.amount, charges)) {
    return refuse('currency-mismatch', 'Charges are stated in the transfer’s currency.', 'charges.currency');
  }
  const accounted = state.receipts
    .filter((receipt) => receipt.transfer === transfer)
    .reduce(withReceipt, charges === undefined ? amount : add(amount, charges));
  const remaining = minorUnits(subtract(sent.amount, accounted));
  const n =
    state.discrepancies.find((discrepancy) => discrepancy.transfer === transfer)?.n ?? state.discrepancies.length + 1;
  return accept({
    type: 'ReceiptReported',
    data: {
      n: state.receipts.length + 1,
      transfer,
      party,
      amount,
      ...(credited === undefined ? {} : { credited }),
      ...(rate === undefined ? {} : { rate }),
      ...(charges === undefined ? {} : { charges }),
      date,
      ...(reference === undefined ? {} : { reference }),
      ...(remaining === 0n
        ? {}
        : {
            discrepancy: {
              n,
              quantity: quantityOf(amount, remaining < 0n ? -remaining : remaining),
              sign: remaining > 0n ? ('short' as const) : ('over' as const),
            },
          }),
    },
  });
};

const withReceipt = (sum: Quantity, { amount, charges }: ReceiptState): Quantity =>
  charges === undefined ? add(sum, amount) : add(add(sum, amount), charges);

const acceptDiscrepancy = ({ n, reason }: CommandOf<'AcceptDiscrepancy'>, state: CommitmentState): Outcome => {
  const discrepancy = state.discrepancies.find((known) => known.n === n);
  if (discrepancy === undefined) return refuse('not-found', `There is no discrepancy ${n}.`);
  if (discrepancy.status !== 'open') return refuse('already-settled', `Discrepancy ${n} is ${discrepancy.status}.`);
  return accept({ type: 'DiscrepancyAccepted', data: { n, reason } });
};

/**
 * What part of `other` belongs to `stated` out of `whole`: rounded down, so that the sum of the parts never passes the whole
 * and the part that completes it takes the rest. Minor units.
 */
const proRata = (stated: bigint, whole: bigint, other: bigint): bigint => (stated * other) / whole;

/** A tranche in both measures of its leg, from what was delivered so far; undefined where it passes what was committed. */
export const trancheOf = (
  leg: Pick<LegState, 'drawn' | 'credited' | 'deliveredDrawn' | 'deliveredCredited'>,
  quantity: Quantity,
): { readonly drawn: Quantity; readonly credited: Quantity } | undefined => {
  const inDrawn = sameMeasure(quantity, leg.drawn);
  const [whole, before, other, otherBefore] = inDrawn
    ? [leg.drawn, leg.deliveredDrawn, leg.credited, leg.deliveredCredited]
    : [leg.credited, leg.deliveredCredited, leg.drawn, leg.deliveredDrawn];
  const after = minorUnits(before) + minorUnits(quantity);
  if (after > minorUnits(whole)) return undefined;
  const stated = quantityOf(quantity, minorUnits(quantity));
  const rest = quantityOf(other, proRata(after, minorUnits(whole), minorUnits(other)) - minorUnits(otherBefore));
  return inDrawn ? { drawn: stated, credited: rest } : { drawn: rest, credited: stated };
};

const isInMeasureOf = (quantity: Quantity, { drawn, credited }: Pick<Leg, 'drawn' | 'credited'>): boolean =>
  !isUnlimited(quantity) && (sameMeasure(quantity, drawn) || sameMeasure(quantity, credited));

const reportDelivery = (
  { leg: number, quantity, beneficiary, date, evidence }: CommandOf<'ReportDelivery'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  const leg = state.legs.find((known) => known.leg === number);
  if (leg === undefined) return refuse('unknown-leg', `The commitment has no leg ${number}.`, 'leg');
  if (beneficiary !== undefined && !state.beneficiaries.includes(beneficiary)) {
    return refuse('unknown-beneficiary', `${beneficiary} is no beneficiary of this commitment.`, 'beneficiary');
  }
  if (!isInMeasureOf(quantity, leg)) {
    return refuse('measure-mismatch', 'A tranche is in the measure drawn or the measure credited.', 'quantity');
  }
  const tranche = trancheOf(leg, quantity);
  if (tranche === undefined) {
    return refuse('over-delivery', `With this tranche more would be delivered than leg ${number} commits.`, 'quantity');
  }
  return accept({
    type: 'DeliveryReported',
    data: {
      n: state.deliveries.length + 1,
      party,
      leg: number,
      quantity,
      ...tranche,
      ...(beneficiary === undefined ? {} : { beneficiary }),
      date,
      ...(evidence === undefined ? {} : { evidence }),
    },
  });
};

const answerable = (
  state: CommitmentState,
  n: number,
  who: Who,
): { readonly delivery: DeliveryState } | { readonly refusal: CommitmentRejection } => {
  const delivery = state.deliveries.find((known) => known.n === n);
  if (delivery === undefined) return { refusal: rejection('not-found', `There is no delivery ${n}.`) };
  if (!answersFor(state, delivery, who)) {
    return { refusal: rejection('forbidden', `Delivery ${n} is for another State to answer.`) };
  }
  if (!isDeliveryAnswerable(state)) return { refusal: rejection('not-binding', 'The commitment is closed.') };
  if (delivery.status === 'confirmed') {
    return { refusal: rejection('already-confirmed', `Delivery ${n} is confirmed.`) };
  }
  return { delivery };
};

const confirmDelivery = (command: CommandOf<'ConfirmDelivery'>, state: CommitmentState, who: Who): Outcome => {
  const found = answerable(state, command.n, who);
  if ('refusal' in found) return refused(found.refusal);
  const { delivery } = found;
  if (sameSide(who, delivery)) {
    return refuse('own-delivery', 'A delivery is never confirmed by its deliverer, nor by a party of its sovereign.');
  }
  const quantity = command.quantity ?? delivery.quantity;
  if (!isInMeasureOf(quantity, delivery)) {
    return refuse('measure-mismatch', 'A confirmation is in the measure drawn or the measure credited.', 'quantity');
  }
  const inDrawn = sameMeasure(quantity, delivery.drawn);
  const [whole, other] = inDrawn ? [delivery.drawn, delivery.credited] : [delivery.credited, delivery.drawn];
  if (compare(quantity, whole) > 0) {
    return refuse('over-confirmation', `Delivery ${command.n} reported less.`, 'quantity');
  }
  const stated = quantityOf(quantity, minorUnits(quantity));
  const rest = quantityOf(other, proRata(minorUnits(quantity), minorUnits(whole), minorUnits(other)));
  return accept({
    type: 'DeliveryConfirmed',
    data: {
      n: command.n,
      party: who.party,
      quantity,
      ...(inDrawn ? { drawn: stated, credited: rest } : { drawn: rest, credited: stated }),
      condition: command.condition,
      ...(command.note === undefined ? {} : { note: command.note }),
    },
  });
};

const disputeDelivery = (command: CommandOf<'DisputeDelivery'>, state: CommitmentState, who: Who): Outcome => {
  const found = answerable(state, command.n, who);
  if ('refusal' in found) return refused(found.refusal);
  if (found.delivery.status === 'disputed') {
    return refuse('already-disputed', `Delivery ${command.n} is disputed already.`);
  }
  return accept({
    type: 'DeliveryDisputed',
    data: { n: command.n, party: who.party, reason: command.reason },
  });
};

const close = (state: CommitmentState, who: Who): Outcome => {
  const [side] = sidesOf(state, who);
  if (!isCoordinatorInCharge(state, who) && state.closeProposed === undefined && side !== undefined) {
    return accept({ type: 'CloseProposed', data: { side, party: who.party } });
  }
  return accept({
    type: 'CommitmentClosed',
    data: { as: state.status === 'cancelled' ? 'cancelled' : 'confirmed', openDiscrepancies: [] },
  });
};

const replaced = <T extends { readonly n: number }>(items: readonly T[], n: number, change: (item: T) => T): T[] =>
  items.map((item) => (item.n === n ? change(item) : item));

/** From binding on the status follows from the deliveries after every event. */
const derived = (state: CommitmentState): CommitmentState => {
  if (state.status !== 'binding' && state.status !== 'delivered' && state.status !== 'confirmed') return state;
  const complete = state.legs.every(isComplete);
  const confirmed = state.deliveries.every(({ status }) => status === 'confirmed');
  return { ...state, status: !complete ? 'binding' : confirmed ? 'confirmed' : 'delivered' };
};

/** A late answer takes an unconfirmed closing back; silence counts anew from it. */
const reopened = (state: CommitmentState, recordedAt: string): CommitmentState => {
  if (state.status !== 'closed' || state.closedAs !== 'unconfirmed') return state;
  const { closedAs: _closedAs, ...open } = state;
  return { ...open, status: 'delivered', silentSince: recordedAt };
};

const exited = (state: CommitmentState, status: CommitmentStatus): CommitmentState => ({
  ...state,
  status,
  hold: 'released',
});

const evolve = (state: CommitmentState, event: RecordedEvent<CommitmentEvent>): CommitmentState =>
  // A replay by effective time may lack the proposal: there is nothing for a later event to change then.
  state.status === undefined && event.type !== 'CommitmentProposed'
    ? state
    : apply(state, event as unknown as CommitmentEvent, event.metadata);

const apply = (
  state: CommitmentState,
  event: CommitmentEvent,
  { actor, effectiveAt, recordedAt }: RecordedEvent['metadata'],
): CommitmentState => {
  switch (event.type) {
    case 'CommitmentProposed': {
      const { earmarkFacts: _earmarkFacts, legs, ...proposal } = event.data;
      return {
        ...INITIAL,
        ...proposal,
        status: 'proposed',
        proposedAt: effectiveAt,
        ...(actor.sovereign === undefined ? {} : { proposerSovereign: actor.sovereign }),
        legs: legs.map((leg) => ({
          ...leg,
          deliveredDrawn: zeroLike(leg.drawn),
          deliveredCredited: zeroLike(leg.credited),
          confirmedDrawn: zeroLike(leg.drawn),
          confirmedCredited: zeroLike(leg.credited),
        })),
      };
    }
    case 'CommitmentHeld':
      return { ...state, hold: 'held' };
    case 'HoldRefused':
      return { ...state, status: 'declined', hold: 'refused', refusal: { by: 'offer', ...event.data } };
    case 'AcceptanceGiven': {
      const { refusal: _refusal, ...rest } = state;
      return { ...rest, acceptance: 'pending' };
    }
    case 'CommitmentAccepted':
      return { ...state, status: 'accepted', acceptance: 'given' };
    case 'AcceptanceRefused':
      return { ...state, acceptance: 'refused', refusal: { by: 'need', ...event.data } };
    case 'CommitmentDeclined':
      return {
        ...exited(state, 'declined'),
        reason: { ...(event.data.party === undefined ? {} : { party: event.data.party }), ...event.data.reason },
      };
    case 'CommitmentLapsed':
      return exited(state, 'lapsed');
    case 'CommitmentWithdrawn':
      return { ...exited(state, 'withdrawn'), reason: { party: event.data.party, ...event.data.reason } };
    case 'TaskConsented': {
      const { agency, as } = event.data;
      return {
        ...state,
        consents: [...state.consents, { party: agency, as, at: effectiveAt }],
        taskDeclines: state.taskDeclines.filter(({ party }) => party !== agency),
      };
    }
    case 'TaskDeclined': {
      const { agency, reason } = event.data;
      return {
        ...state,
        // Who consented and then declines has not consented.
        consents: state.consents.filter(({ party }) => party !== agency),
        taskDeclines: [...state.taskDeclines, { party: agency, reason, at: effectiveAt }],
      };
    }
    case 'CommitmentSigned':
      return { ...state, signatures: [...state.signatures, { party: event.data.party, at: effectiveAt }] };
    case 'CommitmentBound':
      return { ...state, status: 'binding', boundAt: effectiveAt };
    case 'TransferReported':
      return { ...state, transfers: [...state.transfers, event.data] };
    case 'ReceiptReported':
      return afterReceipt(state, event.data);
    case 'DiscrepancyAccepted':
      return {
        ...state,
        discrepancies: replaced(state.discrepancies, event.data.n, (item) => ({
          ...item,
          status: 'accepted',
          reason: event.data.reason,
        })),
      };
    case 'DeliveryReported': {
      const { drawn, credited, leg: number } = event.data;
      return derived({
        ...state,
        silentSince: recordedAt,
        deliveries: [
          ...state.deliveries,
          {
            ...event.data,
            ...(actor.sovereign === undefined ? {} : { sovereign: actor.sovereign }),
            status: 'reported',
          },
        ],
        legs: state.legs.map((leg) =>
          leg.leg === number
            ? {
                ...leg,
                deliveredDrawn: add(leg.deliveredDrawn, drawn),
                deliveredCredited: add(leg.deliveredCredited, credited),
              }
            : leg,
        ),
      });
    }
    case 'DeliveryConfirmed':
      return derived(afterConfirmation(reopened(state, recordedAt), event.data, effectiveAt));
    case 'DeliveryDisputed': {
      const { n, party, reason } = event.data;
      const open = reopened(state, recordedAt);
      return derived({
        ...open,
        deliveries: replaced(open.deliveries, n, (delivery) => ({
          ...delivery,
          status: 'disputed',
          dispute: { party, reason, at: effectiveAt },
        })),
      });
    }
    case 'CommitmentCancelled':
      return { ...exited(state, 'cancelled'), reason: { party: event.data.party, ...event.data.reason } };
    case 'CloseProposed':
      return { ...state, closeProposed: event.data };
    case 'CommitmentClosed':
      return { ...state, status: 'closed', closedAs: event.data.as };
    default:
      return state;
  }
};

const afterConfirmation = (
  state: CommitmentState,
  { n, party, quantity, drawn, credited, condition, note }: EventData<'DeliveryConfirmed'>,
  at: string,
): CommitmentState => {
  const confirmed = state.deliveries.find((delivery) => delivery.n === n);
  return {
    ...state,
    deliveries: replaced(state.deliveries, n, (delivery) => ({
      ...delivery,
      status: 'confirmed',
      confirmed: { party, quantity, condition, ...(note === undefined ? {} : { note }), at },
    })),
    legs: state.legs.map((leg) =>
      leg.leg === confirmed?.leg
        ? {
            ...leg,
            confirmedDrawn: add(leg.confirmedDrawn, drawn),
            confirmedCredited: add(leg.confirmedCredited, credited),
          }
        : leg,
    ),
  };
};

const afterReceipt = (
  state: CommitmentState,
  { discrepancy, ...receipt }: EventData<'ReceiptReported'>,
): CommitmentState => {
  const { transfer } = receipt;
  const others = state.discrepancies.filter((known) => known.transfer !== transfer);
  const known = state.discrepancies.find((earlier) => earlier.transfer === transfer);
  const now: DiscrepancyState | undefined =
    discrepancy !== undefined
      ? { n: discrepancy.n, transfer, difference: discrepancy.quantity, sign: discrepancy.sign, status: 'open' }
      : known === undefined
        ? undefined
        : { ...known, difference: zeroLike(known.difference), status: 'settled' };
  return {
    ...state,
    receipts: [...state.receipts, receipt],
    discrepancies: now === undefined ? others : [...others, now].sort((a, b) => a.n - b.n),
  };
};

/** The rules of one commitment (DOMAIN, Commitment): an event-sourced process between an offer and a need. */
export const commitmentDecider: Decider<CommitmentState, CommitmentCommand, CommitmentEvent, CommitmentRejection> = {
  category: 'commitment',
  initial: INITIAL,
  schemas: {
    CommitmentProposed: 1,
    CommitmentHeld: 1,
    HoldRefused: 1,
    AcceptanceGiven: 1,
    CommitmentAccepted: 1,
    AcceptanceRefused: 1,
    CommitmentDeclined: 1,
    CommitmentLapsed: 1,
    CommitmentWithdrawn: 1,
    TaskConsented: 1,
    TaskDeclined: 1,
    CommitmentSigned: 1,
    CommitmentBound: 1,
    TransferReported: 1,
    ReceiptReported: 1,
    DeliveryReported: 1,
    DeliveryConfirmed: 1,
    DeliveryDisputed: 1,
    DiscrepancyAccepted: 1,
    DeliveryVerified: 1,
    SettlementStated: 1,
    DisputeSettled: 1,
    ReturnReported: 1,
    DeliveryCorrected: 1,
    TransferCorrected: 1,
    ReceiptCorrected: 1,
    DiscrepancySettlementStated: 1,
    DiscrepancySettled: 1,
    ExpenditureReported: 1,
    AmendmentProposed: 1,
    AmendmentAgreed: 1,
    AmendmentDeclined: 1,
    AmendmentLapsed: 1,
    AmendmentHeld: 1,
    AmendmentRefused: 1,
    CommitmentAmended: 1,
    CommitmentSuspended: 1,
    CommitmentResumed: 1,
    ConditionMet: 1,
    ConditionWaived: 1,
    ReportFiled: 1,
    ReportAccepted: 1,
    ReportReturned: 1,
    ReportWaived: 1,
    DocumentAttached: 1,
    CommitmentCancelled: 1,
    CloseProposed: 1,
    CommitmentClosed: 1,
  },
  decide,
  evolve,
};
