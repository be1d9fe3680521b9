import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import type { Fault, Parsed, PartyKind, QuantityRule, TextRule } from '#vocabulary';
import {
  dateFault,
  isInstant,
  isSha256,
  isState,
  isWebAddress,
  momentFault,
  parsePeriod,
  parseQuantity,
  partyFault,
  PARTY_KINDS,
  percentFault,
  rateFault,
  readDecimal,
  shareFault,
  TEXT_MAX,
  textFaults,
  TITLE_MAX,
} from '#vocabulary';
import { faultMessage } from './fault-message.js';

/** A JSON schema as the OpenAPI document shows it. */
export type FieldSchema = Readonly<Record<string, unknown>>;

/** What every field decorator understands. */
export interface FieldOptions {
  /** Absent is a fault; true unless told. `null` is never the same as absent. */
  readonly required?: boolean;
  readonly description?: string;
  readonly example?: unknown;
}

/** A field that may hold a list of values of one kind. */
export interface ListOptions extends FieldOptions {
  readonly array?: boolean;
  /** Least and greatest number of elements; 0 and 100 unless told. */
  readonly min?: number;
  readonly max?: number;
  /** Refuses the same value twice; true unless told. */
  readonly unique?: boolean;
}

export interface CheckedOptions extends FieldOptions {
  /** Tells apart several checks of one field. */
  readonly name: string;
  readonly schema: FieldSchema;
  /** Everything wrong with the value (paths relative to it); `dto` is the object it stands in. */
  readonly faults: (value: unknown, dto: object) => readonly Fault[];
}

const MAX_ELEMENTS = 100;

const decorateWith =
  (...decorators: readonly PropertyDecorator[]): PropertyDecorator =>
  (target, key) => {
    for (const decorator of decorators) decorator(target, key);
  };

/** A field whose check and schema are written by hand: the other decorators are made of it. */
export const Checked = ({
  name,
  schema,
  faults,
  required = true,
  description,
  example,
}: CheckedOptions): PropertyDecorator =>
  decorateWith(
    AlsoChecked({ name, faults }),
    presence(required),
    ApiProperty({
      ...schema,
      required,
      ...(description === undefined ? {} : { description }),
      ...(example === undefined ? {} : { example }),
    }),
  );

/** One more check of a field whose own decorator says whether it is required and what it looks like. Nothing absent is looked at. */
export const AlsoChecked = ({ name, faults }: Pick<CheckedOptions, 'name' | 'faults'>): PropertyDecorator =>
  ValidateBy({
    name,
    validator: {
      validate: (value, args) => value === undefined || faults(value, args?.object ?? {}).length === 0,
      defaultMessage: (args) => faultMessage(args === undefined ? [] : faults(args.value, args.object)),
    },
  });

// An absent optional field is not looked at by any check; an absent required one is one fault, not one per check.
const presence =
  (required: boolean): PropertyDecorator =>
  (target, key) => {
    // class-validator asks nothing at all of a field that is absent and that any of its checks calls optional.
    const declared = DECLARED.get(target) ?? new Map<string | symbol, boolean>();
    if ((declared.get(key) ?? required) !== required)
      throw new TypeError(`${target.constructor.name}.${String(key)} is declared both required and optional`);
    DECLARED.set(target, declared.set(key, required));
    (required ? REQUIRED : OPTIONAL)(target, key);
  };

/** Which fields of a DTO are required, by its prototype. */
const DECLARED = new WeakMap<object, Map<string | symbol, boolean>>();

const REQUIRED = ValidateBy({
  name: 'required',
  validator: {
    validate: (value) => value !== undefined,
    defaultMessage: () => faultMessage([{ path: '', message: 'is required' }]),
  },
});
const OPTIONAL = ValidateIf((_dto, value) => value !== undefined);

const single = (message: string | undefined): readonly Fault[] =>
  message === undefined ? [] : [{ path: '', message }];

/** Field of one value, or with `array` of a list of them. */
const valueOrList = (
  name: string,
  schema: FieldSchema,
  faultsOf: (value: unknown, dto: object) => readonly Fault[],
  { array = false, min = 0, max = MAX_ELEMENTS, unique = true, ...field }: ListOptions,
): PropertyDecorator =>
  array
    ? Checked({
        ...field,
        name,
        schema: {
          type: 'array',
          items: schema,
          minItems: min,
          maxItems: max,
          ...(unique ? { uniqueItems: true } : {}),
        },
        faults: (value, dto) => listFaults(value, (element) => faultsOf(element, dto), { min, max, unique }),
      })
    : Checked({ ...field, name, schema, faults: faultsOf });

const listFaults = (
  value: unknown,
  faultsOf: (element: unknown) => readonly Fault[],
  { min, max, unique }: { readonly min: number; readonly max: number; readonly unique: boolean },
): readonly Fault[] => {
  const size = sizeFaults(value, min, max);
  if (!Array.isArray(value) || value.length > max) return size;
  const faults: Fault[] = [...size];
  const seen = new Set<unknown>();
  value.forEach((element: unknown, index) => {
    for (const { path, message } of faultsOf(element)) faults.push({ path: joined(`[${index}]`, path), message });
    if (unique && seen.has(element)) faults.push({ path: `[${index}]`, message: 'stands here twice: name it once' });
    seen.add(element);
  });
  return faults;
};

const sizeFaults = (value: unknown, min: number, max: number): readonly Fault[] => {
  if (!Array.isArray(value)) return single('must be a list');
  if (value.length < min) return single(min === 1 ? 'must not be empty' : `must have at least ${min} elements`);
  return value.length > max ? single(`must have at most ${max} elements, has ${value.length}`) : [];
};

/** `lines[0]` + `amount` → `lines[0].amount`; `kinds` + `[1]` → `kinds[1]`. */
export const joined = (path: string, inner: string): string =>
  path === '' || inner === '' || inner.startsWith('[') ? path + inner : `${path}.${inner}`;

/** A text: not blank, no control characters but tab and newline, 10,000 characters unless told. */
export const Text = ({
  min,
  max = TEXT_MAX,
  list,
  ...field
}: TextRule & FieldOptions & { readonly list?: Omit<ListOptions, keyof FieldOptions> } = {}): PropertyDecorator =>
  valueOrList(
    'text',
    { type: 'string', minLength: min ?? 1, maxLength: max },
    (value) => textFaults(value, min === undefined ? { max } : { min, max }).map((message) => ({ path: '', message })),
    { unique: false, ...list, array: list !== undefined, ...field },
  );

/** A title: a text of at most 300 characters on one line. */
export const Title = (field: FieldOptions = {}): PropertyDecorator => Text({ max: TITLE_MAX, ...field });

/** One code of a list, or with `array` several, each once. */
export const CodeList = (codes: readonly string[], options: ListOptions = {}): PropertyDecorator =>
  valueOrList(
    'code',
    { type: 'string', enum: [...codes] },
    (value) => (codes.includes(value as string) ? [] : single(`must be one of ${codes.join(', ')}`)),
    options,
  );

/** A code that a function recognises: `@Code(isInstrument, 'an instrument such as ATT or regional:MSG-plan')`. */
export const Code = (isCode: (value: unknown) => boolean, what: string, options: ListOptions = {}): PropertyDecorator =>
  valueOrList(
    'code',
    { type: 'string', description: what },
    (value) => (isCode(value) ? [] : single(`must be ${what}`)),
    options,
  );

/** A quantity (`{"measure":"money","currency":"USD","amount":"180000.00"}`); `rule` narrows the measures. */
export const QuantityField = ({
  required,
  description,
  example,
  ...rule
}: QuantityRule & FieldOptions = {}): PropertyDecorator =>
  Checked({
    ...definedOf({ required, description, example }),
    name: 'quantity',
    schema: { allOf: [{ $ref: '#/components/schemas/Quantity' }] },
    faults: (value) => faultsOf(parseQuantity(value, rule)),
  });

const definedOf = ({
  required,
  description,
  example,
}: {
  readonly required: boolean | undefined;
  readonly description: string | undefined;
  readonly example: unknown;
}): FieldOptions => ({
  ...(required === undefined ? {} : { required }),
  ...(description === undefined ? {} : { description }),
  ...(example === undefined ? {} : { example }),
});

const faultsOf = (parsed: Parsed<unknown>): readonly Fault[] => (parsed.ok ? [] : parsed.faults);

/** A field read by one of the vocabulary's parsers. */
export const Parses = (
  name: string,
  parse: (value: unknown) => Parsed<unknown>,
  schema: FieldSchema,
  field: FieldOptions = {},
): PropertyDecorator => Checked({ ...field, name, schema, faults: (value) => faultsOf(parse(value)) });

/** An existing date, `YYYY-MM-DD`. */
export const DateField = (field: FieldOptions = {}): PropertyDecorator =>
  Checked({
    ...field,
    name: 'date',
    schema: { type: 'string', format: 'date' },
    faults: (value) => single(dateFault(value)),
  });

/** A claimed moment: `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a full time. */
export const MomentField = (field: FieldOptions = {}): PropertyDecorator =>
  Checked({
    ...field,
    name: 'moment',
    schema: { type: 'string', description: 'YYYY, YYYY-MM, YYYY-MM-DD or a full RFC 3339 time' },
    faults: (value) => single(momentFault(value)),
  });

/** A full RFC 3339 time. */
export const InstantField = (field: FieldOptions = {}): PropertyDecorator =>
  Checked({
    ...field,
    name: 'instant',
    schema: { type: 'string', format: 'date-time' },
    faults: (value) => single(isInstant(value) ? undefined : 'must be a full time such as 2026-11-22T10:00:00Z'),
  });

/** `{from, to}`: inclusive UTC days, not backwards. */
export const PeriodField = (field: FieldOptions = {}): PropertyDecorator =>
  Parses('period', parsePeriod, { allOf: [{ $ref: '#/components/schemas/Period' }] }, field);

/** A party id, of any kind or of the kinds named. */
export const PartyIdField = ({
  kinds = PARTY_KINDS,
  ...options
}: ListOptions & { readonly kinds?: readonly PartyKind[] } = {}): PropertyDecorator =>
  valueOrList(
    'party',
    {
      type: 'string',
      pattern: `^(${kinds.join('|')}):`,
      // What is optional stands in a body's example only where its own declaration gives one.
      ...(options.required === false
        ? {}
        : { example: kinds.includes('state') ? 'state:VUT' : `${kinds[0] ?? 'agency'}:example` }),
    },
    (value) => single(partyFault(value, kinds)),
    options,
  );

/** A State's alpha-3 code. */
export const StateCode = (options: ListOptions = {}): PropertyDecorator =>
  valueOrList(
    'state',
    { type: 'string', pattern: '^[A-Z]{3}$', example: 'VUT' },
    (value) => (isState(value) ? [] : single('must be an ISO 3166-1 alpha-3 code such as VUT')),
    options,
  );

/** A decimal string: any, or a rate (> 0), a percentage (0 < p ≤ 100) or a share (0 < s ≤ 1). */
export const DecimalText = ({
  as = 'decimal',
  scale,
  ...field
}: FieldOptions & {
  readonly as?: 'decimal' | 'rate' | 'percent' | 'share';
  readonly scale?: number;
} = {}): PropertyDecorator =>
  Checked({
    ...field,
    name: 'decimal',
    schema: { type: 'string', pattern: '^(0|[1-9][0-9]*)(\\.[0-9]+)?$' },
    faults: (value) => single(DECIMAL_FAULTS[as](value, scale)),
  });

const DECIMAL_FAULTS = {
  decimal: (value: unknown, scale?: number): string | undefined => {
    const read = readDecimal(value, scale);
    return typeof read === 'string' ? read : undefined;
  },
  rate: rateFault,
  percent: percentFault,
  share: shareFault,
} as const;

/** The SHA-256 of a document, lower-case hexadecimal. */
export const Sha256Field = (field: FieldOptions = {}): PropertyDecorator =>
  Checked({
    ...field,
    name: 'sha256',
    schema: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    faults: (value) => single(isSha256(value) ? undefined : 'must be a SHA-256 in lower-case hexadecimal'),
  });

/** An http(s) address. */
export const WebAddressField = (field: FieldOptions = {}): PropertyDecorator =>
  Checked({
    ...field,
    name: 'address',
    schema: { type: 'string', format: 'uri' },
    faults: (value) => single(isWebAddress(value) ? undefined : 'must be an http or https address'),
  });

/** `true` or `false`; with `query` the words as a parameter carries them. */
export const Flag = ({
  query = false,
  ...field
}: FieldOptions & { readonly query?: boolean } = {}): PropertyDecorator =>
  decorateWith(
    ...(query
      ? [Transform(({ value }) => (value === 'true' ? true : value === 'false' ? false : (value as unknown)))]
      : []),
    Checked({
      ...field,
      name: 'flag',
      schema: { type: 'boolean' },
      faults: (value) => single(typeof value === 'boolean' ? undefined : 'must be true or false'),
    }),
  );

/** A whole number; with `query` written in digits as a parameter carries it. */
export const WholeNumber = ({
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
  query = false,
  ...options
}: FieldOptions & {
  readonly min?: number;
  readonly max?: number;
  readonly query?: boolean;
  readonly list?: Omit<ListOptions, keyof FieldOptions>;
} = {}): PropertyDecorator => {
  const { list, ...field } = options;
  return decorateWith(
    ...(query
      ? [
          Transform(({ value }) =>
            typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : (value as unknown),
          ),
        ]
      : []),
    valueOrList(
      'whole',
      { type: 'integer', minimum: min, maximum: max },
      (value) =>
        single(
          typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
            ? undefined
            : `must be a whole number ${max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`}`,
        ),
      { ...list, array: list !== undefined, ...field },
    ),
  );
};

export interface NestedOptions extends FieldOptions {
  readonly array?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** Words that may stand instead of the object or list, such as `none`. */
  readonly or?: readonly string[];
  /** Fields (`kind`, `quantity.currency`) that say what an element names: a list refuses the same twice. */
  readonly once?: readonly string[];
}

/** An object of another DTO, or with `array` a list of them. */
export const Nested = (
  dto: () => new () => object,
  {
    array = false,
    min = 0,
    max = MAX_ELEMENTS,
    or = [],
    once,
    required = true,
    description,
    example,
  }: NestedOptions = {},
): PropertyDecorator =>
  decorateWith(
    ...(once === undefined ? [] : [EachOnce(once)]),
    Type(dto),
    ValidateNested(),
    ValidateBy({
      name: 'shape',
      validator: {
        validate: (value) => value === undefined || shapeFaults(value, array, min, max, or).length === 0,
        defaultMessage: (args) => faultMessage(shapeFaults(args?.value, array, min, max, or)),
      },
    }),
    presence(required),
    ...(or.length === 0 ? [] : [mention(dto)]),
    ApiProperty({
      ...(or.length === 0
        ? // The library tells a lazy type by the name `type` of its function.
          { type: () => dto(), ...(array ? { isArray: true, minItems: min, maxItems: max } : {}) }
        : {
            oneOf: [
              { type: 'string', enum: [...or] },
              array ? { type: 'array', items: reference(dto) } : reference(dto),
            ],
          }),
      required,
      ...(description === undefined ? {} : { description }),
      ...(example === undefined ? {} : { example }),
    }),
  );

// Inside `oneOf` nothing but a reference stands, so the class must be named to the document by hand.
const mention =
  (dto: () => new () => object): PropertyDecorator =>
  (target) => {
    ApiExtraModels(dto())(target.constructor);
  };

const reference = (dto: () => new () => object): { readonly $ref: string } => ({ $ref: getSchemaPath(dto()) });

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const shapeFaults = (
  value: unknown,
  array: boolean,
  min: number,
  max: number,
  or: readonly string[],
): readonly Fault[] => {
  if (typeof value === 'string' && or.includes(value)) return [];
  const alternative = or.length === 0 ? '' : ` or ${or.map((word) => `"${word}"`).join(' or ')}`;
  if (!array) return isObject(value) ? [] : single(`must be an object${alternative}`);
  if (!Array.isArray(value)) return single(`must be a list${alternative}`);
  const size = sizeFaults(value, min, max);
  if (value.length > max) return size;
  return [
    ...size,
    ...value.flatMap((element: unknown, index) =>
      isObject(element) ? [] : [{ path: `[${index}]`, message: 'must be an object' }],
    ),
  ];
};

/** A list whose elements differ in what these fields say, as JSON has it; what is no object is no matter of this check. */
const EachOnce = (fields: readonly string[]): PropertyDecorator =>
  AlsoChecked({
    name: 'each-once',
    faults: (value) => (Array.isArray(value) ? repeats(value.map((element) => namedBy(element, fields))) : []),
  });

/** Undefined where the element says none of the fields, such as a line that is new and has no number. */
const namedBy = (element: unknown, fields: readonly string[]): string | undefined => {
  if (!isObject(element)) return undefined;
  const said = fields.map((field) =>
    field
      .split('.')
      .reduce<unknown>((value, part) => (value as Readonly<Record<string, unknown>> | undefined)?.[part], element),
  );
  return said.every((each) => each === undefined) ? undefined : JSON.stringify(said);
};

/** Names each place where what stands there has stood before; `undefined` names nothing. */
export const repeats = (names: readonly (string | undefined)[]): readonly Fault[] => {
  const seen = new Set<string>();
  return names.flatMap((name, index) => {
    if (name === undefined) return [];
    const twice = seen.has(name);
    seen.add(name);
    return twice ? [{ path: `[${index}]`, message: 'stands here twice: name it once' }] : [];
  });
};

/** The body `{}` of a command that needs no data. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- a DTO without fields is the point
export class EmptyBody {}

/** The parameters of every list; a context's query extends it with its filters. */
export class ListQuery {
  @WholeNumber({
    min: 1,
    max: 200,
    query: true,
    required: false,
    description: 'Items on a page, 50 unless told',
    example: 50,
  })
  limit?: number;

  @Text({ max: 4_000, required: false, description: 'The `next` of the page before' })
  cursor?: string;
}

/** Items on a page where the query names no `limit`. */
export const DEFAULT_LIMIT = 50;
