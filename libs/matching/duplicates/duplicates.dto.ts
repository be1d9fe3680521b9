import type { DuplicateVerdict, Kind } from '#vocabulary';
import { DUPLICATE_VERDICTS, KINDS } from '#vocabulary';
import { CodeList, ListQuery, StateCode, Text } from '#web';

/** Which pairs are listed. */
export class DuplicatesQuery extends ListQuery {
  @StateCode({ required: false, description: 'Pairs of this State' })
  state?: string;

  @CodeList(KINDS, { required: false, description: 'Pairs that share this kind' })
  kind?: Kind;

  @CodeList(['needs', 'promises'], { required: false, description: 'Both unless told' })
  about?: 'needs' | 'promises';

  @CodeList([...DUPLICATE_VERDICTS, 'none'], {
    required: false,
    description: 'Pairs with this verdict; none: those that wait for one',
  })
  verdict?: DuplicateVerdict | 'none';
}

/** A verdict on a pair. */
export class JudgeDto {
  @CodeList(DUPLICATE_VERDICTS, { example: 'same' })
  verdict!: DuplicateVerdict;

  @Text({ required: false, description: 'Why; shown to whoever sees both records' })
  note?: string;
}
