import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '#sqlite';
import { documentFolders, logPath } from './data-folder.js';
import { fingerprint } from './fingerprint.js';
import { arrays, unavailable } from './log-file.js';

const MAX_FAULTS = 20;
const PREFIX = 'document-';

/**
 * Checks that every document the log knows of lies in the folder and has its hash, also while a server writes: a file is placed
 * before the log speaks of it. Answers at most some twenty faults; empty where all are whole.
 */
export const checkDocuments = (folder: string, log: string = logPath(folder)): readonly string[] => {
  const { documents } = documentFolders(folder);
  const faults: string[] = [];
  for (const sha256 of storedIn(log)) {
    if (faults.length >= MAX_FAULTS) break;
    const file = join(documents, sha256.slice(0, 2), sha256.slice(2));
    if (!existsSync(file)) faults.push(`document ${sha256} is missing`);
    else if (fingerprint(file).sha256 !== sha256) faults.push(`document ${sha256} has other bytes than were stored`);
  }
  return faults;
};

const storedIn = (log: string): readonly string[] => {
  try {
    const database = openDatabase(log, { readOnly: true });
    try {
      const streams = database.prepare(
        // The first event of a stream is enough, and its name holds the hash.
        `SELECT stream FROM events WHERE stream >= '${PREFIX}' AND stream < 'document.' AND revision = 0 ORDER BY stream`,
      );
      return (arrays(streams).all() as readonly (readonly [string])[]).map(([stream]) => stream.slice(PREFIX.length));
    } finally {
      database.close();
    }
  } catch (error) {
    throw unavailable(error, log);
  }
};
