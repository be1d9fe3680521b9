import { TlogRefusal } from './refusal.js';

/** Bytes of standard base64 (RFC 4648 §4) in its one canonical form. @throws {TlogRefusal} naming `what` */
export const base64In = (text: string, what: string): Buffer => {
  const bytes = Buffer.from(text, 'base64');
  // Node reads over what is no base64, and over spare bits: only what comes back the same was well-formed.
  if (bytes.toString('base64') !== text) throw new TlogRefusal(`${what} is not canonical base64`);
  return bytes;
};

/** A SHA-256 in base64. @throws {TlogRefusal} naming `what` */
export const hashIn = (text: string, what: string): Buffer => {
  const bytes = base64In(text, what);
  if (bytes.length !== 32) throw new TlogRefusal(`${what} has ${bytes.length} bytes, not the 32 of a SHA-256`);
  return bytes;
};

/** A whole number without leading zeros, below 2^53. @throws {TlogRefusal} naming `what` */
export const numberIn = (text: string, what: string): number => {
  if (!/^(0|[1-9]\d{0,15})$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new TlogRefusal(`${what} is not a decimal number below 2^53 without leading zeros`);
  return Number(text);
};

/** Text of bytes that must be UTF-8, without a byte order mark being taken away. @throws {TlogRefusal} naming `what` */
export const textIn = (bytes: Uint8Array, what: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new TlogRefusal(`${what} is not UTF-8`);
  }
};
