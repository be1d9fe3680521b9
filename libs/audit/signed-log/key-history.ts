import { type Checkpoint, openCheckpoint, parseCheckpoint, TlogRefusal, VerifierKey } from '#tlog';
import type { LogKey, LogKeysState } from './log-keys.js';

/** The key as signatures are verified with it. @throws {TlogRefusal} where the text is none */
export const verifierOf = ({ verifier }: LogKey): VerifierKey => VerifierKey.parse(verifier);

/** The record of a log's keys; where there is none, as if those configured had signed every size. The one in use is the last. */
export const historyOf = (state: LogKeysState, configured: readonly VerifierKey[]): LogKeysState =>
  state.keys.length > 0
    ? state
    : { ...state, keys: configured.map((key) => ({ origin: key.name, verifier: key.toString(), from: 0 })) };

/**
 * The checkpoint that a note states, and the keys that signed it while they were the log's: none of a former name whose key is lost.
 * @throws {TlogRefusal} where it is another log's, no key of the log signed it, or only one that had no such size to sign
 */
export const openSigned = (
  note: string,
  { keys, lost }: LogKeysState,
): { readonly checkpoint: Checkpoint; readonly by: readonly LogKey[] } => {
  const bytes = Buffer.from(note);
  const stated = parseCheckpoint(bytes);
  const { origin, size } = stated;
  if (lost.includes(origin)) return { checkpoint: stated, by: [] };
  const own = new Map(
    keys.filter((key) => key.origin === origin).map((key): [string, LogKey] => [verifierOf(key).keyId, key]),
  );
  if (own.size === 0)
    throw new TlogRefusal(
      `the checkpoint is of ${origin}, not of ${[...new Set(keys.map((key) => key.origin))].join(' or ')}`,
    );
  const { checkpoint, verified } = openCheckpoint(bytes, origin, [...own.values()].map(verifierOf));
  const signed = verified.flatMap(({ key }) => own.get(key.keyId) ?? []);
  const by = signed.filter(({ from, to = Infinity }) => size >= from && size <= to);
  if (by.length > 0) return { checkpoint, by };
  const [other] = signed;
  throw new TlogRefusal(
    `the checkpoint of ${size} events is signed by a key (${other === undefined ? '' : verifierOf(other).keyId}) that signs ${wordsOf(other)}`,
  );
};

const wordsOf = (key: LogKey | undefined): string =>
  key?.to === undefined ? `from ${key?.from ?? 0} events on` : `up to ${key.to} events: it was rotated out`;

/** The keys one a line, the one in use first: verifier key, the first size and the last that it signs, `-` while it does. */
export const keyLines = ({ keys }: LogKeysState): string =>
  keys
    .toReversed()
    .map(({ verifier, from, to }) => `${verifier} ${from} ${to ?? '-'}\n`)
    .join('');
