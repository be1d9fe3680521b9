import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lastSigner, rootOfFirst } from '#audit';
import { configuredLogKey, LOG_KEY_FILE, logKeyIn, type LogKeyPlace, Variables } from '#hosting';
import { SystemClock } from '#kernel';
import {
  BackupError,
  dataFolder,
  keysBeside,
  restoreFrom,
  restoreKeys,
  SqliteEventStore,
  SqliteLogReader,
} from '#store-sqlite';
import { parseCheckpoint } from '#tlog';
import { keyFolder } from '#web';
import { acceptFork, printFork } from './log-fork.js';

const USAGE = `npm run restore -- <source> [--keys <folder> | --keys none] [--accept-fork --reason <text> [--by <party>] [--origin <name>]]
npm run restore -- --keys-only <source>

Puts a folder written by npm run backup into the data folder (PLEDGEBOOK_DATA, ./data unless set), which must be empty, with its keys from
<source>.keys or the folder named; with --keys-only the keys alone. Keys that have expired are refused. Keys of people who were erased since
are destroyed again when the service starts. A master key that lay elsewhere is put back by hand.

A backup that is older than the checkpoint outside (PLEDGEBOOK_LOG_COPY), or comes without the key of the log, is refused: with --accept-fork the
log goes on from it under a new name and a new key, and its record says so, with the reason and the party that operates the service
(agency:hosting unless told). The checkpoint outside and the former key are put aside.`;

const OPTIONS = {
  keys: { type: 'string' },
  'keys-only': { type: 'boolean' },
  'accept-fork': { type: 'boolean' },
  reason: { type: 'string' },
  by: { type: 'string' },
  origin: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const wrongUsage = (message: string): number => {
  console.error(`${message}\n\n${USAGE}`);
  return 2;
};

const ACCEPT =
  'Restore a newer backup; or have the log go on from this one, under a new name: --accept-fork --reason <text>';

/** Why the log cannot go on from a backup as if nothing had happened; undefined where it can. */
const obstacle = async (source: string, copyTo: string | undefined, keyComes: boolean): Promise<string | undefined> => {
  const log = SqliteLogReader.open(source);
  try {
    const signer = await lastSigner(log);
    if (signer !== undefined && !keyComes)
      return `the log was signed as ${signer.origin}, and its key does not come with it. Name the key backup with --keys, or put the key where PLEDGEBOOK_LOG_KEY_FILE says; or have the log go on under a new name: --accept-fork --reason <text>`;
    if (copyTo === undefined || !existsSync(copyTo)) return undefined;
    const outside = parseCheckpoint(readFileSync(copyTo));
    const kept = log.counts().domain;
    const of = `${copyTo} (${statSync(copyTo).mtime.toISOString()})`;
    if (signer !== undefined && signer.origin !== outside.origin)
      return `${of} is a checkpoint of ${outside.origin}, the backup is of ${signer.origin}. ${ACCEPT}`;
    if (outside.size > kept)
      return `${of} says that ${outside.size} events were signed, the backup holds ${kept}: the newest ${outside.size - kept} would be lost. ${ACCEPT}`;
    const root = await rootOfFirst(log, outside.size);
    return root?.equals(outside.root) === true
      ? undefined
      : `the first ${outside.size} events of the backup are not those that ${of} says were signed. ${ACCEPT}`;
  } finally {
    await log.close();
  }
};

const restore = async (parameters: readonly string[]): Promise<number> => {
  let read: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    read = parseArgs({ args: [...parameters], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return wrongUsage(error instanceof Error ? error.message : String(error));
  }
  const { keys, help, 'keys-only': keysOnly, 'accept-fork': fork, reason, by = 'agency:hosting', origin } = read.values;
  if (help === true) {
    console.log(USAGE);
    return 0;
  }
  const [source, ...rest] = read.positionals;
  if (source === undefined || rest.length > 0) return wrongUsage('name one source');
  if (keysOnly === true && (keys !== undefined || fork === true))
    return wrongUsage('--keys-only takes its source alone');
  if (fork === true ? (reason ?? '').trim() === '' : (reason ?? read.values.by ?? origin) !== undefined)
    return wrongUsage('--accept-fork and --reason go together: say why the log goes on from an older state');
  const folder = dataFolder();
  if (keysOnly === true) {
    restoreKeys(source, folder);
    console.log(`${folder}: its keys are those of ${source}`);
    return 0;
  }
  const variables = new Variables(process.env);
  const copyTo = variables.text('PLEDGEBOOK_LOG_COPY');
  const place: LogKeyPlace = configuredLogKey(variables) ?? { file: logKeyIn(keyFolder(folder)) };
  const keyComes =
    'text' in place ||
    existsSync(place.file) ||
    (keys !== 'none' && existsSync(join(keys ?? keysBeside(source), LOG_KEY_FILE))) ||
    // Backups from before keys were kept apart hold them.
    existsSync(logKeyIn(keyFolder(source)));
  if (fork !== true) {
    const why = await obstacle(source, copyTo, keyComes);
    if (why !== undefined) throw new BackupError(why);
  }
  const report = restoreFrom(source, folder, { keys });
  console.log(
    `${folder}: ${report.events} events up to position ${report.position}, store ${report.storeId}, verified`,
  );
  if (fork === true) {
    const store = SqliteEventStore.open(folder);
    try {
      printFork(
        await acceptFork({
          ...{ store, clock: new SystemClock(), place, copyTo, reason: reason ?? '', origin },
          by: { party: by, role: 'operator' },
        }),
      );
    } finally {
      await store.close();
    }
  } else if (copyTo === undefined)
    console.log(
      'No checkpoint is kept outside (PLEDGEBOOK_LOG_COPY): nothing tells whether this is the newest state. If it is not, run npm run accept-fork before the service starts.',
    );
  return 0;
};

try {
  process.exitCode = await restore(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
