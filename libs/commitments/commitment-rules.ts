import type { LifeCycleRule, RecordedEvent, RuleRow } from '#kernel';
import { ruleAmong } from '#kernel';
import { BEFORE_BINDING, BOUND } from './commitment-state.js';
import type { CommitmentEvent } from './commitment.contract.js';
import type { CommitmentCommand, PartyCommandType } from './commitment.js';
import { COMMITMENT_RULES } from './commitment.js';

type CommandType = CommitmentCommand['type'];
type SystemCommandType = Exclude<CommandType, PartyCommandType | 'ProposeCommitment'>;

const TABLE = 'DOMAIN.md, Commitment';
const PROCESS = 'the process that carries the answers of offer and need';
const SIDE = 'either side';

interface Words {
  readonly by: string;
  /** What must hold beside status and caller; the row of the same command decides it. */
  readonly guard: string;
}

const OF_PARTIES: Readonly<Record<PartyCommandType, Words>> = {
  AcceptCommitment: {
    by: 'the other side, never the proposer’s sovereign (I4)',
    guard: 'the offer holds the capacity, the time limit has not passed; the need is then asked to reserve coverage',
  },
  DeclineCommitment: { by: 'the other side', guard: 'a coded reason; the hold is released' },
  WithdrawCommitment: { by: 'the proposer', guard: 'a coded reason; it is not binding yet' },
  ConsentTask: { by: 'the named implementer or fiscal agent', guard: 'one consent covers every role it is named for' },
  DeclineTask: { by: 'the named implementer or fiscal agent', guard: 'the sides then amend or withdraw' },
  SignCommitment: {
    by: 'each signatory, once',
    guard: 'it binds when all signatories have signed and every named agency has consented (I20)',
  },
  ProposeAmendment: { by: 'one side', guard: 'no other amendment is under way; nothing drops below what is delivered' },
  AcceptAmendment: { by: 'the other side', guard: 'within 30 days; newly named agencies have consented' },
  // Both are recorded as the amendment declined.
  DeclineAmendment: {
    by: 'the other side; the side that proposed it takes it back',
    guard: 'an amendment waits for its answer',
  },
  WithdrawAmendment: { by: 'the side that proposed it', guard: 'an amendment waits for its answer' },
  ReportTransfer: {
    by: 'the payer: a provider, or a party that money has reached',
    guard:
      'not dated after today; a holder passes on no more than it holds (I9), a provider pays no more than its money legs bind (I3)',
  },
  CorrectTransfer: {
    by: 'its reporter',
    guard: 'the other side has not answered it; the earlier figure stays visible',
  },
  ReportReceipt: {
    by: 'the holder that the transfer reached',
    guard: 'not dated after today; credited amount, rate and charges are stated',
  },
  CorrectReceipt: { by: 'its reporter', guard: 'the other side has not answered it; the earlier figure stays visible' },
  ReportExpenditure: { by: 'the holder of the money', guard: 'no more than it holds (I9)' },
  AcceptDiscrepancy: { by: 'the coordinator in charge', guard: 'a reason; the discrepancy is open' },
  SettleDiscrepancy: { by: 'both ends of the transfer', guard: 'it is settled when both state the same' },
  ReportDelivery: {
    by: 'the implementer or a provider',
    guard: 'reported less returned stays within what is committed (I3); not dated after today',
  },
  ConfirmDelivery: {
    by: 'the State, or the host for a shared tranche; never the deliverer’s sovereign (I4)',
    guard: 'no more than was reported; silence never confirms',
  },
  DisputeDelivery: { by: 'the State, or the host for a shared tranche', guard: 'a reason; the tranche is not settled' },
  VerifyDelivery: { by: 'the appointed verifier', guard: 'a third, separate fact' },
  StateSettlement: {
    by: 'both sides; the coordinator as mediator',
    guard: 'the tranche is disputed and not sent back whole; it is settled when both sides state the same',
  },
  ReportReturn: { by: 'a beneficiary or the implementer', guard: 'no more than was delivered of the tranche' },
  CorrectDelivery: {
    by: 'its reporter',
    guard: 'the other side has not answered it; the earlier figure stays visible',
  },
  SuspendCommitment: { by: SIDE, guard: 'a coded reason; it blocks transfers and deliveries, never reports' },
  ResumeCommitment: { by: 'the side that suspended it', guard: 'it is suspended by that side' },
  MeetCondition: { by: SIDE, guard: 'the condition is open' },
  WaiveCondition: { by: SIDE, guard: 'the condition is open' },
  FileReport: { by: 'the party that owes the report', guard: 'the report is due and not accepted yet' },
  AcceptReport: { by: 'the side it is owed to', guard: 'the report is filed' },
  ReturnReport: { by: 'the side it is owed to', guard: 'the report is filed; a reason' },
  WaiveReport: { by: 'the side it is owed to', guard: 'the report is neither accepted nor waived' },
  AttachDocument: {
    by: 'a party of the commitment, its verifier or the coordinator',
    guard: 'nothing more: a paper binds nobody',
  },
  CancelCommitment: { by: SIDE, guard: 'a coded reason; what is delivered stays counted (I8)' },
  CloseCommitment: {
    by: 'the coordinator in charge, or both sides',
    guard: 'discrepancies are settled or accepted, reports filed or waived, no amendment is under way',
  },
};

const OF_SYSTEM: Readonly<Record<SystemCommandType, Words & Pick<RuleRow, 'from' | 'principal'>>> = {
  LapseCommitment: {
    from: BEFORE_BINDING,
    principal: 'timer',
    by: 'the clock',
    guard: 'the time limit of the proposal has passed',
  },
  LapseAmendment: {
    from: [...BEFORE_BINDING, ...BOUND],
    principal: 'timer',
    by: 'the clock',
    guard: 'the amendment was not answered within its time limit',
  },
  CloseUnconfirmed: {
    from: ['delivered'],
    principal: 'timer',
    by: 'the clock',
    guard:
      '180 days have passed since the last tranche, nothing is disputed; unconfirmed is never counted as confirmed',
  },
  RecordHold: { from: ['proposed'], principal: 'process', by: PROCESS, guard: 'the offer holds the capacity' },
  RecordHoldRefusal: {
    from: ['proposed'],
    principal: 'process',
    by: PROCESS,
    guard: 'the offer refused to hold the capacity',
  },
  RecordAcceptance: { from: ['proposed'], principal: 'process', by: PROCESS, guard: 'the need reserved the coverage' },
  RecordAcceptanceRefusal: {
    from: ['proposed'],
    principal: 'process',
    by: PROCESS,
    guard: 'the need refused to reserve the coverage',
  },
  DeclineForClosure: { from: ['proposed'], principal: 'process', by: PROCESS, guard: 'need or offer is closed' },
  RecordAmendmentHold: {
    from: [...BEFORE_BINDING, ...BOUND],
    principal: 'process',
    by: PROCESS,
    guard: 'the offer holds what the amendment adds',
  },
  RecordAmendmentCoverage: {
    from: [...BEFORE_BINDING, ...BOUND],
    principal: 'process',
    by: PROCESS,
    guard: 'the need covers what the amendment adds',
  },
  RecordAmendmentRefusal: {
    from: [...BEFORE_BINDING, ...BOUND],
    principal: 'process',
    by: PROCESS,
    guard: 'offer or need refused what the amendment adds',
  },
};

/** By what each event may come to be. */
const COMMANDS_OF: Readonly<Record<CommitmentEvent['type'], readonly [CommandType, ...CommandType[]]>> = {
  CommitmentProposed: ['ProposeCommitment'],
  CommitmentHeld: ['RecordHold'],
  HoldRefused: ['RecordHoldRefusal'],
  AcceptanceGiven: ['AcceptCommitment'],
  CommitmentAccepted: ['RecordAcceptance'],
  AcceptanceRefused: ['RecordAcceptanceRefusal'],
  CommitmentDeclined: ['DeclineCommitment', 'DeclineForClosure'],
  CommitmentLapsed: ['LapseCommitment'],
  CommitmentWithdrawn: ['WithdrawCommitment'],
  TaskConsented: ['ConsentTask'],
  TaskDeclined: ['DeclineTask'],
  CommitmentSigned: ['SignCommitment'],
  CommitmentBound: ['SignCommitment', 'ConsentTask'],
  TransferReported: ['ReportTransfer'],
  ReceiptReported: ['ReportReceipt'],
  DeliveryReported: ['ReportDelivery'],
  DeliveryConfirmed: ['ConfirmDelivery'],
  DeliveryDisputed: ['DisputeDelivery'],
  DeliveryVerified: ['VerifyDelivery'],
  SettlementStated: ['StateSettlement'],
  DisputeSettled: ['StateSettlement'],
  ReturnReported: ['ReportReturn'],
  DeliveryCorrected: ['CorrectDelivery'],
  TransferCorrected: ['CorrectTransfer'],
  ReceiptCorrected: ['CorrectReceipt'],
  DiscrepancyAccepted: ['AcceptDiscrepancy'],
  DiscrepancySettlementStated: ['SettleDiscrepancy'],
  DiscrepancySettled: ['SettleDiscrepancy'],
  ExpenditureReported: ['ReportExpenditure'],
  AmendmentProposed: ['ProposeAmendment'],
  AmendmentAgreed: ['AcceptAmendment'],
  AmendmentDeclined: ['DeclineAmendment'],
  AmendmentLapsed: ['LapseAmendment'],
  AmendmentHeld: ['AcceptAmendment', 'RecordAmendmentHold'],
  AmendmentRefused: ['AcceptAmendment', 'DeclineTask', 'RecordAmendmentRefusal'],
  CommitmentAmended: ['AcceptAmendment', 'RecordAmendmentCoverage'],
  CommitmentSuspended: ['SuspendCommitment'],
  CommitmentResumed: ['ResumeCommitment'],
  ConditionMet: ['MeetCondition'],
  ConditionWaived: ['WaiveCondition'],
  ReportFiled: ['FileReport'],
  ReportAccepted: ['AcceptReport'],
  ReportReturned: ['ReturnReport'],
  ReportWaived: ['WaiveReport'],
  DocumentAttached: ['AttachDocument'],
  CommitmentCancelled: ['CancelCommitment'],
  CloseProposed: ['CloseCommitment'],
  CommitmentClosed: ['CloseCommitment', 'CloseUnconfirmed'],
};

const isOfParty = (command: CommandType): command is PartyCommandType => command in COMMITMENT_RULES;

const rowOf = (command: CommandType): RuleRow => {
  if (isOfParty(command)) {
    return { command, from: COMMITMENT_RULES[command].from, ...OF_PARTIES[command], source: TABLE, principal: 'party' };
  }
  if (command === 'ProposeCommitment') {
    const by = 'a provider of the offer, or the State or host of the need';
    const guard =
      'offer and need are open, and the offer’s earmark is satisfied; the offer is asked to hold the capacity';
    return { command, from: [], by, guard, source: TABLE, principal: 'party' };
  }
  return { command, ...OF_SYSTEM[command], source: TABLE };
};

/** An agency's own word; the other commands that the same events may come by are a side's. */
const isOfAgency = (command: CommandType): boolean => command === 'ConsentTask' || command === 'DeclineTask';

/** The rule that allowed an event of a commitment. */
export const commitmentRuleOf = (event: Pick<RecordedEvent<CommitmentEvent>, 'type' | 'metadata'>): LifeCycleRule => {
  const commands = COMMANDS_OF[event.type];
  const { role } = event.metadata.actor;
  const byAgency = role === 'implementer' || role === 'fiscal-agent';
  const [first = commands[0], ...others] = commands.some(isOfAgency)
    ? commands.filter((command) => !isOfParty(command) || isOfAgency(command) === byAgency)
    : commands;
  return ruleAmong([rowOf(first), ...others.map(rowOf)], event);
};
