import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { joined } from './dto.js';
import { faultsIn } from './fault-message.js';
import type { FieldError } from './problem.js';

type Dto = new () => object;

const OPTIONS = {
  whitelist: true,
  forbidNonWhitelisted: true,
  // A command without data has a DTO without fields: its body must be {}.
  forbidUnknownValues: false,
  validationError: { target: true, value: false },
} as const;

export type Validated =
  { readonly ok: true; readonly value: object } | { readonly ok: false; readonly errors: readonly FieldError[] };

/**
 * Reads `input` as a `dto`: every fault at once, with the path of its field. Fields that are absent are absent in the value too.
 * @param unknown how a field that the DTO does not know is called: `field` of a body, `parameter` of a query
 */
export const validated = (dto: Dto, input: unknown, unknown: 'field' | 'parameter' = 'field'): Validated => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { ok: false, errors: [{ field: '', message: 'must be a JSON object' }] };
  }
  if (Object.keys(input).length > 0) return judged(dto, input, unknown);
  const known = OF_NOTHING.get(dto) ?? judged(dto, input, unknown);
  OF_NOTHING.set(dto, known);
  return known.ok ? { ok: true, value: withoutAbsent(known.value) as object } : known;
};

// Most reads bring no parameter: what is said of nothing at all is the same every time.
const OF_NOTHING = new WeakMap<Dto, Validated>();

const judged = (dto: Dto, input: object, unknown: 'field' | 'parameter'): Validated => {
  const instance = plainToInstance(dto, input);
  const found = validateSync(instance, OPTIONS);
  if (found.length > 0) return { ok: false, errors: found.flatMap((error) => flattened(error, '', unknown)) };
  return { ok: true, value: withoutAbsent(instance) as object };
};

/**
 * class-validator looks through every class there is for what a class inherits, at each validation of each object in a body; decorators
 * have run by then, so that what was found once stands.
 */
const rememberWhatClassesDeclare = (): void => {
  const storage = getMetadataStorage();
  const find = storage.getTargetValidationMetadatas.bind(storage);
  const known = new WeakMap<object, ReturnType<typeof find>>();
  storage.getTargetValidationMetadatas = (target, schema, always, strictGroups, groups) => {
    if (schema || always || strictGroups || groups) return find(target, schema, always, strictGroups, groups);
    const found = known.get(target) ?? find(target, schema, always, strictGroups);
    known.set(target, found);
    return found;
  };
};
rememberWhatClassesDeclare();

/** The fields a DTO knows, in the order they are declared. */
export const fieldsOf = (dto: unknown): readonly string[] =>
  typeof dto === 'function'
    ? [
        ...new Set(
          getMetadataStorage()
            .getTargetValidationMetadatas(dto, '', false, false)
            .map(({ propertyName }) => propertyName),
        ),
      ]
    : [];

const flattened = (error: ValidationError, parent: string, unknown: string): FieldError[] => {
  const field = pathOf(parent, error.property);
  const own = Object.entries(error.constraints ?? {}).flatMap(([name, message]): FieldError[] => {
    // The shape check of `Nested` says the same with a path.
    if (name === 'nestedValidation') return [];
    if (name === 'whitelistValidation') {
      const known = fieldsOf(error.target?.constructor);
      const fields = known.length === 0 ? `there are no ${unknown}s here` : `known ${unknown}s are ${known.join(', ')}`;
      return [{ field, message: `unknown ${unknown}; ${fields}` }];
    }
    return faultsIn(message).map((fault) => ({ field: joined(field, fault.path), message: fault.message }));
  });
  // What is not of the right kind at all has no fields worth naming.
  if (own.some((fault) => fault.field === field)) return own;
  return [...own, ...(error.children ?? []).flatMap((child) => flattened(child, field, unknown))];
};

const pathOf = (parent: string, property: string): string =>
  /^[0-9]+$/.test(property) && parent !== '' ? `${parent}[${property}]` : joined(parent, property);

// Class fields exist as `undefined` on every instance; an amendment must be able to tell absent from given.
const withoutAbsent = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutAbsent);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.create(Object.getPrototypeOf(value) as object | null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) copy[key] = withoutAbsent(inner);
  return copy;
};
