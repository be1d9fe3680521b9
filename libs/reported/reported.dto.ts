import {
  DOCUMENT_KINDS,
  INSTRUMENTS,
  isInstrument,
  isRegion,
  isState,
  KINDS,
  partyFault,
  REPORTED_KINDS,
  SOURCE_KINDS,
  VISIBILITIES,
} from '#vocabulary';
import type { FieldSchema } from '#web';
import { Checked, Code, CodeList, DateField, Flag, ListQuery, StateCode, Text } from '#web';
import { REPORTED_SORTS } from './reported-board.projection.js';
import { faultsOfField, REPORTED_VISIBILITIES, REQUIRED_FIELDS } from './reported-content.js';
import type { ReportedField } from './reported-content.js';

const TEXT: FieldSchema = { type: 'string', minLength: 1, maxLength: 10_000 };
const QUANTITY: FieldSchema = { $ref: '#/components/schemas/Quantity' };
const PARTIES: FieldSchema = {
  type: 'array',
  uniqueItems: true,
  items: {
    oneOf: [
      { type: 'string', description: 'A party id or a State code' },
      { type: 'object', required: ['name'], properties: { name: { type: 'string', description: 'As published' } } },
    ],
  },
};
const DATE: FieldSchema = { type: 'string', description: 'YYYY, YYYY-MM or YYYY-MM-DD, as precise as its source' };
const DOCUMENTS: FieldSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['kind', 'title'],
    properties: {
      kind: { type: 'string', enum: [...DOCUMENT_KINDS] },
      title: { type: 'string', minLength: 1, maxLength: 300 },
      sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      label: { type: 'string', enum: [...VISIBILITIES] },
    },
  },
};
const SOURCE: FieldSchema = {
  type: 'object',
  required: ['kind'],
  properties: {
    kind: { type: 'string', enum: [...SOURCE_KINDS] },
    reference: TEXT,
    url: { type: 'string', format: 'uri' },
    publishedOn: DATE,
    readOn: DATE,
  },
};

/** A field of the body, checked by the reader that also gives the record its content. */
const Field = (field: ReportedField, schema: FieldSchema, description: string, example?: unknown): PropertyDecorator =>
  Checked({
    name: field,
    schema,
    description,
    required: REQUIRED_FIELDS.includes(field),
    ...(example === undefined ? {} : { example }),
    faults: (value, dto) =>
      faultsOfField(field, value, dto as Readonly<Record<string, unknown>>).map(({ path, message }) => ({
        path: path.slice(field.length).replace(/^\./, ''),
        message,
      })),
  });

/** The body of `POST /v1/reported`. */
export class ReportDto {
  @Field('kind', { type: 'string', enum: [...REPORTED_KINDS] }, 'What is reported', 'need')
  kind!: string;

  @Field(
    'title',
    { type: 'string', minLength: 1, maxLength: 300 },
    'A name for the record',
    'Destroy surplus ammunition',
  )
  title!: string;

  @Field('donors', PARTIES, 'Who gives, as published', ['DEU', { name: 'OSCE donors' }])
  donors?: unknown[];

  @Field('beneficiaries', PARTIES, 'Who receives, as published', ['GEO'])
  beneficiaries?: unknown[];

  @Field('kinds', { type: 'array', items: { type: 'string', enum: [...KINDS] } }, 'Kinds of assistance', [
    'surplus-destruction',
  ])
  kinds?: string[];

  @Field('instruments', { type: 'array', items: { type: 'string' } }, `${INSTRUMENTS.join(', ')}, regional:<code>`, [
    'UNPoA',
  ])
  instruments?: string[];

  @Field(
    'what',
    { type: 'object', additionalProperties: true },
    'The fields that the need, offer or commitment would have had, all optional, and `implementers`',
    { lines: [{ kind: 'surplus-destruction', quantity: { measure: 'items', unit: 'tonne', amount: '461' } }] },
  )
  what?: object;

  @Field(
    'visibility',
    { type: 'string', enum: [...REPORTED_VISIBILITIES] },
    '`public` for published and `members` for transcribed sources unless told; a transcribed source is never public',
  )
  visibility?: string;

  @Field(
    'amounts',
    {
      oneOf: [
        { type: 'array', items: QUANTITY, minItems: 1 },
        { type: 'string', enum: ['not-published'] },
      ],
    },
    'Published figures with their qualifier; `not-published` unless told',
    [{ measure: 'money', currency: 'EUR', amount: '10000000.00', qualifier: 'at-least' }],
  )
  amounts?: unknown;

  @Field('dates', { type: 'object', properties: { agreed: DATE, from: DATE, to: DATE } }, 'Claimed dates', {
    agreed: '2016',
  })
  dates?: object;

  @Field('statusWords', TEXT, "The source's own words for how far it is, verbatim", 'funded by EU decision 2017/1424')
  statusWords?: string;

  @Field('description', TEXT, 'What it is about')
  description?: string;

  @Field('source', SOURCE, 'Where it was read; a reference or a url is needed', {
    kind: 'published',
    url: 'https://example.org/page',
    readOn: '2026-11-01',
  })
  source!: object;

  @Field(
    'claims',
    {
      type: 'array',
      items: {
        type: 'object',
        required: ['value', 'source'],
        properties: { value: { oneOf: [TEXT, QUANTITY] }, source: { oneOf: [TEXT, SOURCE] } },
      },
    },
    'What each source claims, where sources contradict each other',
  )
  claims?: unknown[];

  @Field('documents', DOCUMENTS, 'Papers about the fact; their bytes come over `/v1/documents`')
  documents?: object[];

  @Field('partOf', { type: 'string' }, 'A reported record or commitment of which this is a part')
  partOf?: string;
}

/** The body of `…/disown`. */
export class DisownDto {
  @Text({ required: false, description: 'What is wrong with the record', example: 'We never asked for this.' })
  note?: string;
}

const partyOrState = (description: string): PropertyDecorator =>
  Checked({
    name: 'party',
    required: false,
    description,
    schema: { type: 'string', example: 'donor:japan' },
    faults: (value) =>
      isState(value) || partyFault(value) === undefined
        ? []
        : [{ path: '', message: 'must be a party id such as donor:japan or a State code such as JPN' }],
  });

/** The filters of `GET /v1/reported`. */
export class ReportedQuery extends ListQuery {
  @CodeList([...REPORTED_KINDS, ...KINDS], {
    required: false,
    description: 'What is reported (need, offer, contribution, commitment), or a kind of assistance',
  })
  kind?: string;

  @CodeList(KINDS, { required: false, description: 'Kind of assistance' })
  assistance?: string;

  @StateCode({ required: false, description: 'A beneficiary' })
  state?: string;

  @Code(isRegion, 'a UN M49 code such as 054', { required: false, description: 'Region of a beneficiary' })
  region?: string;

  @partyOrState('A donor: party id or State code')
  donor?: string;

  @partyOrState('An implementer: party id or State code')
  implementer?: string;

  @Code(isInstrument, `one of ${INSTRUMENTS.join(', ')}, regional:<code>`, { required: false })
  instrument?: string;

  @Text({ max: 100, required: false, description: 'Parts of this record' })
  partOf?: string;

  @Flag({ query: true, required: false, description: 'Claimed by a named party, or not' })
  claimed?: boolean;

  @Flag({ query: true, required: false, description: 'Disowned by a named party, or not' })
  disowned?: boolean;

  @Text({ max: 500, required: false, description: 'Whole words in titles, descriptions, names and status words' })
  q?: string;

  @DateField({ required: false, description: 'Claimed dates that may lie on or after this day' })
  from?: string;

  @DateField({ required: false, description: 'Claimed dates that may lie on or before this day' })
  to?: string;

  @CodeList(REPORTED_SORTS, { required: false, description: 'newest first unless told' })
  sort?: string;
}
