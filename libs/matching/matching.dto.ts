import { Flag, WholeNumber } from '#web';

/** Parameters of a match list. */
export class MatchQuery {
  @WholeNumber({
    min: 1,
    max: 200,
    query: true,
    required: false,
    description: 'Pairings at the most, 50 unless told',
    example: 50,
  })
  limit?: number;

  @Flag({ query: true, required: false, description: 'Also the pairings that are blocked, each with why' })
  includeBlocked?: boolean;
}
