import 'reflect-metadata';
import { validated } from '#web';
import { RequestAllocationDto } from './allocations.dto.js';

describe('the order of an allocation', () => {
  const fieldsAtFault = (order: object): readonly string[] => {
    const result = validated(RequestAllocationDto, { objective: 'max-value', ...order });
    return result.ok ? [] : result.errors.map(({ field }) => field);
  };

  it('says of each budget whose it is and how much, and of each floor where and which share', () => {
    const quantity = { measure: 'money', currency: 'USD', amount: '10.00' };
    expect(
      fieldsAtFault({ budgets: [{ donor: 'donor:japan', quantity }], floors: [{ state: 'VUT', share: '0.5' }] }),
    ).toEqual([]);
    expect(fieldsAtFault({ budgets: [{ donor: 'donor:japan' }, {}] })).toEqual([
      'budgets[0].quantity',
      'budgets[1].quantity',
    ]);
    expect(fieldsAtFault({ budgets: [{ quantity }] })).toEqual(['budgets[0].quantity']);
    expect(fieldsAtFault({ floors: [{ state: 'VUT' }, { share: '0.5' }] })).toEqual([
      'floors[0].share',
      'floors[1].share',
    ]);
  });
});
