import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Change } from './changes.js';
import { applied, bySize } from './changes.js';
import { HARD_RULES } from './hard-rules.js';
import { RULESETS } from './rulesets.js';
import type { NeedSide, OfferSide, Pairing } from './sides.js';
import { pairingFrom } from './small-worlds.fixture.js';
import { setsOf, smallestUnlock } from './smallest-unlock.js';
import { DEFAULT_WEIGHTS } from './weighted-parts.js';

const matches = (pairing: Pairing): boolean => RULESETS['3'].judge(pairing, DEFAULT_WEIGHTS).kind === 'match';

const opens = (pairing: Pairing, changes: readonly Change[]): boolean => matches(applied(pairing, changes));

/** Sets that are looked at, at the most, for one world: larger worlds are passed over, and counted. */
const MOST_SETS = 6_000;

const setsUpTo = (universe: number, size: number): number => {
  let [sets, all] = [1, 0];
  for (let k = 1; k <= size; k += 1) {
    sets = (sets * (universe - k + 1)) / k;
    all += sets;
  }
  return all;
};

describe('the smallest unlock', () => {
  /*
   * Seen to fail with each of these planted: a region that is added instead of the others, not beside them; the first set found taken for
   * the smallest; sets about a line of the offer without the changes of the need and the earmark.
   */
  it('opens the pairing, and no smaller set of all changes of either side does', () => {
    let [tried, unlockable] = [0, 0];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_147_483_647 }), (seed) => {
        const pairing = pairingFrom(seed, 2);
        const unlock = smallestUnlock(pairing);
        const universe = HARD_RULES.flatMap(({ changes }) => changes(pairing));
        if (unlock === undefined) {
          // What no change could open, all changes together do not open.
          expect(
            HARD_RULES.some(({ test, changes }) => test(pairing).length > 0 && changes(pairing).length === 0),
          ).toBe(true);
          return;
        }
        expect(opens(pairing, unlock)).toBe(true);
        expect(unlock.length === 0).toBe(matches(pairing));
        if (setsUpTo(universe.length, unlock.length) > MOST_SETS) return;
        tried += 1;
        unlockable += unlock.length > 0 ? 1 : 0;
        for (let size = 0; size <= unlock.length; size += 1) {
          for (const changes of setsOf(universe, size)) {
            if (bySize(changes, unlock) >= 0) continue;
            // Asked of a hundred thousand sets: `expect` takes longer than the rules.
            assert.deepEqual(opens(pairing, changes) ? changes.map(({ change }) => change) : [], []);
          }
        }
      }),
      { numRuns: 60 },
    );
    // Worlds too large to be searched are few.
    expect(tried).toBeGreaterThan(25);
    expect(unlockable).toBeGreaterThan(15);
  });

  const VANUATU: NeedSide = {
    id: 'n1',
    beneficiaries: ['state:VUT'],
    sovereigns: ['VUT'],
    networks: ['network:msg'],
    regions: ['001', '009', '054'],
    kinds: ['legal'],
    instruments: ['ATT'],
    traffickingNexus: false,
    urgency: 'normal',
    lines: [
      {
        line: 1,
        kind: 'legal',
        quantity: { measure: 'money', currency: 'USD', amount: '500.00' },
        outstanding: 50_000n,
      },
    ],
  };
  const JAPAN: OfferSide = {
    id: 'o1',
    provider: 'donor:japan',
    sovereigns: ['JPN'],
    suspended: false,
    earmark: {},
    conditions: [],
    lines: [
      {
        line: 1,
        kinds: ['legal'],
        capacity: { measure: 'money', currency: 'USD', amount: '900.00' },
        available: 90_000n,
      },
    ],
  };
  const SEEN = { now: '2026-11-29', providerSeesNeed: true, recipientSeesOffer: true, earmarkReasons: [] };
  const wordsOf = (need: Partial<NeedSide>, offer: Partial<OfferSide>): readonly string[] | undefined =>
    smallestUnlock({ need: { ...VANUATU, ...need }, offer: { ...JAPAN, ...offer }, circumstances: SEEN })?.map(
      ({ change }) => change,
    );
  const [line] = JAPAN.lines;
  const eur = { ...line!, capacity: { measure: 'money', currency: 'EUR', amount: '900.00' } } as const;

  it.each<[string, Partial<NeedSide>, Partial<OfferSide>, readonly string[] | undefined]>([
    ['nothing where the pairing matches', {}, {}, []],
    [
      'the nearest region rather than the world',
      {},
      { earmark: { regions: ['150'] } },
      ['this offer: add Melanesia (054) to the regions of the earmark'],
    ],
    [
      'a report of the need rather than a condition of the offer',
      {},
      { conditions: [{ code: 'national-report' }] },
      ['this need: cite a national report'],
    ],
    [
      'one new line rather than a kind and a measure',
      {},
      { lines: [{ ...eur, kinds: ['training'] }] },
      ['this offer: add a line that gives legal in USD'],
    ],
    ['another measure of a line', {}, { lines: [eur] }, ['this need: ask line 1 in EUR']],
    [
      'none of a line that is in use',
      { lines: [{ ...VANUATU.lines[0]!, inUse: true }] },
      { lines: [eur] },
      ['this offer: state line 1 in USD'],
    ],
    [
      'a new line where those of both sides are in use',
      { lines: [{ ...VANUATU.lines[0]!, inUse: true }] },
      { lines: [{ ...eur, inUse: true }] },
      ['this offer: add a line that gives legal in USD'],
    ],
    ['a kind of a line', {}, { lines: [{ ...line!, kinds: ['training'] }] }, ['this offer: let line 1 give legal too']],
    [
      'one change for each of two rules',
      {},
      { suspended: true, period: { to: '2026-01-31' } },
      ['this offer: resume it', 'this offer: let its period be any time to 2026-11-29'],
    ],
    ['none for two offices of one State', {}, { sovereigns: ['VUT'] }, undefined],
    [
      'less drawn than the smallest lot',
      {},
      { lines: [{ ...line!, minimumLot: 60_000n }] },
      ['this offer: let less be drawn of line 1 than its smallest lot'],
    ],
    [
      'more outstanding',
      { lines: [{ ...VANUATU.lines[0]!, outstanding: 0n }] },
      {},
      ['this need: ask for more on line 1: at least 0.01 USD outstanding'],
    ],
    [
      'more left',
      {},
      { lines: [{ ...line!, available: 0n }] },
      ['this offer: raise what is left on line 1 to 500.00 USD'],
    ],
  ])('asks for %s', (_, need, offer, words) => {
    expect(wordsOf(need, offer)).toEqual(words);
  });
});
