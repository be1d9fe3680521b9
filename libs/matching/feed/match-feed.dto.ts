import type { InstrumentCode, Kind } from '#vocabulary';
import { INSTRUMENT_WORDS, isInstrument, isRegion, KINDS } from '#vocabulary';
import { Code, CodeList, PartyIdField, StateCode, Text, WholeNumber } from '#web';
import type { Watch } from './watched-matches.js';

/** Which matches are watched, and from where on. */
export class MatchFeedQuery implements Watch {
  @Text({ max: 4_000, required: false, description: 'The `next` of the page before; from nothing without it' })
  after?: string;

  @WholeNumber({
    min: 1,
    max: 200,
    query: true,
    required: false,
    description: 'Items on a page, 50 unless told',
    example: 50,
  })
  limit?: number;

  @CodeList(['own', 'all'], {
    required: false,
    description:
      "`own` unless told: matches of open needs and offers of the caller's party; `all`: those of every open need that the caller sees",
  })
  records?: 'own' | 'all';

  @Text({ max: 36, required: false, description: "That need's alone, whoever's it is" })
  needId?: string;

  @Text({ max: 36, required: false, description: "That offer's alone, whoever's it is" })
  offerId?: string;

  @StateCode({ required: false, description: 'A beneficiary of the need' })
  state?: string;

  @Code(isRegion, 'a UN M49 region code such as 009', { required: false, description: 'Of a beneficiary of the need' })
  region?: string;

  @PartyIdField({
    kinds: ['network'],
    required: false,
    description: 'Of a beneficiary of the need, or the beneficiary',
  })
  network?: string;

  @CodeList(KINDS, { required: false, description: 'A kind of the need' })
  kind?: Kind;

  @Code(isInstrument, INSTRUMENT_WORDS, { required: false, description: 'An instrument of the need' })
  instrument?: InstrumentCode;

  @PartyIdField({ required: false, description: 'A provider of the offer', example: 'donor:japan' })
  donor?: string;
}
