import type { KeyRing } from '#web';
import { configuredSeals, LocalIssuer, sharedSeals } from '#web';
import type { Variables } from './settings.js';
import { SettingError } from './settings.js';

const FOLDER = 'PLEDGEBOOK_KEY_FOLDER';
const SEALS = 'PLEDGEBOOK_SEAL_KEYS';
const ISSUER = 'PLEDGEBOOK_ISSUER_KEYS';

const HOW = `or name a folder of keys in ${FOLDER}: "npm run make-keys -- <folder>" makes one in <folder>/keys`;

/** The key of cursors and consistency tokens, which every service shares. @throws {SettingError} */
export const configuredSealKeys = (variables: Variables): KeyRing => {
  const given = variables.secret(SEALS);
  if (given !== undefined) {
    const keys = given.split(/[\s,]+/).filter((key) => key !== '');
    if (keys.length === 0 || !keys.every((key) => /^[0-9a-f]{64,}$/.test(key)))
      throw new SettingError(`${SEALS} must be keys of at least 64 hexadecimal digits, the one in use first`);
    return configuredSeals(keys);
  }
  const shared = fromFolder(variables, sharedSeals);
  if (shared === undefined) throw new SettingError(`${SEALS} must be set, ${HOW}`);
  return shared;
};

/** The local issuer, whose key every service shares; one that nobody trusts where an OpenID Connect issuer is configured. @throws {SettingError} */
export const configuredIssuer = (variables: Variables): LocalIssuer => {
  const given = variables.secret(ISSUER);
  if (given !== undefined) return LocalIssuer.configured(jwksIn(given));
  const shared = fromFolder(variables, (folder) => LocalIssuer.shared(folder));
  if (shared !== undefined) return shared;
  if (variables.text('PLEDGEBOOK_OIDC_ISSUER') !== undefined) return LocalIssuer.inMemory();
  throw new SettingError(`${ISSUER} must be set, ${HOW}; or name an OpenID Connect issuer in PLEDGEBOOK_OIDC_ISSUER`);
};

const fromFolder = <T>(variables: Variables, read: (folder: string) => T | undefined): T | undefined => {
  const folder = variables.text(FOLDER);
  if (folder === undefined) return undefined;
  try {
    return read(folder);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'not what it should hold';
    throw new SettingError(`${FOLDER} names ${folder}, which cannot be read (${why})`);
  }
};

const jwksIn = (text: string): readonly string[] => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SettingError(`${ISSUER} must be JSON: a JWK, or {"keys":[…]} with the one in use first`);
  }
  const keys =
    typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys) ? value.keys : [value];
  if (keys.length === 0 || !keys.every(isEd25519))
    throw new SettingError(`${ISSUER} must hold Ed25519 keys: {"kty":"OKP","crv":"Ed25519","x":…,"d":…}`);
  return keys.map((key) => JSON.stringify(key));
};

const isEd25519 = (key: unknown): boolean => {
  const { kty, crv, x } = (typeof key === 'object' && key !== null ? key : {}) as Readonly<Record<string, unknown>>;
  return kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string';
};
