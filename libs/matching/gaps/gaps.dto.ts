import type { InstrumentCode, Kind, Measure } from '#vocabulary';
import { currencyOf, INSTRUMENT_WORDS, isInstrument, isRegion, KINDS, MEASURES } from '#vocabulary';
import { AsOfField, Checked, Code, CodeList, PartyIdField, StateCode } from '#web';
import type { Dimension } from './cells.js';
import { DIMENSIONS } from './cells.js';

const isDimension = (name: string): name is Dimension => (DIMENSIONS as readonly string[]).includes(name);

/** What is wrong with `by`, naming the fix; undefined where it is fine. */
const byFault = (value: unknown): string | undefined => {
  if (typeof value !== 'string') return `must be given once, as ${DIMENSIONS.join(',')} or fewer of them`;
  const names = value.split(',');
  const strange = names.filter((name) => !isDimension(name));
  if (strange.length > 0) {
    return `must name dimensions out of ${DIMENSIONS.join(', ')} with commas between, not ${JSON.stringify(strange.join(','))}`;
  }
  return new Set(names).size === names.length ? undefined : 'must name each dimension once';
};

/** The dimensions of a `by` that was checked; none where it is absent. */
export const dimensionsOf = (by: string | undefined): readonly Dimension[] =>
  by === undefined ? [] : by.split(',').filter(isDimension);

const isCurrency = (value: unknown): boolean => typeof value === 'string' && currencyOf(value) !== undefined;

/** What lines are laid out by, which are counted, and when. */
export class GapsQuery {
  @Checked({
    name: 'by',
    required: false,
    schema: { type: 'string', pattern: `^(${DIMENSIONS.join('|')})(,(${DIMENSIONS.join('|')}))*$` },
    description: `Any of ${DIMENSIONS.join(', ')}, in any order; without it one cell per measure, currency and unit`,
    example: 'kind,region',
    faults: (value) => {
      const message = byFault(value);
      return message === undefined ? [] : [{ path: '', message }];
    },
  })
  by?: string;

  @CodeList(MEASURES, { required: false, description: 'Only lines in this measure' })
  measure?: Measure;

  @Code(isCurrency, 'an ISO 4217 code in capitals, such as USD', {
    required: false,
    description: 'Only lines of money in this currency',
  })
  currency?: string;

  @StateCode({ required: false, description: 'Needs of this State; offers whose earmark admits it' })
  state?: string;

  @Code(isRegion, 'a UN M49 region code such as 009', { required: false })
  region?: string;

  @PartyIdField({ kinds: ['network'], required: false })
  network?: string;

  @CodeList(KINDS, { required: false, description: 'Only lines of this kind' })
  kind?: Kind;

  @Code(isInstrument, INSTRUMENT_WORDS, { required: false })
  instrument?: InstrumentCode;

  @AsOfField()
  at?: string;
}

/** The same of offers. */
export class UnusedQuery extends GapsQuery {
  @PartyIdField({ required: false, description: 'A provider', example: 'donor:japan' })
  donor?: string;

  @CodeList(['open', 'suspended'], { required: false, description: 'Both unless told' })
  status?: 'open' | 'suspended';
}
