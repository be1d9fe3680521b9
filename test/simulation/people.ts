import type { Actor } from '#kernel';
import { derivedId } from '#kernel';
import type { NeedContent } from '#needs/contract';
import type { OfferContent } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import type { Random } from '../extra/random.js';

export const JAPAN: Actor = { party: 'donor:japan', role: 'donor-desk', sovereign: 'JPN' };
export const SWEDEN: Actor = { party: 'donor:sweden', role: 'donor-desk', sovereign: 'SWE' };
export const FUND: Actor = { party: 'fund:unscar', role: 'donor-desk' };
export const VANUATU: Actor = { party: 'state:VUT', role: 'npc', sovereign: 'VUT' };
export const FIJI: Actor = { party: 'state:FJI', role: 'npc', sovereign: 'FJI' };
export const NETWORK: Actor = { party: 'network:msg', role: 'network-host' };
export const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator' };
export const CAVR: Actor = { party: 'agency:cavr', role: 'implementer' };
const PEOPLE = [JAPAN, SWEDEN, FUND, VANUATU, FIJI, NETWORK, COORDINATOR, CAVR];

/** The person of this party. */
export const personOf = (party: string): Actor => {
  const person = PEOPLE.find((each) => each.party === party);
  if (person === undefined) throw new Error(`nobody acts for ${party}`);
  return person;
};

export const recordId = (kind: string, n: number): string => derivedId('simulation', kind, String(n));

/** What every amount of a run is in, so that offers and needs meet. */
export type Measure = 'seats' | 'money' | 'access';

export const quantity = (measure: Measure, amount: number): Quantity =>
  measure === 'money' ? { measure, currency: 'USD', amount: `${amount}.00` } : { measure, amount: String(amount) };

const UNLIMITED: Quantity = { measure: 'access', amount: 'unlimited' };
const UNKNOWN: Quantity = { measure: 'undetermined', why: 'to-be-assessed' };

const MEASURES: readonly Measure[] = ['seats', 'seats', 'money', 'access'];

/** One or two lines; small capacities, so that proposals compete for them. */
export const someOffer = (random: Random, lead: Actor, other: Actor | undefined): OfferContent => {
  const lines = Array.from({ length: random.between(1, 2) }, (_, index) => {
    const measure = lead === FUND && index === 0 ? 'money' : random.pick(MEASURES);
    const amount = random.between(6, 30);
    return {
      line: index + 1,
      kinds: [],
      capacity: measure === 'access' && random.chance(0.3) ? UNLIMITED : quantity(measure, amount),
      ...(measure !== 'access' && random.chance(0.2)
        ? { minimumLot: quantityText(measure, random.between(1, 4)) }
        : {}),
    };
  });
  return {
    title: 'Courses',
    ...(other === undefined ? {} : { providers: [{ party: lead.party }, { party: other.party }] }),
    lines,
    earmark: random.chance(0.15) ? { instruments: ['ATT'] } : {},
    conditions: [],
    ...(random.chance(0.3) ? { period: { to: random.pick(['2026-03-02', '2026-03-09', '2026-04-20']) } } : {}),
    visibility: 'public',
    named: [],
  };
};

const quantityText = (measure: Measure, amount: number): string =>
  measure === 'money' ? `${amount}.00` : String(amount);

export const someNeed = (random: Random): NeedContent => ({
  title: 'Licensing officers to be trained',
  kinds: ['training'],
  instruments: random.chance(0.85) ? ['ATT'] : ['UNPoA'],
  traffickingNexus: false,
  lines: Array.from({ length: random.between(1, 2) }, (_, index) => ({
    line: index + 1,
    kind: 'training' as const,
    quantity: random.chance(0.15) ? UNKNOWN : quantity(random.pick(MEASURES), random.between(6, 30)),
  })),
  urgency: 'normal',
  authorityRef: 'Note Verbale 12/2026',
  visibility: { summary: 'public', body: 'public', annex: 'sealed' },
  named: [],
  oversubscription: random.chance(0.15),
});

/** The fund's terms. */
export const TERMS = {
  decidingBody: { name: 'Committee', members: ['donor:japan', 'state:FJI'] },
  currency: 'USD',
  windows: [],
  feeRates: [],
  capacityBasis: 'signed',
  periods: [{ from: '2026-01-01', to: '2026-12-31' }],
} as const;
