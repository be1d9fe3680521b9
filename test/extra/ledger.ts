import type { RecordedEvent } from '#kernel';
import { idOfStream } from '#kernel';

interface Amount {
  readonly measure: string;
  readonly amount: string;
}

interface LegData {
  readonly leg: number;
  readonly offerLine: number;
  readonly needLine: number;
  readonly drawn: Amount;
}

/** The parts of events that this ledger reads; in these tests every leg credits what it draws, in whole numbers of one measure. */
interface Data {
  readonly commitment: string;
  readonly leg: number;
  readonly amendment: number;
  readonly line?: number;
  readonly delivery: number;
  readonly quantity?: Amount;
  readonly confirmed?: Amount & { readonly drawn: Amount };
  readonly n: number;
  readonly party: string;
  readonly offerId: string;
  readonly needId: string;
  readonly legs: readonly LegData[];
  readonly as: string;
  readonly from: string;
  readonly amount: Amount;
  readonly lines: readonly { readonly amount: Amount }[];
  readonly contribution?: string;
  readonly source: string;
  readonly content: { readonly lines: readonly { readonly capacity?: Amount; readonly quantity?: Amount }[] };
}

/** What one amendment, or the proposal, brought to a leg. */
interface Part {
  reserved: number;
  released: number;
  committed: boolean;
  freed: number;
}

interface Tranche {
  reported: number;
  returned: number;
  confirmed: number;
}

/** A leg in the stream of an offer or a need. */
interface Account {
  line: number;
  readonly parts: Map<number, Part>;
  readonly tranches: Map<number, Tranche>;
}

interface Story {
  readonly offerId: string;
  readonly needId: string;
  /** Every leg there ever was; what has ended draws nothing. */
  readonly legs: Map<number, { readonly measure: string; drawn: number }>;
  readonly tranches: Map<number, Tranche & { readonly leg: number }>;
  hold: 'pending' | 'held' | 'refused';
  acceptance: 'none' | 'pending' | 'given';
  /** An agreed amendment, while offer or need are asked. */
  amending: boolean;
  bound: boolean;
  left: boolean;
  cancelled: boolean;
  /** Closed as confirmed. */
  closed: boolean;
  /** Uses of access lines are free again: it was confirmed, or ended. */
  rested: boolean;
  readonly signed: Set<string>;
  /** By payer. */
  readonly paid: Map<string, number>;
  received: number;
  spent: number;
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, each) => total + each, 0);
const net = ({ reported, returned }: Tranche): number => reported - returned;
const amountOf = (quantity: Amount | undefined): number => Number(quantity?.amount ?? 0);

/** The value under the key, made where there is none. */
const kept = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
};

const newTranche = (): Tranche => ({ reported: 0, returned: 0, confirmed: 0 });

/**
 * An account of the whole log kept independently of the program: what offers, needs and funds hold for each commitment, and what each
 * commitment says of itself. `faults` names every place where I1, I2 or I6 break, and everything left half-done.
 */
export class Ledger {
  readonly faults: string[] = [];
  readonly stories = new Map<string, Story>();
  private readonly limits = new Map<string, readonly number[]>();
  /** By stream, commitment and leg. */
  private readonly books = new Map<string, Map<string, Map<number, Account>>>();
  /** What commitments draw on funds, by fund and commitment. */
  private readonly draws = new Map<string, Map<string, number>>();
  /** By contribution and number: what it says arrived, and what its fund booked. */
  private readonly arrivals = new Map<string, { said: number; booked: number }>();
  private readonly types = new Map<string, number>();

  constructor(events: readonly RecordedEvent[]) {
    for (const event of events) this.read(event);
    for (const [commitment, story] of this.stories) this.settle(commitment, story);
    for (const [key, { said, booked }] of this.arrivals) {
      if (said !== booked) this.faults.push(`contribution ${key} brought ${said}, and its fund booked ${booked}`);
    }
    this.orphans();
  }

  /** How many commitments stand in each way. */
  get outcomes(): Readonly<Record<'held' | 'refused' | 'left' | 'bound' | 'cancelled', number>> {
    const count = { held: 0, refused: 0, left: 0, bound: 0, cancelled: 0 };
    for (const { hold, left, bound, cancelled } of this.stories.values()) {
      if (hold === 'refused') count.refused += 1;
      else if (cancelled) count.cancelled += 1;
      else if (left) count.left += 1;
      else if (bound) count.bound += 1;
      else if (hold === 'held') count.held += 1;
    }
    return count;
  }

  /** How many events of this type the log holds. */
  count(type: string): number {
    return this.types.get(type) ?? 0;
  }

  private read(event: RecordedEvent): void {
    const { type, stream } = event;
    this.types.set(type, this.count(type) + 1);
    const data = event.data as unknown as Data;
    if (stream.startsWith('commitment-')) this.tell(idOfStream(stream), type, data);
    else if (stream.startsWith('fund-')) this.inFund(stream, type, data);
    else if (stream.startsWith('contribution-')) {
      if (type === 'ContributionReceived') this.arrival(idOfStream(stream), data.n).said = amountOf(data.amount);
    } else this.reserve(event, data);
  }

  /** What offers and needs write. */
  private reserve({ type, stream, revision }: RecordedEvent, data: Data): void {
    const amount = amountOf(data.quantity);
    const capacity = type.replace(/^Coverage/, 'Capacity');
    if (type === 'OfferPosted' || type === 'NeedDrafted') {
      this.limits.set(
        stream,
        data.content.lines.map((line) => amountOf(line.capacity ?? line.quantity)),
      );
    }
    if (!capacity.startsWith('Capacity') && type !== 'AccessFreed') return;
    if (capacity === 'CapacityRefused') return;
    const account = this.account(stream, data.commitment, data.leg);
    if (data.line !== undefined) account.line = data.line;
    const part = kept(account.parts, data.amendment, () => ({ reserved: 0, released: 0, committed: false, freed: 0 }));
    const tranche = (): Tranche => kept(account.tranches, data.delivery, newTranche);
    switch (capacity) {
      case 'CapacityReserved':
        part.reserved += amount;
        this.limit(stream, account.line, revision);
        return;
      case 'CapacityCommitted':
      case 'CapacityBound':
        if (part.committed || amount !== part.reserved - part.released) {
          this.faults.push(
            `${stream} binds ${amount} of ${part.reserved} − ${part.released} reserved at revision ${revision}`,
          );
        }
        part.committed = true;
        return;
      case 'CapacityDelivered':
        tranche().reported += amount;
        return;
      case 'CapacityConfirmed':
        tranche().confirmed += amount;
        return;
      case 'CapacityReturned':
        tranche().returned += amount;
        tranche().confirmed -= amountOf(data.confirmed);
        return;
      case 'CapacityDeliveryCorrected':
        tranche().reported = amount;
        return;
      case 'CapacityReleased':
        part.released += amount;
        return;
      case 'AccessFreed':
        part.freed += amount;
        return;
    }
  }

  private inFund(stream: string, type: string, data: Partial<Data>): void {
    if (type === 'FundCredited' && data.source === 'received') {
      this.arrival(data.contribution ?? '', data.n ?? 0).booked = amountOf(data.quantity);
    }
    if ((type !== 'AllocationUsed' && type !== 'AllocationReleased') || data.commitment === undefined) return;
    const book = kept(this.draws, idOfStream(stream), () => new Map<string, number>());
    const sign = type === 'AllocationUsed' ? 1 : -1;
    book.set(data.commitment, (book.get(data.commitment) ?? 0) + sign * amountOf(data.quantity));
  }

  private arrival(contribution: string, n: number): { said: number; booked: number } {
    return kept(this.arrivals, `${contribution} ${n}`, () => ({ said: 0, booked: 0 }));
  }

  private tell(id: string, type: string, data: Data): void {
    if (type === 'CommitmentProposed') this.stories.set(id, begun(data));
    const story = this.stories.get(id);
    if (story === undefined) {
      this.faults.push(`${id} begins with ${type}`);
      return;
    }
    TOLD[type]?.(story, data);
    const { bound, left, cancelled, closed, legs, tranches } = story;
    if (left || cancelled || closed || (bound && isConfirmed(legs, tranches))) story.rested = true;
  }

  private account(stream: string, commitment: string, leg: number): Account {
    const book = kept(this.books, stream, () => new Map<string, Map<number, Account>>());
    const legs = kept(book, commitment, () => new Map<number, Account>());
    return kept(legs, leg, () => ({ line: 0, parts: new Map<number, Part>(), tranches: new Map<number, Tranche>() }));
  }

  /** I1 and I2, at this revision. */
  private limit(stream: string, line: number, revision: number): void {
    const limit = this.limits.get(stream)?.[line - 1] ?? 0;
    const total = sum(
      [...(this.books.get(stream)?.values() ?? [])]
        .flatMap((legs) => [...legs.values()])
        .filter((account) => account.line === line)
        .map(heldOf),
    );
    if (total > limit) {
      this.faults.push(`${stream} has promised ${total} of ${limit} of line ${line} at revision ${revision}`);
    }
  }

  private settle(id: string, story: Story): void {
    const { offerId, needId, hold, acceptance, left, amending } = story;
    const fault = (what: string): void => {
      this.faults.push(`commitment ${id}: ${what}`);
    };
    const ended = left || hold === 'refused';
    if (hold === 'pending' && !left) fault('its hold is neither granted nor refused');
    if (acceptance === 'pending' && !left) fault('its acceptance is neither taken nor refused');
    if (amending && !ended && !story.cancelled) fault('its amendment has neither come about nor failed');
    // Receipts say what was sent here, and what has none yet counts as sent.
    const sent = sum(story.paid.values());
    if (story.received > sent) fault(`${story.received} are received of ${sent}`);
    if (story.spent > sent) fault(`${story.spent} are spent of ${sent}`);
    for (const [leg, { measure, drawn }] of story.legs) {
      const tranches = [...story.tranches.values()].filter((tranche) => tranche.leg === leg);
      const delivered = sum(tranches.map(net));
      const stands = ended ? 0 : story.cancelled ? delivered : drawn;
      const inUse = measure === 'access' && story.rested ? 0 : stands;
      const expectations = [
        ['offer', `offer-${offerId}`, inUse],
        ['need', `need-${needId}`, acceptance === 'given' ? stands : 0],
      ] as const;
      for (const [side, stream, expected] of expectations) {
        const say = (what: string): void => {
          fault(`leg ${leg}: its ${side} ${what}`);
        };
        const account = this.account(stream, id, leg);
        if (heldOf(account) !== expected) say(`holds ${heldOf(account)} for it, not ${expected}`);
        for (const [n, { reserved, released, committed }] of account.parts) {
          if (reserved > released && committed !== story.bound) say(`has part ${n} ${committed ? '' : 'not '}bound`);
        }
        const counted = sum([...account.tranches.values()].map(net));
        if (counted !== delivered) say(`counts ${counted} delivered, not ${delivered}`);
        if (side === 'offer') continue;
        const confirmed = sum(tranches.map((tranche) => tranche.confirmed));
        const counts = sum([...account.tranches.values()].map((tranche) => tranche.confirmed));
        if (counts !== confirmed) say(`counts ${counts} confirmed, not ${confirmed}`);
      }
    }
    this.drawn(id, story, fault);
  }

  /** What a fund allocated to the commitment is what it binds while it lives, and what was paid or delivered once it has ended. */
  private drawn(id: string, { signed, legs, tranches, paid, ...story }: Story, fault: (what: string) => void): void {
    for (const fund of [...signed].filter((party) => party.startsWith('fund:'))) {
      const money = [...legs].filter(([, { measure }]) => measure === 'money');
      const isMoney = new Set(money.map(([leg]) => leg));
      const delivered = sum([...tranches.values()].filter(({ leg }) => isMoney.has(leg)).map(net));
      const promised = sum(money.map(([, { drawn }]) => drawn));
      const owed = story.left || story.closed ? 0 : story.cancelled ? delivered : promised;
      const expected = Math.max(owed, paid.get(fund) ?? 0);
      const drawn = this.draws.get(fund)?.get(id) ?? 0;
      if (drawn !== expected) fault(`${fund} has ${drawn} allocated to it, not ${expected}`);
    }
  }

  private orphans(): void {
    for (const [stream, book] of [...this.books, ...this.draws]) {
      for (const commitment of book.keys()) {
        if (!this.stories.has(commitment)) this.faults.push(`${stream} holds for ${commitment}, which does not exist`);
      }
    }
  }
}

const heldOf = ({ parts }: Account): number =>
  sum([...parts.values()].map(({ reserved, released, freed }) => reserved - released - freed));

const begun = ({ offerId, needId, legs }: Data): Story => ({
  offerId,
  needId,
  legs: new Map(legs.map(({ leg, drawn }) => [leg, { measure: drawn.measure, drawn: amountOf(drawn) }])),
  tranches: new Map(),
  hold: 'pending',
  acceptance: 'none',
  amending: false,
  bound: false,
  left: false,
  cancelled: false,
  closed: false,
  rested: false,
  signed: new Set(),
  paid: new Map(),
  received: 0,
  spent: 0,
});

/** All has come, and what came is confirmed. */
const isConfirmed = (legs: Story['legs'], tranches: Story['tranches']): boolean =>
  [...legs].every(([leg, { drawn }]) => {
    const own = [...tranches.values()].filter((tranche) => tranche.leg === leg);
    return sum(own.map(net)) === drawn && own.every((tranche) => tranche.confirmed > 0 || net(tranche) === 0);
  });

const exit = (story: Story): void => {
  story.left = true;
};
const resized = ({ tranches }: Story, { n, quantity }: Data): void => {
  const tranche = tranches.get(n);
  if (tranche !== undefined) tranche.reported = amountOf(quantity);
};

/** What each event of a commitment says. */
const TOLD: Readonly<Record<string, (story: Story, data: Data) => void>> = {
  CommitmentHeld: (story) => (story.hold = 'held'),
  HoldRefused: (story) => (story.hold = 'refused'),
  AcceptanceGiven: (story) => (story.acceptance = 'pending'),
  CommitmentAccepted: (story) => (story.acceptance = 'given'),
  AcceptanceRefused: (story) => (story.acceptance = 'none'),
  CommitmentDeclined: exit,
  CommitmentWithdrawn: exit,
  CommitmentLapsed: exit,
  CommitmentSigned: (story, { party }) => story.signed.add(party),
  CommitmentBound: (story) => (story.bound = true),
  CommitmentCancelled: (story) => (story.cancelled = true),
  CommitmentClosed: (story, { as }) => (story.closed = as === 'confirmed'),
  AmendmentAgreed: (story) => (story.amending = true),
  AmendmentRefused: (story) => (story.amending = false),
  CommitmentAmended: (story, { legs }) => {
    story.amending = false;
    for (const leg of story.legs.values()) leg.drawn = 0;
    for (const { leg, drawn } of legs) story.legs.set(leg, { measure: drawn.measure, drawn: amountOf(drawn) });
  },
  DeliveryReported: ({ tranches }, { n, leg, quantity }) =>
    tranches.set(n, { leg, reported: amountOf(quantity), returned: 0, confirmed: 0 }),
  DeliveryCorrected: resized,
  DisputeSettled: resized,
  DeliveryConfirmed: ({ tranches }, { n, quantity }) => {
    const tranche = tranches.get(n);
    if (tranche !== undefined) tranche.confirmed = amountOf(quantity);
  },
  ReturnReported: ({ tranches }, { delivery, quantity, confirmed }) => {
    const tranche = tranches.get(delivery);
    if (tranche === undefined) return;
    tranche.returned += amountOf(quantity);
    tranche.confirmed -= amountOf(confirmed?.drawn);
  },
  TransferReported: ({ paid }, { from, amount }) => paid.set(from, (paid.get(from) ?? 0) + amountOf(amount)),
  ReceiptReported: (story, { amount }) => (story.received += amountOf(amount)),
  ExpenditureReported: (story, { lines }) => (story.spent += sum(lines.map(({ amount }) => amountOf(amount)))),
};
