import { parseArgs } from 'node:util';
import { configuredLogKey, logKeyIn, Variables } from '#hosting';
import { serverSettings } from '#distributed';
import { type EventStore, SystemClock } from '#kernel';
import { KurrentEventStore } from '#store-kurrent';
import { dataFolder, SqliteEventStore } from '#store-sqlite';
import { keyFolder } from '#web';
import { acceptFork, printFork } from './log-fork.js';

const USAGE = `npm run accept-fork -- --reason <text> [--by <party>] [--origin <name>]

Has a log that was put back in time go on from what it holds, under a new name and a new key: the log of the data folder (PLEDGEBOOK_DATA,
./data unless set) or, where EVENTSTORE_URL is set, that of the services. Stop everything that writes to it before. The log's record tells
who did it and why, from how many events on, and what it was called; the former key stays published with what it signed. The key's file
(PLEDGEBOOK_LOG_KEY_FILE, or log.key in PLEDGEBOOK_KEY_FOLDER or the data folder's keys) and the checkpoint outside (PLEDGEBOOK_LOG_COPY) are
put aside. --by is the party that operates the service (agency:hosting). After a restore, "npm run restore -- <source> --accept-fork" does it.`;

const OPTIONS = {
  reason: { type: 'string' },
  by: { type: 'string', default: 'agency:hosting' },
  origin: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const wrongUsage = (message: string): number => {
  console.error(`${message}\n\n${USAGE}`);
  return 2;
};

const storeOf = async (variables: Variables, folder: string): Promise<EventStore> => {
  if (variables.text('EVENTSTORE_URL') === undefined) return SqliteEventStore.open(folder);
  const { eventStore: url, prefix } = serverSettings(variables);
  return KurrentEventStore.open({ url, prefix });
};

const run = async (parameters: readonly string[]): Promise<number> => {
  let read: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>;
  try {
    read = parseArgs({ args: [...parameters], options: OPTIONS });
  } catch (error) {
    return wrongUsage(error instanceof Error ? error.message : String(error));
  }
  const { reason, by, origin, help } = read.values;
  if (help === true) {
    console.log(USAGE);
    return 0;
  }
  if (reason === undefined || reason.trim() === '') return wrongUsage('say why, with --reason');
  const variables = new Variables(process.env);
  const folder = dataFolder();
  const store = await storeOf(variables, folder);
  try {
    printFork(
      await acceptFork({
        ...{ store, clock: new SystemClock(), reason, origin },
        place: configuredLogKey(variables) ?? { file: logKeyIn(keyFolder(folder)) },
        copyTo: variables.text('PLEDGEBOOK_LOG_COPY'),
        by: { party: by, role: 'operator' },
      }),
    );
  } finally {
    await store.close();
  }
  return 0;
};

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
