import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore, RecordedEvent } from '#kernel';
import { NO_STREAM } from '#kernel';
import { sampleEvent } from '#kernel-testing';
import { KurrentEventStore } from '#store-kurrent';
import { logPath, SqliteEventStore } from '#store-sqlite';
import type { LoggedEvent } from '../../infra/frozen-events.js';
import { readLogs } from '../../infra/frozen-events.js';
import { talksTo } from './talks-to.js';

const folder = mkdtempSync(join(tmpdir(), 'migrate-log-'));
const data = join(folder, 'data');
let url: string;
let log: readonly LoggedEvent[];
let prefix: string;
const opened: EventStore[] = [];

beforeAll(async () => {
  url = talksTo('EVENTSTORE_URL');
  log = readLogs('.').find(({ name }) => name === 'log-3')?.events ?? [];
  const store = SqliteEventStore.open(data);
  for (const { stream, revision, id, type, data: content, metadata } of log) {
    await store.append(stream, revision - 1, [{ id, type, data: content, metadata }]);
  }
  await store.close();
});
beforeEach(() => {
  prefix = randomBytes(8).toString('hex');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = (more: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...process.env,
  EVENTSTORE_URL: url,
  PLEDGEBOOK_PREFIX: prefix,
  ...more,
});

/** Runs the command as it is built. */
const migrate = (args: readonly string[] = [data], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ['dist/infra/migrate-log.js', ...args],
      { env: environment(more) },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
  });

const target = async (): Promise<KurrentEventStore> => {
  const store = await KurrentEventStore.open({ url, prefix });
  opened.push(store);
  return store;
};

const contentOf = ({ id, stream, revision, type, data: content, metadata }: LoggedEvent | RecordedEvent) => ({
  id,
  stream,
  revision,
  type,
  data: content,
  metadata,
});

const held = async (store: EventStore) => (await store.readAll(0n, 10_000)).map(contentOf);

/** Kills the process once the log holds so many events; false where it ended before. */
const killAt = async (child: ChildProcess, store: EventStore, count: number): Promise<boolean> => {
  let events = 0;
  const subscription = store.subscribeToAll(0n, async (batch) => {
    events += batch.length;
    if (events >= count) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  await subscription.stop();
  return signal === 'SIGKILL';
};

describe('npm run migrate-log', () => {
  it('moves a log as it is, verifies it, leaves the folder alone and says what else to bring', async () => {
    const before = readFileSync(logPath(data));
    const { code, stdout, stderr } = await migrate();
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout).toContain('616 events verified: id, stream, revision, type, data, metadata and order are the same.');
    expect(stdout).toContain('616 were moved now, 0 before.');
    expect(stdout).toContain('nothing: the folder holds neither documents nor keys');
    const store = await target();
    expect(await held(store)).toEqual(log.map(contentOf));
    expect(readFileSync(logPath(data)).equals(before)).toBe(true);

    const files = ['keys/subjects.sqlite', 'keys/subjects.sqlite-wal', 'keys/seals.key', 'documents/ab/cd', 'read/a'];
    for (const file of files) {
      mkdirSync(join(data, file, '..'), { recursive: true });
      writeFileSync(join(data, file), '');
    }
    const again = await migrate([data, url], { EVENTSTORE_URL: '' });
    expect([again.stderr, again.code]).toEqual(['', 0]);
    expect(again.stdout).toContain('0 were moved now, 616 before.');
    const [, bring = '', leave = ''] = again.stdout.split(/Bring as well|Leave behind/);
    expect(bring).toContain(`${data}/keys/subjects.sqlite with ${data}/keys/subjects.sqlite-wal\n`);
    expect(bring).toContain(`${data}/documents\n`);
    expect(leave).toContain(`${data}/keys/seals.key\n`);
    expect(leave).toContain(`${data}/read\n`);
    expect(leave).not.toContain('processes.sqlite');
  });

  it('goes on where it was killed, again and again', async () => {
    const store = await target();
    let kills = 0;
    for (let count = 90; ; count += 90) {
      const child = spawn(process.execPath, ['dist/infra/migrate-log.js', data], {
        env: environment({}),
        stdio: 'ignore',
      });
      if (!(await killAt(child, store, count))) break;
      kills += 1;
      const events = await held(store);
      expect(events).toEqual(log.slice(0, events.length).map(contentOf));
    }
    expect(kills).toBeGreaterThanOrEqual(3);
    const { code, stdout } = await migrate();
    expect(code).toBe(0);
    expect(stdout).toContain('616 events verified');
    expect(await held(store)).toEqual(log.map(contentOf));
  });

  it('refuses a folder that a server runs on', async () => {
    const server = SqliteEventStore.open(data);
    opened.push(server);
    const { code, stdout, stderr } = await migrate();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^the data folder .* is in use by another process: stop that one/);
    expect(await held(await target())).toEqual([]);
  });

  it('refuses a target that holds another log', async () => {
    const store = await target();
    await store.append('need-1', NO_STREAM, [sampleEvent()]);
    const { code, stderr } = await migrate();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Not migrated: the target holds another log .*\(need-1@0\): migrate into another prefix/);
    expect(await held(store)).toHaveLength(1);
  });

  it('finds what was altered in the target, and names the first of it', async () => {
    const store = await target();
    const child = spawn(process.execPath, ['dist/infra/migrate-log.js', data], {
      env: environment({}),
      stdio: 'ignore',
    });
    expect(await killAt(child, store, 1)).toBe(true);
    const moved = (await held(store)).length;
    for (const [index, event] of log.entries()) {
      if (index < moved) continue;
      const { id, type, metadata } = event;
      const altered = index >= 600 ? { ...event.data, forged: true } : event.data;
      await store.append(event.stream, event.revision - 1, [{ id, type, data: altered, metadata }]);
    }
    const { code, stderr } = await migrate();
    expect(code).toBe(1);
    const { type, id, stream, revision } = log[600]!;
    expect(stderr).toMatch(
      /^Not migrated: event 601 \(position 601 of the source, \d+ of the target\): data\.forged of /,
    );
    expect(stderr).toContain(`${type} ${id} (${stream}@${revision}) differs.`);
  });

  it('says how it is used, what it lacks, and where nobody answers', async () => {
    const help = await migrate(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('EVENTSTORE_URL is used where no url is given');
    const cases: readonly (readonly [args: string[], more: NodeJS.ProcessEnv, code: number, why: string])[] = [
      [[], {}, 2, 'the data folder is missing'],
      [[data, url, 'more'], {}, 2, '"more" is one argument too many'],
      [['--fast', data], {}, 2, "Unknown option '--fast'"],
      [[data], { EVENTSTORE_URL: '' }, 2, 'EVENTSTORE_URL is not set'],
      [[data], { PLEDGEBOOK_PREFIX: 'a-b' }, 2, 'a prefix of streams is letters and digits, not "a-b"'],
      [[data, 'http://127.0.0.1'], {}, 2, 'the event store url is none'],
      [[join(folder, 'none')], {}, 1, `there is no log in ${join(folder, 'none')}`],
      [[data, 'esdb://127.0.0.1:1?tls=false'], {}, 1, 'cannot be read'],
    ];
    for (const [args, more, code, why] of cases) {
      const ended = await migrate(args, more);
      expect([args, ended.code]).toEqual([args, code]);
      expect(ended.stderr).toContain(why);
    }
  });
});
