import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { StoreUnavailableError } from '#kernel';
import { copyInto, openDatabase } from '#sqlite';
import { fingerprint } from './fingerprint.js';
import { unavailable } from './log-file.js';

/** A backup or restore that cannot go on; the message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

const MANIFEST = 'backup.json';
/** Parts of live databases that their copies already contain. */
const LEFT_OUT = /(?:-wal|-shm|-journal)$/;

interface BackedUpFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Written last: a folder without it is no complete backup. */
export interface Manifest {
  readonly kind: string;
  readonly version: 1;
  readonly createdAt: string;
  readonly files: readonly BackedUpFile[];
}

/** Ends a backup: lists its files with their sizes and hashes. */
export const writeManifest = <M extends Manifest>(
  target: string,
  manifest: Omit<M, 'version' | 'files'>,
  paths: readonly string[],
): void => {
  const files = paths.map((path) => ({ path, ...fingerprint(join(target, path)) }));
  const whole = { ...manifest, version: 1, files };
  writeFileSync(join(target, MANIFEST), `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600 });
  syncToDisk(join(target, MANIFEST));
  syncToDisk(target);
};

/** The manifest of a backup of this kind, whose files are all there and as they were. @throws {BackupError} */
export const soundManifest = <M extends Manifest>(source: string, kind: M['kind']): M => {
  const path = join(source, MANIFEST);
  if (!existsSync(path)) throw new BackupError(`${source} is no complete backup: ${MANIFEST} is missing`);
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>;
  } catch (error) {
    throw new BackupError(`${path} cannot be read: use another backup`, { cause: error });
  }
  const { version, files } = manifest;
  if (manifest.kind !== kind || version !== 1 || files === undefined) {
    throw new BackupError(`${path} is not the manifest of a ${kind} that this version reads`);
  }
  for (const { path: file, bytes, sha256 } of files) {
    // A manifest is input: a path that climbs out of the folder would overwrite files elsewhere.
    if (!isWithin(join(source, file), source)) throw new BackupError(`${path} names ${file}, outside the backup`);
    const found = existsSync(join(source, file)) ? fingerprint(join(source, file)) : undefined;
    if (found?.bytes !== bytes || found.sha256 !== sha256) {
      throw new BackupError(`${join(source, file)} is missing or altered since the backup: use another backup`);
    }
  }
  return manifest as M;
};

/** What a backup may be written to. @throws {BackupError} where it holds anything, or lies in `folder` */
export const requireTarget = (target: string, folder: string): void => {
  if (isWithin(target, folder)) throw new BackupError(`${target} lies within the data folder: choose another target`);
  if (!isAbsentOrEmpty(target)) throw new BackupError(`${target} is not empty: choose a new folder as the target`);
};

/** Makes it, readable by its owner alone. @throws {BackupError} */
export const makeTarget = (target: string, folder: string): void => {
  requireTarget(target, folder);
  mkdirSync(target, { recursive: true, mode: 0o700 });
};

export const isWithin = (path: string, folder: string): boolean => {
  const way = relative(real(folder), real(path));
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(way) !== way;
};

/** The path with links followed, as far as it exists. */
const real = (path: string): string => {
  const full = resolve(path);
  if (existsSync(full)) return realpathSync(full);
  return dirname(full) === full ? full : join(real(dirname(full)), full.slice(dirname(full).length));
};

const isAbsentOrEmpty = (folder: string): boolean =>
  !existsSync(folder) || (statSync(folder).isDirectory() && readdirSync(folder).length === 0);

/** Every file of a folder that a backup holds, relative to it. @param without paths in it that are passed over */
export const filesBelow = (folder: string, without: ReadonlySet<string>, below = ''): string[] =>
  readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (without.has(path) || LEFT_OUT.test(entry.name)) return [];
    if (entry.isDirectory()) return filesBelow(folder, without, path);
    if (statSync(join(folder, path)).isFile()) return [path];
    throw new BackupError(`${join(folder, path)} is neither a file nor a folder: a backup cannot hold it`);
  });

/** A database of ours is copied through SQLite, which sees its write-ahead log and its writers; any other file byte for byte. */
export const copyAny = (from: string, to: string, bytesOnly: boolean): void => {
  // A document may be a database as well, and must keep its hash.
  if (!bytesOnly && isDatabase(from)) copyDatabase(from, to);
  else copyFile(from, to);
};

export const copyDatabase = (from: string, to: string): void => {
  makeFolderOf(to);
  try {
    const database = openDatabase(from, { readOnly: true });
    try {
      copyInto(database, to);
    } finally {
      database.close();
    }
  } catch (error) {
    const reason = unavailable(error, from);
    throw reason instanceof StoreUnavailableError ? new BackupError(reason.message, { cause: error }) : reason;
  }
  chmodSync(to, statSync(from).mode & 0o777);
  syncToDisk(to);
};

export const copyFile = (from: string, to: string): void => {
  makeFolderOf(to);
  copyFileSync(from, to);
  syncToDisk(to);
};

const makeFolderOf = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
};

const isDatabase = (path: string): boolean => {
  const magic = Buffer.from('SQLite format 3\0');
  const start = Buffer.alloc(magic.length);
  const file = openSync(path, 'r');
  try {
    return readSync(file, start) === magic.length && start.equals(magic);
  } finally {
    closeSync(file);
  }
};

/** Until then a power cut may take the copy although the program said it was done. */
export const syncToDisk = (path: string): void => {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};
