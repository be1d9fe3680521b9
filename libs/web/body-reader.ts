import { isWellFormedText, type Fault } from '#vocabulary';
import { joined } from './dto.js';

const MAX_DEPTH = 32;
const MAX_FAULTS = 100;

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
/** A key that reaches into a prototype where an object is copied carelessly: never a field of ours. */
export const isReservedKey = (key: string): boolean => key in Object.prototype;

/** A body as JSON reads it, or what no field's own rule would find. */
export type ReadBody =
  | { readonly ok: true; readonly value: unknown; readonly faults: readonly Fault[] }
  | { readonly ok: false; readonly message: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a JSON body: well-formed UTF-8, at most 32 levels deep, no key that reaches into a prototype (told of and left out). Faults of single values
 * (unsafe numbers, control characters, lone surrogates) are collected for the answer that names every fault at once.
 */
export const readBody = (bytes: Uint8Array): ReadBody => {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (error) {
    return {
      ok: false,
      message: error instanceof SyntaxError ? 'is not JSON that can be read' : 'is not UTF-8: send well-formed Unicode',
    };
  }
  const faults: Fault[] = [];
  const tooDeep = walk(value, '', 1, faults);
  return tooDeep ? { ok: false, message: `nests deeper than ${MAX_DEPTH} levels` } : { ok: true, value, faults };
};

/** True where the value nests too deep. What no fault is told of any more is looked through all the same: what follows takes it apart. */
const walk = (value: unknown, path: string, depth: number, faults: Fault[]): boolean => {
  const note = (at: string, message: string): void => {
    if (faults.length < MAX_FAULTS) faults.push({ path: at, message });
  };
  if (typeof value === 'string') {
    for (const message of textFaultsOf(value)) note(path, message);
    return false;
  }
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value))
      note(path, 'must be a whole number up to 9007199254740991: send amounts and rates as decimal strings');
    return false;
  }
  if (typeof value !== 'object' || value === null) return false;
  if (depth > MAX_DEPTH) return true;
  if (Array.isArray(value))
    return value.some((element, index) => walk(element, `${path}[${index}]`, depth + 1, faults));
  const fields = value as Record<string, unknown>;
  for (const [key, inner] of Object.entries(fields)) {
    const innerPath = joined(path, key);
    if (isReservedKey(key)) {
      note(innerPath, 'is not a field: remove it');
      // The other faults of the body are still to be told, by code that asks objects for their constructor.
      Reflect.deleteProperty(fields, key);
    } else if (textFaultsOf(key).length > 0) {
      note(path, 'has a field whose name holds control characters or lone surrogates');
      if (walk(inner, path, depth + 1, faults)) return true;
    } else if (walk(inner, innerPath, depth + 1, faults)) return true;
  }
  return false;
};

const textFaultsOf = (text: string): readonly string[] => [
  ...(CONTROL.test(text) ? ['must not hold control characters other than tab and newline: remove them'] : []),
  ...(isWellFormedText(text) ? [] : ['must not hold a lone surrogate: send well-formed Unicode']),
];
