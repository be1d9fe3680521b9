import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import type { Sealed } from '#kernel';

/** Where a sealed text stands: stream, record within it, field. Moved anywhere else it does not open. */
export type Place = readonly string[];

/** What was sealed or wrapped was altered, stands at another place, or is under another key. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError';
}

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Texts are filled up to a multiple of so many bytes: the length of a ciphertext tells little of a name or a number. */
const FILLED = 64;

/**
 * Seals a text. The initialisation vector is drawn from key, place and text alone: the same text at the same place gives the same ciphertext,
 * so that a repeated command is seen to be one, and two texts never share a vector.
 */
export const sealText = (key: Buffer, subject: string, place: Place, text: string): Sealed => {
  const bound = boundTo('seal', subject, place);
  const plain = filled(JSON.stringify(text));
  const drawing = createHmac('sha256', key).update('pledgebook-iv').digest();
  const iv = createHmac('sha256', drawing).update(bound).update('\0').update(plain).digest().subarray(0, IV_BYTES);
  const { ct, tag } = encrypted(key, iv, bound, plain);
  return { alg: 'A256GCM', subject, iv: textOf(iv), ct: textOf(ct), tag: textOf(tag) };
};

/** @throws {SealBrokenError} */
export const openText = (key: Buffer, place: Place, { alg, subject, iv, ct, tag }: Sealed): string => {
  // What comes from a log is not what its type says before it was looked at.
  if ((alg as string) !== 'A256GCM') throw new SealBrokenError('sealed in a way that is not known here');
  const parts = { iv: bytesOf(iv), ct: bytesOf(ct), tag: bytesOf(tag) };
  const plain = decrypted(key, parts, boundTo('seal', subject, place));
  return JSON.parse(plain.toString('utf8')) as string;
};

/** A master key: what the keys of subjects are wrapped with. Its id tells which one it is, and nothing of it. */
export interface MasterKey {
  readonly id: string;
  readonly key: Buffer;
}

export const masterKeyOf = (key: Buffer): MasterKey => ({
  id: createHash('sha256').update('pledgebook-master-key').update(key).digest('hex').slice(0, 16),
  key,
});

/** A subject's key as the key store keeps it. @param iv 12 random bytes */
export const wrapKey = (master: MasterKey, subject: string, key: Buffer, iv: Buffer): Buffer => {
  const { ct, tag } = encrypted(master.key, iv, boundTo('wrap', subject, [master.id]), key);
  return Buffer.concat([iv, tag, ct]);
};

/** @throws {SealBrokenError} */
export const unwrapKey = (master: MasterKey, subject: string, wrapped: Buffer): Buffer =>
  decrypted(
    master.key,
    {
      iv: wrapped.subarray(0, IV_BYTES),
      tag: wrapped.subarray(IV_BYTES, IV_BYTES + TAG_BYTES),
      ct: wrapped.subarray(IV_BYTES + TAG_BYTES),
    },
    boundTo('wrap', subject, [master.id]),
  );

interface Parts {
  readonly iv: Buffer;
  readonly ct: Buffer;
  readonly tag: Buffer;
}

const boundTo = (use: 'seal' | 'wrap', subject: string, place: Place): Buffer =>
  Buffer.from(JSON.stringify([`pledgebook-${use}/1`, subject, ...place]));

const encrypted = (key: Buffer, iv: Buffer, bound: Buffer, plain: Buffer): Pick<Parts, 'ct' | 'tag'> => {
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(bound);
  const ct = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { ct, tag: cipher.getAuthTag() };
};

const decrypted = (key: Buffer, { iv, ct, tag }: Parts, bound: Buffer): Buffer => {
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) throw new SealBrokenError('this is nothing sealed');
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(bound).setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(ct), decipher.final()]);
  } catch (error) {
    throw new SealBrokenError('it was altered, moved, or sealed with another key', { cause: error });
  }
};

/** JSON reads past the blanks at its end. */
const filled = (json: string): Buffer => {
  const missing = FILLED - (Buffer.byteLength(json) % FILLED);
  return Buffer.from(json + ' '.repeat(missing % FILLED));
};

const textOf = (bytes: Buffer): string => bytes.toString('base64url');

// Decoding is lenient: of several texts for the same bytes only the one that encoding gives is taken.
const bytesOf = (text: unknown): Buffer => {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64url') : undefined;
  if (bytes === undefined || textOf(bytes) !== text) throw new SealBrokenError('this is nothing sealed');
  return bytes;
};
