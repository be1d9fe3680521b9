import type { CommitmentEvent } from '#commitments/contract';
import type { AnyFundEvent } from '#funds/contract';
import type { Projection, ProjectionBatch, ReadTransaction, RecordedEvent, SqlRow } from '#kernel';
import { idOfStream } from '#kernel';
import type { Quantity } from '#vocabulary';
import { isRival, lastInstant, minorUnits, quantityOf } from '#vocabulary';
import type { Booking, EntryClass, EntryEvent } from './entry.js';
import { BOOKED, ownBooking } from './entry.js';

export const HOLDER_LEDGER = 'holder-ledger';

type DataOf<E extends { readonly type: string; readonly data: object }, T extends E['type']> = Extract<
  E,
  { type: T }
>['data'];
type Transfer = DataOf<CommitmentEvent, 'TransferReported'>;
type Receipt = DataOf<CommitmentEvent, 'ReceiptReported'>;

/** What the ledger keeps of a commitment. */
export interface KnownCommitment {
  readonly providers: readonly string[];
  /** The side that is assisted: what it pays in is its own money. */
  readonly recipients: readonly string[];
  /** Money its legs draw, by currency, in minor units. */
  readonly drawn: Readonly<Record<string, string>>;
  /** What its providers paid out less what came back to them, likewise. */
  readonly paid: Readonly<Record<string, string>>;
  readonly status: 'open' | 'bound' | 'ended';
}

/** What the ledger keeps of a transfer: enough to book what is said about it later. */
interface KnownTransfer extends Pick<Transfer, 'kind' | 'from' | 'to' | 'onward' | 'amount' | 'date'> {
  readonly event: EntryEvent;
  /** Numbers of what its holder said about it. */
  readonly receipts: readonly number[];
}

/** What the ledger keeps of a contribution. */
export interface KnownContribution {
  readonly fund: string;
  readonly donor: string;
  readonly pledged: Quantity;
  readonly signed: boolean;
  readonly ended: boolean;
  /** Payments that the donor reported and the fund did not answer yet, oldest first. */
  readonly unanswered: readonly { readonly n: number; readonly event: EntryEvent }[];
  /** What the donor said it paid, and what of it the fund said came (charges on the way included), by currency, in minor units. */
  readonly paid: Readonly<Record<string, string>>;
  readonly arrived: Readonly<Record<string, string>>;
  /** In the fund's books, by currency, in minor units. */
  readonly received: Readonly<Record<string, string>>;
  readonly refunded: Readonly<Record<string, string>>;
}

/** What the ledger keeps of a fund. */
export interface KnownFund {
  readonly currency?: string;
  readonly administrator?: string;
  readonly members: readonly string[];
  readonly closed: readonly { readonly from: string; readonly to: string }[];
  /** By currency, in minor units: what was decided; what commitments draw of it, or beyond it; what was taken back; what is left to draw. */
  readonly decided: Readonly<Record<string, string>>;
  readonly used: Readonly<Record<string, string>>;
  readonly released: Readonly<Record<string, string>>;
  readonly open: Readonly<Record<string, string>>;
}

const NO_FUND: KnownFund = { members: [], closed: [], decided: {}, used: {}, released: {}, open: {} };

/** What the ledger keeps of an allocation: what is left of it in minor units, below zero where more is drawn. */
interface KnownAllocation {
  readonly left: string;
}

const COMMITMENT_EVENTS = [
  'CommitmentProposed',
  'CommitmentBound',
  'CommitmentAmended',
  'CommitmentCancelled',
  'CommitmentClosed',
  'TransferReported',
  'TransferCorrected',
  'ReceiptReported',
  'ReceiptCorrected',
  'ExpenditureReported',
] as const satisfies readonly CommitmentEvent['type'][];

const FUND_EVENTS = [
  'FundEstablished',
  'FundTermsAmended',
  'FundBooked',
  'AllocationDecided',
  'AllocationUsed',
  'AllocationReleased',
  'PeriodClosed',
  'ContributionPledged',
  'ContributionSigned',
  'ContributionPaid',
  'ContributionReceived',
  'ContributionRefunded',
  'ContributionClosed',
  'ContributionCancelled',
] as const satisfies readonly AnyFundEvent['type'][];

type CommitmentFact = Extract<CommitmentEvent, { type: (typeof COMMITMENT_EVENTS)[number] }>;
type FundFact = Extract<AnyFundEvent, { type: (typeof FUND_EVENTS)[number] }>;

/**
 * Answers: what came in and went out of each holder's hands, currency by currency, and what events say so.
 * A correction is a reversal and a new entry; a transfer counts as received until its holder says what arrived.
 */
export const holderLedger: Projection = {
  name: HOLDER_LEDGER,
  version: 4,
  handles: [...COMMITMENT_EVENTS, ...FUND_EVENTS],
  schema: `
    CREATE TABLE entry (
      holder TEXT NOT NULL,
      day TEXT NOT NULL,
      position INTEGER NOT NULL,
      nth INTEGER NOT NULL,
      currency TEXT NOT NULL,
      class TEXT NOT NULL,
      minor TEXT NOT NULL,
      counterparty TEXT,
      funds TEXT NOT NULL,
      stream TEXT NOT NULL,
      about TEXT NOT NULL,
      number INTEGER,
      origin TEXT NOT NULL,
      standing INTEGER NOT NULL,
      reversal INTEGER NOT NULL,
      unreceipted INTEGER NOT NULL,
      prior INTEGER NOT NULL,
      recorded TEXT NOT NULL,
      note TEXT,
      events TEXT NOT NULL,
      PRIMARY KEY (holder, day, position, nth)
    ) WITHOUT ROWID;
    CREATE INDEX entry_by_currency ON entry (holder, currency, day, position, nth);
    CREATE INDEX entry_by_origin ON entry (origin) WHERE standing = 1;
    CREATE TABLE day_sum (
      holder TEXT NOT NULL,
      day TEXT NOT NULL,
      currency TEXT NOT NULL,
      funds TEXT NOT NULL,
      class TEXT NOT NULL,
      minor TEXT NOT NULL,
      PRIMARY KEY (holder, day, currency, funds, class)
    ) WITHOUT ROWID;
    CREATE TABLE month_sum (
      holder TEXT NOT NULL,
      month TEXT NOT NULL,
      currency TEXT NOT NULL,
      funds TEXT NOT NULL,
      class TEXT NOT NULL,
      minor TEXT NOT NULL,
      PRIMARY KEY (holder, month, currency, funds, class)
    ) WITHOUT ROWID;
    CREATE TABLE holder_of (fund TEXT NOT NULL, holder TEXT NOT NULL, PRIMARY KEY (fund, holder)) WITHOUT ROWID;
    CREATE TABLE record_of (fund TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (fund, kind, id)) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID;
  `,
  begin: (tx) => new Batch(tx),
};

/** Money of these quantities by currency; what has no figure is left out. */
const moneyOf = (quantities: readonly Quantity[]): Record<string, string> => {
  const sums: Record<string, string> = {};
  for (const quantity of quantities) {
    if (quantity.measure !== 'money') continue;
    sums[quantity.currency] = String(BigInt(sums[quantity.currency] ?? '0') + minorUnits(quantity));
  }
  return sums;
};

const increased = (
  sums: Readonly<Record<string, string>>,
  quantity: Quantity,
  sign = 1n,
): Readonly<Record<string, string>> =>
  quantity.measure !== 'money'
    ? sums
    : {
        ...sums,
        [quantity.currency]: String(BigInt(sums[quantity.currency] ?? '0') + sign * minorUnits(quantity)),
      };

const minorIn = (sums: Readonly<Record<string, string>>, like: Quantity): bigint =>
  like.measure === 'money' ? BigInt(sums[like.currency] ?? '0') : 0n;

const fundsAmong = (parties: readonly string[]): readonly string[] =>
  [...new Set(parties.filter((party) => party.startsWith('fund:')))].sort();

class Batch implements ProjectionBatch {
  private readonly facts = new Map<string, object>();
  private readonly changed = new Set<string>();
  private readonly sums = new Map<string, bigint>();
  private readonly holders = new Set<string>();
  private nth = 0;

  constructor(private readonly tx: ReadTransaction) {}

  apply(event: RecordedEvent): void {
    this.nth = 0;
    if (event.stream.startsWith('commitment-')) {
      this.ofCommitment(event, { type: event.type, data: event.data } as CommitmentFact);
    } else {
      this.ofFund(event, { type: event.type, data: event.data } as FundFact);
    }
  }

  flush(): void {
    for (const name of this.changed) {
      this.tx.run('INSERT OR REPLACE INTO fact (name, doc) VALUES (?, ?)', name, JSON.stringify(this.facts.get(name)));
    }
    for (const [key, delta] of this.sums) {
      const [table, ...place] = JSON.parse(key) as ['day' | 'month', string, string, string, string, string];
      const row = this.tx.get(
        `SELECT minor FROM ${table}_sum WHERE holder = ? AND ${table} = ? AND currency = ? AND funds = ? AND class = ?`,
        ...place,
      );
      this.tx.run(
        `INSERT OR REPLACE INTO ${table}_sum (holder, ${table}, currency, funds, class, minor) VALUES (?, ?, ?, ?, ?, ?)`,
        ...place,
        String(BigInt((row?.minor as string | undefined) ?? '0') + delta),
      );
    }
    for (const pair of this.holders) {
      const [fund = '', holder = ''] = JSON.parse(pair) as string[];
      this.tx.run('INSERT OR IGNORE INTO holder_of (fund, holder) VALUES (?, ?)', fund, holder);
    }
  }

  private ofCommitment(event: RecordedEvent, { type, data }: CommitmentFact): void {
    const id = idOfStream(event.stream);
    const name = `commitment ${id}`;
    const known = this.fact<KnownCommitment>(name);
    const patch = (change: Partial<KnownCommitment>): void => {
      if (known !== undefined) this.put(name, { ...known, ...change });
    };
    switch (type) {
      case 'CommitmentProposed': {
        const { providers, beneficiaries, filer, legs } = data;
        this.put(name, {
          providers,
          recipients: filer.startsWith('network:') ? [...beneficiaries, filer] : beneficiaries,
          drawn: moneyOf(legs.map(({ drawn }) => drawn)),
          paid: {},
          status: 'open',
        });
        for (const fund of fundsAmong(providers)) this.belongs(fund, 'commitment', id);
        return;
      }
      case 'CommitmentBound': {
        patch({ status: 'bound' });
        return;
      }
      case 'CommitmentAmended': {
        patch({ drawn: moneyOf(data.legs.map(({ drawn }) => drawn)) });
        return;
      }
      case 'CommitmentCancelled':
      case 'CommitmentClosed': {
        patch({ status: 'ended' });
        return;
      }
      case 'TransferReported': {
        const { n, kind, from, to, onward, amount, date, effect } = data;
        const transfer: KnownTransfer = {
          kind,
          from,
          to,
          ...(onward === undefined ? {} : { onward }),
          amount,
          date,
          event: refOf(event),
          receipts: [],
        };
        this.put(`transfer ${id} ${n}`, transfer);
        if (known !== undefined) patch({ paid: paidAfter(known, transfer, 1n) });
        const own = ownBooking(kind, effect);
        if (from !== to) this.bookBoth(event, n, transfer);
        // What passes from a holder to itself otherwise moves nothing.
        else if (own !== undefined) this.bookOwn(event, n, transfer, own);
        return;
      }
      case 'TransferCorrected': {
        this.correctTransfer(event, id, data);
        return;
      }
      case 'ReceiptReported': {
        const { n, transfer } = data;
        const sent = this.fact<KnownTransfer>(`transfer ${id} ${transfer}`);
        if (sent === undefined || isOwn(sent)) return;
        this.replaceUnreceipted(event, originOf(event, 'transfer', transfer, 'in'));
        this.bookReceipt(event, sent, data);
        this.put(`transfer ${id} ${transfer}`, { ...sent, receipts: [...sent.receipts, n] });
        return;
      }
      case 'ReceiptCorrected': {
        const { n, transfer } = data;
        const sent = this.fact<KnownTransfer>(`transfer ${id} ${transfer}`);
        if (sent === undefined || isOwn(sent)) return;
        this.reverse(event, originOf(event, 'receipt', n));
        this.bookReceipt(event, sent, data);
        return;
      }
      case 'ExpenditureReported': {
        const { n, party, kind, from, to, lines, replaces = [], date, reference } = data;
        for (const replaced of replaces) this.reverse(event, originOf(event, 'expenditure', replaced));
        for (const { budgetLine, amount } of lines) {
          this.book(event, originOf(event, 'expenditure', n), {
            ...money(amount, -1n),
            holder: party,
            day: date,
            class: 'spent',
            about: 'expenditure',
            number: n,
            note: { kind, budgetLine, from, to, ...(reference === undefined ? {} : { reference }) },
            events: [refOf(event)],
          });
        }
        return;
      }
    }
  }

  private ofFund(event: RecordedEvent, { type, data }: FundFact): void {
    const id = idOfStream(event.stream);
    switch (type) {
      case 'FundEstablished': {
        const { currency, administrator, decidingBody } = data.terms;
        this.patchFund(id, {
          currency,
          ...(administrator === undefined ? {} : { administrator }),
          members: decidingBody.members,
        });
        return;
      }
      case 'FundTermsAmended': {
        const { currency, administrator, decidingBody } = data.changes;
        this.patchFund(id, {
          ...(currency === undefined ? {} : { currency }),
          ...(administrator === undefined ? {} : { administrator }),
          ...(decidingBody === undefined ? {} : { members: decidingBody.members }),
        });
        return;
      }
      case 'FundBooked': {
        const { n, kind, effect, amount, counterparty, date, rate, base, reference } = data;
        const own = ownBooking(kind, effect);
        if (own === undefined) return;
        this.book(event, originOf(event, 'booking', n), {
          ...money(amount, own.sign),
          holder: id,
          day: date,
          class: own.class,
          ...(counterparty === undefined ? {} : { counterparty }),
          about: 'booking',
          number: n,
          ...noted({ rate, base, reference }),
          events: [refOf(event)],
        });
        return;
      }
      case 'AllocationDecided': {
        for (const { needId, amount } of data.allocations) {
          this.patchFund(id, { decided: increased(this.fund(id).decided, amount) });
          this.allot(id, data.n, needId, amount, minorUnits(amount));
        }
        return;
      }
      case 'AllocationUsed': {
        const { decision, needId, quantity } = data;
        this.patchFund(id, { used: increased(this.fund(id).used, quantity) });
        this.allot(id, decision, needId, quantity, -minorUnits(quantity));
        return;
      }
      case 'AllocationReleased': {
        const { decision, needId, commitment, quantity } = data;
        const freed = minorUnits(quantity);
        if (commitment === undefined) {
          this.patchFund(id, { released: increased(this.fund(id).released, quantity) });
          this.allot(id, decision, needId, quantity, -freed);
          return;
        }
        // What was drawn beyond the decision was never allocated, and is not taken back from it.
        const beyond = -this.leftOf(id, decision, needId);
        const own = beyond < 0n ? 0n : beyond < freed ? beyond : freed;
        this.patchFund(id, {
          used: increased(this.fund(id).used, quantity, -1n),
          released: increased(this.fund(id).released, quantityOf(quantity, freed - own)),
        });
        this.allot(id, decision, needId, quantity, own);
        return;
      }
      case 'PeriodClosed': {
        const { from, to } = data.period;
        this.patchFund(id, { closed: [...this.fund(id).closed, { from, to }] });
        return;
      }
      case 'ContributionPledged': {
        const { fund, donor, amount } = data;
        this.belongs(fund, 'contribution', id);
        this.put(`contribution ${id}`, {
          fund,
          donor,
          pledged: amount,
          signed: false,
          ended: false,
          unanswered: [],
          paid: {},
          arrived: {},
          received: {},
          refunded: {},
        });
        return;
      }
      default: {
        const known = this.fact<KnownContribution>(`contribution ${id}`);
        if (known !== undefined) {
          this.put(`contribution ${id}`, this.ofContribution(event, known, { type, data } as FundFact));
        }
      }
    }
  }

  /** Changes what is left of an allocation, and with it what stands open of all. */
  private allot(fund: string, decision: number, needId: string, like: Quantity, change: bigint): void {
    const before = this.leftOf(fund, decision, needId);
    const after = before + change;
    this.put(`allocation ${fund} ${decision} ${needId}`, { left: String(after) });
    const opened = (after > 0n ? after : 0n) - (before > 0n ? before : 0n);
    this.patchFund(fund, { open: increased(this.fund(fund).open, quantityOf(like, opened)) });
  }

  private leftOf(fund: string, decision: number, needId: string): bigint {
    return BigInt(this.fact<KnownAllocation>(`allocation ${fund} ${decision} ${needId}`)?.left ?? '0');
  }

  private ofContribution(event: RecordedEvent, known: KnownContribution, { type, data }: FundFact): KnownContribution {
    const { fund, donor } = known;
    switch (type) {
      case 'ContributionSigned':
        return { ...known, signed: true };
      case 'ContributionClosed':
      case 'ContributionCancelled':
        return { ...known, ended: true };
      case 'ContributionPaid': {
        const { n, amount, date, reference } = data;
        const shared = { day: date, about: 'payment', number: n, ...noted({ reference }), events: [refOf(event)] };
        this.book(
          event,
          originOf(event, 'payment', n),
          {
            ...shared,
            ...money(amount, -1n),
            holder: donor,
            class: 'passed-on',
            counterparty: fund,
          },
          [fund],
        );
        const paid = increased(known.paid, amount);
        // The fund was first to tell: what it said came is this payment, and is there already.
        if (minorIn(known.arrived, amount) > minorIn(known.paid, amount)) return { ...known, paid };
        this.book(event, originOf(event, 'payment', n, 'in'), {
          ...shared,
          ...money(amount, 1n),
          holder: fund,
          class: 'received',
          counterparty: donor,
          unreceipted: true,
        });
        return { ...known, paid, unanswered: [...known.unanswered, { n, event: refOf(event) }] };
      }
      case 'ContributionReceived': {
        const { n, payment, amount, credited, rate, charges, date, reference } = data;
        // A receipt that names no payment answers the oldest one: counted twice it would be money that never was.
        const answered = known.unanswered.find((paid) => payment === undefined || paid.n === payment);
        if (answered !== undefined) this.replaceUnreceipted(event, originOf(event, 'payment', answered.n, 'in'));
        const booked = credited ?? amount;
        this.book(event, originOf(event, 'receipt', n), {
          ...money(booked, 1n),
          holder: fund,
          day: date,
          class: 'received',
          counterparty: donor,
          about: 'receipt',
          number: n,
          ...noted({ ...(credited === undefined ? {} : { arrived: amount }), rate, charges, reference }),
          events: [...(answered === undefined ? [] : [answered.event]), refOf(event)],
        });
        return {
          ...known,
          unanswered: known.unanswered.filter((paid) => paid !== answered),
          arrived: [amount, ...(charges === undefined ? [] : [charges])].reduce(
            (sums, part) => increased(sums, part),
            known.arrived,
          ),
          received: increased(known.received, booked),
        };
      }
      case 'ContributionRefunded': {
        const { n, amount, credited, rate, date, reference } = data;
        const shared = { day: date, about: 'refund', number: n, events: [refOf(event)] };
        this.book(event, originOf(event, 'refund', n), {
          ...shared,
          ...money(credited ?? amount, -1n),
          holder: fund,
          class: 'refund-paid',
          counterparty: donor,
          ...noted({ ...(credited === undefined ? {} : { paid: amount }), rate, reference }),
        });
        this.book(
          event,
          originOf(event, 'refund', n, 'in'),
          {
            ...shared,
            ...money(amount, 1n),
            holder: donor,
            class: 'refund-received',
            counterparty: fund,
            unreceipted: true,
            ...noted({ reference }),
          },
          [fund],
        );
        return { ...known, refunded: increased(known.refunded, credited ?? amount) };
      }
      default:
        return known;
    }
  }

  private bookOwn(
    event: RecordedEvent,
    n: number,
    { to, amount, date }: KnownTransfer,
    own: { readonly class: EntryClass; readonly sign: bigint },
  ): void {
    this.book(event, originOf(event, 'transfer', n), {
      ...money(amount, own.sign),
      holder: to,
      day: date,
      class: own.class,
      about: 'transfer',
      number: n,
      events: [refOf(event)],
    });
  }

  private bookBoth(event: RecordedEvent, n: number, transfer: KnownTransfer, into = true): void {
    const { kind, from, to, amount, date } = transfer;
    const shared = { day: date, about: 'transfer', number: n, events: [refOf(event)] };
    this.book(event, originOf(event, 'transfer', n), {
      ...shared,
      ...money(amount, -1n),
      holder: from,
      class: BOOKED[kind].out,
      counterparty: to,
    });
    const commitment = this.fact<KnownCommitment>(`commitment ${idOfStream(event.stream)}`);
    if (commitment !== undefined && isOwnMoney(commitment, transfer)) {
      this.book(event, originOf(event, 'transfer', n), { ...shared, ...money(amount, 1n), holder: from, class: 'own' });
    }
    if (!into) return;
    this.book(event, originOf(event, 'transfer', n, 'in'), {
      ...shared,
      ...money(amount, 1n),
      holder: to,
      class: BOOKED[kind].in,
      counterparty: from,
      unreceipted: true,
    });
  }

  private correctTransfer(event: RecordedEvent, id: string, data: DataOf<CommitmentEvent, 'TransferCorrected'>): void {
    const { n, amount, date } = data;
    const name = `transfer ${id} ${n}`;
    const known = this.fact<KnownTransfer>(name);
    if (known === undefined) return;
    const corrected: KnownTransfer = { ...known, amount, date };
    this.put(name, corrected);
    const commitment = this.fact<KnownCommitment>(`commitment ${id}`);
    if (commitment !== undefined) {
      const without = { ...commitment, paid: paidAfter(commitment, known, -1n) };
      this.put(`commitment ${id}`, { ...without, paid: paidAfter(without, corrected, 1n) });
    }
    const [own] = this.reverse(event, originOf(event, 'transfer', n));
    if (isOwn(known)) {
      // The kind and direction stay those of the entry that was turned.
      if (own !== undefined) {
        const sign = BigInt(own.minor as string) < 0n ? -1n : 1n;
        this.bookOwn(event, n, corrected, { class: own.class as EntryClass, sign });
      }
      return;
    }
    this.reverse(event, originOf(event, 'transfer', n, 'in'));
    this.bookBoth(event, n, corrected, known.receipts.length === 0);
  }

  private bookReceipt(
    event: RecordedEvent,
    { kind, from, to, event: sentBy }: KnownTransfer,
    { n, transfer, amount, credited, rate, charges, date, reference }: Omit<Receipt, 'party' | 'discrepancy'>,
  ): void {
    this.book(event, originOf(event, 'receipt', n), {
      ...money(credited ?? amount, 1n),
      holder: to,
      day: date,
      class: BOOKED[kind].in,
      counterparty: from,
      about: 'receipt',
      number: n,
      ...noted({ transfer, ...(credited === undefined ? {} : { arrived: amount }), rate, charges, reference }),
      events: [sentBy, refOf(event)],
    });
  }

  private book(
    event: RecordedEvent,
    origin: string,
    booking: Booking,
    concerned: readonly string[] = [],
    reversal = false,
  ): void {
    const { holder, currency, minor } = booking;
    const day = lastInstant(booking.day).slice(0, 10);
    const commitment = event.stream.startsWith('commitment-')
      ? this.fact<KnownCommitment>(`commitment ${idOfStream(event.stream)}`)
      : undefined;
    const funds = fundsAmong([...(commitment?.providers ?? []), ...concerned, holder]);
    const prior = funds.some((fund) => this.fund(fund).closed.some(({ from, to }) => from <= day && day <= to));
    this.nth += 1;
    this.tx.run(
      `INSERT INTO entry (holder, day, position, nth, currency, class, minor, counterparty, funds, stream, about, number, origin,
        standing, reversal, unreceipted, prior, recorded, note, events)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      holder,
      day,
      event.position,
      this.nth,
      currency,
      booking.class,
      String(minor),
      booking.counterparty ?? null,
      funds.join(' '),
      event.stream,
      booking.about,
      booking.number ?? null,
      origin,
      reversal ? 0 : 1,
      reversal ? 1 : 0,
      booking.unreceipted === true ? 1 : 0,
      prior ? 1 : 0,
      event.metadata.recordedAt,
      booking.note === undefined ? null : JSON.stringify(booking.note),
      JSON.stringify(booking.events),
    );
    this.count(holder, day, currency, funds.join(' '), booking.class, minor);
    for (const fund of funds) this.holders.add(JSON.stringify([fund, holder]));
  }

  /** Turns every standing entry of this origin by an opposite one of the same day. Answers what was turned. */
  private reverse(event: RecordedEvent, origin: string): readonly SqlRow[] {
    const rows = this.standing(origin);
    for (const row of rows) {
      this.tx.run(
        'UPDATE entry SET standing = 0 WHERE holder = ? AND day = ? AND position = ? AND nth = ?',
        ...placeOf(row),
      );
      this.book(
        event,
        origin,
        {
          holder: row.holder as string,
          currency: row.currency as string,
          day: row.day as string,
          class: row.class as EntryClass,
          minor: -BigInt(row.minor as string),
          ...(row.counterparty === null ? {} : { counterparty: row.counterparty as string }),
          about: row.about as string,
          ...(row.number === null ? {} : { number: Number(row.number) }),
          unreceipted: row.unreceipted === 1,
          events: [...(JSON.parse(row.events as string) as EntryEvent[]), refOf(event)],
        },
        (row.funds as string).split(' '),
        true,
      );
    }
    return rows;
  }

  /** The holder's own word takes the place of the payer's; in books already closed nothing disappears, it is turned. */
  private replaceUnreceipted(event: RecordedEvent, origin: string): void {
    const rows = this.standing(origin);
    const closed = rows.some(({ funds, day }) =>
      (funds as string)
        .split(' ')
        .some((fund) =>
          this.fund(fund).closed.some(({ from, to }) => from <= (day as string) && (day as string) <= to),
        ),
    );
    if (closed) {
      this.reverse(event, origin);
      return;
    }
    for (const row of rows) {
      this.tx.run('DELETE FROM entry WHERE holder = ? AND day = ? AND position = ? AND nth = ?', ...placeOf(row));
      this.count(
        row.holder as string,
        row.day as string,
        row.currency as string,
        row.funds as string,
        row.class as EntryClass,
        -BigInt(row.minor as string),
      );
    }
  }

  private standing(origin: string): SqlRow[] {
    return this.tx.all('SELECT * FROM entry WHERE origin = ? AND standing = 1 ORDER BY position, nth', origin);
  }

  private count(holder: string, day: string, currency: string, funds: string, of: EntryClass, minor: bigint): void {
    for (const key of [
      JSON.stringify(['day', holder, day, currency, funds, of]),
      JSON.stringify(['month', holder, day.slice(0, 7), currency, funds, of]),
    ]) {
      this.sums.set(key, (this.sums.get(key) ?? 0n) + minor);
    }
  }

  private belongs(fund: string, kind: 'commitment' | 'contribution', id: string): void {
    this.tx.run('INSERT OR IGNORE INTO record_of (fund, kind, id) VALUES (?, ?, ?)', fund, kind, id);
  }

  private fund(id: string): KnownFund {
    return (id.startsWith('fund:') ? this.fact<KnownFund>(`fund ${id}`) : undefined) ?? NO_FUND;
  }

  private patchFund(id: string, change: Partial<KnownFund>): void {
    this.put(`fund ${id}`, { ...this.fund(id), ...change });
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the name of a fact decides its type
  private fact<T extends object>(name: string): T | undefined {
    const known = this.facts.get(name);
    if (known !== undefined) return known as T;
    const row = this.tx.get('SELECT doc FROM fact WHERE name = ?', name);
    if (row === undefined) return undefined;
    const read = JSON.parse(row.doc as string) as T;
    this.facts.set(name, read);
    return read;
  }

  private put(
    name: string,
    value: KnownCommitment | KnownTransfer | KnownContribution | KnownFund | KnownAllocation,
  ): void {
    this.facts.set(name, value);
    this.changed.add(name);
  }
}

const originOf = (event: RecordedEvent, about: string, n: number, end = 'out'): string =>
  `${event.stream} ${about} ${n} ${end}`;

const refOf = ({ id, type, position, stream }: RecordedEvent): EntryEvent => ({
  eventId: id,
  type,
  position: String(position),
  stream,
});

/** A State that co-finances pays its own money in: it has not come through the commitment. */
const isOwnMoney = ({ recipients }: KnownCommitment, { kind, from, onward }: KnownTransfer): boolean =>
  kind === 'contribution' && onward === undefined && recipients.includes(from);

const placeOf = ({ holder, day, position, nth }: SqlRow): [string, string, number | bigint, number] => [
  holder as string,
  day as string,
  position as number | bigint,
  nth as number,
];

const isOwn = ({ from, to }: Pick<Transfer, 'from' | 'to'>): boolean => from === to;

const currencyOf = (quantity: Quantity): string =>
  quantity.measure === 'money' ? quantity.currency : quantity.measure;

const money = (amount: Quantity, sign: bigint): Pick<Booking, 'currency' | 'minor'> => ({
  currency: currencyOf(amount),
  minor: isRival(amount) ? sign * minorUnits(amount) : 0n,
});

const noted = (parts: Readonly<Record<string, unknown>>): Pick<Booking, 'note'> => {
  const given = Object.entries(parts).filter(([, value]) => value !== undefined);
  return given.length === 0 ? {} : { note: Object.fromEntries(given) };
};

/** What providers paid out less what came back to them, after this transfer. */
const paidAfter = (
  { providers, paid }: KnownCommitment,
  { from, to, amount }: KnownTransfer,
  sign: bigint,
): Readonly<Record<string, string>> => {
  const out = providers.includes(from) && !providers.includes(to) ? increased(paid, amount, sign) : paid;
  return providers.includes(to) && !providers.includes(from) ? increased(out, amount, -sign) : out;
};
