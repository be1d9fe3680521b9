import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { LOG_KEY_FILE, newLogKey } from '#hosting';
import { keyFolder, LocalIssuer, sealKeysOf, secretFile } from '#web';

const SECRET = 'keys-secret';

/**
 * The keys that the services of one record share, made where they are absent, in `<folder>/keys`: what tokens are signed and cursors
 * sealed with, what the log is signed with, and the secret that the key store is asked with.
 * @param origin the log's name, where its key is yet to be made
 */
export const makeKeys = (
  folder: string,
  origin?: string,
): { readonly folder: string; readonly secret: string; readonly secretFile: string } => {
  LocalIssuer.open(folder);
  sealKeysOf(folder);
  secretFile(folder, LOG_KEY_FILE, () => newLogKey(origin));
  const secret = secretFile(folder, SECRET, () => randomBytes(32).toString('hex'));
  const keys = keyFolder(folder);
  return { folder: keys, secret, secretFile: join(keys, SECRET) };
};
