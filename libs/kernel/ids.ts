import { createHash, hash, randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Random bytes are drawn in bulk: a call per id costs more than the rest of the id. No byte is ever handed out twice. */
const pool = Buffer.alloc(8_192);
let drawn = pool.length;

/** Bytes of the pool, to be used before the next call. */
const randomSlice = (length: number): Buffer => {
  if (drawn + length > pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += length;
  return pool.subarray(drawn - length, drawn);
};

// The sequence within one millisecond of RFC 9562, method 1: ids of one process sort by creation.
let msecs = 0;
let seq = 0;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a lower-case UUID of any version. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** A new record id: UUIDv7, so that ids sort by creation. */
export const newId = (): string => {
  const now = Date.now();
  const random = randomSlice(16);
  if (now > msecs) {
    msecs = now;
    // A start below 2^31 leaves room for two thousand million ids before the clock moves on.
    seq = random.readUInt32BE(6) >>> 1;
  } else seq += 1;
  return v7({ msecs, seq, random });
};

/** 32 random bytes, hexadecimal. */
export const newSalt = (): string => randomSlice(32).toString('hex');

const VARIANTS = '89ab';

/** A UUIDv8 (RFC 9562) from the SHA-256 of `parts`: the same parts always give the same id. */
export const derivedId = (...parts: readonly string[]): string => {
  const hex = hash('sha256', JSON.stringify(parts), 'hex');
  const variant = VARIANTS.charAt(Number.parseInt(hex.charAt(16), 16) & 3);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
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
