import { describe, expect, it, test } from '@jest/globals';
import type { NeedTraits, PromiseTraits } from './likeness.js';
import { evidenceOf, strengthOf, wordsOf } from './likeness.js';

const USD = (amount: string) => ({ measure: 'money', currency: 'USD', amount }) as const;
const need = (title: string, text = '', more: Partial<NeedTraits> = {}): NeedTraits => ({
  about: 'needs',
  states: ['VUT'],
  kinds: ['legal'],
  parties: ['state:VUT'],
  title: wordsOf(title),
  words: wordsOf(`${title}\n${text}`),
  lines: [{ kind: 'legal', quantity: USD('100.00') }],
  ...more,
});
const promise = (donor: string, more: Partial<PromiseTraits> = {}): PromiseTraits => ({
  about: 'promises',
  states: ['VUT'],
  kinds: ['legal', 'training'],
  parties: [donor],
  donors: [donor],
  ...more,
});

describe('words', () => {
  it('are compared without accents and case, each once, numbers and longer words alone', () => {
    expect(wordsOf('Révision de la LOI, la loi 12/2026 à Nukuʻalofa')).toEqual([
      '12',
      '2026',
      'loi',
      'nukuʻalofa',
      'revision',
    ]);
    expect(wordsOf('Разоружение')).toEqual(['разоружение']);
    expect(wordsOf('...')).toEqual([]);
  });

  it('are pairs of characters where a script writes none', () => {
    expect(wordsOf('枪支管理')).toEqual(['支管', '枪支', '管理'].sort());
  });
});

describe('needs', () => {
  it('look alike in their titles, whatever case and accents', () => {
    const found = evidenceOf(need('Révision de la loi sur les armes'), need('REVISION de la loi des armes'));
    expect(found?.map(({ name, value }) => [name, value])).toEqual([
      ['title', '0.67'],
      ['text', '0.67'],
      ['kinds', '1.00'],
      ['period', '0.50'],
      ['lines', '1.00'],
    ]);
    expect(found?.map(({ because }) => because)).toEqual([
      'The titles share 3 of 6 words, whatever their case and accents.',
      'Titles and descriptions share 3 of 6 words.',
      'Both name legal.',
      'A period without a beginning or an end may be the same.',
      'Lines ask alike: legal, 100.00 USD.',
    ]);
    expect(strengthOf(found ?? [])).toBe(77);
  });

  it('look alike in their texts under other titles, or in their lines where much of the text is alike', () => {
    const text = 'Weapons of police and customs are stored together and the register is kept on paper';
    expect(evidenceOf(need('Armouries', text), need('Registers', text))).toBeDefined();
    const [some, other] = ['register police weapons customs depots', 'register police roofs fences lamps'];
    expect(evidenceOf(need('Doors', some), need('Locks', other))).toBeDefined();
    const line = { lines: [{ kind: 'legal', quantity: USD('900.00') }] } as const;
    expect(evidenceOf(need('Doors', some), need('Locks', other, line))).toBeUndefined();
  });

  test.each<[string, Partial<NeedTraits>]>([
    ['of other States', { states: ['FJI'] }],
    ['of other kinds', { kinds: ['training'] }],
    ['of another year', { period: { from: '2028-01-01', to: '2028-12-31' } }],
  ])('never look alike where they are %s', (_what, more) => {
    const period = { from: '2027-01-01', to: '2027-12-31' };
    expect(evidenceOf(need('One law', '', { period }), need('One law', '', { period, ...more }))).toBeUndefined();
    expect(evidenceOf(need('One law', '', { period }), need('One law', '', { period }))).toBeDefined();
  });

  it('ask alike within a tenth of the greater figure, line by line', () => {
    const lines = (...amounts: readonly string[]): Partial<NeedTraits> => ({
      lines: amounts.map((amount) => ({ kind: 'legal', quantity: USD(amount) })),
    });
    const value = (a: Partial<NeedTraits>, b: Partial<NeedTraits>): string | undefined =>
      evidenceOf(need('One law', '', a), need('One law', '', b))?.find(({ name }) => name === 'lines')?.value;
    expect(value(lines('100.00'), lines('90.00'))).toBe('1.00');
    expect(value(lines('100.00'), lines('89.99'))).toBe('0.00');
    expect(value(lines('100.00', '100.00'), lines('100.00'))).toBe('0.67');
    const unknown = { lines: [{ kind: 'legal', quantity: { measure: 'undetermined', why: 'not-stated' } }] } as const;
    expect(value(unknown, unknown)).toBe('0.00');
  });
});

describe('promises', () => {
  it('overlap where several donors mean one State and kind at one time', () => {
    const found = evidenceOf(
      promise('donor:japan', { period: { from: '2027-01-01', to: '2027-12-31' } }),
      promise('donor:usa', { kinds: ['training'], period: { from: '2027-07-01', to: '2027-09-30' } }),
    );
    expect(found?.map(({ name, value, because }) => [name, value, because])).toEqual([
      ['states', '1.00', 'Both are for VUT.'],
      ['kinds', '0.67', 'Both name training.'],
      ['period', '1.00', 'Both are for 2027-07-01 to 2027-09-30.'],
      ['donors', '1.00', 'donor:japan and donor:usa promise them apart.'],
    ]);
  });

  it('do not overlap with those of the same donor, on the same need, or of another time', () => {
    expect(evidenceOf(promise('donor:japan'), promise('donor:japan'))).toBeUndefined();
    expect(evidenceOf(promise('donor:japan', { need: 'n' }), promise('donor:usa', { need: 'n' }))).toBeUndefined();
    expect(evidenceOf(promise('donor:japan', { need: 'n' }), promise('donor:usa', { need: 'm' }))).toBeDefined();
    const year = (n: number) => ({ period: { from: `${n}-01-01`, to: `${n}-12-31` } });
    expect(evidenceOf(promise('donor:japan', year(2027)), promise('donor:usa', year(2028)))).toBeUndefined();
  });

  it('are not compared with needs', () => {
    expect(evidenceOf(promise('donor:japan'), need('One law'))).toBeUndefined();
    expect(evidenceOf(need('One law'), promise('donor:japan'))).toBeUndefined();
    expect(strengthOf([])).toBe(0);
  });
});
