import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../support/program.js';
import { buildProgram, runScript, startServer } from '../support/program.js';
import { temporaryFolder } from '../support/app.js';

const TOKEN = 'apps/pledgebook/token.js';
const MAIN = 'apps/pledgebook/main.js';
const DONOR = ['--party', 'donor:japan', '--role', 'donor-desk'];

let program: Program;
let data: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  program = buildProgram();
});
afterAll(() => {
  program.remove();
});
beforeEach(() => {
  data = temporaryFolder();
});
afterEach(() => {
  data.remove();
});

const tokenFor = async (...parameters: readonly string[]): Promise<string> =>
  (await runScript(program, TOKEN, parameters, { PLEDGEBOOK_DATA: data.path })).stdout;

test('a token is one line, made before any server ran there and while one runs, good after a restart', async () => {
  const before = await tokenFor(...DONOR);
  expect(before).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const read = (url: string, token: string): Promise<Response> =>
    fetch(`${url}/v1/offers`, { headers: { authorization: `Bearer ${token.trim()}` } });
  const first = await startServer(program, data.path);
  const during = await tokenFor(...DONOR, '--sub', 'ruth');
  expect([(await read(first.url, before)).status, (await read(first.url, during)).status]).toEqual([200, 200]);
  expect((await first.kill('SIGTERM')).code).toBe(0);
  const second = await startServer(program, data.path);
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
    const { code, stdout, stderr } = await runScript(program, TOKEN, parameters, { PLEDGEBOOK_DATA: data.path });
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain('npm run --silent token -- --party');
  }
  expect(existsSync(join(data.path, 'keys'))).toBe(false);
});

test('a second server on one folder, a taken port and a setting that says nothing each end with their own code', async () => {
  const server = await startServer(program, data.path);
  const other = temporaryFolder();
  const start = (environment: Record<string, string>): ReturnType<typeof runScript> =>
    runScript(program, MAIN, [], environment);
  const inUse = await start({ PLEDGEBOOK_DATA: data.path });
  const taken = await start({ PLEDGEBOOK_DATA: other.path, PORT: server.port });
  const wrong = await start({ PLEDGEBOOK_DATA: other.path, PLEDGEBOOK_RATE: 'fast' });
  await server.kill('SIGTERM');
  other.remove();
  expect([inUse.code, inUse.stderr]).toEqual([75, expect.stringContaining('in use')]);
  expect([taken.code, taken.stderr]).toEqual([69, expect.stringContaining('port')]);
  expect([wrong.code, wrong.stderr]).toEqual([78, expect.stringContaining('PLEDGEBOOK_RATE')]);
});
