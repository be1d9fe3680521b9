import type { State } from '#vocabulary';
import { REGIONS, STATES } from '#vocabulary';

interface Donor {
  readonly id: string;
  readonly name: string;
  readonly category: string;
  readonly ofState?: string;
  /** How many of the offers are its, beside the others. */
  readonly often: number;
  readonly currency: 'USD' | 'EUR';
}

const desk = (slug: string, name: string, ofState: string, often: number, currency: 'USD' | 'EUR' = 'USD'): Donor => ({
  ...{ id: `donor:${slug}`, name, category: 'bilateral', ofState },
  ...{ often, currency },
});

/** Those that give in the published cases, and how much of what is given is theirs: a guess. What they offer here is invented. */
export const DONORS: readonly Donor[] = [
  desk('australia', 'Australia', 'AUS', 4),
  desk('austria', 'Austria', 'AUT', 2, 'EUR'),
  desk('canada', 'Canada', 'CAN', 4),
  desk('finland', 'Finland', 'FIN', 2, 'EUR'),
  desk('france', 'France', 'FRA', 4, 'EUR'),
  desk('germany', 'Germany', 'DEU', 9, 'EUR'),
  desk('ireland', 'Ireland', 'IRL', 1, 'EUR'),
  desk('japan', 'Japan', 'JPN', 6),
  desk('netherlands', 'Netherlands', 'NLD', 4, 'EUR'),
  desk('new-zealand', 'New Zealand', 'NZL', 2),
  desk('norway', 'Norway', 'NOR', 4),
  desk('republic-of-korea', 'Republic of Korea', 'KOR', 2),
  desk('spain', 'Spain', 'ESP', 2, 'EUR'),
  desk('sweden', 'Sweden', 'SWE', 4),
  desk('switzerland', 'Switzerland', 'CHE', 4),
  desk('united-kingdom', 'United Kingdom', 'GBR', 5),
  desk('united-states', 'United States', 'USA', 10),
  { id: 'donor:european-union', name: 'European Union', category: 'regional', often: 10, currency: 'EUR' },
  { id: 'fund:unscar', name: 'UNSCAR', category: 'fund', often: 5, currency: 'USD' },
  { id: 'fund:att-vtf', name: 'ATT Voluntary Trust Fund', category: 'fund', often: 5, currency: 'USD' },
  { id: 'fund:salient', name: 'SALIENT', category: 'fund', often: 3, currency: 'USD' },
  { id: 'agency:unlirec', name: 'UNLIREC', category: 'un-entity', often: 3, currency: 'USD' },
  { id: 'agency:unodc', name: 'UNODC', category: 'un-entity', often: 3, currency: 'USD' },
  { id: 'agency:seesac', name: 'SEESAC', category: 'un-entity', often: 2, currency: 'EUR' },
];

const GIVING = new Set(DONORS.flatMap(({ ofState }) => (ofState === undefined ? [] : [ofState])));

interface RegionOfWorld {
  readonly code: string;
  readonly often: number;
  readonly states: readonly State[];
  /** M49 regions within it. */
  readonly parts: readonly string[];
}

const region = (code: string, often: number): RegionOfWorld => {
  const states = STATES.filter(
    ({ code: state, regions, administeredBy }) =>
      regions.includes(code) && administeredBy === undefined && !GIVING.has(state),
  );
  const parts = REGIONS.filter(({ parent }) => parent === code).map((part) => part.code);
  return { code, often, states, parts };
};

/** Africa asks most; what a region asks is spread evenly over its States that do not give. */
export const REGIONS_OF_WORLD: readonly RegionOfWorld[] = [
  region('002', 40),
  region('019', 20),
  region('142', 20),
  region('150', 10),
  region('009', 10),
];

const spoken = (languages: readonly string[], states: string): readonly (readonly [string, readonly string[]])[] =>
  states.split(' ').map((state) => [state, languages]);

/** Working languages where they are others than English alone. */
export const LANGUAGES: Readonly<Record<string, readonly string[]>> = Object.fromEntries([
  ...spoken(['fr'], 'BEN BFA CIV CMR COD COG COM DJI GAB GIN HTI MDG MLI NER SEN TCD TGO'),
  ...spoken(['fr', 'en'], 'BDI CAF LUX MCO MUS RWA SYC VUT'),
  ...spoken(['ar', 'en'], 'ARE BHR EGY IRQ JOR KWT LBY OMN QAT SAU SDN YEM'),
  ...spoken(['ar', 'fr'], 'DZA LBN MAR MRT SYR TUN'),
  ...spoken(['es'], 'ARG BOL CHL COL CRI CUB DOM ECU GTM HND MEX NIC PAN PER PRY SLV URY VEN'),
  ...spoken(['pt', 'en'], 'AGO BRA CPV GNB MOZ STP TLS'),
  ...spoken(['ru', 'en'], 'ARM AZE BLR KAZ KGZ MDA TJK TKM UZB'),
]);
