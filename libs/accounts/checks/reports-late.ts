import type { Check } from './check.js';
import { finding } from './check.js';
import { dayOf, later, termsOf } from './facts.js';

/** Reports that were filed after the day they were due, or not at all. */
export const reportsLate: Check = {
  name: 'reports-late',
  looksFor: 'Reports owed that were filed after they were due, or are overdue (a returned one is owed still).',
  takesDate: true,
  days: { means: 'Days allowed beyond the date due', byDefault: 0 },
  reads: [
    'CommitmentProposed',
    'CommitmentAmended',
    'CommitmentBound',
    'ReportFiled',
    'ReportAccepted',
    'ReportReturned',
    'ReportWaived',
  ],
  find: (facts, { onDate, days }) =>
    facts.of('CommitmentBound').flatMap(({ stream, effectiveAt: boundAt }) => {
      if (dayOf(boundAt) > onDate) return [];
      const { terms, events: agreed } = termsOf(facts, stream);
      return (terms.reports ?? []).flatMap((report) => {
        const said = facts
          .on(stream, 'ReportFiled', 'ReportAccepted', 'ReportReturned', 'ReportWaived')
          .filter(({ data, effectiveAt }) => data.n === report.n && dayOf(effectiveAt) <= onDate);
        if (said.some(({ type }) => type === 'ReportWaived')) return [];
        const limit = later(report.due, days);
        const last = said.at(-1);
        const open = last === undefined || last.type === 'ReportReturned';
        const [first] = said.filter(({ type }) => type === 'ReportFiled');
        const filed = first === undefined || !('date' in first.data) ? undefined : dayOf(first.data.date);
        const late = filed !== undefined && filed > limit;
        if (!late && !(open && onDate > limit)) return [];
        return [
          finding(
            open ? 'medium' : 'low',
            open ? 'report overdue' : 'report filed late',
            filed === undefined
              ? `Report ${report.n} of ${report.by} was due on ${report.due} and is not filed.`
              : `Report ${report.n} of ${report.by} was due on ${report.due} and filed on ${filed}${open ? ', and returned since' : ''}.`,
            {
              parties: [report.by],
              records: [stream],
              events: [...agreed, ...said.map(({ eventId }) => eventId)],
            },
          ),
        ];
      });
    }),
};
