import fc from 'fast-check';
import {
  ACTIVE_CURRENCIES,
  add,
  compare,
  currencyOf,
  formatQuantity,
  isRival,
  minorUnits,
  parseQuantity,
  QuantityError,
  quantityOf,
  rateHolds,
  sameMeasure,
  subtract,
  sumByMeasure,
  UNITS,
  unitScale,
  zeroLike,
} from './index.js';
import type { Determinate, Quantity, QuantityRule } from './index.js';

const likes: fc.Arbitrary<Determinate> = fc.oneof(
  fc.constantFrom(...ACTIVE_CURRENCIES).map((currency) => ({ measure: 'money', currency, amount: '1' }) as const),
  fc.constantFrom(...UNITS, 'something-new').map((unit) => ({ measure: 'items', unit, amount: '1' }) as const),
  fc
    .constantFrom('person-days' as const, 'seats' as const, 'access' as const)
    .map((measure) => ({ measure, amount: '1' })),
);
const minors = fc.bigInt({ min: 1n, max: 999_999_999_999_999n });
const quantities = fc.tuple(likes, minors).map(([like, minor]) => quantityOf(like, minor));

const scaleOf = (quantity: Determinate): number => {
  if (quantity.measure === 'money') return currencyOf(quantity.currency)?.digits ?? 0;
  if (quantity.measure === 'items') return unitScale(quantity.unit);
  return quantity.measure === 'person-days' ? 1 : 0;
};

const faultsOf = (input: unknown, rule?: QuantityRule): string[] => {
  const parsed = parseQuantity(input, rule);
  return parsed.ok ? [] : parsed.faults.map(({ path }) => path);
};
const usd = (amount: unknown): unknown => ({ measure: 'money', currency: 'USD', amount });

describe('quantities', () => {
  it('read back exactly what they print, in every measure, currency and unit', () => {
    fc.assert(
      fc.property(quantities, (quantity) => {
        expect(parseQuantity(quantity)).toEqual({ ok: true, value: quantity });
        expect(quantityOf(quantity, minorUnits(quantity))).toEqual(quantity);
      }),
    );
  });

  it('keep every amount that is within the digit limit and the scale, to the last minor unit', () => {
    fc.assert(
      fc.property(likes, fc.bigInt({ min: 1n, max: 999_999_999_999_999n }), fc.nat(4), (like, digits, decimals) => {
        const scale = Math.min(decimals, scaleOf(like));
        const text = digits.toString().padStart(scale + 1, '0');
        const amount = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
        const parsed = parseQuantity({ ...like, amount });
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
        expect(minorUnits(parsed.value)).toBe(digits * 10n ** BigInt(scaleOf(like) - scale));
        expect(parseQuantity(parsed.value)).toEqual(parsed);
      }),
    );
  });

  it('refuse one decimal more than their scale, even a zero', () => {
    fc.assert(
      fc.property(likes, fc.nat(9), (like, last) => {
        expect(faultsOf({ ...like, amount: `1.${'0'.repeat(scaleOf(like))}${last}` })).toEqual(['amount']);
      }),
    );
  });

  it('are added and subtracted without loss', () => {
    fc.assert(
      fc.property(likes, minors, minors, (like, x, y) => {
        const [a, b] = [quantityOf(like, x), quantityOf(like, y)];
        expect(subtract(add(a, b), b)).toEqual(a);
        expect(add(a, b)).toEqual(add(b, a));
        expect(subtract(a, a)).toEqual(zeroLike(like));
        expect(minorUnits(subtract(a, b))).toBe(x - y);
      }),
    );
  });

  it('of one measure are in total order, that of their figures', () => {
    fc.assert(
      fc.property(likes, minors, minors, (like, x, y) => {
        const [a, b] = [quantityOf(like, x), quantityOf(like, y)];
        expect(compare(a, b)).toBe(x < y ? -1 : x > y ? 1 : 0);
        expect(compare(a, b) + compare(b, a)).toBe(0);
      }),
    );
  });

  it('of unlike measures, currencies or units are never added or compared', () => {
    const kind = ({ amount: _, ...like }: Determinate): string => JSON.stringify(like);
    const items = fc.constantFrom(...UNITS).map((unit): Determinate => ({ measure: 'items', unit, amount: '1' }));
    const money = fc
      .constantFrom(...ACTIVE_CURRENCIES)
      .map((currency): Determinate => ({ measure: 'money', currency, amount: '1' }));
    const pairs = fc.oneof(fc.tuple(likes, likes), fc.tuple(items, items), fc.tuple(money, money));
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const alike = kind(a) === kind(b);
        expect(sameMeasure(a, b)).toBe(alike);
        if (!alike) for (const reckon of [add, subtract, compare]) expect(() => reckon(a, b)).toThrow(QuantityError);
      }),
    );
  });

  it('sum up per measure and leave out what has no figure', () => {
    const mixed: Quantity[] = [
      { measure: 'money', currency: 'USD', amount: '0.10' },
      { measure: 'money', currency: 'EUR', amount: '5.00' },
      { measure: 'money', currency: 'USD', amount: '0.20', qualifier: 'about' },
      { measure: 'access', amount: 'unlimited' },
      { measure: 'undetermined', why: 'not-stated' },
    ];
    expect(sumByMeasure(mixed)).toEqual([
      { measure: 'money', currency: 'USD', amount: '0.30' },
      { measure: 'money', currency: 'EUR', amount: '5.00' },
    ]);
  });

  it.each([
    '1e3',
    '-1',
    '+1',
    ' 1',
    '1 ',
    '1,000',
    '1.',
    '.5',
    '01',
    '',
    '0',
    '0.00',
    '1.005',
    '1234567890123456',
    '12345678901234.56',
    'NaN',
    'Infinity',
    '0x10',
    '١٢',
    '1\n',
    5,
    5n,
    null,
    true,
    ['1'],
    {},
    'unlimited',
  ])('refuse the amount %p in dollars', (amount) => {
    expect(faultsOf(usd(amount))).toEqual(['amount']);
  });

  it.each([
    ['180000', '180000.00'],
    ['180000.5', '180000.50'],
    ['0.01', '0.01'],
    ['9999999999999.99', '9999999999999.99'],
    ['999999999999999', '999999999999999'],
  ])('write %s dollars as %s', (amount, canonical) => {
    expect(parseQuantity(usd(amount))).toEqual({ ok: true, value: usd(canonical) });
  });

  it.each<[Record<string, unknown>, string[]]>([
    [{ measure: 'person-days', amount: '40.55' }, ['amount']],
    [{ measure: 'seats', amount: '2.5' }, ['amount']],
    [{ measure: 'seats', amount: '2', unit: 'chair' }, ['unit']],
    [{ measure: 'access', amount: '1.5' }, ['amount']],
    [{ measure: 'access', amount: 'unlimited', qualifier: 'about' }, ['qualifier']],
    [{ measure: 'items', unit: 'Marking machine', amount: '1' }, ['unit']],
    [{ measure: 'items', amount: '0' }, ['unit', 'amount']],
    [{ measure: 'items', unit: 'tonne', amount: '1.2345' }, ['amount']],
    [{ measure: 'money', currency: 'JPY', amount: '10.5' }, ['amount']],
    [{ measure: 'money', currency: 'KWD', amount: '10.5555' }, ['amount']],
    [
      { measure: 'money', currency: 'usd', amount: '1e3', qualifier: 'roughly', rate: '1' },
      ['rate', 'currency', 'qualifier', 'amount'],
    ],
    [{ measure: 'money', currency: 'HRK', amount: '1' }, ['currency']],
    [{ measure: 'money', currency: 'XDR', amount: '1' }, ['currency']],
    [{ measure: 'undetermined', why: 'unknown' }, ['why']],
    [{ measure: 'undetermined', why: 'not-stated', amount: '1' }, ['amount']],
    [{ measure: 'undetermined', why: 'not-stated', qualifier: 'about' }, ['qualifier']],
    [{ measure: 'Money', currency: 'USD', amount: '1' }, ['measure']],
    [{ measure: 'constructor' }, ['measure']],
    [{}, ['measure']],
  ])('name every fault of %j at once', (input, paths) => {
    expect(faultsOf(input)).toEqual(paths);
  });

  it.each([null, undefined, 'USD 5', 5, [], [usd('1')]])('refuse %p, which is no object', (input) => {
    expect(faultsOf(input)).toEqual(['']);
  });

  it('never throw, whatever is sent', () => {
    fc.assert(fc.property(fc.anything(), (input) => typeof parseQuantity(input).ok === 'boolean'));
    fc.assert(
      fc.property(
        fc.record({
          measure: fc.constantFrom('money', 'items', 'seats', 'access'),
          currency: fc.anything(),
          unit: fc.anything(),
          amount: fc.anything(),
        }),
        (input) => typeof parseQuantity(input).ok === 'boolean',
      ),
    );
  });

  it('follow the rule of the place they stand in', () => {
    expect(faultsOf({ measure: 'undetermined', why: 'not-stated' }, { determinate: true })).toEqual(['measure']);
    expect(faultsOf({ measure: 'access', amount: 'unlimited' }, { unlimited: false })).toEqual(['amount']);
    expect(faultsOf({ measure: 'seats', amount: '1' }, { measures: ['money'] })).toEqual(['measure']);
    expect(faultsOf({ measure: 'money', currency: 'DEM', amount: '5.00' }, { published: true })).toEqual([]);
    expect(faultsOf(usd('0'), { positive: false })).toEqual([]);
  });

  it('keep the qualifier they were claimed with, and lose it in computing', () => {
    const about = { measure: 'money', currency: 'USD', amount: '5.00', qualifier: 'about' } as const;
    expect(parseQuantity(about)).toEqual({ ok: true, value: about });
    expect(add(about, about)).toEqual(usd('10.00'));
    expect(formatQuantity(about)).toBe('about 5.00 USD');
  });

  it('without a figure take no part in arithmetic, and unlimited access is above every number', () => {
    const unlimited: Quantity = { measure: 'access', amount: 'unlimited' };
    const open: Quantity = { measure: 'undetermined', why: 'to-be-assessed' };
    expect(isRival(unlimited)).toBe(false);
    expect(isRival(open)).toBe(false);
    expect(compare(unlimited, { measure: 'access', amount: '999999999999999' })).toBe(1);
    expect(compare(unlimited, unlimited)).toBe(0);
    expect(() => minorUnits(unlimited)).toThrow(expect.objectContaining({ code: 'unlimited' }));
    expect(() => minorUnits(open)).toThrow(expect.objectContaining({ code: 'not-measurable' }));
    expect(() => add(open, open)).toThrow(expect.objectContaining({ code: 'unlike-measures' }));
  });
});

describe('a rate', () => {
  const money = (currency: string, amount: string): Quantity => ({ measure: 'money', currency, amount });

  it.each<[string, string, string, boolean]>([
    ['100.00', '0.95', '95.00', true],
    ['100.00', '0.95', '95.01', false],
    ['33.33', '0.3333', '11.10', true],
    ['33.33', '0.3333', '11.11', true],
    ['33.33', '0.3333', '11.12', false],
  ])('turns %s by %s into %s: %p', (drawn, rate, credited, holds) => {
    expect(rateHolds(money('USD', drawn), rate, money('EUR', credited))).toBe(holds);
  });

  it('holds for the product however it was rounded, and for nothing a minor unit further off', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 12n }), fc.bigInt({ min: 1n, max: 10n ** 9n }), (minor, sixths) => {
        const rate = `${sixths / 1_000_000n}.${(sixths % 1_000_000n).toString().padStart(6, '0')}`;
        const drawn = quantityOf(money('USD', '1'), minor);
        const floor = (minor * sixths) / 1_000_000n;
        const exact = (minor * sixths) % 1_000_000n === 0n;
        const credited = (n: bigint): Quantity => quantityOf(money('EUR', '1'), n);
        expect(rateHolds(drawn, rate, credited(floor))).toBe(true);
        expect(rateHolds(drawn, rate, credited(floor + 1n))).toBe(!exact);
        expect(rateHolds(drawn, rate, credited(floor + 2n))).toBe(false);
        expect(rateHolds(drawn, rate, credited(floor - 1n))).toBe(false);
      }),
    );
  });
});
