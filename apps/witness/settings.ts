import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TlogRefusal, VerifierKey } from '#tlog';

/** A setting that says nothing usable; the message names it and the fix. */
export class WitnessSettingError extends Error {
  override readonly name = 'WitnessSettingError';
}

export interface WitnessSettings {
  /** What it cosigned, and its key unless that is given. */
  readonly folder: string;
  /** Where its key is: `keyIsOwn` where this program makes it. */
  readonly keyFile: string;
  readonly keyIsOwn: boolean;
  /** Of the key that is yet to be made. */
  readonly keyName: string | undefined;
  /** Keys of the logs it witnesses. */
  readonly logs: readonly VerifierKey[];
  readonly host: string;
  readonly port: number;
  /** Requests a second and address; undefined: no limit. */
  readonly rate: number | undefined;
}

const DEFAULT_RATE = 50;

/** @throws {WitnessSettingError} */
export const readWitnessSettings = (environment: NodeJS.ProcessEnv): WitnessSettings => {
  const text = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === '' ? undefined : value;
  };
  const folder = resolve(text('WITNESS_DATA') ?? 'data-witness');
  const keyFile = text('WITNESS_KEY_FILE');
  const rate = text('WITNESS_RATE');
  return {
    folder,
    keyFile: keyFile === undefined ? join(folder, 'witness.key') : resolve(keyFile),
    keyIsOwn: keyFile === undefined,
    keyName: text('WITNESS_NAME'),
    logs: logsOf(text('WITNESS_LOGS'), text('WITNESS_LOGS_FILE')),
    host: text('WITNESS_HOST') ?? '127.0.0.1',
    port: wholeNumber('PORT', text('PORT') ?? '3200', 0, 65_535),
    rate: rate === 'off' ? undefined : wholeNumber('WITNESS_RATE', rate ?? String(DEFAULT_RATE), 1, 1_000_000),
  };
};

const logsOf = (given: string | undefined, file: string | undefined): readonly VerifierKey[] => {
  if ((given === undefined) === (file === undefined))
    throw new WitnessSettingError(
      'set either WITNESS_LOGS or WITNESS_LOGS_FILE: the verifier key of each log, one a line, as GET /log/verifier-key of the log says it',
    );
  const name = file === undefined ? 'WITNESS_LOGS' : 'WITNESS_LOGS_FILE';
  const lines = (given ?? contentOf(name, file ?? '')).split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => logKeyIn(name, line));
  if (keys.length === 0) throw new WitnessSettingError(`${name} names no log: one verifier key a line`);
  return keys;
};

const logKeyIn = (name: string, line: string): VerifierKey => {
  const key = refusedAs(`${name}: ${JSON.stringify(line)}`, () => VerifierKey.parse(line));
  if (key.kind !== 'ed25519') throw new WitnessSettingError(`${name}: ${line} is the key of a witness, not of a log`);
  return key;
};

/** A file's text. @throws {WitnessSettingError} naming the setting */
export const contentOf = (name: string, file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new WitnessSettingError(`${name}: ${file} cannot be read (${code})`);
  }
};

/** What `read` reads; what it refuses is said of the setting. @throws {WitnessSettingError} */
export const refusedAs = <T>(name: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    throw error instanceof TlogRefusal ? new WitnessSettingError(`${name}: ${error.message}`) : error;
  }
};

const wholeNumber = (name: string, text: string, least: number, most: number): number => {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || number < least || number > most)
    throw new WitnessSettingError(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
  return number;
};
