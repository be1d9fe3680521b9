import type { ByteRange } from './document-store.js';

/**
 * The bytes that a `Range` header asks of a file of `size` bytes. Undefined: the whole file, also where the header is of a kind that is
 * not understood (RFC 9110, 14.2: then it is ignored). `unsatisfiable`: it asks for bytes that are not there.
 */
export const rangeOf = (header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined => {
  const asked = /^bytes=(?:([0-9]{1,15})-([0-9]{1,15})?|-([0-9]{1,15}))$/i.exec(header?.trim() ?? '');
  if (asked === null) return undefined;
  const [, first, last, suffix] = asked;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = Math.min(last === undefined ? size - 1 : Number(last), size - 1);
  if (last !== undefined && Number(last) < start) return undefined;
  return start >= size ? 'unsatisfiable' : { start, end };
};
