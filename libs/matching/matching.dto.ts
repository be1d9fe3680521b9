import { Checked, CodeList, DateField, Flag, WholeNumber } from '#web';
import type { RulesetVersion } from './rules/rulesets.js';
import { RULESET_VERSIONS } from './rules/rulesets.js';

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

  @CodeList(RULESET_VERSIONS, { required: false, description: 'Version of the rules, the newest unless told' })
  ruleset?: RulesetVersion;

  @Checked({
    name: 'position',
    required: false,
    schema: { type: 'string', pattern: '^[0-9]{1,19}$' },
    faults: (value) =>
      typeof value === 'string' && /^\d{1,19}$/.test(value)
        ? []
        : [{ path: '', message: 'must be a position of the log: digits only, such as the asOf of an answer' }],
    description: 'As it was answered at this position of the log, to who may see the records now',
  })
  at?: string;

  @Checked({
    name: 'clock',
    required: false,
    schema: { type: 'string', enum: ['recorded'] },
    faults: (value) =>
      value === 'recorded'
        ? []
        : [
            {
              path: '',
              message:
                'must be recorded: who was matched with whom followed what was known then, and no later report changes that',
            },
          ],
    description: 'Matches are of the recorded clock only',
  })
  clock?: 'recorded';

  @Checked({
    name: 'with-at',
    required: false,
    schema: {},
    faults: (_value, dto) =>
      (dto as MatchQuery).at === undefined ? [{ path: '', message: 'stands beside at only' }] : [],
  })
  @DateField({
    required: false,
    description: 'Beside `at`: the day it was asked on, as its answer names it; today unless told',
  })
  on?: string;
}
