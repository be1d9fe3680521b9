export type Precision = 'year' | 'month' | 'day' | 'instant';

/** A claimed moment: `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or a full RFC 3339 time. */
export interface Moment {
  /** As claimed, kept verbatim. */
  readonly text: string;
  readonly precision: Precision;
  /** First and last millisecond it may mean, ISO 8601 UTC. */
  readonly first: string;
  readonly last: string;
}

const DAY_MS = 86_400_000;
const DATE = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?$/;
const INSTANT =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?([Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;

/** Milliseconds of a UTC day; Date.UTC alone would read years below 100 as 19xx. */
function utcDay(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

// Years outside 0001 to 9999 have no four-digit form.
const FIRST_MS = utcDay(1, 1, 1);
const LAST_MS = utcDay(10_000, 1, 1) - 1;

/** True for an existing calendar day written `YYYY-MM-DD` (years 0001 to 9999). */
export function isRealDate(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== 10) return false;
  const [year, month, day] = (DATE.exec(value) ?? []).slice(1).map(Number);
  if (year === undefined || month === undefined || day === undefined || year === 0 || month === 0 || day === 0)
    return false;
  const date = new Date(utcDay(year, month, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Moments read lately: the same days are asked for again and again, in every request and by every projection. */
const lately = new Map<string, Moment | undefined>();
const REMEMBERED = 2_000;
/** Longer than any moment is. */
const LONGEST = 40;

/** Reads a claimed moment; undefined when it is not one or names a day or time that does not exist. */
export function readMoment(value: unknown): Moment | undefined {
  if (typeof value !== 'string' || value.length > LONGEST) return undefined;
  if (lately.has(value)) return lately.get(value);
  const moment = parseMoment(value);
  if (lately.size >= REMEMBERED) lately.clear();
  lately.set(value, moment);
  return moment;
}

function parseMoment(value: string): Moment | undefined {
  const date = DATE.exec(value);
  if (date !== null) {
    const [, year = '', month, day] = date;
    if (!isRealDate(`${year}-${month ?? '01'}-${day ?? '01'}`)) return undefined;
    const from = utcDay(Number(year), Number(month ?? 1), Number(day ?? 1));
    let precision: Precision = 'day';
    let next = from + DAY_MS;
    if (month === undefined) {
      precision = 'year';
      next = utcDay(Number(year) + 1, 1, 1);
    } else if (day === undefined) {
      precision = 'month';
      next = utcDay(Number(year), Number(month) + 1, 1);
    }
    return { text: value, precision, first: iso(from), last: iso(next - 1) };
  }
  const instant = instantMs(value);
  return instant === undefined
    ? undefined
    : { text: value, precision: 'instant', first: iso(instant), last: iso(instant) };
}

/** Milliseconds since 1970 of a full RFC 3339 time (finer fractions are cut); undefined when it is none. */
function instantMs(value: string): number | undefined {
  const match = INSTANT.exec(value);
  if (match === null) return undefined;
  const [, date = '', hour, minute, second, fraction = '', , sign, offsetHour = '0', offsetMinute = '0'] = match;
  if (!isRealDate(date) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return undefined;
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  const local = utcDay(year, month, day) + Number(hour) * 3_600_000 + Number(minute) * 60_000 + Number(second) * 1000;
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * 60_000 * (sign === '-' ? -1 : 1);
  const ms = local + Number(fraction.padEnd(3, '0').slice(0, 3)) - offset;
  return ms < FIRST_MS || ms > LAST_MS ? undefined : ms;
}

/** True for a full RFC 3339 time with its offset. */
export function isInstant(value: unknown): value is string {
  return typeof value === 'string' && instantMs(value) !== undefined;
}

/** What is wrong with a claimed moment, naming the fix; undefined when it is fine. */
export function momentFault(value: unknown): string | undefined {
  return readMoment(value) === undefined
    ? 'must be an existing moment: YYYY, YYYY-MM, YYYY-MM-DD or a full time such as 2026-11-22T10:00:00Z'
    : undefined;
}

/** What is wrong with a date, naming the fix; undefined when it is fine. */
export function dateFault(value: unknown): string | undefined {
  return isRealDate(value) ? undefined : 'must be an existing date written YYYY-MM-DD';
}

function known(moment: string): Moment {
  const read = readMoment(moment);
  if (read === undefined) throw new RangeError(`${JSON.stringify(moment)} is not a moment`);
  return read;
}

/** The last millisecond a moment may mean, ISO 8601 UTC: from when it counts (DOMAIN, ground rule 5). Throws RangeError. */
export function lastInstant(moment: string): string {
  return known(moment).last;
}

/** The first millisecond a moment may mean, ISO 8601 UTC. Throws RangeError. */
export function firstInstant(moment: string): string {
  return known(moment).first;
}

function millis(at: Date | string): number {
  return typeof at === 'string' ? Date.parse(known(at).first) : at.getTime();
}

/** The latest calendar date anywhere on Earth (UTC+14) at that instant: "today" for reports. */
export function latestDateAnywhere(now: Date | string): string {
  return iso(millis(now) + 14 * 3_600_000).slice(0, 10);
}

/** True when no place on Earth has reached the moment's beginning yet (UTC+14). */
export function isFuture(moment: string, now: Date | string): boolean {
  return Date.parse(known(moment).first) > millis(now) + 14 * 3_600_000;
}

/** The UTC calendar date of an instant. */
export function dateOf(at: Date | string): string {
  return iso(millis(at)).slice(0, 10);
}

/**
 * The instant or date that many days of 24 hours later; a date stays a date, an instant becomes ISO 8601 UTC.
 * Throws RangeError beyond the years 0001 to 9999.
 */
export function addDays(at: string, days: number): string {
  const ms = millis(at) + days * DAY_MS;
  if (ms < FIRST_MS || ms > LAST_MS) throw new RangeError(`${at} and ${days} days is beyond the years 0001 to 9999`);
  const later = iso(ms);
  return known(at).precision === 'instant' ? later : later.slice(0, 10);
}

/**
 * The instant `days` working days (Monday to Friday, UTC) later at the same time of day; a start on a weekend counts
 * its first day on Monday. Holidays are not known: no calendar is common to all parties.
 */
export function addWorkingDays(at: Date | string, days: number): string {
  let ms = millis(at);
  for (let left = days; left > 0;) {
    ms += DAY_MS;
    const weekday = new Date(ms).getUTCDay();
    if (weekday !== 0 && weekday !== 6) left -= 1;
  }
  return iso(ms);
}
