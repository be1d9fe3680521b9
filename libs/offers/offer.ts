import type { CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse, SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import type { OfferOutcome, Quantity, Role } from '#vocabulary';
import { formatQuantity, isDeterminate, isRival, minorUnits, periodEnd, quantityOf, sameMeasure } from '#vocabulary';
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

/** Minor units of the line's measure. `committed` includes what was delivered. */
export interface LineFigures {
  readonly held: bigint;
  readonly committed: bigint;
  readonly delivered: bigint;
}

/** What one commitment's leg took of a line. A release that overtook its reservation stands as `released` with nothing reserved. */
export interface Reservation {
  readonly line: number;
  readonly phase: 'held' | 'committed' | 'released';
  /** A quantity of the measure it is reckoned in; undetermined where nothing was reserved. */
  readonly like: Quantity;
  /** Reserved and not freed since, in minor units; delivered is part of it. */
  readonly taken: bigint;
  readonly delivered: bigint;
  readonly deliveries: readonly number[];
}

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

/**
 * Values kept per commitment. Spread over buckets by the id's last two characters, so that one more reservation on a popular offer
 * copies a small part of the whole.
 */
type Ledger<V> = ReadonlyMap<string, ReadonlyMap<string, V>>;

export interface OfferState {
  /** Absent: the offer does not exist. */
  readonly summary?: OfferSummary;
  readonly reservations: Ledger<Reservation>;
  /** Refused reservations, by commitment and amendment. */
  readonly refusals: Ledger<true>;
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

export type OfferCommand = { readonly by: CommandContext } & (
  | {
      readonly type: 'DraftOffer';
      readonly content: OfferContent;
      /** The reported record whose claim makes this draft. */
      readonly claimedFrom?: string;
    }
  /** `content` where it is posted directly; absent from a draft. */
  | { readonly type: 'PostOffer'; readonly content?: OfferContent }
  | { readonly type: 'AmendOffer'; readonly changes: OfferChanges }
  | { readonly type: 'SuspendOffer'; readonly reason?: OfferReason }
  | { readonly type: 'ResumeOffer' }
  | { readonly type: 'WithdrawOffer'; readonly reason?: OfferReason }
  | { readonly type: 'CompleteOffer' }
  | { readonly type: 'ExpireOffer' }
  | {
      readonly type: 'ReserveCapacity';
      readonly commitment: string;
      readonly amendment: number;
      readonly legs: readonly ReservedLeg[];
      /** The earmark is judged on the facts of the proposal. */
      readonly facts: EarmarkedNeed;
    }
  | { readonly type: 'CommitCapacity'; readonly commitment: string; readonly legs: readonly LegKey[] }
  | {
      readonly type: 'DeliverCapacity';
      readonly key: CapacityKey;
      readonly delivery: number;
      /** The tranche in the offer line's measure. */
      readonly quantity: Quantity;
    }
  /** Frees what these legs took and did not deliver. */
  | { readonly type: 'ReleaseCapacity'; readonly commitment: string; readonly legs: readonly LegKey[] }
);
type CommandOf<T extends OfferCommand['type']> = Extract<OfferCommand, { type: T }>;
type OfferDecision = Decision<OfferEvent, OfferRejection>;

/** Commands of the provider's desk on an offer that exists: from which states, and what refuses them in others. */
const DESK_COMMANDS = {
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

const NOTHING: LineFigures = { held: 0n, committed: 0n, delivered: 0n };

export const figuresOf = (summary: Pick<OfferSummary, 'figures'>, line: number): LineFigures =>
  summary.figures.get(line) ?? NOTHING;

/** What of a rival line is neither held nor committed, in minor units. */
export const restOf = (summary: Pick<OfferSummary, 'figures'>, { line, capacity }: OfferLine): bigint => {
  const { held, committed } = figuresOf(summary, line);
  return minorUnits(capacity) - held - committed;
};

/** Derived: nothing is left of any rival line. */
export const isExhausted = (summary: Pick<OfferSummary, 'figures' | 'content'>): boolean => {
  const rival = summary.content.lines.filter(({ capacity }) => isRival(capacity));
  return rival.length > 0 && rival.every((line) => restOf(summary, line) === 0n);
};

/** When the offer's period is over, RFC 3339; undefined where it has no end. */
export const endOf = ({ period }: Pick<OfferContent, 'period'>): string | undefined =>
  period?.to === undefined ? undefined : periodEnd(period.to);

const bucketOf = (commitment: string): string => commitment.slice(-2);
const keyOf = ({ commitment, leg, amendment }: CapacityKey): string => `${commitment} ${leg} ${amendment}`;
const refusalKey = (commitment: string, amendment: number): string => `${commitment} ${amendment}`;

const entryOf = <V>(ledger: Ledger<V>, commitment: string, key: string): V | undefined =>
  ledger.get(bucketOf(commitment))?.get(key);

const withEntry = <V>(ledger: Ledger<V>, commitment: string, key: string, value: V): Ledger<V> => {
  const bucket = bucketOf(commitment);
  return new Map(ledger).set(bucket, new Map(ledger.get(bucket)).set(key, value));
};

/** What `key` took of the offer; undefined where it never came. */
export const reservationOf = (state: Pick<OfferState, 'reservations'>, key: CapacityKey): Reservation | undefined =>
  entryOf(state.reservations, key.commitment, keyOf(key));

const INITIAL: OfferState = { reservations: new Map(), refusals: new Map() };

export type CapacityEvent = Extract<
  OfferEvent,
  { type: 'CapacityReserved' | 'CapacityCommitted' | 'CapacityDelivered' | 'CapacityReleased' }
>;

const UNKNOWN: Quantity = { measure: 'undetermined', why: 'not-stated' };

/** What one capacity event makes of a reservation, and adds to its line's figures. */
export const takeCapacity = (
  before: Reservation | undefined,
  event: CapacityEvent,
): { readonly reservation: Reservation; readonly change: LineFigures } => {
  const { quantity, line = 0 } = event.data;
  const known = before ?? { line, phase: 'held', like: quantity ?? UNKNOWN, taken: 0n, delivered: 0n, deliveries: [] };
  const amount = quantity === undefined ? 0n : minorUnits(quantity);
  switch (event.type) {
    case 'CapacityReserved':
      return {
        reservation: { ...known, taken: known.taken + amount },
        change: { ...NOTHING, held: amount },
      };
    case 'CapacityCommitted':
      return {
        reservation: { ...known, phase: 'committed' },
        change: { ...NOTHING, held: -amount, committed: amount },
      };
    case 'CapacityDelivered':
      return {
        reservation: {
          ...known,
          delivered: known.delivered + amount,
          deliveries: [...known.deliveries, event.data.delivery],
        },
        change: { ...NOTHING, delivered: amount },
      };
    case 'CapacityReleased':
      return {
        reservation: { ...known, phase: 'released', taken: known.taken - amount },
        change: { ...NOTHING, [known.phase === 'committed' ? 'committed' : 'held']: -amount },
      };
  }
};

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
  // The envelope keeps type and data apart; together they are one of our events.
  const fact = event as unknown as OfferEvent;
  switch (fact.type) {
    case 'CapacityReserved':
    case 'CapacityCommitted':
    case 'CapacityDelivered':
    case 'CapacityReleased': {
      if (state.summary === undefined) return state;
      const { reservation, change } = takeCapacity(reservationOf(state, fact.data), fact);
      return {
        ...state,
        // A release that overtook its reservation knows no line and changes no figure.
        summary: reservation.line === 0 ? state.summary : withFigures(state.summary, reservation.line, change),
        reservations: withEntry(state.reservations, fact.data.commitment, keyOf(fact.data), reservation),
      };
    }
    case 'CapacityRefused': {
      const { commitment, amendment } = fact.data;
      const refusals = withEntry(state.refusals, commitment, refusalKey(commitment, amendment), true as const);
      return { ...state, refusals };
    }
    default: {
      const summary = withLifecycle(state.summary, event);
      return summary === state.summary || summary === undefined ? state : { ...state, summary };
    }
  }
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

const draft = ({ by, content, claimedFrom }: CommandOf<'DraftOffer'>, { summary }: OfferState): OfferDecision => {
  const { party, role } = by.actor;
  if (!isDeskOf({ provider: party }, party, role)) return notADesk();
  if (summary !== undefined) {
    return claimedFrom !== undefined && summary.claimedFrom === claimedFrom && summary.provider === party
      ? accept()
      : refuse('already-exists', 'An offer with this id exists already.');
  }
  return accept({
    type: 'OfferDrafted',
    data: { provider: party, ...(claimedFrom === undefined ? {} : { claimedFrom }), content },
  });
};

const notADesk = (): OfferDecision =>
  forbidden(
    'Offers are posted by the desk of their provider: a donor desk for a donor, fund or State, an agency for itself, a host for its network.',
  );

const postNew = ({ by, content }: CommandOf<'PostOffer'>): OfferDecision => {
  if (!isDeskOf({ provider: by.actor.party }, by.actor.party, by.actor.role)) return notADesk();
  return content === undefined ? absent() : post(by, by.actor.party, content);
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
        ? post(command.by, summary.provider, summary.content)
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

const amend = (
  { by, changes: { lines: amendedLines, ...rest } }: CommandOf<'AmendOffer'>,
  summary: OfferSummary,
): OfferDecision => {
  const numbered = amendedLines === undefined ? undefined : numberLines(amendedLines, summary);
  if (numbered !== undefined && !Array.isArray(numbered)) return numbered;
  const changes: Partial<OfferContent> = numbered === undefined ? rest : { ...rest, lines: numbered };
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
    if (minorUnits(after.capacity) < taken) {
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

const capacity = (
  command: CommandOf<'ReserveCapacity' | 'CommitCapacity' | 'DeliverCapacity' | 'ReleaseCapacity'>,
  state: Existing,
): OfferDecision => {
  switch (command.type) {
    case 'ReserveCapacity':
      return reserve(command, state);
    case 'CommitCapacity':
      return commit(command, state);
    case 'DeliverCapacity':
      return deliver(command, state);
    case 'ReleaseCapacity':
      return release(command, state);
  }
};

const wasRefused = (state: OfferState, commitment: string, amendment: number): boolean =>
  entryOf(state.refusals, commitment, refusalKey(commitment, amendment)) === true;

const reserve = (command: CommandOf<'ReserveCapacity'>, state: Existing): OfferDecision => {
  const { commitment, amendment, by } = command;
  if (wasRefused(state, commitment, amendment)) return accept();
  // What is reserved already stays; what a release overtook is never held.
  const legs = command.legs.filter(({ leg }) => reservationOf(state, { commitment, leg, amendment }) === undefined);
  if (legs.length === 0) return accept();
  const refusal = capacityRefusal({ ...command, legs }, state.summary, by.at);
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
  { legs, facts }: CommandOf<'ReserveCapacity'>,
  summary: OfferSummary,
  at: string,
): readonly [CapacityRefusalCode, string] | undefined => {
  if (summary.status !== 'open') return ['offer-not-open', `The offer is ${summary.closedAs ?? summary.status}.`];
  // The timer may be late; the period is not.
  if (isOver(at, summary.content)) return ['offer-not-open', 'The period of the offer has ended.'];
  const asked = new Map<number, bigint>();
  for (const { line, quantity } of legs) {
    const offered = summary.content.lines.find((other) => other.line === line);
    if (offered === undefined) return ['unknown-line', `The offer has no line ${line}.`];
    if (!isRival(offered.capacity)) return ['measure-mismatch', `Line ${line} has no determined capacity to draw on.`];
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
    const rest = asked.has(offered.line) ? restOf(summary, offered) : 0n;
    if ((asked.get(offered.line) ?? 0n) > rest) {
      return [
        'insufficient-capacity',
        `${formatQuantity(quantityOf(offered.capacity, rest))} are available on line ${offered.line}.`,
      ];
    }
  }
  return undefined;
};

const commit = ({ commitment, legs }: CommandOf<'CommitCapacity'>, state: Existing): OfferDecision => {
  const events: OfferEvent[] = [];
  for (const { leg, amendment } of legs) {
    const key = { commitment, leg, amendment };
    const reservation = reservationOf(state, key);
    if (reservation === undefined) return refuse('not-reserved', `Leg ${leg} of ${commitment} holds no capacity yet.`);
    if (reservation.phase !== 'held') continue;
    const { line, like, taken } = reservation;
    events.push({ type: 'CapacityCommitted', data: { ...key, line, quantity: quantityOf(like, taken) } });
  }
  return accept(...events);
};

const deliver = ({ key, delivery, quantity }: CommandOf<'DeliverCapacity'>, state: Existing): OfferDecision => {
  const reservation = reservationOf(state, key);
  if (reservation?.phase !== 'committed' && reservation?.phase !== 'released') {
    return refuse('not-committed', `Leg ${key.leg} of ${key.commitment} is not committed yet.`);
  }
  if (reservation.deliveries.includes(delivery)) return accept();
  const { line, like, taken, delivered } = reservation;
  if (!sameMeasure(like, quantity)) {
    return refuse('not-committed', `Leg ${key.leg} of ${key.commitment} is not committed in that measure.`);
  }
  if (minorUnits(quantity) > taken - delivered) {
    return refuse('over-committed', `Leg ${key.leg} of ${key.commitment} would deliver more than is committed.`);
  }
  return accept({ type: 'CapacityDelivered', data: { ...key, delivery, line, quantity } });
};

const release = ({ commitment, legs }: CommandOf<'ReleaseCapacity'>, state: Existing): OfferDecision => {
  const events: OfferEvent[] = [];
  for (const { leg, amendment } of legs) {
    if (wasRefused(state, commitment, amendment)) continue;
    const key = { commitment, leg, amendment };
    const reservation = reservationOf(state, key);
    if (reservation === undefined) {
      // It overtook its reservation: recorded, so that the reservation will not be made.
      events.push({ type: 'CapacityReleased', data: key });
      continue;
    }
    const { line, like, taken, delivered } = reservation;
    if (taken === delivered) continue;
    events.push({
      type: 'CapacityReleased',
      data: { ...key, line, quantity: quantityOf(like, taken - delivered) },
    });
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
