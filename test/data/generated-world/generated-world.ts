import type { InstrumentCode, Kind, Quantity, State } from '#vocabulary';
import { Random } from '../../extra/random.js';
import type { KindOfWorld, Sort } from './kinds.data.js';
import { KINDS_OF_WORLD } from './kinds.data.js';
import { DONORS, LANGUAGES, REGIONS_OF_WORLD } from './parties.data.js';

/** How large a world, and which: the same three give the same world on every machine. */
export interface WorldOptions {
  readonly seed: number;
  readonly needs: number;
  readonly offers: number;
  /** Periods are of the years after this one. */
  readonly year: number;
}

/** What a party files, as a body of `POST /v1/needs` or `/v1/offers`. */
export interface Filing {
  /** Whose it is: `state:VUT`, `donor:japan`. */
  readonly party: string;
  readonly body: object;
}

export interface GeneratedWorld {
  /** Donors, funds and agencies, to be registered first: bodies of `POST /v1/parties`. */
  readonly parties: readonly { readonly id: string }[];
  readonly needs: readonly Filing[];
  readonly offers: readonly Filing[];
}

/** Of a thousand offers twenty have a smallest lot: one of fifty, and the middle one of each fifty. */
const OFFERS_PER_LOT = 50;

/** Needs, offers and parties that nobody filed: everything in it is invented, and follows from the seed. */
export const generatedWorld = (options: WorldOptions): GeneratedWorld => {
  const random = new Random(options.seed);
  const ranks = new Map<string, number>();
  return {
    parties: DONORS.map(({ id, name, category, ofState }) => ({
      ...{ id, name, category },
      ...(ofState === undefined ? {} : { ofState }),
    })),
    needs: Array.from({ length: options.needs }, () => needOf(random, options, ranks)),
    offers: Array.from({ length: options.offers }, (_, n) =>
      offerOf(random, options, n % OFFERS_PER_LOT === OFFERS_PER_LOT / 2),
    ),
  };
};

const needOf = (random: Random, { year }: WorldOptions, ranks: Map<string, number>): Filing => {
  const state = random.pick(weighted(random, REGIONS_OF_WORLD, ({ often }) => often).states);
  const main = kindIn(random);
  const kinds = [
    main,
    ...(random.chance(0.4) ? [kindIn(random)] : []),
    ...(random.chance(0.15) ? [kindIn(random)] : []),
  ];
  const currency = random.chance(0.75) ? 'USD' : 'EUR';
  const lines = kinds.map((each) => {
    const sort = random.pick(each.sorts);
    return {
      kind: each.kind,
      description: sort.what,
      quantity: random.chance(0.05)
        ? { measure: 'undetermined', why: 'to-be-assessed' }
        : quantityOf(sort, currency, sort.middle * spread(random, 2)),
    };
  });
  const rank = (ranks.get(state.code) ?? 0) + 1;
  const ranked = random.chance(0.7);
  if (ranked) ranks.set(state.code, rank);
  const instruments = instrumentsOf(random, main);
  return {
    party: `state:${state.code}`,
    body: {
      title: `${wordsOf(lines)}, ${state.name}`,
      kinds: [...new Set(kinds.map(({ kind }) => kind))],
      instruments,
      lines,
      urgency: random.chance(0.12) ? 'urgent' : 'normal',
      ...(ranked ? { rank } : {}),
      ...periodOf(random, year, [
        [0, 0],
        [1, 1],
        [0, 1],
        [2, 3],
      ]),
      languages: languagesOf(state),
      ...(random.chance(0.2) ? { traffickingNexus: true } : {}),
      ...(random.chance(0.4) ? { reportRefs: [{ instrument: instruments[0], year: year - 1 }] } : {}),
      ...(random.chance(0.3) ? { ownContribution: [{ description: 'Premises and staff of the ministry' }] } : {}),
      authorityRef: `Note verbale ${random.between(1, 400)}/${year}`,
      visibility: random.chance(0.6) ? PUBLIC : MEMBERS,
    },
  };
};

const wordsOf = (lines: readonly { readonly description: string }[]): string =>
  lines.map(({ description }) => description).join('; ');

const PUBLIC = { summary: 'public', body: 'public' };
const MEMBERS = { summary: 'members', body: 'members' };

const offerOf = (random: Random, { year }: WorldOptions, withLot: boolean): Filing => {
  const donor = weighted(random, DONORS, ({ often }) => often);
  const kinds = Array.from({ length: random.pick([1, 1, 1, 2, 2, 3]) }, () => kindIn(random));
  const lines = kinds.map((each, n) => {
    const sort = random.pick(each.sorts);
    // An offer serves some needs: a few times what one of them asks.
    const capacity = quantityOf(sort, donor.currency, sort.middle * 2 * spread(random, 3));
    const more = random.chance(0.3) ? [kindIn(random).kind] : [];
    return {
      kinds: [...new Set<Kind>([each.kind, ...more])],
      description: sort.what,
      capacity,
      ...(withLot && n === 0 ? { minimumLot: lotOf(capacity) } : {}),
    };
  });
  const [main] = kinds;
  return {
    party: donor.id,
    body: {
      title: `${wordsOf(lines)}: ${donor.name}`,
      lines,
      earmark: earmarkOf(random, main),
      ...(random.chance(0.3) ? { conditions: conditionsOf(random) } : {}),
      ...periodOf(random, year, [
        [0, 1],
        [0, 3],
        [0, 5],
        [2, 5],
      ]),
      languages: [...new Set(['en', random.pick(['en', 'en', 'fr', 'es', 'ar', 'ru', 'pt'])])],
      visibility: random.chance(0.7) ? 'public' : 'members',
    },
  };
};

const kindIn = (random: Random): KindOfWorld => weighted(random, KINDS_OF_WORLD, ({ often }) => often);

/** One of the list, each as often as it weighs. */
const weighted = <T>(random: Random, list: readonly T[], weightOf: (each: T) => number): T => {
  let left = random.next() * list.reduce((sum, each) => sum + weightOf(each), 0);
  for (const each of list) {
    left -= weightOf(each);
    if (left < 0) return each;
  }
  return random.pick(list);
};

/** Between 1 ÷ 2^`powers` and 2^`powers`, as often below 1 as above. */
const spread = (random: Random, powers: number): number => 2 ** ((random.next() + random.next() - 1) * powers);

const quantityOf = ({ measure }: Sort, currency: string, figure: number): Quantity => {
  const amount = String(rounded(figure));
  return measure.measure === 'money' ? { ...measure, currency, amount: `${amount}.00` } : { ...measure, amount };
};

/** As people ask: two figures and noughts, at least one of a thing. */
const rounded = (figure: number): number => {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, figure))) - 1);
  return Math.max(1, Math.round(figure / step) * step);
};

/** A fifth of the capacity, and one of a thing at the least. */
const lotOf = (capacity: Quantity): string => {
  if (capacity.measure === 'undetermined') throw new TypeError('a capacity is determined');
  const fifth = String(Math.max(1, Math.floor(Number(capacity.amount) / 5)));
  return capacity.measure === 'money' ? `${fifth}.00` : fifth;
};

const instrumentsOf = (random: Random, { instruments }: KindOfWorld): readonly InstrumentCode[] => {
  const first = random.pick(instruments);
  const second = random.pick(instruments);
  return random.chance(0.35) ? [...new Set([first, second])] : [first];
};

/**
 * Whole years of the two-year cycles in which conferences meet, or none for a quarter. A need's lies within that of an offer or outside it,
 * so that no score moves with a leap year.
 */
const periodOf = (random: Random, year: number, spans: readonly (readonly [number, number])[]): object => {
  const [from, to] = random.pick(spans);
  return random.chance(0.25) ? {} : { period: { from: `${year + 1 + from}-01-01`, to: `${year + 1 + to}-12-31` } };
};

const languagesOf = ({ code }: State): readonly string[] => LANGUAGES[code] ?? ['en'];

const earmarkOf = (random: Random, main: KindOfWorld | undefined): object => {
  const chance = random.next();
  const instruments = random.chance(0.5) && main !== undefined ? { instruments: main.instruments } : {};
  if (chance < 0.15) return { level: 'unearmarked' };
  if (chance < 0.35) {
    return {
      ...(main === undefined ? {} : { instruments: main.instruments }),
      ...(random.chance(0.15) ? { traffickingNexus: true } : {}),
    };
  }
  const region = weighted(random, REGIONS_OF_WORLD, ({ often }) => often);
  if (chance < 0.75) return { regions: [random.chance(0.5) ? region.code : random.pick(region.parts)], ...instruments };
  if (chance < 0.8)
    return { networks: [random.pick(['network:au', 'network:ecowas', 'network:osce', 'network:asean'])] };
  const states = Array.from({ length: random.between(1, 8) }, () => random.pick(region.states).code);
  return { beneficiaries: [...new Set(states)], ...instruments };
};

const conditionsOf = (random: Random): readonly object[] => [
  random.pick([
    { code: 'co-financing', percent: '10' },
    { code: 'national-report' },
    { code: 'prior-written-consent' },
    { code: 'reporting' },
    { code: 'end-use' },
  ]),
];
