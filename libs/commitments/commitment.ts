import type { Actor, Command, Decider, RecordedEvent } from '#kernel';
import { accept, refuse, SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import { addDays } from '#vocabulary';
import type { AmendingCommand, AmendmentAnswer } from './commitment-amending.js';
import {
  afterAmending,
  AMENDING_RULES,
  consentsToProposed,
  decideAmending,
  NO_AMENDMENTS,
  openAmendment,
  recordAmendmentAnswer,
  refusedByAgency,
  tasksAsked,
  withoutOpenAmendment,
} from './commitment-amending.js';
import type { DeliveriesCommand } from './commitment-deliveries.js';
import {
  afterDelivery,
  decideDelivery,
  DELIVERIES_RULES,
  hasDeliveryTask,
  isDisputed,
  NO_DELIVERIES,
} from './commitment-deliveries.js';
import type { DocumentsCommand } from './commitment-documents.js';
import { afterDocument, decideDocument, DOCUMENTS_RULES, NO_DOCUMENTS } from './commitment-documents.js';
import type { LineFacts, ProposedLeg } from './commitment-legs.js';
import { creditOf, legFault, lotFault } from './commitment-legs.js';
import type { FundDecision, MoneyCommand } from './commitment-money.js';
import {
  afterMoney,
  decideMoney,
  decisionFault,
  hasMoneyTask,
  MONEY_RULES,
  NO_MONEY,
  openDiscrepancies,
  refundsDueNow,
  withRefundsDue,
} from './commitment-money.js';
import type { ProposedTerms, TermsCommand } from './commitment-terms.js';
import {
  afterTerms,
  decideTerms,
  hasTermsTask,
  NO_TERMS,
  numberedProposal,
  openReports,
  proposedTerms,
  TERMS_RULES,
  termsFault,
} from './commitment-terms.js';
import type {
  CommitmentRejection,
  CommitmentState,
  CommitmentStatus,
  EventContext,
  EventData,
  Outcome,
  Rule,
  Who,
} from './commitment-state.js';
import {
  BEFORE_BINDING,
  hostOf,
  isCoordinatorInCharge,
  isSide,
  otherSide,
  recipientsOf,
  refused,
  rejection,
  replaced,
  sameSide,
  sidesOf,
  sovereignOf,
  tasksOf,
  undelivered,
  whoOf,
} from './commitment-state.js';
import type { CommitmentEvent, EarmarkFacts, Reason, Side } from './commitment.contract.js';

export { agenciesAsked } from './commitment-amending.js';
export { trancheOf, isDisputed } from './commitment-deliveries.js';
export { partiesOf, recipientsOf } from './commitment-state.js';
export type { ProposedLeg } from './commitment-legs.js';
export type { AmendmentFacts, AmendmentState } from './commitment-amending.js';
export type { DeliveryState } from './commitment-deliveries.js';
export type { DiscrepancyState } from './commitment-money.js';
export type {
  CommitmentRejection,
  CommitmentRejectionCode,
  CommitmentState,
  CommitmentStatus,
  LegState,
  Who,
} from './commitment-state.js';

/** A proposal stands for this many days unless it says otherwise. */
const PROPOSAL_DAYS = 60;
/** A delivered commitment closes unconfirmed this many days after its last tranche. */
const UNCONFIRMED_DAYS = 180;

/** A commitment before its proposal. */
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
  hold: 'pending',
  acceptance: 'none',
  legs: [],
  consents: [],
  taskDeclines: [],
  signatures: [],
  sovereigns: {},
  ...NO_AMENDMENTS,
  ...NO_DELIVERIES,
  ...NO_DOCUMENTS,
  ...NO_MONEY,
  ...NO_TERMS,
};

/** What the other streams said when the proposal was made: advisory, offer and need decide again. */
export interface ProposalFacts {
  readonly offer: {
    readonly offerId: string;
    readonly open: boolean;
    readonly providers: readonly string[];
    readonly lines: LineFacts['offer']['lines'];
    readonly conditions: EventData<'CommitmentProposed'>['conditions'];
  };
  readonly need: {
    readonly needId: string;
    readonly open: boolean;
    /** The need it was merged into, where the proposer sees that one. */
    readonly supersededBy?: string;
    readonly filer: string;
    readonly beneficiaries: readonly string[];
    readonly lines: LineFacts['need']['lines'];
  };
  readonly earmarkFacts: EarmarkFacts;
  /** Why the offer's earmark excludes the need; undefined where it does not. */
  readonly earmarkFault?: string;
  /** Named agencies that the directory does not hold. */
  readonly unknownAgencies: readonly string[];
}

/** What the timer may have to do. */
type DeadlineCommand = 'LapseCommitment' | 'LapseAmendment' | 'CloseUnconfirmed';

export type CommitmentCommand = Command &
  (
    | {
        readonly type: 'ProposeCommitment';
        readonly facts: ProposalFacts;
        readonly legs: readonly ProposedLeg[];
        readonly implementer?: string;
        readonly fiscalAgent?: string;
        /** The default where absent. */
        readonly signatories?: readonly string[];
        readonly partOf?: string;
        readonly expiresAt?: string;
        readonly terms?: ProposedTerms;
      }
    | { readonly type: 'AcceptCommitment' }
    | { readonly type: 'DeclineCommitment' | 'WithdrawCommitment' | 'CancelCommitment'; readonly reason: Reason }
    | { readonly type: 'ConsentTask' }
    | { readonly type: 'DeclineTask'; readonly reason: Reason }
    | {
        readonly type: 'SignCommitment';
        readonly decision?: FundDecision;
      }
    | AmendingCommand
    | DeliveriesCommand
    | DocumentsCommand
    | MoneyCommand
    | TermsCommand
    | { readonly type: 'CloseCommitment' }
    | { readonly type: DeadlineCommand }
    | AmendmentAnswer
    | { readonly type: 'RecordHold' | 'RecordAcceptance' }
    | {
        readonly type: 'RecordHoldRefusal' | 'RecordAcceptanceRefusal';
        readonly code: string;
        readonly detail: string;
      }
    | { readonly type: 'DeclineForClosure'; readonly code: 'need-closed' | 'offer-closed' }
  );

type CommandOf<T extends CommitmentCommand['type']> = Extract<CommitmentCommand, { type: T }>;

/** An agency answers until the commitment binds, and after that where an amendment newly names it. */
const ASKED_OF_AGENCIES = [...BEFORE_BINDING, 'binding', 'delivered'] as const;

const isNamed = (state: CommitmentState, who: Who): boolean =>
  tasksOf(state, who.party).length > 0 || tasksAsked(state, who.party).length > 0;

const notAskedNow = (state: CommitmentState, who: Who, at: string): CommitmentRejection | undefined => {
  const amendment = openAmendment(state);
  const limit = amendment !== undefined && tasksAsked(state, who.party).length > 0 ? amendment.expiresAt : undefined;
  if (limit !== undefined && at >= limit) {
    return rejection('expired', `The time limit of the amendment that asks this agency passed at ${limit}.`);
  }
  return state.boundAt === undefined || limit !== undefined
    ? undefined
    : rejection('not-proposed', 'The commitment is binding, and no amendment asks this agency.');
};

const consentsAsked = (state: CommitmentState, who: Who): CommitmentState['consents'] =>
  tasksAsked(state, who.party).length > 0 ? consentsToProposed(state) : state.consents;

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
    from: ASKED_OF_AGENCIES,
    otherwise: 'not-proposed',
    who: isNamed,
    also: (state, who, at) =>
      notAskedNow(state, who, at) ??
      (consentsAsked(state, who).some(({ party }) => party === who.party)
        ? rejection('already-consented', 'The agency has consented already; one consent covers every role.')
        : undefined),
  },
  DeclineTask: {
    segment: 'decline-task',
    from: ASKED_OF_AGENCIES,
    otherwise: 'not-proposed',
    who: isNamed,
    also: (state, who, at) =>
      notAskedNow(state, who, at) ??
      (state.taskDeclines.some(({ party }) => party === who.party)
        ? rejection('already-declined', 'The agency has declined already.')
        : undefined),
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
  ...AMENDING_RULES,
  ...MONEY_RULES,
  ...DELIVERIES_RULES,
  ...TERMS_RULES,
  ...DOCUMENTS_RULES,
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
      if (openAmendment(state) !== undefined) {
        return rejection(
          'amendment-open',
          'An amendment is under way: it is answered or taken back before the closing.',
        );
      }
      const [open] = openReports(state.terms);
      if (open !== undefined) {
        return rejection('open-reports', `Report ${open} is neither filed nor waived: the closing waits for it.`);
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

type Rows = Readonly<Record<string, Rule>>;

const isRowOf = <T extends Rows>(rows: T, type: string): type is keyof T & string => Object.hasOwn(rows, type);

/** Whether the command is of these rows: each part of the rules decides its own. */
const isOf = <T extends Rows, C extends { readonly type: string }>(
  rows: T,
  command: C,
): command is Extract<C, { readonly type: keyof T }> => isRowOf(rows, command.type);

const proposerOf = (state: CommitmentState): { readonly party: string; readonly sovereign?: string } => ({
  party: state.proposedBy,
  ...(state.proposerSovereign === undefined ? {} : { sovereign: state.proposerSovereign }),
});

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
  return rule.also?.(state, who, at);
};

/** The commands this caller may send now, by their names in URLs. */
export const actionsOf = (state: CommitmentState, who: Who, at: string): string[] =>
  (Object.keys(COMMITMENT_RULES) as PartyCommandType[])
    .filter((type) => {
      if (refusalOf(type, state, who, at) !== undefined) return false;
      if (isRowOf(DELIVERIES_RULES, type)) return hasDeliveryTask(type, state, who);
      if (isRowOf(MONEY_RULES, type)) return hasMoneyTask(type, state, who);
      if (isRowOf(TERMS_RULES, type)) return hasTermsTask(type, state, who);
      // A paper may be laid beside the record at any time: nobody waits for it.
      if (isRowOf(DOCUMENTS_RULES, type)) return false;
      return true;
    })
    .map((type) => COMMITMENT_RULES[type].segment);

/** What a deadline waits for: the earliest; undefined where none runs. */
export const deadlineOf = (
  state: CommitmentState,
): { readonly due: string; readonly command: DeadlineCommand } | undefined => {
  const amendment = openAmendment(state);
  const own = ownDeadline(state);
  if (amendment === undefined) return own;
  if (own?.command === 'LapseCommitment' && own.due <= amendment.expiresAt) return own;
  // While offer or need is asked, their answer is what comes next.
  if (amendment.status === 'proposed') return { due: amendment.expiresAt, command: 'LapseAmendment' };
  // Who negotiates is not silent: an unconfirmed closing waits for the amendment.
  return own?.command === 'LapseCommitment' ? own : undefined;
};

const ownDeadline = (
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

const forbiddenUnless = (actor: Actor, principal: Actor): Outcome | undefined =>
  actor.party === principal.party ? undefined : refuse('forbidden', `Only ${principal.party} records this.`);

const decide = (command: CommitmentCommand, state: CommitmentState): Outcome => {
  switch (command.type) {
    case 'ProposeCommitment':
      return propose(command, state);
    case 'LapseCommitment':
    case 'LapseAmendment':
    case 'CloseUnconfirmed':
      return forbiddenUnless(command.by.actor, SYSTEM_TIMER) ?? atDeadline(command, state);
    case 'RecordHold':
    case 'RecordHoldRefusal':
    case 'RecordAcceptance':
    case 'RecordAcceptanceRefusal':
    case 'DeclineForClosure':
      return forbiddenUnless(command.by.actor, SYSTEM_PROCESS) ?? recordAnswer(command, state);
    case 'RecordAmendmentHold':
    case 'RecordAmendmentCoverage':
    case 'RecordAmendmentRefusal':
      return forbiddenUnless(command.by.actor, SYSTEM_PROCESS) ?? recordAmendmentAnswer(command, state);
    default:
      return ofParty(command, state);
  }
};

const ofParty = (command: CommandOf<PartyCommandType>, state: CommitmentState): Outcome => {
  const who = whoOf(command.by.actor);
  const { party } = who;
  const refusal = refusalOf(command.type, state, who, command.by.at);
  if (refusal !== undefined) return refused(refusal);
  if (isOf(AMENDING_RULES, command)) return decideAmending(command, state, who);
  if (isOf(DELIVERIES_RULES, command)) return decideDelivery(command, state, who);
  if (isOf(MONEY_RULES, command)) return decideMoney(command, state, who);
  if (isOf(TERMS_RULES, command)) return decideTerms(command, state, who);
  if (isOf(DOCUMENTS_RULES, command)) return decideDocument(command, state, who);
  switch (command.type) {
    case 'AcceptCommitment':
      return accept({ type: 'AcceptanceGiven', data: { party } });
    case 'DeclineCommitment':
      return accept({ type: 'CommitmentDeclined', data: { party, reason: command.reason } });
    case 'WithdrawCommitment':
      return accept({ type: 'CommitmentWithdrawn', data: { party, reason: command.reason } });
    case 'CancelCommitment':
      return accept({
        type: 'CommitmentCancelled',
        data: { party, reason: command.reason, ...refundsDueNow(state) },
      });
    case 'ConsentTask':
      return consent(state, party);
    case 'DeclineTask': {
      const amendment = tasksAsked(state, party).length > 0 ? openAmendment(state) : undefined;
      return accept<CommitmentEvent>(
        { type: 'TaskDeclined', data: { agency: party, reason: command.reason } },
        ...(amendment === undefined ? [] : [refusedByAgency(amendment, party)]),
      );
    }
    case 'SignCommitment': {
      const undecided = decisionFault(state, command.decision);
      if (undecided !== undefined) return refused(undecided);
      return bindingWhenComplete(state, { type: 'CommitmentSigned', data: { party } });
    }
    case 'CloseCommitment':
      return close(state, who);
  }
};

const unique = (parties: readonly string[]): string[] => [...new Set(parties)];

/** Who signs unless the proposal names others: every provider, and every beneficiary or the host of a joint need. */
export const defaultSignatories = (
  providers: readonly string[],
  need: { readonly beneficiaries: readonly string[]; readonly filer: string },
): string[] => {
  const host = hostOf(need);
  return unique([...providers, ...(host === undefined ? need.beneficiaries : [host])]);
};

/** Others may sign than by default, but only parties of the two sides, and at least one of each: nobody is bound by another's word (I20). */
const signatoryFault = (
  signatories: readonly string[] | undefined,
  { offer, need }: ProposalFacts,
): CommitmentRejection | undefined => {
  if (signatories === undefined) return undefined;
  const recipients = recipientsOf(need);
  const stranger = signatories.findIndex((party) => !offer.providers.includes(party) && !recipients.includes(party));
  if (stranger >= 0) {
    return rejection(
      'unknown-signatory',
      `${signatories[stranger]} is neither a provider of the offer nor a beneficiary or the host of the need.`,
      `signatories[${stranger}]`,
    );
  }
  const sides = [offer.providers, recipients];
  return sides.every((side) => side.some((party) => signatories.includes(party)))
    ? undefined
    : rejection('unknown-signatory', 'At least one party of each side signs.', 'signatories');
};

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
  if (!need.open) {
    const detail =
      need.supersededBy === undefined
        ? 'The need does not take proposals now.'
        : `The need was merged into ${need.supersededBy}: propose to that one.`;
    return refuse('need-not-open', detail, 'needId');
  }
  const fault = legFault(command.legs, facts) ?? lotFault(command.legs, facts);
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
  const terms = command.terms === undefined ? undefined : numberedProposal(command.terms, offer.conditions);
  const wrong =
    terms === undefined
      ? undefined
      : termsFault(
          terms,
          {
            providers: offer.providers,
            beneficiaries: need.beneficiaries,
            filer: need.filer,
            implementer,
            fiscalAgent,
            legs: command.legs.map(({ drawn }, index) => ({ leg: index + 1, drawn })),
          },
          proposedTerms(offer.conditions, {}),
        );
  if (wrong !== undefined) return refused(wrong);
  const signing = signatoryFault(command.signatories, facts);
  if (signing !== undefined) return refused(signing);
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
      legs: command.legs.map((leg, index) => ({
        leg: index + 1,
        offerLine: leg.offerLine,
        needLine: leg.needLine,
        drawn: leg.drawn,
        ...creditOf(leg, facts),
        ...(leg.valuation === undefined ? {} : { valuation: leg.valuation }),
        amendment: 0,
      })),
      ...(implementer === undefined ? {} : { implementer }),
      ...(fiscalAgent === undefined ? {} : { fiscalAgent }),
      signatories: unique(command.signatories ?? defaultSignatories(offer.providers, need)),
      ...(partOf === undefined ? {} : { partOf }),
      expiresAt,
      conditions: offer.conditions,
      earmarkFacts: facts.earmarkFacts,
      ...(terms === undefined ? {} : { terms }),
    },
  });
};

const atDeadline = ({ type, by }: CommandOf<DeadlineCommand>, state: CommitmentState): Outcome => {
  const deadline = deadlineOf(state);
  if (deadline?.command !== type || by.at < deadline.due) return refuse('not-due', 'No such deadline has come.');
  switch (type) {
    case 'LapseCommitment':
      return accept({ type: 'CommitmentLapsed', data: {} });
    case 'LapseAmendment':
      return accept(
        ...state.amendments
          .filter(({ status }) => status === 'proposed')
          .map(({ n }): CommitmentEvent => ({ type: 'AmendmentLapsed', data: { n } })),
      );
    case 'CloseUnconfirmed':
      return accept({
        type: 'CommitmentClosed',
        data: { as: 'unconfirmed', openDiscrepancies: openDiscrepancies(state).map(({ n }) => n) },
      });
  }
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

const consent = (state: CommitmentState, agency: string): Outcome => {
  const as = tasksAsked(state, agency);
  return as.length > 0
    ? accept({ type: 'TaskConsented', data: { agency, as } })
    : bindingWhenComplete(state, { type: 'TaskConsented', data: { agency, as: tasksOf(state, agency) } });
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

const exited = (state: CommitmentState, status: CommitmentStatus): CommitmentState => ({
  ...withoutOpenAmendment(state),
  status,
  hold: 'released',
});

const evolve = (state: CommitmentState, event: RecordedEvent<CommitmentEvent>): CommitmentState =>
  // A replay by effective time may lack the proposal: there is nothing for a later event to change then.
  state.status === undefined && event.type !== 'CommitmentProposed'
    ? state
    : withSovereign(apply(state, event as unknown as CommitmentEvent, event.metadata), event.metadata.actor);

/** Who acts says where it belongs: a party of no State's name may still be of a side's sovereign. */
const withSovereign = (state: CommitmentState, { party, sovereign }: Actor): CommitmentState =>
  sovereign === undefined || sovereign === sovereignOf({ party }) || state.sovereigns[party] === sovereign
    ? state
    : { ...state, sovereigns: { ...state.sovereigns, [party]: sovereign } };

const apply = (state: CommitmentState, event: CommitmentEvent, context: EventContext): CommitmentState => {
  const { actor, effectiveAt } = context;
  switch (event.type) {
    case 'CommitmentProposed': {
      const { earmarkFacts: _earmarkFacts, legs, conditions, terms = {}, ...proposal } = event.data;
      return {
        ...INITIAL,
        ...proposal,
        status: 'proposed',
        terms: proposedTerms(conditions, terms),
        proposedAt: effectiveAt,
        ...(actor.sovereign === undefined ? {} : { proposerSovereign: actor.sovereign }),
        legs: legs.map(undelivered),
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
      const amendment = tasksAsked(state, agency).length > 0 ? openAmendment(state) : undefined;
      if (amendment !== undefined) {
        const consents = [...amendment.consents, { party: agency, as, at: effectiveAt }];
        return {
          ...state,
          amendments: replaced(state.amendments, amendment.n, (asking) => ({ ...asking, consents })),
        };
      }
      return {
        ...state,
        consents: [...state.consents, { party: agency, as, at: effectiveAt }],
        taskDeclines: state.taskDeclines.filter(({ party }) => party !== agency),
      };
    }
    case 'TaskDeclined': {
      const { agency, reason } = event.data;
      // Of an agency that only an amendment names the amendment tells, which ends with it.
      if (tasksAsked(state, agency).length > 0) return state;
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
    case 'CommitmentCancelled':
      return {
        ...exited(state, 'cancelled'),
        reason: { party: event.data.party, ...event.data.reason },
        ...withRefundsDue(state, event.data.refundsDue),
      };
    case 'CloseProposed':
      return { ...state, closeProposed: event.data };
    case 'CommitmentClosed':
      return { ...state, status: 'closed', closedAs: event.data.as };
    default:
      return (
        afterAmending(state, event, context) ??
        afterDelivery(state, event, context) ??
        afterMoney(state, event, context) ??
        afterTerms(state, event, context) ??
        afterDocument(state, event, context) ??
        state
      );
  }
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
