import { isUuid } from '#kernel';
import type { Fault, Kind, NoteAudience, Quantity, QuantityRule, RefusalReasonCode, Visibility } from '#vocabulary';
import {
  ACTIVE_CURRENCIES,
  DOCUMENT_KINDS,
  isRegion,
  isState,
  isPartyId,
  KINDS,
  minorUnits,
  NOTE_AUDIENCES,
  parseQuantity,
  REFUSAL_REASONS,
  sameMeasure,
} from '#vocabulary';

import {
  AlsoChecked,
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
  Text,
  Title,
  WholeNumber,
} from '#web';
import type { CallContent, CallStatus } from './call.js';
import type { ContributionStatus, Pledge } from './contribution.js';
import type {
  Allocation,
  BookingKind,
  FeeRate,
  FundDocument,
  FundEvent,
  FundPeriod,
  FundTerms,
} from './fund.contract.js';
import { overlapIn } from './fund.js';

const MONEY: QuantityRule = { measures: ['money'], determinate: true };
const USD = { measure: 'money', currency: 'USD', amount: '180000.00' };
/** Funds list nobody by name: `named` is the two sides and who keeps the fund. */
const LABELS: readonly Visibility[] = ['public', 'members', 'named', 'sealed'];
const BOOKINGS: readonly BookingKind[] = ['interest', 'fee', 'bank-charge', 'exchange-difference', 'programme-income'];
const FEE_BASES: readonly FeeRate['base'][] = ['contributions', 'transfers', 'expenditure'];
const STATUSES: readonly ContributionStatus[] = ['pledged', 'signed', 'received', 'closed', 'cancelled'];
const CALL_STATUSES: readonly CallStatus[] = ['announced', 'open', 'over', 'closed'];

const fault = (message: string, path = ''): readonly Fault[] => [{ path, message }];

/** A day that must not come before another field's. */
const NotBefore = (other: string): PropertyDecorator =>
  AlsoChecked({
    name: 'not-before',
    faults: (value, dto) => {
      const first = (dto as Readonly<Record<string, unknown>>)[other];
      return typeof value === 'string' && typeof first === 'string' && value < first
        ? fault(`must not be before ${other} (${first})`)
        : [];
    },
  });

/** Given together with another field, or not at all. */
const Beside = (other: string): PropertyDecorator =>
  Checked({
    name: 'beside',
    required: false,
    schema: {},
    faults: (_value, dto) =>
      (dto as Readonly<Record<string, unknown>>)[other] === undefined
        ? fault(`belongs to ${other}: send both, or neither`)
        : [],
  });

/** A field of only some choices of another. */
const OnlyWhere = (field: string, ...choices: readonly string[]): PropertyDecorator =>
  Checked({
    name: 'only-where',
    required: false,
    schema: {},
    faults: (_value, dto) =>
      choices.includes((dto as Readonly<Record<string, string>>)[field] ?? '')
        ? []
        : fault(`belongs to ${field} ${choices.join(' or ')} alone: leave it out`),
  });

const NeedId = (): PropertyDecorator =>
  Code((value) => typeof value === 'string' && isUuid(value), 'the id of a need', {
    example: '01920000-0000-7000-8000-000000000000',
  });

class FundDocumentDto {
  @CodeList(DOCUMENT_KINDS)
  kind!: string;

  @Title()
  title!: string;

  @Sha256Field()
  sha256!: string;

  @CodeList(LABELS, { required: false })
  label?: Visibility;
}

class DecidingBodyDto {
  @Title({ example: 'Selection committee' })
  name!: string;

  @PartyIdField({ array: true, example: ['state:FJI'] })
  members!: string[];
}

class WindowDto {
  @Text({ max: 40, example: 'pacific' })
  code!: string;

  @Title({ example: 'Pacific window' })
  name!: string;
}

class FeeRateDto {
  @Text({ max: 40, example: 'administration' })
  code!: string;

  @DecimalText({ as: 'percent', example: '7' })
  percent!: string;

  @CodeList(FEE_BASES)
  base!: FeeRate['base'];
}

class FundPeriodDto {
  @DateField({ example: '2026-01-01' })
  from!: string;

  @DateField({ example: '2026-12-31' })
  @NotBefore('from')
  to!: string;
}

const Periods = (): PropertyDecorator =>
  Checked({
    name: 'overlap',
    required: false,
    schema: {},
    faults: (value) => {
      // What is no period at all is told of by its own rules.
      const periods = Array.isArray(value) ? (value as readonly (Partial<FundPeriod> | null | undefined)[]) : [];
      const whole = periods.every((each) => typeof each?.from === 'string' && typeof each.to === 'string');
      const overlap = whole ? overlapIn(periods as readonly FundPeriod[]) : undefined;
      return overlap === undefined
        ? []
        : fault('shares days with another: accounting periods do not overlap', `[${overlap}]`);
    },
  });

/** What establishing and amending have in common. */
class FundFieldsDto {
  @PartyIdField({ kinds: ['agency'], required: false, description: 'Keeps the books', example: 'agency:undp' })
  administrator?: string;

  @Nested(() => WindowDto, {
    array: true,
    required: false,
    once: ['code'],
    example: [{ code: 'pacific', name: 'Pacific window' }],
  })
  windows?: WindowDto[];

  @Nested(() => FeeRateDto, {
    array: true,
    required: false,
    once: ['code'],
    example: [{ code: 'administration', percent: '7', base: 'contributions' }],
  })
  feeRates?: FeeRateDto[];

  @CodeList(['received', 'signed'], { required: false, description: 'received unless told' })
  capacityBasis?: 'received' | 'signed';

  @QuantityField({ ...MONEY, positive: false, required: false, description: 'Never allocated', example: USD })
  reserve?: Quantity;

  @Nested(() => FundPeriodDto, { array: true, required: false, description: 'Accounting periods' })
  @Periods()
  periods?: FundPeriodDto[];
}

export class EstablishFundDto extends FundFieldsDto {
  @PartyIdField({ kinds: ['fund'], example: 'fund:unscar' })
  fund!: string;

  @Nested(() => DecidingBodyDto)
  decidingBody!: DecidingBodyDto;

  @CodeList(ACTIVE_CURRENCIES, { example: 'USD' })
  currency!: string;
}

export class AmendFundDto extends FundFieldsDto {
  @Nested(() => DecidingBodyDto, { required: false })
  decidingBody?: DecidingBodyDto;

  @CodeList(ACTIVE_CURRENCIES, { required: false, example: 'USD' })
  currency?: string;
}

export class BookingDto {
  @CodeList(BOOKINGS, { example: 'fee' })
  kind!: BookingKind;

  @CodeList(['gain', 'loss'], { required: false, description: 'Of an exchange difference, which must say it' })
  @OnlyWhere('kind', 'exchange-difference')
  effect?: 'gain' | 'loss';

  @QuantityField({ ...MONEY, example: { measure: 'money', currency: 'USD', amount: '12600.00' } })
  amount!: Quantity;

  @Text({
    max: 40,
    required: false,
    description: 'Of a fee: code of the rate it was taken at',
    example: 'administration',
  })
  @OnlyWhere('kind', 'fee')
  @Beside('base')
  rate?: string;

  @QuantityField({ ...MONEY, required: false, description: 'Of a fee: what it was taken of', example: USD })
  @OnlyWhere('kind', 'fee')
  @Beside('rate')
  base?: Quantity;

  @PartyIdField({ required: false })
  counterparty?: string;

  @DateField()
  date!: string;

  @Text({ max: 300, required: false })
  reference?: string;

  @Nested(() => FundDocumentDto, { required: false })
  document?: FundDocumentDto;
}

class AllocationDto {
  @NeedId()
  needId!: string;

  @Code((value) => typeof value === 'string' && isUuid(value), 'the id of a call', { required: false })
  @Beside('application')
  call?: string;

  @WholeNumber({ min: 1, required: false, description: 'The application to that call' })
  @Beside('call')
  application?: number;

  @QuantityField({ ...MONEY, example: USD })
  amount!: Quantity;
}

class InterestDto {
  @PartyIdField()
  party!: string;

  @Text({ example: 'The need is of its own State' })
  declaration!: string;

  @Flag({ description: 'It took no part in the decision' })
  recused!: boolean;
}

export class DecisionDto {
  @Title({ description: 'Who decided', example: 'Selection committee' })
  body!: string;

  @DateField()
  date!: string;

  @Text({ max: 300, example: 'Minutes 3/2026' })
  reference!: string;

  @Text({ max: 40, required: false, example: 'pacific' })
  window?: string;

  @Nested(() => AllocationDto, { array: true, min: 1, once: ['needId'] })
  allocations!: AllocationDto[];

  @Nested(() => InterestDto, { array: true, required: false, once: ['party'] })
  interests?: InterestDto[];

  @Nested(() => FundDocumentDto, { array: true, required: false, once: ['kind', 'title', 'sha256', 'label'] })
  documents?: FundDocumentDto[];
}

export class ReleaseDto {
  @Code((value) => typeof value === 'string' && isUuid(value), 'the id of a need', {
    required: false,
    description: 'Of one need; of the whole decision unless told',
  })
  needId?: string;

  @Text({ required: false })
  reason?: string;
}

export class ClosePeriodDto {
  @PeriodField({ example: { from: '2025-01-01', to: '2025-12-31' } })
  period!: FundPeriod;
}

export class AttachDocumentDto {
  @Nested(() => FundDocumentDto)
  document!: FundDocumentDto;
}

export class FundListQuery extends ListQuery {
  @CodeList(ACTIVE_CURRENCIES, { required: false })
  currency?: string;
}

export class AttributionQuery {
  @DateField({ required: false, description: 'Received and decided on this day or later' })
  from?: string;

  @DateField({ required: false, description: 'Received and decided on this day or before' })
  @NotBefore('from')
  to?: string;
}

class EarmarkDto {
  @CodeList(KINDS, { array: true, required: false })
  kinds?: Kind[];

  @Code((value) => isState(value) || isPartyId(value), 'a State code such as VUT or a party id such as state:VUT', {
    array: true,
    required: false,
    example: ['VUT'],
  })
  beneficiaries?: string[];

  @Code(isRegion, 'a UN M49 region code such as 009', { array: true, required: false, example: ['009'] })
  regions?: string[];

  @Text({ required: false })
  text?: string;
}

class PlannedPartDto {
  @DateField()
  due!: string;

  @QuantityField({ ...MONEY, example: USD })
  amount!: Quantity;
}

/** The parts of a schedule are in the currency of the whole and sum to it. */
const SumsToAmount = (): PropertyDecorator =>
  Checked({
    name: 'sum',
    required: false,
    schema: {},
    faults: (value, dto) => {
      const whole = parseQuantity((dto as { readonly amount?: unknown }).amount, MONEY);
      const parts = (
        Array.isArray(value) ? (value as readonly ({ readonly amount?: unknown } | null | undefined)[]) : []
      ).map((part) => parseQuantity(part?.amount, MONEY));
      if (!whole.ok || parts.some(({ ok }) => !ok)) return [];
      const amounts = parts.flatMap((part) => (part.ok ? [part.value] : []));
      if (amounts.some((amount) => !sameMeasure(amount, whole.value)))
        return fault('must be in the currency of amount');
      const sum = amounts.reduce((total, amount) => total + minorUnits(amount), 0n);
      return sum === minorUnits(whole.value) ? [] : fault('must sum to amount');
    },
  });

export class PledgeDto {
  @PartyIdField({ kinds: ['fund'], example: 'fund:unscar' })
  fund!: string;

  @QuantityField({ ...MONEY, example: USD })
  amount!: Quantity;

  @Text({ max: 40, required: false, description: 'Code of one of the fund’s windows', example: 'pacific' })
  window?: string;

  @Nested(() => EarmarkDto, { required: false })
  earmark?: EarmarkDto;

  @Nested(() => PlannedPartDto, { array: true, min: 1, required: false })
  @SumsToAmount()
  schedule?: PlannedPartDto[];

  @DateField({ required: false, description: 'Today unless told' })
  date?: string;

  @Text({ max: 300, required: false })
  reference?: string;

  @Nested(() => FundDocumentDto, { array: true, required: false, once: ['kind', 'title', 'sha256', 'label'] })
  documents?: FundDocumentDto[];

  @CodeList(LABELS, {
    required: false,
    description: 'members unless told; named is the two sides and who keeps the fund',
  })
  visibility?: Visibility;
}

class WorthDto {
  @QuantityField({ ...MONEY, example: USD })
  quantity!: Quantity;

  @DecimalText({ as: 'rate', example: '1.08' })
  rate!: string;

  @Title({ example: 'ECB reference rate' })
  source!: string;
}

export class SignContributionDto {
  @DateField({ required: false, description: 'Today unless told' })
  date?: string;

  @Text({ max: 300, required: false })
  reference?: string;

  @Nested(() => WorthDto, { required: false, description: 'Worth in the fund’s currency where it is given in another' })
  valued?: WorthDto;
}

export class PaymentDto {
  @QuantityField({ ...MONEY, example: USD })
  amount!: Quantity;

  @DateField()
  date!: string;

  @Text({ max: 300, required: false })
  reference?: string;
}

/** Money that is booked in the fund's currency where it came in another. */
class BookedDto extends PaymentDto {
  @QuantityField({ ...MONEY, required: false, description: 'In the fund’s currency, where that is another' })
  @Beside('rate')
  credited?: Quantity;

  @DecimalText({ as: 'rate', required: false, description: 'Booked units per unit that arrived' })
  @Beside('credited')
  rate?: string;
}

export class ArrivalDto extends BookedDto {
  @WholeNumber({ min: 1, required: false, description: 'The payment it answers' })
  payment?: number;

  @QuantityField({ ...MONEY, required: false, description: 'What the way cost, in the currency that arrived' })
  charges?: Quantity;
}

export class RefundDto extends BookedDto {}

export class ContributionListQuery extends ListQuery {
  @PartyIdField({ kinds: ['fund'], required: false })
  fund?: string;

  @PartyIdField({ required: false })
  donor?: string;

  @CodeList(STATUSES, { required: false })
  status?: ContributionStatus;

  @DateField({ required: false, description: 'Pledged on this day or later' })
  from?: string;

  @DateField({ required: false, description: 'Pledged on this day or before' })
  @NotBefore('from')
  to?: string;
}

class CriterionDto {
  @Text({ max: 40, example: 'urgency' })
  code!: string;

  @Text({ example: 'Urgency of the need' })
  text!: string;

  @DecimalText({ required: false, example: '0.4' })
  weight?: string;
}

export class AnnounceCallDto {
  @PartyIdField({ kinds: ['fund'], example: 'fund:unscar' })
  fund!: string;

  @Title({ example: 'Call for the Pacific 2027' })
  title!: string;

  @Text({ max: 40, required: false, example: 'pacific' })
  window?: string;

  @DateField({ example: '2027-01-01' })
  opens!: string;

  @DateField({ example: '2027-02-28' })
  @NotBefore('opens')
  closes!: string;

  @QuantityField({ ...MONEY, required: false, description: 'Most that one application may ask', example: USD })
  ceiling?: Quantity;

  @Nested(() => CriterionDto, { array: true, required: false, once: ['code'] })
  criteria?: CriterionDto[];

  @Nested(() => FundDocumentDto, { array: true, required: false, once: ['kind', 'title', 'sha256', 'label'] })
  documents?: FundDocumentDto[];

  @CodeList(LABELS, { required: false, description: 'members unless told' })
  visibility?: Visibility;
}

export class CallListQuery extends ListQuery {
  @PartyIdField({ kinds: ['fund'], required: false })
  fund?: string;

  @CodeList(CALL_STATUSES, { required: false })
  status?: CallStatus;
}

export class ApplyDto {
  @NeedId()
  needId!: string;

  @QuantityField({ ...MONEY, example: USD })
  amount!: Quantity;
}

export class ScreenDto {
  @Flag()
  eligible!: boolean;

  @Text({ required: false })
  reason?: string;
}

export class RankDto {
  @WholeNumber({ min: 1, description: '1 is the first' })
  rank!: number;

  @Text({ required: false })
  note?: string;
}

class DeclineReasonDto {
  @CodeList(REFUSAL_REASONS, { example: 'budget' })
  code!: RefusalReasonCode;

  @Text({ required: false })
  note?: string;

  @CodeList(NOTE_AUDIENCES, { required: false })
  noteFor?: NoteAudience;
}

const needed = (value: unknown, name: string, field: string): readonly Fault[] =>
  value === undefined ? fault(`is ${field}: say which ${name}`) : [];

export class DecideApplicationDto {
  @CodeList(['approved', 'declined'])
  @Checked({
    name: 'with',
    schema: {},
    faults: (value, dto) => {
      const { decision, reason } = dto as DecideApplicationDto;
      if (value === 'approved') return needed(decision, 'decision of the fund (decision)', 'approved');
      return value === 'declined' ? needed(reason, 'reason', 'declined') : [];
    },
  })
  outcome!: 'approved' | 'declined';

  @WholeNumber({ min: 1, required: false, description: 'With approved: the number of the fund’s decision', example: 3 })
  @OnlyWhere('outcome', 'approved')
  decision?: number;

  @Nested(() => DeclineReasonDto, { required: false, description: 'With declined' })
  @OnlyWhere('outcome', 'declined')
  reason?: DeclineReasonDto;
}

/** What JSON keeps of a DTO: no prototypes, no fields left out. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** A quantity as every event holds it, wherever it stands in a body. It was checked with the body. */
const canonicalised = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonicalised);
  if (typeof value !== 'object' || value === null) return value;
  if ('measure' in value) {
    const parsed = parseQuantity(value, { positive: false });
    if (!parsed.ok) throw new Error('a quantity reached its use unchecked');
    return parsed.value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, canonicalised(inner)]));
};

// The caller names the shape that the checks of the body have made certain.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- stands for a cast at every use
const told = <T>(dto: object): T => canonicalised(plain(dto)) as T;

const inOrder = (periods: readonly FundPeriod[]): readonly FundPeriod[] =>
  [...periods].sort((a, b) => (a.from < b.from ? -1 : 1));

/** The terms that a body asks for, with the defaults of what it leaves out. */
export const termsOf = ({ fund: _, ...dto }: EstablishFundDto): FundTerms => {
  const { periods = [], ...terms } = told<Partial<FundTerms> & Pick<FundTerms, 'decidingBody' | 'currency'>>(dto);
  return { windows: [], feeRates: [], capacityBasis: 'received', ...terms, periods: inOrder(periods) };
};

export const termChangesOf = (dto: AmendFundDto): Partial<FundTerms> => {
  const { periods, ...terms } = told<Partial<FundTerms>>(dto);
  return { ...terms, ...(periods === undefined ? {} : { periods: inOrder(periods) }) };
};

type DataOf<T extends FundEvent['type']> = Extract<FundEvent, { type: T }>['data'];

/** What a kind of booking does to the balance; an exchange difference says it itself. */
const EFFECTS = { interest: 'gain', 'programme-income': 'gain', fee: 'loss', 'bank-charge': 'loss' } as const;

export const bookingOf = (dto: BookingDto): Omit<DataOf<'FundBooked'>, 'n'> => {
  const { effect, ...booking } = told<
    Omit<DataOf<'FundBooked'>, 'n' | 'effect'> & { readonly effect?: 'gain' | 'loss' }
  >(dto);
  return { ...booking, effect: booking.kind === 'exchange-difference' ? (effect ?? 'loss') : EFFECTS[booking.kind] };
};

export const decisionOf = (dto: DecisionDto): Omit<DataOf<'AllocationDecided'>, 'n'> => ({
  interests: [],
  ...told<Omit<DataOf<'AllocationDecided'>, 'n' | 'interests'> & { readonly allocations: readonly Allocation[] }>(dto),
});

export const documentOf = ({ document }: AttachDocumentDto): FundDocument => told<FundDocument>(document);

/** The pledge that a body makes, on this day where it names none. */
export const pledgeOf = (dto: PledgeDto, today: string): Omit<Pledge, 'donor'> => ({
  date: today,
  visibility: 'members',
  ...told<Omit<Pledge, 'donor' | 'date' | 'visibility'>>(dto),
});

export const callOf = (dto: AnnounceCallDto): CallContent => ({
  criteria: [],
  visibility: 'members',
  ...told<Omit<CallContent, 'criteria' | 'visibility'>>(dto),
});

/** Any other body as its event holds it. */
export const bodyOf = told;
