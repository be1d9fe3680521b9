import { isUuid } from '#kernel';
import type {
  AuditedKind,
  Fault,
  FindingClosing,
  FindingResponse,
  FindingSeverity,
  PartyKind,
  VerificationOutcome,
} from '#vocabulary';
import {
  AUDITED_KINDS,
  FINDING_CLOSINGS,
  FINDING_RESPONSES,
  FINDING_SEVERITIES,
  PARTY_KINDS,
  VERIFICATION_OUTCOMES,
} from '#vocabulary';
import {
  Checked,
  Code,
  CodeList,
  DateField,
  Flag,
  ListQuery,
  Nested,
  PartyIdField,
  Sha256Field,
  Text,
  Title,
  WebAddressField,
} from '#web';
import { FINDING_STATUSES } from './finding.js';

const MOST_RECORDS = 20;
const MOST_EVENTS = 100;
const MOST_PAPERS = 20;
/** Auditors answer to nobody's findings here. */
const OWNERS: readonly PartyKind[] = PARTY_KINDS.filter((kind) => kind !== 'auditor');

const fault = (message: string): readonly Fault[] => [{ path: '', message }];

/** The answer is due no later than what was asked. */
const NotAfterDue = (): PropertyDecorator =>
  Checked({
    name: 'order',
    required: false,
    schema: {},
    faults: (value, dto) => {
      const { due } = dto as { readonly due?: unknown };
      return typeof value === 'string' && typeof due === 'string' && value > due
        ? fault(`must not be after due (${due})`)
        : [];
    },
  });

export class AuditedRecordDto {
  @CodeList(AUDITED_KINDS, { example: 'commitment' })
  kind!: AuditedKind;

  @Text({ max: 100, description: 'Its id', example: '019b8d00-0000-8000-8000-00000000000c' })
  id!: string;
}

export class WriteFindingDto {
  @CodeList(FINDING_SEVERITIES, { example: 'high' })
  severity!: FindingSeverity;

  @Title({ example: 'No receipt for the second instalment' })
  title!: string;

  @Text({ description: 'What was found', example: 'The transfer of 60,000 USD of 3 March has no receipt.' })
  text!: string;

  @Text({ required: false, description: 'What should have been' })
  criteria?: string;

  @Text({ required: false, description: 'Why it came to be' })
  cause?: string;

  @Text({ required: false, description: 'What follows from it' })
  effect?: string;

  @Text({ example: 'Report the receipt, or say where the money is.' })
  recommendation!: string;

  @Nested(() => AuditedRecordDto, {
    array: true,
    min: 1,
    max: MOST_RECORDS,
    once: ['kind', 'id'],
    description: 'What it is about',
  })
  records!: AuditedRecordDto[];

  @Code((value) => typeof value === 'string' && isUuid(value), 'the id of an event, as histories show it', {
    array: true,
    min: 1,
    max: MOST_EVENTS,
    description:
      'The events it rests on: each stands in the history of one of the records, and the owner sees it there',
    example: ['019b8d00-0000-8000-8000-00000000000e'],
  })
  eventIds!: string[];

  @PartyIdField({ kinds: OWNERS, description: 'The party that must answer', example: 'agency:cavr' })
  owner!: string;

  @DateField({ required: false, description: 'Until when it must answer: 30 days, or until due, unless told' })
  @NotAfterDue()
  answerBy?: string;

  @DateField({ description: 'Until when what is recommended is to be done', example: '2027-06-30' })
  due!: string;
}

const AMENDABLE = [
  ...(['severity', 'title', 'text', 'criteria', 'cause', 'effect', 'recommendation', 'answerBy', 'due'] as const),
];

export class AmendFindingDto {
  @CodeList(FINDING_SEVERITIES, { required: false })
  severity?: FindingSeverity;

  @Title({ required: false })
  title?: string;

  @Text({ required: false })
  text?: string;

  @Text({ required: false })
  criteria?: string;

  @Text({ required: false })
  cause?: string;

  @Text({ required: false })
  effect?: string;

  @Text({ required: false })
  recommendation?: string;

  @DateField({ required: false })
  @NotAfterDue()
  answerBy?: string;

  @DateField({ required: false, example: '2027-09-30' })
  due?: string;

  @Text({ description: 'Why', example: 'The owner asked for three months more.' })
  @Checked({
    name: 'amendment',
    schema: {},
    faults: (_value, dto) =>
      AMENDABLE.some((field) => (dto as AmendFindingDto)[field] !== undefined)
        ? []
        : fault(`goes with an amendment: send at least one of ${AMENDABLE.join(', ')}`),
  })
  reason!: string;
}

export class PlannedActionDto {
  @Text({ example: 'The bank is asked for the confirmation.' })
  text!: string;

  @DateField({ example: '2027-03-31' })
  by!: string;
}

export class AnswerFindingDto {
  @CodeList(FINDING_RESPONSES, { example: 'agreed' })
  @Checked({
    name: 'action',
    schema: {},
    faults: (value, dto) => {
      const { action } = dto as AnswerFindingDto;
      if (value === 'disagreed') {
        return action === undefined ? [] : fault('does not go with action: leave action out, or say partly-agreed');
      }
      return action === undefined ? fault('goes with action: say what will be done, and by which day') : [];
    },
  })
  response!: FindingResponse;

  @Text({ example: 'The receipt was not reported.' })
  text!: string;

  @Nested(() => PlannedActionDto, {
    required: false,
    description: 'What will be done and by which day: given unless the response is disagreed',
    example: { text: 'The bank is asked for the confirmation.', by: '2027-03-31' },
  })
  action?: PlannedActionDto;

  @Flag({
    required: false,
    description: 'With a response other than agreed: what is recommended is not done, and the owner bears the risk',
  })
  @Checked({
    name: 'risk',
    required: false,
    schema: {},
    faults: (value, dto) =>
      value === true && (dto as AnswerFindingDto).response === 'agreed'
        ? fault('does not go with agreed: say disagreed or partly-agreed, or leave it out')
        : [],
  })
  acceptsRisk?: boolean;
}

export class FindingEvidenceDto {
  @Title({ example: 'Confirmation of the bank' })
  title!: string;

  @WebAddressField({ required: false })
  uri?: string;

  @Sha256Field()
  sha256!: string;
}

export class ImplementFindingDto {
  @Text({ description: 'What was done', example: 'The receipt of 9 March was reported.' })
  text!: string;

  @Nested(() => FindingEvidenceDto, {
    array: true,
    min: 1,
    max: MOST_PAPERS,
    once: ['title', 'uri', 'sha256'],
    description: 'What shows it',
  })
  evidence!: FindingEvidenceDto[];
}

export class VerifyFindingDto {
  @CodeList(VERIFICATION_OUTCOMES, { example: 'implemented' })
  outcome!: VerificationOutcome;

  @Text({ description: 'What was examined, and what was found', example: 'The statement of the bank shows the sum.' })
  note!: string;

  @DateField({ required: false, description: 'With not-implemented: until when it is to be done instead' })
  @Checked({
    name: 'redo',
    required: false,
    schema: {},
    faults: (_value, dto) =>
      (dto as VerifyFindingDto).outcome === 'implemented' ? fault('goes with not-implemented only: leave it out') : [],
  })
  due?: string;
}

export class CloseFindingDto {
  @CodeList(FINDING_CLOSINGS, { example: 'implemented' })
  @Checked({
    name: 'why',
    schema: {},
    faults: (value, dto) =>
      value !== 'implemented' && (dto as CloseFindingDto).reason === undefined
        ? fault('goes with reason: say why it closes without having been implemented')
        : [],
  })
  as!: FindingClosing;

  @Text({ required: false, description: 'Why: given unless it closes as implemented' })
  reason?: string;
}

/** Filters of the list of findings. */
export class FindingsQuery extends ListQuery {
  @PartyIdField({ required: false, description: 'The party that must answer' })
  owner?: string;

  @PartyIdField({ kinds: ['auditor'], required: false, description: 'Who wrote it' })
  auditor?: string;

  @CodeList(FINDING_SEVERITIES, { required: false })
  severity?: string;

  @CodeList(FINDING_STATUSES, { required: false })
  status?: string;

  @Text({ max: 100, required: false, description: 'Id of a record that it is about' })
  record?: string;

  @DateField({ required: false, description: 'Due before this day' })
  dueBefore?: string;

  @Flag({ query: true, required: false, description: 'Whether an answer or what is recommended is owed past its day' })
  overdue?: boolean;
}
