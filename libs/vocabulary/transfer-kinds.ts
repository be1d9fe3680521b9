import { isCodeOf } from './code-list.js';

export const TRANSFER_KINDS_VERSION = '1';

/** What a movement of money was. */
export const TRANSFER_KINDS = [
  'contribution',
  'disbursement',
  'onward-grant',
  'fee',
  'refund',
  'interest',
  'programme-income',
  'exchange-difference',
  'bank-charge',
] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];
export const isTransferKind = isCodeOf(TRANSFER_KINDS);
