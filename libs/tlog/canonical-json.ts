import { TlogRefusal } from './refusal.js';

/**
 * JSON in the canonical form of RFC 8785, of values that every reader reads alike: no number but whole ones within ±(2^53 − 1), no lone
 * surrogate, nothing that JSON lacks. Members that are undefined are left out, as JSON does.
 * @throws {TlogRefusal} naming the place of what has no such form
 */
export const canonicalForm = (value: unknown): string => {
  const form = formOf(value);
  if (form === undefined) throw new TlogRefusal(faultIn(value, '') ?? 'the value has no JSON form');
  return form;
};

/**
 * The value of a text that is in canonical form, to the byte: no spaces, no member twice, no number or text that readers could read in
 * two ways. @throws {TlogRefusal}
 */
export const parseCanonical = (text: string, what: string): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new TlogRefusal(`${what} is not JSON`);
  }
  if (canonicalForm(value) !== text) throw new TlogRefusal(`${what} is not canonical JSON (RFC 8785)`);
  return value;
};

/** The form; undefined where the value has none: what is at fault is sought then, not noted at every step. */
const formOf = (value: unknown): string | undefined => {
  switch (typeof value) {
    case 'string':
      return textOf(value);
    case 'number':
      return Number.isSafeInteger(value) ? String(value) : undefined;
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? listOf(value) : objectOf(value as Readonly<Record<string, unknown>>);
    default:
      return undefined;
  }
};

const listOf = (value: readonly unknown[]): string | undefined => {
  let form = '[';
  for (let index = 0; index < value.length; index += 1) {
    const each = formOf(value[index]);
    if (each === undefined) return undefined;
    form += index === 0 ? each : `,${each}`;
  }
  return `${form}]`;
};

// `sort` compares UTF-16 code units, which is the order of RFC 8785.
const objectOf = (value: Readonly<Record<string, unknown>>): string | undefined => {
  let form = '';
  for (const name of Object.keys(value).sort()) {
    if (value[name] === undefined) continue;
    const text = textOf(name);
    const member = formOf(value[name]);
    if (text === undefined || member === undefined) return undefined;
    form += form === '' ? `${text}:${member}` : `,${text}:${member}`;
  }
  return `{${form}}`;
};

/** Texts that stand in quotes as they are. */
const PLAIN = /^[ !#-[\]-~]*$/;

// Of strings, `JSON.stringify` writes exactly what RFC 8785 asks for.
const textOf = (value: string): string | undefined =>
  PLAIN.test(value) ? `"${value}"` : value.isWellFormed() ? JSON.stringify(value) : undefined;

/** What is wrong with the first place that has no form. */
const faultIn = (value: unknown, at: string): string | undefined => {
  const place = at === '' ? 'the value' : `"${at}"`;
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : `${place} holds a lone surrogate`;
    case 'number':
      return Number.isSafeInteger(value) ? undefined : `${place} is not a whole number below 2^53: ${value}`;
    case 'boolean':
      return undefined;
    case 'object':
      return value === null ? undefined : firstFault(value, at);
    default:
      return `${place} has no JSON form`;
  }
};

const firstFault = (value: object, at: string): string | undefined => {
  const members: readonly (readonly [name: number | string, member: unknown])[] = Array.isArray(value)
    ? [...(value as readonly unknown[]).entries()]
    : Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, member] of members) {
    if (member === undefined && !Array.isArray(value)) continue;
    const fault = faultIn(name, `${at}/${name}`) ?? faultIn(member, `${at}/${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
};
