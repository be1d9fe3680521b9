import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import { Client } from './demo/client.js';
import { fileGenerated } from './demo/world.js';
import type { Answered } from './published-projects.js';
import { answered, projectCases, publishedRows, rowOfReadme } from './published-projects.js';
import { COORDINATOR, heldCases, Player, readHowHeld, registerParties, reportAll } from './real-cases.js';
import type { RealMatch } from './real-matches.js';
import { realMatches, tableOf } from './real-matches.js';

/**
 * Which of the published offers the rules admit to which item of the 16 published requests, or block and why: reviewed, and made anew by
 * every run. After a change that is meant, PLEDGEBOOK_WRITE_TABLES=1 writes the file, for people to review what changed.
 */
const FOLDER = 'test/data/arms-control-assistance';
const FILE = join(FOLDER, 'matches.csv');
const PROJECTS = 'test/data/published-projects';
const CASES = projectCases(PROJECTS);

let app: TestApp;
let rows: readonly RealMatch[];
const answers = new Map<string, Answered>();
beforeAll(async () => {
  app = await testApp();
  const client = new Client(app.url, ({ party, role }) => app.token({ party, roles: [role] }));
  const cases = heldCases(FOLDER);
  await registerParties(client, readHowHeld(FOLDER));
  const player = new Player(client, await reportAll(client, cases));
  rows = await realMatches(client, player, cases, () => app.settled());
  if (process.env.PLEDGEBOOK_WRITE_TABLES === '1') writeFileSync(FILE, tableOf(rows));
  for (const each of CASES) answers.set(each.case, await answered(client, each));
});
afterAll(() => app.close());

test('the rules say of each published request and offer what the reviewed table says', () => {
  expect(tableOf(rows)).toBe(readFileSync(FILE, 'utf8'));
});

test('the table holds every item of the 16 requests and every offer once', () => {
  expect(new Set(rows.map(({ request }) => request)).size).toBe(16);
  expect(new Set(rows.map(({ request, item, offer }) => `${request}/${item} ${offer}`)).size).toBe(35 * 13);
  expect(rows).toHaveLength(35 * 13);
});

test('a blocked pair has its reason, and a change that would unlock it but where both are of one State', () => {
  for (const { outcome, why, unlock } of rows) {
    if (outcome === 'blocked') expect([why === '', unlock === '']).toEqual([false, why.includes('same-side')]);
    else expect(unlock).toBe('');
  }
});

/** What a reader of the sources expects, said without the table. */
test.each<[request: string, item: string, offer: string, outcome: string, why: string]>([
  // NATO's trust fund is for Ukraine, and for its stocks of munitions and weapons; it gives euros, and the requests count tonnes.
  ['N-NATO-UKR-MUN', '1', 'O-NATO-UKR-I', 'blocked', 'measure'],
  ['N-OSCE-UKR-2009', '1', 'O-NATO-UKR-I', 'blocked', 'measure'],
  // The Union's decision names North Macedonia and Georgia; their requests count sites and tonnes.
  ['N-OSCE-MKD-2016', '1', 'O-EU-2017-1424', 'blocked', 'measure'],
  ['N-OSCE-GEO-2016', '1', 'O-EU-2017-1424', 'blocked', 'measure'],
  // Serbia asks for safe stockpiles and is not named.
  ['N-OSCE-SRB-2011', '1', 'O-EU-2017-1424', 'blocked', 'beneficiary'],
  // Albania asks for law: neither the kind nor the State.
  ['N-1540-ALB-2004', '1', 'O-EU-2017-1424', 'blocked', 'beneficiary kind'],
  // A call, contributions and a draft without lines are no offers that a need is matched with.
  ['N-MSG-2017', '1', 'O-UNSCAR-2016', 'not matched', 'the offer is held as a call'],
  ['N-MSG-2017', '1', 'O-MPTF-DEU-2020', 'not matched', 'the offer is held as a contribution'],
  ['N-OSCE-TJK-2004', '3', 'O-VTF-DONORS', 'not matched', 'the offer is held as a draft offer'],
  // Nobody is named who could file it.
  ['N-1540-2010-LIST', '1', 'O-NATO-UKR-I', 'not matched', 'the request is held as a reported record'],
])('%s/%s and %s: %s %s', (request, item, offer, outcome, why) => {
  expect(rows.find((row) => row.request === request && row.item === item && row.offer === offer)).toMatchObject({
    outcome,
    why,
  });
});

describe('ten needs and offers told by published projects', () => {
  test.each(CASES)('$case: $expected.outcome, for $because', ({ case: name, expected }) => {
    const answer = answers.get(name);
    if (expected.outcome === 'blocked') expect(answer).toEqual(expected);
    else {
      const { says = expect.any(String), ...rest } = expected;
      expect(answer).toEqual({ ...rest, fit: says });
    }
  });

  test('each quotes the words it rests on as they are published', () => {
    const published = publishedRows(PROJECTS, FOLDER);
    const missing = CASES.flatMap(({ need, offer }) => [...need.rests, ...offer.rests]).flatMap(({ row, words }) =>
      words
        .filter((each) => published.get(row)?.some((cell) => cell.includes(each)) !== true)
        .map((each) => `${row}: ${each}`),
    );
    expect(missing).toEqual([]);
    expect(CASES).toHaveLength(10);
  });

  test('between them they are blocked for seven different reasons', () => {
    const codes = new Set(CASES.flatMap(({ expected }) => (expected.outcome === 'blocked' ? expected.codes : [])));
    expect([...codes].sort()).toEqual(['instrument', 'kind', 'measure', 'network', 'period', 'region', 'same-side']);
  });

  test('the README of matching tells of each what the rules say', () => {
    const cells = readFileSync('libs/matching/README.md', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    for (const each of CASES) {
      const answer = answers.get(each.case);
      if (answer === undefined) throw new Error(`${each.case} was not filed`);
      expect(cells).toContainEqual(rowOfReadme(each, answer));
    }
  });
});

test('a generated world is filed beside them: every need stands open, every offer is posted, and some of them fit', async () => {
  const client = new Client(app.url, ({ party, role }) => app.token({ party, roles: [role] }));
  const [needs, offers] = [
    await client.all('/v1/needs?status=open', COORDINATOR),
    await client.all('/v1/offers', COORDINATOR),
  ];
  await fileGenerated(client, { seed: 7, needs: 20, offers: 50 });
  await app.settled();
  const filed = (await client.all('/v1/needs?status=open', COORDINATOR)).slice(0, -needs.length);
  expect(filed).toHaveLength(20);
  expect(await client.all('/v1/offers', COORDINATOR)).toHaveLength(offers.length + 50);
  const lists = await Promise.all(filed.map(({ id }) => client.get(`/v1/needs/${String(id)}/matches`, COORDINATOR)));
  expect(lists.flatMap(({ body }) => body.items as object[]).length).toBeGreaterThan(0);
});
