import type { Change } from './changes.js';
import { applied } from './changes.js';
import { HARD_RULES } from './hard-rules.js';
import type { Pairing } from './sides.js';

/** Every single change, on either side, after which a blocked pairing passes every rule. */
const singleChanges = (pairing: Pairing): readonly Change[] => {
  const [failing, ...others] = HARD_RULES.filter(({ test }) => test(pairing).length > 0);
  if (failing === undefined || others.length > 0) return [];
  return failing.changes(pairing).filter((change) => failing.test(applied(pairing, [change])).length === 0);
};

/** The one change that would open the most of a record's blocked pairings. */
export interface Opening {
  readonly side: Change['side'];
  /** The record that would change. */
  readonly record: string;
  readonly code: Change['code'];
  readonly change: string;
  /** The records that would be matched, in order of their ids. */
  readonly opens: readonly string[];
}

interface Candidate extends Omit<Opening, 'opens'> {
  readonly breadth: number;
  readonly opens: string[];
}

/**
 * Which single change to which record would open the most of these blocked pairings; undefined where none would open any. `ofRecord` is the
 * side that all pairings share. Equally many: what gives away less, then by words.
 */
export const openingOf = (pairings: readonly Pairing[], ofRecord: 'need' | 'offer'): Opening | undefined => {
  const candidates = new Map<string, Candidate>();
  for (const pairing of pairings) {
    const other = ofRecord === 'need' ? pairing.offer.id : pairing.need.id;
    const once = new Map(
      singleChanges(pairing).map((change) => [`${pairing[change.side].id} ${change.change}`, change]),
    );
    for (const [key, { side, code, change, breadth }] of once) {
      const candidate = candidates.get(key);
      if (candidate === undefined) {
        candidates.set(key, { side, record: pairing[side].id, code, change, breadth, opens: [other] });
      } else candidate.opens.push(other);
    }
  }
  const [best] = [...candidates].sort(
    ([aKey, a], [bKey, b]) =>
      b.opens.length - a.opens.length || a.breadth - b.breadth || (aKey < bKey ? -1 : aKey > bKey ? 1 : 0),
  );
  if (best === undefined) return undefined;
  const { breadth: _, opens, ...opening } = best[1];
  return { ...opening, opens: [...opens].sort() };
};
