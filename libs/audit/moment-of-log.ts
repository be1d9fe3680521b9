import { isInstant, isRealDate, lastInstant } from '#vocabulary';
import type { FieldError } from '#web';

/** A place in the log: up to and with a position, or up to and with a moment of recording. */
export type MomentOfLog = { readonly position: bigint } | { readonly recordedAt: string };

/** Reads `at`: digits are a position, else a full RFC 3339 moment or a date, which means its end in UTC. */
export const readMomentOfLog = (at: string): MomentOfLog | FieldError => {
  if (/^\d{1,19}$/.test(at)) return { position: BigInt(at) };
  if (isInstant(at)) return { recordedAt: new Date(at).toISOString() };
  if (isRealDate(at)) return { recordedAt: lastInstant(at) };
  return {
    field: 'at',
    message:
      'must be a position (digits only), an RFC 3339 moment such as 2026-11-22T09:00:00Z, or a date such as 2026-11-22',
  };
};
