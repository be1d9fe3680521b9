import type { LifeCycleRule, RecordedEvent, RuleRow } from '#kernel';
import { ruleAmong } from '#kernel';
import type { OfferEvent } from './offer.contract.js';
import type { DeskCommand, OfferCommand } from './offer.js';
import { DESK_COMMANDS } from './offer.js';

type CommandType = OfferCommand['type'];

const TABLE = 'DOMAIN.md, Offer';
const DESK = 'the desk of the (lead) provider';
const PROCESS = 'the process that carries what commitments decide';
const ALL = ['draft', 'open', 'suspended', 'closed'] as const;

/** What must hold beside status and caller; the decider decides it. */
const GUARDS: Readonly<Record<CommandType, string>> = {
  DraftOffer: 'every provider is registered, the lead first',
  PostOffer: 'at least one line has a determined capacity; the period ends after it starts, and in the future',
  AmendOffer: 'no capacity drops below what is held and committed; a narrower earmark never touches existing holds',
  SuspendOffer: 'nothing more: it blocks new proposals only',
  ResumeOffer: 'its period is not over',
  WithdrawOffer: 'nothing more: binding commitments survive (I17)',
  CompleteOffer: 'nothing more: binding commitments survive (I17)',
  ExpireOffer: 'its period is over; binding commitments survive (I17)',
  ReserveCapacity:
    'it is open, its earmark and minimum lots hold, and what is held and committed stays within every rival line (I1)',
  CommitCapacity: 'the commitment that holds it is binding',
  DeliverCapacity: 'the commitment reports the delivery, once, within what is committed',
  ReturnCapacity: 'a return was reported on the commitment, once',
  CorrectCapacity: 'the delivery was corrected or settled on the commitment',
  ReduceCapacity: 'an amendment of the commitment takes less: what was delivered stays',
  ReleaseCapacity: 'the commitment was left or declined: what was delivered stays',
  FreeAccess: 'the commitment that used the access is over',
};

const COMMANDS_OF: Readonly<Record<OfferEvent['type'], readonly [CommandType, ...CommandType[]]>> = {
  OfferDrafted: ['DraftOffer'],
  OfferPosted: ['PostOffer'],
  OfferAmended: ['AmendOffer'],
  OfferSuspended: ['SuspendOffer'],
  OfferResumed: ['ResumeOffer'],
  OfferWithdrawn: ['WithdrawOffer'],
  OfferCompleted: ['CompleteOffer'],
  OfferExpired: ['ExpireOffer'],
  CapacityReserved: ['ReserveCapacity'],
  CapacityRefused: ['ReserveCapacity'],
  CapacityCommitted: ['CommitCapacity'],
  CapacityDelivered: ['DeliverCapacity'],
  CapacityReleased: ['ReleaseCapacity', 'ReduceCapacity'],
  CapacityReturned: ['ReturnCapacity'],
  CapacityDeliveryCorrected: ['CorrectCapacity'],
  AccessFreed: ['FreeAccess'],
};

const isOfDesk = (command: CommandType): command is DeskCommand => command in DESK_COMMANDS;

const rowOf = (command: CommandType): RuleRow => {
  const row = { command, guard: GUARDS[command], source: TABLE };
  if (isOfDesk(command)) return { ...row, from: DESK_COMMANDS[command].from, by: DESK, principal: 'party' };
  if (command === 'DraftOffer') {
    const by = `${DESK}; or the process that drafts what a party claims of a publication`;
    return { ...row, from: [], by, principal: 'party' };
  }
  if (command === 'ExpireOffer') return { ...row, from: ['open', 'suspended'], by: 'the clock', principal: 'timer' };
  // A reservation asked of an offer that is not open is answered by an event; what was bound outlives the offer.
  return { ...row, from: ALL, by: PROCESS, principal: 'process' };
};

/** The rule that allowed an event of an offer. */
export const offerRuleOf = ({ type, data, metadata }: RecordedEvent<OfferEvent>): LifeCycleRule => {
  const [first, ...others] = COMMANDS_OF[type];
  // Only a reduction says which amendment took the part back.
  const chosen = type === 'CapacityReleased' && 'by' in data ? others : [first, ...others];
  const [row = rowOf(first), ...rows] = chosen.map(rowOf);
  return ruleAmong([row, ...rows], { metadata });
};
