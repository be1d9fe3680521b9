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
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { StoreUnavailableError } from '#kernel';
import type { ProcessLock } from '#sqlite';
import { copyInto, openDatabase } from '#sqlite';
import {
  DOCUMENT_FOLDER,
  LOCK_FILE,
  lockFolder,
  LOG_FILE,
  logPath,
  READ_FOLDER,
  UPLOAD_FOLDER,
} from './data-folder.js';
import { checkDocuments } from './document-check.js';
import { fingerprint } from './fingerprint.js';
import type { LogReport } from './log-check.js';
import { checkLogFile } from './log-check.js';
import { RESTORE_ADVICE, unavailable } from './log-file.js';

/** A backup or restore that cannot go on; the message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

const MANIFEST = 'backup.json';
/** Parts of live databases that their copies already contain, and what belongs to this machine only. */
const LEFT_OUT = /(?:-wal|-shm|-journal)$/;

interface BackedUpFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Written last: a folder without it is no complete backup. */
interface Manifest {
  readonly kind: 'pledgebook-backup';
  readonly version: 1;
  readonly storeId: string;
  /** Position of the newest event, as a decimal string. */
  readonly position: string;
  readonly events: number;
  readonly createdAt: string;
  readonly files: readonly BackedUpFile[];
}

/**
 * Copies a data folder into `target`, consistently, also while a server writes to it; read models and locks are left out.
 * Run it in a process of its own: it opens files of the folder, which would drop the locks of a server in the same process.
 * @throws {BackupError} where the target is not empty or the copy is not sound
 */
export const backUp = (folder: string, target: string, now: Date = new Date()): LogReport => {
  if (!existsSync(logPath(folder))) throw new BackupError(`there is no log in ${folder}: set PLEDGEBOOK_DATA`);
  if (isWithin(target, folder)) throw new BackupError(`${target} lies within the data folder: choose another target`);
  if (!isAbsentOrEmpty(target)) throw new BackupError(`${target} is not empty: choose a new folder as the target`);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  // The log first: keys copied after it are never older than the events sealed with them.
  copyDatabase(logPath(folder), logPath(target));
  const report = checkLogFile(logPath(target));
  if (report.faults.length > 0) {
    throw new BackupError(`the log in ${folder} is damaged (${report.faults.join('; ')}): ${RESTORE_ADVICE}`);
  }
  const others = filesBelow(folder).filter((path) => path !== LOG_FILE);
  for (const path of others) copyAny(join(folder, path), join(target, path), isDocument(path));
  const damaged = checkDocuments(target);
  if (damaged.length > 0) {
    throw new BackupError(
      `documents in ${folder} are damaged (${damaged.join('; ')}): put them back from an older backup`,
    );
  }
  const manifest: Manifest = {
    kind: 'pledgebook-backup',
    version: 1,
    storeId: report.storeId,
    position: String(report.position),
    events: report.events,
    createdAt: now.toISOString(),
    files: [LOG_FILE, ...others].map((path) => ({ path, ...fingerprint(join(target, path)) })),
  };
  writeFileSync(join(target, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
  syncToDisk(join(target, MANIFEST));
  syncToDisk(target);
  return report;
};

/**
 * Copies a backup into an empty data folder, which no server may use meanwhile.
 * @throws {BackupError} where the source is no sound backup or the folder is not empty
 * @throws {DataFolderInUseError}
 */
export const restoreFrom = (source: string, folder: string): LogReport => {
  const manifest = manifestOf(source);
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = join(source, path);
    const found = existsSync(file) ? fingerprint(file) : undefined;
    if (found?.bytes !== bytes || found.sha256 !== sha256) {
      throw new BackupError(`${file} is missing or altered since the backup: use another backup`);
    }
  }
  if (existsSync(logPath(folder))) {
    throw new BackupError(`${folder} holds a log already: move it away, or set PLEDGEBOOK_DATA to an empty folder`);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (readdirSync(folder).some((name) => name !== LOCK_FILE)) {
    throw new BackupError(`${folder} is not empty: move its files away, or set PLEDGEBOOK_DATA to an empty folder`);
  }
  const lock: ProcessLock = lockFolder(folder);
  try {
    for (const { path } of manifest.files) if (path !== LOG_FILE) copyFile(join(source, path), join(folder, path));
    // Under another name until it is whole: a restore cut off half-way must not look like a log.
    const partial = join(folder, 'log.restoring');
    copyFile(logPath(source), partial);
    const report = checkLogFile(partial);
    if (report.faults.length > 0 || report.storeId !== manifest.storeId || report.events !== manifest.events) {
      throw new BackupError(`the log restored from ${source} is not sound: ${report.faults.join('; ')}`);
    }
    const damaged = checkDocuments(folder, partial);
    if (damaged.length > 0) {
      throw new BackupError(`documents restored from ${source} are not sound: ${damaged.join('; ')}`);
    }
    renameSync(partial, logPath(folder));
    syncToDisk(folder);
    return report;
  } finally {
    lock.release();
  }
};

const manifestOf = (source: string): Manifest => {
  const path = join(source, MANIFEST);
  if (!existsSync(path)) throw new BackupError(`${source} is no complete backup: ${MANIFEST} is missing`);
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>;
  } catch (error) {
    throw new BackupError(`${path} cannot be read: use another backup`, { cause: error });
  }
  const { kind, version, files } = manifest;
  if (kind !== 'pledgebook-backup' || version !== 1 || files === undefined) {
    throw new BackupError(`${path} is not the manifest of a backup that this version reads`);
  }
  // A manifest is input: a path that climbs out of the folder would overwrite files elsewhere.
  for (const { path: file } of files) {
    if (!isWithin(join(source, file), source)) throw new BackupError(`${path} names ${file}, outside the backup`);
  }
  return manifest as Manifest;
};

const isWithin = (path: string, folder: string): boolean => {
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

/** Every file of a data folder that a backup holds, relative to it. */
const filesBelow = (folder: string, below = ''): string[] =>
  readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (path === READ_FOLDER || path === UPLOAD_FOLDER || path === LOCK_FILE || LEFT_OUT.test(entry.name)) return [];
    if (entry.isDirectory()) return filesBelow(folder, path);
    if (statSync(join(folder, path)).isFile()) return [path];
    throw new BackupError(`${join(folder, path)} is neither a file nor a folder: a backup cannot hold it`);
  });

const isDocument = (path: string): boolean => path.startsWith(`${DOCUMENT_FOLDER}${sep}`);

/** A database of ours is copied through SQLite, which sees its write-ahead log and its writers; any other file byte for byte. */
const copyAny = (from: string, to: string, bytesOnly: boolean): void => {
  // A document may be a database as well, and must keep its hash.
  if (!bytesOnly && isDatabase(from)) copyDatabase(from, to);
  else copyFile(from, to);
};

const copyDatabase = (from: string, to: string): void => {
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

const copyFile = (from: string, to: string): void => {
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
const syncToDisk = (path: string): void => {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};
