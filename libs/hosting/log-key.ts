import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from '#kernel';
import { NoteSigner, TlogRefusal, type VerifierKey } from '#tlog';
import { KeyRing, replaceSecretAt } from '#web';
import { SettingError, type Variables } from './settings.js';

const LOG = 'PLEDGEBOOK_LOG_KEY';
const ORIGIN = 'PLEDGEBOOK_LOG_ORIGIN';
const FOLDER = 'PLEDGEBOOK_KEY_FOLDER';
/** The file of a key folder that holds what checkpoints are signed with. */
export const LOG_KEY_FILE = 'log.key';

/** Where the log's key is: configured as a text, or in a file. */
export type LogKeyPlace = { readonly text: string } | { readonly file: string };

/** Where the log's key is, if that is configured. @throws {SettingError} */
export const configuredLogKey = (variables: Variables): LogKeyPlace | undefined => {
  const text = variables.text(LOG);
  const file = variables.text(`${LOG}_FILE`);
  if (text !== undefined && file !== undefined) throw new SettingError(`set ${LOG} or ${LOG}_FILE, not both`);
  if (text !== undefined) return { text };
  const folder = variables.text(FOLDER);
  if (file !== undefined) return { file: resolve(file) };
  return folder === undefined ? undefined : { file: resolve(folder, LOG_KEY_FILE) };
};

/** The same where nothing else will do. @throws {SettingError} */
export const requiredLogKey = (variables: Variables): LogKeyPlace => {
  const place = configuredLogKey(variables);
  if (place === undefined)
    throw new SettingError(
      `${LOG} must be set, or name a folder of keys in ${FOLDER}: "npm run make-keys -- <folder>" makes one in <folder>/keys`,
    );
  return place;
};

/**
 * The keys that sign the log, the one in use first, asked each time: what is rotated in the file is taken up within seconds.
 * @param origin the log's name, where one is configured
 * @throws {SettingError} where there is no key, one is none, or of another name; afterwards where the file comes to hold none
 */
export const logSigners = (
  place: LogKeyPlace,
  clock: Pick<Clock, 'now'>,
  origin: string | undefined,
): (() => readonly NoteSigner[]) => {
  const parsed = new Map<string, readonly NoteSigner[]>();
  const signersIn = (text: string): readonly NoteSigner[] => {
    const known =
      parsed.get(text) ??
      text
        .split(/\s+/)
        .filter((key) => key !== '')
        .map((key) => signerIn(key, origin));
    parsed.set(text, known);
    return known;
  };
  const ring = 'text' in place ? undefined : ringIn(place.file);
  const signers = (): readonly NoteSigner[] =>
    'text' in place
      ? signersIn(place.text)
      : [ring?.current ?? '', ...(ring?.older(clock.now()) ?? [])].flatMap(signersIn);
  if (signers().length === 0)
    throw new SettingError('text' in place ? `${LOG} holds no key` : `${place.file} holds no key of the log`);
  return signers;
};

/** A new key of the log, as text. @throws {SettingError} for a name that no log may have */
export const newLogKey = (origin = `pledgebook/${randomUUID()}`): string => {
  try {
    return `${NoteSigner.generate(origin).privateKey()}\n`;
  } catch (error) {
    throw error instanceof TlogRefusal ? new SettingError(`${ORIGIN}: ${error.message}`) : error;
  }
};

const DAY_MS = 86_400_000;

/**
 * Replaces the key in a file by a new one of the same log; the former one stays beside it and signs, too, until the moment answered.
 * @throws {SettingError} where the file holds no key
 */
export const rotateLogKey = (
  file: string,
  overlapDays: number,
  now: Date,
): { readonly key: VerifierKey; readonly former: VerifierKey; readonly until: Date } => {
  const former = signerIn(ringIn(file).current, undefined).verifier;
  const ring = KeyRing.keptIn(dirname(file), basename(file), {
    make: () => newLogKey(former.name),
    keepMs: overlapDays * DAY_MS,
  });
  const until = ring?.rotate(now);
  if (ring === undefined || until === undefined) throw noKeyIn(file);
  return { key: signerIn(ring.current, undefined).verifier, former, until };
};

/** Puts a key in the file in place of what was there, which is put aside under the names answered. */
export const exchangeLogKey = (file: string, signer: NoteSigner, now: Date): readonly string[] => {
  const kept = [file, `${file}.retired`].filter((path) => existsSync(path));
  const aside = kept.map((path) => putAside(path, now));
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  replaceSecretAt(file, `${signer.privateKey()}\n`);
  return aside;
};

/** Renames a file to one that says until when it was in its place. */
export const putAside = (path: string, now: Date): string => {
  const aside = `${path}.before-${now.toISOString().replaceAll(':', '').replace(/\.\d+/, '')}`;
  if (existsSync(aside)) throw new SettingError(`${aside} is there already: move it away`);
  renameSync(path, aside);
  return aside;
};

/** Where the key of a data folder is that has it within. */
export const logKeyIn = (keyFolder: string): string => join(keyFolder, LOG_KEY_FILE);

const ringIn = (file: string): KeyRing => {
  const rules = { make: (): string => '', keepMs: 0 };
  try {
    const ring = KeyRing.shared(dirname(file), basename(file), rules);
    if (ring !== undefined) return ring;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not what it should hold';
    throw new SettingError(`the key of the log cannot be read from ${file} (${code})`);
  }
  throw noKeyIn(file);
};

const noKeyIn = (file: string): SettingError => new SettingError(`there is no key of the log in ${file}`);

const signerIn = (text: string, origin: string | undefined): NoteSigner => {
  let signer: NoteSigner;
  try {
    signer = NoteSigner.parse(text.trim());
  } catch (error) {
    throw error instanceof TlogRefusal
      ? new SettingError(`the key of the log cannot be used: ${error.message}`)
      : error;
  }
  const { name } = signer.verifier;
  if (origin !== undefined && name !== origin)
    throw new SettingError(`${ORIGIN} is ${origin}, but the log's key is that of ${name}: a log keeps its name`);
  return signer;
};
