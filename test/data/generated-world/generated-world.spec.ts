import { createHash } from 'node:crypto';
import { regionContains, stateOfParty } from '#vocabulary';
import type { Filing, GeneratedWorld } from './generated-world.js';
import { generatedWorld } from './generated-world.js';

const OPTIONS = { seed: 20_261_129, needs: 2_000, offers: 1_000, year: 2026 };
const world = generatedWorld(OPTIONS);
const hashOf = (of: GeneratedWorld): string => createHash('sha256').update(JSON.stringify(of)).digest('hex');

type Fields = Readonly<Record<string, unknown>>;
const shareOf = (filings: readonly Filing[], has: (body: Fields, filing: Filing) => boolean): number =>
  filings.filter((filing) => has(filing.body as Fields, filing)).length / filings.length;

test('a seed gives the same world wherever it is made, and another seed another', () => {
  expect(hashOf(generatedWorld(OPTIONS))).toBe(hashOf(world));
  expect(hashOf(world)).toBe('e583d4c33bd4ed18b4efca53df72ac52eaeb59061eab54c8b86f1635ef9a420e');
  expect(hashOf(generatedWorld({ ...OPTIONS, seed: 1 }))).not.toBe(hashOf(world));
});

test('two of a hundred offers have a smallest lot', () => {
  expect(shareOf(world.offers, ({ lines }) => JSON.stringify(lines).includes('minimumLot'))).toBe(0.02);
});

test('needs and offers spread as the README says', () => {
  const within =
    (region: string) =>
    (_body: Fields, { party }: Filing) =>
      regionContains(region, stateOfParty(party) ?? '');
  expect(shareOf(world.needs, within('002'))).toBeCloseTo(0.4, 1);
  expect(shareOf(world.needs, within('009'))).toBeCloseTo(0.1, 1);
  expect(shareOf(world.needs, ({ urgency }) => urgency === 'urgent')).toBeCloseTo(0.12, 1);
  expect(shareOf(world.needs, ({ rank }) => rank !== undefined)).toBeCloseTo(0.7, 1);
  expect(shareOf(world.offers, ({ earmark }) => (earmark as Fields).regions !== undefined)).toBeCloseTo(0.4, 1);
  expect(shareOf(world.offers, ({ earmark }) => (earmark as Fields).beneficiaries !== undefined)).toBeCloseTo(0.2, 1);
});

test('a State ranks its needs from one on, each rank once', () => {
  const ranks = new Map<string, number[]>();
  for (const { party, body } of world.needs) {
    const { rank } = body as { readonly rank?: number };
    if (rank !== undefined) ranks.set(party, [...(ranks.get(party) ?? []), rank]);
  }
  for (const of of ranks.values()) expect(of).toEqual(of.map((_, index) => index + 1));
});

test('no period of a need lies in part within that of an offer: scores are the same in every year', () => {
  const periodsOf = (filings: readonly Filing[]): readonly { from: string; to: string }[] => [
    ...new Map(
      filings.flatMap(({ body }) => {
        const { period } = body as { readonly period?: { from: string; to: string } };
        return period === undefined ? [] : [[JSON.stringify(period), period] as const];
      }),
    ).values(),
  ];
  for (const need of periodsOf(world.needs)) {
    for (const offer of periodsOf(world.offers)) {
      const apart = need.to < offer.from || need.from > offer.to;
      expect(apart || (need.from >= offer.from && need.to <= offer.to)).toBe(true);
    }
  }
});
