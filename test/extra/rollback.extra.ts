import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '#sqlite';
import { openNote, parseCheckpoint, VerifierKey } from '#tlog';
import { temporaryFolder } from '../support/app.js';
import type { Ended, Program, ServerProcess } from '../support/program.js';
import { buildProgram, runScript, startServer } from '../support/program.js';
import type { Answer } from './client.js';
import { Client, COORDINATOR, intent, Tokens } from './client.js';

/** A log put back in time, and the ways on from there, as an operator meets them: with the programs and commands, on folders. */
const ORIGIN = 'log.example/commitments';

let program: Program;
let running: ServerProcess | undefined;
const scratch = temporaryFolder();
const inside = join(scratch.path, 'data');
const outside = join(scratch.path, 'outside');
const copyTo = join(outside, 'checkpoint');
const first = join(scratch.path, 'backup-1');
const newest = join(scratch.path, 'backup-2');

const settings = (folder: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PLEDGEBOOK_DATA: folder,
  PLEDGEBOOK_LOG_COPY: copyTo,
  PLEDGEBOOK_LOG_KEY_FILE: join(outside, 'log.key'),
  ...more,
});
const start = async (folder: string, more: Readonly<Record<string, string>> = {}): Promise<ServerProcess> =>
  (running = await startServer(program, folder, settings(folder, more)));
const stop = async (): Promise<void> => {
  expect((await running?.kill('SIGTERM'))?.code).toBe(0);
  running = undefined;
};
const script = (
  name: string,
  folder: string,
  parameters: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Promise<Ended> => runScript(program, `infra/${name}.js`, parameters, settings(folder, more));
const register = (server: ServerProcess, name: string): Promise<Answer> =>
  new Client(server.url, new Tokens(tokensOf)).post(
    intent(COORDINATOR, '/v1/parties', { id: `agency:${name}`, name, category: 'multilateral' }),
  );
/** The folder whose issuer the server trusts. */
let tokensOf = inside;
const textOf = async (server: ServerProcess, path: string): Promise<string> =>
  (await fetch(`${server.url}${path}`, { headers: { prefer: 'wait=10' } })).text();
/** @param after a write that is to be seen: without one a list may be of a moment before */
const partiesOf = async (server: ServerProcess, after?: Answer): Promise<readonly string[]> => {
  const seen = after?.token === undefined ? {} : { 'consistency-token': after.token };
  const answer = await fetch(`${server.url}/v1/parties`, { headers: { prefer: 'wait=10', ...seen } });
  return ((await answer.json()) as { items: { id: string }[] }).items.map(({ id }) => id).sort();
};

beforeAll(async () => {
  program = buildProgram();
  const server = await start(inside, { PLEDGEBOOK_LOG_ORIGIN: ORIGIN, NODE_ENV: 'production' });
  expect((await register(server, 'a')).status).toBe(201);
  expect(parseCheckpoint(Buffer.from(await textOf(server, '/log/checkpoint')))).toMatchObject({
    origin: ORIGIN,
    size: 1,
  });
  expect(await script('backup', inside, [first])).toMatchObject({ code: 0 });
  for (const name of ['b', 'c']) expect((await register(server, name)).status).toBe(201);
  await textOf(server, '/log/checkpoint');
  expect(await script('backup', inside, [newest])).toMatchObject({ code: 0 });
  await stop();
  expect(parseCheckpoint(readFileSync(copyTo)).size).toBe(3);
});
afterEach(async () => {
  await running?.kill('SIGKILL');
  running = undefined;
});
afterAll(() => {
  program.remove();
  scratch.remove();
});

test('in production no key of the log is made in the data folder', async () => {
  const folder = join(scratch.path, 'new');
  const ended = await runScript(program, 'apps/pledgebook/main.js', [], {
    PLEDGEBOOK_DATA: folder,
    NODE_ENV: 'production',
  });
  expect(ended).toMatchObject({ code: 78, stderr: expect.stringMatching(/PLEDGEBOOK_LOG_KEY_FILE must name a file/) });
  expect(existsSync(join(folder, 'keys', 'log.key'))).toBe(false);
});

test('a database replaced by an older one is read, but not written, and says why', async () => {
  const replaced = join(scratch.path, 'replaced');
  mkdirSync(join(replaced, 'keys'), { recursive: true });
  for (const file of readdirSync(join(inside, 'keys')))
    copyFileSync(join(inside, 'keys', file), join(replaced, 'keys', file));
  copyFileSync(join(first, 'log.sqlite'), join(replaced, 'log.sqlite'));
  tokensOf = replaced;
  const server = await start(replaced);
  const reason = '3 events were signed (in the copy outside), its own record tells of 1: it was put back in time';
  expect(await server.logged(({ msg }) => msg === 'the signed log needs its operator')).toMatchObject({
    trouble: reason,
    copy: copyTo,
  });
  const refused = await register(server, 'd');
  expect([refused.status, refused.body.code]).toEqual([503, 'log-rolled-back']);
  expect(refused.body.detail).toContain(reason);
  expect(await partiesOf(server)).toEqual(['agency:a']);
  const ready = await fetch(`${server.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(((await ready.json()) as { checks: unknown[] }).checks).toContainEqual({
    name: 'writes',
    ok: false,
    detail: { refusal: reason },
  });
  await stop();
  // What was kept outside is still what was signed.
  expect(parseCheckpoint(readFileSync(copyTo)).size).toBe(3);
});

test('a restore of the newest state needs nothing, and the service goes on', async () => {
  const folder = join(scratch.path, 'newest');
  expect(await script('restore', folder, [newest])).toMatchObject({ code: 0, stderr: '' });
  tokensOf = folder;
  const server = await start(folder);
  expect(await partiesOf(server)).toEqual(['agency:a', 'agency:b', 'agency:c']);
  expect(await textOf(server, '/log/verifier-keys')).toMatch(/^log\.example\/commitments\+\S+ 0 -\n$/);
  await stop();
  expect(await script('check', folder)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/sound\ntree of 3 leaves, root \S+: held against \d signed checkpoints and 3 leaves/),
  });
});

test('a restore of an older state says what would be lost, and goes on as a fork where that is accepted', async () => {
  const folder = join(scratch.path, 'restored');
  expect(await script('restore', folder, [first])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /3 events were signed, the backup holds 1: the newest 2 would be lost.*--accept-fork/,
    ),
  });
  expect(existsSync(folder)).toBe(false);
  expect(await script('restore', folder, [first, '--accept-fork'])).toMatchObject({ code: 2 });
  const before = readFileSync(copyTo, 'utf8');
  const fork = [first, '--accept-fork', '--reason', 'the disk was lost'];
  const { code, stdout, stderr } = await script('restore', folder, fork);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/the log goes on as log\.example\/commitments\/\d{8}T\d{6}Z behind its first 1 events/);
  const aside = readdirSync(outside).filter((name) => name.includes('.before-'));
  expect(aside.map((name) => name.replace(/\.before-.*/, '')).sort()).toEqual(['checkpoint', 'log.key']);
  expect(
    readFileSync(
      join(
        outside,
        aside.find((name) => name.startsWith('checkpoint'))!,
      ),
      'utf8',
    ),
  ).toBe(before);

  tokensOf = folder;
  const server = await start(folder);
  expect((await register(server, 'e')).status).toBe(201);
  const lines = (await textOf(server, '/log/verifier-keys')).trimEnd().split('\n');
  expect(lines.map((line) => line.split(' ').slice(1))).toEqual([
    ['2', '-'],
    ['0', '1'],
  ]);
  const note = Buffer.from(await textOf(server, '/log/checkpoint'));
  const key = VerifierKey.parse((await textOf(server, '/log/verifier-key')).trimEnd());
  expect(openNote(note, [key]).verified).toHaveLength(1);
  const { origin, size } = parseCheckpoint(note);
  // The party of the backup, the fork, and the one registered since.
  expect([origin, size]).toEqual([key.name, 3]);
  expect(origin).not.toBe(ORIGIN);

  const rotated = await script('rotate-log-key', folder, ['--overlap-days', '2']);
  expect(rotated).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/a new key is in use.*\n.*signs beside it until/),
  });
  while ((await textOf(server, '/log/verifier-keys')).split('\n').length < 4);
  await register(server, 'f');
  const both = Buffer.from(await textOf(server, '/log/checkpoint'));
  const next = VerifierKey.parse((await textOf(server, '/log/verifier-key')).trimEnd());
  expect(next.keyId).not.toBe(key.keyId);
  for (const each of [key, next]) expect(openNote(both, [each]).verified).toHaveLength(1);
  await stop();

  expect(await script('check', folder)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/sound\ntree of 5 leaves/),
  });
  const read = join(folder, 'read');
  const [file = 'no tree'] = readdirSync(read).filter((name) => /^log-tree-v\d+\.sqlite$/.test(name));
  const tree = openDatabase(join(read, file));
  tree.exec('UPDATE leaf SET entry_hash = zeroblob(32) WHERE seq = 1');
  tree.close();
  expect(await script('check', folder)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^fault: leaf 1 of the tree is not of LogForked \(revision 0 of log-keys\)\n.*rebuild log-tree/s,
    ),
  });
  const touched = await start(folder);
  expect((await register(touched, 'g')).body.detail).toContain('event 1 of the log, is not what its leaf says');
  await stop();
  // Built anew it is the tree that was signed.
  rmSync(join(folder, 'read'), { recursive: true });
  const again = await start(folder);
  while ((await fetch(`${again.url}/readyz`)).status !== 200);
  expect((await register(again, 'h')).status).toBe(201);
});

test('a restore without the key of the log is refused, too', async () => {
  const folder = join(scratch.path, 'keyless');
  const elsewhere = { PLEDGEBOOK_LOG_KEY_FILE: join(scratch.path, 'gone', 'log.key'), PLEDGEBOOK_LOG_COPY: '' };
  expect(await script('restore', folder, [newest], elsewhere)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/was signed as log\.example\/commitments, and its key does not come with it/),
  });
  const fork = [newest, '--accept-fork', '--reason', 'the key was lost', '--origin', 'log.example/second'];
  expect(await script('restore', folder, fork, elsewhere)).toMatchObject({ code: 0, stderr: '' });
  tokensOf = folder;
  const server = await start(folder, elsewhere);
  expect((await register(server, 'i')).status).toBe(201);
  const lines = (await textOf(server, '/log/verifier-keys')).trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/\+\S+/, ''))).toEqual(['log.example/second 4 -', `${ORIGIN} 0 3`]);
});

test('a fork in place forgets what was lost: lists show what the log holds, and every event after it counts', async () => {
  const folder = join(scratch.path, 'in-place');
  const own = {
    PLEDGEBOOK_LOG_KEY_FILE: join(scratch.path, 'own', 'log.key'),
    PLEDGEBOOK_LOG_COPY: join(scratch.path, 'own', 'checkpoint'),
  };
  const log = join(folder, 'log.sqlite');
  const older = join(scratch.path, 'older.sqlite');
  tokensOf = folder;
  const first = await start(folder, own);
  expect((await register(first, 'kept')).status).toBe(201);
  await textOf(first, '/log/checkpoint');
  await stop();
  copyFileSync(log, older);
  const second = await start(folder, own);
  expect((await register(second, 'lost')).status).toBe(201);
  await textOf(second, '/log/checkpoint');
  await stop();
  copyFileSync(older, log);
  // Nothing was started on the older log in between, so that no read model met an end of the log before its own.
  const fork = await script('accept-fork', folder, ['--reason', 'the disk was lost'], own);
  expect(fork).toMatchObject({ code: 0, stderr: '' });

  const server = await start(folder, own);
  while ((await fetch(`${server.url}/readyz`)).status !== 200);
  expect(await partiesOf(server)).toEqual(['agency:kept']);
  const next = await register(server, 'next');
  expect(next.status).toBe(201);
  expect(await partiesOf(server, next)).toEqual(['agency:kept', 'agency:next']);
  // The name is free again.
  const again = await register(server, 'lost');
  expect(again.status).toBe(201);
  expect(await partiesOf(server, again)).toEqual(['agency:kept', 'agency:lost', 'agency:next']);
});
