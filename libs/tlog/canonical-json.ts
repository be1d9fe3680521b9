import { TlogRefusal } from './refusal.js';

/**
 * JSON in the canonical form of RFC 8785, of values that every reader reads alike: no number but whole ones within ±(2^53 − 1), no lone
 * surrogate, nothing that JSON lacks. Members that are undefined are left out, as JSON does.
 * @throws {TlogRefusal} naming the place of what has no such form
 */
export const canonicalForm = (value: unknown): string => formOf(value, '');

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

const formOf = (value: unknown, at: string): string => {
  switch (typeof value) {
    case 'string':
      return textOf(value, at);
    case 'number':
      if (!Number.isSafeInteger(value))
        throw new TlogRefusal(`${placeOf(at)} is not a whole number below 2^53: ${value}`);
      return String(value);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map((each, index) => formOf(each, `${at}/${index}`)).join(',')}]`;
      return objectOf(value, at);
    default:
      throw new TlogRefusal(`${placeOf(at)} has no JSON form`);
  }
};

// `sort` compares UTF-16 code units, which is the order of RFC 8785.
const objectOf = (value: object, at: string): string =>
  `{${Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${textOf(name, `${at}/${name}`)}:${formOf(member, `${at}/${name}`)}`)
    .join(',')}}`;

// Of strings, `JSON.stringify` writes exactly what RFC 8785 asks for.
const textOf = (value: string, at: string): string => {
  if (!value.isWellFormed()) throw new TlogRefusal(`${placeOf(at)} holds a lone surrogate`);
  return JSON.stringify(value);
};

const placeOf = (at: string): string => (at === '' ? 'the value' : `"${at}"`);
