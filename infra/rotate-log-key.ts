import { parseArgs } from 'node:util';
import { configuredLogKey, logKeyIn, rotateLogKey, SettingError, Variables } from '#hosting';
import { dataFolder } from '#store-sqlite';
import { keyFolder } from '#web';

const USAGE = `npm run rotate-log-key [-- --overlap-days <days>]      a new key that the log's checkpoints are signed with, also while the service runs

Run it where the key is: PLEDGEBOOK_LOG_KEY_FILE, log.key in PLEDGEBOOK_KEY_FOLDER, or in the keys of PLEDGEBOOK_DATA (./data unless set).
For so many days (30 unless told) checkpoints carry the signatures of both keys, so that whoever knows either can verify them; afterwards
that of the new key alone. GET /log/verifier-keys tells every key and which sizes it signed. Copy the file, and the one beside it that ends
in .retired, to wherever the service reads them.`;

const OPTIONS = { 'overlap-days': { type: 'string', default: '30' }, help: { type: 'boolean' } } as const;

const rotate = (parameters: readonly string[]): number => {
  let read: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>;
  try {
    read = parseArgs({ args: [...parameters], options: OPTIONS });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const { 'overlap-days': days, help } = read.values;
  if (help === true) {
    console.log(USAGE);
    return 0;
  }
  if (!/^[1-9][0-9]{0,3}$/.test(days)) {
    console.error(`--overlap-days takes a number of days\n\n${USAGE}`);
    return 2;
  }
  const place = configuredLogKey(new Variables(process.env)) ?? { file: logKeyIn(keyFolder(dataFolder())) };
  if ('text' in place)
    throw new SettingError(
      'PLEDGEBOOK_LOG_KEY holds the key itself: put it into a file, named in PLEDGEBOOK_LOG_KEY_FILE, or set it to the new key and the former one, with a space between',
    );
  const { key, former, until } = rotateLogKey(place.file, Number(days), new Date());
  console.log(`${place.file}: a new key is in use, ${key.toString()}`);
  console.log(`${former.toString()} signs beside it until ${until.toISOString()}`);
  return 0;
};

try {
  process.exitCode = rotate(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
