import type { Fault } from '#vocabulary';
import { currencyOf, parseQuantity } from '#vocabulary';
import { Checked, Code, DateField, DecimalText, ListQuery, Nested, Text } from '#web';

/** Most days in one request; a year's file goes in five. */
const MAX_DAYS = 60;

const isCurrency = (value: unknown): boolean => currencyOf(value) !== undefined;
const isSource = (value: unknown): boolean => typeof value === 'string' && /^[a-z0-9][a-z0-9-]{0,39}$/.test(value);

const A_CURRENCY = 'an ISO 4217 code such as USD';
const A_SOURCE = 'a slug of at most 40 characters such as ecb';

const at = (path: string, message: string): Fault => ({ path, message });

export class PublishedRateDto {
  @Code(isCurrency, A_CURRENCY, { example: 'USD' })
  currency!: string;

  @DecimalText({ as: 'rate', example: '1.0472' })
  rate!: string;
}

/** No currency twice, and never the base against itself. */
const listFaults = (rates: unknown): readonly Fault[] => {
  if (!Array.isArray(rates)) return [];
  const seen = new Set<unknown>();
  return rates.flatMap((each: unknown, index): Fault[] => {
    const currency = (each as { readonly currency?: unknown } | null)?.currency;
    const twice = currency !== undefined && seen.has(currency);
    seen.add(currency);
    return twice ? [at(`[${index}].currency`, 'stands in the list already')] : [];
  });
};

export class DayOfRatesDto {
  @DateField({ example: '2025-01-24' })
  on!: string;

  @Nested(() => PublishedRateDto, { array: true, min: 1 })
  @Checked({ name: 'once', schema: {}, faults: listFaults })
  rates!: PublishedRateDto[];
}

const dayFaults = (value: unknown, dto: object): readonly Fault[] => {
  const { on, rates } = dto as RatesDto;
  if (on !== undefined || rates !== undefined) return [at('', 'stands instead of on and rates: send one or the other')];
  if (!Array.isArray(value)) return [];
  const dates = value.map((day: unknown) => (day as { readonly on?: unknown } | null)?.on);
  const [first] = dates;
  const faults: Fault[] = [];
  dates.forEach((day, index) => {
    if (dates.indexOf(day) < index) faults.push(at(`[${index}].on`, 'stands in the list already'));
    else if (String(day).slice(0, 4) !== String(first).slice(0, 4)) {
      faults.push(at(`[${index}].on`, 'must be of the same year as the first: send each year by itself'));
    }
  });
  return faults;
};

export class RatesDto {
  @Code(isSource, A_SOURCE, { example: 'ecb' })
  source!: string;

  @Text({ max: 300, description: 'Where it was published', example: 'ECB euro foreign exchange reference rates' })
  reference!: string;

  @Code(isCurrency, A_CURRENCY, { description: 'What one unit of is worth `rate` units', example: 'EUR' })
  @Checked({
    name: 'days',
    schema: {},
    faults: (_value, dto) => {
      const { days, on, rates } = dto as RatesDto;
      return days === undefined && (on === undefined || rates === undefined)
        ? [at('', 'rates come with on and rates, or with days')]
        : [];
    },
  })
  base!: string;

  @DateField({ required: false, example: '2025-01-24' })
  on?: string;

  @Nested(() => PublishedRateDto, {
    array: true,
    min: 1,
    required: false,
    example: [{ currency: 'USD', rate: '1.0472' }],
  })
  @Checked({ name: 'once', required: false, schema: {}, faults: listFaults })
  rates?: PublishedRateDto[];

  @Nested(() => DayOfRatesDto, {
    array: true,
    min: 1,
    max: MAX_DAYS,
    required: false,
    description: 'Several days of one year, instead of on and rates',
  })
  @Checked({ name: 'days', required: false, schema: {}, faults: dayFaults })
  days?: DayOfRatesDto[];
}

/** Parameters of the register. */
export class RatesQuery extends ListQuery {
  @Code(isSource, A_SOURCE, { required: false })
  source?: string;

  @Code(isCurrency, A_CURRENCY, { required: false })
  base?: string;

  @Code(isCurrency, A_CURRENCY, { required: false })
  currency?: string;

  @DateField({ required: false })
  on?: string;

  @DateField({ required: false })
  from?: string;

  @DateField({ required: false })
  to?: string;
}

/** What no amount of money may be, in this currency or, while that is unknown, in any. */
const amountFaults = (from: unknown, amount: unknown): readonly Fault[] => {
  // CLF has the finest minor unit of all.
  const currency = isCurrency(from) ? from : 'CLF';
  const parsed = parseQuantity({ measure: 'money', currency, amount }, { published: true });
  return parsed.ok ? [] : parsed.faults.map(({ message }) => at('', message));
};

/** Parameters of a conversion. */
export class ConvertQuery {
  @Code(isCurrency, A_CURRENCY, { example: 'USD' })
  from!: string;

  @Code(isCurrency, A_CURRENCY, { example: 'EUR' })
  to!: string;

  @DateField({ example: '2025-01-24' })
  on!: string;

  @Checked({
    name: 'amount',
    required: false,
    schema: { type: 'string', pattern: '^(0|[1-9][0-9]*)(\\.[0-9]+)?$' },
    faults: (amount, dto) => amountFaults((dto as ConvertQuery).from, amount),
    description: 'Units of `from`, no finer than its minor unit',
    example: '1000.00',
  })
  amount?: string;

  @Code(isSource, A_SOURCE, { required: false, description: 'Needed where several sources have a rate' })
  source?: string;
}
