import type { Check } from './check.js';
import { finding } from './check.js';
import type { Fact, Facts, FactType, Place } from './facts.js';
import { dayOf, daysBetween, providersOf } from './facts.js';

/** Entries in books: each carries the date it is for. */
const ENTRIES = [
  'TransferReported',
  'ReceiptReported',
  'ExpenditureReported',
  'ContributionPaid',
  'ContributionReceived',
  'ContributionRefunded',
  'FundBooked',
] as const satisfies readonly FactType[];
type Entry = Fact<(typeof ENTRIES)[number]>;

/** Other facts that are dated by whoever reports them. */
const REPORTS = [
  'DeliveryReported',
  'ReturnReported',
  'ReportFiled',
  'AllocationDecided',
  'ContributionSigned',
] as const;

/** The funds whose books an entry belongs to. */
const fundsOf = (facts: Facts): ((entry: Place) => readonly string[]) => {
  const providers = providersOf(facts);
  const pledges = new Map(facts.of('ContributionPledged').map(({ stream, data }) => [stream, data.fund]));
  return ({ stream }) => {
    if (stream.startsWith('fund-')) return [stream.slice('fund-'.length)];
    const fund = pledges.get(stream);
    return fund === undefined ? (providers.get(stream) ?? []) : [fund];
  };
};

/** Entries that came after the books were closed, or long after what they tell. */
export const lateEntries: Check = {
  name: 'late-entries',
  looksFor:
    'Entries dated in a period whose books were closed before they were recorded, and entries recorded long after their date.',
  takesDate: false,
  days: { means: 'Days between the date of an entry and its recording that are in order', byDefault: 30 },
  reads: [...ENTRIES, ...REPORTS, 'PeriodClosed', 'CommitmentProposed', 'ContributionPledged'],
  find: (facts, { days }) => {
    const closings = facts.of('PeriodClosed');
    const booksOf = fundsOf(facts);
    const entries = ENTRIES.flatMap<Entry>((type) => facts.of(type));
    const prior = entries.flatMap((entry) => {
      const day = dayOf(entry.data.date);
      const closing = closings.find(
        (closed) =>
          booksOf(entry).includes(closed.stream.slice('fund-'.length)) &&
          closed.data.period.from <= day &&
          day <= closed.data.period.to &&
          closed.position < entry.position,
      );
      if (closing === undefined) return [];
      const { from, to } = closing.data.period;
      return [
        finding(
          'medium',
          'prior-period entry',
          `${entry.type} of ${day} was recorded after the books of ${from} to ${to} were closed.`,
          {
            parties: [closing.stream.slice('fund-'.length)],
            records: [entry.stream, closing.stream],
            events: [closing.eventId, entry.eventId],
          },
        ),
      ];
    });
    const dated = [...entries, ...REPORTS.flatMap<Fact<(typeof REPORTS)[number]>>((type) => facts.of(type))];
    const slow = dated.flatMap((entry) => {
      const lag = daysBetween(dayOf(entry.data.date), entry.recordedAt.slice(0, 10));
      if (lag <= days) return [];
      return [
        finding('low', 'recorded late', `${entry.type} of ${entry.data.date} was recorded ${lag} days later.`, {
          records: [entry.stream],
          events: [entry.eventId],
        }),
      ];
    });
    return [...prior, ...slow];
  },
};
