import fc from 'fast-check';
import type { ProjectionRunner } from '#kernel';
import { stateOfParty } from '#vocabulary';
import { needsSoughtBy } from './facets/need-facets.js';
import { offersSoughtBy } from './facets/offer-facets.js';
import { IndexedWorld } from './indexed-world.fixture.js';
import { LiveIndex } from './live-index.js';
import { providersOf } from './match-index.projection.js';
import { reasonsAgainst } from './match-index.js';
import { RULESETS, RULESET_VERSIONS } from './rules/rulesets.js';
import type { NeedSide, OfferSide } from './rules/sides.js';
import { Chance } from './rules/small-worlds.fixture.js';
import { DEFAULT_WEIGHTS } from './rules/weighted-parts.js';
import { needSide, offerSide } from './standing.js';

const TODAY = '2026-11-29';
const NETWORKS: Readonly<Record<string, readonly string[]>> = {
  'state:VUT': ['network:msg', 'network:pif'],
  'state:FJI': ['network:msg', 'network:pif'],
  'state:KEN': ['network:igad'],
};
const memberships = { networksOf: (party: string): readonly string[] => NETWORKS[party] ?? [] };
const membersOf = (network: string): readonly string[] =>
  Object.keys(NETWORKS).filter((party) => NETWORKS[party]?.includes(network));

const judgedAs = (
  version: (typeof RULESET_VERSIONS)[number],
  need: NeedSide,
  offer: OfferSide,
  earmarkReasons: readonly string[],
): boolean =>
  RULESETS[version].judge(
    { need, offer, circumstances: { now: TODAY, providerSeesNeed: true, recipientSeesOffer: true, earmarkReasons } },
    DEFAULT_WEIGHTS,
  ).kind === 'match';

describe('the index in memory', () => {
  /*
   * Seen to fail with each of these planted: an offer without regions not found by `region *`; rows that moved not read again; `pt-BR`
   * kept apart from `pt`.
   */
  it('finds every pairing that any version of the rules admits, from both sides, after any events', () => {
    let [pairs, found, matches] = [0, 0, 0];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_147_483_647 }), (seed) => {
        const chance = new Chance(seed);
        const world = new IndexedWorld(chance);
        for (let round = 0; round < 4; round += 1) {
          for (let step = 0; step < 12; step += 1) world.step();
          world.flush();
          while (!world.index.catchUp());
          const [needs, offers] = [world.sides('need'), world.sides('offer')];
          expect(world.index.needIds()).toEqual(needs.map(([id]) => id));
          expect(world.index.offerIds()).toEqual(offers.map(([id]) => id));
          const found1 = new Map(
            needs.map(([id, doc]) => {
              const side = needSide(id, doc, memberships);
              return [id, new Set(world.index.offerIds(offersSoughtBy(side, TODAY, false)))] as const;
            }),
          );
          for (const [offerId, offer] of offers) {
            const sovereigns = providersOf(offer).map(stateOfParty);
            const given = offerSide(offerId, offer, sovereigns);
            const serves = new Set(world.index.needIds(needsSoughtBy(given, TODAY, membersOf, false)));
            for (const [needId, need] of needs) {
              const side = needSide(needId, need, memberships);
              const reasons = reasonsAgainst(offer, side);
              pairs += 1;
              found += found1.get(needId)?.has(offerId) === true ? 1 : 0;
              const admitted = RULESET_VERSIONS.filter((version) => judgedAs(version, side, given, reasons));
              matches += admitted.includes('3') ? 1 : 0;
              if (admitted.length === 0) continue;
              expect([needId, offerId, found1.get(needId)?.has(offerId), serves.has(needId)]).toEqual([
                needId,
                offerId,
                true,
                true,
              ]);
            }
          }
        }
      }),
      { numRuns: 80 },
    );
    // Few of what it finds are blocked by the rules alone.
    expect(matches).toBeGreaterThan(100);
    expect(found).toBeLessThan(pairs / 4);
  });

  it('shows whoever is nobody only what is labelled public', () => {
    const world = new IndexedWorld(new Chance(7));
    for (let step = 0; step < 200; step += 1) world.step();
    world.flush();
    while (!world.index.catchUp());
    const labels = new Map(world.sides('offer').map(([id, { content }]) => [id, content.visibility as unknown]));
    const sought = world
      .sides('need')
      .flatMap(([id, doc]) =>
        [...world.index.offerIds(offersSoughtBy(needSide(id, doc, memberships), TODAY, true))].map((each) =>
          labels.get(each),
        ),
      );
    expect(sought.length).toBeGreaterThan(5);
    expect(new Set(sought)).toEqual(new Set(['public']));
  });

  it('forgets what it held when its read model is that of another log', () => {
    const [first, second] = [new IndexedWorld(new Chance(11)), new IndexedWorld(new Chance(12))];
    for (let step = 0; step < 60; step += 1) first.step();
    for (let step = 0; step < 20; step += 1) second.step();
    first.flush();
    second.flush();
    let world = first;
    const index = new LiveIndex({ model: () => world.model } as unknown as ProjectionRunner);
    while (!index.catchUp());
    expect(index.offerIds()).toEqual(first.sides('offer').map(([id]) => id));
    world = second;
    while (!index.catchUp());
    expect(index.offerIds()).toEqual(second.sides('offer').map(([id]) => id));
  });
});
