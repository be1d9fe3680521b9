import type { ConfirmationEvent, FindingEvent } from '#audit/contract';
import type { CommitmentEvent } from '#commitments/contract';
import type { Projection, ReadTransaction, RecordedEvent } from '#kernel';
import { idOfStream } from '#kernel';
import type { NeedEvent } from '#needs/contract';
import type { Quantity } from '#vocabulary';
import { addDays, isDeterminate, minorUnits, stateParty } from '#vocabulary';
import type { DuplicateEvent } from './duplicates/duplicate.contract.js';

/** Something that waits for a party. `party` is empty where it waits for the coordinator in charge. */
export interface DeskItem {
  readonly party: string;
  /** The command that answers it, as in the record's `actions`. */
  readonly action: string;
  /** Tells apart several of one action on one record: a delivery or discrepancy number. */
  readonly n?: number;
  readonly since: string;
  readonly due?: string;
  /** Not shown before. */
  readonly from?: string;
}

/** A report shows on the desk of who owes it this many days before it is due. */
const REPORT_NOTICE_DAYS = 30;
/** A reaffirmation shows on the desk this many days before it is due. */
const REAFFIRM_NOTICE_DAYS = 30;
/** What a finding recommends shows on the desk of its owner this many days before it is due. */
const FINDING_NOTICE_DAYS = 30;
/** DOMAIN, CloseCommitment: a delivery nobody confirms closes the commitment unconfirmed after this many days. */
export const UNCONFIRMED_DAYS = 180;

interface NeedDesk {
  readonly status: 'quiet' | 'submitted' | 'returned' | 'open' | 'dormant';
  readonly filer: string;
  /** The State that a coordinator filed for. */
  readonly onBehalfOf?: string;
  readonly beneficiaries: readonly string[];
  /** Who was named and has not said whether it takes part, and since when it is asked. */
  readonly invited: Readonly<Record<string, string>>;
  /** Of those named: who takes part. */
  readonly takingPart: readonly string[];
  /** The State objects to circulation. */
  readonly objected?: boolean;
  /** The State has neither ratified the transcript nor objected; since its submission. */
  readonly unratified?: string;
  /** It has: nothing is asked again. */
  readonly spoken?: boolean;
  readonly since: string;
  readonly circulate: boolean;
  readonly due?: string;
  /** How it stood when it was merged into another: it stands so again once that is undone. */
  readonly merged?: { readonly status: NeedDesk['status']; readonly due?: string };
}

type Side = 'provider' | 'recipient';
const OTHER: Readonly<Record<Side, Side>> = { provider: 'recipient', recipient: 'provider' };

/** Something both sides have to state alike. Whoever spoke last waits for the other. */
interface Contested {
  readonly since: string;
  readonly stated?: Side;
}

/** A report that is owed, or filed and waits for the other side. */
interface OwedOnDesk {
  readonly by: string;
  readonly due: string;
  readonly since: string;
  readonly status: 'owed' | 'filed' | 'done';
}

/** Minor units in the measures drawn and credited; a scope in words counts for nothing. */
type Minor = readonly [drawn: string, credited: string];

interface TrancheOnDesk {
  readonly came: Minor;
  readonly back: Minor;
}

interface CommitmentDesk {
  readonly status: 'proposed' | 'accepted' | 'binding' | 'cancelled' | 'over';
  /** The beneficiaries, and the network that filed for them. */
  readonly recipients: readonly string[];
  /** The network that filed for several States: it answers what was delivered to all of them. */
  readonly host?: string;
  readonly providers: readonly string[];
  readonly side: Side;
  readonly implementer?: string;
  readonly fiscalAgent?: string;
  readonly signatories: readonly string[];
  /** Reports that somebody owes or has to answer, by number. */
  readonly reports: Readonly<Record<string, OwedOnDesk>>;
  readonly proposedAt: string;
  readonly heldAt?: string;
  readonly acceptedAt?: string;
  readonly acceptanceGiven: boolean;
  readonly expiresAt: string;
  readonly consented: readonly string[];
  /** Agencies that will not do it: what becomes of the task is the sides' to say. */
  readonly declined: readonly string[];
  readonly signed: readonly string[];
  readonly tranches: Readonly<Record<string, TrancheOnDesk>>;
  /** Silence is counted from here: the newest word of a tranche, or the late answer that took an unconfirmed closing back. */
  readonly silentSince?: string;
  readonly closedUnconfirmed?: boolean;
  readonly unanswered: Readonly<Record<string, { readonly since: string; readonly from: readonly string[] }>>;
  /** Tranches that a State disputed. */
  readonly disputes: Readonly<Record<string, Contested & { readonly from: readonly string[] }>>;
  readonly discrepancies: Readonly<
    Record<string, Contested & { readonly transfer: number; readonly receiver: string }>
  >;
  readonly amendment?: {
    readonly n: number;
    readonly side: Side;
    readonly since: string;
    readonly due: string;
    /** The other side agreed: what is left is for agencies, offer and need. */
    readonly agreed: boolean;
    /** Agencies it would name. */
    readonly agencies: readonly string[];
  };
  readonly close?: { readonly side: Side; readonly since: string };
}

/** Two needs that the coordinator found to be one: their States may merge them. */
interface DuplicateDesk {
  readonly suggested: boolean;
  readonly since: string;
  /** Alpha-3 codes. */
  readonly states: readonly string[];
  readonly needs: readonly string[];
  /** One of them was merged, closed or withdrawn: nothing is left to merge. */
  readonly over: boolean;
}

/** A finding: what its owner owes, or its auditor. */
interface FindingDesk {
  readonly owner: string;
  readonly auditor: string;
  readonly status: 'open' | 'planned' | 'refused' | 'claimed' | 'verified' | 'closed';
  readonly since: string;
  readonly answerBy: string;
  readonly due: string;
}

const FINDING_TYPES = [
  'FindingWritten',
  'FindingAmended',
  'FindingAnswered',
  'ImplementationClaimed',
  'ImplementationVerified',
  'ImplementationRejected',
  'FindingClosed',
] as const satisfies readonly FindingEvent['type'][];

/** A confirmation request: what its party owes, or its auditor. */
interface ConfirmationDesk {
  readonly party: string;
  readonly auditor: string;
  readonly status: 'open' | 'overdue' | 'answered' | 'closed';
  readonly since: string;
  readonly due: string;
}

const CONFIRMATION_TYPES = [
  'ConfirmationRequested',
  'ConfirmationAnswered',
  'ConfirmationFellOverdue',
  'ConfirmationClosed',
] as const satisfies readonly ConfirmationEvent['type'][];

const NEED_TYPES = [
  'NeedDrafted',
  'NeedSubmitted',
  'NeedReturned',
  'NeedSetAside',
  'NeedOpened',
  'NeedReaffirmed',
  'NeedFellDormant',
  'NeedReopened',
  'NeedObjected',
  'NeedWithdrawn',
  'NeedClosed',
  'NeedAmended',
  'NeedRatified',
  'NeedSuperseded',
  'NeedUnmerged',
  'ParticipationConsented',
  'ParticipationWithdrawn',
] as const satisfies readonly NeedEvent['type'][];

const COMMITMENT_TYPES = [
  'CommitmentProposed',
  'CommitmentHeld',
  'HoldRefused',
  'AcceptanceGiven',
  'AcceptanceRefused',
  'CommitmentAccepted',
  'CommitmentDeclined',
  'CommitmentLapsed',
  'CommitmentWithdrawn',
  'TaskConsented',
  'TaskDeclined',
  'CommitmentSigned',
  'CommitmentBound',
  'ReceiptReported',
  'DeliveryReported',
  'DeliveryConfirmed',
  'DeliveryDisputed',
  'DeliveryCorrected',
  'SettlementStated',
  'DisputeSettled',
  'ReturnReported',
  'ReceiptCorrected',
  'DiscrepancyAccepted',
  'DiscrepancySettlementStated',
  'DiscrepancySettled',
  'AmendmentProposed',
  'AmendmentAgreed',
  'AmendmentDeclined',
  'AmendmentLapsed',
  'AmendmentRefused',
  'CommitmentAmended',
  'ReportFiled',
  'ReportReturned',
  'ReportAccepted',
  'ReportWaived',
  'CommitmentCancelled',
  'CloseProposed',
  'CommitmentClosed',
] as const satisfies readonly CommitmentEvent['type'][];

const without = <V>(entries: Readonly<Record<string, V>>, key: number | string): Readonly<Record<string, V>> =>
  Object.fromEntries(Object.entries(entries).filter(([name]) => name !== String(key)));

type OwedReport = NonNullable<Extract<CommitmentEvent, { type: 'CommitmentProposed' }>['data']['terms']>['reports'];

/** The reports of these terms; what has a number already stays as it stands. */
const owedOf = (
  reports: OwedReport = [],
  before: CommitmentDesk['reports'],
  since: string,
): CommitmentDesk['reports'] =>
  Object.fromEntries(
    reports.map(({ n, by, due }) => [String(n), { since, status: 'owed' as const, ...before[n], by, due }]),
  );

const withReport = (state: CommitmentDesk, n: number, status: OwedOnDesk['status'], since: string): CommitmentDesk => {
  const known = state.reports[n];
  return known === undefined ? state : { ...state, reports: { ...state.reports, [n]: { ...known, status, since } } };
};

const evolveNeed = (need: NeedDesk | undefined, event: RecordedEvent): NeedDesk | undefined => {
  const fact = event as unknown as NeedEvent;
  const since = event.metadata.recordedAt;
  if (fact.type === 'NeedDrafted') {
    const { filer, onBehalfOf, beneficiaries } = fact.data;
    const asked = beneficiaries.filter((party) => party !== filer && party !== onBehalfOf);
    return {
      takingPart: beneficiaries.filter((party) => !asked.includes(party)),
      ...{ status: 'quiet', filer, beneficiaries, since, circulate: false },
      ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
      invited: Object.fromEntries(asked.map((party) => [party, since])),
    };
  }
  if (need === undefined) return undefined;
  const at = (status: NeedDesk['status'], due?: string): NeedDesk => {
    const { due: _, ...rest } = need;
    return { ...rest, status, since, ...(due === undefined ? {} : { due }) };
  };
  const answered = (party: string, joins: boolean): NeedDesk => ({
    ...need,
    invited: without(need.invited, party),
    takingPart: [...need.takingPart.filter((each) => each !== party), ...(joins ? [party] : [])],
  });
  switch (fact.type) {
    case 'NeedSubmitted': {
      const { windowEnds, consent } = fact.data;
      const asked =
        need.onBehalfOf === undefined || need.spoken === true ? {} : { unratified: need.unratified ?? since };
      // Whatever was objected to before answered an earlier question.
      return { ...at('submitted', windowEnds), circulate: consent.circulate === 'yes', objected: false, ...asked };
    }
    case 'NeedRatified':
    case 'NeedObjected': {
      // An objection too ends what was transcribed: the State has spoken.
      const { unratified: _, ...rest } = need;
      const objected = fact.type === 'NeedObjected' && fact.data.to === 'circulation';
      return { ...rest, spoken: true, ...(objected ? { objected } : {}) };
    }
    case 'NeedAmended': {
      const { beneficiaries } = fact.data;
      if (beneficiaries === undefined) return need;
      const named = beneficiaries.filter(
        (party) => party !== need.filer && party !== need.onBehalfOf && !need.beneficiaries.includes(party),
      );
      const stillAsked = Object.entries(need.invited).filter(([party]) => beneficiaries.includes(party));
      const invited = Object.fromEntries([...stillAsked, ...named.map((party) => [party, since] as const)]);
      const takingPart = beneficiaries.filter(
        (party) =>
          need.takingPart.includes(party) ||
          ([need.filer, need.onBehalfOf].includes(party) && !need.beneficiaries.includes(party)),
      );
      return { ...need, beneficiaries, invited, takingPart };
    }
    case 'ParticipationConsented':
      return answered(fact.data.party, true);
    case 'ParticipationWithdrawn':
      return answered(fact.data.party, false);
    case 'NeedReturned':
    case 'NeedSetAside':
      return at('returned');
    case 'NeedOpened':
    case 'NeedReaffirmed':
    case 'NeedReopened':
      return at('open', fact.data.reaffirmBy);
    case 'NeedFellDormant':
      return at('dormant');
    case 'NeedSuperseded':
      return {
        ...at('quiet'),
        merged: { status: need.status, ...(need.due === undefined ? {} : { due: need.due }) },
      };
    case 'NeedUnmerged': {
      if (fact.data.as === 'survivor' || need.merged === undefined) return need;
      const { merged: _, ...rest } = at(need.merged.status, need.merged.due);
      return rest;
    }
    case 'NeedWithdrawn':
    case 'NeedClosed':
      return { ...at('quiet'), invited: {} };
    default:
      return need;
  }
};

/** What waits on a need. Pure. */
export const needItems = (need: NeedDesk): DeskItem[] => {
  const asked = Object.entries(need.invited).map(([party, since]): DeskItem => ({
    party,
    action: 'consent-participation',
    since,
  }));
  const { onBehalfOf, unratified, status } = need;
  // What is merged or over is not ratified any more.
  const transcribed: DeskItem[] =
    onBehalfOf === undefined || unratified === undefined || status === 'quiet'
      ? []
      : [{ party: onBehalfOf, action: 'ratify', since: unratified }];
  const rests = need.merged !== undefined || status === 'dormant';
  return [...statusItems(need), ...(rests ? [] : asked), ...transcribed];
};

const statusItems = (need: NeedDesk): DeskItem[] => {
  const { status, filer, onBehalfOf: state = filer, since } = need;
  // A need for nobody, or that is not to circulate, does not open: no window runs.
  const mayOpen = need.objected !== true && need.takingPart.length > 0;
  const due = status === 'submitted' && !mayOpen ? undefined : need.due;
  const waiting = (party: string, action: string): DeskItem => ({
    party,
    action,
    since,
    ...(due === undefined ? {} : { due }),
  });
  switch (status) {
    case 'submitted':
      return [waiting('', need.circulate && mayOpen ? 'open' : 'review')];
    case 'returned':
      return [waiting(filer, 'submit')];
    case 'open':
      return [
        { ...waiting(state, 'reaffirm'), ...(due === undefined ? {} : { from: addDays(due, -REAFFIRM_NOTICE_DAYS) }) },
      ];
    case 'dormant':
      return [waiting(state, 'reopen')];
    case 'quiet':
      return [];
  }
};

const named = (
  role: 'implementer' | 'fiscalAgent',
  agency: string | null | undefined,
): Pick<CommitmentDesk, 'implementer' | 'fiscalAgent'> =>
  agency === undefined || agency === null ? {} : { [role]: agency };

const agenciesOf = ({ implementer, fiscalAgent, amendment }: CommitmentDesk): readonly string[] => [
  ...new Set([implementer, fiscalAgent, ...(amendment?.agencies ?? [])].filter((agency) => agency !== undefined)),
];

/** A transfer has one discrepancy at the most: what is left of it after all its receipts. */
const afterReceipt = (
  state: CommitmentDesk,
  since: string,
  transfer: number,
  receiver: string,
  n: number | undefined,
): CommitmentDesk => {
  const others = Object.fromEntries(
    Object.entries(state.discrepancies).filter(([, known]) => known.transfer !== transfer),
  );
  return { ...state, discrepancies: n === undefined ? others : { ...others, [n]: { since, transfer, receiver } } };
};

/** Who says what came of a tranche: its State, else the host of a joint need unless it delivered itself, else any recipient. */
const answerersOf = (
  { host, recipients }: CommitmentDesk,
  deliverer: string,
  beneficiary: string | undefined,
): readonly string[] => {
  if (beneficiary !== undefined) return [beneficiary];
  return host === undefined || host === deliverer ? recipients.filter((party) => party !== deliverer) : [host];
};

/** The agency's latest word is what counts. */
const saidNothing = (state: CommitmentDesk, agency: string): CommitmentDesk => ({
  ...state,
  consented: state.consented.filter((party) => party !== agency),
  declined: state.declined.filter((party) => party !== agency),
});

/** Words of agencies that are named no more, or that only an amendment that ended had named: named again, they are asked again. */
const ofNamed = (state: CommitmentDesk): CommitmentDesk => {
  const isNamed = (party: string): boolean => party === state.implementer || party === state.fiscalAgent;
  return { ...state, consented: state.consented.filter(isNamed), declined: state.declined.filter(isNamed) };
};

const figureOf = (quantity: Quantity): bigint => (isDeterminate(quantity) ? minorUnits(quantity) : 0n);

type Portion = { readonly drawn: Quantity; readonly credited: Quantity };
const minorOf = ({ drawn, credited }: Portion): Minor => [String(figureOf(drawn)), String(figureOf(credited))];
const NOTHING: Minor = ['0', '0'];

/** A late answer takes an unconfirmed closing back. */
const answeredAt = (at: string, { closedUnconfirmed, ...state }: CommitmentDesk): CommitmentDesk =>
  closedUnconfirmed === true ? { ...state, silentSince: at } : state;

/** A tranche of this size from now on; what was sent back of it stays so. */
const withTranche = (state: CommitmentDesk, at: string, n: number, portion: Portion): CommitmentDesk => {
  const { back } = state.tranches[n] ?? { back: NOTHING };
  return { ...state, silentSince: at, tranches: { ...state.tranches, [n]: { came: minorOf(portion), back } } };
};

const isGone = ({ tranches }: CommitmentDesk, n: number): boolean => {
  const { came, back } = tranches[n] ?? { came: NOTHING, back: NOTHING };
  return came[0] === back[0] && came[1] === back[1];
};

/** Of a tranche that was sent back whole nothing is left to confirm or settle, and who proposed to close did so while all had come. */
const sentBack = (state: CommitmentDesk, n: number, { drawn, credited }: Portion): CommitmentDesk => {
  const tranche = state.tranches[n];
  if (tranche === undefined) return state;
  const back: Minor = [
    String(BigInt(tranche.back[0]) + figureOf(drawn)),
    String(BigInt(tranche.back[1]) + figureOf(credited)),
  ];
  const { close: _close, ...open } = state;
  const after: CommitmentDesk = {
    ...(state.status === 'cancelled' ? state : open),
    tranches: { ...state.tranches, [n]: { ...tranche, back } },
  };
  return isGone(after, n)
    ? { ...after, unanswered: without(state.unanswered, n), disputes: without(state.disputes, n) }
    : after;
};

/** Words that were assessed have a figure now: that of what is left of the tranche. */
const recredited = (
  tranches: CommitmentDesk['tranches'],
  credits: readonly { readonly delivery: number; readonly credited: Quantity }[],
): CommitmentDesk['tranches'] =>
  credits.reduce((all, { delivery, credited }) => {
    const known = all[delivery];
    if (known === undefined) return all;
    const tranche: TrancheOnDesk = {
      came: [known.came[0], String(figureOf(credited))],
      back: [known.back[0], '0'],
    };
    return { ...all, [delivery]: tranche };
  }, tranches);

const evolveCommitment = (state: CommitmentDesk | undefined, event: RecordedEvent): CommitmentDesk | undefined => {
  const fact = event as unknown as CommitmentEvent;
  const at = event.metadata.recordedAt;
  if (fact.type === 'CommitmentProposed') {
    const { data } = fact;
    const hosted = data.filer.startsWith('network:');
    return {
      status: 'proposed',
      // Who filed on behalf of a State does not act for it.
      recipients: hosted ? [...new Set([...data.beneficiaries, data.filer])] : data.beneficiaries,
      ...(hosted && data.beneficiaries.length > 1 ? { host: data.filer } : {}),
      providers: data.providers,
      side: data.side,
      ...named('implementer', data.implementer),
      ...named('fiscalAgent', data.fiscalAgent),
      signatories: data.signatories,
      proposedAt: at,
      acceptanceGiven: false,
      expiresAt: data.expiresAt,
      consented: [],
      declined: [],
      signed: [],
      tranches: {},
      unanswered: {},
      disputes: {},
      discrepancies: {},
      reports: owedOf(data.terms?.reports, {}, at),
    };
  }
  if (state === undefined) return undefined;
  switch (fact.type) {
    case 'CommitmentHeld':
      return { ...state, heldAt: at };
    case 'AcceptanceGiven':
      return { ...state, acceptanceGiven: true };
    case 'AcceptanceRefused':
      return { ...state, acceptanceGiven: false };
    case 'CommitmentAccepted':
      return state.status === 'proposed' ? { ...state, status: 'accepted', acceptedAt: at } : state;
    case 'HoldRefused':
    case 'CommitmentDeclined':
    case 'CommitmentLapsed':
    case 'CommitmentWithdrawn':
      return { ...state, status: 'over' };
    case 'TaskConsented': {
      const { agency } = fact.data;
      return { ...saidNothing(state, agency), consented: [...state.consented, agency] };
    }
    case 'TaskDeclined': {
      const { agency } = fact.data;
      return { ...saidNothing(state, agency), declined: [...state.declined, agency] };
    }
    case 'CommitmentSigned':
      return { ...state, signed: [...state.signed, fact.data.party] };
    case 'CommitmentBound':
      return { ...state, status: 'binding' };
    case 'ReceiptReported':
      return afterReceipt(state, at, fact.data.transfer, fact.data.party, fact.data.discrepancy?.n);
    case 'ReceiptCorrected': {
      const { transfer, discrepancy } = fact.data;
      // Who received is who corrects.
      return afterReceipt(state, at, transfer, event.metadata.actor.party, discrepancy?.n);
    }
    case 'DiscrepancyAccepted':
    case 'DiscrepancySettled':
      return { ...state, discrepancies: without(state.discrepancies, fact.data.n) };
    case 'DiscrepancySettlementStated': {
      const { n, side } = fact.data;
      const known = state.discrepancies[n];
      return known === undefined
        ? state
        : { ...state, discrepancies: { ...state.discrepancies, [n]: { ...known, stated: side } } };
    }
    case 'DeliveryReported': {
      const { n, party, beneficiary } = fact.data;
      const from = answerersOf(state, party, beneficiary);
      return { ...withTranche(state, at, n, fact.data), unanswered: { ...state.unanswered, [n]: { since: at, from } } };
    }
    case 'DeliveryCorrected': {
      const { n, party, beneficiary } = fact.data;
      const known = state.unanswered[n];
      const from = answerersOf(state, party, beneficiary);
      return known === undefined
        ? state
        : { ...withTranche(state, at, n, fact.data), unanswered: { ...state.unanswered, [n]: { since: at, from } } };
    }
    case 'ReturnReported':
      return sentBack(state, fact.data.delivery, fact.data);
    case 'DeliveryConfirmed': {
      const { n } = fact.data;
      const open = { unanswered: without(state.unanswered, n), disputes: without(state.disputes, n) };
      return { ...answeredAt(at, state), ...open };
    }
    case 'DeliveryDisputed': {
      const { n } = fact.data;
      const from = state.unanswered[n]?.from ?? state.recipients;
      return {
        ...answeredAt(at, state),
        unanswered: without(state.unanswered, n),
        disputes: { ...state.disputes, [n]: { since: at, from } },
      };
    }
    case 'SettlementStated': {
      const { n, as } = fact.data;
      const known = state.disputes[n];
      return known === undefined || as === 'mediator'
        ? state
        : { ...state, disputes: { ...state.disputes, [n]: { ...known, stated: as } } };
    }
    case 'DisputeSettled': {
      // The tranche is reported again: it waits for the State's answer.
      const { n } = fact.data;
      const from = state.disputes[n]?.from ?? state.recipients;
      const settled = { ...withTranche(state, at, n, fact.data), disputes: without(state.disputes, n) };
      // What stands may be no more than what was sent back of it.
      return isGone(settled, n)
        ? settled
        : { ...settled, unanswered: { ...state.unanswered, [n]: { since: at, from } } };
    }
    case 'AmendmentProposed': {
      const { n, side, changes, expiresAt } = fact.data;
      const agencies = [changes.implementer, changes.fiscalAgent].filter((agency) => typeof agency === 'string');
      return { ...state, amendment: { n, side, since: at, due: expiresAt, agreed: false, agencies } };
    }
    case 'AmendmentAgreed':
      return state.amendment === undefined ? state : { ...state, amendment: { ...state.amendment, agreed: true } };
    case 'AmendmentDeclined':
    case 'AmendmentLapsed':
    case 'AmendmentRefused': {
      const { amendment: _, ...rest } = state;
      return ofNamed(rest);
    }
    case 'CommitmentAmended': {
      const { amendment: _, implementer, fiscalAgent, ...rest } = state;
      const { changes } = fact.data;
      return ofNamed({
        ...rest,
        ...named('implementer', changes.implementer === undefined ? implementer : changes.implementer),
        ...named('fiscalAgent', changes.fiscalAgent === undefined ? fiscalAgent : changes.fiscalAgent),
        ...(changes.terms?.reports === undefined ? {} : { reports: owedOf(changes.terms.reports, state.reports, at) }),
        // Signatures given to something else count no more.
        signed: state.status === 'binding' ? state.signed : [],
        tranches: recredited(state.tranches, fact.data.recredited),
      });
    }
    case 'ReportFiled':
      return withReport(state, fact.data.n, 'filed', at);
    case 'ReportReturned':
      return withReport(state, fact.data.n, 'owed', at);
    case 'ReportAccepted':
    case 'ReportWaived':
      return withReport(state, fact.data.n, 'done', at);
    case 'CommitmentCancelled': {
      const { amendment: _, ...rest } = state;
      return { ...rest, status: 'cancelled' };
    }
    case 'CloseProposed':
      return { ...state, close: { side: fact.data.side, since: at } };
    case 'CommitmentClosed':
      // Closed unconfirmed, a tranche may still be confirmed late; anything else is over.
      return fact.data.as === 'unconfirmed'
        ? { ...state, discrepancies: {}, closedUnconfirmed: true }
        : { ...state, status: 'over' };
    default:
      return state;
  }
};

/** What waits on a commitment. Pure. */
export const commitmentItems = (state: CommitmentDesk): DeskItem[] => {
  if (state.status === 'over') return [];
  const items: DeskItem[] = [];
  const due = state.expiresAt;
  const sideOf = (side: Side): readonly string[] => (side === 'provider' ? state.providers : state.recipients);

  if (state.status === 'proposed' && state.heldAt !== undefined && !state.acceptanceGiven) {
    for (const party of sideOf(OTHER[state.side])) items.push({ party, action: 'accept', since: state.heldAt, due });
  }
  if (state.status === 'proposed' || state.status === 'accepted') {
    for (const party of new Set([state.implementer, state.fiscalAgent])) {
      if (party === undefined || state.consented.includes(party) || state.declined.includes(party)) continue;
      items.push({ party, action: 'consent-task', since: state.proposedAt, due });
    }
  }
  if (state.amendment !== undefined) {
    const { n, side, since, agreed, agencies, due: until } = state.amendment;
    if (!agreed) {
      for (const party of sideOf(OTHER[side])) items.push({ party, action: 'amend-accept', n, since, due: until });
    }
    for (const party of new Set(agencies)) {
      const asked = items.some((item) => item.party === party && item.action === 'consent-task');
      if (!asked && !state.consented.includes(party)) {
        items.push({ party, action: 'consent-task', since, due: until });
      }
    }
  }
  if (state.status === 'accepted' && state.acceptedAt !== undefined) {
    for (const party of state.signatories) {
      if (!state.signed.includes(party)) items.push({ party, action: 'sign', since: state.acceptedAt, due });
    }
  }
  for (const [n, { since, from }] of Object.entries(state.unanswered)) {
    for (const party of from) {
      const closes = addDays(state.silentSince ?? since, UNCONFIRMED_DAYS);
      items.push({ party, action: 'confirm', n: Number(n), since, due: closes });
    }
  }
  for (const [n, { since, from, stated }] of Object.entries(state.disputes)) {
    const ends: Readonly<Record<Side, readonly string[]>> = { provider: state.providers, recipient: from };
    for (const party of toState(ends, stated)) items.push({ party, action: 'settle', n: Number(n), since });
  }
  for (const [n, { since, receiver, stated }] of Object.entries(state.discrepancies)) {
    items.push({ party: '', action: 'accept-discrepancy', n: Number(n), since });
    const ends = { provider: state.providers.filter((party) => party !== receiver), recipient: [receiver] };
    for (const party of toState(ends, stated)) items.push({ party, action: 'settle-discrepancy', n: Number(n), since });
  }
  for (const [number, report] of state.status === 'binding' || state.status === 'cancelled'
    ? Object.entries(state.reports)
    : []) {
    const { by, since, status, due: until } = report;
    const n = Number(number);
    if (status === 'owed') {
      items.push({ party: by, action: 'file-report', n, since, due: until, from: addDays(until, -REPORT_NOTICE_DAYS) });
    }
    if (status === 'filed') {
      for (const party of answering(state, by)) items.push({ party, action: 'accept-report', n, since });
    }
  }
  if (state.close !== undefined) {
    for (const party of sideOf(OTHER[state.close.side]))
      items.push({ party, action: 'close', since: state.close.since });
  }
  return items;
};

/** Who answers a report: the other side than its author's; either where an agency wrote it. */
const answering = ({ providers, recipients }: CommitmentDesk, author: string): ReadonlySet<string> =>
  new Set([...(providers.includes(author) ? [] : providers), ...(recipients.includes(author) ? [] : recipients)]);

/** Who has to state: both ends, or the one that was not the last to do so. */
const toState = (ends: Readonly<Record<Side, readonly string[]>>, stated: Side | undefined): ReadonlySet<string> =>
  new Set(stated === undefined ? [...ends.provider, ...ends.recipient] : ends[OTHER[stated]]);

const evolveFinding = (finding: FindingDesk | undefined, event: RecordedEvent): FindingDesk | undefined => {
  const fact = event as unknown as FindingEvent;
  const since = event.metadata.recordedAt;
  if (fact.type === 'FindingWritten') {
    const { owner, auditor, answerBy, due } = fact.data;
    return { owner, auditor, status: 'open', since, answerBy, due };
  }
  if (finding === undefined) return undefined;
  switch (fact.type) {
    case 'FindingAmended': {
      const { changes, answerBy = finding.answerBy, due = finding.due } = fact.data;
      // Reworded, it waits for another answer.
      const reworded = Object.keys(changes).length > 0 && finding.status !== 'open';
      return { ...finding, answerBy, due, ...(reworded ? { status: 'open', since } : {}) };
    }
    case 'FindingAnswered':
      return { ...finding, status: fact.data.response === 'disagreed' ? 'refused' : 'planned', since };
    case 'ImplementationClaimed':
      return { ...finding, status: 'claimed', since };
    case 'ImplementationVerified':
      return { ...finding, status: 'verified', since };
    case 'ImplementationRejected':
      return { ...finding, status: 'planned', since, due: fact.data.due ?? finding.due };
    case 'FindingClosed':
      return { ...finding, status: 'closed', since };
    default:
      return finding;
  }
};

/** What waits on a finding. Pure. */
export const findingItems = ({ owner, auditor, status, since, answerBy, due }: FindingDesk): DeskItem[] => {
  switch (status) {
    case 'open':
      return [{ party: owner, action: 'answer', since, due: answerBy }];
    case 'planned':
      return [{ party: owner, action: 'implement', since, due, from: addDays(due, -FINDING_NOTICE_DAYS) }];
    case 'claimed':
      return [{ party: auditor, action: 'verify', since }];
    case 'refused':
    case 'verified':
      return [{ party: auditor, action: 'close', since }];
    case 'closed':
      return [];
  }
};

const evolveConfirmation = (
  confirmation: ConfirmationDesk | undefined,
  event: RecordedEvent,
): ConfirmationDesk | undefined => {
  const fact = event as unknown as ConfirmationEvent;
  const since = event.metadata.recordedAt;
  if (fact.type === 'ConfirmationRequested') {
    const { party, auditor, due } = fact.data;
    return { party, auditor, status: 'open', since, due };
  }
  if (confirmation === undefined) return undefined;
  switch (fact.type) {
    case 'ConfirmationAnswered':
      return { ...confirmation, status: 'answered', since };
    case 'ConfirmationFellOverdue':
      return { ...confirmation, status: 'overdue' };
    case 'ConfirmationClosed':
      return { ...confirmation, status: 'closed', since };
    default:
      return confirmation;
  }
};

/** What waits on a confirmation request: a party may still answer past the day, when its auditor may go another way. Pure. */
export const confirmationItems = ({ party, auditor, status, since, due }: ConfirmationDesk): DeskItem[] => {
  const answer = { party, action: 'answer', since, due };
  const close = { party: auditor, action: 'close', since };
  switch (status) {
    case 'open':
      return [answer];
    case 'overdue':
      return [answer, close];
    case 'answered':
      return [close];
    case 'closed':
      return [];
  }
};

/** What a verdict on a pair leaves to do. Pure. */
export const duplicateItems = ({ suggested, over, since, states }: DuplicateDesk): DeskItem[] =>
  suggested && !over ? states.map((code) => ({ party: stateParty(code), action: 'merge', since })) : [];

type Doc =
  | { readonly need: NeedDesk }
  | { readonly commitment: CommitmentDesk }
  | { readonly duplicate: DuplicateDesk }
  | { readonly finding: FindingDesk }
  | { readonly confirmation: ConfirmationDesk };

const kindIn = (doc: Doc): 'need' | 'commitment' | 'duplicate' | 'finding' | 'confirmation-request' => {
  if ('confirmation' in doc) return 'confirmation-request';
  if ('need' in doc) return 'need';
  if ('finding' in doc) return 'finding';
  return 'commitment' in doc ? 'commitment' : 'duplicate';
};

const itemsOf = (doc: Doc): DeskItem[] => {
  if ('confirmation' in doc) return confirmationItems(doc.confirmation);
  if ('need' in doc) return needItems(doc.need);
  if ('finding' in doc) return findingItems(doc.finding);
  return 'commitment' in doc ? commitmentItems(doc.commitment) : duplicateItems(doc.duplicate);
};

const involvedIn = (doc: Doc): readonly string[] => {
  if ('confirmation' in doc) return [doc.confirmation.party, doc.confirmation.auditor];
  if ('finding' in doc) return [doc.finding.owner, doc.finding.auditor];
  if ('duplicate' in doc) return doc.duplicate.states.map((code) => stateParty(code));
  return 'need' in doc
    ? [doc.need.filer, ...(doc.need.onBehalfOf === undefined ? [] : [doc.need.onBehalfOf]), ...doc.need.beneficiaries]
    : [...doc.commitment.recipients, ...doc.commitment.providers, ...agenciesOf(doc.commitment)];
};

/** Events after which a need is no longer there to be merged. */
const ENDING: ReadonlySet<string> = new Set<NeedEvent['type']>(['NeedSuperseded', 'NeedWithdrawn', 'NeedClosed']);

/** Answers: what waits for a party now. */
export const desk: Projection = {
  name: 'desk',
  version: 7,
  handles: [
    ...NEED_TYPES,
    ...COMMITMENT_TYPES,
    ...FINDING_TYPES,
    ...CONFIRMATION_TYPES,
    'DuplicateJudged' satisfies DuplicateEvent['type'],
  ],
  schema: `
    CREATE TABLE desk_record (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE desk_item (
      party TEXT NOT NULL,
      record TEXT NOT NULL,
      kind TEXT NOT NULL,
      action TEXT NOT NULL,
      n INTEGER NOT NULL,
      since TEXT NOT NULL,
      due TEXT NOT NULL,
      visible_from TEXT NOT NULL,
      involved TEXT NOT NULL,
      PRIMARY KEY (party, record, action, n)
    ) WITHOUT ROWID;
    CREATE INDEX desk_item_record ON desk_item (record);
    CREATE TABLE desk_pair (need TEXT NOT NULL, duplicate TEXT NOT NULL, PRIMARY KEY (need, duplicate)) WITHOUT ROWID;
  `,
  begin: (tx: ReadTransaction) => {
    const touched = new Map<string, Doc>();
    const current = (id: string): Doc | undefined => {
      const held = touched.get(id);
      if (held !== undefined) return held;
      const row = tx.get('SELECT doc FROM desk_record WHERE id = ?', id);
      return row === undefined ? undefined : (JSON.parse(row.doc as string) as Doc);
    };
    const judged = (id: string, event: RecordedEvent): void => {
      const { about, records, states, verdict } = (event as unknown as DuplicateEvent).data;
      const before = current(id);
      const needs = about === 'needs' ? records.map((record) => record.id) : [];
      for (const need of needs) {
        tx.run('INSERT OR IGNORE INTO desk_pair (need, duplicate) VALUES (?, ?)', need, id);
      }
      const over = before !== undefined && 'duplicate' in before && before.duplicate.over;
      const suggested = needs.length > 0 && verdict === 'same';
      touched.set(id, { duplicate: { suggested, since: event.metadata.recordedAt, states, needs, over } });
    };
    const ended = (need: string): void => {
      for (const { duplicate } of tx.all('SELECT duplicate FROM desk_pair WHERE need = ?', need)) {
        const doc = current(duplicate as string);
        if (doc !== undefined && 'duplicate' in doc) {
          touched.set(duplicate as string, { duplicate: { ...doc.duplicate, over: true } });
        }
      }
    };
    return {
      apply: (event) => {
        const id = idOfStream(event.stream);
        const before = current(id);
        if (event.type === 'DuplicateJudged') {
          judged(id, event);
        } else if (event.stream.startsWith('finding-')) {
          const finding = evolveFinding(
            before !== undefined && 'finding' in before ? before.finding : undefined,
            event,
          );
          if (finding !== undefined) touched.set(id, { finding });
        } else if (event.stream.startsWith('confirmation-')) {
          const confirmation = evolveConfirmation(
            before !== undefined && 'confirmation' in before ? before.confirmation : undefined,
            event,
          );
          if (confirmation !== undefined) touched.set(id, { confirmation });
        } else if (event.stream.startsWith('need-')) {
          const need = evolveNeed(before !== undefined && 'need' in before ? before.need : undefined, event);
          if (need !== undefined) touched.set(id, { need });
          if (ENDING.has(event.type)) ended(id);
        } else {
          const commitment = evolveCommitment(
            before !== undefined && 'commitment' in before ? before.commitment : undefined,
            event,
          );
          if (commitment !== undefined) touched.set(id, { commitment });
        }
      },
      flush: () => {
        for (const [id, doc] of touched) {
          tx.run('INSERT OR REPLACE INTO desk_record (id, doc) VALUES (?, ?)', id, JSON.stringify(doc));
          tx.run('DELETE FROM desk_item WHERE record = ?', id);
          const involved = `|${involvedIn(doc).join('|')}|`;
          for (const { party, action, n, since, due, from } of itemsOf(doc)) {
            tx.run(
              'INSERT INTO desk_item (party, record, kind, action, n, since, due, visible_from, involved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
              party,
              id,
              kindIn(doc),
              action,
              n ?? 0,
              since,
              due ?? '',
              from ?? '',
              involved,
            );
          }
        }
      },
    };
  },
};
