import fc from 'fast-check';
import type { ProjectionRunner, ReadModel } from '#kernel';
import { applyToModel } from '#kernel';
import { recordedEvent } from '#kernel-testing';
import type { NeedContent, NeedEvent } from '#needs/contract';
import type { OfferContent, OfferEvent } from '#offers/contract';
import { MemoryReadDatabase } from '#read-database';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits, quantityOf, stateOfParty } from '#vocabulary';
import { needsSoughtBy } from './facets/need-facets.js';
import { offersSoughtBy } from './facets/offer-facets.js';
import { LiveIndex } from './live-index.js';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { matchIndex, providersOf } from './match-index.projection.js';
import { reasonsAgainst } from './match-index.js';
import { RULESETS, RULESET_VERSIONS } from './rules/rulesets.js';
import type { NeedSide, OfferSide } from './rules/sides.js';
import { Chance, pairingFrom } from './rules/small-worlds.fixture.js';
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

const needContent = (side: NeedSide, chance: Chance): NeedContent => ({
  title: 'A need',
  kinds: side.kinds,
  instruments: side.instruments,
  traffickingNexus: side.traffickingNexus,
  lines: side.lines.map(({ line, kind, quantity }) => ({ line, kind, quantity })),
  urgency: side.urgency,
  ...(side.period === undefined ? {} : { period: side.period }),
  ...(side.languages === undefined ? {} : { languages: side.languages }),
  visibility: { summary: 'public', body: chance.of(['public', 'members', 'sealed']), annex: 'sealed' },
  named: [],
  oversubscription: chance.is(0.2),
});

const offerContent = (side: OfferSide, chance: Chance): OfferContent => ({
  title: 'An offer',
  lines: side.lines.map(({ line, kinds, capacity, minimumLot }) => ({
    line,
    kinds,
    capacity,
    ...(minimumLot === undefined ? {} : { minimumLot: amountOf(capacity, minimumLot) }),
  })),
  earmark: side.earmark,
  conditions: side.conditions,
  ...(side.period === undefined ? {} : { period: side.period }),
  ...(side.languages === undefined ? {} : { languages: side.languages }),
  visibility: chance.of(['public', 'members', 'named']),
  named: [],
});

const amountOf = (like: Quantity, minor: bigint): string => {
  const quantity = quantityOf(like, minor);
  return 'amount' in quantity ? quantity.amount : '';
};

/** Needs and offers as events make them, and the index over their read model. */
class World {
  readonly model: ReadModel = new MemoryReadDatabase().open(matchIndex);
  readonly index = new LiveIndex({ model: () => this.model } as unknown as ProjectionRunner);
  private readonly revisions = new Map<string, number>();
  private readonly contents = new Map<string, NeedContent | OfferContent>();
  private position = 0n;
  private pending: ReturnType<typeof recordedEvent>[] = [];

  constructor(private readonly chance: Chance) {}

  /** Something happens to a record, a new one or one that there is. */
  step(): void {
    const ids = [...this.contents.keys()];
    if (ids.length < 4 || this.chance.is(0.3)) this.begin(`r${ids.length}`);
    else this.move(ids[this.chance.below(ids.length)] ?? '');
    if (this.chance.is(0.3)) this.flush();
  }

  flush(): void {
    if (this.pending.length > 0) applyToModel(matchIndex, this.model, this.pending, (event) => event);
    this.pending = [];
  }

  sides(kind: 'need' | 'offer'): readonly (readonly [string, IndexedNeed & IndexedOffer])[] {
    return this.model
      .all('SELECT id, doc FROM side WHERE kind = ? AND live = 1 ORDER BY id', kind)
      .map(({ id, doc }) => [id as string, JSON.parse(doc as string) as IndexedNeed & IndexedOffer]);
  }

  private begin(id: string): void {
    const { need, offer } = pairingFrom(this.chance.below(1_000_000), 2);
    if (this.chance.is(0.5)) {
      const content = needContent(need, this.chance);
      const [filer = 'state:VUT'] = need.beneficiaries;
      this.contents.set(`need-${id}`, content);
      this.append(`need-${id}`, {
        type: 'NeedDrafted',
        data: { filer, beneficiaries: need.beneficiaries, content },
      });
      for (const party of need.beneficiaries.slice(1)) {
        if (this.chance.is(0.7)) this.append(`need-${id}`, { type: 'ParticipationConsented', data: { party } });
      }
      if (this.chance.is(0.9)) {
        this.append(`need-${id}`, { type: 'NeedOpened', data: { reaffirmBy: '2027-11-29T00:00:00.000Z' } });
      }
    } else {
      const content = offerContent(offer, this.chance);
      this.contents.set(`offer-${id}`, content);
      const provider = this.chance.of(['donor:japan', 'state:VUT', 'agency:ngo']);
      this.append(`offer-${id}`, { type: 'OfferPosted', data: { provider, content } });
    }
  }

  private move(stream: string): void {
    const content = this.contents.get(stream);
    const [line] = content?.lines ?? [];
    if (content === undefined || line === undefined) return;
    const { need, offer } = pairingFrom(this.chance.below(1_000_000), 2);
    const quantity = 'capacity' in line ? line.capacity : line.quantity;
    const key = { commitment: 'c1', leg: 1, amendment: 0, line: line.line };
    const part = isRival(quantity)
      ? quantityOf(quantity, (minorUnits(quantity) * BigInt(this.chance.below(3))) / 2n)
      : quantity;
    if (stream.startsWith('need-')) {
      this.append(
        stream,
        this.chance.of<NeedEvent>([
          { type: 'NeedAmended', data: { changes: needContent(need, this.chance) } },
          { type: 'NeedClosed', data: { outcome: 'met', waivers: [] } },
          { type: 'NeedFellDormant', data: {} },
          { type: 'NeedReopened', data: { reaffirmBy: '2028-01-01T00:00:00.000Z' } },
          { type: 'NeedObjected', data: { to: 'circulation' } },
          { type: 'CoverageReserved', data: { ...key, quantity: part } },
          { type: 'CoverageReleased', data: { ...key, quantity: part } },
        ]),
      );
    } else {
      this.append(
        stream,
        this.chance.of<OfferEvent>([
          { type: 'OfferAmended', data: { changes: offerContent(offer, this.chance) } },
          { type: 'OfferSuspended', data: {} },
          { type: 'OfferResumed', data: {} },
          { type: 'OfferWithdrawn', data: {} },
          { type: 'CapacityReserved', data: { ...key, quantity: part } },
          { type: 'CapacityReleased', data: { ...key, quantity: part } },
        ]),
      );
    }
  }

  private append(stream: string, event: NeedEvent | OfferEvent): void {
    const revision = (this.revisions.get(stream) ?? -1) + 1;
    this.revisions.set(stream, revision);
    this.position += 1n;
    this.pending.push({ ...recordedEvent(stream, revision, event), position: this.position });
  }
}

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
        const world = new World(chance);
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
    const world = new World(new Chance(7));
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
    const [first, second] = [new World(new Chance(11)), new World(new Chance(12))];
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
