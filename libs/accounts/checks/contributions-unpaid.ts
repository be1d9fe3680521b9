import { formatQuantity, minorUnits, quantityOf } from '#vocabulary';
import type { Check } from './check.js';
import { finding } from './check.js';
import type { Fact } from './facts.js';
import { dayOf, later, sumOf } from './facts.js';

/** What a contribution without a schedule is given from its signature on. */
const UNSCHEDULED_DAYS = 30;

/**
 * What is known to be on its way or there, in minor units: each payment by whichever of the two sides says more of it, charges on the way
 * included, and receipts that name no payment as far as they go beyond payments that nobody receipted.
 */
const cameIn = (
  paid: readonly Fact<'ContributionPaid'>[],
  received: readonly Fact<'ContributionReceived'>[],
): bigint => {
  const arrived = (of: number | undefined): bigint =>
    sumOf(
      received
        .filter(({ data }) => data.payment === of)
        .flatMap(({ data: { amount, charges } }) => [amount, ...(charges === undefined ? [] : [charges])]),
    );
  let [sum, unanswered] = [0n, 0n];
  for (const { data } of paid) {
    const [sent, came] = [minorUnits(data.amount), arrived(data.n)];
    sum += sent > came ? sent : came;
    if (came === 0n) unanswered += sent;
  }
  const others = arrived(undefined) - unanswered;
  return others > 0n ? sum + others : sum;
};

/** Contributions that were signed and whose money is overdue. */
export const contributionsUnpaid: Check = {
  name: 'contributions-unpaid',
  looksFor: `Contributions signed and not paid by the date due (without a schedule: ${UNSCHEDULED_DAYS} days after the signature).`,
  takesDate: true,
  days: { means: 'Days allowed beyond the date due', byDefault: 0 },
  reads: [
    'ContributionPledged',
    'ContributionSigned',
    'ContributionPaid',
    'ContributionReceived',
    'ContributionClosed',
    'ContributionCancelled',
  ],
  find: (facts, { onDate, days }) =>
    facts.of('ContributionSigned').flatMap((signed) => {
      const { stream } = signed;
      const [pledged] = facts.on(stream, 'ContributionPledged');
      const ended = facts
        .on(stream, 'ContributionClosed', 'ContributionCancelled')
        .some(({ effectiveAt }) => dayOf(effectiveAt) <= onDate);
      if (pledged === undefined || ended || dayOf(signed.data.date) > onDate) return [];
      const { amount, donor, fund, schedule } = pledged.data;
      const parts = schedule ?? [{ due: later(dayOf(signed.data.date), UNSCHEDULED_DAYS), amount }];
      const due = parts.filter((part) => later(part.due, days) < onDate);
      const paid = facts.on(stream, 'ContributionPaid').filter(({ data }) => dayOf(data.date) <= onDate);
      const received = facts.on(stream, 'ContributionReceived').filter(({ data }) => dayOf(data.date) <= onDate);
      const came = cameIn(paid, received);
      const missing = sumOf(due.map((part) => part.amount)) - came;
      if (missing <= 0n) return [];
      const overdue = quantityOf(amount, missing);
      const first = due.reduce<{ readonly sum: bigint; readonly due?: string }>(
        (found, part) => {
          const sum = found.sum + minorUnits(part.amount);
          return found.due === undefined && sum > came ? { sum, due: part.due } : { ...found, sum };
        },
        { sum: 0n },
      );
      return [
        finding(
          'high',
          'contribution overdue',
          `${donor} signed a contribution to ${fund}; ${formatQuantity(overdue)} due since ${first.due ?? onDate} was not paid by ${onDate}.`,
          {
            parties: [donor, fund],
            records: [stream],
            events: [pledged, signed, ...paid, ...received].map(({ eventId }) => eventId),
            figures: [overdue],
          },
        ),
      ];
    }),
};
