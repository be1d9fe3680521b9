import { DateField, Text, WholeNumber } from '#web';

/** What a run of a check may be told. */
export class CheckQuery {
  @DateField({ required: false, description: 'The day it is judged on; today unless told', example: '2026-11-22' })
  onDate?: string;

  @WholeNumber({
    min: 0,
    max: 3650,
    query: true,
    required: false,
    description: 'Days allowed; what they mean, and how many unless told, stands in the list of checks',
  })
  days?: number;

  @WholeNumber({ min: 1, max: 200, query: true, required: false, description: 'Findings on a page, 50 unless told' })
  limit?: number;

  @Text({ max: 4_000, required: false, description: 'The `next` of the page before' })
  cursor?: string;
}
