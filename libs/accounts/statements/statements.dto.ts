import { currencyOf } from '#vocabulary';
import { Code, DateField, ListQuery, PartyIdField } from '#web';

const isCurrency = (value: unknown): boolean => currencyOf(value) !== undefined;

/** Parameters of a statement. */
export class StatementQuery extends ListQuery {
  @PartyIdField({ kinds: ['fund'], required: false, description: 'A fund’s statement' })
  fund?: string;

  @PartyIdField({ required: false, description: 'Whoever holds money' })
  holder?: string;

  @PartyIdField({ required: false, description: 'What a provider paid out and got back' })
  donor?: string;

  @DateField({ required: false, description: 'First day; from the beginning where absent' })
  from?: string;

  @DateField({ required: false, description: 'Last day; today where absent' })
  to?: string;

  @Code(isCurrency, 'an ISO 4217 code such as USD', { required: false, description: 'This currency alone' })
  currency?: string;
}

/** Parameters of the list of advances. */
export class AdvancesQuery {
  @PartyIdField({ kinds: ['fund'], required: false, description: 'Money of this fund, in everyone’s hands' })
  fund?: string;

  @PartyIdField({ required: false, description: 'What this party has in hand' })
  holder?: string;

  @DateField({ required: false, description: 'As of the end of this day; today where absent' })
  on?: string;
}
