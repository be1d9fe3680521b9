import { parseArgs } from 'node:util';
import { dataFolder, restoreFrom, restoreKeys } from '#store-sqlite';

const USAGE = `npm run restore -- <source> [--keys <folder> | --keys none]
npm run restore -- --keys-only <source>

Puts a folder written by npm run backup into the data folder (PLEDGEBOOK_DATA, ./data unless set), which must be empty, with its keys from
<source>.keys or the folder named; with --keys-only the keys alone. Keys that have expired are refused. Keys of people who were erased since
are destroyed again when the service starts. A master key that lay elsewhere is put back by hand.`;

const OPTIONS = { keys: { type: 'string' }, 'keys-only': { type: 'boolean' }, help: { type: 'boolean' } } as const;

const wrongUsage = (message: string): number => {
  console.error(`${message}\n\n${USAGE}`);
  return 2;
};

const restore = (parameters: readonly string[]): number => {
  let read: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    read = parseArgs({ args: [...parameters], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return wrongUsage(error instanceof Error ? error.message : String(error));
  }
  const { keys, help, 'keys-only': keysOnly } = read.values;
  if (help === true) {
    console.log(USAGE);
    return 0;
  }
  const [source, ...rest] = read.positionals;
  if (source === undefined || rest.length > 0) return wrongUsage('name one source');
  if (keysOnly === true && keys !== undefined) return wrongUsage('--keys-only takes its source alone');
  const folder = dataFolder();
  if (keysOnly === true) {
    restoreKeys(source, folder);
    console.log(`${folder}: its keys are those of ${source}`);
    return 0;
  }
  const report = restoreFrom(source, folder, { keys });
  console.log(
    `${folder}: ${report.events} events up to position ${report.position}, store ${report.storeId}, verified`,
  );
  return 0;
};

try {
  process.exitCode = restore(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
