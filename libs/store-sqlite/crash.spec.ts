import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { transformSync } from '@swc/core';
import { NO_STREAM } from '#kernel';
import { everyEvent, sampleEvent } from '#kernel-testing';
import { backUp, restoreFrom } from './backup.js';
import { BackupError } from './backup-files.js';
import { restoreKeys } from './key-backup.js';
import { DataFolderInUseError, lockFolder, logPath } from './data-folder.js';
import { checkLog } from './log-check.js';
import { SqliteEventStore } from './sqlite-event-store.js';

const root = process.cwd();

/** Appends without end; prints one line per acknowledged append, only after its receipt. */
const WRITER = `
import { writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { SqliteEventStore } from '#store-sqlite';
const store = SqliteEventStore.open(process.argv[2]);
const at = '2026-11-22T10:00:00.000Z';
const metadata = { commandId: 'c', correlationId: 'c', causationId: null, actor: { party: 'p', role: 'r' }, effectiveAt: at, recordedAt: at, schema: 1, salt: 's' };
const writer = async () => {
  const stream = 'need-' + randomUUID();
  for (let revision = -1, turn = 0; ; turn += 1) {
    const of = 1 + (turn % 5);
    const append = randomUUID();
    const events = Array.from({ length: of }, () => ({ id: randomUUID(), type: 'Written', data: { append, of, filler: 'x'.repeat(300) }, metadata }));
    const receipt = await store.append(stream, revision, events);
    revision = receipt.revision;
    writeSync(1, [append, of, stream, receipt.revision, receipt.position].join(' ') + '\\n');
  }
};
await Promise.all(Array.from({ length: 20 }, writer));
`;

interface Acknowledged {
  readonly append: string;
  readonly of: number;
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
}

let scratch: string;
let program: string;

/** The libs as plain JavaScript in a folder of their own: a child process cannot use Jest's transform. */
beforeAll(() => {
  program = mkdtempSync(join(tmpdir(), 'pledgebook-program-'));
  for (const lib of ['kernel', 'sqlite', 'store-sqlite']) {
    mkdirSync(join(program, 'dist/libs', lib), { recursive: true });
    for (const name of readdirSync(join(root, 'libs', lib))) {
      if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
      const { code } = transformSync(readFileSync(join(root, 'libs', lib, name), 'utf8'), {
        swcrc: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
        module: { type: 'es6' },
      });
      writeFileSync(join(program, 'dist/libs', lib, name.replace(/\.ts$/, '.js')), code);
    }
  }
  const { imports } = createRequire(join(root, 'package.json'))('./package.json') as { imports: object };
  writeFileSync(join(program, 'package.json'), JSON.stringify({ type: 'module', imports }));
  symlinkSync(join(root, 'node_modules'), join(program, 'node_modules'));
  writeFileSync(join(program, 'writer.js'), WRITER);
});

afterAll(() => {
  rmSync(program, { recursive: true });
});

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'pledgebook-crash-'));
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

/** Runs the writer until `lines` appends are acknowledged, then `meanwhile`, then SIGKILL. */
const writeUntilKilled = async (
  folder: string,
  lines: number,
  meanwhile: () => void = () => undefined,
): Promise<Acknowledged[]> => {
  const child = spawn(process.execPath, [join(program, 'writer.js'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const acknowledged: Acknowledged[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [append = '', of, stream = '', revision, position, ...more] = line.split(' ');
      // The last line may be cut off by the kill: then its receipt never reached anybody.
      if (position === undefined || more.length > 0) continue;
      acknowledged.push({ append, of: Number(of), stream, revision: Number(revision), position: BigInt(position) });
      if (acknowledged.length === lines) {
        meanwhile();
        child.kill('SIGKILL');
      }
    }
  } finally {
    child.kill('SIGKILL');
  }
  const [, signal] = (await exited) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return acknowledged;
};

it('keeps every acknowledged append and no half of one, whenever it is killed', async () => {
  const folder = join(scratch, 'data');
  const all: Acknowledged[] = [];
  for (const lines of [1, 20, 333, 47, 150, 4]) {
    all.push(...(await writeUntilKilled(folder, lines)));
    const store = SqliteEventStore.open(folder);
    const events = await everyEvent(store);
    const byAppend = new Map<string, { readonly of: number; readonly stream: string; readonly positions: bigint[] }>();
    for (const event of events) {
      const { append, of } = event.data as { append: string; of: number };
      const known = byAppend.get(append) ?? { of, stream: event.stream, positions: [] };
      known.positions.push(event.position);
      byAppend.set(append, known);
    }
    for (const { of, positions } of byAppend.values()) expect(positions).toHaveLength(of);
    for (const { append, of, stream, position } of all) {
      expect(byAppend.get(append)).toMatchObject({ of, stream });
      expect(byAppend.get(append)?.positions.at(-1)).toBe(position);
    }
    await store.close();
  }
  expect(checkLog(folder).faults).toEqual([]);
});

it('refuses a second process while the first lives, and lets it in once that was killed', async () => {
  const folder = join(scratch, 'data');
  await writeUntilKilled(folder, 5, () => {
    expect(() => SqliteEventStore.open(folder)).toThrow(DataFolderInUseError);
  });
  await SqliteEventStore.open(folder).close();
});

describe('backup', () => {
  const withKeys = (folder: string): void => {
    mkdirSync(join(folder, 'keys'), { recursive: true });
    mkdirSync(join(folder, 'read'));
    writeFileSync(join(folder, 'keys', 'issuer.jwk'), '{"kty":"OKP"}', { mode: 0o600 });
    writeFileSync(join(folder, 'read', 'board.sqlite'), 'disposable');
  };

  it('made while a server writes is a consistent beginning of its log, and restores to the same events and keys', async () => {
    const folder = join(scratch, 'data');
    const target = join(scratch, 'backup');
    let acknowledgedBefore = 0;
    withKeys(folder);
    const acknowledged = await writeUntilKilled(folder, 200, () => {
      acknowledgedBefore = 200;
      expect(backUp(folder, target).faults).toEqual([]);
    });
    const restored = join(scratch, 'restored');
    const report = restoreFrom(target, restored);
    const [source, copy] = [SqliteEventStore.open(folder), SqliteEventStore.open(restored)];
    const original = await everyEvent(source);
    const events = await everyEvent(copy);
    expect(copy.storeId).toBe(source.storeId);
    expect(events).toHaveLength(report.events);
    expect(events).toEqual(original.slice(0, events.length));
    for (const { position } of acknowledged.slice(0, acknowledgedBefore)) {
      expect(position).toBeLessThanOrEqual(report.position);
    }
    const receipt = await copy.append('need-after', NO_STREAM, [sampleEvent()]);
    expect(receipt.position).toBeGreaterThan(report.position);
    await Promise.all([source.close(), copy.close()]);
    expect(readFileSync(join(restored, 'keys', 'issuer.jwk'), 'utf8')).toBe('{"kty":"OKP"}');
    expect(statSync(join(restored, 'keys', 'issuer.jwk')).mode & 0o777).toBe(0o600);
    expect(readdirSync(restored)).not.toContain('read');
    expect(readdirSync(target).sort()).toEqual(['backup.json', 'log.sqlite']);
    expect(readdirSync(`${target}.keys`).sort()).toEqual(['backup.json', 'issuer.jwk']);
  });

  const filled = async (folder: string): Promise<void> => {
    const store = SqliteEventStore.open(folder);
    await store.append('need-1', NO_STREAM, [sampleEvent(), sampleEvent()]);
    await store.close();
  };

  it('refuses a target that is not empty or lies in the data folder, and a folder without a log', async () => {
    const folder = join(scratch, 'data');
    await filled(folder);
    const used = join(scratch, 'used');
    mkdirSync(used);
    writeFileSync(join(used, 'thesis.txt'), 'mine');
    expect(() => backUp(folder, used)).toThrow(/not empty/);
    expect(() => backUp(folder, join(folder, 'backup'))).toThrow(/within the data folder/);
    expect(() => backUp(used, join(scratch, 'other'))).toThrow(/no log/);
    expect(readdirSync(used)).toEqual(['thesis.txt']);
  });

  it('refuses to back up a damaged log as if it were sound', async () => {
    const folder = join(scratch, 'data');
    await filled(folder);
    const bytes = readFileSync(logPath(folder));
    bytes.write('X', bytes.indexOf('SampleRecorded'));
    writeFileSync(logPath(folder), bytes);
    expect(() => backUp(folder, join(scratch, 'backup'))).toThrow(/damaged.*checksum/);
    expect(() => restoreFrom(join(scratch, 'backup'), join(scratch, 'restored'))).toThrow(/no complete backup/);
  });

  it('is not restored over a log, into a folder with other files, or into one in use', async () => {
    const folder = join(scratch, 'data');
    const target = join(scratch, 'backup');
    await filled(folder);
    backUp(folder, target);
    const before = readFileSync(logPath(folder));
    expect(() => restoreFrom(target, folder)).toThrow(/holds a log already/);
    expect(readFileSync(logPath(folder)).equals(before)).toBe(true);
    const other = join(scratch, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'notes.txt'), 'mine');
    expect(() => restoreFrom(target, other)).toThrow(/not empty/);
    const held = join(scratch, 'held');
    mkdirSync(held);
    const lock = lockFolder(held);
    expect(() => restoreFrom(target, held)).toThrow(DataFolderInUseError);
    lock.release();
  });

  it('of keys lies apart from that of the log, and is used with it until it expires', async () => {
    const folder = join(scratch, 'data');
    const [target, keys] = [join(scratch, 'backup'), join(scratch, 'apart')];
    await filled(folder);
    withKeys(folder);
    const now = new Date('2026-11-29T10:00:00.000Z');
    expect(backUp(folder, target, { keys, keepDays: 7, now }).keys).toEqual({
      target: keys,
      expiresAt: '2026-12-06T10:00:00.000Z',
    });
    expect(statSync(keys).mode & 0o777).toBe(0o700);
    const restored = (name: string): string => join(scratch, name);
    expect(() => restoreFrom(target, restored('a'))).toThrow(/no key backup .*--keys/);
    const late = new Date('2026-12-06T10:00:00.000Z');
    expect(() => restoreFrom(target, restored('a'), { keys, now: late })).toThrow(/has expired .*delete it/);
    expect(existsSync(restored('a'))).toBe(false);
    restoreFrom(target, restored('a'), { keys, now: new Date(late.getTime() - 1) });
    expect(readdirSync(join(restored('a'), 'keys'))).toEqual(['issuer.jwk']);
    restoreFrom(target, restored('b'), { keys: 'none', now });
    expect(existsSync(join(restored('b'), 'keys'))).toBe(false);
    restoreKeys(keys, restored('b'), now);
    expect(() => restoreKeys(keys, restored('b'), now)).toThrow(/holds keys already/);
    writeFileSync(join(keys, 'issuer.jwk'), 'other');
    expect(() => restoreFrom(target, restored('c'), { keys, now })).toThrow(/altered/);
    expect(() => restoreFrom(target, restored('c'), { keys: target, now })).toThrow(
      /not the manifest of a .*key-backup/,
    );
    expect(() => backUp(folder, restored('d'), { keys: join(restored('d'), 'keys') })).toThrow(/apart from the log/);
    expect(() => backUp(folder, restored('d'), { keys })).toThrow(/apart is not empty/);
    expect(existsSync(restored('d'))).toBe(false);
  });

  it('that was altered, or whose list points elsewhere, is not restored', async () => {
    const folder = join(scratch, 'data');
    const target = join(scratch, 'backup');
    await filled(folder);
    writeFileSync(join(folder, 'issuer.jwk'), 'key');
    backUp(folder, target);
    writeFileSync(join(target, 'issuer.jwk'), 'yek');
    expect(() => restoreFrom(target, join(scratch, 'a'))).toThrow(/altered/);
    const manifest = readFileSync(join(target, 'backup.json'), 'utf8');
    writeFileSync(join(target, 'backup.json'), manifest.replace('"issuer.jwk"', '"../elsewhere"'));
    expect(() => restoreFrom(target, join(scratch, 'b'))).toThrow(BackupError);
  });
});
