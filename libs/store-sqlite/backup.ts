import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { ProcessLock } from '#sqlite';
import {
  BackupError,
  copyAny,
  copyDatabase,
  copyFile,
  filesBelow,
  isWithin,
  makeTarget,
  requireTarget,
  type Manifest,
  soundManifest,
  syncToDisk,
  writeManifest,
} from './backup-files.js';
import {
  DOCUMENT_FOLDER,
  KEY_FOLDER,
  LOCK_FILE,
  lockFolder,
  LOG_FILE,
  logPath,
  READ_FOLDER,
  UPLOAD_FOLDER,
} from './data-folder.js';
import { checkDocuments } from './document-check.js';
import { backUpKeys, checkKeyBackup, type KeyBackupOptions, restoreKeys } from './key-backup.js';
import type { LogReport } from './log-check.js';
import { checkLogFile } from './log-check.js';
import { RESTORE_ADVICE } from './log-file.js';

const KIND = 'pledgebook-backup';
/** Where the keys of a backup are unless told: beside it, not in it: who keeps that one for years holds no readable personal data. */
export const keysBeside = (backup: string): string => `${backup.replace(/[\\/]+$/, '')}.keys`;
/** What is disposable, belongs to this machine, or is backed up apart. */
const APART = new Set([READ_FOLDER, UPLOAD_FOLDER, LOCK_FILE, KEY_FOLDER]);

interface LogManifest extends Manifest {
  readonly kind: typeof KIND;
  readonly storeId: string;
  /** Position of the newest event, as a decimal string. */
  readonly position: string;
  readonly events: number;
  /** Its keys are in a key backup. Absent in backups from before 2026-11-29, which hold what keys there were. */
  readonly keysApart?: boolean;
}

export interface BackupOptions extends KeyBackupOptions {
  /** Where the keys go; `<target>.keys` unless told. */
  readonly keys?: string | undefined;
}

export interface BackupReport extends LogReport {
  /** Where the keys went, and until when that copy may be used; absent where there are none. */
  readonly keys?: { readonly target: string; readonly expiresAt: string };
}

export interface RestoreOptions {
  /** Where the keys are; `<source>.keys` unless told. `none`: people get new references, and sealed data stays unreadable. */
  readonly keys?: string | undefined;
  readonly now?: Date;
}

/**
 * Copies a data folder into `target`, consistently, also while a server writes to it, and its keys into a folder of their own; read models
 * and locks are left out.
 * Run it in a process of its own: it opens files of the folder, which would drop the locks of a server in the same process.
 * @throws {BackupError} where a target is not empty or the copy is not sound
 */
export const backUp = (folder: string, target: string, options: BackupOptions = {}): BackupReport => {
  const { keys = keysBeside(target), now = new Date() } = options;
  if (!existsSync(logPath(folder))) throw new BackupError(`there is no log in ${folder}: set PLEDGEBOOK_DATA`);
  if (isWithin(keys, target)) throw new BackupError(`${keys} lies within ${target}: keys are kept apart from the log`);
  // Before anything is copied: half a backup would only stand in the way of the next.
  if (existsSync(join(folder, KEY_FOLDER))) requireTarget(keys, folder);
  makeTarget(target, folder);
  // The log first: keys copied after it are never older than the events sealed with them.
  copyDatabase(logPath(folder), logPath(target));
  const report = checkLogFile(logPath(target));
  if (report.faults.length > 0) {
    throw new BackupError(`the log in ${folder} is damaged (${report.faults.join('; ')}): ${RESTORE_ADVICE}`);
  }
  const others = filesBelow(folder, APART).filter((path) => path !== LOG_FILE);
  for (const path of others) copyAny(join(folder, path), join(target, path), isDocument(path));
  const damaged = checkDocuments(target);
  if (damaged.length > 0) {
    throw new BackupError(
      `documents in ${folder} are damaged (${damaged.join('; ')}): put them back from an older backup`,
    );
  }
  const expiresAt = backUpKeys(folder, keys, options);
  writeManifest<LogManifest>(
    target,
    {
      kind: KIND,
      storeId: report.storeId,
      position: String(report.position),
      events: report.events,
      createdAt: now.toISOString(),
      keysApart: expiresAt !== undefined,
    },
    [LOG_FILE, ...others],
  );
  return expiresAt === undefined ? report : { ...report, keys: { target: keys, expiresAt } };
};

/**
 * Copies a backup and its keys into an empty data folder, which no server may use meanwhile.
 * @throws {BackupError} where a source is no sound backup, its keys have expired, or the folder is not empty
 * @throws {DataFolderInUseError}
 */
export const restoreFrom = (source: string, folder: string, options: RestoreOptions = {}): LogReport => {
  const { keys = keysBeside(source), now = new Date() } = options;
  const manifest = soundManifest<LogManifest>(source, KIND);
  const hasKeys = manifest.keysApart === true && keys !== 'none';
  if (hasKeys) {
    if (!existsSync(keys)) {
      throw new BackupError(
        `there is no key backup ${keys}: name it with --keys. With --keys none people get new references, so that designations name nobody, and contact data stays unreadable`,
      );
    }
    checkKeyBackup(keys, now);
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
    if (hasKeys) restoreKeys(keys, folder, now);
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

const isDocument = (path: string): boolean => path.startsWith(`${DOCUMENT_FOLDER}${sep}`);
