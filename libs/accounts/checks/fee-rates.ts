import type { FundTerms } from '#funds/contract';
import { decimal, formatQuantity, minorUnits, multiplyDecimals, quantityOf, sameMeasure } from '#vocabulary';
import type { Check } from './check.js';
import { finding } from './check.js';
import type { Facts, Place } from './facts.js';

type FeeRates = FundTerms['feeRates'];

/** The rates in force at this place of the log. */
const ratesAt = (
  facts: Facts,
  { stream, position }: Place,
): { readonly rates: FeeRates; readonly events: readonly string[] } => {
  let rates: FeeRates = [];
  const events: string[] = [];
  for (const fact of facts.on(stream, 'FundEstablished', 'FundTermsAmended')) {
    if (fact.position > position) break;
    const given = 'terms' in fact.data ? fact.data.terms.feeRates : fact.data.changes.feeRates;
    if (given === undefined) continue;
    rates = given;
    events.push(fact.eventId);
  }
  return { rates, events };
};

/** percent % of `base`, in minor units: the exact product lies between the two. */
const feeOf = (base: bigint, percent: string): readonly [floor: bigint, ceiling: bigint] => {
  const { digits, scale } = multiplyDecimals({ digits: base, scale: 0 }, decimal(percent));
  const whole = 10n ** BigInt(scale + 2);
  return [digits / whole, (digits + whole - 1n) / whole];
};

/** Fees that are not what the fund's terms let the administrator take. */
export const feeRates: Check = {
  name: 'fee-rates',
  looksFor:
    'Fees that differ from rate × base (within the rounding of one minor unit), or name no rate of the fund’s terms.',
  takesDate: false,
  reads: ['FundEstablished', 'FundTermsAmended', 'FundBooked'],
  find: (facts) =>
    facts.of('FundBooked').flatMap((booked) => {
      const { kind, amount, rate, base, effect } = booked.data;
      if (kind !== 'fee') return [];
      const fund = booked.stream.slice('fund-'.length);
      const { rates, events } = ratesAt(facts, booked);
      const of = { parties: [fund], records: [booked.stream], events: [...events, booked.eventId] };
      if (rate === undefined || base === undefined) {
        return [
          finding(
            'medium',
            'fee without rate or base',
            `${fund} took ${formatQuantity(amount)} and does not say at what rate of what.`,
            {
              ...of,
              figures: [amount],
            },
          ),
        ];
      }
      const agreed = rates.find(({ code }) => code === rate);
      if (agreed === undefined) {
        return [
          finding(
            'high',
            'fee at an unknown rate',
            `${fund} took a fee at the rate ${rate}, which its terms do not know.`,
            {
              ...of,
              figures: [amount, base],
            },
          ),
        ];
      }
      if (!sameMeasure(amount, base)) {
        return [
          finding('high', 'fee in another currency', `The fee of ${fund} is not in the currency of its base.`, {
            ...of,
            figures: [amount, base],
          }),
        ];
      }
      const [least, most] = feeOf(minorUnits(base), agreed.percent);
      const charged = minorUnits(amount);
      if (charged === least || charged === most) return [];
      const due = quantityOf(amount, least);
      const gave = effect === 'gain' ? 'gave back' : 'took';
      return [
        finding(
          charged > most ? 'high' : 'low',
          'fee differs from rate × base',
          `${fund} ${gave} ${formatQuantity(amount)}; ${agreed.percent} % of ${formatQuantity(base)} is ${formatQuantity(due)}.`,
          { ...of, figures: [amount, base, due] },
        ),
      ];
    }),
};
