import { makeKeys } from './keys.js';

const USAGE = `npm run make-keys -- <folder>      makes the keys that all services share in <folder>/keys; what is there stays

Services, gateway and relay are told of it by PLEDGEBOOK_KEY_FOLDER=<folder>/keys, and with the key store by
PLEDGEBOOK_KEYS_SECRET_FILE=<folder>/keys/keys-secret. A new log is named by PLEDGEBOOK_LOG_ORIGIN, such as log.example/commitments.`;

const [folder, ...more] = process.argv.slice(2);
if (folder === '--help') console.log(USAGE);
else if (folder === undefined || more.length > 0) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  try {
    const made = makeKeys(folder, process.env.PLEDGEBOOK_LOG_ORIGIN);
    console.log(`PLEDGEBOOK_KEY_FOLDER=${made.folder}\nPLEDGEBOOK_KEYS_SECRET_FILE=${made.secretFile}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
