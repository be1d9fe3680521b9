import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import type { NeedReader } from '#needs/contract';
import type { OfferReader } from '#offers/contract';
import type { Power, Quantity, Role, Visibility } from '#vocabulary';
import { add, sameMeasure, stateOfParty, stricterVisibility, zeroLike } from '#vocabulary';
import type { CommandAccess, PastView } from '#web';
import { hasAuthority } from '#web';
import { accountsView, InflowBook } from './commitment-accounts.js';
import { transferOf } from './commitment-money.js';
import { termsView } from './commitment-terms.js';
import type { AdmitsDocument, PlainValues } from './labelled-documents.js';
import { notePlain, withoutHidden } from './labelled-documents.js';
import { isCoordinatorInCharge, minus, sidesOf } from './commitment-state.js';
import type { CommitmentEvent } from './commitment.contract.js';
import { PROPOSE } from './commitment.contract.js';
import type {
  AmendmentState,
  CommitmentState,
  DeliveryState,
  DiscrepancyState,
  LegState,
  PartyCommandType,
  Who,
} from './commitment.js';
import { actionsOf, agenciesAsked, COMMITMENT_RULES, isDisputed, partiesOf, recipientsOf } from './commitment.js';

const SIDES: readonly Role[] = PROPOSE.roles;
const AGENCIES: readonly Role[] = ['implementer', 'fiscal-agent'];
const STATES: readonly Role[] = ['npc', 'mission', 'line-ministry', 'network-host'];

const access = (action: string, roles: readonly Role[], power?: CommandAccess['power']): CommandAccess => ({
  action: `commitment.${action}`,
  roles,
  ...(power === undefined ? {} : { power }),
});

/** Who may ever send a command of a party (DOMAIN, roles table). */
export const COMMITMENT_ACCESS = {
  ProposeCommitment: PROPOSE,
  AcceptCommitment: access('accept', SIDES, 'accept'),
  DeclineCommitment: access('decline', SIDES, 'accept'),
  WithdrawCommitment: access('withdraw', SIDES, 'propose'),
  ConsentTask: access('consent-task', AGENCIES, 'consent'),
  DeclineTask: access('decline-task', AGENCIES, 'consent'),
  SignCommitment: access('sign', SIDES, 'sign'),
  ProposeAmendment: access('amend', SIDES, 'propose'),
  AcceptAmendment: access('amend-accept', SIDES, 'accept'),
  DeclineAmendment: access('amend-decline', SIDES, 'accept'),
  WithdrawAmendment: access('amend-withdraw', SIDES, 'propose'),
  ReportTransfer: access('transfers', [...SIDES, 'fiscal-agent'], 'pay'),
  CorrectTransfer: access('correct-transfer', [...SIDES, 'fiscal-agent'], 'pay'),
  CorrectReceipt: access('correct-receipt', [...SIDES, 'fiscal-agent'], 'pay'),
  ReportExpenditure: access('expenditures', [...SIDES, 'fiscal-agent'], 'pay'),
  SettleDiscrepancy: access('settle-discrepancy', [...SIDES, 'fiscal-agent'], 'pay'),
  ReportReceipt: access('receipts', [...SIDES, 'fiscal-agent'], 'pay'),
  ReportDelivery: access('deliveries', ['donor-desk', 'implementer', 'network-host'], 'deliver'),
  ConfirmDelivery: access('confirm', STATES, 'confirm'),
  DisputeDelivery: access('dispute', STATES, 'confirm'),
  // Whom the sides appointed verifies, whatever its office is called: `permits` asks a power that fits one of them.
  VerifyDelivery: access('verify', [...SIDES, 'fiscal-agent', 'auditor']),
  // A provider needs the power to deliver, a State that to confirm, which `permits` asks; the coordinator's authority is the role.
  StateSettlement: access('settle', ['coordinator', ...SIDES]),
  ReportReturn: access('returns', [...STATES, 'implementer'], 'deliver'),
  CorrectDelivery: access('correct-delivery', ['donor-desk', 'implementer', 'network-host'], 'deliver'),
  AcceptDiscrepancy: access('accept-discrepancy', ['coordinator']),
  SuspendCommitment: access('suspend', SIDES, 'sign'),
  ResumeCommitment: access('resume', SIDES, 'sign'),
  MeetCondition: access('meet-condition', SIDES, 'accept'),
  WaiveCondition: access('waive-condition', SIDES, 'accept'),
  // Whoever owes a report files it: `permits` asks a power over what is reported on.
  FileReport: access('file-report', [...SIDES, 'fiscal-agent']),
  AcceptReport: access('accept-report', SIDES, 'accept'),
  ReturnReport: access('return-report', SIDES, 'accept'),
  WaiveReport: access('waive-report', SIDES, 'accept'),
  // A paper binds nobody: whoever acts for a party may lay one beside the record.
  AttachDocument: access('documents', ['coordinator', ...SIDES, 'fiscal-agent']),
  CancelCommitment: access('cancel', SIDES, 'sign'),
  // A side needs the power to sign, which `permits` asks; the coordinator's authority is the role.
  CloseCommitment: access('close', ['coordinator', ...SIDES]),
} as const satisfies Readonly<Record<PartyCommandType | 'ProposeCommitment', CommandAccess>>;

/** The caller as the rules look at it. */
export const whoIs = (caller: Caller): Who => ({
  party: caller.party,
  coordinator: hasRole(caller, 'coordinator'),
  roles: caller.roles,
  ...(caller.sovereign === undefined ? {} : { sovereign: caller.sovereign }),
});

/** The rights that no single power is: the coordinator's role, a side's power over what it speaks of, or what an author or verifier does. */
export const mayEver = (caller: Caller, type: PartyCommandType, state: CommitmentState): boolean => {
  const who = whoIs(caller);
  const holds = (...powers: readonly Power[]): boolean => powers.some((power) => caller.powers.has(power));
  switch (type) {
    case 'CloseCommitment':
      return isCoordinatorInCharge(state, who) || holds('sign');
    case 'StateSettlement':
      return (
        isCoordinatorInCharge(state, who) ||
        sidesOf(state, who).some((side) => holds(side === 'provider' ? 'deliver' : 'confirm'))
      );
    case 'FileReport':
      return holds('deliver', 'pay', 'sign', 'file');
    case 'VerifyDelivery':
      // An auditor's office has no power of the list.
      return hasRole(caller, 'auditor') || holds('confirm', 'deliver', 'sign');
    default:
      return true;
  }
};

/** What of need and offer says how visible a commitment is. */
export interface Labels {
  readonly needs: Pick<NeedReader, 'facts' | 'sight'>;
  readonly offers: Pick<OfferReader, 'facts' | 'sees'>;
}

/** The stricter of need body and offer, as they stand now. */
export const labelOf = async ({ needs, offers }: Labels, { needId, offerId }: CommitmentState): Promise<Visibility> => {
  const [need, offer] = await Promise.all([needs.facts(needId), offers.facts(offerId)]);
  return stricterVisibility(need?.visibility ?? 'sealed', offer?.visibility ?? 'sealed');
};

/** Hosting staff see no restricted payload, an auditor what its mandates open. */
const isMember = ({ anonymous, roles }: Caller): boolean =>
  !anonymous && !(roles.length > 0 && roles.every((role) => role === 'operator' || role === 'auditor'));

/**
 * Sides, agencies and signatories; whoever a transfer reached or delivered, who must be able to answer for it; the appointed verifier;
 * and an agency that a proposed amendment names.
 */
export const involvedIn = (state: CommitmentState): Set<string> =>
  new Set([
    ...partiesOf(state),
    ...state.reached,
    ...state.deliveries.map(({ party }) => party),
    ...(state.terms.verifier === undefined ? [] : [state.terms.verifier]),
    ...agenciesAsked(state),
  ]);

const isInvolved = (caller: Caller, state: CommitmentState): boolean =>
  isMember(caller) && (partiesOf(state).has(caller.party) || involvedIn(state).has(caller.party));

const covers = (caller: Caller, id: string, state: CommitmentState): Caller['mandates'] => {
  const parties = partiesOf(state);
  return caller.mandates.filter(
    (mandate) =>
      mandate.everything || mandate.records.has(id) || [...mandate.parties].some((party) => parties.has(party)),
  );
};

/** An audit mandate that reaches this commitment; a sealed one only by a mandate of one of its parties. */
const isMandated = async (labels: Labels, caller: Caller, id: string, state: CommitmentState): Promise<boolean> => {
  const mandates = covers(caller, id, state);
  if (mandates.length === 0) return false;
  const parties = partiesOf(state);
  if (mandates.some(({ sealed, appointedBy }) => sealed && parties.has(appointedBy))) return true;
  return mandates.some(({ sealed }) => !sealed) && (await labelOf(labels, state)) !== 'sealed';
};

const isAuditor = (caller: Caller, id: string, state: CommitmentState): boolean => covers(caller, id, state).length > 0;

/** Whether the caller sees the commitment: until it binds only those whom it concerns, then whoever sees need body and offer. */
export const seesCommitment = async (
  labels: Labels,
  caller: Caller,
  id: string,
  state: CommitmentState,
): Promise<boolean> => {
  if (isInvolved(caller, state) || hasRole(caller, 'coordinator')) return true;
  if (await isMandated(labels, caller, id, state)) return true;
  if (state.boundAt === undefined) return false;
  const [sight, sees] = await Promise.all([
    labels.needs.sight(state.needId, caller),
    labels.offers.sees(state.offerId, caller),
  ]);
  return sight.body && sees;
};

/** What a commitment is part of may be hidden from those who see it once it is bound: its parties know, and who reviews it. */
const knowsParent = (caller: Caller, state: CommitmentState): boolean =>
  isInvolved(caller, state) || hasRole(caller, 'coordinator');

type Reason = NonNullable<CommitmentState['reason']>;

const isSide = (caller: Caller, state: CommitmentState): boolean =>
  state.providers.includes(caller.party) || recipientsOf(state).includes(caller.party);

/** Declines and the like concern the two sides, the coordinator and auditors; a note only whom it is addressed to. */
const reasonFor = (
  caller: Caller,
  id: string,
  state: CommitmentState,
  { note, noteFor = 'other-side', ...reason }: Reason,
): object | undefined => {
  const side = isSide(caller, state);
  const coordinator = hasRole(caller, 'coordinator');
  const own = caller.party === reason.party;
  if (!side && !own && !coordinator && !isAuditor(caller, id, state)) return undefined;
  const addressed = own || isAuditor(caller, id, state) || (noteFor === 'coordinator' ? coordinator : side);
  return note === undefined || !addressed ? reason : { ...reason, note, noteFor };
};

const legView = ({
  amendment: _amendment,
  deliveredDrawn,
  deliveredCredited,
  confirmedDrawn,
  confirmedCredited,
  scope,
  ...leg
}: LegState): object => ({
  ...leg,
  ...(scope === undefined ? {} : { credited: { scope } }),
  valuation: leg.valuation ?? null,
  delivered: deliveredDrawn,
  confirmed: confirmedDrawn,
  deliveredCredited,
  confirmedCredited,
});

/** A part of a tranche in the measure that `like` is in. */
const inMeasure = (
  like: Quantity,
  whole: { readonly drawn: Quantity; readonly credited: Quantity } | undefined,
): Quantity => (whole === undefined ? zeroLike(like) : sameMeasure(like, whole.drawn) ? whole.drawn : whole.credited);

const confirmedIn = ({ quantity, confirmed }: DeliveryState): Quantity => {
  if (confirmed === undefined) return zeroLike(quantity);
  return confirmed.returned === undefined
    ? confirmed.quantity
    : minus(inMeasure(confirmed.quantity, confirmed), inMeasure(confirmed.quantity, confirmed.returned));
};

const confirmationView = ({
  drawn: _drawn,
  credited: _credited,
  returned: _returned,
  ...confirmation
}: NonNullable<DeliveryState['confirmed']>): object => confirmation;

const deliveryView = (state: DeliveryState): object => {
  const {
    sovereign: _sovereign,
    confirmed,
    dispute,
    returned,
    settlements,
    settled,
    verifications,
    ...delivery
  } = state;
  return {
    ...delivery,
    confirmedQuantity: confirmedIn(state),
    returnedQuantity: inMeasure(delivery.quantity, returned),
    ...(confirmed === undefined ? {} : { confirmation: confirmationView(confirmed) }),
    ...(dispute === undefined ? {} : { dispute }),
    ...(settled === undefined ? {} : { settled }),
    settlements: settlements ?? [],
    verifications: verifications ?? [],
    evidence: delivery.evidence ?? [],
  };
};

/** What an amendment is about, as the record shows legs. */
const changesView = ({ legs, ...changes }: AmendmentState['changes']): object => ({
  ...changes,
  ...(legs === undefined
    ? {}
    : { legs: legs.map(({ scope, ...leg }) => ({ ...leg, ...(scope === undefined ? {} : { credited: { scope } }) })) }),
});

const sum = (like: Quantity, quantities: readonly (Quantity | undefined)[]): Quantity =>
  quantities.reduce<Quantity>(
    (total, quantity) => (quantity === undefined ? total : add(total, quantity)),
    zeroLike(like),
  );

/** Both sides of a discrepancy: what was sent, what arrived, what charges explain, and what remains. */
const discrepancyView = (
  { transfers, receipts }: CommitmentState,
  { n, transfer, difference, sign, status, reason, statements, agreed }: DiscrepancyState,
): object => {
  const mine = receipts.filter((receipt) => receipt.transfer === transfer);
  const amount = transferOf({ transfers }, transfer)?.amount ?? zeroLike(difference);
  return {
    n,
    about: { transfer, receipts: mine.map((receipt) => receipt.n) },
    provider: amount,
    recipient: sum(
      difference,
      mine.map((receipt) => receipt.amount),
    ),
    charges: sum(
      difference,
      mine.map((receipt) => receipt.charges),
    ),
    difference,
    sign,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(statements === undefined ? {} : { statements }),
    ...(agreed === undefined ? {} : { agreed }),
  };
};

export interface Viewing {
  readonly caller: Caller;
  /** Server time, RFC 3339 UTC with milliseconds: an expired proposal offers no actions. */
  readonly at: string;
  /** The label it carries once it binds. */
  readonly label: Visibility;
}

/** The commands this caller may send now, by their names in URLs. */
const actionsFor = (caller: Caller, state: CommitmentState, at: string): string[] => {
  const allowed = new Set(actionsOf(state, whoIs(caller), at));
  return (Object.keys(COMMITMENT_RULES) as PartyCommandType[])
    .filter(
      (type) =>
        allowed.has(COMMITMENT_RULES[type].segment) &&
        hasAuthority(caller, COMMITMENT_ACCESS[type]) &&
        mayEver(caller, type, state),
    )
    .flatMap((type) =>
      type === 'ProposeAmendment' && hasDates(state) ? ['amend', 'extend'] : COMMITMENT_RULES[type].segment,
    );
};

/** Something that an extension can put off. */
const hasDates = ({ terms: { period, schedule, reports } }: CommitmentState): boolean =>
  period !== undefined || reports.length > 0 || schedule.some(({ on }) => on === 'date');

/** How the parts of a view are made. */
interface Making {
  /** Views of a list's elements. */
  each<T extends object>(name: string, list: readonly T[], view: (element: T) => object): readonly object[];
  accounts(state: CommitmentState): object;
  /** The view without the documents that are hidden. */
  withoutHidden(view: object, admits: AdmitsDocument): object;
}

const ONCE: Making = {
  each: (_name, list, view) => list.map(view),
  accounts: (state) => accountsView(state),
  withoutHidden,
};

/** Makes anew only what changed since it was last asked, so that what did not is the same object. */
class MakingAlong implements Making {
  private readonly kept = new Map<string, { readonly list: readonly object[]; readonly views: readonly object[] }>();
  private readonly inflows = new InflowBook();
  private accountsKept: { readonly of: CommitmentState; readonly view: object } | undefined;
  private readonly plain: PlainValues = new Set();
  private last: object | undefined;

  each<T extends object>(name: string, list: readonly T[], view: (element: T) => object): readonly object[] {
    const before = this.kept.get(name);
    if (before?.list === list) return before.views;
    const views = list.map((element, index) => {
      const known = before?.views[index];
      return known !== undefined && before?.list[index] === element ? known : view(element);
    });
    notePlain(views, before?.views, this.plain);
    this.kept.set(name, { list, views });
    return views;
  }

  accounts(state: CommitmentState): object {
    const before = this.accountsKept;
    const isSame =
      before !== undefined &&
      (['accounts', 'transfers', 'net', 'legs', 'refundsDue', 'providers', 'status', 'closedAs'] as const).every(
        (field) => before.of[field] === state[field],
      );
    if (isSame) return before.view;
    const view = accountsView(state, this.inflows);
    this.accountsKept = { of: state, view };
    return view;
  }

  withoutHidden(view: object, admits: AdmitsDocument): object {
    notePlain(view, this.last, this.plain);
    this.last = view;
    return withoutHidden(view, admits, this.plain);
  }
}

/** Past states of one commitment, one after the other, each as `commitmentView` shows it. */
export const pastCommitments = (viewing: Viewing, id: string): PastView<CommitmentState> => {
  const making = new MakingAlong();
  return {
    of: (state) => shown(viewing, id, state, making),
    actions: (state) => actionsFor(viewing.caller, state, viewing.at),
  };
};

/** The commitment as this caller sees it, but for `revision` (API.md, Commitments). Call where the caller sees it. */
export const commitmentView = (viewing: Viewing, id: string, state: CommitmentState): object => ({
  ...shown(viewing, id, state, ONCE),
  actions: actionsFor(viewing.caller, state, viewing.at),
});

const shown = ({ caller, at, label }: Viewing, id: string, state: CommitmentState, making: Making): object => {
  const reason = state.reason === undefined ? undefined : reasonFor(caller, id, state, state.reason);
  const view = {
    id,
    status: state.status,
    closedAs: state.closedAs ?? null,
    hold: state.hold,
    acceptance: state.acceptance,
    flags: [...(isDisputed(state) ? ['disputed'] : []), ...(state.suspensions.length > 0 ? ['suspended'] : [])],
    needId: state.needId,
    offerId: state.offerId,
    state: stateOfParty(state.beneficiaries[0] ?? '') ?? null,
    donor: state.providers[0] ?? null,
    proposedBy: state.proposedBy,
    side: state.side,
    providers: state.providers,
    beneficiaries: state.beneficiaries,
    implementer: state.implementer ?? null,
    fiscalAgent: state.fiscalAgent ?? null,
    ...(state.partOf === undefined || !knowsParent(caller, state) ? {} : { partOf: state.partOf }),
    proposedAt: state.proposedAt,
    expiresAt: state.expiresAt,
    boundAt: state.boundAt ?? null,
    // Before it binds it is for the parties it names, whatever need and offer are.
    visibility: state.boundAt === undefined ? 'named' : label,
    ...termsView(state, at),
    legs: making.each('legs', state.legs, legView),
    signatories: state.signatories,
    signatures: state.signatures,
    consents: state.consents,
    taskDeclines: state.taskDeclines.map(({ party, reason: given, at: when }) => ({
      party,
      ...masked(reasonFor(caller, id, state, { party, ...given })),
      at: when,
    })),
    deliveries: making.each('deliveries', state.deliveries, deliveryView),
    returns: state.returns,
    ...(isInsider(caller, id, state)
      ? { amendments: state.amendments.map((each) => amendmentView(caller, id, state, each)) }
      : {}),
    transfers: making.each('transfers', state.transfers, ({ tally: _tally, ...transfer }) => transfer),
    receipts: state.receipts,
    expenditures: making.each('expenditures', state.expenditures, ({ from, to, ...expenditure }) => ({
      ...expenditure,
      period: { from, to },
    })),
    ...making.accounts(state),
    discrepancies: state.discrepancies.map((discrepancy) => discrepancyView(state, discrepancy)),
    suspensions: state.suspensions.map(({ side, party, reason: given, at: when }) => ({
      side,
      party,
      ...masked(reasonFor(caller, id, state, { party, ...given })),
      at: when,
    })),
    ...(reason === undefined ? {} : { reason }),
    ...(state.refusal === undefined || !isInsider(caller, id, state) ? {} : { refusal: state.refusal }),
    ...(state.closeProposed === undefined ? {} : { closeProposed: state.closeProposed }),
    documents: state.documents,
  };
  return making.withoutHidden(view, documentsFor(caller, id, state));
};

/**
 * Who sees a document under a label of its own, of those who see the commitment: it only narrows. `named` are those whom the record
 * names, and who review it; `sealed` is its lister's, and an auditor's by the lister's own mandate.
 */
const documentsFor =
  (caller: Caller, id: string, state: CommitmentState): AdmitsDocument =>
  (label, lister) => {
    if (label === 'public') return true;
    const mandates = covers(caller, id, state);
    if (mandates.some(({ sealed, appointedBy }) => (sealed ? appointedBy === lister : label !== 'sealed'))) return true;
    if (isInvolved(caller, state) && (label !== 'sealed' || caller.party === lister)) return true;
    if (label === 'sealed') return false;
    return hasRole(caller, 'coordinator') || (label !== 'named' && isMember(caller));
  };

/** Proposals to change and the answers to them are for those whom proposals concern. */
const amendmentView = (
  caller: Caller,
  id: string,
  state: CommitmentState,
  { proposerSovereign: _sovereign, declined, changes, ...amendment }: AmendmentState,
): object => ({
  ...amendment,
  changes: changesView(changes),
  ...(declined === undefined
    ? {}
    : {
        declined: {
          party: declined.party,
          ...(declined.reason === undefined
            ? {}
            : masked(reasonWithout(reasonFor(caller, id, state, { party: declined.party, ...declined.reason })))),
        },
      }),
});

const masked = (reason: object | undefined): object => (reason === undefined ? {} : { reason });

/** Those whom proposals and the answers to them concern. */
const isInsider = (caller: Caller, id: string, state: CommitmentState): boolean =>
  isInvolved(caller, state) || hasRole(caller, 'coordinator') || isAuditor(caller, id, state);

/** One event of the history as this caller sees it; undefined where it may not know that it happened. */
export const commitmentEventFor = (
  caller: Caller,
  id: string,
  state: CommitmentState,
  event: RecordedEvent<CommitmentEvent>,
): object | undefined => {
  // The envelope keeps type and data apart; together they are one of our events.
  const { type, data } = event as unknown as CommitmentEvent;
  switch (type) {
    case 'CommitmentProposed': {
      const { partOf, ...rest } = data;
      const proposal = { ...rest, ...(partOf === undefined || !knowsParent(caller, state) ? {} : { partOf }) };
      return withoutEarmark(caller, id, state, proposal);
    }
    case 'HoldRefused':
    case 'AcceptanceRefused':
      return isInsider(caller, id, state) ? data : { code: data.code };
    case 'CommitmentDeclined':
    case 'CommitmentWithdrawn':
    case 'CommitmentCancelled': {
      const { party, reason } = data;
      const by = party === undefined ? {} : { party };
      return { ...by, ...masked(reasonWithout(reasonFor(caller, id, state, { ...by, ...reason }))) };
    }
    case 'CommitmentSuspended': {
      const { side, party, reason } = data;
      return { side, party, ...masked(reasonWithout(reasonFor(caller, id, state, { party, ...reason }))) };
    }
    case 'AmendmentProposed':
    case 'AmendmentAgreed':
    case 'AmendmentHeld':
    case 'AmendmentRefused':
    case 'AmendmentLapsed':
      return isInsider(caller, id, state) ? withoutEarmark(caller, id, state, data) : undefined;
    case 'AmendmentDeclined': {
      const { n, party, reason } = data;
      if (!isInsider(caller, id, state)) return undefined;
      return {
        n,
        party,
        ...(reason === undefined ? {} : masked(reasonWithout(reasonFor(caller, id, state, { party, ...reason })))),
      };
    }
    case 'TaskDeclined': {
      const { agency, reason } = data;
      return { agency, ...masked(reasonWithout(reasonFor(caller, id, state, { party: agency, ...reason }))) };
    }
    case 'DocumentAttached': {
      const shown = withoutHidden(data, documentsFor(caller, id, state));
      return 'document' in shown ? shown : undefined;
    }
    default:
      return withoutHidden(data, documentsFor(caller, id, state));
  }
};

/** What the earmark was judged on is the need's content, of which a proposal discloses only its lines. */
const withoutEarmark = (caller: Caller, id: string, state: CommitmentState, data: object): object => {
  if (recipientsOf(state).includes(caller.party) || hasRole(caller, 'coordinator') || isAuditor(caller, id, state)) {
    return data;
  }
  const { earmarkFacts: _earmarkFacts, ...rest } = data as { readonly earmarkFacts?: unknown };
  return rest;
};

const reasonWithout = (reason: object | undefined): object | undefined => {
  if (reason === undefined) return undefined;
  const { party: _party, ...rest } = reason as Reason;
  return rest;
};
