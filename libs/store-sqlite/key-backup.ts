import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  BackupError,
  copyAny,
  copyFile,
  filesBelow,
  isWithin,
  makeTarget,
  type Manifest,
  soundManifest,
  writeManifest,
} from './backup-files.js';
import { KEY_FOLDER } from './data-folder.js';

const KIND = 'pledgebook-key-backup';
const DAY_MS = 86_400_000;
/**
 * How long a backup of keys may be used, in days, unless told: whoever was erased meanwhile can be read with it and a backup of the log, so
 * an erasure is complete when the last key backup from before it is gone.
 */
export const KEYS_KEPT_DAYS = 30;

interface KeyManifest extends Manifest {
  readonly kind: typeof KIND;
  /** From then on it is not restored, and has to be deleted; RFC 3339. */
  readonly expiresAt: string;
}

export interface KeyBackupOptions {
  /** Days until it expires. */
  readonly keepDays?: number;
  readonly now?: Date;
}

/**
 * Copies the keys of a data folder (key store, token and cursor keys, the master key only where it lies among them) into `target`, also
 * while a service uses them. Answers when the copy expires; undefined where there are no keys.
 * @throws {BackupError} where the target is not empty
 */
export const backUpKeys = (
  folder: string,
  target: string,
  { keepDays = KEYS_KEPT_DAYS, now = new Date() }: KeyBackupOptions = {},
): string | undefined => {
  const keys = join(folder, KEY_FOLDER);
  if (!existsSync(keys)) return undefined;
  makeTarget(target, folder);
  const paths = filesBelow(keys, new Set());
  for (const path of paths) copyAny(join(keys, path), join(target, path), false);
  const expiresAt = new Date(now.getTime() + keepDays * DAY_MS).toISOString();
  writeManifest<KeyManifest>(target, { kind: KIND, createdAt: now.toISOString(), expiresAt }, paths);
  return expiresAt;
};

/** What `restoreKeys` would put back is there, whole, and may still be used. @throws {BackupError} */
export const checkKeyBackup = (source: string, now: Date = new Date()): readonly string[] => {
  const { expiresAt, files } = soundManifest<KeyManifest>(source, KIND);
  if (!(new Date(expiresAt) > now)) {
    throw new BackupError(
      `the key backup ${source} has expired (${expiresAt}): delete it, and use a newer one. Keys of people who were erased since may be in it`,
    );
  }
  return files.map(({ path }) => path);
};

/**
 * Puts a key backup into a data folder that has no keys. Keys of people who were erased since are destroyed again at the next start.
 * @throws {BackupError} where it is no sound key backup, has expired, or the folder has keys
 */
export const restoreKeys = (source: string, folder: string, now: Date = new Date()): void => {
  const paths = checkKeyBackup(source, now);
  const keys = join(folder, KEY_FOLDER);
  if (isWithin(source, folder)) throw new BackupError(`${source} lies within the data folder: move it away`);
  if (existsSync(keys) && readdirSync(keys).length > 0) {
    throw new BackupError(`${keys} holds keys already: move them away, or set PLEDGEBOOK_DATA to another folder`);
  }
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  for (const path of paths) copyFile(join(source, path), join(keys, path));
};
