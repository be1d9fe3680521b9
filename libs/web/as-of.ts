import type { RecordedEvent } from '#kernel';
import { isInstant, isRealDate, lastInstant } from '#vocabulary';
import type { FieldOptions } from './dto.js';
import { Checked, CodeList } from './dto.js';

/** A place in the log: up to and with a position, or a moment (RFC 3339 UTC with milliseconds). */
export type AsOf = { readonly position: bigint } | { readonly time: string };

/** `recorded`: what was known then. `effective`: what is said now to have been true then (DOMAIN, two clocks). */
export const CLOCKS = ['recorded', 'effective'] as const;
export type ClockName = (typeof CLOCKS)[number];

/** What is looked at: everything on record where there is no place. A position is on the recorded clock only. */
export interface Moment {
  readonly clock: ClockName;
  readonly place: AsOf | undefined;
}

const LARGEST_POSITION = 9_223_372_036_854_775_807n;

/** Reads `at`: digits are a position, else a full RFC 3339 time or a date (its end); undefined where it is none. */
export const readAsOf = (at: unknown): AsOf | undefined => {
  if (typeof at !== 'string') return undefined;
  if (/^[0-9]{1,19}$/.test(at)) {
    const position = BigInt(at);
    return position > LARGEST_POSITION ? undefined : { position };
  }
  return isRealDate(at) || isInstant(at) ? { time: lastInstant(at) } : undefined;
};

/** The moment that a query names whose fields were checked. */
export const momentOf = (at: string | undefined, clock: ClockName = 'recorded'): Moment => ({
  clock,
  place: readAsOf(at),
});

/**
 * Whether an event counts at a moment: on record by then, or said to have happened by then. What is known to the day, month or year
 * counts from its last instant.
 */
export const countsAt = (
  { position, metadata }: Pick<RecordedEvent, 'position' | 'metadata'>,
  { clock, place }: Moment,
): boolean => {
  if (place === undefined) return true;
  if ('position' in place) return position <= place.position;
  return (clock === 'recorded' ? metadata.recordedAt : lastInstant(metadata.effectiveAt)) <= place.time;
};

const faultsOf = (value: unknown, clock: unknown): string[] => {
  const place = readAsOf(value);
  if (place === undefined) {
    return ['must be a position, a full time such as 2026-11-22T10:00:00Z, or a date (its end)'];
  }
  return clock === 'effective' && 'position' in place
    ? ['a position belongs to the recorded clock: send a time, or clock=recorded']
    : [];
};

/** The parameter `at` of a view that is also read as it stood; beside `clock`, on that clock. */
export const AsOfField = (field: FieldOptions = { required: false }): PropertyDecorator =>
  Checked({
    name: 'at',
    schema: {
      type: 'string',
      description: 'A position (digits), a full RFC 3339 time, or a date (its end), by the recorded clock unless told',
    },
    example: '2026-11-22',
    ...field,
    faults: (value, dto) =>
      faultsOf(value, (dto as { readonly clock?: unknown }).clock).map((message) => ({ path: '', message })),
  });

/** The parameter `clock` beside `at`. */
export const ClockField = (): PropertyDecorator =>
  CodeList(CLOCKS, {
    required: false,
    description: 'recorded (unless told): what was known then; effective: what is now said to have been true then',
  });

/** The parameters of a record, a board or a total as it stood. */
export class AsOfQuery {
  @AsOfField()
  at?: string;

  @ClockField()
  clock?: ClockName;
}
