import { ApiExtraModels, getSchemaPath } from '@nestjs/swagger';
import type { LineChange } from '#needs/filing';
import { AmendNeedDto, FileNeedDto } from '#needs/filing';
import type { OfferChanges } from '#offers/posting';
import { AmendOfferDto, PostOfferDto } from '#offers/posting';
import type { Fault, Quantity } from '#vocabulary';
import type { FieldSchema } from '#web';
import { Checked, CodeList, Flag, Nested, PartyIdField, QuantityField, Text, validated, WholeNumber } from '#web';
import { RequestAllocationDto } from '../allocation/allocations.dto.js';
import type { RulesetVersion } from '../rules/rulesets.js';
import { RULESET_VERSIONS } from '../rules/rulesets.js';

/** Records and changes that one question names, of each list and in all: each is judged with all that stands open, twice. */
export const MOST_ASKED = 20;
/** Fewer than a list of matches alone: an answer holds two for each record. */
const MOST_LISTED = 50;
const MOST_ID = 100;
/** A letter first, and shorter than an id: a reference is never taken for one. */
const REF = /^[a-z][a-z0-9-]{0,31}$/i;

const fault = (path: string, message: string): Fault => ({ path, message });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is wrong with a value that is to be read as a DTO. */
const faultsAs = (dto: new () => object, value: unknown): readonly Fault[] => {
  const read = validated(dto, value);
  return read.ok ? [] : read.errors.map(({ field, message }) => fault(field, message));
};

const Ref = (what: string): PropertyDecorator =>
  Checked({
    name: 'ref',
    required: false,
    schema: { type: 'string', pattern: REF.source },
    description: `What answers call it, \`${what}-<place in the list>\` unless told`,
    example: 'a',
    faults: (value) =>
      typeof value === 'string' && REF.test(value)
        ? []
        : [fault('', 'must be 1 to 32 letters, digits and hyphens, a letter first, such as a')],
  });

/** An offer that nobody posted: the fields of `POST /v1/offers`. */
export class SupposedOfferDto extends PostOfferDto {
  @Ref('offer')
  ref?: string;

  @PartyIdField({
    kinds: ['donor', 'fund', 'state', 'agency', 'network'],
    required: false,
    description: "Who would lead it: the caller's own party where it has a desk, otherwise nobody in particular",
  })
  donor?: string;
}

/** A need that nobody filed: the fields of `POST /v1/needs`. */
export class SupposedNeedDto extends FileNeedDto {
  @Ref('need')
  ref?: string;
}

const idFaults = (value: unknown): readonly Fault[] =>
  typeof value === 'string' && value.length > 0 && value.length <= MOST_ID
    ? []
    : [fault('', `must be the id of a record: a text of at most ${MOST_ID} characters`)];

const listFaults = (value: unknown, faultsOf: (element: unknown) => readonly Fault[]): readonly Fault[] => {
  if (!Array.isArray(value)) return [fault('', 'must be a list')];
  if (value.length > MOST_ASKED) return [fault('', `must have at most ${MOST_ASKED} elements, has ${value.length}`)];
  return value.flatMap((element: unknown, index) =>
    faultsOf(element).map(({ path, message }) =>
      fault(path === '' || path.startsWith('[') ? `[${index}]${path}` : `[${index}].${path}`, message),
    ),
  );
};

/** Ids of records that there are, or records that there are not. */
const Records = (dto: new () => object, kind: string, example?: readonly object[]): PropertyDecorator =>
  Checked({
    name: 'records',
    required: false,
    schema: {
      type: 'array',
      maxItems: MOST_ASKED,
      items: { oneOf: [{ type: 'string', description: `Id of one that there is` }, { $ref: getSchemaPath(dto) }] },
    },
    description: `${kind} whose matches are asked for: each the id of one, or one that there is not, in the fields of its creation`,
    ...(example === undefined ? {} : { example }),
    faults: (value) => listFaults(value, (element) => (isObject(element) ? faultsAs(dto, element) : idFaults(element))),
  });

/** Parts of an amendment that say who stands behind a record and who sees it. */
const NOT_SUPPOSED = ['visibility', 'named', 'providers', 'beneficiaries'];

const amendmentOf = (change: object): new () => object =>
  (change as { readonly offerId?: unknown }).offerId === undefined ? AmendNeedDto : AmendOfferDto;

const setFaults = (value: unknown, change: object): readonly Fault[] => [
  ...faultsAs(amendmentOf(change), value),
  ...(isObject(value) ? NOT_SUPPOSED.filter((name) => name in value) : []).map((name) =>
    fault(name, 'is left out here: who stands behind a record and who sees it stays as it is'),
  ),
];

const newLinesFaults = (value: unknown, change: object): readonly Fault[] => [
  ...faultsAs(amendmentOf(change), { lines: value }).map(({ path, message }) =>
    fault(path.replace(/^lines\.?/, ''), message),
  ),
  ...(Array.isArray(value) ? value : []).flatMap((line: unknown, index) =>
    isObject(line) && 'line' in line ? [fault(`[${index}].line`, 'is left out: a new line has no number yet')] : [],
  ),
];

const eitherAmendment = (): FieldSchema => ({
  oneOf: [{ $ref: getSchemaPath(AmendOfferDto) }, { $ref: getSchemaPath(AmendNeedDto) }],
});

export class UnlockDto {
  @CodeList(['need', 'offer'], { required: false })
  side?: 'need' | 'offer';

  @Text({ max: 100 })
  code!: string;

  @Text({ max: 1_000 })
  change!: string;
}

const Id = (what: string): PropertyDecorator => Text({ required: false, max: MOST_ID, description: what });

/** One change to one record, or what unlocks one pairing. */
export class ChangeDto {
  @Id('The offer that changes')
  offerId?: string;

  @Id('The need that changes')
  needId?: string;

  @Checked({
    name: 'set',
    required: false,
    schema: eitherAmendment(),
    description: 'Fields of its amendment (`POST …/{id}/amend`); not who stands behind the record, nor who sees it',
    faults: setFaults,
  })
  set?: object;

  @QuantityField({
    required: false,
    determinate: true,
    unlimited: false,
    description: 'So much more offered, or asked for, on one line',
  })
  add?: Quantity;

  @WholeNumber({ min: 1, required: false, description: 'The line of `add`, where several are in its measure' })
  line?: number;

  @Checked({
    name: 'newLines',
    required: false,
    schema: { type: 'array', items: { type: 'object' } },
    description: 'Lines beside those that stand, as a creation writes them',
    faults: newLinesFaults,
  })
  newLines?: OfferChanges['lines'] | readonly LineChange[];

  @Nested(() => UnlockDto, {
    array: true,
    min: 1,
    max: MOST_ASKED,
    required: false,
    description:
      'Beside needId and offerId: the `unlock` of this blocked pairing, or a part of it, as the newest ruleset answers it',
  })
  unlock?: UnlockDto[];
}

@ApiExtraModels(SupposedOfferDto, SupposedNeedDto, AmendOfferDto, AmendNeedDto)
export class WhatIfDto {
  @Records(SupposedOfferDto, 'Offers', [
    {
      ref: 'a',
      title: 'Marking courses',
      lines: [{ kinds: ['training'], capacity: { measure: 'person-days', amount: '200' } }],
    },
  ])
  offers?: (string | object)[];

  @Records(SupposedNeedDto, 'Needs')
  needs?: (string | object)[];

  @Nested(() => ChangeDto, {
    array: true,
    max: MOST_ASKED,
    required: false,
    description: 'Changes to records that the caller sees, one on the other',
  })
  change?: ChangeDto[];

  @Flag({ required: false, description: 'Also the pairings that are blocked, each with why' })
  includeBlocked?: boolean;

  @WholeNumber({
    min: 1,
    max: MOST_LISTED,
    required: false,
    description: 'Pairings of a list at the most, 50 unless told',
  })
  limit?: number;

  @CodeList(RULESET_VERSIONS, { required: false, description: 'Version of the rules, the newest unless told' })
  ruleset?: RulesetVersion;

  @Nested(() => RequestAllocationDto, {
    required: false,
    description: 'Of a coordinator: which allocation would meet the most, before and after, where it is small',
  })
  allocation?: RequestAllocationDto;
}
