import { CodeList, ListQuery, Text } from '#web';
import type { SuggestionStatus } from './suggestions.js';
import { SUGGESTION_STATUSES } from './suggestions.js';

export class SuggestionsQuery extends ListQuery {
  @CodeList(SUGGESTION_STATUSES, { required: false })
  status?: SuggestionStatus;

  @Text({ max: 100, required: false })
  needId?: string;

  @Text({ max: 100, required: false })
  offerId?: string;

  @Text({ max: 100, required: false, description: 'Of one run' })
  allocationId?: string;
}
