import fc from 'fast-check';
import type { RecordedEvent } from '#kernel';
import { recordedEvent } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { minorUnits } from '#vocabulary';

/** Money that people say moved: what the generated events below are drawn from. */
export interface Action {
  readonly does: (typeof KINDS)[number];
  readonly a: number;
  readonly b: number;
  readonly amount: number;
  readonly day: number;
}

const KINDS = [
  'transfer',
  'receipt',
  'correct-transfer',
  'correct-receipt',
  'refund',
  'own',
  'spend',
  'certify',
  'pay-in',
  'arrive',
  'pay-back',
  'book',
  'close-period',
] as const;

export const ACTIONS = fc.array(
  fc.record({
    does: fc.constantFrom(...KINDS, 'transfer' as const, 'receipt' as const),
    a: fc.nat(50),
    b: fc.nat(50),
    amount: fc.integer({ min: 1, max: 9_000 }),
    day: fc.nat(120),
  }),
  { minLength: 1, maxLength: 40 },
);

export const FUND = 'fund:unscar';
export const DONOR = 'donor:japan';
const AGENCIES = ['agency:cavr', 'agency:ngo', 'agency:paymaster'] as const;
const CURRENCIES = ['USD', 'EUR', 'JPY'] as const;
const COMMITMENTS = ['c1', 'c2'] as const;
/** A commitment of the fund, and one of a donor. */
const PROVIDERS = [FUND, DONOR] as const;

const text = (currency: string, minor: number): string =>
  currency === 'JPY' ? String(minor) : `${Math.trunc(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
export const cash = (currency: string, minor: number): Quantity => ({
  measure: 'money',
  currency,
  amount: text(currency, minor),
});

/** Day 0 is 1 January 2026. */
export const dayAt = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);

const at = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];

interface Sent {
  readonly commitment: string;
  readonly n: number;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly of?: Sent;
  amount: Quantity;
}

interface Arrived {
  readonly of: Sent;
  readonly n: number;
  booked: Quantity;
}

interface Payment {
  readonly n: number;
  readonly amount: Quantity;
  answered: boolean;
}

/** Everything that stands after the events so far, kept plainly: balances are reckoned from it anew each time. */
class World {
  readonly events: RecordedEvent[] = [];
  /** After each event, balances by `holder currency`, nothing left out but zeros. */
  readonly balances: ReadonlyMap<string, bigint>[] = [];
  private readonly revisions = new Map<string, number>();
  private readonly sent: Sent[] = [];
  private readonly arrived: Arrived[] = [];
  private readonly own: { holder: string; amount: Quantity; sign: bigint }[] = [];
  private spent: { commitment: string; n: number; party: string; kind: string; lines: Quantity[] }[] = [];
  private readonly payments: Payment[] = [];
  private readonly receipts: Quantity[] = [];
  private readonly refunds: Quantity[] = [];
  private readonly numbers = new Map<string, number>();

  constructor() {
    this.write('contribution-k1', 'ContributionPledged', {
      fund: FUND,
      donor: DONOR,
      amount: cash('USD', 1_000_000),
      date: dayAt(0),
      visibility: 'members',
    });
    COMMITMENTS.forEach((id, index) => {
      this.write(`commitment-${id}`, 'CommitmentProposed', {
        providers: [PROVIDERS[index]],
        beneficiaries: ['state:VUT'],
        filer: 'state:VUT',
        legs: [],
      });
    });
    // Something in every hand, so that few actions are left out for want of money.
    for (const to of AGENCIES) {
      for (const currency of CURRENCIES) {
        this.send(
          { commitment: 'c2', n: 0, kind: 'disbursement', from: DONOR, to, amount: cash(currency, 15_000) },
          dayAt(0),
        );
      }
    }
  }

  act({ does, a, b, amount, day }: Action): void {
    const currency = at(CURRENCIES, b) ?? 'USD';
    const money = cash(currency, amount);
    const date = dayAt(day);
    switch (does) {
      case 'transfer': {
        const commitment = at(COMMITMENTS, a) ?? 'c1';
        const provider = commitment === 'c1' ? FUND : DONOR;
        // Down the line only, so that the graph has no cycle.
        const line = [provider, ...AGENCIES];
        const from = b % AGENCIES.length;
        const [payer, payee] = [line[from] ?? provider, line[from + 1 + (a % (line.length - from - 1))] ?? provider];
        const sent = {
          commitment,
          n: 0,
          kind: from === 0 ? 'disbursement' : a % 4 === 0 ? 'fee' : 'onward-grant',
          from: payer,
          to: payee,
          amount: money,
        };
        this.send(sent, date);
        return;
      }
      case 'refund': {
        const of = at(
          this.sent.filter(({ kind }) => kind !== 'refund'),
          a,
        );
        if (of === undefined) return;
        const back = this.sent
          .filter((each) => each.of === of)
          .reduce((sum, each) => sum + minorUnits(each.amount), 0n);
        if (back + BigInt(amount) > minorUnits(of.amount) || of.amount.measure !== 'money') return;
        const { commitment, from, to } = of;
        this.send(
          { commitment, n: 0, kind: 'refund', from: to, to: from, of, amount: cash(of.amount.currency, amount) },
          date,
        );
        return;
      }
      case 'receipt': {
        const of = at(this.sent, a);
        if (of === undefined || this.arrived.some((each) => each.of === of && b % 3 !== 0)) return;
        const n = this.next(`${of.commitment} receipt`);
        const arrived: Arrived = { of, n, booked: b % 5 === 0 ? cash('EUR', amount) : less(of.amount, amount % 3) };
        this.arrived.push(arrived);
        if (!this.isSound()) {
          this.arrived.pop();
          this.numbers.set(`${of.commitment} receipt`, n - 1);
          return;
        }
        this.write(`commitment-${of.commitment}`, 'ReceiptReported', { ...receiptData(arrived), party: of.to, date });
        return;
      }
      case 'correct-receipt': {
        const arrived = at(this.arrived, a);
        if (arrived === undefined) return;
        const before = arrived.booked;
        arrived.booked = b % 4 === 0 ? cash('EUR', amount) : less(arrived.of.amount, amount % 5);
        if (!this.isSound()) {
          arrived.booked = before;
          return;
        }
        this.write(`commitment-${arrived.of.commitment}`, 'ReceiptCorrected', {
          ...receiptData(arrived),
          date,
          reason: 'misread',
        });
        return;
      }
      case 'correct-transfer': {
        const sent = at(
          this.sent.filter((each) => !this.arrived.some(({ of }) => of === each)),
          a,
        );
        if (sent?.amount.measure !== 'money') return;
        const before = sent.amount;
        sent.amount = cash(sent.amount.currency, amount);
        if (!this.isSound()) {
          sent.amount = before;
          return;
        }
        this.write(`commitment-${sent.commitment}`, 'TransferCorrected', {
          n: sent.n,
          amount: sent.amount,
          date,
          reason: 'misread',
        });
        return;
      }
      case 'own': {
        const holder = at(AGENCIES, a) ?? AGENCIES[0];
        const [kind = 'interest', sign = 1n, effect] = at(OWN, b) ?? [];
        this.own.push({ holder, amount: money, sign });
        if (!this.isSound()) {
          this.own.pop();
          return;
        }
        this.write('commitment-c1', 'TransferReported', {
          n: this.next('c1 transfer'),
          kind,
          from: holder,
          to: holder,
          amount: money,
          ...(effect === undefined ? {} : { effect }),
          date,
        });
        return;
      }
      case 'spend':
      case 'certify': {
        const party = at(AGENCIES, a) ?? AGENCIES[0];
        const interim = this.spent.filter((each) => each.party === party && each.kind === 'interim');
        const kind = does === 'certify' ? 'certified' : 'interim';
        const before = this.spent;
        const n = this.next('c1 expenditure');
        const report = { commitment: 'c1', n, party, kind, lines: [money, cash('USD', (amount % 7) + 1)] };
        this.spent = [...before.filter((each) => does === 'spend' || !interim.includes(each)), report];
        if (!this.isSound()) {
          this.spent = before;
          this.numbers.set('c1 expenditure', n - 1);
          return;
        }
        this.write('commitment-c1', 'ExpenditureReported', {
          n,
          party,
          kind,
          from: date,
          to: date,
          lines: report.lines.map((line, index) => ({ budgetLine: `B${index}`, amount: line })),
          ...(kind === 'certified' ? { replaces: interim.map((each) => each.n) } : {}),
          date,
        });
        return;
      }
      case 'pay-in': {
        const n = this.payments.length + 1;
        this.payments.push({ n, amount: money, answered: this.hasComeAlready(currency) });
        this.write('contribution-k1', 'ContributionPaid', { n, amount: money, date });
        return;
      }
      case 'arrive': {
        const payment = at(
          this.payments.filter(({ answered }) => !answered),
          0,
        );
        if (payment !== undefined) payment.answered = true;
        const booked = b % 2 === 0 || payment === undefined ? money : less(payment.amount, amount % 3);
        this.receipts.push(booked);
        if (!this.isSound()) {
          this.receipts.pop();
          if (payment !== undefined) payment.answered = false;
          return;
        }
        this.write('contribution-k1', 'ContributionReceived', {
          n: this.receipts.length,
          ...(payment === undefined || a % 2 === 0 ? {} : { payment: payment.n }),
          amount: booked,
          date,
        });
        return;
      }
      case 'pay-back': {
        this.refunds.push(money);
        if (!this.isSound()) {
          this.refunds.pop();
          return;
        }
        this.write('contribution-k1', 'ContributionRefunded', { n: this.refunds.length, amount: money, date });
        return;
      }
      case 'book': {
        const [kind = 'interest', sign = 1n] = at(OWN, b) ?? [];
        this.own.push({ holder: FUND, amount: money, sign });
        if (!this.isSound()) {
          this.own.pop();
          return;
        }
        const effect = sign === 1n ? 'gain' : 'loss';
        this.write(`fund-${FUND}`, 'FundBooked', { n: this.next('booking'), kind, effect, amount: money, date });
        return;
      }
      case 'close-period': {
        const from = dayAt(30 * (a % 4));
        this.write(`fund-${FUND}`, 'PeriodClosed', { period: { from, to: dayAt(30 * (a % 4) + 29) }, party: FUND });
        return;
      }
    }
  }

  /** The fund told of more than the donor said it paid: what the donor tells next is that. */
  private hasComeAlready(currency: string): boolean {
    const sumIn = (amounts: readonly Quantity[]): bigint =>
      amounts.reduce(
        (sum, amount) => (amount.measure === 'money' && amount.currency === currency ? sum + minorUnits(amount) : sum),
        0n,
      );
    return sumIn(this.receipts) > sumIn(this.payments.map(({ amount }) => amount));
  }

  private send(sent: Sent, date: string): void {
    const numbered = { ...sent, n: this.next(`${sent.commitment} transfer`) };
    this.sent.push(numbered);
    if (!this.isSound()) {
      this.sent.pop();
      this.numbers.set(`${sent.commitment} transfer`, numbered.n - 1);
      return;
    }
    const { commitment, of, n, kind, from, to, amount } = numbered;
    this.write(`commitment-${commitment}`, 'TransferReported', {
      n,
      kind,
      from,
      to,
      amount,
      ...(of === undefined ? {} : { of: of.n }),
      date,
    });
  }

  private next(of: string): number {
    const n = (this.numbers.get(of) ?? 0) + 1;
    this.numbers.set(of, n);
    return n;
  }

  /** What the deciders see to: nobody passes on more than it has; a donor pays from its own budget. */
  private isSound(): boolean {
    return [...this.standing()].every(([key, minor]) => key.startsWith(DONOR) || minor >= 0n);
  }

  private standing(): Map<string, bigint> {
    const balances = new Map<string, bigint>();
    const add = (holder: string, amount: Quantity, sign: bigint): void => {
      if (amount.measure !== 'money') return;
      const key = `${holder} ${amount.currency}`;
      balances.set(key, (balances.get(key) ?? 0n) + sign * minorUnits(amount));
    };
    for (const sent of this.sent) {
      add(sent.from, sent.amount, -1n);
      const arrived = this.arrived.filter(({ of }) => of === sent);
      if (arrived.length === 0) add(sent.to, sent.amount, 1n);
      for (const { booked } of arrived) add(sent.to, booked, 1n);
    }
    for (const { holder, amount, sign } of this.own) add(holder, amount, sign);
    for (const { party, lines } of this.spent) for (const line of lines) add(party, line, -1n);
    for (const { amount, answered } of this.payments) {
      add(DONOR, amount, -1n);
      if (!answered) add(FUND, amount, 1n);
    }
    for (const amount of this.receipts) add(FUND, amount, 1n);
    for (const amount of this.refunds) {
      add(FUND, amount, -1n);
      add(DONOR, amount, 1n);
    }
    return balances;
  }

  private write(stream: string, type: string, data: object): void {
    const revision = this.revisions.get(stream) ?? 0;
    this.revisions.set(stream, revision + 1);
    this.events.push(recordedEvent(stream, revision, { type, data }, {}, BigInt(this.events.length * 3 + 1)));
    this.balances.push(new Map([...this.standing()].filter(([, minor]) => minor !== 0n)));
  }
}

const OWN = [
  ['interest', 1n],
  ['programme-income', 1n],
  ['fee', -1n],
  ['bank-charge', -1n],
  ['exchange-difference', 1n, 'gain'],
  ['exchange-difference', -1n, 'loss'],
] as const;

const less = (amount: Quantity, by: number): Quantity => {
  if (amount.measure !== 'money') return amount;
  const minor = Number(minorUnits(amount)) - by;
  return cash(amount.currency, minor > 0 ? minor : 1);
};

const receiptData = ({ of, n, booked }: Arrived): object => {
  const same = of.amount.measure === 'money' && booked.measure === 'money' && of.amount.currency === booked.currency;
  return {
    n,
    transfer: of.n,
    amount: same ? booked : of.amount,
    ...(same ? {} : { credited: booked, rate: '1.1' }),
  };
};

/** The events of these actions, those left out that a decider would refuse, and the balances after each event. */
export const playedOut = (actions: readonly Action[]): Pick<World, 'events' | 'balances'> => {
  const world = new World();
  for (const action of actions) world.act(action);
  return world;
};
