import { hash } from 'node:crypto';
import { canonicalForm, parseCanonical } from './canonical-json.js';
import { textIn } from './encoding.js';
import { TlogRefusal } from './refusal.js';

/** What stands behind a leaf: one event, handed out to whoever may read it. */
export interface Opening {
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  readonly type: string;
  readonly schema: number;
  readonly data: object;
  /** Without the salt. */
  readonly metadata: object;
  /** The hash of the stream's event before, hexadecimal; null for its first: so none between can be left out. */
  readonly prevInStream: string | null;
}

/** The bytes of an opening, as they are hashed and handed out: canonical JSON. @throws {TlogRefusal} where it has no such form */
export const openingBytes = (opening: Opening): Buffer => {
  const { stream, revision, eventId, type, schema, data, metadata, prevInStream } = opening;
  return Buffer.from(canonicalForm({ stream, revision, eventId, type, schema, data, metadata, prevInStream }));
};

/**
 * The hash that a leaf holds of an event: SHA-256(salt ‖ canonical opening), hexadecimal.
 * @param salt 32 bytes, hexadecimal: without it what is likely could be guessed
 * @throws {TlogRefusal} where the opening has no canonical form or the salt is none
 */
export const entryHashOf = (opening: Opening, salt: string): string => {
  if (!/^[0-9a-f]{64}$/.test(salt)) throw new TlogRefusal('the salt is not 32 bytes in lower-case hexadecimal');
  return hash('sha256', Buffer.concat([Buffer.from(salt, 'hex'), openingBytes(opening)]), 'hex');
};

/** What the public reads of an event: its place in the log and its hash. */
export interface LeafEntry {
  readonly seq: number;
  readonly entryHash: string;
}

const VERSION = 1;

/** The bytes of a leaf: canonical JSON `{entryHash, seq, v}`. */
export const leafEntry = ({ seq, entryHash }: LeafEntry): Buffer =>
  Buffer.from(canonicalForm({ v: VERSION, seq, entryHash }));

/** @throws {TlogRefusal} */
export const parseLeafEntry = (bytes: Uint8Array): LeafEntry => {
  const value = parseCanonical(textIn(bytes, 'the entry'), 'the entry');
  const { v, seq, entryHash, ...more } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (v !== VERSION) throw new TlogRefusal(`the entry is not of version ${VERSION}`);
  if (typeof seq !== 'number' || seq < 0) throw new TlogRefusal('the entry has no place in the log');
  if (typeof entryHash !== 'string' || !/^[0-9a-f]{64}$/.test(entryHash) || Object.keys(more).length > 0)
    throw new TlogRefusal('the entry is not a place and a SHA-256');
  return { seq, entryHash };
};
