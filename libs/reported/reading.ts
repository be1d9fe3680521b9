import type { Fault, Quantity, QuantityRule } from '#vocabulary';
import { isRealDate, momentFault, parseQuantity, textFaults, TITLE_MAX } from '#vocabulary';

/** Reads one untrusted value: answers it in canonical form, or adds every fault with its path and answers undefined. */
export type Read<T> = (value: unknown, path: string, faults: Fault[]) => T | undefined;

type Value<R> = R extends Read<infer T> ? T : never;
type Fields = Readonly<Record<string, Read<unknown>>>;
export type ObjectOf<F extends Fields> = { readonly [K in keyof F]?: Value<F[K]> };

const within = (path: string, field: string): string => (path === '' ? field : `${path}.${field}`);

const fault = (faults: Fault[], path: string, message: string): void => {
  faults.push({ path, message });
};

/** An object of these fields and no others. `required` must be present. */
export const object =
  <F extends Fields>(fields: F, required: readonly (keyof F & string)[] = []): Read<ObjectOf<F>> =>
  (value, path, faults) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      fault(faults, path, `must be an object with ${Object.keys(fields).join(', ')}`);
      return undefined;
    }
    const given = value as Record<string, unknown>;
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(fields, name)) {
        fault(faults, within(path, name), `unknown field; known fields are ${Object.keys(fields).join(', ')}`);
      }
    }
    const read: Record<string, unknown> = {};
    for (const [name, reader] of Object.entries(fields)) {
      const present = Object.hasOwn(given, name) && given[name] !== undefined;
      if (!present) {
        if (required.includes(name)) fault(faults, within(path, name), 'must be given');
        continue;
      }
      const result = reader(given[name], within(path, name), faults);
      if (result !== undefined) read[name] = result;
    }
    return read as ObjectOf<F>;
  };

export const list =
  <T>(
    item: Read<T>,
    { max = 500, min = 0 }: { readonly max?: number; readonly min?: number } = {},
  ): Read<readonly T[]> =>
  (value, path, faults) => {
    if (!Array.isArray(value)) {
      fault(faults, path, 'must be a list');
      return undefined;
    }
    if (value.length < min) {
      fault(faults, path, `must have at least ${min} entr${min === 1 ? 'y' : 'ies'}`);
      return undefined;
    }
    if (value.length > max) {
      fault(faults, path, `must have at most ${max} entries, has ${value.length}`);
      return undefined;
    }
    return value.flatMap((each: unknown, index) => {
      const read = item(each, `${path}[${index}]`, faults);
      return read === undefined ? [] : [read];
    });
  };

/** A list whose entries differ from each other. */
export const distinct =
  <T>(item: Read<T>, bounds?: { readonly max?: number; readonly min?: number }): Read<readonly T[]> =>
  (value, path, faults) => {
    const read = list(item, bounds)(value, path, faults);
    if (read === undefined || !Array.isArray(value)) return read;
    const seen = new Set<string>();
    (value as unknown[]).forEach((each, index) => {
      const key = JSON.stringify(each);
      if (seen.has(key)) fault(faults, `${path}[${index}]`, 'stands in the list already: remove the duplicate');
      seen.add(key);
    });
    return read;
  };

export const text =
  (max?: number): Read<string> =>
  (value, path, faults) => {
    const messages = textFaults(value, max === undefined ? {} : { max });
    for (const message of messages) fault(faults, path, message);
    return messages.length === 0 ? (value as string) : undefined;
  };

export const title: Read<string> = text(TITLE_MAX);

export const code =
  <T>(holds: (value: unknown) => value is T, says: string): Read<T> =>
  (value, path, faults) => {
    if (holds(value)) return value;
    fault(faults, path, `must be ${says}`);
    return undefined;
  };

/** A value with its own check that answers what is wrong. */
export const checked =
  <T>(faultOf: (value: unknown) => string | undefined): Read<T> =>
  (value, path, faults) => {
    const message = faultOf(value);
    if (message === undefined) return value as T;
    fault(faults, path, message);
    return undefined;
  };

export const flag: Read<boolean> = code((value): value is boolean => typeof value === 'boolean', 'true or false');

export const wholeNumber = (min: number, max: number): Read<number> =>
  code(
    (value): value is number =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max,
    `a whole number from ${min} to ${max}`,
  );

/** A quantity as published: withdrawn currencies stand as they were. */
export const quantity =
  (rule: QuantityRule = {}): Read<Quantity> =>
  (value, path, faults) => {
    const read = parseQuantity(value, { published: true, ...rule });
    if (read.ok) return read.value;
    for (const { path: inner, message } of read.faults)
      fault(faults, inner === '' ? path : within(path, inner), message);
    return undefined;
  };

const DATE_AT_PRECISION = /^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$/;

/** A date at the precision of its source; a time of day would claim more than a publication knows. */
export const dateAtPrecision: Read<string> = checked((value) =>
  typeof value === 'string' && DATE_AT_PRECISION.test(value) && momentFault(value) === undefined
    ? undefined
    : 'must be an existing date as precise as its source: YYYY, YYYY-MM or YYYY-MM-DD',
);

export const day: Read<string> = code(isRealDate, 'an existing date written YYYY-MM-DD');

/** The first reader that fits; where none does, the last one's faults tell why. */
export const either =
  <A, B>(isFirst: (value: unknown) => boolean, first: Read<A>, second: Read<B>): Read<A | B> =>
  (value, path, faults) =>
    isFirst(value) ? first(value, path, faults) : second(value, path, faults);
