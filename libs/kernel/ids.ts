import { createHash, randomBytes } from 'node:crypto';
import { v7 } from 'uuid';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case UUID of any version. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** A new record id: UUIDv7, so that ids sort by creation. */
export const newId = (): string => v7();

/** 32 random bytes, hexadecimal. */
export const newSalt = (): string => randomBytes(32).toString('hex');

/** A UUIDv8 (RFC 9562) from the SHA-256 of `parts`: the same parts always give the same id. */
export const derivedId = (...parts: readonly string[]): string => {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
};

/** The id of the `index`th event that command `commandId` writes to `stream`: a repeat of the command repeats the ids. */
export const eventIdOf = (stream: string, commandId: string, index: number): string =>
  derivedId('event', stream, commandId, String(index));

/** JSON with keys sorted at every level: equal values give equal text. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value));

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};

/** Salted hash of a request, kept in metadata so that the same key with another body is noticed. */
export const requestHashOf = (salt: string, request: string): string =>
  createHash('sha256').update(salt).update('\n').update(request).digest('hex');
