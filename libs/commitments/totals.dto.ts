import {
  currencyOf,
  INSTRUMENT_WORDS,
  isInstrument,
  isRegion,
  KINDS,
  type InstrumentCode,
  type Kind,
} from '#vocabulary';
import type { ClockName } from '#web';
import { AsOfField, ClockField, Code, CodeList, DateField, PartyIdField, StateCode, Text, WholeNumber } from '#web';
import type { Figure } from './totals-figures.js';
import { FIGURES } from './totals-figures.js';

const isCurrency = (value: unknown): boolean => typeof value === 'string' && currencyOf(value) !== undefined;

/** What totals are asked for. */
export class TotalsQuery {
  @PartyIdField({ required: false, description: 'A provider', example: 'donor:japan' })
  donor?: string;

  @StateCode({ required: false, description: 'A beneficiary' })
  state?: string;

  @Code(isRegion, 'a UN M49 region code such as 009', { required: false })
  region?: string;

  @PartyIdField({ kinds: ['network'], required: false })
  network?: string;

  @CodeList(KINDS, { required: false, description: 'Kind of the need line' })
  kind?: Kind;

  @Code(isInstrument, INSTRUMENT_WORDS, { required: false })
  instrument?: InstrumentCode;

  @DateField({ required: false, description: 'Effective on this day or later' })
  from?: string;

  @DateField({ required: false, description: 'Effective on this day or before' })
  to?: string;

  @Code(isCurrency, 'an ISO 4217 code in capitals, such as USD', {
    required: false,
    description: 'Only this currency, and what a recorded rate or valuation says is worth something in it',
  })
  currency?: string;

  @AsOfField()
  at?: string;

  @ClockField()
  clock?: ClockName;
}

/** The same, page by page. */
export class TotalsEventsQuery extends TotalsQuery {
  @CodeList(FIGURES, { required: false, description: 'All four unless told' })
  figure?: Figure;

  @WholeNumber({ min: 1, max: 200, query: true, required: false, description: 'Items on a page, 50 unless told' })
  limit?: number;

  @Text({ max: 4_000, required: false, description: 'The `next` of the page before' })
  cursor?: string;
}
