import type { CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse, SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { OfferOutcome, Quantity, Role } from '#vocabulary';
import {
  formatQuantity,
  isDeterminate,
  isRival,
  isUnlimited,
  minorUnits,
  periodEnd,
  quantityOf,
  sameMeasure,
} from '#vocabulary';
import type { Account, LegAccount, Ledger, LineFigures, Take } from './capacity.js';
import {
  amendmentMark,
  committedOf,
  deliveredOf,
  drawnOn,
  entryOf,
  isCapacityType,
  NOTHING,
  returnMark,
  takeCapacity,
  takenOf,
  takeOf,
  trancheOf,
  withEntry,
} from './capacity.js';
import type { CapacityEvent } from './capacity.js';
import type { EarmarkedNeed } from './earmark.js';
import { earmarkReasons } from './earmark.js';
import type {
  CapacityKey,
  CapacityRefusalCode,
  OfferContent,
  OfferEvent,
  OfferLine,
  OfferReason,
} from './offer.contract.js';

export type OfferStatus = 'draft' | 'open' | 'suspended' | 'closed';

export type OfferRejectionCode =
  | 'forbidden'
  | 'not-found'
  | 'already-exists'
  | 'unknown-provider'
  | 'offer-not-draft'
  | 'offer-not-open'
  | 'offer-not-suspended'
  | 'offer-incomplete'
  | 'no-determined-capacity'
  | 'period-backwards'
  | 'period-over'
  | 'unknown-line'
  | 'line-in-use'
  | 'capacity-in-use'
  | 'not-due'
  | 'not-reserved'
  | 'not-committed'
  | 'over-committed';
export type OfferRejection = Rejection<OfferRejectionCode>;

/** What a reader needs of an offer: everything but who holds which part of it. */
export interface OfferSummary {
  readonly provider: string;
  readonly status: OfferStatus;
  readonly closedAs?: OfferOutcome;
  readonly claimedFrom?: string;
  /** Revision of its posting: what stands before it is the draft, which is the owner's alone. */
  readonly posted?: number;
  readonly content: OfferContent;
  /** Highest line number ever given: numbers are not used again. */
  readonly lastLine: number;
  readonly figures: ReadonlyMap<number, LineFigures>;
}

export interface OfferState {
  /** Absent: the offer does not exist. */
  readonly summary?: OfferSummary;
  /** What each commitment took. */
  readonly accounts: Ledger<Account>;
  /** Amendments (0: the proposal) whose reservation was refused, by commitment. */
  readonly refusals: Ledger<readonly number[]>;
}

/** A line as an amendment gives it: without a number it is a new one. */
type AmendedLine = Omit<OfferLine, 'line'> & { readonly line?: number };
export type OfferChanges = Partial<Omit<OfferContent, 'lines'>> & { readonly lines?: readonly AmendedLine[] };

interface ReservedLeg {
  readonly leg: number;
  readonly line: number;
  readonly needLine: number;
  /** In the offer line's measure. */
  readonly quantity: Quantity;
}

/** A leg by what it is keyed with beside its commitment. */
export type LegKey = Pick<CapacityKey, 'leg' | 'amendment'>;

/** Providers named beside the lead that are not registered: a fact of the directory. */
interface NamedProviders {
  readonly unknownProviders?: readonly string[];
}

/** What of one leg an amendment takes back. */
interface ReducedLeg {
  readonly leg: number;
  readonly quantity: Quantity;
}

export type OfferCommand = { readonly by: CommandContext } & (
  | ({
      readonly type: 'DraftOffer';
      readonly content: OfferContent;
      /** The reported record whose claim makes this draft. */
      readonly claimedFrom?: string;
    } & NamedProviders)
  /** `content` where it is posted directly; absent from a draft. */
  | ({ readonly type: 'PostOffer'; readonly content?: OfferContent } & NamedProviders)
  | ({ readonly type: 'AmendOffer'; readonly changes: OfferChanges } & NamedProviders)
  | { readonly type: 'SuspendOffer'; readonly reason?: OfferReason }
  | { readonly type: 'ResumeOffer' }
  | { readonly type: 'WithdrawOffer'; readonly reason?: OfferReason }
  | { readonly type: 'CompleteOffer' }
  | { readonly type: 'ExpireOffer' }
  | {
      readonly type: 'ReserveCapacity';
      readonly commitment: string;
      readonly amendment: number;
      /** With an amendment: what it adds. */
      readonly legs: readonly ReservedLeg[];
      /** The earmark is judged on the facts of the proposal, or of the agreed amendment. */
      readonly facts: EarmarkedNeed;
      /** With an amendment that also takes back: what the commitment draws on each line once it takes effect. */
      readonly draws?: readonly { readonly line: number; readonly quantity: Quantity }[];
    }
  | { readonly type: 'CommitCapacity'; readonly commitment: string; readonly legs: readonly LegKey[] }
  | {
      readonly type: 'DeliverCapacity';
      readonly key: CapacityKey;
      readonly delivery: number;
      /** The tranche in the offer line's measure. */
      readonly quantity: Quantity;
    }
  | {
      readonly type: 'ReturnCapacity';
      readonly key: CapacityKey;
      readonly delivery: number;
      readonly return: number;
      /** What came back, in the offer line's measure. */
      readonly quantity: Quantity;
    }
  /** The tranche is now of this size, whatever came back of it. */
  | {
      readonly type: 'CorrectCapacity';
      readonly key: CapacityKey;
      readonly delivery: number;
      readonly quantity: Quantity;
      readonly asked: string;
    }
  /** Takes back what an amendment that took effect leaves out, newest first; the rest stays. */
  | {
      readonly type: 'ReduceCapacity';
      readonly commitment: string;
      readonly amendment: number;
      readonly legs: readonly ReducedLeg[];
    }
  /** Frees what these legs took and did not deliver. */
  | { readonly type: 'ReleaseCapacity'; readonly commitment: string; readonly legs: readonly LegKey[] }
  /** Gives back the uses of access lines that these legs took: the commitment is confirmed or left. */
  | { readonly type: 'FreeAccess'; readonly commitment: string; readonly legs: readonly LegKey[] }
);
type CommandOf<T extends OfferCommand['type']> = Extract<OfferCommand, { type: T }>;
type OfferDecision = Decision<OfferEvent, OfferRejection>;

/** Commands of the provider's desk on an offer that exists: from which states, and what refuses them in others. */
export const DESK_COMMANDS = {
  PostOffer: { from: ['draft'], otherwise: 'offer-not-draft', asks: 'a draft' },
  // A draft too: a claimed one may lack what posting asks for.
  AmendOffer: { from: ['draft', 'open', 'suspended'], otherwise: 'offer-not-open', asks: 'a draft, open or suspended' },
  SuspendOffer: { from: ['open'], otherwise: 'offer-not-open', asks: 'open' },
  ResumeOffer: { from: ['suspended'], otherwise: 'offer-not-suspended', asks: 'suspended' },
  WithdrawOffer: { from: ['open', 'suspended'], otherwise: 'offer-not-open', asks: 'open or suspended' },
  CompleteOffer: { from: ['open', 'suspended'], otherwise: 'offer-not-open', asks: 'open or suspended' },
} as const satisfies Partial<
  Record<
    OfferCommand['type'],
    { readonly from: readonly OfferStatus[]; readonly otherwise: OfferRejectionCode; readonly asks: string }
  >
>;
export type DeskCommand = keyof typeof DESK_COMMANDS;
export const DESK_COMMAND_TYPES = Object.keys(DESK_COMMANDS) as readonly DeskCommand[];

/** Roles that may act as the desk of some provider (403 for all others, before any record is read). */
export const DESK_ROLES: readonly Role[] = ['donor-desk', 'implementer', 'network-host'];

/** The role that is the desk of this provider; a State's own offices never post offers (DOMAIN, roles). */
export const deskRoleOf = (provider: string): Role | undefined => {
  switch (provider.slice(0, provider.indexOf(':'))) {
    case 'donor':
    case 'fund':
    case 'state':
      return 'donor-desk';
    case 'agency':
      return 'implementer';
    case 'network':
      return 'network-host';
    default:
      return undefined;
  }
};

/** True where the lifecycle allows this command of the desk now. */
export const allowsDeskCommand = (status: OfferStatus, command: DeskCommand): boolean =>
  (DESK_COMMANDS[command].from as readonly OfferStatus[]).includes(status);

/** True where this party in this role is the desk of the offer. */
const isDeskOf = (summary: Pick<OfferSummary, 'provider'>, party: string, role: string): boolean =>
  party === summary.provider && role === deskRoleOf(summary.provider);

export const figuresOf = (summary: Pick<OfferSummary, 'figures'>, line: number): LineFigures =>
  summary.figures.get(line) ?? NOTHING;

/** What of a rival line is neither held nor committed, in minor units. */
export const restOf = (summary: Pick<OfferSummary, 'figures'>, { line, capacity }: OfferLine): bigint => {
  const { held, committed } = figuresOf(summary, line);
  return minorUnits(capacity) - held - committed;
};

/** Derived: nothing is left of any rival line, and no line is unlimited. */
export const isExhausted = (summary: Pick<OfferSummary, 'figures' | 'content'>): boolean => {
  const { lines } = summary.content;
  if (lines.some(({ capacity }) => isUnlimited(capacity))) return false;
  const rival = lines.filter(({ capacity }) => isRival(capacity));
  return rival.length > 0 && rival.every((line) => restOf(summary, line) === 0n);
};

/** When the offer's period is over, RFC 3339; undefined where it has no end. */
export const endOf = ({ period }: Pick<OfferContent, 'period'>): string | undefined =>
  period?.to === undefined ? undefined : periodEnd(period.to);

/** Every provider of an offer, the lead first. */
export const providersOf = ({ provider, content }: Pick<OfferSummary, 'provider' | 'content'>): readonly string[] =>
  content.providers?.map(({ party }) => party) ?? [provider];

/** The smallest lot of a line in minor units; undefined where it has none. */
export const minimumLotOf = ({ capacity, minimumLot }: OfferLine): bigint | undefined =>
  minimumLot === undefined || !isDeterminate(capacity) ? undefined : minorUnits({ ...capacity, amount: minimumLot });

const accountOf = (state: Pick<OfferState, 'accounts'>, commitment: string): Account =>
  entryOf(state.accounts, commitment) ?? {};

/** What a leg of a commitment took of the offer; undefined where it never came. */
export const legOf = (
  state: Pick<OfferState, 'accounts'>,
  { commitment, leg }: Pick<CapacityKey, 'commitment' | 'leg'>,
): LegAccount | undefined => accountOf(state, commitment)[leg];

/** What `key` took of the offer; undefined where it never came. */
export const reservationOf = (state: Pick<OfferState, 'accounts'>, key: CapacityKey): Take | undefined =>
  takeOf(legOf(state, key), key.amendment);

const INITIAL: OfferState = { accounts: new Map(), refusals: new Map() };

/** The summary after a capacity event changed the figures of `line`. */
export const withFigures = (summary: OfferSummary, line: number, change: LineFigures): OfferSummary => {
  const { held, committed, delivered } = figuresOf(summary, line);
  const figures = new Map(summary.figures).set(line, {
    held: held + change.held,
    committed: committed + change.committed,
    delivered: delivered + change.delivered,
  });
  return { ...summary, figures };
};

const lastLineOf = (lines: readonly OfferLine[]): number => lines.reduce((last, { line }) => Math.max(last, line), 0);

/** The summary after an event that is not about capacity; unchanged where the event says nothing to it. */
export const withLifecycle = (
  summary: OfferSummary | undefined,
  event: { readonly type: string; readonly data: object; readonly revision: number },
): OfferSummary | undefined => {
  // Narrowed here: a stream may hold types that this code does not know.
  const { type, data } = event as unknown as OfferEvent;
  if (type === 'OfferDrafted' || type === 'OfferPosted') {
    return {
      ...(type === 'OfferDrafted' && data.claimedFrom !== undefined ? { claimedFrom: data.claimedFrom } : {}),
      figures: new Map(),
      ...summary,
      provider: data.provider,
      ...(type === 'OfferDrafted' ? { status: 'draft' } : { status: 'open', posted: event.revision }),
      content: data.content,
      lastLine: Math.max(summary?.lastLine ?? 0, lastLineOf(data.content.lines)),
    };
  }
  if (summary === undefined) return undefined;
  switch (type) {
    case 'OfferAmended': {
      const content = { ...summary.content, ...data.changes };
      return { ...summary, content, lastLine: Math.max(summary.lastLine, lastLineOf(content.lines)) };
    }
    case 'OfferSuspended':
      return { ...summary, status: 'suspended' };
    case 'OfferResumed':
      return { ...summary, status: 'open' };
    case 'OfferWithdrawn':
      return { ...summary, status: 'closed', closedAs: 'withdrawn' };
    case 'OfferCompleted':
      return { ...summary, status: 'closed', closedAs: 'completed' };
    case 'OfferExpired':
      return { ...summary, status: 'closed', closedAs: 'expired' };
    default:
      return summary;
  }
};

const evolve = (state: OfferState, event: RecordedEvent<OfferEvent>): OfferState => {
  if (isCapacityType(event.type)) return afterCapacity(state, event as unknown as CapacityEvent);
  // The envelope keeps type and data apart; together they are one of our events.
  const fact = event as unknown as OfferEvent;
  if (fact.type === 'CapacityRefused') {
    const { commitment, amendment } = fact.data;
    const refused = [...(entryOf(state.refusals, commitment) ?? []), amendment];
    return { ...state, refusals: withEntry(state.refusals, commitment, refused) };
  }
  const summary = withLifecycle(state.summary, event);
  return summary === state.summary || summary === undefined ? state : { ...state, summary };
};

const afterCapacity = (state: OfferState, event: CapacityEvent): OfferState => {
  if (state.summary === undefined) return state;
  const { commitment } = event.data;
  const { leg, change } = takeCapacity(legOf(state, event.data), event);
  return {
    ...state,
    // A release that overtook its reservation knows no line and changes no figure.
    summary: leg.line === 0 ? state.summary : withFigures(state.summary, leg.line, change),
    accounts: withEntry(state.accounts, commitment, { ...accountOf(state, commitment), [event.data.leg]: leg }),
  };
};

const decide = (command: OfferCommand, state: OfferState): OfferDecision => {
  switch (command.type) {
    case 'DraftOffer':
      return draft(command, state);
    case 'PostOffer':
      return state.summary === undefined ? postNew(command) : byDesk(command, state.summary);
    case 'AmendOffer':
    case 'SuspendOffer':
    case 'ResumeOffer':
    case 'WithdrawOffer':
    case 'CompleteOffer':
      return state.summary === undefined ? absent() : byDesk(command, state.summary);
    case 'ExpireOffer':
      if (command.by.actor.party !== SYSTEM_TIMER.party) return forbidden('Only the timer lets an offer expire.');
      return state.summary === undefined ? absent() : expire(command, state.summary);
    default:
      if (command.by.actor.party !== SYSTEM_PROCESS.party) {
        return forbidden('Capacity moves only with the commitments on the offer.');
      }
      return state.summary === undefined ? absent() : capacity(command, { ...state, summary: state.summary });
  }
};

const forbidden = (detail: string): OfferDecision => refuse('forbidden', detail);
const absent = (): OfferDecision => refuse('not-found', 'There is no such offer.');

const draft = (command: CommandOf<'DraftOffer'>, { summary }: OfferState): OfferDecision => {
  const { by, content, claimedFrom } = command;
  const { party, role } = by.actor;
  if (!isDeskOf({ provider: party }, party, role)) return notADesk();
  if (summary !== undefined) {
    return claimedFrom !== undefined && summary.claimedFrom === claimedFrom && summary.provider === party
      ? accept()
      : refuse('already-exists', 'An offer with this id exists already.');
  }
  return (
    providersRefusal(command, party, content) ??
    accept({
      type: 'OfferDrafted',
      data: { provider: party, ...(claimedFrom === undefined ? {} : { claimedFrom }), content },
    })
  );
};

/** Why these providers cannot make this offer; undefined where they can. */
const providersRefusal = (
  { unknownProviders: [unknown] = [] }: NamedProviders,
  lead: string,
  { providers }: Partial<OfferContent>,
): OfferDecision | undefined => {
  if (unknown !== undefined) return refuse('unknown-provider', `${unknown} is not a registered party.`, 'providers');
  return providers !== undefined && providers[0]?.party !== lead
    ? forbidden(`The lead of the providers is ${lead}, who posts the offer: it comes first.`)
    : undefined;
};
const notADesk = (): OfferDecision =>
  forbidden(
    'Offers are posted by the desk of their provider: a donor desk for a donor, fund or State, an agency for itself, a host for its network.',
  );

const postNew = (command: CommandOf<'PostOffer'>): OfferDecision => {
  const { by, content } = command;
  const { party, role } = by.actor;
  if (!isDeskOf({ provider: party }, party, role)) return notADesk();
  if (content === undefined) return absent();
  return providersRefusal(command, party, content) ?? post(by, party, content);
};

const post = ({ at }: CommandContext, provider: string, content: OfferContent): OfferDecision =>
  standingRefusal(at, content) ?? accept({ type: 'OfferPosted', data: { provider, content } });

/** What an offer that is not a draft must always hold; undefined where it does. */
const standingRefusal = (at: string, content: OfferContent): OfferDecision | undefined => {
  if (content.title.trim() === '') return refuse('offer-incomplete', 'Give the offer a title.', 'title');
  if (!content.lines.some(({ capacity }) => isDeterminate(capacity))) {
    return refuse('no-determined-capacity', 'Give at least one line with a determined capacity.', 'lines');
  }
  const { from, to } = content.period ?? {};
  if (from !== undefined && to !== undefined && from > to) {
    return refuse('period-backwards', `The period ends (${to}) before it starts (${from}).`, 'period.to');
  }
  if (isOver(at, content)) {
    return refuse('period-over', `The period has ended; it is ${at}: give one that ends later.`, 'period.to');
  }
  return undefined;
};

const isOver = (at: string, content: OfferContent): boolean => {
  const end = endOf(content);
  return end !== undefined && at >= end;
};

const byDesk = (command: CommandOf<DeskCommand>, summary: OfferSummary): OfferDecision => {
  const { actor, at } = command.by;
  if (!isDeskOf(summary, actor.party, actor.role))
    return forbidden(`Only the desk of ${summary.provider} may do this.`);
  const { otherwise, asks } = DESK_COMMANDS[command.type];
  if (!allowsDeskCommand(summary.status, command.type)) {
    return refuse(otherwise, `The offer is ${summary.closedAs ?? summary.status}; it would have to be ${asks}.`);
  }
  switch (command.type) {
    case 'PostOffer':
      // Content given for an offer that exists would be an amendment in disguise.
      return command.content === undefined
        ? (providersRefusal(command, summary.provider, summary.content) ??
            post(command.by, summary.provider, summary.content))
        : refuse('already-exists', 'An offer with this id exists already.');
    case 'AmendOffer':
      return amend(command, summary);
    case 'SuspendOffer':
      return accept({ type: 'OfferSuspended', data: given(command.reason) });
    case 'ResumeOffer':
      return isOver(at, summary.content)
        ? refuse('period-over', 'The period of the offer has ended: amend it first.')
        : accept({ type: 'OfferResumed', data: {} });
    case 'WithdrawOffer':
      return accept({ type: 'OfferWithdrawn', data: given(command.reason) });
    case 'CompleteOffer':
      return accept({ type: 'OfferCompleted', data: {} });
  }
};

const given = (reason: OfferReason | undefined): { readonly reason?: OfferReason } =>
  reason === undefined ? {} : { reason };

const amend = (command: CommandOf<'AmendOffer'>, summary: OfferSummary): OfferDecision => {
  const { by } = command;
  const { lines: amendedLines, ...rest } = command.changes;
  const refused = providersRefusal(command, summary.provider, rest);
  if (refused !== undefined) return refused;
  const numbered = amendedLines === undefined ? undefined : numberLines(amendedLines, summary);
  if (numbered !== undefined && !Array.isArray(numbered)) return numbered;
  const { providers, ...others } = rest;
  // The lead by itself is what an offer without providers says already.
  const alone = summary.content.providers === undefined && providers?.length === 1 && providers[0]?.share === undefined;
  const changes: Partial<OfferContent> = {
    ...others,
    ...(providers === undefined || alone ? {} : { providers }),
    ...(numbered === undefined ? {} : { lines: numbered }),
  };
  const content = { ...summary.content, ...changes };
  if (canonicalJson(content) === canonicalJson(summary.content)) return accept();
  const refusal =
    linesRefusal(content.lines, summary) ?? (summary.status === 'draft' ? undefined : standingRefusal(by.at, content));
  return refusal ?? accept({ type: 'OfferAmended', data: { changes } });
};

/**
 * Numbers the lines of an amendment: as told, or, where none is told, in the order in which the lines stand; what is over is new.
 */
const numberLines = (lines: readonly AmendedLine[], summary: OfferSummary): OfferLine[] | OfferDecision => {
  const known = summary.content.lines.map(({ line }) => line);
  const told = lines.flatMap(({ line }) => (line === undefined ? [] : [line]));
  const strange = told.find((line) => !known.includes(line));
  if (strange !== undefined) {
    return refuse('unknown-line', `The offer has no line ${strange}; leave the number out for a new line.`, 'lines');
  }
  if (new Set(told).size < told.length) return refuse('unknown-line', 'A line is amended twice.', 'lines');
  const inOrder = told.length === 0 ? known : [];
  let last = summary.lastLine;
  return lines.map(({ line, ...content }, index) => ({ line: line ?? inOrder[index] ?? (last += 1), ...content }));
};

const linesRefusal = (lines: readonly OfferLine[], summary: OfferSummary): OfferDecision | undefined => {
  for (const before of summary.content.lines) {
    const { held, committed } = figuresOf(summary, before.line);
    const taken = held + committed;
    if (taken === 0n) continue;
    const after = lines.find(({ line }) => line === before.line);
    if (after === undefined) {
      return refuse('line-in-use', `Line ${before.line} is held or committed and cannot go.`, 'lines');
    }
    if (!sameMeasure(after.capacity, before.capacity)) {
      return refuse('line-in-use', `Line ${before.line} is held or committed and keeps its measure.`, 'lines');
    }
    if (!isUnlimited(after.capacity) && minorUnits(after.capacity) < taken) {
      return refuse(
        'capacity-in-use',
        `${formatQuantity(quantityOf(before.capacity, taken))} of line ${before.line} are held or committed: its capacity cannot be less.`,
        'lines',
      );
    }
  }
  return undefined;
};

const expire = ({ by }: CommandOf<'ExpireOffer'>, summary: OfferSummary): OfferDecision => {
  if (summary.closedAs === 'expired') return accept();
  if (summary.status !== 'open' && summary.status !== 'suspended') {
    return refuse('offer-not-open', `The offer is ${summary.closedAs ?? summary.status}.`);
  }
  if (!isOver(by.at, summary.content)) return refuse('not-due', 'The period of the offer has not ended.');
  return accept({ type: 'OfferExpired', data: {} });
};

type Existing = OfferState & { readonly summary: OfferSummary };

type CapacityCommand = Extract<
  OfferCommand,
  {
    type:
      | 'ReserveCapacity'
      | 'CommitCapacity'
      | 'DeliverCapacity'
      | 'ReturnCapacity'
      | 'CorrectCapacity'
      | 'ReduceCapacity'
      | 'ReleaseCapacity'
      | 'FreeAccess';
  }
>;

const capacity = (command: CapacityCommand, state: Existing): OfferDecision => {
  switch (command.type) {
    case 'ReserveCapacity':
      return reserve(command, state);
    case 'CommitCapacity':
      return commit(command, state);
    case 'DeliverCapacity':
      return deliver(command, state);
    case 'ReturnCapacity':
      return giveBack(command, state);
    case 'CorrectCapacity':
      return correct(command, state);
    case 'ReduceCapacity':
      return reduce(command, state);
    case 'ReleaseCapacity':
      return release(command, state);
    case 'FreeAccess':
      return freeAccess(command, state);
  }
};

const wasRefused = (state: OfferState, commitment: string, amendment: number): boolean =>
  entryOf(state.refusals, commitment)?.includes(amendment) === true;

const reserve = (command: CommandOf<'ReserveCapacity'>, state: Existing): OfferDecision => {
  const { commitment, amendment, by } = command;
  if (wasRefused(state, commitment, amendment)) return accept();
  // What is reserved already stays; what a release overtook is never held.
  const legs = command.legs.filter(({ leg }) => reservationOf(state, { commitment, leg, amendment }) === undefined);
  if (legs.length === 0) return accept();
  const refusal = capacityRefusal({ ...command, legs }, state, by.at);
  if (refusal !== undefined) {
    const [code, detail] = refusal;
    return accept({ type: 'CapacityRefused', data: { commitment, amendment, code, detail } });
  }
  return accept(
    ...legs.map(({ leg, line, quantity }): OfferEvent => ({
      type: 'CapacityReserved',
      data: { commitment, leg, amendment, line, quantity },
    })),
  );
};

/** Why these legs cannot be held together; undefined where they can. */
const capacityRefusal = (
  { commitment, legs, facts, draws }: CommandOf<'ReserveCapacity'>,
  state: Existing,
  at: string,
): readonly [CapacityRefusalCode, string] | undefined => {
  const { summary } = state;
  if (summary.status !== 'open') return ['offer-not-open', `The offer is ${summary.closedAs ?? summary.status}.`];
  // The timer may be late; the period is not.
  if (isOver(at, summary.content)) return ['offer-not-open', 'The period of the offer has ended.'];
  const asked = new Map<number, bigint>();
  for (const { line, quantity } of legs) {
    const offered = summary.content.lines.find((other) => other.line === line);
    if (offered === undefined) return ['unknown-line', `The offer has no line ${line}.`];
    if (!isDeterminate(offered.capacity)) {
      return ['measure-mismatch', `Line ${line} has no determined capacity to draw on.`];
    }
    if (isUnlimited(quantity)) return ['measure-mismatch', `Line ${line} is drawn on in whole uses.`];
    if (!sameMeasure(offered.capacity, quantity)) {
      return [
        'measure-mismatch',
        `Line ${line} offers ${formatQuantity(offered.capacity)}; ${formatQuantity(quantity)} cannot be drawn on it.`,
      ];
    }
    asked.set(line, (asked.get(line) ?? 0n) + minorUnits(quantity));
  }
  const [reason] = earmarkReasons(
    summary.content,
    facts,
    legs.map(({ line, needLine }) => ({ offerLine: line, needLine })),
  );
  if (reason !== undefined) return ['earmark', reason.because];
  for (const offered of summary.content.lines) {
    const more = asked.get(offered.line);
    if (more === undefined) continue;
    const { line, capacity: all } = offered;
    const lot = minimumLotOf(offered) ?? 0n;
    const told = draws?.find((draw) => draw.line === line);
    const total = told === undefined ? drawnOn(accountOf(state, commitment), line) + more : minorUnits(told.quantity);
    if (total < lot) {
      return [
        'below-minimum-lot',
        `A commitment draws at least ${formatQuantity(quantityOf(all, lot))} of line ${line}.`,
      ];
    }
    if (isUnlimited(all)) continue;
    const rest = restOf(summary, offered);
    if (more > rest) {
      return ['insufficient-capacity', `${formatQuantity(quantityOf(all, rest))} are available on line ${line}.`];
    }
  }
  return undefined;
};

const commit = ({ commitment, legs }: CommandOf<'CommitCapacity'>, state: Existing): OfferDecision => {
  const events: OfferEvent[] = [];
  for (const { leg, amendment } of legs) {
    const key = { commitment, leg, amendment };
    const account = legOf(state, key);
    const take = takeOf(account, amendment);
    if (account === undefined || take === undefined) {
      return refuse('not-reserved', `Leg ${leg} of ${commitment} holds no capacity yet.`);
    }
    // Given back meanwhile, or taken back whole by an amendment: nothing of it is to be committed.
    if (take.phase === 'committed' || take.over || take.taken === 0n) continue;
    const quantity = quantityOf(account.like, take.taken);
    events.push({ type: 'CapacityCommitted', data: { ...key, line: account.line, quantity } });
  }
  return accept(...events);
};

/**
 * A leg whose deliveries may be told: its account, or why not. Of uses that were freed once nothing that is told moves anything, whether
 * or not an amendment has added others since: so it makes no difference when, or how often, it is told.
 */
const told = (
  { key, quantity }: { readonly key: CapacityKey; readonly quantity: Quantity },
  state: Existing,
): LegAccount | OfferDecision => {
  const leg = legOf(state, key);
  const name = `Leg ${key.leg} of ${key.commitment}`;
  if (!leg?.takes.some(({ phase }) => phase === 'committed')) {
    return refuse('not-committed', `${name} is not committed yet.`);
  }
  return sameMeasure(leg.like, quantity) ? leg : refuse('not-committed', `${name} is not committed in that measure.`);
};

const deliver = (command: CommandOf<'DeliverCapacity'>, state: Existing): OfferDecision => {
  const { key, delivery, quantity } = command;
  const leg = told(command, state);
  if ('kind' in leg) return leg;
  if (leg.tranches[delivery] !== undefined || leg.freed > 0n) return accept();
  return (
    unbalanced(key, leg, minorUnits(quantity)) ??
    accept({ type: 'CapacityDelivered', data: { ...key, delivery, line: leg.line, quantity } })
  );
};

/** What is answered where this change would leave more delivered than committed, or less than nothing. */
const unbalanced = (key: CapacityKey, leg: LegAccount, change: bigint): OfferDecision | undefined => {
  const after = deliveredOf(leg) + change;
  if (after >= 0n && after <= committedOf(leg)) return undefined;
  return refuse('over-committed', `Leg ${key.leg} of ${key.commitment} has another quantity committed than is told.`);
};

const giveBack = (command: CommandOf<'ReturnCapacity'>, state: Existing): OfferDecision => {
  const { key, delivery, return: n, quantity } = command;
  const leg = told(command, state);
  if ('kind' in leg) return leg;
  if (leg.answered.includes(returnMark(n)) || leg.freed > 0n) return accept();
  return (
    unbalanced(key, leg, -minorUnits(quantity)) ??
    accept({ type: 'CapacityReturned', data: { ...key, delivery, return: n, line: leg.line, quantity } })
  );
};

const correct = (command: CommandOf<'CorrectCapacity'>, state: Existing): OfferDecision => {
  const { key, delivery, quantity, asked } = command;
  const leg = told(command, state);
  if ('kind' in leg) return leg;
  if (leg.answered.includes(asked) || leg.freed > 0n) return accept();
  return (
    unbalanced(key, leg, minorUnits(quantity) - trancheOf(leg, delivery).reported) ??
    accept({ type: 'CapacityDeliveryCorrected', data: { ...key, delivery, line: leg.line, quantity, asked } })
  );
};

/** Releases of at most `limit` of these takes of a leg, newest first and never what is delivered. */
const releases = (
  key: Pick<CapacityKey, 'commitment' | 'leg'>,
  leg: LegAccount,
  { from, limit, by }: { readonly from: readonly Take[]; readonly limit?: bigint; readonly by?: number },
): OfferEvent[] => {
  // Deliveries count against what is committed of the leg as a whole; what is held is free.
  let undelivered = committedOf(leg) - deliveredOf(leg);
  let left = limit ?? takenOf(leg);
  const events: OfferEvent[] = [];
  for (const { amendment, phase, taken } of [...from].sort((a, b) => b.amendment - a.amendment)) {
    const part = least(taken, left, phase === 'committed' ? undelivered : taken);
    if (part === 0n) continue;
    left -= part;
    if (phase === 'committed') undelivered -= part;
    events.push({
      type: 'CapacityReleased',
      data: {
        ...{ ...key, amendment, line: leg.line, quantity: quantityOf(leg.like, part) },
        ...(by === undefined ? {} : { by }),
      },
    });
  }
  return events;
};

const least = (...amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => (b < a ? b : a));

const reduce = ({ commitment, amendment, legs }: CommandOf<'ReduceCapacity'>, state: Existing): OfferDecision => {
  const events: OfferEvent[] = [];
  for (const { leg, quantity } of legs) {
    const account = legOf(state, { commitment, leg });
    if (account === undefined) return refuse('not-reserved', `Leg ${leg} of ${commitment} holds no capacity yet.`);
    if (account.answered.includes(amendmentMark(amendment))) continue;
    const limit = minorUnits(quantity);
    events.push(...releases({ commitment, leg }, account, { from: account.takes, limit, by: amendment }));
  }
  return accept(...events);
};

const release = ({ commitment, legs }: CommandOf<'ReleaseCapacity'>, state: Existing): OfferDecision => {
  const events: OfferEvent[] = [];
  for (const leg of new Set(legs.map((key) => key.leg))) {
    const account = legOf(state, { commitment, leg });
    const from: Take[] = [];
    for (const { amendment } of legs.filter((key) => key.leg === leg)) {
      if (wasRefused(state, commitment, amendment)) continue;
      const take = takeOf(account, amendment);
      if (take !== undefined) from.push(take);
      // It overtook its reservation: recorded, so that the reservation will not be made.
      else events.push({ type: 'CapacityReleased', data: { commitment, leg, amendment } });
    }
    if (account !== undefined) events.push(...releases({ commitment, leg }, account, { from }));
  }
  return accept(...events);
};

const freeAccess = ({ commitment, legs }: CommandOf<'FreeAccess'>, state: Existing): OfferDecision => {
  const events: OfferEvent[] = [];
  for (const [number, account] of Object.entries(accountOf(state, commitment))) {
    if (account.like.measure !== 'access') continue;
    const key = { commitment, leg: Number(number) };
    const isNamed = ({ amendment }: Take): boolean =>
      legs.some((named) => named.leg === key.leg && named.amendment === amendment);
    // What an amendment in flight holds is not in use yet: it goes its own way.
    const from = account.takes.filter((take) => take.phase === 'committed' && isNamed(take));
    const released = releases(key, account, { from });
    const after = released.reduce((so, event) => takeCapacity(so, event as CapacityEvent).leg, account);
    events.push(...released);
    for (const { amendment, phase, taken } of after.takes.filter(isNamed)) {
      if (phase === 'held' || taken === 0n) continue;
      const { line, like } = after;
      events.push({ type: 'AccessFreed', data: { ...key, amendment, line, quantity: quantityOf(like, taken) } });
    }
  }
  return accept(...events);
};

export const offerDecider: Decider<OfferState, OfferCommand, OfferEvent, OfferRejection> = {
  category: 'offer',
  initial: INITIAL,
  schemas: {
    OfferDrafted: 1,
    OfferPosted: 1,
    OfferAmended: 1,
    OfferSuspended: 1,
    OfferResumed: 1,
    OfferWithdrawn: 1,
    OfferCompleted: 1,
    OfferExpired: 1,
    CapacityReserved: 1,
    CapacityRefused: 1,
    CapacityCommitted: 1,
    CapacityDelivered: 1,
    CapacityReturned: 1,
    CapacityDeliveryCorrected: 1,
    AccessFreed: 1,
    CapacityReleased: 1,
  },
  decide,
  evolve,
};
