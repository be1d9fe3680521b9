import fc from 'fast-check';
import {
  addDecimals,
  compareDecimals,
  decimal,
  formatDecimal,
  multiplyDecimals,
  parseValuation,
  percentFault,
  rateFault,
  shareFault,
} from './index.js';

const decimals = fc
  .tuple(fc.bigInt({ min: 0n, max: 999_999_999n }), fc.nat(6))
  .map(([digits, scale]) => decimal(formatDecimal({ digits, scale })));

describe('decimals', () => {
  it('read back what they print', () => {
    fc.assert(fc.property(decimals, (d) => compareDecimals(decimal(formatDecimal(d)), d) === 0));
  });

  it('are added and multiplied exactly, in any order', () => {
    fc.assert(
      fc.property(decimals, decimals, decimals, (a, b, c) => {
        expect(compareDecimals(addDecimals(a, b), addDecimals(b, a))).toBe(0);
        const left = multiplyDecimals(a, addDecimals(b, c));
        const right = addDecimals(multiplyDecimals(a, b), multiplyDecimals(a, c));
        expect(compareDecimals(left, right)).toBe(0);
      }),
    );
    expect(formatDecimal(addDecimals(decimal('0.1'), decimal('0.2')))).toBe('0.3');
  });

  it('keep percentages up to 100, shares up to 1 and rates above 0', () => {
    expect([
      percentFault('100'),
      percentFault('0.5'),
      shareFault('1'),
      shareFault('0.25'),
      rateFault('0.00006'),
    ]).toEqual(Array(5).fill(undefined));
    for (const fault of [
      percentFault('100.01'),
      percentFault('0'),
      shareFault('1.01'),
      shareFault('0'),
      rateFault('0.0'),
    ]) {
      expect(fault).toMatch(/^must be /);
    }
    expect(rateFault(1.5)).toContain('not a JSON number');
    expect(rateFault('1e3')).toContain('exponent');
  });
});

describe('a valuation', () => {
  it('is a rate with its date and source, or a lump sum with its document', () => {
    const rate = { rate: '0.95', asOf: '2026-11', source: 'ECB' };
    const lump = { basis: 'agreed-lump-sum', reference: 'Exchange of letters 4/2026' };
    expect(parseValuation(rate)).toEqual({ ok: true, value: rate });
    expect(parseValuation(lump)).toEqual({ ok: true, value: lump });
  });

  it.each<[unknown, string[]]>([
    [{ rate: 0.95, asOf: '2026-02-30', source: ' ', note: 'x' }, ['note', 'rate', 'asOf', 'source']],
    [{ basis: 'lump', rate: '1' }, ['rate', 'basis', 'reference']],
    [[], ['']],
    [null, ['']],
  ])('with faults %j names each', (input, paths) => {
    const parsed = parseValuation(input);
    expect(parsed.ok ? [] : parsed.faults.map(({ path }) => path)).toEqual(paths);
  });
});
