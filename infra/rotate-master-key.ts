import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Variables } from '#hosting';
import { dataFolder } from '#store-sqlite';
import { keyFolder, SqliteSubjectRegister } from '#web';

const USAGE = `npm run rotate-master-key      wraps the key of every subject anew with a new master key, also while the service runs

Run it where the key store is: PLEDGEBOOK_DATA is the data folder (of the service in one process, else of keys), ./data unless set, and
PLEDGEBOOK_MASTER_KEY_FILE the master key, <data>/keys/master.key unless set. The file is replaced; copy it to wherever you keep it apart.
Cut off half-way it is run again.`;

const [option] = process.argv.slice(2);
if (option === '--help') console.log(USAGE);
else if (option !== undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  try {
    const folder = dataFolder();
    if (!existsSync(join(keyFolder(folder), 'subjects.sqlite')))
      throw new Error(`there is no key store in ${folder}: set PLEDGEBOOK_DATA`);
    const register = SqliteSubjectRegister.open(folder, new Variables(process.env).text('PLEDGEBOOK_MASTER_KEY_FILE'));
    try {
      const count = register.rotateMasterKey();
      console.log(`${folder}: a new master key is in use; ${count} keys of subjects are wrapped with it`);
    } finally {
      register.close();
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
