import { openCheckpoint } from './checkpoint.js';
import { base64In, hashIn, numberIn, textIn } from './encoding.js';
import { leafHash } from './merkle.js';
import type { Verified, VerifierKey } from './note.js';
import { verifyInclusion } from './proofs.js';
import { TlogRefusal } from './refusal.js';

/** What a `.tlog-proof` file holds: that an entry stands in a log, for whoever trusts the log's key. */
export interface ProofFile {
  /** Whatever helps to make the entry anew; nothing proves it. */
  readonly extra?: Uint8Array;
  readonly index: number;
  /** The leaf's sibling first. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint, as the log gave it. */
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^53 leaves is no deeper. */
const MAX_HASHES = 53;

export const formatProofFile = ({ extra, index, proof, checkpoint }: ProofFile): string =>
  [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${Buffer.from(extra).toString('base64')}`]),
    `index ${index}`,
    ...proof.map((hash) => Buffer.from(hash).toString('base64')),
    '',
    checkpoint,
  ].join('\n');

/** Reads a `.tlog-proof` file; nothing of it is verified by that. @throws {TlogRefusal} */
export const parseProofFile = (bytes: Uint8Array): ProofFile => {
  const text = textIn(bytes, 'the proof');
  const end = text.indexOf('\n\n');
  if (end < 0) throw new TlogRefusal('the proof has no empty line before its checkpoint');
  const [header, ...lines] = text.slice(0, end).split('\n');
  if (header !== HEADER) throw new TlogRefusal(`the proof does not begin with ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') === true ? lines.shift()?.slice('extra '.length) : undefined;
  const index = lines.shift() ?? '';
  if (!index.startsWith('index ')) throw new TlogRefusal('the proof names no index');
  if (lines.length > MAX_HASHES) throw new TlogRefusal(`the proof has more than ${MAX_HASHES} hashes`);
  return {
    ...(extra === undefined ? {} : { extra: base64In(extra, "the proof's extra data") }),
    index: numberIn(index.slice('index '.length), "the proof's index"),
    proof: lines.map((line, at) => hashIn(line, `hash ${at + 1} of the proof`)),
    checkpoint: text.slice(end + 2),
  };
};

/**
 * That `entry` stands in the log of this origin, at which index and in which tree.
 * @throws {TlogRefusal} with the reason where the file does not prove it
 */
export const verifyProofFile = (
  file: Uint8Array,
  entry: Uint8Array,
  origin: string,
  keys: readonly VerifierKey[],
): { readonly index: number; readonly size: number; readonly verified: readonly Verified[] } => {
  const { index, proof, checkpoint } = parseProofFile(file);
  const opened = openCheckpoint(Buffer.from(checkpoint), origin, keys);
  const { size, root } = opened.checkpoint;
  verifyInclusion(leafHash(entry), index, size, proof, root);
  return { index, size, verified: opened.verified };
};
