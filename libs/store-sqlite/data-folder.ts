import { join } from 'node:path';
import type { ProcessLock } from '#sqlite';
import { takeProcessLock } from '#sqlite';
import { unavailable } from './log-file.js';

export const LOG_FILE = 'log.sqlite';
export const LOCK_FILE = 'writer.lock';
/** Read models: derived from the log, disposable, in no backup. */
export const READ_FOLDER = 'read';
/** Key store, token and cursor keys: backed up apart from the log. */
export const KEY_FOLDER = 'keys';
/** Files that records list, under their SHA-256: `documents/ab/cdef…`. */
export const DOCUMENT_FOLDER = 'documents';
/** Files still coming in: their senders go on or begin anew, so no backup holds them. */
export const UPLOAD_FOLDER = 'uploads';

/** Where the documents of a data folder lie. */
export const documentFolders = (folder: string): { readonly documents: string; readonly uploads: string } => ({
  documents: join(folder, DOCUMENT_FOLDER),
  uploads: join(folder, UPLOAD_FOLDER),
});

/** The log of a data folder. */
export const logPath = (folder: string): string => join(folder, LOG_FILE);

/** The data folder of this process: `PLEDGEBOOK_DATA`, `./data` where it is not set. */
export const dataFolder = (environment: Readonly<Record<string, string | undefined>> = process.env): string =>
  environment.PLEDGEBOOK_DATA === undefined || environment.PLEDGEBOOK_DATA === ''
    ? 'data'
    : environment.PLEDGEBOOK_DATA;

/** Another process (or another store of this one) writes to the folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
  constructor(readonly folder: string) {
    super(
      `the data folder ${folder} is in use by another process: stop that one, or choose another folder with PLEDGEBOOK_DATA`,
    );
  }
}

/** Takes the folder's writer lock; it ends with the process, however that ends. @throws {DataFolderInUseError} */
export const lockFolder = (folder: string): ProcessLock => {
  const path = join(folder, LOCK_FILE);
  let lock: ProcessLock | undefined;
  try {
    lock = takeProcessLock(path);
  } catch (error) {
    throw unavailable(error, path);
  }
  if (lock === undefined) throw new DataFolderInUseError(folder);
  return lock;
};
