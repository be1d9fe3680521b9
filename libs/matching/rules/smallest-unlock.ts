import type { Change } from './changes.js';
import { applied, bySize } from './changes.js';
import type { HardRule } from './hard-rules.js';
import { HARD_RULES } from './hard-rules.js';
import type { Pairing } from './sides.js';

/**
 * The smallest set of changes, on either side, after which the pairing passes every rule: none where it passes already, undefined where no
 * change of these two records could do it. Each rule looks at facts that the changes of no other rule touch, so that the smallest sets of
 * the rules together are the smallest set of all (compared with every set on small worlds in `smallest-unlock.spec.ts`).
 */
export const smallestUnlock = (pairing: Pairing): readonly Change[] | undefined => {
  const unlock: Change[] = [];
  for (const rule of HARD_RULES) {
    if (passes(rule, pairing)) continue;
    const changes = smallestFor(rule, pairing);
    if (changes === undefined) return undefined;
    unlock.push(...changes);
  }
  return unlock;
};

const passes = ({ test }: HardRule, pairing: Pairing): boolean => test(pairing).length === 0;

const smallestFor = (rule: HardRule, pairing: Pairing): readonly Change[] | undefined => {
  const universe = rule.changes(pairing);
  let best: readonly Change[] | undefined;
  const consider = (changes: readonly Change[]): void => {
    if (best !== undefined && bySize(changes, best) >= 0) return;
    if (passes(rule, applied(pairing, changes))) best = changes;
  };
  // An offer's line serves or it does not, whatever is changed about another: sets about one line are enough.
  const lines = new Set(universe.map(({ line }) => line));
  for (let size = 1; size <= (rule.together === true ? universe.length : 1); size += 1) {
    for (const of of lines) {
      const about = universe.filter(({ line }) => line === undefined || line === of);
      for (const changes of setsOf(about, size)) consider(changes);
    }
    if (best !== undefined) return best;
  }
  return undefined;
};

/** Every set of `size` of these, in their order. */
export function* setsOf<T>(of: readonly T[], size: number, from = 0): Generator<readonly T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = from; at <= of.length - size; at += 1) {
    for (const rest of setsOf(of, size - 1, at + 1)) yield [of[at] as T, ...rest];
  }
}
