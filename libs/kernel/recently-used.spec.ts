import { expect, test } from '@jest/globals';
import { recentlyUsed } from './recently-used.js';

test('as many entries are kept as said, and what was not used for longest goes', () => {
  const kept = recentlyUsed<string, string>(3);
  for (const name of ['a', 'b', 'c']) kept.set(name, name);
  expect(kept.get('a')).toBe('a');
  kept.set('d', 'd');
  kept.set('d', 'D');
  expect(['a', 'b', 'c', 'd'].map((name) => kept.get(name))).toEqual(['a', undefined, 'c', 'D']);
  expect(kept.size).toBe(3);
});
