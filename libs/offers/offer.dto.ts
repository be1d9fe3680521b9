import {
  addDecimals,
  compareDecimals,
  decimal,
  DOCUMENT_KINDS,
  EARMARK_LEVELS,
  IMPLEMENTER_TYPES,
  isDeterminate,
  INSTRUMENT_WORDS,
  isInstrument,
  isLanguage,
  isPartyId,
  isRegion,
  isState,
  isUnlimited,
  KINDS,
  minorUnits,
  OFFER_CONDITIONS,
  parseQuantity,
  partyKind,
  percentFault,
  VISIBILITIES,
  type ImplementerType,
  type Kind,
  type EarmarkLevel,
  type Fault,
  type InstrumentCode,
  type PartyKind,
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

const STATUSES: readonly OfferStatus[] = ['draft', 'open', 'suspended', 'closed'];

/** Kinds of parties that have a desk to offer from. */
const PROVIDER_KINDS: readonly PartyKind[] = ['donor', 'fund', 'state', 'agency', 'network'];
const MAX_PROVIDERS = 100;

/** The providers of a joint offer: each once, and of what shares are published no more than the whole. */
const providersFaults = (value: unknown): readonly Fault[] => {
  if (!Array.isArray(value)) return [{ path: '', message: 'must be a list' }];
  if (value.length === 0) return [{ path: '', message: 'must not be empty' }];
  if (value.length > MAX_PROVIDERS) return [{ path: '', message: `must have at most ${MAX_PROVIDERS} elements` }];
  const faults: Fault[] = [];
  const seen = new Set<unknown>();
  let total = decimal('0');
  (value as readonly unknown[]).forEach((entry, index) => {
    const fault = (path: string, message: string): void => {
      faults.push({ path: `[${index}]${path}`, message });
    };
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      fault('', 'must be an object such as {"party":"donor:japan","share":"60"}');
      return;
    }
    const { party, share, ...unknown } = entry as Record<string, unknown>;
    if (!isPartyId(party) || !PROVIDER_KINDS.includes(partyKind(party))) {
      fault('.party', `must be the id of a party that offers (${PROVIDER_KINDS.join(', ')}), such as donor:japan`);
    } else if (seen.has(party)) fault('.party', 'stands here twice: name it once');
    seen.add(party);
    if (share !== undefined) {
      const wrong = percentFault(share);
      if (wrong !== undefined) fault('.share', wrong);
      else {
        total = addDecimals(total, decimal(share as string));
        if (compareDecimals(total, decimal('100')) > 0) {
          fault('.share', 'makes the shares more than 100 percent of the whole');
        }
      }
    }
    for (const name of Object.keys(unknown)) fault(`.${name}`, 'unknown field; known fields are party, share');
  });
  return faults;
};

const DECIMAL = /^[0-9]{1,15}(\.[0-9]+)?$/;

/** The smallest lot is an amount of the line's own measure, and fits into its capacity. */
const lotFaults = (value: unknown, dto: object): readonly Fault[] => {
  const fault = (message: string): readonly Fault[] => [{ path: '', message }];
  const parsed = parseQuantity((dto as { readonly capacity?: unknown }).capacity);
  // The capacity's own faults are told where they are.
  if (!parsed.ok) {
    return typeof value === 'string' && DECIMAL.test(value) ? [] : fault('must be a decimal string such as 5000.00');
  }
  const capacity = parsed.value;
  if (!isDeterminate(capacity)) return fault('must be left out where the capacity is undetermined');
  const lot = parseQuantity({ ...capacity, amount: value }, { unlimited: false });
  if (!lot.ok) return lot.faults.map(({ message }) => ({ path: '', message }));
  return !isUnlimited(capacity) && minorUnits(lot.value) > minorUnits(capacity)
    ? fault(`must be at most the capacity of the line (${capacity.amount})`)
    : [];
};

export class OfferLineDto {
  @CodeList(KINDS, { array: true, min: 1, example: ['training'] })
  kinds!: Kind[];

  @Text({ required: false })
  description?: string;

  @QuantityField({ example: { measure: 'money', currency: 'USD', amount: '180000.00' } })
  capacity!: Quantity;

  @Checked({
    name: 'minimumLot',
    required: false,
    schema: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' },
    description: 'The least that one commitment may draw, in the measure of the capacity',
    example: '5000.00',
    faults: lotFaults,
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

  @Code(isInstrument, INSTRUMENT_WORDS, {
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
    schema: {
      type: 'array',
      items: {
        type: 'object',
        properties: { party: { type: 'string' }, share: { type: 'string', description: 'Percent of the whole' } },
        required: ['party'],
      },
      minItems: 1,
      maxItems: MAX_PROVIDERS,
    },
    description:
      'A joint offer: its lead is the caller, who must be among them. A split that is not published stays undivided',
    faults: providersFaults,
  })
  providers?: { party: string; share?: string }[];

  @Nested(() => OfferEarmarkDto, { required: false })
  earmark?: OfferEarmarkDto;

  @Nested(() => OfferConditionDto, { array: true, required: false, once: ['code', 'percent', 'text'] })
  conditions?: OfferConditionDto[];

  @PeriodField({ required: false, example: { from: '2027-01-01', to: '2027-12-31' } })
  period?: OfferPeriodDto;

  @Code(isLanguage, 'a language tag such as en', { array: true, required: false, example: ['en'] })
  languages?: string[];

  @Nested(() => OfferDocumentDto, { array: true, required: false, once: ['kind', 'title', 'sha256', 'label'] })
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

  @Nested(() => AmendedOfferLineDto, { array: true, min: 1, required: false, once: ['line'] })
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

  @Code(isInstrument, INSTRUMENT_WORDS, { required: false })
  instrument?: InstrumentCode;

  @CodeList(STATUSES, { required: false })
  status?: OfferStatus;

  @CodeList(VISIBILITIES, { required: false })
  visibility?: Visibility;

  @PartyIdField({ required: false, description: 'One of the providers' })
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

const lineOf = ({ kinds, description, capacity, minimumLot }: OfferLineDto): Omit<OfferLine, 'line'> => ({
  kinds,
  ...(description === undefined ? {} : { description }),
  capacity: canonical(capacity),
  ...(minimumLot === undefined ? {} : { minimumLot: canonicalAmount(capacity, minimumLot) }),
});

/** An amount of `like`'s measure as every event holds it. */
const canonicalAmount = (like: Quantity, amount: string): string => {
  const lot = canonical({ ...like, amount } as Quantity);
  return isDeterminate(lot) ? lot.amount : amount;
};

/** The providers with the lead first; nothing where the lead stands alone and publishes no share. */
const providersOf = (
  providers: OfferContent['providers'],
  lead: string,
): { readonly providers?: NonNullable<OfferContent['providers']> } => {
  const own = providers?.filter(({ party }) => party === lead) ?? [];
  const others = providers?.filter(({ party }) => party !== lead) ?? [];
  return others.length === 0 && own[0]?.share === undefined ? {} : { providers: [...own, ...others] };
};

/** The content that a body asks for, with the defaults of what it leaves out. */
export const contentOf = (dto: Pick<PostOfferDto, keyof PostOfferDto>, lead: string): OfferContent => {
  const { draft: _, providers, lines, ...rest } = dto;
  const defaults = { earmark: {}, conditions: [], visibility: 'members', named: [] };
  return plain<object>({
    ...defaults,
    ...rest,
    ...providersOf(providers, lead),
    lines: lines.map((line, index) => ({ line: index + 1, ...lineOf(line) })),
  }) as OfferContent;
};

/** What an amendment changes. */
export const changesOf = ({ providers, lines, ...rest }: AmendOfferDto, lead: string): OfferChanges =>
  plain({
    ...rest,
    // The lead alone is told too: it may have been a joint offer.
    ...(providers === undefined ? {} : { providers: providersOf(providers, lead).providers ?? [{ party: lead }] }),
    ...(lines === undefined
      ? {}
      : {
          lines: lines.map((line) => ({ ...(line.line === undefined ? {} : { line: line.line }), ...lineOf(line) })),
        }),
  });
