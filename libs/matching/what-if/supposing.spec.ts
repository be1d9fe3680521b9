import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { Transactor } from '#kernel';
import { supposed } from '#kernel';
import type { NeedContent, NeedEvent } from '#needs/contract';
import { SupposedNeed } from '#needs/filing';
import type { OfferContent, OfferEvent } from '#offers/contract';
import { SupposedOffer } from '#offers/posting';
import type { Quantity } from '#vocabulary';
import { isDeterminate, isRival, minorUnits, quantityOf } from '#vocabulary';
import type { Problem } from '#web';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import { evolveNeed, evolveOffer } from '../match-index.projection.js';
import { applied } from '../rules/changes.js';
import { HARD_RULES } from '../rules/hard-rules.js';
import type { NeedSide, OfferSide, Pairing } from '../rules/sides.js';
import { pairingFrom } from '../rules/small-worlds.fixture.js';
import { smallestUnlock } from '../rules/smallest-unlock.js';
import { DEFAULT_WEIGHTS } from '../rules/weighted-parts.js';
import type { Standing } from '../standing.js';
import { needSide, offerSide } from '../standing.js';
import { SupposedStanding } from './supposed-standing.js';
import { NOTHING_SUPPOSED, Supposing } from './supposing.js';

const TODAY = '2026-11-29';
const AT = `${TODAY}T12:00:00.000Z`;
const NETWORKS: Readonly<Record<string, readonly string[]>> = {
  'state:VUT': ['network:msg', 'network:pif'],
  'state:FJI': ['network:msg', 'network:pif'],
  'state:KEN': ['network:igad'],
};
const OWNER: Caller = { ...ANONYMOUS, anonymous: false, party: 'donor:japan', roles: ['donor-desk'] };

interface World {
  readonly standing: Standing;
  readonly transactor: Pick<Transactor, 'load'>;
}

const taken = (quantity: Quantity, left: bigint): Quantity | undefined =>
  isRival(quantity) && minorUnits(quantity) > left ? quantityOf(quantity, minorUnits(quantity) - left) : undefined;

const needEvents = (side: NeedSide): readonly NeedEvent[] => {
  const content: NeedContent = {
    title: 'A need',
    kinds: side.kinds,
    instruments: side.instruments,
    traffickingNexus: side.traffickingNexus,
    lines: side.lines.map(({ line, kind, quantity }) => ({ line, kind, quantity })),
    urgency: side.urgency,
    ...(side.period === undefined ? {} : { period: side.period }),
    ...(side.languages === undefined ? {} : { languages: side.languages }),
    reportRefs: (side.reports ?? []).map((instrument) => ({ instrument, year: 2025 })),
    visibility: { summary: 'members', body: 'members', annex: 'sealed' },
    named: [],
    oversubscription: false,
  };
  const [filer = 'state:VUT', ...others] = side.beneficiaries;
  return [
    { type: 'NeedDrafted', data: { filer, beneficiaries: side.beneficiaries, content } },
    ...others.map((party): NeedEvent => ({ type: 'ParticipationConsented', data: { party } })),
    { type: 'NeedOpened', data: { reaffirmBy: '2027-11-29T00:00:00.000Z' } },
    ...side.lines.flatMap(({ line, quantity, outstanding }): NeedEvent[] => {
      const part = taken(quantity, outstanding);
      const key = { commitment: `c${line}`, leg: 1, amendment: 0, line };
      return part === undefined ? [] : [{ type: 'CoverageReserved', data: { ...key, quantity: part } }];
    }),
  ];
};

const offerEvents = (side: OfferSide): readonly OfferEvent[] => {
  const content: OfferContent = {
    title: 'An offer',
    lines: side.lines.map(({ line, kinds, capacity, minimumLot }) => {
      const lot = minimumLot === undefined || !isDeterminate(capacity) ? undefined : quantityOf(capacity, minimumLot);
      return { line, kinds, capacity, ...(lot === undefined ? {} : { minimumLot: lot.amount }) };
    }),
    earmark: side.earmark,
    conditions: side.conditions,
    ...(side.period === undefined ? {} : { period: side.period }),
    ...(side.languages === undefined ? {} : { languages: side.languages }),
    visibility: 'members',
    named: [],
  };
  return [
    { type: 'OfferPosted', data: { provider: side.provider, content } },
    ...side.lines.flatMap(({ line, capacity, available }): OfferEvent[] => {
      const part = available === 'unlimited' ? undefined : taken(capacity, available);
      const key = { commitment: `c${line}`, leg: 1, amendment: 0, line };
      return part === undefined ? [] : [{ type: 'CapacityReserved', data: { ...key, quantity: part } }];
    }),
    ...(side.suspended ? [{ type: 'OfferSuspended', data: {} } as const] : []),
  ];
};

/** One need and one offer, as events make them for the deciders and for the index. */
const worldOf = ({ need, offer }: Pairing): World => {
  const [ofNeed, ofOffer] = [needEvents(need), offerEvents(offer)];
  const needs: Record<string, IndexedNeed | undefined> = {
    n1: ofNeed.reduce<IndexedNeed | undefined>((doc, event) => evolveNeed(doc, supposed(event, AT)), undefined),
  };
  const offers: Record<string, IndexedOffer | undefined> = {
    o1: ofOffer.reduce<IndexedOffer | undefined>((doc, event) => evolveOffer(doc, supposed(event, AT)), undefined),
  };
  return {
    standing: {
      ...{ asOf: '7', today: TODAY },
      need: (id) => needs[id],
      offer: (id) => offers[id],
      needIds: () => ['n1'],
      offerIds: () => ['o1'],
      needsFor: () => ['n1'],
      offersFor: () => ['o1'],
      weights: () => DEFAULT_WEIGHTS,
      networksOf: (party) => NETWORKS[party] ?? [],
      work: () => [],
    },
    transactor: {
      load: (decider) => {
        const events = decider.category === 'need' ? ofNeed : ofOffer;
        const state = events.reduce(
          (before, event) => decider.evolve(before, supposed(event, AT) as Parameters<typeof decider.evolve>[1]),
          decider.initial,
        );
        return Promise.resolve({ state, revision: 0, position: 0n, settledRevision: 0, commands: new Map() });
      },
    },
  };
};

const supposingIn = async ({ standing, transactor }: World): Promise<Supposing> =>
  new Supposing(
    standing,
    {
      needs: new Map([['n1', await SupposedNeed.of(transactor, 'n1')]]),
      offers: new Map([['o1', await SupposedOffer.of(transactor, 'o1')]]),
    },
    OWNER,
    AT,
    NOTHING_SUPPOSED,
  );

/** The pairing as the records stand, with who sees whom left as it was. */
const pairingIn = (standing: Standing, { offer, circumstances }: Pairing): Pairing => ({
  need: needSide('n1', standing.need('n1')!, standing),
  offer: offerSide('o1', standing.offer('o1')!, offer.sovereigns),
  circumstances: { ...circumstances, providerSeesNeed: true, recipientSeesOffer: true },
});

const failing = (pairing: Pairing): readonly string[] =>
  HARD_RULES.filter(({ test }) => test(pairing).length > 0).flatMap(({ codes }) => codes);

describe('what unlocks a pairing', () => {
  // Seen to fail with the earmark not taken over, what is reserved left out of a line's whole, a report not cited, and a line in use remeasured.
  test('unlocks it when it is supposed: the rules of the records allow all of it', async () => {
    let opened = 0;
    for (let seed = 1; seed <= 300; seed += 1) {
      const drawn = pairingFrom(seed);
      if (!drawn.offer.lines.some(({ capacity }) => isDeterminate(capacity))) continue;
      const world = worldOf(drawn);
      const before = pairingIn(world.standing, drawn);
      const unlock = smallestUnlock(before);
      if (unlock === undefined || unlock.length === 0) continue;
      const supposing = await supposingIn(world);
      const hints = unlock.map(({ side, code, change }) => ({ side, code, change }));
      try {
        supposing.suppose({ needId: 'n1', offerId: 'o1', unlock: hints }, 'change[0]');
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Problem).message}`, { cause: error });
      }
      const asked = { needs: ['n1'], offers: ['o1'], withBlocked: true };
      const after = pairingIn(new SupposedStanding(world.standing, supposing, asked), drawn);
      expect([seed, failing(after)]).toEqual([seed, []]);
      // As the rules reckoned it, but for what a side does not hold.
      expect([seed, after.offer.earmark]).toEqual([seed, applied(before, unlock).offer.earmark]);
      opened += 1;
    }
    expect(opened).toBeGreaterThan(100);
  });

  test('is no change that its failing rules do not name', async () => {
    const drawn = pairingFrom(3);
    const supposing = await supposingIn(worldOf(drawn));
    const hint = { code: 'region', change: 'this offer: add Nowhere (999) to the regions of the earmark' };
    expect(() => supposing.suppose({ needId: 'n1', offerId: 'o1', unlock: [hint] }, 'change[2]')).toThrow(
      expect.objectContaining({
        code: 'change-refused',
        errors: [expect.objectContaining({ field: 'change[2].unlock[0]' })],
      }),
    );
  });
});

describe('how things would stand', () => {
  test('is how they stand where nothing is supposed', () => {
    const { standing } = worldOf(pairingFrom(5));
    const same = new SupposedStanding(standing, NOTHING_SUPPOSED, { needs: ['n1'], offers: ['o1'], withBlocked: true });
    expect([same.need('n1'), same.offer('o1'), same.asOf]).toEqual([standing.need('n1'), standing.offer('o1'), '7']);
    expect([same.needIds(), same.offerIds()]).toEqual([['n1'], ['o1']]);
    expect(same.offersFor(needSide('n1', standing.need('n1')!, standing))).toEqual(['o1']);
  });

  test('tells of one moment, whatever is written while it is asked', () => {
    const { standing } = worldOf(pairingFrom(5));
    const ids = ['o1'];
    const moving: Standing = { ...standing, offerIds: () => [...ids], offersFor: () => [...ids] };
    const held = new SupposedStanding(moving, NOTHING_SUPPOSED, { needs: ['n1'], offers: [], withBlocked: true });
    ids.push('o2');
    const side = needSide('n1', standing.need('n1')!, standing);
    expect([held.offerIds(), held.offersFor(side)]).toEqual([['o1'], ['o1']]);
  });

  test('keeps the order of what stands, leaves out what would not stand open, and adds what would', () => {
    const { standing } = worldOf(pairingFrom(5));
    const stood: Standing = {
      ...standing,
      offer: (id) => standing.offer(id.startsWith('o') ? 'o1' : id),
      offerIds: () => ['o1', 'o2', 'o3'],
    };
    const open: IndexedOffer = { ...standing.offer('o1')!, status: 'open' };
    const offers = new Map<string, IndexedOffer>([
      ['a', open],
      ['o3', { ...open, status: 'closed' }],
      ['o2', open],
    ]);
    const would = new SupposedStanding(
      stood,
      { ...NOTHING_SUPPOSED, offers, created: new Set(['a']) },
      { needs: [], offers: [], withBlocked: true },
    );
    expect(would.offerIds()).toEqual(['o1', 'o2', 'a']);
  });
});

describe('more of a line', () => {
  const USD = (amount: string): Quantity => ({ measure: 'money', currency: 'USD', amount });
  const offered = (capacities: readonly Quantity[]): Pairing => {
    const { need, offer, circumstances } = pairingFrom(1);
    const lines = capacities.map((capacity, index) => ({
      ...{ line: index + 1, kinds: [], capacity },
      available: isRival(capacity) ? minorUnits(capacity) - 1n : ('unlimited' as const),
    }));
    return { need, circumstances, offer: { ...offer, period: {}, suspended: false, lines } };
  };

  test('is added to its only line in that measure, on top of what is held', async () => {
    const world = worldOf(offered([USD('50.00'), { measure: 'seats', amount: '3' }]));
    const supposing = await supposingIn(world);
    supposing.suppose({ offerId: 'o1', add: USD('7.50') }, 'change[0]');
    supposing.suppose({ offerId: 'o1', add: USD('0.50'), line: 1 }, 'change[1]');
    expect(supposing.offers.get('o1')?.content.lines[0]?.capacity).toEqual(USD('58.00'));
    expect(offerSide('o1', supposing.offers.get('o1')!, []).lines[0]?.available).toBe(5_799n);
    expect(world.standing.offer('o1')?.content.lines[0]?.capacity).toEqual(USD('50.00'));
  });

  test.each<[string, { readonly line?: number; readonly add: Quantity }, string, RegExp]>([
    ['of two lines alike', { add: USD('1.00') }, 'change[0].line', /lines 1, 2 are in money:USD/],
    ['in a measure of none', { add: { measure: 'seats', amount: '1' } }, 'change[0].line', /no line is in seats/],
    ['of a line that there is not', { add: USD('1.00'), line: 9 }, 'change[0].line', /no line 9/],
    [
      'of a line in another measure',
      { add: { measure: 'seats', amount: '1' }, line: 2 },
      'change[0].add',
      /cannot be added to line 2/,
    ],
  ])('%s is refused with the fix', async (_what, more, field, message) => {
    const supposing = await supposingIn(worldOf(offered([USD('50.00'), USD('60.00')])));
    expect(() => supposing.suppose({ offerId: 'o1', ...more }, 'change[0]')).toThrow(
      expect.objectContaining({
        code: 'change-refused',
        errors: [{ field, message: expect.stringMatching(message) as string }],
      }),
    );
  });
});
