import type { Actor, CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, canonicalJson, refuse, SYSTEM_PROCESS } from '#kernel';
import type { Quantity } from '#vocabulary';
import {
  formatQuantity,
  minorUnits,
  periodEnd,
  periodHolds,
  periodsOverlap,
  quantityOf,
  sameMeasure,
} from '#vocabulary';
import type { Allocation, BookingKind, FundDocument, FundEvent, FundPeriod, FundTerms } from './fund.contract.js';

export type FundRejectionCode =
  | 'forbidden'
  | 'not-found'
  | 'already-exists'
  | 'unknown-party'
  | 'overlapping-periods'
  | 'currency-mismatch'
  | 'currency-in-use'
  | 'unknown-window'
  | 'unknown-rate'
  | 'unknown-decision'
  | 'unknown-application'
  | 'unknown-period'
  | 'period-not-over'
  | 'period-order'
  | 'period-closed'
  | 'insufficient-funds'
  | 'nothing-to-release';
export type FundRejection = Rejection<FundRejectionCode>;

type EventOf<T extends FundEvent['type']> = Extract<FundEvent, { type: T }>;
export type Credit = EventOf<'FundCredited'>['data'];
export type Booking = EventOf<'FundBooked'>['data'] & {
  /** Its date lay in a closed period when it was recorded. */
  readonly priorPeriod: boolean;
};

/** One allocation of a decision, with what became of it. Money of the fund's currency. */
export interface Allotted extends Allocation {
  /** Taken back: free to be allocated again. */
  readonly released: Quantity;
  /** What commitments draw on it now; more than what is left of the amount where two signed under one decision. */
  readonly used: Quantity;
}

export interface AllocationDecision extends Omit<EventOf<'AllocationDecided'>['data'], 'allocations'> {
  readonly allocations: readonly Allotted[];
  readonly priorPeriod: boolean;
}

/** What one commitment draws on one decision. */
interface Draw {
  readonly decision: number;
  readonly needId: string;
  readonly quantity: Quantity;
}

/** What one commitment draws. `used`: all that it ever came to; `parts`: now, by decision, oldest first. */
interface Drawing {
  readonly used: Quantity;
  readonly parts: readonly Draw[];
}

/** A fund's book: plain JSON, so that boards keep it as it is. */
export interface FundBook {
  readonly fund: string;
  readonly terms: FundTerms;
  /** By source, record and number. */
  readonly credits: Readonly<Record<string, Credit>>;
  readonly bookings: readonly Booking[];
  readonly decisions: readonly AllocationDecision[];
  /** By commitment. */
  readonly draws: Readonly<Record<string, Drawing>>;
  readonly closedPeriods: readonly FundPeriod[];
  readonly documents: readonly FundDocument[];
}

export interface FundState {
  /** Absent: the fund keeps no book here. */
  readonly book?: FundBook;
}

export type FundCommand = { readonly by: CommandContext } & (
  | {
      readonly type: 'EstablishFund';
      readonly fund: string;
      readonly terms: FundTerms;
      /** Parties named that the directory does not hold. */
      readonly unregistered: readonly string[];
    }
  | {
      readonly type: 'AmendFundTerms';
      readonly changes: Partial<FundTerms>;
      readonly unregistered: readonly string[];
    }
  | ({ readonly type: 'BookFund' } & Omit<EventOf<'FundBooked'>['data'], 'n'>)
  | ({
      readonly type: 'DecideAllocations';
      /** Needs named that are not there for the caller, and applications that no call has for that need. */
      readonly unknown: { readonly needs: readonly string[]; readonly applications: readonly number[] };
    } & Omit<EventOf<'AllocationDecided'>['data'], 'n'>)
  /** Takes back what no commitment draws: of one need, or of the whole decision. */
  | { readonly type: 'ReleaseDecision'; readonly n: number; readonly needId?: string; readonly reason?: string }
  | { readonly type: 'ClosePeriod'; readonly period: FundPeriod }
  | { readonly type: 'AttachFundDocument'; readonly document: FundDocument }
  | ({ readonly type: 'CreditFund' } & Credit)
  | {
      readonly type: 'SettleUse';
      readonly commitment: string;
      readonly needId: string;
      /** All that the commitment ever came to draw on the fund, and all that it came to draw less: it draws the difference now. */
      readonly used: Quantity;
      readonly released: Quantity;
      /** The fund is one of several providers of an undivided offer: it draws what was decided, at most the whole. */
      readonly shared: boolean;
      /** The newest decision that it may draw on; 0 for none. */
      readonly through: number;
    }
);
type CommandOf<T extends FundCommand['type']> = Extract<FundCommand, { type: T }>;
type FundDecision = Decision<FundEvent, FundRejection>;

/** Who asks: an event's actor, or a caller in one of its roles. */
type Asking = Pick<Actor, 'party' | 'role'>;

/** The fund's own desk. */
export const isFundDesk = ({ party, role }: Asking, fund: string): boolean => party === fund && role === 'donor-desk';

/** The agency that keeps the fund's books. */
export const isAdministrator = (
  { party, role }: Asking,
  { administrator }: Pick<FundTerms, 'administrator'>,
): boolean =>
  administrator !== undefined && party === administrator && (role === 'fiscal-agent' || role === 'implementer');

/** The one table of who may send which command on a fund's book: used by `decide`, `permits` and `actions`. */
export const FUND_COMMANDS = {
  AmendFundTerms: { name: 'amend', who: ['desk', 'coordinator'] },
  BookFund: { name: 'bookings', who: ['desk', 'administrator'] },
  DecideAllocations: { name: 'decisions', who: ['desk'] },
  ReleaseDecision: { name: 'release', who: ['desk'] },
  ClosePeriod: { name: 'close-period', who: ['desk', 'administrator'] },
  AttachFundDocument: { name: 'documents', who: ['desk', 'administrator'] },
} as const satisfies Partial<
  Record<
    FundCommand['type'],
    { readonly name: string; readonly who: readonly ('desk' | 'administrator' | 'coordinator')[] }
  >
>;
export type FundCommandType = keyof typeof FUND_COMMANDS;
export const FUND_COMMAND_TYPES = Object.keys(FUND_COMMANDS) as readonly FundCommandType[];

/** True where this party in this role may send the command on this fund's book. */
export const mayOnFund = (
  type: FundCommandType,
  asking: Asking,
  { fund, terms }: Pick<FundBook, 'fund' | 'terms'>,
): boolean =>
  (FUND_COMMANDS[type].who as readonly string[]).some((who) => {
    if (who === 'desk') return isFundDesk(asking, fund);
    return who === 'administrator' ? isAdministrator(asking, terms) : asking.role === 'coordinator';
  });

/** Minor units of the fund's currency. */
export interface FundFigures {
  readonly signed: bigint;
  readonly received: bigint;
  readonly repaid: bigint;
  /** What counts of the contributions by the fund's terms: what arrived, or what was signed; less what was repaid. */
  readonly contributed: bigint;
  readonly interest: bigint;
  readonly income: bigint;
  /** What commitments gave back. */
  readonly refunds: bigint;
  readonly fees: bigint;
  readonly charges: bigint;
  /** Gains less losses. */
  readonly exchange: bigint;
  /** Decided and not released; what is drawn beyond a decision counts too. */
  readonly allocated: bigint;
  readonly used: bigint;
  readonly reserve: bigint;
  /** What may still be allocated; negative where a fact from outside (a cancelled pledge, a repayment) took what was allocated already. */
  readonly available: bigint;
}

const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const sum = (values: Iterable<bigint>): bigint => [...values].reduce((total, value) => total + value, 0n);

/** Nothing, in the fund's currency. */
export const moneyOf = ({ currency }: Pick<FundTerms, 'currency'>, minor: bigint): Quantity =>
  quantityOf({ measure: 'money', currency, amount: '0' }, minor);

const leftOf = ({ amount, released, used }: Allotted): bigint =>
  minorUnits(amount) - minorUnits(released) - minorUnits(used);

/** What an allocation takes of the fund: what stands of it, or what is drawn where that is more. */
const takenBy = ({ amount, released, used }: Allotted): bigint =>
  most(minorUnits(amount) - minorUnits(released), minorUnits(used));

/** The fund's position, each part of it: contributed + interest + income + refunds − fees − charges ± exchange − allocated − reserve = available. */
export const figuresOf = ({ terms, credits, bookings, decisions }: FundBook): FundFigures => {
  const all = Object.values(credits);
  const credited = (source: Credit['source']): bigint =>
    sum(all.filter((credit) => credit.source === source).map(({ quantity }) => minorUnits(quantity)));
  const booked = (...kinds: readonly BookingKind[]): bigint =>
    sum(
      bookings
        .filter(({ kind }) => kinds.includes(kind))
        .map(({ effect, amount }) => (effect === 'gain' ? minorUnits(amount) : -minorUnits(amount))),
    );
  const [received, repaid, refunds] = [credited('received'), credited('repaid'), credited('refund')];
  const signed = credited('signed') - credited('unsigned');
  const perContribution = new Map<string, { signed: bigint; received: bigint }>();
  for (const { source, contribution = '', quantity } of all) {
    const one = perContribution.get(contribution) ?? { signed: 0n, received: 0n };
    if (source === 'signed') one.signed += minorUnits(quantity);
    if (source === 'unsigned') one.signed -= minorUnits(quantity);
    if (source === 'received') one.received += minorUnits(quantity);
    perContribution.set(contribution, one);
  }
  const counted =
    terms.capacityBasis === 'received'
      ? received
      : // A contribution that brought more than was signed brought it.
        sum([...perContribution.values()].map((one) => most(one.signed, one.received)));
  const contributed = counted - repaid;
  const [interest, income, exchange] = [booked('interest'), booked('programme-income'), booked('exchange-difference')];
  const [fees, charges] = [-booked('fee'), -booked('bank-charge')];
  const allotted = decisions.flatMap(({ allocations }) => allocations);
  const allocated = sum(allotted.map(takenBy));
  const reserve = terms.reserve === undefined ? 0n : minorUnits(terms.reserve);
  return {
    signed,
    received,
    repaid,
    contributed,
    interest,
    income,
    refunds,
    fees,
    charges,
    exchange,
    allocated,
    used: sum(allotted.map(({ used }) => minorUnits(used))),
    reserve,
    available: contributed + interest + income + refunds - fees - charges + exchange - allocated - reserve,
  };
};

/** What decisions leave for this need, with what the commitment draws already; undefined where none stands. */
export const decidedFor = (
  { terms, decisions, draws }: FundBook,
  needId: string,
  commitment: string,
): Quantity | undefined => {
  const standing = decisions
    .flatMap(({ allocations }) => allocations)
    .filter((allotted) => allotted.needId === needId && takenBy(allotted) > 0n);
  if (standing.length === 0) return undefined;
  const drawn = (draws[commitment]?.parts ?? []).filter((draw) => draw.needId === needId);
  return moneyOf(
    terms,
    sum(standing.map((allotted) => most(leftOf(allotted), 0n))) +
      sum(drawn.map(({ quantity }) => minorUnits(quantity))),
  );
};

/** Indices of the second of two periods that share a day; undefined where none do. */
export const overlapIn = (periods: readonly FundPeriod[]): number | undefined => {
  const index = periods.findIndex((period, at) => periods.slice(0, at).some((other) => periodsOverlap(period, other)));
  return index === -1 ? undefined : index;
};

const keyOf = ({ source, contribution = '', commitment = '', n = 0 }: Credit): string =>
  [source, contribution, commitment, n].join(' ');

const samePeriod = (a: FundPeriod, b: FundPeriod): boolean => a.from === b.from && a.to === b.to;

const withAllotted = (
  book: FundBook,
  { decision, needId }: { readonly decision: number; readonly needId: string },
  change: (allotted: Allotted) => Allotted,
): readonly AllocationDecision[] =>
  book.decisions.map((decided) =>
    decided.n === decision
      ? {
          ...decided,
          allocations: decided.allocations.map((allotted) =>
            allotted.needId === needId ? change(allotted) : allotted,
          ),
        }
      : decided,
  );

const plus = (a: Quantity, minor: bigint): Quantity => quantityOf(a, minorUnits(a) + minor);

/** The parts with this much more (less, where negative) drawn on one of them. */
const withPart = (parts: readonly Draw[], { decision, needId }: Draw, change: Quantity): readonly Draw[] => {
  const isIt = (part: Draw): boolean => part.decision === decision && part.needId === needId;
  return parts.some(isIt)
    ? parts.map((part) => (isIt(part) ? { ...part, quantity: plus(part.quantity, minorUnits(change)) } : part))
    : [...parts, { decision, needId, quantity: change }];
};

const drawingOf = ({ draws, terms }: FundBook, commitment: string): Drawing =>
  draws[commitment] ?? { used: moneyOf(terms, 0n), parts: [] };

const evolve = (state: FundState, event: RecordedEvent<FundEvent>): FundState => {
  // The envelope keeps type and data apart; together they are one of our events.
  const fact = event as unknown as FundEvent;
  if (fact.type === 'FundEstablished') {
    const { fund, terms } = fact.data;
    const empty = { credits: {}, bookings: [], decisions: [], draws: {}, closedPeriods: [], documents: [] };
    return { book: { fund, terms, ...empty } };
  }
  const { book } = state;
  if (book === undefined) return state;
  const isPrior = (date: string): boolean => book.closedPeriods.some((period) => periodHolds(period, date));
  switch (fact.type) {
    case 'FundTermsAmended':
      return { book: { ...book, terms: { ...book.terms, ...fact.data.changes } } };
    case 'FundCredited':
      return { book: { ...book, credits: { ...book.credits, [keyOf(fact.data)]: fact.data } } };
    case 'FundBooked':
      return {
        book: { ...book, bookings: [...book.bookings, { ...fact.data, priorPeriod: isPrior(fact.data.date) }] },
      };
    case 'AllocationDecided': {
      const nothing = moneyOf(book.terms, 0n);
      const allocations = fact.data.allocations.map((each) => ({ ...each, released: nothing, used: nothing }));
      const decision = { ...fact.data, allocations, priorPeriod: isPrior(fact.data.date) };
      return { book: { ...book, decisions: [...book.decisions, decision] } };
    }
    case 'AllocationUsed': {
      const { commitment, quantity } = fact.data;
      const decisions = withAllotted(book, fact.data, (allotted) => ({
        ...allotted,
        used: plus(allotted.used, minorUnits(quantity)),
      }));
      const before = drawingOf(book, commitment);
      const drawn = {
        ...before,
        used: plus(before.used, minorUnits(quantity)),
        parts: withPart(before.parts, fact.data, quantity),
      };
      return { book: { ...book, decisions, draws: { ...book.draws, [commitment]: drawn } } };
    }
    case 'AllocationReleased': {
      const { commitment, quantity } = fact.data;
      const freed = minorUnits(quantity);
      if (commitment === undefined) {
        const decisions = withAllotted(book, fact.data, (allotted) => ({
          ...allotted,
          released: plus(allotted.released, freed),
        }));
        return { book: { ...book, decisions } };
      }
      const before = drawingOf(book, commitment);
      const drawn = {
        ...before,
        parts: withPart(before.parts, fact.data, quantityOf(quantity, -freed)),
      };
      const decisions = withAllotted(book, fact.data, (allotted) => ({
        ...allotted,
        used: plus(allotted.used, -freed),
        // What was drawn beyond the decision was never allocated, and is not taken back from it.
        released: plus(allotted.released, most(freed - most(-leftOf(allotted), 0n), 0n)),
      }));
      return { book: { ...book, decisions, draws: { ...book.draws, [commitment]: drawn } } };
    }
    case 'PeriodClosed':
      return { book: { ...book, closedPeriods: [...book.closedPeriods, fact.data.period] } };
    case 'FundDocumentAttached':
      return { book: { ...book, documents: [...book.documents, fact.data.document] } };
    default:
      return state;
  }
};

const forbidden = (detail: string): FundDecision => refuse('forbidden', detail);

const decide = (command: FundCommand, { book }: FundState): FundDecision => {
  if (command.type === 'EstablishFund') return establish(command, book);
  if (command.type === 'CreditFund' || command.type === 'SettleUse') {
    if (command.by.actor.party !== SYSTEM_PROCESS.party) {
      return forbidden('A book is credited and drawn on by contributions and commitments alone.');
    }
    // A fund that keeps no book is told nothing.
    if (book === undefined) return accept();
    return command.type === 'CreditFund' ? credit(command, book) : settleUse(command, book);
  }
  if (book === undefined) return refuse('not-found', 'There is no such fund.');
  if (!mayOnFund(command.type, command.by.actor, book)) {
    return forbidden(
      `${FUND_COMMANDS[command.type].name} on ${book.fund} is for its ${FUND_COMMANDS[command.type].who.join(' or ')}.`,
    );
  }
  switch (command.type) {
    case 'AmendFundTerms':
      return amend(command, book);
    case 'BookFund':
      return bookMoney(command, book);
    case 'DecideAllocations':
      return decideAllocations(command, book);
    case 'ReleaseDecision':
      return releaseDecision(command, book);
    case 'ClosePeriod':
      return closePeriod(command, book);
    case 'AttachFundDocument':
      return book.documents.some(({ sha256 }) => sha256 === command.document.sha256)
        ? accept()
        : accept({ type: 'FundDocumentAttached', data: { document: command.document } });
  }
};

const establish = (
  { by, fund, terms, unregistered }: CommandOf<'EstablishFund'>,
  book: FundBook | undefined,
): FundDecision => {
  if (by.actor.role !== 'coordinator' && !isFundDesk(by.actor, fund)) {
    return forbidden(`The book of ${fund} is established by its own desk or by the coordinator.`);
  }
  if (book !== undefined) return refuse('already-exists', `${fund} keeps its book here already: amend it.`, 'fund');
  return termsRefusal(terms, unregistered) ?? accept({ type: 'FundEstablished', data: { fund, terms } });
};

/** What terms may never hold, whoever wrote them. */
const termsRefusal = (terms: FundTerms, unregistered: readonly string[]): FundDecision | undefined => {
  if (unregistered.length > 0) {
    return refuse(
      'unknown-party',
      `Not registered: ${unregistered.join(', ')}. Ask the coordinator to register them first.`,
    );
  }
  const overlap = overlapIn(terms.periods);
  if (overlap !== undefined) {
    return refuse('overlapping-periods', 'Accounting periods share no day.', `periods[${overlap}]`);
  }
  if (terms.reserve !== undefined && !sameMeasure(terms.reserve, moneyOf(terms, 0n))) {
    return refuse('currency-mismatch', `The reserve is money in ${terms.currency}.`, 'reserve');
  }
  return undefined;
};

const amend = ({ changes, unregistered }: CommandOf<'AmendFundTerms'>, book: FundBook): FundDecision => {
  const terms = { ...book.terms, ...changes };
  if (canonicalJson(terms) === canonicalJson(book.terms)) return accept();
  const moved = Object.keys(book.credits).length + book.bookings.length + book.decisions.length > 0;
  if (terms.currency !== book.terms.currency && moved) {
    return refuse('currency-in-use', `The book holds money in ${book.terms.currency} and stays in it.`, 'currency');
  }
  const lost = book.closedPeriods.find((closed) => !terms.periods.some((period) => samePeriod(period, closed)));
  if (lost !== undefined) {
    return refuse('period-closed', `The period ${lost.from} to ${lost.to} is closed and stays as it is.`, 'periods');
  }
  const refusal = termsRefusal(terms, unregistered);
  if (refusal !== undefined) return refusal;
  const [before, after] = [figuresOf(book), figuresOf({ ...book, terms })];
  // Nothing is allocated yet: a reserve may be set before the money for it is there, as when the book was opened.
  if (after.allocated > 0n && after.available < 0n && after.available < before.available) {
    return refuse('insufficient-funds', 'More is allocated than these terms leave: release allocations first.');
  }
  return accept({ type: 'FundTermsAmended', data: { changes } });
};

const requireOwnMoney = (terms: FundTerms, quantity: Quantity, field: string): FundDecision | undefined =>
  sameMeasure(quantity, moneyOf(terms, 0n))
    ? undefined
    : refuse('currency-mismatch', `The fund accounts in ${terms.currency}.`, field);

const bookMoney = ({ by: _, type: __, ...booking }: CommandOf<'BookFund'>, book: FundBook): FundDecision => {
  const { terms } = book;
  const mismatch =
    requireOwnMoney(terms, booking.amount, 'amount') ??
    (booking.base === undefined ? undefined : requireOwnMoney(terms, booking.base, 'base'));
  if (mismatch !== undefined) return mismatch;
  if (booking.rate !== undefined && !terms.feeRates.some(({ code }) => code === booking.rate)) {
    return refuse('unknown-rate', `The fund has no fee rate ${booking.rate}: amend its terms first.`, 'rate');
  }
  if (booking.effect === 'loss') {
    const { available, reserve } = figuresOf(book);
    // A fee is taken by choice and leaves the reserve alone; what a bank or a rate took may eat it up.
    const free = booking.kind === 'fee' ? available : available + reserve;
    if (minorUnits(booking.amount) > free) {
      return refuse(
        'insufficient-funds',
        `${formatQuantity(moneyOf(terms, free))} are not allocated: release allocations first.`,
        'amount',
      );
    }
  }
  return accept({ type: 'FundBooked', data: { n: book.bookings.length + 1, ...booking } });
};

const decideAllocations = (
  { by: _, type: __, unknown, ...decision }: CommandOf<'DecideAllocations'>,
  book: FundBook,
): FundDecision => {
  const { terms } = book;
  if (decision.window !== undefined && !terms.windows.some(({ code }) => code === decision.window)) {
    return refuse('unknown-window', `The fund has no window ${decision.window}.`, 'window');
  }
  const at = (index: number, field: string): string => `allocations[${index}].${field}`;
  for (const [index, { needId, amount, application }] of decision.allocations.entries()) {
    const mismatch = requireOwnMoney(terms, amount, at(index, 'amount'));
    if (mismatch !== undefined) return mismatch;
    if (unknown.needs.includes(needId)) return refuse('not-found', 'There is no such need.', at(index, 'needId'));
    if (application !== undefined && unknown.applications.includes(index)) {
      return refuse(
        'unknown-application',
        `No call of the fund has application ${application} for this need, or it was withdrawn, declined or found not eligible.`,
        at(index, 'application'),
      );
    }
  }
  const { available } = figuresOf(book);
  if (sum(decision.allocations.map(({ amount }) => minorUnits(amount))) > available) {
    return refuse(
      'insufficient-funds',
      `${formatQuantity(moneyOf(terms, available))} may be allocated.`,
      'allocations',
    );
  }
  return accept({ type: 'AllocationDecided', data: { n: book.decisions.length + 1, ...decision } });
};

const releaseDecision = ({ n, needId, reason }: CommandOf<'ReleaseDecision'>, book: FundBook): FundDecision => {
  const decision = book.decisions.find((each) => each.n === n);
  if (decision === undefined) return refuse('unknown-decision', `The fund has no decision ${n}.`);
  const free = decision.allocations.filter(
    (each) => (needId === undefined || each.needId === needId) && leftOf(each) > 0n,
  );
  if (free.length === 0)
    return refuse('nothing-to-release', 'Nothing of it is left: it was released, or commitments draw on it.');
  return accept(
    ...free.map((allotted): FundEvent => ({
      type: 'AllocationReleased',
      data: {
        decision: n,
        needId: allotted.needId,
        quantity: moneyOf(book.terms, leftOf(allotted)),
        ...(reason === undefined ? {} : { reason }),
      },
    })),
  );
};

const closePeriod = ({ by, period }: CommandOf<'ClosePeriod'>, book: FundBook): FundDecision => {
  if (book.closedPeriods.some((closed) => samePeriod(closed, period))) {
    return refuse('period-closed', 'The period is closed.', 'period');
  }
  const { periods } = book.terms;
  if (!periods.some((each) => samePeriod(each, period))) {
    return refuse('unknown-period', 'The fund has no such accounting period.', 'period');
  }
  if (by.at < periodEnd(period.to)) return refuse('period-not-over', `The period ends with ${period.to}.`, 'period');
  const earlier = periods.find(
    (each) => each.to < period.from && !book.closedPeriods.some((closed) => samePeriod(closed, each)),
  );
  if (earlier !== undefined) {
    return refuse('period-order', `Close the period ${earlier.from} to ${earlier.to} first.`, 'period');
  }
  return accept({ type: 'PeriodClosed', data: { period, party: by.actor.party } });
};

const credit = ({ by: _, type: __, ...given }: CommandOf<'CreditFund'>, book: FundBook): FundDecision => {
  // Money of another currency that nobody valued is not reckoned with.
  if (!sameMeasure(given.quantity, moneyOf(book.terms, 0n))) return accept();
  const known = book.credits[keyOf(given)];
  const was = known === undefined ? 0n : minorUnits(known.quantity);
  return was === minorUnits(given.quantity) ? accept() : accept({ type: 'FundCredited', data: given });
};

/**
 * Both sums only ever grow, so whatever was told late or twice, the book ends the same. What a commitment came to draw is drawn before it is
 * given back: an exit that overtook the signature frees its decision all the same.
 */
const settleUse = (command: CommandOf<'SettleUse'>, book: FundBook): FundDecision => {
  const { commitment, needId } = command;
  const before = drawingOf(book, commitment);
  const [used, released] = [minorUnits(command.used), minorUnits(command.released)];
  const uses = usesOf(book, command, used - minorUnits(before.used));
  const parts = uses.reduce((all, part) => withPart(all, part, part.quantity), before.parts);
  const releases = releasesOf(
    book.terms,
    parts,
    sum(parts.map(({ quantity }) => minorUnits(quantity))) - used + released,
  );
  return accept(
    ...uses.map((part): FundEvent => ({ type: 'AllocationUsed', data: { ...part, needId, commitment } })),
    ...releases.map((part): FundEvent => ({ type: 'AllocationReleased', data: { ...part, commitment } })),
  );
};

/** Where this much more is drawn: on the oldest decision for the need first. */
const usesOf = (
  { terms, decisions }: FundBook,
  { needId, shared, through }: Pick<CommandOf<'SettleUse'>, 'needId' | 'shared' | 'through'>,
  more: bigint,
): readonly Draw[] => {
  const standing = decisions.flatMap(({ n, allocations }) =>
    allocations
      .filter((allotted) => allotted.needId === needId && n <= through)
      .map((allotted) => ({ decision: n, left: most(leftOf(allotted), 0n) })),
  );
  const last = standing.at(-1);
  const uses: Draw[] = [];
  let open = most(more, 0n);
  for (const each of standing) {
    // Beyond all decisions it stands on the last: two signatures under one decision are a fact, and the book shows it.
    const part = each === last && !shared ? open : least(open, each.left);
    open -= part;
    if (part > 0n) uses.push({ decision: each.decision, needId, quantity: moneyOf(terms, part) });
  }
  return uses;
};

/** Where this much less is drawn: on the newest decision first. */
const releasesOf = (terms: FundTerms, parts: readonly Draw[], less: bigint): readonly Draw[] => {
  const releases: Draw[] = [];
  let open = most(less, 0n);
  for (const { decision, needId, quantity } of [...parts].reverse()) {
    const part = least(open, minorUnits(quantity));
    open -= part;
    if (part > 0n) releases.push({ decision, needId, quantity: moneyOf(terms, part) });
  }
  return releases;
};

const FUND_SCHEMAS = {
  FundEstablished: 1,
  FundTermsAmended: 1,
  FundCredited: 1,
  FundBooked: 1,
  AllocationDecided: 1,
  AllocationUsed: 1,
  AllocationReleased: 1,
  PeriodClosed: 1,
  FundDocumentAttached: 1,
} as const;

/** A fund's book: what it may allocate, what it decided, what commitments draw on it. */
export const fundDecider: Decider<FundState, FundCommand, FundEvent, FundRejection> = {
  category: 'fund',
  initial: {},
  schemas: FUND_SCHEMAS,
  decide,
  evolve,
};
