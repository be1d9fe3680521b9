import { isInstant, isRealDate, lastInstant } from '#vocabulary';
import { Checked } from './dto.js';

/** A place in the log: up to and with a position, or a moment of recording (RFC 3339 UTC with milliseconds). */
export type AsOf = { readonly position: bigint } | { readonly time: string };

const LARGEST_POSITION = 9_223_372_036_854_775_807n;

/** Reads `at`: digits are a position, else a full RFC 3339 time or a date (its end), by the recorded clock; undefined where it is none. */
export const readAsOf = (at: unknown): AsOf | undefined => {
  if (typeof at !== 'string') return undefined;
  if (/^[0-9]{1,19}$/.test(at)) {
    const position = BigInt(at);
    return position > LARGEST_POSITION ? undefined : { position };
  }
  return isRealDate(at) || isInstant(at) ? { time: lastInstant(at) } : undefined;
};

/** The parameter `at` of a view that is also read as it stood. */
export const AsOfField = (): PropertyDecorator =>
  Checked({
    name: 'at',
    required: false,
    schema: {
      type: 'string',
      description: 'A position (digits), a full RFC 3339 time, or a date (its end), by the recorded clock',
    },
    example: '2026-11-22',
    faults: (value) =>
      readAsOf(value) === undefined
        ? [{ path: '', message: 'must be a position, a full time such as 2026-11-22T10:00:00Z, or a date (its end)' }]
        : [],
  });
