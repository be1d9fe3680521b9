import type { Instalment } from '#commitments/contract';
import type { Check } from './check.js';
import { finding } from './check.js';
import type { Facts } from './facts.js';
import { dayOf, termsOf, transfersOf } from './facts.js';

/** The day something made the instalment payable, by what; undefined where nothing has yet. */
const payable = (
  facts: Facts,
  stream: string,
  { on, due, report, condition }: Instalment,
): { readonly day: string | undefined; readonly trigger: string; readonly events: readonly string[] } => {
  switch (on) {
    case 'signature': {
      const [bound] = facts.on(stream, 'CommitmentBound');
      return {
        day: bound === undefined ? undefined : dayOf(bound.effectiveAt),
        trigger: 'the signature',
        events: bound === undefined ? [] : [bound.eventId],
      };
    }
    case 'date':
      return { day: due, trigger: `its date ${due ?? ''}`.trim(), events: [] };
    case 'report': {
      const [accepted] = facts.on(stream, 'ReportAccepted', 'ReportWaived').filter(({ data }) => data.n === report);
      return {
        day: accepted === undefined ? undefined : dayOf(accepted.effectiveAt),
        trigger: `the acceptance of report ${report ?? '?'}`,
        events: accepted === undefined ? [] : [accepted.eventId],
      };
    }
    case 'condition': {
      const [met] = facts.on(stream, 'ConditionMet', 'ConditionWaived').filter(({ data }) => data.n === condition);
      return {
        day: met === undefined ? undefined : dayOf(met.effectiveAt),
        trigger: `condition ${condition ?? '?'}`,
        events: met === undefined ? [] : [met.eventId],
      };
    }
  }
};

/** Instalments that were paid before what the sides agreed would release them. */
export const earlyInstalments: Check = {
  name: 'early-instalments',
  looksFor: 'Instalments paid before their signature, date, accepted report or condition.',
  takesDate: false,
  reads: [
    'CommitmentProposed',
    'CommitmentAmended',
    'CommitmentBound',
    'TransferReported',
    'TransferCorrected',
    'ReportAccepted',
    'ReportWaived',
    'ConditionMet',
    'ConditionWaived',
  ],
  find: (facts) =>
    transfersOf(facts).flatMap(({ stream, data, events, position }) => {
      if (data.instalment === undefined) return [];
      // As agreed when it was reported: a later extension makes no payment early.
      const { terms, events: agreed } = termsOf(facts, stream, position);
      const instalment = terms.schedule?.find(({ n }) => n === data.instalment);
      if (instalment === undefined) return [];
      const { day, trigger, events: released } = payable(facts, stream, instalment);
      const paid = dayOf(data.date);
      if (day !== undefined && day <= paid) return [];
      return [
        finding(
          'high',
          'instalment paid before its trigger',
          `Instalment ${instalment.n} was paid on ${paid}; ${trigger} ${day === undefined ? 'had not come' : `came on ${day}`}.`,
          {
            parties: [data.from, data.to],
            records: [stream],
            events: [...agreed, ...released, ...events],
            figures: [data.amount],
          },
        ),
      ];
    }),
};
