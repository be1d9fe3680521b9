import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { openDatabase } from '#sqlite';
import { temporaryFolder } from '../support/app.js';
import type { Ended, Program, ServerProcess } from '../support/program.js';
import { buildProgram, runScript, startServer } from '../support/program.js';

/**
 * The program from its command line; starting on a folder that something is wrong with: a clear sentence, an exit code of its own,
 * never a stack trace.
 */
let program: Program;
let folder: ReturnType<typeof temporaryFolder>;
let running: ServerProcess | undefined;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => {
  program.remove();
});
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await running?.kill('SIGKILL');
  running = undefined;
  folder.remove();
});

const TOKEN = 'apps/pledgebook/token.js';
const MAIN = 'apps/pledgebook/main.js';
const REFUSED_WITHIN_MS = 60_000;

const start = async (): Promise<ServerProcess> => (running = await startServer(program, folder.path));

/** Starts where it must not come to be ready. */
const refusedStart = async (environment: Readonly<Record<string, string>> = {}): Promise<Ended> => {
  const refused = new AbortController();
  const ended = await Promise.race([
    runScript(program, MAIN, [], { PLEDGEBOOK_DATA: folder.path, ...environment }),
    wait(REFUSED_WITHIN_MS, undefined, { signal: refused.signal }),
  ]);
  refused.abort();
  if (ended === undefined) throw new Error('it was started, or it never ends');
  return ended;
};

const printedFor = async (...parameters: readonly string[]): Promise<string> =>
  (await runScript(program, TOKEN, parameters, { PLEDGEBOOK_DATA: folder.path })).stdout;

const tokenFor = async (party: string, role: string): Promise<string> =>
  (await printedFor('--party', party, '--role', role)).trim();

/** A folder whose log holds some parties, left behind by a server that was stopped. */
const filled = async (names: readonly string[] = ['japan', 'norway', 'fiji', 'chile']): Promise<string> => {
  const { url, kill } = await start();
  const token = await tokenFor('agency:secretariat', 'coordinator');
  for (const name of names) {
    const answer = await fetch(`${url}/v1/parties`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        id: `donor:${name}`,
        name: `Desk of ${name}`,
        category: 'bilateral',
        contact: { office: 'Desk', mailbox: 'desk@example.org' },
      }),
    });
    expect(await answer.text()).toContain(name);
  }
  expect(await kill('SIGTERM')).toMatchObject({ code: 0, signal: null, stderr: '' });
  return join(folder.path, 'log.sqlite');
};

const saysSo = ({ code, signal, stderr }: Ended, expected: { code: number; text: RegExp }): void => {
  expect({ code, signal }).toEqual({ code: expected.code, signal: null });
  expect(stderr).toMatch(expected.text);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).not.toMatch(/\n\s+at /);
};

test('a log with flipped bytes is refused with the way to a backup', async () => {
  // More than fit into the table's first page: it is split.
  const log = await filled(['japan', 'norway', 'fiji', 'chile', 'kenya', 'peru', 'palau', 'samoa']);
  const bytes = readFileSync(log);
  // Every one: a page that was split holds some leftovers, which are part of nothing.
  const places = [...bytes.toString('latin1').matchAll(/Desk of norway/g)].map(({ index }) => index);
  for (const place of places) bytes.write('X', place);
  expect(places.length).toBeGreaterThan(0);
  writeFileSync(log, bytes);
  saysSo(await refusedStart(), { code: 65, text: /damaged.*npm run check.*npm run restore/ });
  const check = await runScript(program, 'infra/check.js', [], { PLEDGEBOOK_DATA: folder.path });
  expect(check.code).toBe(1);
  expect(check.stderr).toMatch(/checksum/);
});

test('a log whose pages are overwritten, cut off or of another program is refused likewise', async () => {
  const log = await filled();
  const sound = readFileSync(log);
  const overwritten = Buffer.from(sound);
  overwritten.fill(0xa5, 4096, 3 * 4096);
  const damages = [
    overwritten,
    sound.subarray(0, sound.length - 4096),
    Buffer.from('minutes of the meeting\n'.repeat(400)),
  ];
  for (const damaged of damages) {
    writeFileSync(log, damaged);
    saysSo(await refusedStart(), { code: 65, text: /damaged/ });
  }
});

test('a log of a newer format is refused and left as it is', async () => {
  const log = await filled();
  const database = openDatabase(log);
  database.exec("DROP TRIGGER meta_never_changes; UPDATE meta SET value = '2' WHERE name = 'format'");
  database.close();
  const before = readFileSync(log);
  saysSo(await refusedStart(), { code: 65, text: /log format 2.*reads up to 1.*start the newer version/ });
  expect(readFileSync(log).equals(before)).toBe(true);
});

test('a second process on the same folder is refused, and a killed one blocks nobody', async () => {
  const first = await start();
  saysSo(await refusedStart(), { code: 75, text: /in use by another process.*PLEDGEBOOK_DATA/ });
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  await first.kill('SIGKILL');
  await start();
});

test('a port that is taken, and a setting that says nothing usable, are named', async () => {
  const { port } = await start();
  const other = temporaryFolder();
  saysSo(await refusedStart({ PLEDGEBOOK_DATA: other.path, PORT: port }), { code: 69, text: /set PORT/ });
  other.remove();
  saysSo(await refusedStart({ PLEDGEBOOK_RATE: 'fast' }), { code: 78, text: /PLEDGEBOOK_RATE/ });
  saysSo(await refusedStart({ PLEDGEBOOK_DOCUMENT_LIMIT: '0' }), { code: 78, text: /PLEDGEBOOK_DOCUMENT_LIMIT/ });
});

test('a damaged read model is built anew from the log, with a line that says so', async () => {
  await filled();
  const read = join(folder.path, 'read');
  const boards = readdirSync(read).filter((name) => /^parties-v\d+\.sqlite$/.test(name));
  expect(boards).toHaveLength(1);
  const board = join(read, String(boards[0]));
  const bytes = readFileSync(board);
  bytes.fill(0x5a, 0, bytes.length);
  writeFileSync(board, bytes);
  const { url, logged } = await start();
  expect(await logged(({ msg }) => msg === 'a read model is built anew')).toMatchObject({ name: 'parties' });
  // Ready once what was built anew has come to the end of the log.
  while ((await fetch(`${url}/readyz`)).status !== 200);
  const list = (await (await fetch(`${url}/v1/parties`)).json()) as { items: { id: string }[] };
  expect(list.items.map(({ id }) => id)).toEqual(['donor:chile', 'donor:fiji', 'donor:norway', 'donor:japan']);
});

test('a token is one line, made before any server ran there and while one runs, good after a restart', async () => {
  const before = await printedFor('--party', 'donor:japan', '--role', 'donor-desk');
  expect(before).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const read = (url: string, token: string): Promise<Response> =>
    fetch(`${url}/v1/offers`, { headers: { authorization: `Bearer ${token.trim()}` } });
  const first = await start();
  const during = await printedFor('--party', 'donor:japan', '--role', 'donor-desk', '--sub', 'ruth');
  expect([(await read(first.url, before)).status, (await read(first.url, during)).status]).toEqual([200, 200]);
  expect((await first.kill('SIGTERM')).code).toBe(0);
  const second = await start();
  expect((await read(second.url, during)).status).toBe(200);
  const { code, stdout } = await second.kill('SIGINT');
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => line.includes('ready on'))).toHaveLength(1);
});

test('what a token cannot say is refused with the fix, and makes no key', async () => {
  for (const parameters of [
    ['--party', 'japan', '--role', 'donor-desk'],
    ['--party', 'donor:japan', '--role', 'king'],
    ['--party', 'donor:japan'],
    ['--who', 'me'],
  ]) {
    const { code, stdout, stderr } = await runScript(program, TOKEN, parameters, { PLEDGEBOOK_DATA: folder.path });
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain('npm run --silent token -- --party');
  }
  expect(existsSync(join(folder.path, 'keys'))).toBe(false);
});
