import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { showsWhole } from './record-kind.js';

/** As JSON says it, without lists that are empty. */
const told = (value: object): unknown =>
  JSON.parse(
    JSON.stringify(value, (_name, field: unknown) => (Array.isArray(field) && field.length === 0 ? undefined : field)),
  );

describe('what a history shows of an event', () => {
  it('is all of it where nothing but empty lists is missing', () => {
    const data = { title: 'Marking', lines: [{ n: 1, notes: [] }], annex: undefined };
    expect(showsWhole({ title: 'Marking', lines: [{ n: 1 }] }, data)).toBe(true);
    expect(showsWhole(data, { title: 'Marking', lines: [{ n: 1 }], documents: [] })).toBe(true);
    expect(showsWhole(undefined, data)).toBe(false);
    expect(showsWhole({ title: 'Marking' }, data)).toBe(false);
    expect(showsWhole({ ...data, title: null }, data)).toBe(false);
    expect(showsWhole({ ...data, lines: [{ n: 1 }, { n: 2 }] }, data)).toBe(false);
  });

  it('is compared as JSON would say it', () => {
    const leaf = fc.constantFrom<unknown>(1, 'a', null, true, undefined, [], {});
    const record = fc.dictionary(
      fc.constantFrom('a', 'b'),
      fc.oneof(
        leaf,
        fc.dictionary(fc.constantFrom('a', 'b'), leaf),
        fc.array(fc.constantFrom<unknown>(1, 'a', { a: 1 })),
      ),
    );
    let same = 0;
    fc.assert(
      fc.property(record, record, fc.boolean(), (one, another, isLike) => {
        // Two drawn at random seldom say the same.
        const other = isLike ? { ...one, c: [], d: undefined } : another;
        const expected = isDeepStrictEqual(told(one), told(other));
        same += expected ? 1 : 0;
        expect(showsWhole(one, other)).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(same).toBeGreaterThan(1_000);
  });
});
