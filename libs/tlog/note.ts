import { createPrivateKey, createPublicKey, hash, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { base64In, textIn } from './encoding.js';
import { TlogRefusal } from './refusal.js';

/** How a key signs: a log its checkpoints, or a witness what it saw at a time (tlog-cosignature). */
export type SignatureKind = 'ed25519' | 'cosignature';

const TYPE_BYTE: Readonly<Record<SignatureKind, number>> = { ed25519: 0x01, cosignature: 0x04 };
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIME_BYTES = 8;
const MAX_NOTE_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;
const DASH = '—';
const PRIVATE = 'PRIVATE+KEY';

/** One signature line: who signed, and the bytes behind the key's id. */
export interface NoteSignature {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly keyId: string;
  readonly signature: Uint8Array;
}

/** A note as it was read: nothing of it is verified. */
export interface Note {
  /** With its final line feed: what is signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature that was verified; `seconds` is the time a witness gave. */
export interface Verified {
  readonly key: VerifierKey;
  readonly seconds?: number;
}

const isKeyName = (name: string): boolean => name !== '' && !/[\s+\u0085\p{Cc}]/u.test(name) && name.isWellFormed();

const keyIdOf = (name: string, kind: SignatureKind, publicKey: Uint8Array): string =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(TYPE_BYTE[kind]), publicKey]), 'hex').slice(0, 8);

const jwkOf = (publicKey: Uint8Array): { readonly kty: string; readonly crv: string; readonly x: string } => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.from(publicKey).toString('base64url'),
});

/** What the parts of a key's text say. @throws {TlogRefusal} */
const keyIn = (
  text: string,
  what: string,
): { readonly name: string; readonly keyId: string; readonly kind: SignatureKind; readonly bytes: Buffer } => {
  // Base64 may hold a plus: only the first two divide.
  const [, name = '', keyId = '', encoded = ''] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(text) ?? [];
  if (!isKeyName(name)) throw new TlogRefusal(`${what} is not <name>+<8 hexadecimal digits>+<base64>`);
  const bytes = base64In(encoded, what);
  const kind = (Object.keys(TYPE_BYTE) as SignatureKind[]).find((each) => TYPE_BYTE[each] === bytes[0]);
  if (kind === undefined) throw new TlogRefusal(`${what} is of a kind other than Ed25519 and its cosignature`);
  if (bytes.length !== 1 + KEY_BYTES) throw new TlogRefusal(`${what} has ${bytes.length - 1} bytes, not ${KEY_BYTES}`);
  return { name, keyId, kind, bytes: bytes.subarray(1) };
};

/** What signatures of one key are verified with: `<name>+<id>+<base64 of kind and key>`. */
export class VerifierKey {
  readonly keyId: string;
  private readonly key: KeyObject;

  constructor(
    readonly name: string,
    readonly kind: SignatureKind,
    readonly publicKey: Uint8Array,
  ) {
    if (!isKeyName(name)) throw new TlogRefusal(`"${name}" is no name of a key: no spaces, no plus, not empty`);
    this.keyId = keyIdOf(name, kind, publicKey);
    this.key = createPublicKey({ key: jwkOf(publicKey), format: 'jwk' });
  }

  /** @throws {TlogRefusal} */
  static parse(text: string): VerifierKey {
    const { name, keyId, kind, bytes } = keyIn(text, 'the verifier key');
    const key = new VerifierKey(name, kind, bytes);
    if (key.keyId !== keyId) throw new TlogRefusal(`the verifier key's id is ${keyId}, that of its key ${key.keyId}`);
    return key;
  }

  toString(): string {
    const bytes = Buffer.concat([Buffer.of(TYPE_BYTE[this.kind]), this.publicKey]);
    return `${this.name}+${this.keyId}+${bytes.toString('base64')}`;
  }

  signed({ name, keyId }: NoteSignature): boolean {
    return name === this.name && keyId === this.keyId;
  }

  /** What the signature says of `text`; undefined where it is not this key's signature of it. */
  verify(text: string, { signature }: NoteSignature): Verified | undefined {
    const timed = this.kind === 'cosignature';
    if (signature.length !== SIGNATURE_BYTES + (timed ? TIME_BYTES : 0)) return undefined;
    if (!timed) return verify(null, Buffer.from(text), this.key, signature) ? { key: this } : undefined;
    const seconds = Buffer.from(signature).readBigUInt64BE();
    if (seconds > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    const message = Buffer.from(cosigned(text, seconds));
    if (!verify(null, message, this.key, signature.subarray(TIME_BYTES))) return undefined;
    return { key: this, seconds: Number(seconds) };
  }
}

const cosigned = (text: string, seconds: number | bigint): string => `cosignature/v1\ntime ${seconds}\n${text}`;

/** Signs notes under a name; kept as text in the form of Go's `note`: `PRIVATE+KEY+<name>+<id>+<base64>`. */
export class NoteSigner {
  readonly verifier: VerifierKey;
  private readonly key: KeyObject;

  private constructor(
    name: string,
    kind: SignatureKind,
    private readonly seed: Uint8Array,
  ) {
    this.key = createPrivateKey({
      key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
      format: 'der',
      type: 'pkcs8',
    });
    const { x = '' } = createPublicKey(this.key).export({ format: 'jwk' });
    this.verifier = new VerifierKey(name, kind, Buffer.from(x, 'base64url'));
  }

  /** @throws {TlogRefusal} for a name that no key may have */
  static generate(name: string, kind: SignatureKind = 'ed25519'): NoteSigner {
    return new NoteSigner(name, kind, randomBytes(KEY_BYTES));
  }

  /** @throws {TlogRefusal} */
  static parse(text: string): NoteSigner {
    const given = text.startsWith(`${PRIVATE}+`) ? text.slice(PRIVATE.length + 1) : '';
    const { name, keyId, kind, bytes } = keyIn(given, 'the private key');
    const signer = new NoteSigner(name, kind, bytes);
    if (signer.verifier.keyId !== keyId)
      throw new TlogRefusal(`the private key's id is ${keyId}, that of its key ${signer.verifier.keyId}`);
    return signer;
  }

  /** The private key as text: a secret. */
  privateKey(): string {
    const { name, kind, keyId } = this.verifier;
    return `${PRIVATE}+${name}+${keyId}+${Buffer.concat([Buffer.of(TYPE_BYTE[kind]), this.seed]).toString('base64')}`;
  }

  /** @param seconds when a witness saw it, in seconds since 1970; of no matter to other keys */
  sign(text: string, seconds = 0): NoteSignature {
    const { name, kind, keyId } = this.verifier;
    if (kind === 'ed25519') return { name, keyId, signature: sign(null, Buffer.from(text), this.key) };
    const time = Buffer.alloc(TIME_BYTES);
    time.writeBigUInt64BE(BigInt(seconds));
    return {
      name,
      keyId,
      signature: Buffer.concat([time, sign(null, Buffer.from(cosigned(text, seconds)), this.key)]),
    };
  }
}

/** The note as it is sent. @throws {TlogRefusal} where the text cannot be that of a note */
export const formatNote = ({ text, signatures }: Note): string => {
  const fault = faultOf(text);
  if (fault !== undefined) throw new TlogRefusal(fault);
  return `${text}\n${signatures.map(signatureLine).join('')}`;
};

/** A signature as a line of a note, with its line feed: what a witness answers. */
export const signatureLine = ({ name, keyId, signature }: NoteSignature): string =>
  `${DASH} ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`;

/** Reads a signed note; nothing of it is verified by that. @throws {TlogRefusal} */
export const parseNote = (bytes: Uint8Array): Note => {
  if (bytes.length > MAX_NOTE_BYTES) throw new TlogRefusal(`the note has more than ${MAX_NOTE_BYTES} bytes`);
  const whole = textIn(bytes, 'the note');
  // The text itself may hold empty lines: the last one divides.
  const end = whole.lastIndexOf('\n\n');
  if (end < 0) throw new TlogRefusal('the note has no empty line before its signatures');
  const text = whole.slice(0, end + 1);
  const fault = faultOf(text);
  if (fault !== undefined) throw new TlogRefusal(fault);
  const lines = whole.slice(end + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0)
    throw new TlogRefusal("the note's signatures do not end with a line feed");
  if (lines.length > MAX_SIGNATURES) throw new TlogRefusal(`the note has more than ${MAX_SIGNATURES} signatures`);
  return { text, signatures: lines.map(signatureIn) };
};

const signatureIn = (line: string): NoteSignature => {
  const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/.exec(line) ?? [];
  if (!isKeyName(name)) throw new TlogRefusal('a signature is not "— <name> <base64>"');
  const bytes = base64In(encoded, `the signature of ${name}`);
  if (bytes.length < 5) throw new TlogRefusal(`the signature of ${name} is too short`);
  return { name, keyId: bytes.toString('hex', 0, 4), signature: bytes.subarray(4) };
};

const faultOf = (text: string): string | undefined => {
  if (!text.endsWith('\n')) return "the note's text does not end with a line feed";
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) return "the note's text holds control characters";
  if (!text.isWellFormed()) return "the note's text holds a lone surrogate";
  return undefined;
};

/**
 * The text of a signed note and which of `keys` signed it. Signatures of others are passed over.
 * @throws {TlogRefusal} where none of them did, or a signature that bears a known key's name and id is not its own
 */
export const openNote = (
  bytes: Uint8Array,
  keys: readonly VerifierKey[],
): { readonly text: string; readonly verified: readonly Verified[] } => {
  const { text, signatures } = parseNote(bytes);
  const verified = new Map<VerifierKey, Verified>();
  for (const signature of signatures) {
    const key = keys.find((each) => each.signed(signature));
    if (key === undefined || verified.has(key)) continue;
    const found = key.verify(text, signature);
    if (found === undefined) throw new TlogRefusal(`the signature of ${key.name} (${key.keyId}) is not of this text`);
    verified.set(key, found);
  }
  if (verified.size === 0) throw new TlogRefusal('the note is signed by none of the keys asked for');
  return { text, verified: [...verified.values()] };
};
