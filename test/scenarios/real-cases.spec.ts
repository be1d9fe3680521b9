import type { TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import { Client } from './demo/client.js';
import type { HeldCase, Played } from './real-cases.js';
import {
  codeOf,
  COORDINATOR,
  heldCases,
  linesOf,
  Player,
  readHowHeld,
  registerParties,
  reportAll,
  same,
} from './real-cases.js';

/** Every row of the published cases is held, as its table says, first as what somebody published and then as what its parties say. */
const FOLDER = 'test/data/arms-control-assistance';

let app: TestApp;
let client: Client;
let cases: readonly HeldCase[];
let reported: ReadonlyMap<string, string>;
let player: Player;
beforeAll(async () => {
  app = await testApp();
  client = new Client(app.url, ({ party, role }) => app.token({ party, roles: [role] }));
  cases = heldCases(FOLDER);
  await registerParties(client, readHowHeld(FOLDER));
  reported = await reportAll(client, cases);
  player = new Player(client, reported);
});
afterAll(() => app.close());

test('the table says of each of the 75 rows how it is held, and of each that cannot be, why', () => {
  const held = readHowHeld(FOLDER);
  expect(held.map(({ file, row }) => [file, row])).toEqual(cases.map(({ published: { file, key } }) => [file, key]));
  expect(held).toHaveLength(75);
  for (const { row, claimedAs, by, lines, reached, cannot, inWords } of held) {
    const whole = ['need', 'joint need', 'offer', 'call', 'contribution', 'commitment'].includes(claimedAs);
    // What is held whole needs no reason; what is not has one, and says what stays in words.
    expect([row, cannot === '']).toEqual([row, whole]);
    if (!whole) expect([row, inWords === '']).toEqual([row, false]);
    expect([row, by.length > 0 && reached !== '']).toEqual([row, claimedAs !== 'none']);
    if (whole) expect([row, lines === '']).toEqual([row, false]);
  }
});

test('every row is a reported record of the kind the table says', async () => {
  expect(reported.size).toBe(75);
  for (const { published, held } of cases) {
    const { body } = await client.get(reported.get(published.key) ?? '', COORDINATOR);
    expect([published.key, body.kind, body.statusWords]).toEqual([
      published.key,
      held.reportedAs,
      published.body.statusWords,
    ]);
  }
});

/** The umbrella before its parts; funds keep a book only after they signed what they signed without one. */
const inOrder = (all: readonly HeldCase[]): readonly HeldCase[] => {
  const place = ({ held }: HeldCase): number =>
    held.claimedAs === 'commitment' ? (held.partOf === '' ? 0 : 1) : held.claimedAs === 'call' ? 3 : 2;
  return [...all].sort((a, b) => place(a) - place(b));
};

/** How far the published words go. Nobody is quoted as having confirmed anything. */
const REACHED_BY_WORDS: Readonly<Record<string, string>> = {
  delivered: 'delivered',
  implemented: 'delivered',
  'delivered, blocked': 'delivered',
  committed: 'binding',
  agreed: 'binding',
  launched: 'binding',
  ongoing: 'binding',
  'ongoing (2013)': 'binding',
};

test('no commitment of the table goes further than the published words', () => {
  const commitments = cases.filter(({ held }) => held.claimedAs === 'commitment');
  expect(commitments.length).toBeGreaterThan(0);
  for (const { published, held } of commitments) {
    expect([held.row, held.reached]).toEqual([held.row, REACHED_BY_WORDS[String(published.body.statusWords)]]);
  }
});

test('the table holds no other amount than the published one', () => {
  const withAmount = cases.filter(({ published, held }) => Array.isArray(published.body.amounts) && held.lines !== '');
  expect(withAmount.length).toBeGreaterThan(10);
  for (const { published, held } of withAmount) {
    const [amount] = published.body.amounts as readonly object[];
    const [first] = linesOf(held.lines);
    expect([held.row, same(amount, first?.quantity)]).toEqual([held.row, true]);
  }
});

test('the table names the States that the source names, and no others', () => {
  const codes = (refs: unknown): readonly string[] =>
    ((refs ?? []) as readonly unknown[]).filter((ref): ref is string => typeof ref === 'string').sort();
  const coded = (parties: readonly string[]): readonly string[] =>
    parties
      .map(codeOf)
      .filter((code) => code !== undefined)
      .sort();
  for (const { published, held } of cases) {
    const { donors, beneficiaries } = published.body;
    if (['need', 'joint need', 'offer', 'commitment'].includes(held.claimedAs))
      expect([held.row, coded(held.for)]).toEqual([held.row, codes(beneficiaries)]);
    if (!['offer', 'contribution', 'commitment'].includes(held.claimedAs)) continue;
    // A beneficiary that gives as well gives its own contribution: no State accepts from itself.
    const others = codes(donors).filter((code) => !codes(beneficiaries).includes(code));
    const named = codes(donors).length > 0 ? coded(held.by) : others;
    expect([held.row, named]).toEqual([held.row, others]);
  }
});

const results = new Map<string, Played>();

test('every row is claimed and held as the table says, and goes as far as the published words do', async () => {
  const surprises: string[] = [];
  for (const each of inOrder(cases)) {
    const { held } = each;
    let played: Played;
    try {
      played = await player.play(each);
    } catch (error) {
      surprises.push(`${held.row}: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    results.set(held.row, played);
    if (played.reached !== held.reached)
      surprises.push(`${held.row}: reached "${played.reached}", not "${held.reached}"`);
    surprises.push(...linesThatDiffer(each, played));
  }
  expect(surprises).toEqual([]);
});

test.each([
  ['N-OSCE-TJK-2004/1', { lines: 'stockpile-management 26001 weapon' }],
  ['N-OSCE-TJK-2004/1', { lines: 'training 26000 weapon' }],
  ['N-MSG-2017/1', { for: ['state:VUT', 'state:FJI', 'state:PNG'] }],
  ['O-NATO-UKR-I', { by: ['donor:united-states', 'donor:norway'] }],
  ['O-NATO-UKR-I', { lines: 'stockpile-management EUR 7000000' }],
  ['O-MPTF-SWE-2022', { lines: 'SEK 6000001' }],
  ['C-US-TJK-CA', { lines: 'technical USD 120000' }],
  ['C-OSCE-TJK-I', { lines: 'surplus-destruction 26000 weapon | surplus-destruction 35 tonne' }],
  ['C-OSCE-2600896', { by: ['donor:germany'] }],
])('a row described otherwise than it is held is found: %s %j', (row, otherwise) => {
  const each = cases.find(({ held }) => held.row === row);
  const played = results.get(row);
  if (each === undefined || played === undefined) throw new Error(`${row} was not played`);
  expect(linesThatDiffer(each, played)).toEqual([]);
  expect(linesThatDiffer({ ...each, held: { ...each.held, ...otherwise } }, played)).not.toEqual([]);
});

/** What the record answers of its lines against what the table says of them. */
const linesThatDiffer = ({ held, published }: HeldCase, { record }: Played): readonly string[] => {
  if (record === undefined || held.lines === '') return [];
  const said = (what: string, holds: boolean): readonly string[] => (holds ? [] : [`${published.key}: ${what}`]);
  const lines = (record.lines ?? record.legs ?? []) as readonly Record<string, unknown>[];
  switch (held.claimedAs) {
    case 'need':
    case 'joint need': {
      const beneficiaries = record.beneficiaries as readonly string[];
      return [
        ...said('other lines', lines.length === linesOf(held.lines).length),
        ...linesOf(held.lines).flatMap(({ kind, quantity }, index) =>
          said(`line ${index + 1} is another`, lines[index]?.kind === kind && same(quantity, lines[index].quantity)),
        ),
        ...said('other beneficiaries', [...beneficiaries].sort().join() === [...held.for].sort().join()),
      ];
    }
    case 'offer':
      return [
        ...linesOf(held.lines).flatMap(({ quantity }, index) =>
          said(`line ${index + 1} is another`, same(quantity, lines[index]?.capacity)),
        ),
        ...said(
          'other providers',
          (record.providers as readonly { readonly party: string }[]).map(({ party }) => party).join() ===
            held.by.join(),
        ),
      ];
    case 'contribution':
      return said('another amount', same(linesOf(held.lines)[0]?.quantity, record.amount));
    case 'draft offer':
      return said('lines that nobody published', lines.length === 0);
    case 'commitment':
      return [
        ...linesOf(held.lines).flatMap(({ quantity, scope }, index) => [
          ...said(`leg ${index + 1} draws another`, same(quantity, lines[index]?.drawn)),
          ...said(
            `leg ${index + 1} is credited otherwise`,
            scope
              ? (lines[index]?.credited as { readonly scope?: string } | undefined)?.scope !== undefined
              : same(quantity, lines[index]?.credited),
          ),
        ]),
        ...said('other providers', (record.providers as readonly string[]).join() === held.by.join()),
        // Nobody is quoted as having confirmed: no figure says so.
        ...said(
          'confirmed by nobody',
          (record.deliveries as readonly { readonly status: string }[]).every(({ status }) => status === 'reported'),
        ),
      ];
    default:
      return [];
  }
};
