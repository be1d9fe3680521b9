import 'reflect-metadata';
import { validated } from '#web';
import { AnnounceCallDto, DecisionDto, EstablishFundDto, PledgeDto } from './funds.dto.js';

const fieldsAtFault = (dto: new () => object, body: object): readonly string[] => {
  const result = validated(dto, body);
  return result.ok ? [] : result.errors.map(({ field }) => field);
};

describe('the body of', () => {
  it('a fund names what is no period, instead of comparing it', () => {
    const fund = { fund: 'fund:unscar', decidingBody: { name: 'Group', members: ['donor:japan'] }, currency: 'USD' };
    const year = { from: '2026-01-01', to: '2026-12-31' };
    expect(fieldsAtFault(EstablishFundDto, { ...fund, periods: [year] })).toEqual([]);
    expect(fieldsAtFault(EstablishFundDto, { ...fund, periods: [year, year] })).toEqual(['periods[1]']);
    expect(fieldsAtFault(EstablishFundDto, { ...fund, periods: [year, null] })).toEqual(['periods[1]']);
  });

  it('a pledge names what is no instalment, instead of adding it up', () => {
    const amount = { measure: 'money', currency: 'USD', amount: '10.00' };
    const pledge = { fund: 'fund:unscar', amount };
    expect(fieldsAtFault(PledgeDto, { ...pledge, schedule: [{ due: '2026-06-01', amount }] })).toEqual([]);
    expect(fieldsAtFault(PledgeDto, { ...pledge, schedule: [null] })).toEqual(['schedule[0]']);
  });

  it('a call, a decision or a period asks for all that its rules compare', () => {
    const year = { from: '2026-01-01' };
    const fund = { fund: 'fund:unscar', decidingBody: { name: 'Group', members: ['donor:japan'] }, currency: 'USD' };
    expect(fieldsAtFault(EstablishFundDto, { ...fund, periods: [year] })).toEqual(['periods[0].to']);
    const call = { fund: 'fund:unscar', title: 'First call', opens: '2026-01-01' };
    expect(fieldsAtFault(AnnounceCallDto, call)).toEqual(['closes']);
    expect(fieldsAtFault(AnnounceCallDto, { ...call, closes: '2025-12-31' })).toEqual(['closes']);
    expect(fieldsAtFault(AnnounceCallDto, { ...call, closes: '2026-02-01' })).toEqual([]);
    const decision = { body: 'Group', date: '2026-05-01', reference: 'D 1' };
    expect(fieldsAtFault(DecisionDto, decision)).toEqual(['allocations']);
  });
});
