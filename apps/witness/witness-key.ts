import { closeSync, existsSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NoteSigner } from '#tlog';
import { CosignedCheckpoints, STATE_FILE } from './cosigned-checkpoints.js';
import { contentOf, refusedAs, WitnessSettingError, type WitnessSettings } from './settings.js';

/**
 * Opens what a witness is: its key, made at the first start unless it is given, and its memory.
 * @throws {WitnessSettingError} where one is there without the other: a witness that forgot what it cosigned would cosign another tree
 */
export const openWitness = (
  settings: WitnessSettings,
): { readonly signer: NoteSigner; readonly cosigned: CosignedCheckpoints } => {
  const { folder, keyFile, keyIsOwn } = settings;
  if (keyIsOwn && existsSync(keyFile) && !existsSync(join(folder, STATE_FILE)))
    throw new WitnessSettingError(
      `${folder} holds the key of a witness, but not ${STATE_FILE}, what it cosigned: put that back as it was last, or begin in an empty folder under a new name`,
    );
  const cosigned = CosignedCheckpoints.open(folder);
  try {
    return { signer: signerOf(settings, cosigned), cosigned };
  } catch (error) {
    cosigned.close();
    throw error;
  }
};

const signerOf = ({ keyFile, keyIsOwn, keyName }: WitnessSettings, cosigned: CosignedCheckpoints): NoteSigner => {
  if (keyIsOwn && !existsSync(keyFile)) {
    if (!cosigned.isEmpty)
      throw new WitnessSettingError(
        `${keyFile} is gone: logs know this witness by it. Put it back, or begin in an empty folder under a new name`,
      );
    if (keyName === undefined)
      throw new WitnessSettingError(
        'WITNESS_NAME must be set for the first start: how the witness is called, such as witness.finance.gov.example/w1',
      );
    const made = refusedAs('WITNESS_NAME', () => NoteSigner.generate(keyName, 'cosignature'));
    keep(keyFile, `${made.privateKey()}\n`);
    return made;
  }
  const name = keyIsOwn ? 'the key' : 'WITNESS_KEY_FILE';
  const signer = refusedAs(`${name} (${keyFile})`, () => NoteSigner.parse(contentOf(name, keyFile).trim()));
  const { kind, name: called } = signer.verifier;
  if (kind !== 'cosignature') throw new WitnessSettingError(`${keyFile} holds the key of a log, not of a witness`);
  if (keyName !== undefined && keyName !== called)
    throw new WitnessSettingError(`WITNESS_NAME is ${keyName}, but the key in ${keyFile} is that of ${called}`);
  return signer;
};

/** Writes a secret that is there whole or not at all, for this user alone. */
const keep = (file: string, text: string): void => {
  writeFileSync(`${file}.next`, text, { mode: 0o600, flush: true });
  renameSync(`${file}.next`, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};
