import fc from 'fast-check';
import { differences } from './changes.js';

describe('differences', () => {
  it('are the leaves that differ', () => {
    expect(differences({ a: 1, b: { c: [1, 2] } }, { a: 1, b: { c: [1, 3, 4] }, d: null })).toEqual([
      { path: 'b.c[1]', from: 2, to: 3 },
      { path: 'b.c[2]', to: 4 },
      { path: 'd', to: null },
    ]);
    expect(differences({ a: null }, { a: { b: 1 } })).toEqual([{ path: 'a', from: null, to: { b: 1 } }]);
    expect(differences({ a: { b: 1 } }, {})).toEqual([{ path: 'a', from: { b: 1 } }]);
    expect(differences([], {})).toEqual([]);
  });
  it('applied to the first value give the second', () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.boolean());
    const value = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(leaf, fc.dictionary(fc.constantFrom('x', 'y'), leaf)),
    );
    fc.assert(
      fc.property(value, value, (from, to) => {
        const target: Record<string, unknown> = structuredClone(from);
        for (const change of differences(from, to)) {
          const keys = change.path.split('.');
          const last = keys.pop() ?? '';
          const holder = keys.reduce<Record<string, unknown>>(
            (object, key) => object[key] as Record<string, unknown>,
            target,
          );
          if ('to' in change) holder[last] = change.to;
          else Reflect.deleteProperty(holder, last);
        }
        expect(target).toEqual({ ...to });
      }),
    );
  });
});
