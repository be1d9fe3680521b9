import {
  DOCUMENT_KINDS,
  EARMARK_LEVELS,
  IMPLEMENTER_TYPES,
  isInstrument,
  isLanguage,
  isPartyId,
  isRegion,
  isState,
  KINDS,
  OFFER_CONDITIONS,
  parseQuantity,
  VISIBILITIES,
  type ImplementerType,
  type Kind,
  type EarmarkLevel,
  type Fault,
  type InstrumentCode,
  type Measure,
  type Quantity,
  type Visibility,
} from '#vocabulary';
import {
  Checked,
  Code,
  CodeList,
  DateField,
  DecimalText,
  Flag,
  ListQuery,
  Nested,
  PartyIdField,
  PeriodField,
  QuantityField,
  Sha256Field,
  StateCode,
  Text,
  Title,
  WholeNumber,
} from '#web';
import type { OfferContent, OfferLine } from './offer.contract.js';
import type { OfferChanges, OfferStatus } from './offer.js';
import { OFFER_SORTS, type OfferSort } from './offer-board.js';

/** Measures a capacity may be in; `access` lines come with lines that are not used up. */
const CAPACITY_MEASURES: readonly Measure[] = ['money', 'person-days', 'seats', 'items', 'undetermined'];
const STATUSES: readonly OfferStatus[] = ['draft', 'open', 'suspended', 'closed'];

const later = (what: string): readonly Fault[] => [
  { path: '', message: `is not accepted yet: ${what} come with a later release; leave it out` },
];

/** One provider without a share is the caller itself; several, or a share, make a joint offer. */
const providersFaults = (value: unknown): readonly Fault[] => {
  if (!Array.isArray(value)) return [{ path: '', message: 'must be a list' }];
  const [only, ...others] = value as readonly unknown[];
  if (others.length > 0) return later('joint offers');
  if (typeof only !== 'object' || only === null)
    return [{ path: '[0]', message: 'must be an object such as {"party":"donor:japan"}' }];
  const { party, share, ...unknown } = only as Record<string, unknown>;
  if (share !== undefined) return [{ path: '[0].share', message: later('joint offers')[0]?.message ?? '' }];
  return [
    ...(isPartyId(party) ? [] : [{ path: '[0].party', message: 'must be a party id such as donor:japan' }]),
    ...Object.keys(unknown).map((name) => ({ path: `[0].${name}`, message: 'unknown field; known fields are party' })),
  ];
};

export class OfferLineDto {
  @CodeList(KINDS, { array: true, min: 1, example: ['training'] })
  kinds!: Kind[];

  @Text({ required: false })
  description?: string;

  @QuantityField({ measures: CAPACITY_MEASURES, example: { measure: 'money', currency: 'USD', amount: '180000.00' } })
  capacity!: Quantity;

  @Checked({
    name: 'later',
    required: false,
    schema: { type: 'string' },
    description: 'Refused until minimum lots are supported',
    faults: () => later('minimum lots'),
  })
  minimumLot?: string;
}

export class AmendedOfferLineDto extends OfferLineDto {
  @WholeNumber({
    min: 1,
    required: false,
    description: 'The line that is amended. Where no line is numbered they are taken in order, and what is over is new',
  })
  line?: number;
}

class OfferEarmarkDto {
  @Code((value) => isState(value) || isPartyId(value), 'a State code such as VUT or a party id such as state:VUT', {
    array: true,
    max: 300,
    required: false,
    example: ['VUT'],
  })
  beneficiaries?: string[];

  @Code(isRegion, 'a UN M49 region code such as 009', { array: true, required: false, example: ['009'] })
  regions?: string[];

  @PartyIdField({ kinds: ['network'], array: true, required: false, example: ['network:msg'] })
  networks?: string[];

  @Code(isInstrument, 'an instrument such as ATT or regional:MSG-plan', {
    array: true,
    required: false,
    example: ['ATT'],
  })
  instruments?: InstrumentCode[];

  @CodeList(KINDS, { array: true, required: false })
  kinds?: Kind[];

  @Flag({ required: false })
  traffickingNexus?: boolean;

  @CodeList(IMPLEMENTER_TYPES, { array: true, required: false })
  implementerTypes?: ImplementerType[];

  @CodeList(EARMARK_LEVELS, { required: false })
  level?: EarmarkLevel;
}

class OfferConditionDto {
  @CodeList(OFFER_CONDITIONS, { example: 'co-financing' })
  code!: string;

  @DecimalText({ as: 'percent', required: false, example: '10' })
  percent?: string;

  @Text({ required: false })
  text?: string;
}

class OfferPeriodDto {
  @DateField()
  from!: string;

  @DateField()
  to!: string;
}

class OfferDocumentDto {
  @CodeList(DOCUMENT_KINDS)
  kind!: string;

  @Title()
  title!: string;

  @Sha256Field()
  sha256!: string;

  @CodeList(VISIBILITIES, { required: false })
  label?: Visibility;
}

/** What a creation and an amendment have in common. */
class OfferFieldsDto {
  @Text({ required: false })
  description?: string;

  @Checked({
    name: 'providers',
    required: false,
    schema: { type: 'array', items: { type: 'object', properties: { party: { type: 'string' } } }, maxItems: 1 },
    description: 'The caller itself; joint offers are refused until they are supported',
    faults: providersFaults,
  })
  providers?: { party: string }[];

  @Nested(() => OfferEarmarkDto, { required: false })
  earmark?: OfferEarmarkDto;

  @Nested(() => OfferConditionDto, { array: true, required: false })
  conditions?: OfferConditionDto[];

  @PeriodField({ required: false, example: { from: '2027-01-01', to: '2027-12-31' } })
  period?: OfferPeriodDto;

  @Code(isLanguage, 'a language tag such as en', { array: true, required: false, example: ['en'] })
  languages?: string[];

  @Nested(() => OfferDocumentDto, { array: true, required: false })
  documents?: OfferDocumentDto[];

  @CodeList(VISIBILITIES, { required: false, description: 'members unless told' })
  visibility?: Visibility;

  @PartyIdField({ array: true, max: 300, required: false, description: 'Whom the label `named` lists' })
  named?: string[];
}

export class PostOfferDto extends OfferFieldsDto {
  @Title({ example: 'Licensing courses in the Pacific' })
  title!: string;

  @Nested(() => OfferLineDto, { array: true, min: 1 })
  lines!: OfferLineDto[];

  @Flag({ required: false, description: 'true: kept as a draft until `post`' })
  draft?: boolean;
}

export class AmendOfferDto extends OfferFieldsDto {
  @Title({ required: false })
  title?: string;

  @Nested(() => AmendedOfferLineDto, { array: true, min: 1, required: false })
  lines?: AmendedOfferLineDto[];
}

export class OfferListQuery extends ListQuery {
  @StateCode({ required: false, description: 'Offers whose earmark admits this State' })
  state?: string;

  @Code(isRegion, 'a UN M49 region code such as 009', {
    required: false,
    description: 'Offers whose earmark admits a State of this region',
  })
  region?: string;

  @PartyIdField({ kinds: ['network'], required: false, description: 'Offers whose earmark admits its members' })
  network?: string;

  @CodeList(KINDS, { required: false })
  kind?: Kind;

  @Code(isInstrument, 'an instrument such as ATT', { required: false })
  instrument?: InstrumentCode;

  @CodeList(STATUSES, { required: false })
  status?: OfferStatus;

  @CodeList(VISIBILITIES, { required: false })
  visibility?: Visibility;

  @PartyIdField({ required: false, description: 'The lead provider' })
  donor?: string;

  @Text({ max: 300, required: false, description: 'Whole words, case- and accent-blind' })
  q?: string;

  @DateField({ required: false, description: 'Offers whose period reaches this day or later' })
  from?: string;

  @DateField({ required: false, description: 'Offers whose period starts on this day or before' })
  to?: string;

  @CodeList(OFFER_SORTS, { required: false, description: 'newest unless told' })
  sort?: OfferSort;
}

/** What JSON keeps of a DTO: no prototypes, no fields left out. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** A quantity as every event holds it. It was checked with the body. */
const canonical = (quantity: Quantity): Quantity => {
  const parsed = parseQuantity(quantity);
  if (!parsed.ok) throw new Error('a quantity reached its use unchecked');
  return parsed.value;
};

const lineOf = ({ kinds, description, capacity }: OfferLineDto): Omit<OfferLine, 'line'> => ({
  kinds,
  ...(description === undefined ? {} : { description }),
  capacity: canonical(capacity),
});

/** The content that a body asks for, with the defaults of what it leaves out. */
export const contentOf = (dto: PostOfferDto): OfferContent => {
  const { draft: _, providers: __, lines, ...rest } = dto;
  const defaults = { earmark: {}, conditions: [], visibility: 'members', named: [] };
  return plain<object>({
    ...defaults,
    ...rest,
    lines: lines.map((line, index) => ({ line: index + 1, ...lineOf(line) })),
  }) as OfferContent;
};

/** What an amendment changes. */
export const changesOf = ({ providers: _, lines, ...rest }: AmendOfferDto): OfferChanges =>
  plain({
    ...rest,
    ...(lines === undefined
      ? {}
      : {
          lines: lines.map((line) => ({ ...(line.line === undefined ? {} : { line: line.line }), ...lineOf(line) })),
        }),
  });
