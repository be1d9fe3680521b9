import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';

const isCode = (error: unknown, code: string): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

/** Where the keys of a data folder live; only the owner may read it. */
export const keyFolder = (dataFolder: string): string => join(dataFolder, 'keys');

/**
 * The secret in `<data>/keys/<name>`, made where absent. Safe when the server and the token command start at once: the first
 * complete file wins.
 */
export const secretFile = (dataFolder: string, name: string, make: () => string): string => {
  const folder = keyFolder(dataFolder);
  const known = keptSecrets(folder, name);
  if (known !== undefined) return known;
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  return secretAt(join(folder, name), make);
};

/** The secret in the file `path`, whose folder exists; made where absent, readable by its owner alone. */
export const secretAt = (path: string, make: () => string): string => {
  const known = readIfThere(path);
  if (known !== undefined) return known;
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, make(), { mode: 0o600, flag: 'wx', flush: true });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
  syncFolder(dirname(path));
  return readFileSync(path, 'utf8');
};

/** The secret in `<folder>/<name>` where there is one. */
export const keptSecrets = (folder: string, name: string): string | undefined => readIfThere(join(folder, name));

/** Writes the secret in the file `path` anew: readers see the old text or the new one, whole, also after a power cut. */
export const replaceSecretAt = (path: string, text: string): void => {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
};

const syncFolder = (folder: string): void => {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/** The text of a file; undefined where there is none. */
export const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};
