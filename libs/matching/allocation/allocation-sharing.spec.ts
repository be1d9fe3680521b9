import fc from 'fast-check';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { NeedReader } from '#needs/contract';
import type { OfferReader } from '#offers/contract';
import { Problem } from '#web';
import type { Offices } from '../offices.js';
import type { AllocationPair, SharedLine } from './allocation.contract.js';
import type { PairName } from './allocation-sharing.js';
import { AllocationSharing } from './allocation-sharing.js';

const as = (party: string): Caller => ({ ...ANONYMOUS, anonymous: false, party });
const COORDINATOR = as('agency:secretariat');
const DESKS = ['donor:japan', 'donor:norway', 'fund:peace'];
const EVERYONE = [COORDINATOR.party, ...DESKS];

/** Who sees a need's lines; whose an offer is, and who else sees it. */
interface World {
  readonly needs: readonly { readonly seers: readonly string[] }[];
  readonly offers: readonly { readonly providers: readonly string[]; readonly seers: readonly string[] }[];
  readonly pairs: readonly AllocationPair[];
}

const NEEDS = 3;
const OFFERS = 3;
const worlds: fc.Arbitrary<World> = fc.record({
  needs: fc.array(fc.record({ seers: fc.subarray(EVERYONE, { minLength: 2 }) }), {
    minLength: NEEDS,
    maxLength: NEEDS,
  }),
  offers: fc.array(
    fc.record({ providers: fc.subarray(DESKS, { minLength: 1 }), seers: fc.subarray(EVERYONE, { minLength: 2 }) }),
    {
      ...{ minLength: OFFERS, maxLength: OFFERS },
    },
  ),
  pairs: fc.uniqueArray(
    fc.record({
      needId: fc.nat(NEEDS - 1).map(String),
      needLine: fc.integer({ min: 1, max: 2 }),
      offerId: fc.nat(OFFERS - 1).map(String),
      offerLine: fc.constant(1),
      quantity: fc.constant({ measure: 'seats', amount: '2' } as const),
      because: fc.constant('reckoned with the records of others'),
    }),
    { selector: ({ needId, needLine, offerId }) => `${needId} ${needLine} ${offerId}`, minLength: 4, maxLength: 12 },
  ),
});

const sharingOf = ({ needs, offers }: World): AllocationSharing => {
  const needReader: Pick<NeedReader, 'sight'> = {
    sight: (id, { party }) => {
      const body = needs[Number(id)]?.seers.includes(party) === true;
      // The summary alone is not the lines.
      return Promise.resolve({ summary: true, body, annex: false });
    },
  };
  const offerReader = {
    facts: (id: string) => Promise.resolve({ providers: offers[Number(id)]?.providers ?? [] }),
    sees: (id: string, { party }: Caller) => {
      const { providers = [], seers = [] } = offers[Number(id)] ?? {};
      return Promise.resolve(providers.includes(party) || seers.includes(party));
    },
  };
  const offices: Pick<Offices, 'desk'> = { desk: (party) => Promise.resolve(as(party)) };
  // What it asks of its readers, and no more.
  return new AllocationSharing(needReader as NeedReader, offerReader as unknown as OfferReader, offices as Offices);
};

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

/** The rule read off the world, pair by pair. */
const expectedOf = ({ needs, offers, pairs }: World, party: string): readonly SharedLine[] =>
  pairs.flatMap(({ because: _, ...line }, n) => {
    const need = needs[Number(line.needId)]?.seers ?? [];
    const { providers = [], seers = [] } = offers[Number(line.offerId)] ?? {};
    const told = providers.includes(party) && need.includes(party);
    const known = need.includes(COORDINATOR.party) && seers.includes(COORDINATOR.party);
    return told && known ? [{ n, ...line }] : [];
  });

describe('what a desk may be told of a run', () => {
  /*
   * Seen to fail with each of these planted: the lead provider's offers alone; a need of which the desk sees the summary; pairs that the
   * coordinator sees no more; the run's own reason passed on; lines numbered by what is told of them, not by the run.
   */
  it('is exactly its pairs with offers it gives of and needs whose lines it sees, and of each the quantity alone', async () => {
    let some = 0;
    await fc.assert(
      fc.asyncProperty(worlds, fc.constantFrom(...DESKS), async (world, party) => {
        const lines = await sharingOf(world).lines(COORDINATOR, party, each(world.pairs));
        const expected = expectedOf(world, party);
        some += expected.length > 0 ? 1 : 0;
        expect(lines).toEqual(expected);
      }),
      { numRuns: 300 },
    );
    expect(some).toBeGreaterThan(50);
  });

  it('is, of the pairs that are named, all of them or a refusal that names one', async () => {
    await fc.assert(
      fc.asyncProperty(
        worlds,
        fc.constantFrom(...DESKS),
        fc.array(fc.nat(20), { maxLength: 4 }),
        async (world, party, places) => {
          const named = places.map(
            (place): PairName => world.pairs[place] ?? { needId: 'x', needLine: 1, offerId: 'y', offerLine: 1 },
          );
          const told = expectedOf(world, party).map(({ n }) => n);
          const asked = sharingOf(world).lines(COORDINATOR, party, each(world.pairs), named);
          if (places.every((place) => told.includes(place))) {
            expect((await asked).map(({ n }) => n)).toEqual([...new Set(places)].sort((a, b) => a - b));
            return;
          }
          const problem = await asked.then(
            () => undefined,
            (error: unknown) => error,
          );
          expect(problem).toBeInstanceOf(Problem);
          const { code, errors = [] } = problem as Problem;
          const at = Number(/^pairs\[(\d+)\]$/.exec(errors[0]?.field ?? '')?.[1]);
          const pair = world.pairs[places[at] ?? -1];
          expect(told).not.toContain(places[at]);
          const isKnown =
            pair !== undefined &&
            world.needs[Number(pair.needId)]?.seers.includes(COORDINATOR.party) === true &&
            world.offers[Number(pair.offerId)]?.seers.includes(COORDINATOR.party) === true;
          // What the coordinator sees no more is no pair to it.
          expect(code).toBe(isKnown ? 'not-of-party' : 'unknown-pair');
        },
      ),
      { numRuns: 200 },
    );
  });
});
