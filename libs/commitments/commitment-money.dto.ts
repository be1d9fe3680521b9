import type { Fault, Quantity, TransferKind } from '#vocabulary';
import { parseQuantity, sameMeasure, TRANSFER_KINDS } from '#vocabulary';
import { Checked, CodeList, DecimalText, PartyIdField, QuantityField, Text, WholeNumber } from '#web';
import { MONEY, ReportDate } from './commitment-fields.dto.js';

const at = (path: string, message: string): Fault => ({ path, message });

/** Movements that a holder may book with itself. */
const OWN_BOOKINGS: readonly string[] = ['fee', 'interest', 'programme-income', 'exchange-difference', 'bank-charge'];

/** What a transfer's fields show together. */
const transferFaults = (kind: unknown, dto: object): readonly Fault[] => {
  const { from, to, of, onward } = dto as Readonly<Record<string, unknown>>;
  const faults: Fault[] = [];
  if (from !== undefined && from === to && !OWN_BOOKINGS.includes(String(kind))) {
    faults.push(at('', `must be one of ${OWN_BOOKINGS.join(', ')} where from and to are one party`));
  }
  if (kind === 'refund' && of === undefined && onward === undefined) {
    faults.push(at('', 'a refund names the transfer it reverses: send of'));
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

  @QuantityField({ ...MONEY, example: { measure: 'money', currency: 'USD', amount: '60000.00' } })
  amount!: Quantity;

  @WholeNumber({ min: 1, required: false, description: 'The leg it belongs to' })
  leg?: number;

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
  const parsed = parseQuantity(value, MONEY);
  return parsed.ok ? parsed.value : undefined;
};

/** Whether a sum of money is, or is not, in the currency of the amount that arrived. */
const currencyFault = (value: unknown, dto: object, same: boolean): readonly Fault[] => {
  const [money, amount] = [moneyOf(value), moneyOf((dto as { readonly amount?: unknown }).amount)];
  if (money === undefined || amount === undefined || sameMeasure(money, amount) === same) return [];
  return [at('currency', same ? 'must be that of amount' : 'must differ from that of amount: leave credited out')];
};

export class ReceiptDto {
  @WholeNumber({ min: 1, example: 1 })
  transfer!: number;

  @QuantityField({ ...MONEY, description: 'What arrived, in the transfer’s currency' })
  amount!: Quantity;

  @QuantityField({ ...MONEY, required: false, description: 'What was booked, where that is in another currency' })
  @Checked({ name: 'booked', required: false, schema: {}, faults: (value, dto) => currencyFault(value, dto, false) })
  credited?: Quantity;

  @DecimalText({ as: 'rate', required: false, description: 'Booked units per unit that arrived' })
  @Checked({
    name: 'booking',
    required: false,
    schema: {},
    faults: (_value, dto) =>
      (dto as ReceiptDto).credited === undefined ? [at('', 'belongs to credited: send both, or neither')] : [],
  })
  rate?: string;

  @QuantityField({ ...MONEY, required: false })
  @Checked({ name: 'charged', required: false, schema: {}, faults: (value, dto) => currencyFault(value, dto, true) })
  charges?: Quantity;

  @ReportDate()
  date!: string;

  @Text({ max: 300, required: false })
  reference?: string;
}
