import { createHash } from 'node:crypto';
import { canonicalJson } from '#kernel';
import { answered, floor, need, offer, problem } from './allocation.fixture.js';
import { checkCertificate } from './certificate-check.js';
import type { CertificatePart } from './certificate.js';
import type { Problem } from './index.js';

/** Two parts, every kind of row: budgets on both sides, a floor, a lot, a single provider, names beyond ASCII. */
const world: Problem = problem({
  needs: [
    need('a', { outstanding: 1_000n, weight: 2 }),
    need('b', { outstanding: 700n, states: ['FJI'] }),
    need('ç', { outstanding: 300n, kind: 'training', singleSource: true }),
    need('d', { measure: 'seats', outstanding: 5n }),
    need('e', { measure: 'seats', outstanding: 4n, weight: 3 }),
  ],
  offers: [
    offer('x', { available: 400n }),
    offer('y', { available: 600n, donor: 'donor:norway' }),
    offer('z', { available: 500n, minimumLot: 290n }),
    offer('s', { measure: 'seats', available: 6n }),
  ],
  arcs: [
    { need: 0, offer: 0, score: 0.5, because: 'they fit' },
    { need: 0, offer: 1, score: 0.75, because: 'they fit' },
    { need: 1, offer: 1, score: 1, because: 'they fit' },
    { need: 1, offer: 2, score: 0.6, because: 'they fit' },
    { need: 2, offer: 2, score: 0.9, because: 'they fit' },
    { need: 2, offer: 0, score: 0.4, because: 'they fit' },
    { need: 3, offer: 3, score: 1, because: 'they fit' },
    { need: 4, offer: 3, score: 0.8, because: 'they fit' },
  ],
  budgets: [
    { donor: 'donor:norway', measure: 'money:USD', quantity: 550n },
    { kind: 'legal', measure: 'money:USD', quantity: 1_200n },
  ],
  floors: [floor('FJI', '0.3')],
});

const certificateOf = async (given: Problem): Promise<string> => (await answered(given)).certificate.join('');

type Path = readonly (string | number)[];

/** Every number of a record, as a number or as a text of one. */
const numbersIn = (value: unknown, path: Path = []): Path[] => {
  if (Array.isArray(value)) return value.flatMap((inner, place) => numbersIn(inner, [...path, place]));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([key, inner]) => numbersIn(inner, [...path, key]));
  return typeof value === 'number' || (typeof value === 'string' && /^-?[0-9]/.test(value)) ? [path] : [];
};

/** The record with the number at a path one greater. */
const changed = (value: unknown, [key, ...rest]: Path): unknown => {
  if (key === undefined) {
    if (typeof value === 'number') return value + 1;
    const text = value as string;
    return /^-?[0-9]+$/.test(text)
      ? String(BigInt(text) + 1n)
      : text.replace(/[0-9](?=[^0-9]*$)/, (digit) => String((Number(digit) + 1) % 10));
  }
  if (Array.isArray(value))
    return value.map((inner, place) => (place === key ? changed(inner, rest) : (inner as unknown)));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, inner]) => [
      name,
      name === key ? changed(inner, rest) : (inner as unknown),
    ]),
  );
};

const ascii = (record: unknown): string =>
  canonicalJson(record).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
const textOf = (records: readonly unknown[]): string => records.map((record) => `${ascii(record)}\n`).join('');
const recordsOf = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** With every hash as a forger would write it. */
const sealedAnew = (records: readonly Record<string, unknown>[]): string => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const hashed = records.map((record) =>
    record.record === 'part' ? { ...record, modelSha256: sha256(ascii(record.model)) } : record,
  );
  const body = textOf(hashed.slice(0, -1));
  return `${body}${ascii({ ...hashed.at(-1), sha256: sha256(body) })}\n`;
};

describe.each(['max-value', 'max-min'] as const)('a certificate of %s', (objective) => {
  let text: string;
  let records: Record<string, unknown>[];

  beforeAll(async () => {
    text = await certificateOf({ ...world, objective });
    records = recordsOf(text);
  });

  it('is accepted as it is, and says what nothing verifies', () => {
    expect(textOf(records)).toBe(text);
    expect(sealedAnew(records)).toBe(text);
    const report = checkCertificate(text);
    expect(report).toMatchObject({ ok: true, doubts: [] });
    expect(report.verified).toHaveLength(objective === 'max-min' ? 5 : 3);
    // The part with a lot and a single provider; the seats come out whole by themselves.
    expect(report.unverified).toHaveLength(1);
  });

  // Seen to fail when the seal's hash was not compared.
  it('is rejected with any one number changed', () => {
    const paths = records.flatMap((record, line) => numbersIn(record).map((path) => [line, ...path] as const));
    expect(paths.length).toBeGreaterThan(120);
    const accepted = paths.filter(([line, ...path]) => {
      const forged = records.map((record, place) => (place === line ? changed(record, path) : record));
      return checkCertificate(textOf(forged)).ok;
    });
    expect(accepted).toEqual([]);
  });

  // Seen to fail when the bound, the objective or the reduced costs were taken as stated.
  it('is rejected with any one figure of its claims changed, also by one who makes all hashes anew', () => {
    const claims = records.flatMap((record, line) =>
      numbersIn(record)
        .filter(([first, , field]) => first === 'stages' && field !== 'solver')
        // Other fractions may reach the same share, and where whole choices come in another share may be demanded: such a change proves
        // as much as before.
        .filter(([, stage, field]) => objective === 'max-value' || stage === 1 || field !== 'values')
        .filter(([, stage, field]) => objective === 'max-value' || line !== 1 || stage === 0 || field !== 'leastShare')
        .map((path) => [line, ...path] as const),
    );
    const seal = numbersIn(records.at(-1))
      .filter(([field]) => field !== 'sha256')
      .map((path) => [records.length - 1, ...path] as const);
    expect(claims.length).toBeGreaterThan(50);
    const accepted = [...claims, ...seal].filter(([line, ...path]) => {
      const forged = records.map((record, place) =>
        place === line ? (changed(record, path) as Record<string, unknown>) : record,
      );
      return checkCertificate(sealedAnew(forged)).ok;
    });
    expect(accepted).toEqual([]);
  });

  // Seen to fail when no row was reckoned.
  it('is rejected where a quantity is beyond a bound, whatever else is made to fit', () => {
    const last = objective === 'max-min' ? 1 : 0;
    const part = records[2] as unknown as CertificatePart;
    const { needs, arcs } = part.model;
    const stage = part.stages[last]!;
    stage.values.forEach((value, arc) => {
      const { weight, outstanding } = needs[arcs.need[arc]!]!;
      const cost = (BigInt(weight) * BigInt(arcs.score[arc]!) * 10n ** 18n) / BigInt(outstanding);
      const [reached, bound] = [BigInt(stage.objective) + cost, BigInt(stage.bound)];
      const values = stage.values.map((one, place) => (place === arc ? String(BigInt(value) + 1n) : one));
      const forged = { ...stage, values, objective: String(reached), gap: String(bound - reached) };
      const stages = part.stages.map((one, place) => (place === last ? forged : one));
      const seal = records[3]!;
      const sum = {
        objective: String(BigInt(seal.objective as string) + cost),
        gap: String(BigInt(seal.gap as string) - cost),
      };
      const { doubts } = checkCertificate(
        sealedAnew([records[0]!, records[1]!, { ...records[2], stages }, { ...seal, ...sum }]),
      );
      expect(doubts[0]).toMatch(
        /the row (need|offer) \d comes to \d+, it must be at most \d+|value \d is \d+, it must be from 0 to/,
      );
    });
  });

  it('is rejected where it is cut, reordered, in another form, or about something else', () => {
    const [header, first, second, seal] = records;
    const rejected = (forged: string): readonly string[] => checkCertificate(forged).doubts;
    expect(rejected('')).toEqual(['the text ends without a newline: it was cut short']);
    expect(rejected(text.slice(0, -1))).toEqual(['the text ends without a newline: it was cut short']);
    expect(rejected('{}\n')).toEqual(['the header is missing']);
    expect(rejected(sealedAnew([header!, second!, first!, seal!]))).toEqual(['part 0 stands after a later one']);
    expect(rejected(sealedAnew([header!, first!, seal!])).join()).toContain('the seal counts 2 parts, there are 1');
    expect(rejected(text.replace(',', ', ')).join()).toContain('not in canonical form');
    expect(rejected(sealedAnew([{ ...header, extra: 1 }, first!, second!, seal!])).join()).toContain('"extra"');
  });
});

it('names the number in doubt', async () => {
  const records = recordsOf(await certificateOf(world));
  const path = ['stages', 0, 'objective'];
  const forged = records.map((record, place) =>
    place === 2 ? (changed(record, path) as Record<string, unknown>) : record,
  );
  expect(checkCertificate(sealedAnew(forged)).doubts[0]).toMatch(
    /^part 1, stage 1: objective is stated as \d+, it comes to \d+$/,
  );
});
