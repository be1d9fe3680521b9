import { formatQuantity, minorUnits, quantityOf } from '#vocabulary';
import type { Check } from './check.js';
import { finding } from './check.js';
import { dayOf, later, sumOf } from './facts.js';

/** What a contribution without a schedule is given from its signature on. */
const UNSCHEDULED_DAYS = 30;

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
      const ended = facts.on(stream, 'ContributionClosed', 'ContributionCancelled');
      if (pledged === undefined || ended.length > 0) return [];
      const { amount, donor, fund, schedule } = pledged.data;
      const parts = schedule ?? [{ due: later(dayOf(signed.data.date), UNSCHEDULED_DAYS), amount }];
      const due = parts.filter((part) => later(part.due, days) < onDate);
      const paid = facts.on(stream, 'ContributionPaid').filter(({ data }) => dayOf(data.date) <= onDate);
      const received = facts.on(stream, 'ContributionReceived').filter(({ data }) => dayOf(data.date) <= onDate);
      const [sent, arrived] = [
        sumOf(paid.map(({ data }) => data.amount)),
        sumOf(received.map(({ data }) => data.amount)),
      ];
      const missing = sumOf(due.map((part) => part.amount)) - (sent > arrived ? sent : arrived);
      if (missing <= 0n) return [];
      const overdue = quantityOf(amount, missing);
      const first = due.reduce<{ readonly sum: bigint; readonly due?: string }>(
        (found, part) => {
          const sum = found.sum + minorUnits(part.amount);
          return found.due === undefined && sum > (sent > arrived ? sent : arrived)
            ? { sum, due: part.due }
            : { ...found, sum };
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
