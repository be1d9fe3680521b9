import { readFileSync } from 'node:fs';
import { DEFAULT_AUDIENCE } from '#web';

/** A variable that says nothing usable; the message names it and what it may be. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** An OpenID Connect issuer that replaces the local one. */
export interface OidcSettings {
  readonly issuer: string;
  /** Where its keys are, if its discovery document is not to be asked. */
  readonly jwksUri?: string;
}

/** What every app that listens is told by its environment. */
export interface ListenSettings {
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
}

/** How callers are known, and how many requests each may send. */
export interface CallerSettings {
  /** Requests a second and caller; undefined: no limit. */
  readonly rate: number | undefined;
  readonly audience: string;
  readonly oidc: OidcSettings | undefined;
}

export const DEFAULT_RATE = 2_000;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Variables of the environment, each read with what it may say. A blank one counts as absent. */
export class Variables {
  constructor(private readonly environment: NodeJS.ProcessEnv) {}

  text(name: string): string | undefined {
    const text = this.environment[name]?.trim();
    return text === '' ? undefined : text;
  }

  /** @throws {SettingError} where it is absent: `fix` says what to set it to */
  required(name: string, fix: string): string {
    const text = this.text(name);
    if (text === undefined) throw new SettingError(`${name} must be set: ${fix}`);
    return text;
  }

  /** The text itself, or that of the file which `<name>_FILE` names: how secrets reach a container. @throws {SettingError} */
  secret(name: string): string | undefined {
    const given = this.text(name);
    const file = this.text(`${name}_FILE`);
    if (file === undefined) return given;
    if (given !== undefined) throw new SettingError(`set ${name} or ${name}_FILE, not both`);
    try {
      return readFileSync(file, 'utf8').trim();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
      throw new SettingError(`${name}_FILE names ${file}, which cannot be read (${code})`);
    }
  }

  /** @throws {SettingError} */
  wholeNumber(
    name: string,
    { least = 0, most }: { readonly least?: number; readonly most: number },
  ): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (!/^[0-9]+$/.test(text) || number > most)
      throw new SettingError(`${name} must be a whole number up to ${most}, not "${text}"`);
    if (number < least) throw new SettingError(`${name} must be at least ${least}, not ${number}`);
    return number;
  }

  /** @throws {SettingError} */
  address(name: string): string | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : addressIn(name, text);
  }

  /** Addresses with commas between them. @throws {SettingError} */
  addresses(name: string): readonly string[] {
    const parts = (this.text(name) ?? '').split(',').map((part) => part.trim());
    return parts.filter((part) => part !== '').map((part) => addressIn(name, part));
  }

  /** @throws {SettingError} */
  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text !== undefined && !(values as readonly string[]).includes(text))
      throw new SettingError(`${name} must be one of ${values.join(', ')}`);
    return text as T | undefined;
  }
}

const addressIn = (name: string, text: string): string => {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new SettingError(`${name} must be an http or https address`);
  return text;
};

/** @throws {SettingError} */
export const listenSettings = (variables: Variables, port: number): ListenSettings => ({
  logLevel: variables.oneOf('PLEDGEBOOK_LOG', LOG_LEVELS) ?? 'info',
  host: variables.text('PLEDGEBOOK_HOST') ?? '127.0.0.1',
  port: variables.wholeNumber('PORT', { most: 65_535 }) ?? port,
});

/** @throws {SettingError} */
export const callerSettings = (variables: Variables): CallerSettings => ({
  rate: rateOf(variables),
  audience: variables.text('PLEDGEBOOK_AUDIENCE') ?? DEFAULT_AUDIENCE,
  oidc: oidcOf(variables),
});

/** Largest document in bytes; undefined: 50 MiB. @throws {SettingError} */
export const documentLimitOf = (variables: Variables): number | undefined => {
  const limit = variables.wholeNumber('PLEDGEBOOK_DOCUMENT_LIMIT', { most: 10_000_000_000 });
  if (limit === 0) throw new SettingError('PLEDGEBOOK_DOCUMENT_LIMIT must be a number of bytes above 0');
  return limit;
};

const rateOf = (variables: Variables): number | undefined => {
  if (variables.text('PLEDGEBOOK_RATE') === 'off') return undefined;
  const rate = variables.wholeNumber('PLEDGEBOOK_RATE', { most: 10_000_000 }) ?? DEFAULT_RATE;
  if (rate === 0) throw new SettingError('PLEDGEBOOK_RATE must be "off" or a number of requests per second above 0');
  return rate;
};

const oidcOf = (variables: Variables): OidcSettings | undefined => {
  const issuer = variables.address('PLEDGEBOOK_OIDC_ISSUER');
  if (issuer === undefined) return undefined;
  const jwksUri = variables.address('PLEDGEBOOK_OIDC_JWKS');
  return { issuer, ...(jwksUri === undefined ? {} : { jwksUri }) };
};
