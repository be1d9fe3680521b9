import { randomUUID } from 'node:crypto';
import { NoteSigner, TlogRefusal } from '#tlog';
import type { KeyRing } from '#web';
import { configuredSeals, keptSecrets, LocalIssuer, sharedSeals } from '#web';
import type { Variables } from './settings.js';
import { SettingError } from './settings.js';

const FOLDER = 'PLEDGEBOOK_KEY_FOLDER';
const SEALS = 'PLEDGEBOOK_SEAL_KEYS';
const ISSUER = 'PLEDGEBOOK_ISSUER_KEYS';
const LOG = 'PLEDGEBOOK_LOG_KEY';
const ORIGIN = 'PLEDGEBOOK_LOG_ORIGIN';
/** The file of a key folder that holds what checkpoints are signed with. */
export const LOG_KEY_FILE = 'log.key';

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

/** What the log's checkpoints are signed with, where that is configured. @throws {SettingError} */
export const configuredLogKey = (variables: Variables): NoteSigner | undefined => {
  const text = variables.secret(LOG) ?? fromFolder(variables, (folder) => keptSecrets(folder, LOG_KEY_FILE));
  return text === undefined ? undefined : signerIn(text, variables.text(ORIGIN));
};

/** The same where nothing else will do. @throws {SettingError} */
export const requiredLogKey = (variables: Variables): NoteSigner => {
  const signer = configuredLogKey(variables);
  if (signer === undefined) throw new SettingError(`${LOG} must be set, ${HOW}`);
  return signer;
};

/** @param origin the log's name, where one is configured @throws {SettingError} where the text is no key, or one of another name */
export const signerIn = (text: string, origin: string | undefined): NoteSigner => {
  let signer: NoteSigner;
  try {
    signer = NoteSigner.parse(text.trim());
  } catch (error) {
    throw error instanceof TlogRefusal
      ? new SettingError(`the key of the log cannot be used: ${error.message}`)
      : error;
  }
  const { name } = signer.verifier;
  if (origin !== undefined && name !== origin)
    throw new SettingError(`${ORIGIN} is ${origin}, but the log's key is that of ${name}: a log keeps its name`);
  return signer;
};

/** A new key of the log, as text. @throws {SettingError} for a name that no log may have */
export const newLogKey = (origin = `pledgebook/${randomUUID()}`): string => {
  try {
    return `${NoteSigner.generate(origin).privateKey()}\n`;
  } catch (error) {
    throw error instanceof TlogRefusal ? new SettingError(`${ORIGIN}: ${error.message}`) : error;
  }
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
