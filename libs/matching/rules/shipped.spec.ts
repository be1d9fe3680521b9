import { createHash } from 'node:crypto';
import type { RulesetVersion } from './rulesets.js';
import { RULESET_VERSIONS, RULESETS } from './rulesets.js';
import type { Judgement } from './sides.js';
import { pairingFrom } from './small-worlds.fixture.js';
import { DEFAULT_WEIGHTS } from './weighted-parts.js';

/**
 * Answers of a shipped version never change, byte for byte: one hash over what it says of many pairings. Those of 1 and 2 were taken from
 * the code that shipped them, before it was split. A new version adds its own; a hash that stands here is not edited.
 */
const SHIPPED: Readonly<Record<RulesetVersion, string>> = {
  '1': 'c180d40ed43398a021ad5d711abff560478f5d48fa81ab65a9ecb64e5707a88e',
  '2': '3435cb1ab91c9a367c5aff34b816cf490715a2ebb651fd03befcb332d6a797e6',
  '3': 'd53fd119fb1ce975f8067ee67ae10eaea340be3d35f49387e3e5dfdc53100c2e',
};
const SEEDS = 5_000;
/** To seed n + 1; made once, for they take longer than their judgements. */
const PAIRINGS = Array.from({ length: SEEDS }, (_, n) => pairingFrom(n + 1));

const digest = (version: RulesetVersion): string => {
  const hash = createHash('sha256');
  for (const [n, { circumstances, ...sides }] of PAIRINGS.entries()) {
    // The earmark's reasons are told by the offer; here a seed in ten has one.
    const reasons = (n + 1) % 10 === 0 ? ['The offer is for the regions 054 only.'] : [];
    const pairing = { ...sides, circumstances: { ...circumstances, earmarkReasons: reasons } };
    hash.update(`${JSON.stringify(RULESETS[version].judge(pairing, DEFAULT_WEIGHTS), textOf)}\n`);
  }
  return hash.digest('hex');
};

const textOf = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

describe('shipped rulesets', () => {
  it.each(Object.keys(SHIPPED) as RulesetVersion[])('answer in version %s as they always did', (version) => {
    expect(digest(version)).toBe(SHIPPED[version]);
  });

  it('admit what they judge a match, and nothing else', () => {
    for (const version of RULESET_VERSIONS) {
      const { admits, judge } = RULESETS[version];
      expect(
        PAIRINGS.filter((pairing) => admits(pairing) !== (judge(pairing, DEFAULT_WEIGHTS).kind === 'match')),
      ).toEqual([]);
    }
  });

  it('are tried on pairings of every outcome', () => {
    const codes = new Map<string, number>();
    const count = (code: string): void => {
      codes.set(code, (codes.get(code) ?? 0) + 1);
    };
    for (const pairing of PAIRINGS) {
      const judgement: Judgement = RULESETS['3'].judge(pairing, DEFAULT_WEIGHTS);
      if (judgement.kind === 'match') count('match');
      else for (const { code } of judgement.blocks) count(code);
    }
    for (const code of [
      ...['match', 'offer-not-open', 'same-side', 'kind', 'instrument', 'beneficiary', 'region', 'network'],
      ...['trafficking-nexus', 'period', 'language', 'national-report', 'measure', 'visibility', 'capacity'],
      ...['below-minimum-lot', 'outstanding'],
    ]) {
      expect([code, (codes.get(code) ?? 0) >= 20]).toEqual([code, true]);
    }
  });
});
