import { isUuid } from '#kernel';
import type { ConfirmationAnswer, ConfirmationClosing, ConfirmedFigure, Fault, PartyKind, Quantity } from '#vocabulary';
import { CONFIRMATION_ANSWERS, CONFIRMATION_CLOSINGS, CONFIRMED_FIGURES, PARTY_KINDS } from '#vocabulary';
import {
  Checked,
  Code,
  CodeList,
  DateField,
  Flag,
  ListQuery,
  Nested,
  PartyIdField,
  QuantityField,
  Text,
  WholeNumber,
} from '#web';
import { CONFIRMATION_STATUSES, MOST_LINES } from './confirmation.js';

const MOST_COMMITMENTS = 20;
/** Auditors are asked for no confirmation here. */
const ASKED: readonly PartyKind[] = PARTY_KINDS.filter((kind) => kind !== 'auditor');

const fault = (message: string): readonly Fault[] => [{ path: '', message }];

const isId = (value: unknown): boolean => typeof value === 'string' && isUuid(value);

export class RequestConfirmationDto {
  @PartyIdField({ kinds: ASKED, description: 'The party that is asked', example: 'donor:japan' })
  party!: string;

  @Code(isId, 'the id of a commitment', {
    array: true,
    min: 1,
    max: MOST_COMMITMENTS,
    required: false,
    description: 'What is asked about: commitments of the party, or a sample',
    example: ['019b8d00-0000-8000-8000-00000000000c'],
  })
  commitments?: string[];

  @Code(isId, 'the id of a sample', {
    required: false,
    description: 'Instead of commitments: the drawn items of this sample of yours in which the party has a part',
  })
  sample?: string;

  @CodeList(CONFIRMED_FIGURES, {
    array: true,
    min: 1,
    required: false,
    description: 'Which figures: all unless told; of a sample of transfers always the transfers drawn',
    example: ['leg', 'transfer'],
  })
  asks?: ConfirmedFigure[];

  @Flag({ required: false, description: 'The party states its figures without being shown those of the books' })
  blank?: boolean;

  @Text({ required: false, description: 'A word to the party' })
  note?: string;

  @DateField({ description: 'Until when it is to answer', example: '2027-01-31' })
  @Checked({
    name: 'about',
    schema: {},
    faults: (_value, dto) => {
      const { commitments, sample } = dto as RequestConfirmationDto;
      return (commitments === undefined) === (sample === undefined)
        ? fault('goes with either commitments or sample: send one of them')
        : [];
    },
  })
  due!: string;
}

/** An own figure stands beside `states`, and may stand beside `disagrees`. */
const fitting = (says: unknown, { figure, note }: LineAnswerDto): readonly Fault[] => {
  if (says === 'states') return figure === undefined ? fault('goes with figure: say yours') : [];
  if (says === 'disagrees') {
    return figure === undefined && note === undefined ? fault('goes with figure or note: say what differs') : [];
  }
  return figure === undefined ? [] : fault('does not go with figure: leave it out, or say disagrees or states');
};

export class LineAnswerDto {
  @WholeNumber({ min: 1, max: MOST_LINES, example: 1 })
  line!: number;

  @CodeList(CONFIRMATION_ANSWERS, {
    description: 'states and no-record where you are asked for your figure; otherwise agrees, disagrees, no-record',
    example: 'agrees',
  })
  @Checked({ name: 'figure', schema: {}, faults: (value, dto) => fitting(value, dto as LineAnswerDto) })
  says!: ConfirmationAnswer;

  @QuantityField({ required: false, description: 'Your figure' })
  figure?: Quantity;

  @Text({ required: false })
  note?: string;
}

export class AnswerConfirmationDto {
  @Nested(() => LineAnswerDto, { array: true, min: 1, max: MOST_LINES, once: ['line'], description: 'Every line once' })
  answers!: LineAnswerDto[];
}

export class CloseConfirmationDto {
  @CodeList(CONFIRMATION_CLOSINGS, { example: 'alternative-procedure' })
  @Checked({
    name: 'why',
    schema: {},
    faults: (value, dto) => {
      const { procedure, reason } = dto as CloseConfirmationDto;
      if (value === 'alternative-procedure' && procedure === undefined) {
        return fault('goes with procedure: say what was examined instead');
      }
      if (value === 'withdrawn' && reason === undefined) return fault('goes with reason: say why');
      return [];
    },
  })
  as!: ConfirmationClosing;

  @Text({
    required: false,
    description: 'What was examined instead of an answer, or upon one that differs',
    example: 'The statements of the bank for March show the sum.',
  })
  procedure?: string;

  @Text({ required: false })
  reason?: string;
}

/** Filters of the list of confirmation requests. */
export class ConfirmationsQuery extends ListQuery {
  @PartyIdField({ required: false, description: 'The party that is asked' })
  party?: string;

  @PartyIdField({ kinds: ['auditor'], required: false, description: 'Who asks' })
  auditor?: string;

  @CodeList(CONFIRMATION_STATUSES, { required: false })
  status?: string;

  @Text({ max: 100, required: false, description: 'Id of a commitment that is asked about' })
  commitment?: string;

  @Flag({ query: true, required: false, description: 'Whether an answer is owed past its day' })
  overdue?: boolean;
}
