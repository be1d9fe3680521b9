import type { Measure, Quantity } from '#vocabulary';
import { parseQuantity, readMoment } from '#vocabulary';
import { Checked } from '#web';

export const MONEY = { measures: ['money'], determinate: true } as const satisfies {
  measures: readonly Measure[];
  determinate: true;
};

/** A claimed day, month or year. */
export const ReportDate = (field: { readonly required?: boolean } = {}): PropertyDecorator =>
  Checked({
    ...field,
    description: 'YYYY-MM-DD, or YYYY-MM or YYYY where only that is known',
    name: 'date',
    schema: { type: 'string' },
    example: '2026-11-20',
    faults: (value) => {
      const moment = readMoment(value);
      return moment === undefined || moment.precision === 'instant'
        ? [
            {
              path: '',
              message: 'must be an existing date written YYYY-MM-DD, or YYYY-MM or YYYY where only that is known',
            },
          ]
        : [];
    },
  });

/** A quantity as every event holds it. It was checked with the body. */
export const canonical = (quantity: Quantity): Quantity => {
  const parsed = parseQuantity(quantity, { published: true });
  if (!parsed.ok) throw new Error('a quantity reached its use unchecked');
  return parsed.value;
};
