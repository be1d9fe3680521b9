import 'reflect-metadata';
import { resolve } from 'node:path';
import { sharedSecret } from '#distributed';
import { listenSettings, run, Variables } from '#hosting';
import { SqliteSubjectRegister } from '#web';
import { createKeys } from './keys.js';

run('pledgebook-keys', () => {
  const variables = new Variables(process.env);
  const { host, port, logLevel } = listenSettings(variables, 3100);
  const secret = sharedSecret(variables);
  const folder = resolve(variables.text('PLEDGEBOOK_DATA') ?? 'data-keys');
  const masterKey = variables.text('PLEDGEBOOK_MASTER_KEY_FILE');
  return {
    logLevel,
    start: async (logger) => {
      const app = await createKeys({ register: SqliteSubjectRegister.open(folder, masterKey), secret, logger });
      try {
        return { app, ready: `Pledgebook keys is ready on ${await app.listen(port, host)} (register in ${folder})` };
      } catch (error) {
        await app.close();
        throw error;
      }
    },
  };
});
