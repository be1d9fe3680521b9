/** One thing wrong with an input: where (a path relative to the input, '' for the input itself) and how to put it right. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** The outcome of reading untrusted input: the value, or every fault at once. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly Fault[] };

export const TITLE_MAX = 300;
export const TEXT_MAX = 10_000;

export interface TextRule {
  /** Least number of characters (Unicode code points), 1 by default. */
  readonly min?: number;
  /** Greatest number of characters (Unicode code points), 10,000 by default. */
  readonly max?: number;
}

// Tab and newline are the only controls a text may hold; a carriage return would make equal texts differ.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
// `trim` keeps these, yet they show nothing: a text of only them is blank.
const INVISIBLE =
  /[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0]/g;

/** True for a string without lone surrogates: only such text survives UTF-8 unchanged. */
export function isWellFormedText(value: string): boolean {
  return !LONE_SURROGATE.test(value);
}

/** Code points of a text; only counted where the cheaper bound does not already tell. */
function characters(value: string, max: number): number {
  return value.length <= max ? value.length : Array.from(value).length;
}

/** Everything wrong with a text, as messages that name the fix; empty when it is fine. */
export function textFaults(value: unknown, { min = 1, max = TEXT_MAX }: TextRule = {}): string[] {
  if (typeof value !== 'string') return ['must be a text'];
  const faults: string[] = [];
  if (min > 0 && value.replace(INVISIBLE, '') === '')
    faults.push('must not be empty or blank: write a text or leave the field out');
  else if (value.length < min) faults.push(`must have at least ${min} characters`);
  const length = characters(value, max);
  if (length > max) faults.push(`must have at most ${max} characters, has ${length}`);
  if (CONTROL.test(value)) faults.push('must not hold control characters other than tab and newline: remove them');
  if (!isWellFormedText(value)) faults.push('must not hold a lone surrogate: send well-formed Unicode');
  return faults;
}

/** True for a SHA-256 in lower-case hexadecimal. */
export function isSha256(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** True for an absolute http(s) address without credentials, at most 2,000 characters. */
export function isWebAddress(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 2000 || textFaults(value).length > 0 || /[\s\\]/.test(value))
    return false;
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return url.username === '' && url.password === '' && url.hostname !== '';
}
