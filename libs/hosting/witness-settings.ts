import { TlogRefusal, VerifierKey } from '#tlog';
import type { Variables } from './settings.js';
import { SettingError } from './settings.js';

const WITNESSES = 'PLEDGEBOOK_WITNESSES';
const QUORUM = 'PLEDGEBOOK_WITNESS_QUORUM';

/** Who cosigns the log, and how many have to. */
interface ConfiguredWitnesses {
  readonly witnesses: readonly { readonly address: string; readonly key: VerifierKey }[];
  readonly quorum: number;
}

/**
 * The witnesses of the log: an address and a verifier key each, with space or line feeds between, or a file of those; the smallest majority has to
 * cosign unless told. Undefined where none is named. @throws {SettingError}
 */
export const configuredWitnesses = (variables: Variables): ConfiguredWitnesses | undefined => {
  const text = variables.secret(WITNESSES);
  const lines = (text ?? '').split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const words = lines.flatMap((line) => line.split(/\s+/)).filter((word) => word !== '');
  if (words.length === 0) {
    if (variables.text(QUORUM) !== undefined) throw new SettingError(`${QUORUM} is set, but ${WITNESSES} is not`);
    return undefined;
  }
  if (words.length % 2 === 1)
    throw new SettingError(`${WITNESSES} must be an address and a verifier key for each witness, with space between`);
  const witnesses = Array.from({ length: words.length / 2 }, (_, at) => witnessIn(words[2 * at], words[2 * at + 1]));
  const names = witnesses.map(({ key }) => key.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new SettingError(`${WITNESSES} names ${twice} twice: each witness has a name of its own`);
  const quorum = variables.wholeNumber(QUORUM, { least: 1, most: witnesses.length });
  return { witnesses, quorum: quorum ?? Math.floor(witnesses.length / 2) + 1 };
};

const witnessIn = (address = '', text = ''): ConfiguredWitnesses['witnesses'][0] => {
  if (!/^https?:\/\//.test(address) || !URL.canParse(address))
    throw new SettingError(
      `${WITNESSES}: "${address}" must be an http or https address, with the verifier key behind it`,
    );
  try {
    const key = VerifierKey.parse(text);
    if (key.kind === 'cosignature') return { address, key };
  } catch (error) {
    if (error instanceof TlogRefusal) throw new SettingError(`${WITNESSES}: ${error.message}: "${text}"`);
    throw error;
  }
  throw new SettingError(`${WITNESSES}: ${text} is the key of a log, not of a witness`);
};
