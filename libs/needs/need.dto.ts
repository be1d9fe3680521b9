import type {
  Fault,
  InstrumentCode,
  Kind,
  Measure,
  NeedClosing,
  ObjectionTarget,
  Quantity,
  Urgency,
  Visibility,
} from '#vocabulary';
import {
  DOCUMENT_KINDS,
  isAnnexVisibility,
  INSTRUMENT_WORDS,
  isInstrument,
  isLanguage,
  isRegion,
  isVisibility,
  KINDS,
  momentFault,
  NEED_CLOSINGS,
  OBJECTION_TARGETS,
  parseQuantity,
  RETURN_REASONS,
  SET_ASIDE_CODES,
  textFaults,
  URGENCIES,
  VISIBILITIES,
} from '#vocabulary';
import {
  Checked,
  Code,
  CodeList,
  DateField,
  Flag,
  ListQuery,
  Nested,
  PartyIdField,
  PeriodField,
  QuantityField,
  repeats,
  Sha256Field,
  StateCode,
  Text,
  Title,
  WebAddressField,
  WholeNumber,
} from '#web';
import type { CoverageGrade } from './coverage.js';
import type { DocumentRef, NeedContent, NeedVisibility, Period } from './need.contract.js';
import type { LineChange, NeedChanges, NeedStatus } from './need.js';
import type { NeedSort } from './need-board.js';
import { NEED_SORTS } from './need-board.js';

/** Measures a line may be asked in: of access, a whole number of uses. */
const LINE_MEASURES: readonly Measure[] = ['money', 'person-days', 'seats', 'items', 'access', 'undetermined'];
const STATUSES: readonly NeedStatus[] = ['draft', 'submitted', 'returned', 'set-aside', 'open', 'dormant', 'closed'];
const GRADES: readonly CoverageGrade[] = ['none', 'partial', 'full', 'not-measurable'];

const fault = (path: string, message: string): Fault => ({ path, message });
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const unknownFields = (value: object, known: readonly string[], path = ''): readonly Fault[] =>
  Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) =>
      fault(path === '' ? name : `${path}.${name}`, `unknown field; known fields are ${known.join(', ')}`),
    );

const joinedWith = (path: string, faults: readonly Fault[]): readonly Fault[] =>
  faults.map((each) => fault(each.path === '' ? path : `${path}.${each.path}`, each.message));
const textsOf = (path: string, value: unknown): readonly Fault[] =>
  textFaults(value).map((message) => fault(path, message));

/** A list of objects, or the word `none`: saying that there is nothing is an answer. What an element names, by `nameOf`, it names once. */
const OrNone = (
  name: string,
  faultsOf: (element: Readonly<Record<string, unknown>>, path: string) => readonly Fault[],
  example: unknown,
  nameOf: (element: unknown) => string | undefined = () => undefined,
): PropertyDecorator =>
  Checked({
    name,
    required: false,
    schema: {
      oneOf: [
        { type: 'string', enum: ['none'] },
        { type: 'array', items: { type: 'object' }, maxItems: 100 },
      ],
    },
    example,
    faults: (value) => {
      if (value === 'none') return [];
      if (!Array.isArray(value)) return [fault('', 'must be a list or "none"')];
      if (value.length > 100) return [fault('', `must have at most 100 elements, has ${value.length}`)];
      return [
        ...value.flatMap((element: unknown, index) =>
          isObject(element) ? faultsOf(element, `[${index}]`) : [fault(`[${index}]`, 'must be an object')],
        ),
        ...repeats(value.map(nameOf)),
      ];
    },
  });

const RECORD_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const priorAidFaults = (element: Readonly<Record<string, unknown>>, path: string): readonly Fault[] => {
  const { text, commitmentId } = element;
  const unknown = unknownFields(element, ['text', 'commitmentId'], path);
  if ((text === undefined) === (commitmentId === undefined)) {
    return [...unknown, fault(path, 'must have either text or commitmentId')];
  }
  if (text !== undefined) return [...unknown, ...textsOf(`${path}.text`, text)];
  return typeof commitmentId === 'string' && RECORD_ID.test(commitmentId)
    ? unknown
    : [...unknown, fault(`${path}.commitmentId`, 'must be the id of a commitment')];
};

const commitmentNamed = (element: unknown): string | undefined =>
  isObject(element) && typeof element.commitmentId === 'string' ? element.commitmentId : undefined;

const ownContributionFaults = (element: Readonly<Record<string, unknown>>, path: string): readonly Fault[] => {
  const { description, quantity } = element;
  const parsed = quantity === undefined ? undefined : parseQuantity(quantity);
  return [
    ...unknownFields(element, ['description', 'quantity'], path),
    ...textsOf(`${path}.description`, description),
    ...(parsed === undefined || parsed.ok ? [] : joinedWith(`${path}.quantity`, parsed.faults)),
  ];
};

const visibilityFaults = (value: unknown): readonly Fault[] => {
  const labels = `must be one of ${VISIBILITIES.join(', ')}`;
  if (typeof value === 'string') return isVisibility(value) ? [] : [fault('', labels)];
  if (!isObject(value))
    return [fault('', 'must be a label, or an object such as {"summary":"public","body":"members"}')];
  const { summary, body, annex } = value;
  return [
    ...unknownFields(value, ['summary', 'body', 'annex']),
    ...(summary === undefined || isVisibility(summary) ? [] : [fault('summary', labels)]),
    ...(body === undefined || isVisibility(body) ? [] : [fault('body', labels)]),
    ...(annex === undefined || isAnnexVisibility(annex)
      ? []
      : [fault('annex', 'must be named or sealed: an annex is never wider than named')]),
  ];
};

export class NeedLineDto {
  @CodeList(KINDS, { example: 'training' })
  kind!: Kind;

  @Text({ required: false })
  description?: string;

  @QuantityField({
    measures: LINE_MEASURES,
    unlimited: false,
    example: { measure: 'money', currency: 'USD', amount: '180000.00' },
  })
  quantity!: Quantity;
}

export class AmendedNeedLineDto extends NeedLineDto {
  @WholeNumber({
    min: 1,
    required: false,
    description: 'The line that is amended. Where no line is numbered they are taken in order, and what is over is new',
  })
  line?: number;
}

export class ReportRefDto {
  @Code(isInstrument, INSTRUMENT_WORDS)
  instrument!: InstrumentCode;

  @WholeNumber({ min: 1990, max: 2200, example: 2025 })
  year!: number;

  @Text({ required: false, max: 300 })
  section?: string;

  @WebAddressField({ required: false })
  url?: string;
}

export class ApproachedDto {
  @Text({ max: 300, description: 'A party id, or a name where the party is not known here' })
  party!: string;

  @Checked({
    name: 'when',
    required: false,
    schema: { type: 'string' },
    faults: (value) => {
      const message = momentFault(value);
      return message === undefined ? [] : [fault('', message)];
    },
  })
  when?: string;

  @Text({ required: false })
  result?: string;
}

export class NeedDocumentDto {
  @CodeList(DOCUMENT_KINDS)
  kind!: string;

  @Title()
  title!: string;

  @Sha256Field()
  sha256!: string;

  @CodeList(VISIBILITIES, { required: false })
  label?: Visibility;
}

export class HeldQuantityDto {
  @Text()
  description!: string;

  @QuantityField({})
  quantity!: Quantity;
}

export class NeedAnnexDto {
  @Text({ required: false, list: { max: 100 } })
  sites?: string[];

  @Nested(() => HeldQuantityDto, { required: false, array: true })
  quantitiesHeld?: HeldQuantityDto[];

  @Text({ required: false })
  risk?: string;

  @Text({ required: false })
  accessLimits?: string;
}

/** What a creation and an amendment have in common. */
class NeedFieldsDto {
  @Text({ required: false })
  problem?: string;

  @Text({ required: false })
  outcome?: string;

  @Flag({ required: false })
  traffickingNexus?: boolean;

  @WholeNumber({
    min: 1,
    max: 1_000_000,
    required: false,
    description: '1 is the most urgent within the State',
    example: 1,
  })
  rank?: number;

  @CodeList(URGENCIES, { required: false })
  urgency?: Urgency;

  @PeriodField({ required: false, example: { from: '2027-01-01', to: '2027-12-31' } })
  period?: Period;

  @Code(isLanguage, 'a language tag such as en', { array: true, required: false, example: ['en'] })
  languages?: string[];

  @OrNone('priorAid', priorAidFaults, [{ text: 'A course in 2019' }], commitmentNamed)
  priorAid?: Exclude<NeedContent['priorAid'], undefined>;

  @OrNone('ownContribution', ownContributionFaults, 'none')
  ownContribution?: Exclude<NeedContent['ownContribution'], undefined>;

  @Text({ required: false, max: 2000, description: 'Where the national plan says so, or "none"' })
  planLink?: string;

  @Nested(() => ReportRefDto, { required: false, array: true, once: ['instrument', 'year', 'section', 'url'] })
  reportRefs?: ReportRefDto[];

  @Text({
    required: false,
    example: 'Note Verbale 12/2026',
    description: 'Needed to submit: the note by which the State asks',
  })
  authorityRef?: string;

  @Text({ required: false })
  requestingAuthority?: string;

  @Text({ required: false })
  contactOffice?: string;

  @Nested(() => ApproachedDto, { required: false, array: true, once: ['party', 'when', 'result'] })
  approached?: ApproachedDto[];

  @Text({ required: false, max: 300 })
  proposedImplementer?: string;

  @Nested(() => NeedDocumentDto, { required: false, array: true, once: ['kind', 'title', 'sha256', 'label'] })
  documents?: NeedDocumentDto[];

  @Nested(() => NeedAnnexDto, { required: false })
  annex?: NeedAnnexDto;

  @Checked({
    name: 'visibility',
    required: false,
    schema: {
      oneOf: [
        { type: 'string', enum: [...VISIBILITIES] },
        {
          type: 'object',
          properties: { summary: { type: 'string' }, body: { type: 'string' }, annex: { type: 'string' } },
        },
      ],
    },
    description: 'One label is short for summary and body. Unless told: members, and sealed for the annex',
    example: { summary: 'public', body: 'members', annex: 'sealed' },
    faults: visibilityFaults,
  })
  visibility?: Visibility | Partial<NeedVisibility>;

  @PartyIdField({ array: true, max: 300, required: false, description: 'Whom the label `named` lists' })
  named?: string[];

  @Flag({ required: false, description: 'Lets commitments exceed what is asked' })
  oversubscription?: boolean;

  @PartyIdField({
    kinds: ['state', 'authority', 'network'],
    array: true,
    min: 1,
    max: 300,
    required: false,
    description:
      'Your own State, authority or network unless told. In a joint need each of the others is listed and counted once it consents',
    example: ['state:VUT', 'state:FJI'],
  })
  beneficiaries?: string[];
}

export class FileNeedDto extends NeedFieldsDto {
  @Title({ example: 'Marking of weapons held by the police' })
  title!: string;

  @CodeList(KINDS, { array: true, min: 1, example: ['marking-record-keeping'] })
  kinds!: Kind[];

  @Code(isInstrument, INSTRUMENT_WORDS, { array: true, min: 1, example: ['UNPoA'] })
  instruments!: InstrumentCode[];

  @Nested(() => NeedLineDto, { array: true, min: 1 })
  lines!: NeedLineDto[];

  @PartyIdField({
    kinds: ['state', 'authority'],
    required: false,
    description: 'By a coordinator: the State whose note it transcribes; authorityRef and documents are needed then',
  })
  onBehalfOf?: string;
}

export class AmendNeedDto extends NeedFieldsDto {
  @Title({ required: false })
  title?: string;

  @CodeList(KINDS, { array: true, min: 1, required: false })
  kinds?: Kind[];

  @Code(isInstrument, INSTRUMENT_WORDS, { array: true, min: 1, required: false })
  instruments?: InstrumentCode[];

  @Nested(() => AmendedNeedLineDto, { array: true, min: 1, required: false, once: ['line'] })
  lines?: AmendedNeedLineDto[];
}

const canonical = (quantity: Quantity): Quantity => {
  const parsed = parseQuantity(quantity);
  // Validation has read it before: what it let through reads the same again.
  return parsed.ok ? parsed.value : quantity;
};

const present = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

const labelsOf = (visibility: Visibility | Partial<NeedVisibility> | undefined): Partial<NeedVisibility> =>
  typeof visibility === 'string' ? { summary: visibility, body: visibility } : present({ ...visibility });

const lineOf = ({
  line,
  kind,
  description,
  quantity,
}: Pick<AmendedNeedLineDto, keyof AmendedNeedLineDto>): LineChange =>
  present({ line, kind, description, quantity: canonical(quantity) }) as LineChange;

/** A DTO's fields, whoever made the object. */
type Plain<T> = Pick<T, keyof T>;

/** Fields that creation and amendment hold alike, in canonical form. */
const fieldsOf = (body: Plain<NeedFieldsDto>): Partial<NeedContent> => {
  const { beneficiaries: _beneficiaries, visibility: _visibility, ...fields } = body;
  const { ownContribution, annex, reportRefs, approached, documents, period } = fields;
  return present({
    ...fields,
    period: period === undefined ? undefined : present({ from: period.from, to: period.to }),
    ownContribution: Array.isArray(ownContribution)
      ? ownContribution.map((each: { readonly description: string; readonly quantity?: Quantity }) =>
          each.quantity === undefined ? each : { ...each, quantity: canonical(each.quantity) },
        )
      : ownContribution,
    reportRefs: reportRefs?.map(present),
    approached: approached?.map(present),
    documents: documents?.map(present),
    annex:
      annex === undefined
        ? undefined
        : present({
            sites: annex.sites,
            risk: annex.risk,
            accessLimits: annex.accessLimits,
            quantitiesHeld: annex.quantitiesHeld?.map(({ description, quantity }) => ({
              description,
              quantity: canonical(quantity),
            })),
          }),
  }) as Partial<NeedContent>;
};

/** A need's content as filed, with every default filled in and lines numbered from 1. */
export const contentOf = (body: Plain<FileNeedDto>): NeedContent => {
  const { title, kinds, instruments, lines, onBehalfOf: _onBehalfOf, ...others } = body;
  return {
    traffickingNexus: false,
    urgency: 'normal',
    named: [],
    oversubscription: false,
    ...fieldsOf(others),
    title,
    kinds,
    instruments,
    lines: lines.map((line, index) => ({ ...lineOf(line), line: index + 1 })),
    visibility: { summary: 'members', body: 'members', annex: 'sealed', ...labelsOf(body.visibility) },
  };
};

/** What an amendment asks for. */
export const changesOf = (body: AmendNeedDto): NeedChanges => {
  const { lines, ...others } = body;
  return {
    ...(fieldsOf(others) as Omit<NeedChanges, 'lines' | 'visibility'>),
    ...(lines === undefined ? {} : { lines: lines.map(lineOf) }),
    ...(body.visibility === undefined ? {} : { visibility: labelsOf(body.visibility) }),
    ...(body.beneficiaries === undefined ? {} : { beneficiaries: body.beneficiaries }),
  };
};

export class ConsentDto {
  @Flag({ required: false, description: 'true: given; otherwise asked, and given by five working days of silence' })
  circulate?: boolean;

  @Flag({ required: false, description: 'true: given; otherwise asked, and given by five working days of silence' })
  publish?: boolean;
}

export class SubmitNeedDto {
  @Nested(() => ConsentDto, { required: false, example: { circulate: true, publish: true } })
  consent?: ConsentDto;
}

export class ReturnNeedDto {
  @CodeList(RETURN_REASONS, { array: true, min: 1, example: ['quantity-missing'] })
  reasons!: string[];

  @Text({ required: false })
  note?: string;
}

export class SetAsideNeedDto {
  @CodeList(SET_ASIDE_CODES, { example: 'not-in-proper-form' })
  code!: string;

  @Text({ required: false })
  note?: string;
}

export class ObjectNeedDto {
  @CodeList(OBJECTION_TARGETS, { example: 'publication' })
  to!: ObjectionTarget;
}

export class WaiverDto {
  @WholeNumber({ min: 1 })
  line!: number;

  @Text({ example: 'The course was held with other means' })
  reason!: string;
}

export class CloseNeedDto {
  @CodeList(NEED_CLOSINGS, { example: 'met' })
  outcome!: NeedClosing;

  @Nested(() => WaiverDto, { array: true, required: false, once: ['line'] })
  waivers?: WaiverDto[];
}

export class AssessedLineDto {
  @WholeNumber({ min: 1, example: 1 })
  line!: number;

  @QuantityField({
    measures: LINE_MEASURES.filter((measure) => measure !== 'undetermined'),
    unlimited: false,
    example: { measure: 'items', unit: 'marking-machine', amount: '12' },
  })
  quantity!: Quantity;
}

export class AssessNeedDto {
  @Nested(() => AssessedLineDto, { array: true, min: 1, once: ['line'] })
  lines!: AssessedLineDto[];

  @Nested(() => NeedDocumentDto)
  report!: NeedDocumentDto;
}

/** What an assessment found. */
export const assessmentOf = ({
  lines,
  report,
}: AssessNeedDto): {
  readonly lines: readonly { readonly line: number; readonly quantity: Quantity }[];
  readonly report: DocumentRef;
} => ({
  lines: lines.map(({ line, quantity }) => ({ line, quantity: canonical(quantity) })),
  report: present(report),
});

export class MergeNeedDto {
  @Text({ max: 100, description: 'The need that survives', example: '01900000-0000-7000-8000-000000000001' })
  into!: string;
}

export class NeedListQuery extends ListQuery {
  @StateCode({ required: false })
  state?: string;

  @Code(isRegion, 'a UN M49 region code such as 009', { required: false })
  region?: string;

  @PartyIdField({ kinds: ['network'], required: false })
  network?: string;

  @CodeList(KINDS, { required: false })
  kind?: Kind;

  @Code(isInstrument, INSTRUMENT_WORDS, { required: false })
  instrument?: InstrumentCode;

  @CodeList(STATUSES, { required: false, description: 'All but dormant ones unless told' })
  status?: NeedStatus;

  @CodeList(GRADES, { required: false })
  coverage?: CoverageGrade;

  @CodeList(VISIBILITIES, { required: false, description: 'The label of the summary' })
  visibility?: Visibility;

  @Text({ required: false, max: 300 })
  q?: string;

  @DateField({ required: false })
  from?: string;

  @DateField({ required: false })
  to?: string;

  @CodeList(NEED_SORTS, { required: false })
  sort?: NeedSort;
}
