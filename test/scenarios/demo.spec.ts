import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { readZip, verifyBundle } from '#evidence';
import { InMemoryEventStore } from '#kernel-testing';
import { VerifierKey } from '#tlog';
import type { PledgebookApp } from '../../apps/pledgebook/app.js';
import { createApp } from '../../apps/pledgebook/app.js';
import { temporaryFolder } from '../support/app.js';
import { CASE_FILES, readCases } from './demo/cases.js';
import { PART_OF } from './demo/cases.data.js';
import type { DemoResult } from './demo/demo.js';
import { runDemo } from './demo/demo.js';

const FOLDER = 'test/data/arms-control-assistance';

type Row = Readonly<Record<string, string>>;
/** The files read once more, by nothing that the demo uses. */
const rowsOf = (file: string): readonly Row[] => parse<Row>(readFileSync(join(FOLDER, file)), { columns: true });
const rows = {
  'needs.csv': rowsOf('needs.csv'),
  'offers.csv': rowsOf('offers.csv'),
  'commitments.csv': rowsOf('commitments.csv'),
} as const;
const everyRow = CASE_FILES.flatMap((file) => rows[file]);
const has = (row: Row, column: string): boolean => (row[column] ?? '') !== '';

describe('the demo', () => {
  let app: PledgebookApp;
  let baseUrl: string;
  let result: DemoResult;
  const printed: string[] = [];
  const scratch = temporaryFolder();
  const evidence = join(scratch.path, 'port-vila.evidence.zip');

  beforeAll(async () => {
    app = await createApp({ store: new InMemoryEventStore(), rate: 'off' });
    baseUrl = await app.listen(0);
    result = await runDemo({
      baseUrl,
      tokenFor: ({ party, role }) => app.token({ party, roles: [role] }),
      cases: FOLDER,
      say: (line = '') => printed.push(line),
      evidence,
    });
  });

  afterAll(async () => {
    await app.close();
    scratch.remove();
  });

  it('loads every row of every file, and prints how many', () => {
    for (const file of CASE_FILES) {
      expect(result.loaded.rows[file]).toBe(rows[file].length);
      expect(printed).toContain(`  ${file.padEnd(22)} ${rows[file].length} rows, one reported record each`);
    }
    expect(result.loaded.notRepresentable).toBe(0);
    expect(Object.values(result.loaded.byKind).reduce((sum, number) => sum + number, 0)).toBe(everyRow.length);
    expect(result.loaded.byKind).toMatchObject({
      need: rows['needs.csv'].length,
      commitment: rows['commitments.csv'].length,
    });
  });

  it('keeps what the files say: amounts, missing dates, sources, parts', () => {
    expect(result.loaded.withAmounts).toBe(everyRow.filter((row) => has(row, 'amount')).length);
    const dates = ['request_date', 'date', 'agreed_date', 'start', 'end'];
    expect(result.loaded.withoutDate).toBe(everyRow.filter((row) => !dates.some((date) => has(row, date))).length);
    const copied = everyRow.filter((row) => !/^https?:/.test(row.source ?? ''));
    expect(result.loaded.transcribed).toBe(copied.length);
    expect(result.loaded.publicRecords).toBe(everyRow.length - copied.length);
    expect(result.loaded.parts).toBe(Object.keys(PART_OF).length);
    const qualifying = /more than|lower bound|almost|phase estimate|about USD/;
    expect(result.loaded.qualified).toBe(
      rows['offers.csv'].filter((row) => has(row, 'amount') && qualifying.test(Object.values(row).join(' '))).length,
    );
    // The third is the second line of a need whose first line's note speaks of both.
    const contradictory = everyRow.filter((row) => (row.note ?? '').includes('contradictory'));
    expect(result.loaded.contradicted).toBe(contradictory.length + 1);
  });

  it('keeps every word, date and figure of a row verbatim', () => {
    const cases = readCases(FOLDER);
    everyRow.forEach((row, index) => {
      const { body } = cases[index] ?? {};
      expect(body?.statusWords).toBe(row.status_as_described ?? row.kind);
      const dates = Object.values((body?.dates ?? {}) as Row);
      const claimed = ['request_date', 'date', 'agreed_date', 'start', 'end'].map((column) => row[column] ?? '');
      expect(dates).toEqual(claimed.filter((date) => date !== ''));
      const note = row.note ?? '';
      if (note !== '') expect(body?.description).toContain(note);
      expect(JSON.stringify(body?.source)).toContain(JSON.stringify(row.source).slice(1, -1));
    });
  });

  it('ends with statements of holder and fund that reconcile to zero', () => {
    expect(result.story.statements).toEqual([
      { of: 'holder=agency:cavr', closing: '0.00', reconciles: true },
      { of: 'fund=fund:unscar', closing: '27000.00', reconciles: true },
    ]);
  });

  it('walks the need to a confirmed commitment and replays it at three points', () => {
    expect(result.story.closedAs).toBe('confirmed');
    expect(result.story.replayed).toEqual(['proposed', 'binding', 'binding']);
  });

  it('ends with evidence of the commitment that verifies offline, as it tells', async () => {
    const [, file = '', key = ''] = /npx pledgebook-verify '(.+)' --key '(.+)'/.exec(printed.join('\n')) ?? [];
    expect(file).toBe(evidence);
    const files = await readZip(readFileSync(file));
    const trust = { key: VerifierKey.parse(key), witnesses: [], receipts: [], checkpoints: [] };
    const { verdict, findings } = verifyBundle(files, trust);
    expect([verdict, findings.filter(({ kind }) => kind !== 'proved' && kind !== 'open')]).toEqual(['verified', []]);
    expect([...files.keys()]).toContain(`state/commitment-${result.story.commitmentId}.json`);
  });

  it('says that its amounts are invented', () => {
    expect(printed.join('\n')).toMatch(/ILLUSTRATION[^]*INVENTED/);
  });

  it('leaves reported records outside every match, list of needs and total', async () => {
    const get = async (path: string): Promise<{ readonly items: readonly { readonly id: string }[] }> =>
      (await (await fetch(`${baseUrl}${path}`)).json()) as { readonly items: readonly { readonly id: string }[] };
    expect((await get('/v1/needs')).items.map(({ id }) => id)).toEqual([result.story.needId]);
    expect((await get('/v1/offers')).items.map(({ id }) => id)).toEqual([result.story.offerId]);
  });
});
