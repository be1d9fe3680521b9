import type { CommitmentEvent, Leg } from '#commitments/contract';
import type { Decider, Process, ProcessCommand, RecordedEvent } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { Quantity } from '#vocabulary';
import { minorUnits } from '#vocabulary';
import type { FundEvent } from './fund.contract.js';
import { fundDecider, moneyOf } from './fund.js';

/** What one tranche delivered, in the offer's measure, and what came back of it since. */
interface Tranche {
  readonly drawn: Quantity;
  readonly returned: readonly Quantity[];
}

/** What of a commitment says how much money of its providers it binds. */
interface Outlay {
  readonly needId?: string;
  readonly providers: readonly string[];
  readonly legs: readonly Leg[];
  /** Everybody who ever signed: an amendment voids signatures, not what they were given under. */
  readonly signed: readonly string[];
  readonly ended?: 'left' | 'cancelled' | 'confirmed';
  readonly tranches: Readonly<Record<number, Tranche>>;
  readonly paid: Readonly<Record<number, { readonly from: string; readonly amount: Quantity }>>;
  /** Per fund and currency: what it came to draw over time, and came to draw less. */
  readonly drawn: Readonly<Record<string, Drawn>>;
  /** Position of the newest event that a fund is told of. */
  readonly tellsAt: bigint;
}

/** Minor units. */
interface Drawn {
  readonly used: bigint;
  readonly released: bigint;
}

const keyOf = (fund: string, currency: string): string => `${fund} ${currency}`;

const taken = (state: Outlay, event: RecordedEvent<CommitmentEvent>): Outlay => {
  // The envelope keeps type and data apart; together they are one of the commitment's events.
  const fact = event as unknown as CommitmentEvent;
  switch (fact.type) {
    case 'CommitmentProposed': {
      const { needId, providers, legs } = fact.data;
      return { ...state, needId, providers, legs };
    }
    case 'CommitmentAmended':
      return { ...state, legs: fact.data.legs };
    case 'CommitmentSigned':
      return { ...state, signed: [...new Set([...state.signed, fact.data.party])] };
    case 'TransferReported': {
      const { n, from, to, amount } = fact.data;
      // A refund sent back and a fee to somebody else are paid, too; what a fund books with itself is for its own book.
      return from === to ? state : { ...state, paid: { ...state.paid, [n]: { from, amount } } };
    }
    case 'TransferCorrected': {
      const { n, amount } = fact.data;
      const paid = state.paid[n];
      return paid === undefined ? state : { ...state, paid: { ...state.paid, [n]: { ...paid, amount } } };
    }
    case 'DeliveryReported':
      return withTranche(state, fact.data.n, { drawn: fact.data.drawn, returned: [] });
    case 'DeliveryCorrected':
    case 'DisputeSettled':
      return withTranche(state, fact.data.n, { drawn: fact.data.drawn });
    case 'ReturnReported': {
      const { delivery, drawn } = fact.data;
      const returned = [...(state.tranches[delivery]?.returned ?? []), drawn];
      return withTranche(state, delivery, { returned });
    }
    case 'CommitmentDeclined':
    case 'CommitmentLapsed':
    case 'CommitmentWithdrawn':
      return { ...state, ended: 'left' };
    case 'CommitmentCancelled':
      return { ...state, ended: 'cancelled' };
    case 'CommitmentClosed':
      // One that ended unconfirmed comes back with a late answer; a cancelled one has ended before.
      return fact.data.as === 'confirmed' ? { ...state, ended: 'confirmed' } : state;
    default:
      return state;
  }
};

const withTranche = (state: Outlay, n: number, change: Partial<Tranche>): Outlay => {
  const before = state.tranches[n] ?? { drawn: { measure: 'undetermined', why: 'not-stated' }, returned: [] };
  return { ...state, tranches: { ...state.tranches, [n]: { ...before, ...change } } };
};

const HANDLED = [
  'CommitmentSigned',
  'CommitmentAmended',
  'CommitmentDeclined',
  'CommitmentLapsed',
  'CommitmentWithdrawn',
  'CommitmentCancelled',
  'CommitmentClosed',
  'TransferReported',
  'TransferCorrected',
  'DeliveryCorrected',
  'DisputeSettled',
  'ReturnReported',
] as const satisfies readonly CommitmentEvent['type'][];

const FOLDED = ['CommitmentProposed', 'DeliveryReported', ...HANDLED] as const;

const sumIn = (currency: string, quantities: readonly Quantity[]): bigint =>
  quantities.reduce(
    (sum, quantity) =>
      quantity.measure === 'money' && quantity.currency === currency ? sum + minorUnits(quantity) : sum,
    0n,
  );

/**
 * What the commitment draws on this provider now: its legs while it lives, what was paid or delivered once it was cancelled, what was paid
 * once it was closed as confirmed. Minor units.
 */
const levelOf = ({ legs, ended, tranches, paid }: Outlay, fund: string, currency: string): bigint => {
  const sent = sumIn(
    currency,
    Object.values(paid)
      .filter(({ from }) => from === fund)
      .map(({ amount }) => amount),
  );
  const delivered = Object.values(tranches).reduce(
    (sum, { drawn, returned }) => sum + sumIn(currency, [drawn]) - sumIn(currency, returned),
    0n,
  );
  const promised = sumIn(
    currency,
    legs.map(({ drawn }) => drawn),
  );
  const owed = ended === undefined ? promised : ended === 'cancelled' ? delivered : 0n;
  return sent > owed ? sent : owed;
};

const isFund = (party: string): boolean => party.startsWith('fund:');

const fundsOf = ({ providers, signed }: Outlay): readonly string[] =>
  providers.filter((party) => isFund(party) && signed.includes(party));

/** Whether a fund is told of this event. Payments are many, and those of others draw on no fund. */
const isTold = ({ type, data }: RecordedEvent): boolean =>
  type === 'TransferReported'
    ? isFund((data as { readonly from: string }).from)
    : (HANDLED as readonly string[]).includes(type);

/** Every rise and fall is summed as it happens, so that what is told to a fund never depends on when it is told. */
const evolve = (before: Outlay, event: RecordedEvent<CommitmentEvent>): Outlay => {
  const state = isTold(event) ? { ...taken(before, event), tellsAt: event.position } : taken(before, event);
  const currencies = new Set(
    // What was drawn before in a currency falls also where no leg is in it any more.
    [...before.legs, ...state.legs]
      .map(({ drawn }) => drawn)
      .concat(Object.values(state.paid).map(({ amount }) => amount))
      .flatMap((quantity) => (quantity.measure === 'money' ? [quantity.currency] : [])),
  );
  let drawn = state.drawn;
  for (const fund of fundsOf(state)) {
    for (const currency of currencies) {
      const { used, released } = drawn[keyOf(fund, currency)] ?? { used: 0n, released: 0n };
      const change = levelOf(state, fund, currency) - (used - released);
      const next = change > 0n ? { used: used + change, released } : { used, released: released - change };
      drawn = { ...drawn, [keyOf(fund, currency)]: next };
    }
  }
  return { ...state, drawn };
};

const outlay: Decider<Outlay, never, CommitmentEvent, never> = {
  category: 'commitment',
  initial: { providers: [], legs: [], signed: [], tranches: {}, paid: {}, drawn: {}, tellsAt: 0n },
  // Types that say nothing to it are passed over.
  schemas: Object.fromEntries(FOLDED.map((type) => [type, 1])) as Record<CommitmentEvent['type'], number>,
  decide: () => {
    throw new Error('a commitment is not decided here');
  },
  evolve,
};

/** What of a fund's book says on which decisions a telling may draw. */
interface Decisions {
  /** Absent while it keeps no book. */
  readonly currency?: string;
  /** Positions of its decisions, oldest first. */
  readonly at: readonly bigint[];
}

const decisions: Decider<Decisions, never, FundEvent, never> = {
  category: 'fund',
  initial: { at: [] },
  // Types that say nothing to it are passed over.
  schemas: { FundEstablished: 1, FundTermsAmended: 1, AllocationDecided: 1 } as Record<FundEvent['type'], number>,
  decide: () => {
    throw new Error('a fund is not decided here');
  },
  evolve: (state, event) => {
    // The envelope keeps type and data apart; together they are one of the fund's events.
    const fact = event as unknown as FundEvent;
    switch (fact.type) {
      case 'FundEstablished':
        return { ...state, currency: fact.data.terms.currency };
      case 'FundTermsAmended':
        return { ...state, ...(fact.data.changes.currency && { currency: fact.data.changes.currency }) };
      case 'AllocationDecided':
        return { ...state, at: [...state.at, event.position] };
      default:
        return state;
    }
  },
};

/**
 * Guarantees that what a fund signed for is drawn on its decisions, with what it grew by or was paid beyond, and that what a commitment
 * will not pay is free again. Reckoned from the commitment as it is now and from the decisions there were when it came to be so: late and
 * repeated events end the same.
 */
export const allocationUsing: Process = {
  name: 'allocation-using',
  handles: HANDLED,
  async react(event, reads) {
    if (!isTold(event)) return [];
    const commitment = idOfStream(event.stream);
    const { state } = await reads.load(outlay, commitment);
    const { needId, providers, drawn, tellsAt } = state;
    const commands: ProcessCommand[] = [];
    for (const fund of fundsOf(state)) {
      const { currency, at } = (await reads.load(decisions, fund)).state;
      if (currency === undefined || needId === undefined) continue;
      const sums = drawn[keyOf(fund, currency)];
      if (sums === undefined) continue;
      const used = moneyOf({ currency }, sums.used);
      const released = moneyOf({ currency }, sums.released);
      const shared = providers.length > 1;
      // A decision that came later is not for what was there before it: else an old event told again would draw on it.
      const through = at.filter((position) => position < tellsAt).length;
      commands.push(
        processCommand({
          decider: fundDecider,
          id: fund,
          key: `use ${fund}`,
          command: (by) => ({ type: 'SettleUse', by, commitment, needId, used, released, shared, through }),
        }),
      );
    }
    return commands;
  },
};
