import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { keyFolder, LocalIssuer, sealKeysOf, secretFile } from '#web';

const SECRET = 'keys-secret';

/**
 * The keys that the services of one record share, made where they are absent, in `<folder>/keys`: what tokens are signed and cursors
 * sealed with, and the secret that the key store is asked with.
 */
export const makeKeys = (
  folder: string,
): { readonly folder: string; readonly secret: string; readonly secretFile: string } => {
  LocalIssuer.open(folder);
  sealKeysOf(folder);
  const secret = secretFile(folder, SECRET, () => randomBytes(32).toString('hex'));
  const keys = keyFolder(folder);
  return { folder: keys, secret, secretFile: join(keys, SECRET) };
};
