import type { Quantity } from '#vocabulary';
import { formatQuantity, measureKey, minorUnits, quantityOf } from '#vocabulary';
import type { Check } from './check.js';
import { finding } from './check.js';
import type { Facts } from './facts.js';
import { dayOf, later, providersOf, push, recipientsOf, replacedReports, receiptsOf, transfersOf } from './facts.js';

interface Movement {
  readonly day: string;
  /** Positive: the holder has it; negative: it is spent, passed on or given back. */
  readonly amount: bigint;
  readonly like: Quantity;
  readonly events: readonly string[];
}

/** What moved for every holder that is not a provider, by commitment, holder and currency. */
const movementsOf = (facts: Facts): ReadonlyMap<string, readonly Movement[]> => {
  const providers = providersOf(facts);
  const recipients = recipientsOf(facts);
  const accounts = new Map<string, Movement[]>();
  const book = (
    stream: string,
    holder: string,
    quantity: Quantity,
    sign: bigint,
    date: string,
    events: readonly string[],
  ): void => {
    if (providers.get(stream)?.includes(holder) ?? false) return;
    push(accounts, JSON.stringify([stream, holder, measureKey(quantity)]), {
      day: dayOf(date),
      amount: sign * minorUnits(quantity),
      like: quantity,
      events,
    });
  };
  const receipts = new Map<string, ReturnType<typeof receiptsOf>[number][]>();
  for (const receipt of receiptsOf(facts)) push(receipts, `${receipt.stream} ${receipt.data.transfer}`, receipt);
  for (const { stream, data, events } of transfersOf(facts)) {
    const { kind, from, to, amount, date, effect, n, onward } = data;
    if (from === to) {
      const gain =
        kind === 'interest' || kind === 'programme-income' || (kind === 'exchange-difference' && effect === 'gain');
      book(stream, from, amount, gain ? 1n : -1n, date, events);
      continue;
    }
    // What an assisted party pays in of its own comes out of no advance.
    const own = kind === 'contribution' && onward === undefined && (recipients.get(stream)?.includes(from) ?? false);
    if (!own) book(stream, from, amount, -1n, date, events);
    const arrived = receipts.get(`${stream} ${n}`) ?? [];
    // A transfer that nobody receipted yet counts as sent; charges on the way are not the holder's to account for.
    if (arrived.length === 0) book(stream, to, amount, 1n, date, events);
    for (const receipt of arrived) {
      book(stream, to, receipt.data.credited ?? receipt.data.amount, 1n, date, [...events, ...receipt.events]);
    }
  }
  const reports = facts.of('ExpenditureReported');
  const replaced = replacedReports(facts);
  for (const { stream, data, eventId } of reports) {
    if (replaced.has(`${stream} ${data.party} ${data.n}`)) continue;
    for (const { amount } of data.lines) book(stream, data.party, amount, -1n, data.date, [eventId]);
  }
  return accounts;
};

/** Money that a holder has had for long without accounting for it: what it spent or passed on is taken from its oldest money. */
export const advancesAgeing: Check = {
  name: 'advances-ageing',
  looksFor:
    'Money that a holder has held for longer than allowed without spending it, passing it on or giving it back.',
  takesDate: true,
  days: { means: 'Days that an advance may stand', byDefault: 180 },
  reads: [
    'CommitmentProposed',
    'TransferReported',
    'TransferCorrected',
    'ReceiptReported',
    'ReceiptCorrected',
    'ExpenditureReported',
  ],
  find: (facts, { onDate, days }) =>
    [...movementsOf(facts)].flatMap(([account, all]) => {
      const [stream, holder] = JSON.parse(account) as [string, string, string];
      const movements = all.filter(({ day }) => day <= onDate);
      let gone = movements.reduce((sum, { amount }) => (amount < 0n ? sum - amount : sum), 0n);
      const old: Movement[] = [];
      for (const movement of movements
        .filter(({ amount }) => amount > 0n)
        .sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0))) {
        const used = gone < movement.amount ? gone : movement.amount;
        gone -= used;
        const left = movement.amount - used;
        if (left > 0n && later(movement.day, days) < onDate) old.push({ ...movement, amount: left });
      }
      const [oldest] = old;
      if (oldest === undefined) return [];
      const outstanding = quantityOf(
        oldest.like,
        old.reduce((sum, { amount }) => sum + amount, 0n),
      );
      return [
        finding(
          'medium',
          'advance outstanding',
          `${holder} has held ${formatQuantity(outstanding)} for more than ${days} days on ${onDate}, the oldest since ${oldest.day}.`,
          { parties: [holder], records: [stream], events: old.flatMap(({ events }) => events), figures: [outstanding] },
        ),
      ];
    }),
};
