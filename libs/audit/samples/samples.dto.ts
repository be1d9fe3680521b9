import { CodeList, DateField, ListQuery, Nested, PartyIdField, StateCode, Text, WholeNumber } from '#web';

const OF = ['commitments', 'transfers'] as const;
const METHODS = ['random', 'monetary-unit'] as const;
const MOST_DRAWN = 500;

export class SampleFilterDto {
  @PartyIdField({ kinds: ['donor', 'fund', 'state', 'agency', 'network'], required: false })
  donor?: string;

  @StateCode({ required: false, description: 'A beneficiary' })
  state?: string;

  @DateField({ required: false, description: 'Bound on this day or later; of transfers, of this day or later' })
  from?: string;

  @DateField({ required: false })
  to?: string;
}

export class DrawSampleDto {
  @CodeList(OF, {
    example: 'transfers',
    description: 'What is drawn: commitments that were ever bound, or their transfers of money',
  })
  of!: (typeof OF)[number];

  @CodeList(METHODS, { example: 'monetary-unit' })
  method!: (typeof METHODS)[number];

  @WholeNumber({
    min: 1,
    max: MOST_DRAWN,
    description: 'How many items; with monetary-unit how many units of each currency',
  })
  size!: number;

  @Text({
    max: 100,
    required: false,
    description: 'What makes the draw repeatable; made and recorded where it is left out',
  })
  seed?: string;

  @Nested(() => SampleFilterDto, { required: false })
  filter?: SampleFilterDto;
}

/** Samples are few: they have no filters. */
export class SamplesQuery extends ListQuery {}
