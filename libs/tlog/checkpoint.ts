import { hashIn, numberIn } from './encoding.js';
import { formatNote, type NoteSigner, openNote, parseNote, type Verified, type VerifierKey } from './note.js';
import { TlogRefusal } from './refusal.js';

/** A tree's head at a size, as a log states it. */
export interface Checkpoint {
  /** The log's name, and that of the key it signs with. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Lines that this log does not write, kept as they are. */
  readonly extensions: readonly string[];
}

/** The text that is signed. */
export const checkpointText = ({ origin, size, root, extensions }: Checkpoint): string =>
  [origin, String(size), Buffer.from(root).toString('base64'), ...extensions].map((line) => `${line}\n`).join('');

/** @throws {TlogRefusal} */
export const parseCheckpointText = (text: string): Checkpoint => {
  const lines = text.split('\n');
  const [origin = '', size = '', root = '', ...extensions] = lines.slice(0, -1);
  if (lines.length < 4 || lines.at(-1) !== '' || lines.slice(0, -1).includes(''))
    throw new TlogRefusal('the checkpoint is not three or more lines that are not empty');
  return {
    origin,
    size: numberIn(size, "the checkpoint's size"),
    root: hashIn(root, "the checkpoint's root"),
    extensions,
  };
};

/** A signed checkpoint of the log named as the signer is. */
export const signCheckpoint = (signer: NoteSigner, size: number, root: Uint8Array): string => {
  const text = checkpointText({ origin: signer.verifier.name, size, root, extensions: [] });
  return formatNote({ text, signatures: [signer.sign(text)] });
};

/** Reads a signed checkpoint; no signature is verified by that. @throws {TlogRefusal} */
export const parseCheckpoint = (bytes: Uint8Array): Checkpoint => parseCheckpointText(parseNote(bytes).text);

/**
 * The checkpoint of the log of this origin, and which of `keys` signed it.
 * @throws {TlogRefusal} where none did, a signature is false, or it is another log's
 */
export const openCheckpoint = (
  bytes: Uint8Array,
  origin: string,
  keys: readonly VerifierKey[],
): { readonly checkpoint: Checkpoint; readonly verified: readonly Verified[] } => {
  const { text, verified } = openNote(bytes, keys);
  const checkpoint = parseCheckpointText(text);
  if (checkpoint.origin !== origin)
    throw new TlogRefusal(`the checkpoint is of ${checkpoint.origin}, not of ${origin}`);
  return { checkpoint, verified };
};

/** The checkpoint with signatures of others, such as witnesses, behind its own. @throws {TlogRefusal} */
export const cosign = (bytes: Uint8Array, witness: NoteSigner, seconds: number): string => {
  const { text, signatures } = parseNote(bytes);
  parseCheckpointText(text);
  return formatNote({ text, signatures: [...signatures, witness.sign(text, seconds)] });
};
