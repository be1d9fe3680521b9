import 'reflect-metadata';
import { validated } from '#web';
import { ReceiptDto } from './commitment-money.dto.js';

describe('the body of a receipt', () => {
  it('names a rate that is no decimal, instead of reckoning with it', () => {
    const faultsOf = (rate: string): unknown => {
      const result = validated(ReceiptDto, {
        transfer: 1,
        amount: { measure: 'money', currency: 'USD', amount: '0.50' },
        credited: { measure: 'money', currency: 'EUR', amount: '0.40' },
        rate,
        date: '2026-11-03',
      });
      return result.ok ? [] : result.errors.map(({ field }) => field);
    };
    expect(faultsOf('0.8')).toEqual([]);
    for (const rate of ['0.9', '00.8', '0', '99999999999999999', '0.8000000000000000000'])
      expect(faultsOf(rate)).toEqual(['rate']);
  });
});
