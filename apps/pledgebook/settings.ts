import { resolve } from 'node:path';
import { DEFAULT_AUDIENCE } from '#web';

/** How the service is set up by its environment. */
export interface Settings {
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  /** Requests a second and caller; undefined: no limit. */
  readonly rate: number | undefined;
  readonly logLevel: string;
  readonly audience: string;
  /** Largest document in bytes; undefined: 50 MiB. */
  readonly documentLimit: number | undefined;
  readonly oidc: OidcSettings | undefined;
}

/** An OpenID Connect issuer that replaces the local one. */
export interface OidcSettings {
  readonly issuer: string;
  /** Where its keys are, if its discovery document is not to be asked. */
  readonly jwksUri?: string;
}

/** A variable that says nothing usable; the message names it and what it may be. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

export const DEFAULT_RATE = 2_000;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** @throws {SettingError} */
export const readSettings = (environment: NodeJS.ProcessEnv): Settings => {
  const value = (name: string): string | undefined => {
    const text = environment[name]?.trim();
    return text === '' ? undefined : text;
  };
  const issuer = value('PLEDGEBOOK_OIDC_ISSUER');
  const jwksUri = value('PLEDGEBOOK_OIDC_JWKS');
  const logLevel = value('PLEDGEBOOK_LOG') ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) throw new SettingError(`PLEDGEBOOK_LOG must be one of ${LOG_LEVELS.join(', ')}`);
  return {
    dataFolder: resolve(value('PLEDGEBOOK_DATA') ?? 'data'),
    host: value('PLEDGEBOOK_HOST') ?? '127.0.0.1',
    port: wholeNumber('PORT', value('PORT') ?? '3000', 65_535),
    rate: rateOf(value('PLEDGEBOOK_RATE')),
    logLevel,
    audience: value('PLEDGEBOOK_AUDIENCE') ?? DEFAULT_AUDIENCE,
    documentLimit: documentLimitOf(value('PLEDGEBOOK_DOCUMENT_LIMIT')),
    oidc:
      issuer === undefined
        ? undefined
        : {
            issuer: address('PLEDGEBOOK_OIDC_ISSUER', issuer),
            ...(jwksUri === undefined ? {} : { jwksUri: address('PLEDGEBOOK_OIDC_JWKS', jwksUri) }),
          },
  };
};

const rateOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return DEFAULT_RATE;
  if (text === 'off') return undefined;
  const rate = wholeNumber('PLEDGEBOOK_RATE', text, 10_000_000);
  if (rate === 0) throw new SettingError('PLEDGEBOOK_RATE must be "off" or a number of requests per second above 0');
  return rate;
};

const documentLimitOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const limit = wholeNumber('PLEDGEBOOK_DOCUMENT_LIMIT', text, 10_000_000_000);
  if (limit === 0) throw new SettingError('PLEDGEBOOK_DOCUMENT_LIMIT must be a number of bytes above 0');
  return limit;
};

const wholeNumber = (name: string, text: string, max: number): number => {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || number > max)
    throw new SettingError(`${name} must be a whole number up to ${max}, not "${text}"`);
  return number;
};

const address = (name: string, text: string): string => {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new SettingError(`${name} must be an http or https address`);
  return text;
};
