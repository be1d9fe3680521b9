import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ManualClock } from '#kernel';
import { NoteSigner } from '#tlog';
import { configuredLogKey, exchangeLogKey, logSigners, newLogKey, requiredLogKey, rotateLogKey } from './log-key.js';
import { SettingError, Variables } from './settings.js';

const ORIGIN = 'log.example/test';
let folder: string;
let file: string;
let clock: ManualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pledgebook-log-key-'));
  file = join(folder, 'log.key');
  clock = new ManualClock('2026-11-29T09:00:00.000Z');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const idsOf = (signers: readonly NoteSigner[]): string[] => signers.map(({ verifier }) => verifier.keyId);

it('is a text, the file named, or the one of the key folder; where it is needed and absent the way to one is told', () => {
  const place = (environment: NodeJS.ProcessEnv): unknown => configuredLogKey(new Variables(environment));
  expect(place({})).toBeUndefined();
  expect(place({ PLEDGEBOOK_LOG_KEY: ' a ' })).toEqual({ text: 'a' });
  expect(place({ PLEDGEBOOK_LOG_KEY_FILE: file, PLEDGEBOOK_KEY_FOLDER: '/keys' })).toEqual({ file });
  expect(place({ PLEDGEBOOK_KEY_FOLDER: '/keys' })).toEqual({ file: '/keys/log.key' });
  expect(() => place({ PLEDGEBOOK_LOG_KEY: 'a', PLEDGEBOOK_LOG_KEY_FILE: file })).toThrow('not both');
  expect(() => requiredLogKey(new Variables({}))).toThrow('npm run make-keys');
});

it('given as a text may be several, the one in use first', () => {
  const [one, other] = [NoteSigner.generate(ORIGIN), NoteSigner.generate(ORIGIN)];
  const text = `${one.privateKey()}\n${other.privateKey()}`;
  expect(idsOf(logSigners({ text }, clock, ORIGIN)())).toEqual(idsOf([one, other]));
  expect(() => logSigners({ text }, clock, 'log.example/other')).toThrow('a log keeps its name');
  expect(() => logSigners({ text: 'PRIVATE+KEY+x' }, clock, undefined)).toThrow(SettingError);
  expect(() => logSigners({ file }, clock, undefined)).toThrow(`there is no key of the log in ${file}`);
});

it('rotated signs beside the former one until its time is over', () => {
  writeFileSync(file, newLogKey(ORIGIN));
  const [before] = logSigners({ file }, clock, ORIGIN)();
  const { key, former, until } = rotateLogKey(file, 2, clock.now());
  expect(former.keyId).toBe(before?.verifier.keyId);
  expect(until.toISOString()).toBe('2026-12-01T09:00:00.000Z');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const signers = logSigners({ file }, clock, ORIGIN);
  expect(idsOf(signers())).toEqual([key.keyId, former.keyId]);
  clock.advance(2 * 86_400_000);
  expect(idsOf(signers())).toEqual([key.keyId]);
});

it('exchanged for that of a fork leaves what was there aside, and takes nothing along', () => {
  writeFileSync(file, newLogKey(ORIGIN));
  rotateLogKey(file, 2, clock.now());
  const before = readFileSync(file, 'utf8');
  const fork = NoteSigner.generate(`${ORIGIN}/fork`);
  const aside = exchangeLogKey(file, fork, clock.now());
  expect(aside).toEqual([`${file}.before-2026-11-29T090000Z`, `${file}.retired.before-2026-11-29T090000Z`]);
  expect(readFileSync(aside[0] ?? '', 'utf8')).toBe(before);
  expect(existsSync(`${file}.retired`)).toBe(false);
  expect(idsOf(logSigners({ file }, clock, undefined)())).toEqual([fork.verifier.keyId]);
});
