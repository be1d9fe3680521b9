import { hashIn, numberIn, textIn } from './encoding.js';
import { TlogRefusal } from './refusal.js';

/** What a log asks of a witness (C2SP tlog-witness, `add-checkpoint`): to cosign a checkpoint that continues what the witness cosigned before. */
export interface AddCheckpoint {
  /** The size that the witness cosigned last; 0 where it never did. */
  readonly old: number;
  /** The consistency proof from there. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint, as the log hands it out. */
  readonly checkpoint: string;
}

const MAX_PROOF_LINES = 63;

export const formatAddCheckpoint = ({ old, proof, checkpoint }: AddCheckpoint): string =>
  [`old ${old}`, ...proof.map((hash) => Buffer.from(hash).toString('base64')), '', checkpoint].join('\n');

/** Reads the body of a request; nothing of it is verified by that. @throws {TlogRefusal} */
export const parseAddCheckpoint = (bytes: Uint8Array): AddCheckpoint => {
  const text = textIn(bytes, 'the request');
  const end = text.indexOf('\n\n');
  if (end < 0) throw new TlogRefusal('the request has no empty line before its checkpoint');
  const [first = '', ...lines] = text.slice(0, end).split('\n');
  if (!first.startsWith('old ')) throw new TlogRefusal('the request does not begin with "old " and a size');
  if (lines.length > MAX_PROOF_LINES) throw new TlogRefusal(`the request has more than ${MAX_PROOF_LINES} hashes`);
  return {
    old: numberIn(first.slice('old '.length), 'the old size'),
    proof: lines.map((line, at) => hashIn(line, `hash ${at + 1} of the proof`)),
    checkpoint: text.slice(end + 2),
  };
};
