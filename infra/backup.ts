import { parseArgs } from 'node:util';
import { backUp, backUpKeys, dataFolder, KEYS_KEPT_DAYS } from '#store-sqlite';

const USAGE = `npm run backup -- <target> [--keys <folder>] [--keep-keys <days>]
npm run backup -- --keys-only <target> [--keep-keys <days>]

Copies the data folder (PLEDGEBOOK_DATA, ./data unless set) into <target>, and its keys into <target>.keys or the folder named: both must not
exist yet, or be empty. With --keys-only the keys alone, such as those of the key store of the services. A copy of keys may be used for
${KEYS_KEPT_DAYS} days unless told; delete it then: whoever was erased meanwhile could be read with it. A master key that lies elsewhere is not copied.`;

const OPTIONS = {
  keys: { type: 'string' },
  'keys-only': { type: 'boolean' },
  'keep-keys': { type: 'string' },
  help: { type: 'boolean' },
} as const;

const wrongUsage = (message: string): number => {
  console.error(`${message}\n\n${USAGE}`);
  return 2;
};

const backUpTo = (parameters: readonly string[]): number => {
  let read: ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>;
  try {
    read = parseArgs({ args: [...parameters], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return wrongUsage(error instanceof Error ? error.message : String(error));
  }
  const { keys, help, 'keys-only': keysOnly, 'keep-keys': days } = read.values;
  if (help === true) {
    console.log(USAGE);
    return 0;
  }
  const [target, ...rest] = read.positionals;
  if (target === undefined || rest.length > 0) return wrongUsage('name one target');
  if (keysOnly === true && keys !== undefined) return wrongUsage('--keys-only takes its target alone');
  if (days !== undefined && !/^[1-9][0-9]{0,3}$/.test(days)) return wrongUsage('--keep-keys takes a number of days');
  const keepDays = days === undefined ? {} : { keepDays: Number(days) };
  const folder = dataFolder();
  if (keysOnly === true) {
    const expiresAt = backUpKeys(folder, target, keepDays);
    if (expiresAt === undefined) throw new Error(`there are no keys in ${folder}: set PLEDGEBOOK_DATA`);
    console.log(`${target}: the keys, usable until ${expiresAt}; delete it then`);
    return 0;
  }
  const report = backUp(folder, target, { keys, ...keepDays });
  console.log(
    `${target}: ${report.events} events up to position ${report.position}, store ${report.storeId}, verified`,
  );
  if (report.keys !== undefined)
    console.log(
      `${report.keys.target}: the keys, usable until ${report.keys.expiresAt}; keep it apart, and delete it then`,
    );
  return 0;
};

try {
  process.exitCode = backUpTo(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
