import type { InstrumentCode, Kind } from '#vocabulary';
import { isInstrument, isRegion, isState, KINDS } from '#vocabulary';
import {
  AlsoChecked,
  Code,
  CodeList,
  DateField,
  DecimalText,
  ListQuery,
  Nested,
  PartyIdField,
  QuantityField,
  requireForward,
  Text,
  WholeNumber,
} from '#web';
import type { AllocationBudget, AllocationFloor, AllocationOrder } from './allocation.contract.js';
import { ALLOCATION_STATUSES } from './allocation.js';
import type { AllocationStatus } from './allocation.js';

const GREATEST_SEED = 2 ** 31 - 1;

/** Exactly one of these fields is to be there. */
const OneOf = (...names: readonly [string, string]): PropertyDecorator =>
  AlsoChecked({
    name: 'one-of',
    faults: (_value, dto) => {
      const given = names.filter((name) => (dto as Readonly<Record<string, unknown>>)[name] !== undefined);
      return given.length === 1 ? [] : [{ path: '', message: `give ${names[0]} or ${names[1]}, not both` }];
    },
  });

class ScopeDto {
  @Code(isState, 'an ISO 3166-1 alpha-3 code such as VUT', { required: false })
  state?: string;

  @Code(isRegion, 'a UN M49 region code such as 009', { required: false })
  region?: string;

  @PartyIdField({ kinds: ['network'], required: false })
  network?: string;

  @CodeList(KINDS, { required: false, description: 'Only lines of this kind' })
  kind?: Kind;

  @Code(isInstrument, 'an instrument such as ATT', { required: false })
  instrument?: InstrumentCode;

  @DateField({
    required: false,
    description: 'Needs whose period reaches this day or later, and those that state none',
  })
  from?: string;

  @DateField({
    required: false,
    description: 'Needs whose period begins on this day or before, and those that state none',
  })
  to?: string;
}

class FloorDto {
  @Code(isState, 'an ISO 3166-1 alpha-3 code such as VUT', { required: false })
  state?: string;

  @Code(isRegion, 'a UN M49 region code such as 009', { required: false })
  region?: string;

  @OneOf('state', 'region')
  @DecimalText({
    as: 'share',
    scale: 6,
    description: 'Of what is outstanding there, in each measure by itself',
    example: '0.25',
  })
  share!: string;
}

class BudgetDto {
  @PartyIdField({ kinds: ['donor', 'fund', 'agency', 'network', 'state'], required: false })
  donor?: string;

  @CodeList(KINDS, { required: false })
  kind?: Kind;

  @OneOf('donor', 'kind')
  @QuantityField({
    determinate: true,
    description: 'At most so much from the offers of the donor, or to needs of the kind, in this measure',
    example: { measure: 'money', currency: 'USD', amount: '180000.00' },
  })
  quantity!: AllocationBudget['quantity'];
}

export class RequestAllocationDto {
  @Nested(() => ScopeDto, { required: false, description: 'Which open needs take part; absent means all' })
  scope?: ScopeDto;

  @CodeList(['max-min', 'max-value'], {
    description:
      '`max-value`: the greatest sum over the need lines of weight × score × share that is met. `max-min`: first the greatest share that every line can get, then the greatest value that leaves each that share',
  })
  objective!: AllocationOrder['objective'];

  @Nested(() => FloorDto, { array: true, max: 200, required: false, once: ['state', 'region'] })
  floors?: FloorDto[];

  @Nested(() => BudgetDto, {
    array: true,
    max: 200,
    required: false,
    once: ['donor', 'kind', 'quantity.measure', 'quantity.currency', 'quantity.unit'],
  })
  budgets?: BudgetDto[];

  @CodeList(KINDS, {
    array: true,
    required: false,
    description: 'Kinds of which each line is to be served by one offer line only',
  })
  singleSource?: Kind[];

  @WholeNumber({
    max: GREATEST_SEED,
    required: false,
    description: 'Fixes what the solver chooses by chance; 0 unless told',
  })
  seed?: number;
}

class PairDto {
  @Text({ max: 100, example: '019b8d00-0000-7000-8000-00000000000a' })
  needId!: string;

  @WholeNumber({ min: 1, example: 1 })
  needLine!: number;

  @Text({ max: 100, example: '019b8d00-0000-7000-8000-00000000000b' })
  offerId!: string;

  @WholeNumber({ min: 1, example: 1 })
  offerLine!: number;
}

export class ShareAllocationDto {
  @PartyIdField({
    kinds: ['donor', 'fund', 'agency', 'network', 'state', 'authority'],
    description: 'A provider of offers of the run',
    example: 'donor:japan',
  })
  party!: string;

  @Nested(() => PairDto, {
    array: true,
    min: 1,
    max: 1000,
    required: false,
    once: ['needId', 'needLine', 'offerId', 'offerLine'],
    description: 'Pairs of the run, as `…/pairs` shows them; all that are the party’s unless told',
  })
  pairs?: PairDto[];

  @Text({ max: 1000, required: false, description: 'To the party, beside each of its suggestions' })
  note?: string;
}

/** The order that a checked body makes. @param within what the body is a part of, as faults name it @throws {Problem} 400 */
export const orderOf = (body: RequestAllocationDto, within = ''): AllocationOrder => {
  const { scope, objective, floors = [], budgets = [], singleSource, seed = 0 } = body;
  requireForward(scope ?? {}, `${within}scope.to`);
  return {
    scope: Object.fromEntries(Object.entries(scope ?? {}).filter(([, value]) => value !== undefined)),
    objective,
    floors: floors.map(
      ({ state, region, share }) => ({ ...(state === undefined ? { region } : { state }), share }) as AllocationFloor,
    ),
    budgets: budgets.map(
      ({ donor, kind, quantity }) =>
        ({ ...(donor === undefined ? { kind } : { donor }), quantity }) as AllocationBudget,
    ),
    ...(singleSource === undefined ? {} : { singleSource }),
    seed,
  };
};

export class AllocationListQuery extends ListQuery {
  @CodeList(ALLOCATION_STATUSES, { required: false })
  status?: AllocationStatus;
}
