import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KurrentEventStore } from '#store-kurrent';
import { SqliteLogReader } from '#store-sqlite';
import { migrateLog, MigrationError } from './log-migration.js';

const USAGE = `npm run migrate-log -- <data folder> [<event store url>]      moves the log of a data folder into KurrentDB

  The server of the folder must be stopped, services must not run yet. Nothing of the folder is changed. After an
  interruption the same command goes on where it stopped. At the end both logs are read and compared event by event.

EVENTSTORE_URL is used where no url is given: better where the url holds a password.
PLEDGEBOOK_PREFIX (pledgebook) sets the log's streams apart from others on the server: services must be given the same.
Exit codes: 0 moved and verified, 1 refused, failed or different, 2 wrong usage.`;

const DEFAULT_PREFIX = 'pledgebook';

/** Wrong usage, with a sentence for people. */
class UsageError extends Error {}

const orders = (args: readonly string[], environment: NodeJS.ProcessEnv) => {
  let positionals: readonly string[];
  try {
    const parsed = parseArgs({ args: [...args], allowPositionals: true, options: { help: { type: 'boolean' } } });
    if (parsed.values.help === true) return undefined;
    ({ positionals } = parsed);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const [folder, given, ...rest] = positionals;
  if (folder === undefined) throw new UsageError('the data folder is missing');
  if (rest.length > 0) throw new UsageError(`"${rest.join(' ')}" is one argument too many`);
  const url = given ?? environment.EVENTSTORE_URL ?? '';
  if (url === '') throw new UsageError('EVENTSTORE_URL is not set: say esdb://host:2113?tls=false');
  const prefix = environment.PLEDGEBOOK_PREFIX ?? '';
  return { folder, url, prefix: prefix === '' ? DEFAULT_PREFIX : prefix };
};

const run = async (folder: string, url: string, prefix: string): Promise<void> => {
  const source = SqliteLogReader.openAlone(folder);
  try {
    const { domain, technical } = source.counts();
    const target = await KurrentEventStore.open({ url, prefix });
    try {
      console.log(
        `${folder}: ${domain} events of store ${source.storeId}, into store ${target.storeId}, prefix ${prefix}`,
      );
      const { events, moved, hasGoneOn } = await migrateLog(source, target, (held) => {
        console.log(`${held} of ${domain} events are in the target`);
      });
      console.log(
        `${events} events verified: id, stream, revision, type, data, metadata and order are the same. ${moved} were moved now, ${events - moved} before.`,
      );
      if (hasGoneOn) console.log('The target has gone on since: services have written to it.');
      if (technical > 0) {
        console.log(`${technical} events of technical streams stay behind: they speak of the old log's positions.`);
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  console.log(whatElse(folder));
};

/** Of the folder's other files: which to bring where. A database that was not closed has parts of it in a file beside. */
const whatElse = (folder: string): string => {
  const found = (...path: readonly string[]): string | undefined => {
    const file = join(folder, ...path);
    if (!existsSync(file)) return undefined;
    return existsSync(`${file}-wal`) ? `${file} with ${file}-wal` : file;
  };
  const bring: readonly (readonly [file: string | undefined, where: string])[] = [
    [
      found('keys', 'subjects.sqlite'),
      'the key store (apps/keys), as keys/subjects.sqlite of its folder: who stands behind the references in events. Without it nobody is known again',
    ],
    [
      found('keys', 'master.key'),
      'the key store, as keys/master.key of its folder or where PLEDGEBOOK_MASTER_KEY_FILE says: without it nothing that was sealed opens. One that lies elsewhere is brought from there',
    ],
    [found('documents'), 'the documents folder that the services share: records name these files by their hash'],
    [
      found('keys', 'local-issuer.jwk'),
      'the folder of PLEDGEBOOK_KEY_FOLDER, with local-issuer.jwk.retired where there is one: tokens already given stay valid',
    ],
  ];
  const leave: readonly (readonly [file: string | undefined, why: string])[] = [
    [
      found('keys', 'seals.key'),
      'services get a new one (npm run admin -- make-keys), so that cursors and consistency tokens of the old log, whose positions mean nothing in the new one, are refused instead of misread',
    ],
    [found('processes.sqlite'), 'processes begin at the beginning, to no effect where they had one'],
    [found('read'), 'read models are built from the log'],
    [found('uploads'), 'files half sent are sent anew'],
  ];
  const lines = (rows: typeof bring): string =>
    rows.flatMap(([file, text]) => (file === undefined ? [] : [`  ${file}\n      ${text}`])).join('\n');
  return [
    'Bring as well, before services start:',
    lines(bring) || '  nothing: the folder holds neither documents nor keys',
    'Leave behind:',
    lines(leave) || '  nothing',
    'Keep the folder as it is, and start no server on it again: the record goes on in the new log.',
  ].join('\n');
};

try {
  const order = orders(process.argv.slice(2), process.env);
  if (order === undefined) console.log(USAGE);
  else await run(order.folder, order.url, order.prefix);
} catch (error) {
  if (error instanceof UsageError || error instanceof RangeError) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else {
    console.error(
      error instanceof MigrationError
        ? `Not migrated: ${error.message}.`
        : error instanceof Error
          ? error.message
          : String(error),
    );
    process.exitCode = 1;
  }
}
