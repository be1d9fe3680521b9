import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KeyStoreUnavailableError } from './subject-register.js';
import { keyFolder, readIfThere, replaceSecretAt, secretAt } from './key-folder.js';
import { type MasterKey, masterKeyOf } from './sealing.js';

const KEY = /^[0-9a-f]{64}$/;

/** Where the master key of a data folder lies unless its place is configured: beside what it wraps, which is for trying things out. */
export const masterKeyFile = (dataFolder: string, configured?: string): string =>
  configured ?? join(keyFolder(dataFolder), 'master.key');

/**
 * The keys that subjects' keys are wrapped with, in a file of 64 hexadecimal digits a line: the first wraps, all unwrap. There is more than
 * one while they are rotated, or after that was cut off half-way.
 */
export class MasterKeys {
  private constructor(
    private readonly read: () => readonly Buffer[],
    private readonly write: (keys: readonly Buffer[]) => void,
    /** For messages. */
    readonly place: string,
  ) {}

  /**
   * @param isNeeded something is wrapped already: a missing file is then not made anew
   * @throws {KeyStoreUnavailableError} where the file is missing, or holds no keys
   */
  static at(path: string, isNeeded: boolean): MasterKeys {
    if (!isNeeded) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      secretAt(path, () => linesOf([randomBytes(32)]));
    }
    const masters = new MasterKeys(
      () => keysIn(path),
      (keys) => {
        replaceSecretAt(path, linesOf(keys));
      },
      path,
    );
    masters.read();
    return masters;
  }

  static inMemory(): MasterKeys {
    let kept: readonly Buffer[] = [randomBytes(32)];
    return new MasterKeys(
      () => kept,
      (keys) => {
        kept = keys;
      },
      'memory',
    );
  }

  /** As the file has it now: another process may have rotated. */
  all(): readonly [MasterKey, ...MasterKey[]] {
    const [first, ...others] = this.read();
    if (first === undefined) throw new KeyStoreUnavailableError(`the master key ${this.place} is empty: put it back`);
    return [masterKeyOf(first), ...others.map(masterKeyOf)];
  }

  /** Puts a new key before the others. */
  add(): void {
    this.write([randomBytes(32), ...this.read()]);
  }

  /** Nothing is wrapped with another than the first any more. */
  keepNewest(): void {
    this.write(this.read().slice(0, 1));
  }
}

const linesOf = (keys: readonly Buffer[]): string => keys.map((key) => `${key.toString('hex')}\n`).join('');

const keysIn = (path: string): readonly Buffer[] => {
  let text: string | undefined;
  try {
    text = readIfThere(path);
  } catch (error) {
    throw new KeyStoreUnavailableError(`the master key ${path} cannot be read: see who may`, { cause: error });
  }
  if (text === undefined) {
    throw new KeyStoreUnavailableError(
      `the master key ${path} is missing, and keys of subjects are wrapped with it: put it back, or name its place in PLEDGEBOOK_MASTER_KEY_FILE`,
    );
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || !lines.every((line) => KEY.test(line)))
    throw new KeyStoreUnavailableError(`the master key ${path} is not what it should be: 64 hexadecimal digits a line`);
  return lines.map((line) => Buffer.from(line, 'hex'));
};
