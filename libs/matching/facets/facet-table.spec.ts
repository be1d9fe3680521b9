import fc from 'fast-check';
import type { Facets, Sought } from './facet-table.js';
import { FacetTable } from './facet-table.js';

const KEYS = ['kind a', 'kind b', 'kind *', 'measure x', 'measure y', 'open'];
const facets = fc.record({
  keys: fc.subarray(KEYS),
  figures: fc.dictionary(fc.constantFrom('until', 'since', 'left x', 'left y'), fc.integer({ min: 0, max: 9 })),
});
const keys = fc.subarray(KEYS, { minLength: 1 });
const sought: fc.Arbitrary<Sought> = fc.record({
  all: fc.array(keys, { maxLength: 2 }),
  oneOf: fc.array(fc.array(keys, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
  ranges: fc.array(
    fc.record({
      column: fc.constantFrom('until', 'since', 'never'),
      least: fc.integer({ min: 0, max: 9 }),
      most: fc.integer({ min: 0, max: 9 }),
    }),
    { maxLength: 2 },
  ),
  left: fc.subarray(['left x', 'left y', 'left never']),
});

/** What is sought, looked for record by record. */
const isSought = ({ keys: own, figures }: Facets, { all, oneOf, ranges }: Sought): boolean => {
  const anyOf = (of: readonly string[]): boolean => of.some((key) => own.includes(key));
  return (
    all.every(anyOf) &&
    (oneOf.length === 0 || oneOf.some((lists) => lists.every(anyOf))) &&
    ranges.every(({ column, least, most }) => {
      const figure = figures[column];
      return figure !== undefined && figure >= least && figure <= most;
    })
  );
};

describe('a table of facets', () => {
  /*
   * Seen to fail with each of these planted: bits of the values before left set by `put`; the figure of a column that a record has no more
   * left in it; the slot of a removed record given away with its bits; the upper bound of a range taken for outside.
   */
  it('finds what a look at every record finds, by bits or by the order of figures, after any changes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.option(facets)), { maxLength: 120 }),
        fc.array(sought, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (changes, questions, loads) => {
          const held = new Map<string, Facets>();
          const tables = [0, 1, 64].map((few) => new FacetTable(few));
          if (loads) for (const table of tables) table.loading();
          changes.forEach(([n, change], at) => {
            const id = `r${n}`;
            if (loads && at === 60) for (const table of tables) table.loaded();
            for (const table of tables) {
              if (change === null) table.remove(id);
              else table.put(id, change);
            }
            if (change === null) held.delete(id);
            else held.set(id, change);
            if (at % 30 === 0)
              for (const table of tables) table.find({ all: [], oneOf: [], ranges: [], left: ['left x'] });
          });
          for (const table of tables) expect(table.all()).toEqual([...held.keys()].sort());
          for (const question of questions) {
            const all = [...held].filter(([, each]) => isSought(each, question)).map(([id]) => id);
            const having = all.filter((id) => question.left.some((name) => (held.get(id)?.figures[name] ?? 0) > 0));
            const [byOrder, either, byBits] = tables.map((table) => table.find(question));
            expect(byOrder?.filter((id) => !all.includes(id))).toEqual([]);
            // What has nothing left may be found by its bits: the rules judge it.
            expect(byBits?.filter((id) => !all.includes(id))).toEqual([]);
            const least = question.left.length === 0 ? all : having;
            for (const found of [byOrder, either, byBits])
              expect(least.filter((id) => found?.includes(id) !== true)).toEqual([]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
