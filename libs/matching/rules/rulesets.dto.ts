import type { Fault } from '#vocabulary';
import { readDecimal } from '#vocabulary';
import { Checked, Nested, Text, DecimalText } from '#web';
import { weightsFault } from './ruleset-weights.js';
import type { Weights } from './weighted-parts.js';
import { DEFAULT_WEIGHTS, PARTS } from './weighted-parts.js';

/** Decimals of a weight. */
const SCALE = 4;

const weight = (part: keyof Weights): PropertyDecorator =>
  DecimalText({ scale: SCALE, example: DEFAULT_WEIGHTS[part] });

export class WeightsDto implements Weights {
  @weight('fit')
  fit!: string;

  @weight('coverage')
  coverage!: string;

  @weight('priority')
  priority!: string;

  @weight('earmark')
  earmark!: string;

  @weight('period')
  period!: string;

  @weight('language')
  language!: string;

  @weight('prior-work')
  'prior-work'!: string;

  @weight('freshness')
  freshness!: string;

  @weight('conditions')
  conditions!: string;
}

/** Of weights that are each well-formed, whether they sum to 1. */
const sumFaults = (value: unknown): readonly Fault[] => {
  const weights = value as Readonly<Record<string, unknown>> | null;
  if (typeof weights !== 'object' || weights === null) return [];
  if (PARTS.some((part) => typeof readDecimal(weights[part], SCALE) === 'string')) return [];
  const message = weightsFault(weights as unknown as Weights);
  return message === undefined ? [] : [{ path: '', message }];
};

/** New weights of a ruleset, all of them, with the reason everyone may read. */
export class SetWeightsDto {
  @Nested(() => WeightsDto, { description: 'Decimal texts of at most four decimals, together exactly 1' })
  @Checked({ name: 'sum', schema: {}, faults: sumFaults })
  weights!: WeightsDto;

  @Text({ max: 1000, example: 'The network asked that urgent needs come first.' })
  reason!: string;
}
