import type { Caller } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import { hasRole } from '#directory/contract';
import type { Quantity } from '#vocabulary';
import { isDeterminate, isUnlimited, quantityOf } from '#vocabulary';
import type { CommandAccess } from '#web';
import { hasAuthority } from '#web';
import type { OfferContent, OfferEvent, OfferLine, OfferReason } from './offer.contract.js';
import type { DeskCommand, OfferSummary } from './offer.js';
import {
  allowsDeskCommand,
  deskRoleOf,
  DESK_COMMAND_TYPES,
  DESK_ROLES,
  figuresOf,
  isExhausted,
  providersOf,
  restOf,
} from './offer.js';
import type { Bonds, OfferLabel } from './offer-sight.js';
import { isMandated, seesOffer } from './offer-sight.js';

/** Name of each command of the desk in URLs and in `actions`. */
const COMMAND_NAMES: Readonly<Record<DeskCommand, string>> = {
  PostOffer: 'post',
  AmendOffer: 'amend',
  SuspendOffer: 'suspend',
  ResumeOffer: 'resume',
  WithdrawOffer: 'withdraw',
  CompleteOffer: 'complete',
};

/** Who may send a command of an offer at all. */
export const accessTo = (command: DeskCommand | 'DraftOffer'): CommandAccess => ({
  action: `offer.${command === 'DraftOffer' ? 'post' : COMMAND_NAMES[command]}`,
  roles: DESK_ROLES,
  power: 'offer',
});

const isOwner = (caller: Caller, { provider }: Pick<OfferSummary, 'provider'>): boolean =>
  !caller.anonymous && caller.party === provider;

/** True where the caller acts for the desk of the provider. */
export const isDesk = (caller: Caller, summary: Pick<OfferSummary, 'provider'>): boolean => {
  const role = deskRoleOf(summary.provider);
  return isOwner(caller, summary) && role !== undefined && hasRole(caller, role);
};

const isProvider = (caller: Caller, { providers }: OfferLabel): boolean =>
  !caller.anonymous && providers.includes(caller.party);

export const labelOf = (id: string, summary: OfferSummary): OfferLabel => ({
  id,
  provider: summary.provider,
  providers: providersOf(summary),
  draft: summary.status === 'draft',
  visibility: summary.content.visibility,
  named: summary.content.named,
});

type Documents = NonNullable<OfferContent['documents']>;

/** Documents may carry a label of their own, stricter than the offer's. */
const documentsFor = (caller: Caller, label: OfferLabel, bonds: Bonds, documents: Documents): Documents =>
  documents.filter(({ label: visibility = label.visibility }) => seesOffer(caller, { ...label, visibility }, bonds));

const contentFor = (
  caller: Caller,
  label: OfferLabel,
  bonds: Bonds,
  { named, documents, ...content }: Partial<OfferContent>,
): object => ({
  ...content,
  ...(documents === undefined ? {} : { documents: documentsFor(caller, label, bonds, documents) }),
  // Who else was told is the providers' business.
  ...(named !== undefined && isProvider(caller, label) ? { named } : {}),
});

type Figure = Quantity | 'not-measurable';

/** A line with what stands on it: capacity = available + held + committed + expired; delivered is part of committed. */
const lineFor = (summary: OfferSummary, line: OfferLine): object => {
  const { held, committed, delivered } = figuresOf(summary, line.line);
  const { capacity } = line;
  const of = (minor: bigint): Figure => (isDeterminate(capacity) ? quantityOf(capacity, minor) : 'not-measurable');
  const closed = summary.status === 'closed';
  // Unlimited access is never used up: what is left of it is the capacity itself.
  const rest = isUnlimited(capacity)
    ? capacity
    : isDeterminate(capacity)
      ? of(restOf(summary, line))
      : 'not-measurable';
  return {
    ...line,
    held: of(held),
    committed: of(committed),
    delivered: of(delivered),
    available: closed ? of(0n) : rest,
    ...(closed ? { expired: rest } : {}),
  };
};

/** The commands of the desk that this caller may send now. */
const actionsFor = (caller: Caller, summary: OfferSummary): readonly string[] =>
  isDesk(caller, summary)
    ? DESK_COMMAND_TYPES.filter(
        (command) => allowsDeskCommand(summary.status, command) && hasAuthority(caller, accessTo(command)),
      ).map((command) => COMMAND_NAMES[command])
    : [];

/** The offer as this caller sees it, but for `revision`: the same for `GET` of one and for lists. */
export const offerView = (caller: Caller, id: string, summary: OfferSummary, bonds: Bonds): object => {
  const { provider, status, closedAs, claimedFrom, content } = summary;
  const { lines, providers: _, ...rest } = content;
  return {
    id,
    donor: provider,
    providers: content.providers ?? [{ party: provider }],
    status,
    closedAs: closedAs ?? null,
    exhausted: isExhausted(summary),
    ...contentFor(caller, labelOf(id, summary), bonds, rest),
    lines: lines.map((line) => lineFor(summary, line)),
    ...(claimedFrom !== undefined && isOwner(caller, summary) ? { claimedFrom } : {}),
    actions: actionsFor(caller, summary),
  };
};

/** A past state to who sees the offer: who else was told is for who is a provider still, a document for whom its label admits now, too. */
export const pastOfferView = (
  caller: Caller,
  id: string,
  then: OfferSummary,
  now: OfferSummary,
  bonds: Bonds,
): object => {
  const { named, documents, ...view } = offerView(caller, id, then, bonds) as {
    readonly named?: readonly string[];
    readonly documents?: Documents;
  };
  const label = labelOf(id, now);
  return {
    ...view,
    ...(documents === undefined ? {} : { documents: documentsFor(caller, label, bonds, documents) }),
    ...(named !== undefined && isProvider(caller, label) ? { named } : {}),
  };
};

/** Whether the caller may know which commitment moved an offer's capacity. */
export type KnowsCommitment = (commitment: string) => boolean;

/**
 * One event of an offer's history as this caller sees it; undefined keeps only its place. What was written before posting is the owner's.
 * Capacity moves without naming a commitment that is hidden; a refusal, which has no quantity, is not shown.
 */
export const offerEventFor = (
  caller: Caller,
  id: string,
  summary: OfferSummary,
  bonds: Bonds,
  event: RecordedEvent<OfferEvent>,
  knows: KnowsCommitment,
): object | undefined => {
  const label = labelOf(id, summary);
  const owner = isOwner(caller, summary);
  const party = isProvider(caller, label) || hasRole(caller, 'coordinator');
  if (!owner && (summary.posted === undefined || event.revision < summary.posted)) return undefined;
  // The envelope keeps type and data apart; together they are one of our events.
  const { type, data } = event as unknown as OfferEvent;
  switch (type) {
    case 'OfferDrafted':
    case 'OfferPosted':
      return { ...data, content: contentFor(caller, label, bonds, data.content) };
    case 'OfferAmended':
      return { changes: contentFor(caller, label, bonds, data.changes) };
    case 'OfferSuspended':
    case 'OfferWithdrawn':
      return data.reason === undefined ? {} : { reason: reasonFor(caller, label, data.reason, bonds) };
    case 'CapacityRefused':
      return party || knows(data.commitment) ? data : undefined;
    case 'CapacityReserved':
    case 'CapacityCommitted':
    case 'CapacityDelivered':
    case 'CapacityReturned':
    case 'CapacityDeliveryCorrected':
    case 'AccessFreed':
    case 'CapacityReleased': {
      const { line, quantity } = data;
      if (party || knows(data.commitment)) return data;
      return { ...(line === undefined ? {} : { line }), ...(quantity === undefined ? {} : { quantity }) };
    }
    default:
      return data;
  }
};

/** A note is for the providers, for auditors, and for whom it is addressed to: the other side or the coordinator, never both. */
const reasonFor = (
  caller: Caller,
  label: OfferLabel,
  { code, note, noteFor = 'other-side' }: OfferReason,
  { party }: Bonds,
): object =>
  note !== undefined &&
  (isProvider(caller, label) ||
    isMandated(caller, label) ||
    (noteFor === 'coordinator' ? hasRole(caller, 'coordinator') : party))
    ? { code, note, noteFor }
    : { code };
