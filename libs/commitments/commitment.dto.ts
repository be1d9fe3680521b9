import {
  type Fault,
  DELIVERY_CONDITIONS,
  type DeliveryCondition,
  INSTRUMENT_WORDS,
  isInstrument,
  isRegion,
  type InstrumentCode,
  type Kind,
  KINDS,
  type Measure,
  parseQuantity,
  parseValuation,
  type Quantity,
  rateHolds,
  sameMeasure,
  compare,
  textFaults,
  type Valuation,
} from '#vocabulary';
import {
  Checked,
  Code,
  CodeList,
  DateField,
  InstantField,
  ListQuery,
  Nested,
  Parses,
  PartyIdField,
  QuantityField,
  Sha256Field,
  StateCode,
  Text,
  Title,
  WebAddressField,
  WholeNumber,
} from '#web';
import { canonical, ReportDate } from './commitment-fields.dto.js';
import { ProposedTermsField, TermsDto } from './commitment-terms.dto.js';
import type { CommitmentStatus, ProposedLeg } from './commitment.js';

export { canonical } from './commitment-fields.dto.js';

const LEG_MEASURES: readonly Measure[] = ['money', 'person-days', 'seats', 'items', 'access'];
export const LEG_RULE = { measures: LEG_MEASURES, unlimited: false, determinate: true } as const;

const at = (path: string, message: string): Fault => ({ path, message });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A credited quantity, or a scope in words where the need's line has none yet. */
const creditedFaults = (value: unknown): readonly Fault[] => {
  if (!isObject(value) || !Object.hasOwn(value, 'scope')) {
    const parsed = parseQuantity(value, LEG_RULE);
    return parsed.ok ? [] : parsed.faults;
  }
  const strange = Object.keys(value).filter((field) => field !== 'scope');
  return [
    ...strange.map((field) => at(field, 'does not stand beside scope: credit a quantity, or words')),
    ...textFaults(value.scope).map((message) => at('scope', message)),
  ];
};

/** What one leg alone shows to be wrong between its quantities and its valuation. */
const legFaults = (leg: unknown): readonly Fault[] => {
  if (!isObject(leg) || leg.credited === undefined) return [];
  if (isObject(leg.credited) && Object.hasOwn(leg.credited, 'scope')) {
    return leg.valuation === undefined ? [] : [at('valuation', 'belongs to a credited quantity, not to a scope')];
  }
  const drawn = parseQuantity(leg.drawn, LEG_RULE);
  const credited = parseQuantity(leg.credited, LEG_RULE);
  if (!drawn.ok || !credited.ok) return [];
  if (sameMeasure(drawn.value, credited.value)) {
    return compare(drawn.value, credited.value) === 0
      ? []
      : [at('credited', 'must equal drawn where both are in one measure: leave it out')];
  }
  if (leg.valuation === undefined) {
    return [at('valuation', 'is required where drawn and credited are in different measures')];
  }
  const valuation = parseValuation(leg.valuation);
  return valuation.ok && 'rate' in valuation.value && !rateHolds(drawn.value, valuation.value.rate, credited.value)
    ? [at('valuation.rate', 'must make drawn × rate what is credited')]
    : [];
};

/** What legs alone show to be wrong between their quantities and valuations. */
export const legFaultsIn = (legs: unknown): readonly Fault[] =>
  Array.isArray(legs)
    ? legs.flatMap((leg: unknown, index) =>
        legFaults(leg).map(({ path, message }) => at(`[${index}].${path}`, message)),
      )
    : [];

export class LegDto {
  @WholeNumber({ min: 1, example: 1 })
  offerLine!: number;

  @WholeNumber({ min: 1, example: 1 })
  needLine!: number;

  @QuantityField({
    ...LEG_RULE,
    description: 'In the measure of the offer’s line',
    example: { measure: 'money', currency: 'USD', amount: '60000.00' },
  })
  drawn!: Quantity;

  @Checked({
    name: 'credited',
    required: false,
    schema: {
      oneOf: [
        { $ref: '#/components/schemas/Quantity' },
        { type: 'object', properties: { scope: { type: 'string' } }, required: ['scope'], additionalProperties: false },
      ],
    },
    description:
      'In the measure of the need’s line; `drawn` where the measures are the same; a scope in words where the line has no quantity yet',
    faults: creditedFaults,
  })
  credited?: Quantity | { readonly scope: string };

  @Parses(
    'valuation',
    parseValuation,
    { type: 'object', description: '{"rate","asOf","source"} or {"basis":"agreed-lump-sum","reference"}' },
    { required: false },
  )
  valuation?: Valuation;
}

/** Terms as a newcomer would write them: two instalments, each on a report. */
const TERMS = {
  period: { from: '2026-10-01', to: '2026-12-31' },
  reports: [
    { kind: 'narrative', by: 'agency:cavr', due: '2026-11-15' },
    { kind: 'financial', by: 'agency:cavr', due: '2026-12-31' },
  ],
  schedule: [
    { amount: { measure: 'money', currency: 'USD', amount: '40000.00' }, on: 'report', report: 1 },
    { amount: { measure: 'money', currency: 'USD', amount: '20000.00' }, on: 'report', report: 2 },
  ],
};

/** What a proposal may say beside the lines that it binds. */
export class ProposalDto {
  @PartyIdField({ kinds: ['agency'], required: false, example: 'agency:cavr' })
  implementer?: string;

  @PartyIdField({ kinds: ['agency'], required: false, example: 'agency:cavr' })
  fiscalAgent?: string;

  @PartyIdField({
    array: true,
    min: 1,
    required: false,
    description: 'Parties of both sides; every provider and every beneficiary (or the host) unless told',
  })
  signatories?: string[];

  @Text({ max: 100, required: false, description: 'A parent commitment or reported programme' })
  partOf?: string;

  @InstantField({ required: false, description: 'Any moment in the future; 60 days unless told' })
  expiresAt?: string;

  @Nested(() => TermsDto, { required: false, example: TERMS })
  @ProposedTermsField()
  terms?: TermsDto;
}

export class ProposeCommitmentDto extends ProposalDto {
  @Text({ max: 100, description: 'Id of an open offer', example: '019b8d00-0000-7000-8000-00000000000b' })
  offerId!: string;

  @Text({ max: 100, description: 'Id of an open need', example: '019b8d00-0000-7000-8000-00000000000a' })
  needId!: string;

  @Nested(() => LegDto, { array: true, min: 1 })
  @Checked({ name: 'legs', schema: {}, faults: legFaultsIn })
  legs!: LegDto[];
}

export class ProposeSuggestionDto extends ProposalDto {
  @QuantityField({
    ...LEG_RULE,
    required: false,
    description: 'As much as is suggested, or less, in the same measure; all of it unless told',
    example: { measure: 'money', currency: 'USD', amount: '60000.00' },
  })
  quantity?: Quantity;
}

/** Why in words, for what is not a refusal by a code. */
export class WordsBody {
  @Text()
  reason!: string;
}

export class EvidenceDto {
  @Title()
  title!: string;

  @WebAddressField()
  uri!: string;

  @Sha256Field()
  sha256!: string;
}

/** Evidence as events hold it. */
export const evidenceOf = (
  evidence: readonly EvidenceDto[] | undefined,
): readonly { readonly title: string; readonly uri: string; readonly sha256: string }[] | undefined =>
  evidence?.map(({ title, uri, sha256 }) => ({ title, uri, sha256 }));

export class DeliveryDto {
  @WholeNumber({ min: 1, example: 1 })
  leg!: number;

  @QuantityField({ ...LEG_RULE, description: 'In the measure drawn or in the measure credited' })
  quantity!: Quantity;

  @PartyIdField({ required: false, description: 'The State it is for; shared where left out' })
  beneficiary?: string;

  @ReportDate()
  date!: string;

  @Nested(() => EvidenceDto, { array: true, required: false, once: ['title', 'uri', 'sha256'] })
  evidence?: EvidenceDto[];
}

export class ConfirmationDto {
  @QuantityField({ ...LEG_RULE, required: false, description: 'All of the tranche unless told' })
  quantity?: Quantity;

  @CodeList(DELIVERY_CONDITIONS, { required: false, description: 'usable unless told' })
  condition?: DeliveryCondition;

  @Text({ required: false })
  note?: string;
}

const STATUSES: readonly CommitmentStatus[] = [
  'proposed',
  'accepted',
  'binding',
  'delivered',
  'confirmed',
  'closed',
  'declined',
  'lapsed',
  'withdrawn',
  'cancelled',
];

export const COMMITMENT_SORTS = ['newest', 'oldest', 'deadline'] as const;

export class CommitmentListQuery extends ListQuery {
  @StateCode({ required: false, description: 'A beneficiary' })
  state?: string;

  @PartyIdField({ required: false, description: 'A provider' })
  donor?: string;

  @Text({ max: 100, required: false })
  needId?: string;

  @Text({ max: 100, required: false })
  offerId?: string;

  @CodeList(STATUSES, { required: false })
  status?: CommitmentStatus;

  @Code(isRegion, 'a UN M49 region code such as 009', { required: false })
  region?: string;

  @PartyIdField({ kinds: ['network'], required: false })
  network?: string;

  @CodeList(KINDS, { required: false })
  kind?: Kind;

  @Code(isInstrument, INSTRUMENT_WORDS, { required: false })
  instrument?: InstrumentCode;

  @DateField({ required: false, description: 'Proposed on this day or later' })
  from?: string;

  @DateField({ required: false, description: 'Proposed on this day or before' })
  to?: string;

  @CodeList(COMMITMENT_SORTS, { required: false, description: 'newest unless told' })
  sort?: (typeof COMMITMENT_SORTS)[number];
}

/** The legs a body asks for, in their canonical form. */
export const legsOf = (legs: readonly LegDto[]): ProposedLeg[] =>
  legs.map(({ offerLine, needLine, drawn, credited, valuation }) => ({
    offerLine,
    needLine,
    drawn: canonical(drawn),
    ...(credited === undefined
      ? {}
      : 'scope' in credited
        ? { scope: credited.scope }
        : { credited: canonical(credited) }),
    ...(valuation === undefined ? {} : { valuation: { ...valuation } }),
  }));
