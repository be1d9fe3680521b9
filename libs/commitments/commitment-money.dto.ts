import type { Fault, Period, Quantity, TransferKind } from '#vocabulary';
import { currencyOf, parseQuantity, rateFault, rateHolds, readMoment, sameMeasure, TRANSFER_KINDS } from '#vocabulary';
import {
  Checked,
  CodeList,
  DecimalText,
  Nested,
  PartyIdField,
  PeriodField,
  QuantityField,
  Text,
  WholeNumber,
} from '#web';
import { MONEY, ReportDate } from './commitment-fields.dto.js';
import { DocumentLinkDto } from './commitment-terms.dto.js';

const at = (path: string, message: string): Fault => ({ path, message });

/** Money that moved: also in a currency that was in use then and is withdrawn now. */
const MOVED = { ...MONEY, published: true } as const;

/** What is wrong with an amount's currency at a date; undefined where it was in use, or either of them is no such thing. */
export const withdrawnFault = (money: unknown, date: unknown): string | undefined => {
  const currency = currencyOf((money as { readonly currency?: unknown } | null | undefined)?.currency);
  const moment = readMoment(date);
  if (currency?.withdrawn === undefined || moment === undefined) return undefined;
  return moment.last.slice(0, 7) < currency.withdrawn
    ? undefined
    : `${currency.code} was withdrawn in ${currency.withdrawn}: on that date state the amount in a currency in use`;
};

/** Money in a currency in use at the report's `date`. */
const MovedField = (
  field: { readonly required?: boolean; readonly description?: string; readonly example?: unknown } = {},
): PropertyDecorator => {
  const decorators = [
    QuantityField({ ...MOVED, ...field }),
    Checked({
      name: 'in-use',
      required: field.required ?? true,
      schema: {},
      faults: (value, dto) => {
        const fault = withdrawnFault(value, (dto as { readonly date?: unknown }).date);
        return fault === undefined ? [] : [at('currency', fault)];
      },
    }),
  ];
  return (target, key) => {
    for (const decorate of decorators) decorate(target, key);
  };
};

/** Movements that a holder may book with itself. */
const OWN_BOOKINGS: readonly string[] = ['fee', 'interest', 'programme-income', 'exchange-difference', 'bank-charge'];

/** What a transfer's fields show together. */
const transferFaults = (kind: unknown, dto: object): readonly Fault[] => {
  const { from, to, of, onward, effect } = dto as Readonly<Record<string, unknown>>;
  const faults: Fault[] = [];
  if (from !== undefined && from === to && !OWN_BOOKINGS.includes(String(kind))) {
    faults.push(at('', `must be one of ${OWN_BOOKINGS.join(', ')} where from and to are one party`));
  }
  if (kind === 'refund' && of === undefined && onward === undefined) {
    faults.push(at('', 'a refund names the transfer it reverses: send of'));
  }
  if (effect !== undefined && kind !== 'exchange-difference') {
    faults.push(at('', 'must be exchange-difference where effect is given'));
  }
  return faults;
};

export class TransferDto {
  @CodeList(TRANSFER_KINDS, { example: 'disbursement' })
  @Checked({ name: 'transfer', schema: {}, faults: transferFaults })
  kind!: TransferKind;

  @PartyIdField({ example: 'donor:japan' })
  from!: string;

  @PartyIdField({ example: 'agency:cavr' })
  to!: string;

  @MovedField({ example: { measure: 'money', currency: 'USD', amount: '60000.00' } })
  amount!: Quantity;

  @WholeNumber({ min: 1, required: false, description: 'The leg it belongs to' })
  leg?: number;

  @WholeNumber({ min: 1, required: false, description: 'The instalment of the schedule that it pays' })
  instalment?: number;

  @CodeList(['gain', 'loss'], { required: false, description: 'Of an exchange difference; loss unless told' })
  effect?: 'gain' | 'loss';

  @WholeNumber({ min: 1, required: false, description: 'The transfer whose money is passed on' })
  onward?: number;

  @WholeNumber({ min: 1, required: false, description: 'The transfer a refund reverses' })
  @Checked({
    name: 'refund',
    required: false,
    schema: {},
    faults: (_value, dto) => ((dto as TransferDto).kind === 'refund' ? [] : [at('', 'belongs to a refund only')]),
  })
  of?: number;

  @ReportDate()
  date!: string;

  @Text({ max: 300, required: false })
  reference?: string;
}

const moneyOf = (value: unknown): Quantity | undefined => {
  const parsed = parseQuantity(value, MOVED);
  return parsed.ok ? parsed.value : undefined;
};

/** Whether a sum of money is, or is not, in the currency of the amount that arrived. */
const currencyFault = (value: unknown, dto: object, same: boolean): readonly Fault[] => {
  const [money, amount] = [moneyOf(value), moneyOf((dto as { readonly amount?: unknown }).amount)];
  if (money === undefined || amount === undefined || sameMeasure(money, amount) === same) return [];
  return [at('currency', same ? 'must be that of amount' : 'must differ from that of amount: leave credited out')];
};

/** The rate belongs to what is credited, and makes it of what arrived. */
const rateFaults = (rate: unknown, dto: object): readonly Fault[] => {
  const { amount, credited } = dto as { readonly amount?: unknown; readonly credited?: unknown };
  if (credited === undefined) return [at('', 'belongs to credited: send both, or neither')];
  const [arrived, booked] = [moneyOf(amount), moneyOf(credited)];
  if (arrived === undefined || booked === undefined || rateFault(rate) !== undefined) return [];
  return rateHolds(arrived, rate as string, booked) ? [] : [at('', 'must make amount × rate what is credited')];
};

export class ReceiptDto {
  @WholeNumber({ min: 1, example: 1 })
  transfer!: number;

  @MovedField({ description: 'What arrived, in the transfer’s currency' })
  amount!: Quantity;

  @MovedField({ required: false, description: 'What was booked, where that is in another currency' })
  @Checked({ name: 'booked', required: false, schema: {}, faults: (value, dto) => currencyFault(value, dto, false) })
  credited?: Quantity;

  @DecimalText({ as: 'rate', required: false, description: 'Booked units per unit that arrived' })
  @Checked({
    name: 'booking',
    required: false,
    schema: {},
    faults: rateFaults,
  })
  rate?: string;

  @MovedField({ required: false })
  @Checked({ name: 'charged', required: false, schema: {}, faults: (value, dto) => currencyFault(value, dto, true) })
  charges?: Quantity;

  @ReportDate()
  date!: string;

  @Text({ max: 300, required: false })
  reference?: string;
}

/** A correction names something to correct. */
const CorrectionReason = (fields: readonly string[]): PropertyDecorator => {
  const decorators = [
    Text(),
    Checked({
      name: 'correction',
      schema: {},
      faults: (_reason, dto) =>
        fields.some((field) => (dto as Readonly<Record<string, unknown>>)[field] !== undefined)
          ? []
          : [at('', `stands with a field to correct: ${fields.join(', ')}`)],
    }),
  ];
  return (target, key) => {
    for (const decorate of decorators) decorate(target, key);
  };
};

/** What is left out stays as it was reported. */
export class TransferCorrectionDto {
  @MovedField({ required: false })
  amount?: Quantity;

  @WholeNumber({ min: 1, required: false })
  leg?: number;

  @WholeNumber({ min: 1, required: false })
  instalment?: number;

  @ReportDate({ required: false })
  date?: string;

  @Text({ max: 300, required: false })
  reference?: string;

  @CorrectionReason(['amount', 'leg', 'instalment', 'date', 'reference'])
  reason!: string;
}

/** What is left out stays as it was reported; a new `credited` comes with its own rate. */
export class ReceiptCorrectionDto {
  @MovedField({ required: false, description: 'What arrived, in the transfer’s currency' })
  amount?: Quantity;

  @MovedField({ required: false, description: 'What was booked, where that is in another currency' })
  credited?: Quantity;

  @DecimalText({ as: 'rate', required: false, description: 'Booked units per unit that arrived' })
  rate?: string;

  @MovedField({ required: false })
  charges?: Quantity;

  @ReportDate({ required: false })
  date?: string;

  @Text({ max: 300, required: false })
  reference?: string;

  @CorrectionReason(['amount', 'credited', 'rate', 'charges', 'date', 'reference'])
  reason!: string;
}

export class SettlementOfDiscrepancyDto {
  @QuantityField({ ...MOVED, required: false, description: 'What arrived; all that was sent unless told' })
  amount?: Quantity;

  @Text()
  reason!: string;
}

export class BudgetLineDto {
  @Text({ max: 300, example: 'Trainers and travel' })
  budgetLine!: string;

  @QuantityField({ ...MOVED, example: { measure: 'money', currency: 'USD', amount: '12000.00' } })
  amount!: Quantity;
}

const lineFaults = (lines: unknown, dto: object): readonly Fault[] =>
  Array.isArray(lines)
    ? lines.flatMap((line: unknown, index) => {
        const fault = withdrawnFault(
          (line as { readonly amount?: unknown } | null)?.amount,
          (dto as { readonly date?: unknown }).date,
        );
        return fault === undefined ? [] : [at(`[${index}].amount.currency`, fault)];
      })
    : [];

export class ExpenditureDto {
  @CodeList(['interim', 'certified'], { description: 'A certified report replaces the interim ones of its days' })
  kind!: 'interim' | 'certified';

  @PeriodField({ description: 'The days it accounts for', example: { from: '2026-01-01', to: '2026-06-30' } })
  period!: Period;

  @Nested(() => BudgetLineDto, { array: true, min: 1 })
  @Checked({ name: 'in-use', schema: {}, faults: lineFaults })
  lines!: BudgetLineDto[];

  @Text({ max: 300, required: false, list: { max: 100, unique: true }, description: 'References of invoices' })
  invoices?: string[];

  @ReportDate()
  date!: string;

  @Text({ max: 300, required: false })
  reference?: string;

  @Nested(() => DocumentLinkDto, { required: false })
  document?: DocumentLinkDto;
}
