import { expect, test } from '@jest/globals';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { NewestOnDisk } from '../../infra/newest-on-disk.js';

const folders = (): readonly string[] =>
  readdirSync(tmpdir()).filter(
    (name) => name.startsWith('pledgebook-verify-') && existsSync(`${tmpdir()}/${name}/newest.sqlite`),
  );

test('the newest event of every stream is known, in memory or out of it, and nothing stays on disk', () => {
  const before = new Set(folders());
  const newest = new NewestOnDisk(3);
  const events = Array.from({ length: 40 }, (_, at) => ({
    stream: `need-${(at * 7) % 11}`,
    newest: { revision: at, entryHash: `${at}`.padStart(64, '0') },
  }));
  const known = new Map<string, object>();
  for (const event of events) {
    expect(newest.get(event.stream)).toEqual(known.get(event.stream));
    newest.set(event.stream, event.newest);
    known.set(event.stream, event.newest);
  }
  expect(known.size).toBe(11);
  for (const [stream, event] of known) expect(newest.get(stream)).toEqual(event);
  const made = folders().filter((name) => !before.has(name));
  expect(made).not.toEqual([]);
  newest.close();
  expect(folders().filter((name) => made.includes(name))).toEqual([]);
});
