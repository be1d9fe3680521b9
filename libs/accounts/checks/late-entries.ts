import type { Check } from './check.js';
import { finding } from './check.js';
import type { Fact, Facts, FactType, Place } from './facts.js';
import { dayOf, daysBetween, providersOf, unique } from './facts.js';

/** Entries in books: each carries the date it is for. What a body allocates is no longer available in its fund's book. */
const ENTRIES = [
  'TransferReported',
  'ReceiptReported',
  'ExpenditureReported',
  'ContributionPaid',
  'ContributionReceived',
  'ContributionRefunded',
  'FundBooked',
  'AllocationDecided',
] as const satisfies readonly FactType[];

/** What turns an entry: it touches the books of the earlier day, and of its own. */
const CORRECTIONS = ['TransferCorrected', 'ReceiptCorrected'] as const satisfies readonly FactType[];
type Entry = Fact<(typeof ENTRIES)[number] | (typeof CORRECTIONS)[number]>;

/** Other facts that are dated by whoever reports them. */
const REPORTS = ['DeliveryReported', 'ReturnReported', 'ReportFiled', 'ContributionSigned'] as const;

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

/** An entry with every day whose books it changes: the earlier one of what it corrects, those of the accounts it replaces, its own. */
interface Dated {
  readonly entry: Entry;
  readonly days: readonly string[];
}

const datedEntries = (facts: Facts): readonly Dated[] => {
  const known = new Map<string, string>();
  return [...ENTRIES, ...CORRECTIONS]
    .flatMap<Entry>((type) => facts.of(type))
    .sort((a, b) => (a.position < b.position ? -1 : 1))
    .map((entry) => {
      const day = dayOf(entry.data.date);
      const about = entry.type.replace(/(Reported|Corrected)$/, '');
      const keyOf = (n: number): string => `${entry.stream} ${about} ${n}`;
      const replaced = 'replaces' in entry.data ? (entry.data.replaces ?? []) : [];
      const corrected = entry.type.endsWith('Corrected') ? [entry.data.n] : [];
      const earlier = [...corrected, ...replaced].flatMap((n) => known.get(keyOf(n)) ?? []);
      known.set(keyOf(entry.data.n), day);
      return { entry, days: unique([...earlier, day]) };
    });
};

/** Entries that came after the books were closed, or long after what they tell. */
export const lateEntries: Check = {
  name: 'late-entries',
  looksFor:
    'Entries dated in a period whose books were closed before they were recorded, and entries recorded long after their date.',
  takesDate: false,
  days: { means: 'Days between the date of an entry and its recording that are in order', byDefault: 30 },
  reads: [...ENTRIES, ...CORRECTIONS, ...REPORTS, 'PeriodClosed', 'CommitmentProposed', 'ContributionPledged'],
  find: (facts, { days }) => {
    const closings = facts.of('PeriodClosed');
    const booksOf = fundsOf(facts);
    const prior = datedEntries(facts).flatMap(({ entry, days: touched }) => {
      const isIn = ({ from, to }: { readonly from: string; readonly to: string }): ((day: string) => boolean) => {
        return (day) => from <= day && day <= to;
      };
      const closing = closings.find(
        (closed) =>
          booksOf(entry).includes(closed.stream.slice('fund-'.length)) &&
          touched.some(isIn(closed.data.period)) &&
          closed.position < entry.position,
      );
      if (closing === undefined) return [];
      const day = touched.find(isIn(closing.data.period)) ?? '';
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
    const dated = [
      ...ENTRIES.flatMap<Entry>((type) => facts.of(type)),
      ...REPORTS.flatMap<Fact<(typeof REPORTS)[number]>>((type) => facts.of(type)),
    ];
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
