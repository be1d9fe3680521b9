import type { Fault, OpenPeriod, Quantity, Visibility } from '#vocabulary';
import { DOCUMENT_KINDS, OFFER_CONDITIONS, parsePeriod, VISIBILITIES } from '#vocabulary';
import {
  Checked,
  CodeList,
  DateField,
  DecimalText,
  Flag,
  Nested,
  Parses,
  PartyIdField,
  QuantityField,
  Sha256Field,
  Text,
  Title,
  WholeNumber,
} from '#web';
import type { Extension, ProposedTerms } from './commitment-terms.js';
import type { Agreement, DocumentLink, Instalment, OwedReport, Side } from './commitment.contract.js';
import { canonical, MONEY, ReportDate } from './commitment-fields.dto.js';

const at = (path: string, message: string): Fault => ({ path, message });

export class DocumentLinkDto {
  @CodeList(DOCUMENT_KINDS)
  kind!: string;

  @Title()
  title!: string;

  @Sha256Field()
  sha256!: string;

  @CodeList(VISIBILITIES, { required: false })
  label?: Visibility;
}

export class AgreementDto {
  @CodeList(['mou', 'grant', 'implementing', 'financial'], { example: 'grant' })
  kind!: Agreement['kind'];

  @PartyIdField({ array: true, min: 1 })
  parties!: string[];

  @Text({ max: 300, example: 'UNSCAR/2016/07' })
  reference!: string;

  @DateField()
  date!: string;

  @Sha256Field({ required: false })
  sha256?: string;

  @Flag()
  legallyBinding!: boolean;

  @Text({ required: false, description: 'What it is subject to, such as parliamentary approval' })
  subjectTo?: string;
}

/** What makes an instalment payable goes with one field: `due` with a date, the number with a report or condition. */
const triggerFaults = (on: unknown, dto: object): readonly Fault[] => {
  const fields = dto as Readonly<Record<string, unknown>>;
  return [
    ...(on === 'date' && fields.due === undefined ? [at('', 'date needs due: say on which day it is payable')] : []),
    ...(['report', 'condition'] as const).flatMap((one) => {
      if (on === one) return fields[one] === undefined ? [at('', `${one} needs ${one}: its number`)] : [];
      return fields[one] === undefined ? [] : [at('', `must be ${one} where ${one} is named`)];
    }),
  ];
};

export class InstalmentDto {
  @WholeNumber({ min: 1, required: false, description: 'In an amendment: the one that is kept; new without it' })
  n?: number;

  @QuantityField({ ...MONEY, example: { measure: 'money', currency: 'USD', amount: '30000.00' } })
  amount!: Quantity;

  @CodeList(['signature', 'date', 'report', 'condition'], { description: 'What makes it payable' })
  @Checked({ name: 'trigger', schema: {}, faults: triggerFaults })
  on!: Instalment['on'];

  @DateField({ required: false })
  due?: string;

  @WholeNumber({ min: 1, required: false, description: 'The report whose acceptance releases it' })
  report?: number;

  @WholeNumber({ min: 1, required: false, description: 'The condition that releases it' })
  condition?: number;

  @WholeNumber({ min: 1, required: false, description: 'The leg it belongs to' })
  leg?: number;
}

export class AgreedConditionDto {
  @WholeNumber({ min: 1, required: false, description: 'In an amendment: the one that is kept; new without it' })
  n?: number;

  @CodeList(OFFER_CONDITIONS)
  code!: string;

  @DecimalText({ as: 'percent', required: false, example: '10' })
  percent?: string;

  @Text({ required: false })
  text?: string;

  @CodeList(['provider', 'recipient'], { description: 'The side that has to meet it' })
  on!: Side;

  @DateField({ required: false })
  due?: string;
}

export class OwedReportDto {
  @WholeNumber({ min: 1, required: false, description: 'In an amendment: the one that is kept; new without it' })
  n?: number;

  @CodeList(['narrative', 'financial', 'end-use', 'completion', 'audit', 'other'])
  kind!: OwedReport['kind'];

  @PartyIdField({ description: 'The party that owes it', example: 'agency:cavr' })
  by!: string;

  @DateField()
  due!: string;

  @Text({ required: false })
  text?: string;
}

const numbersOf = (items: unknown): readonly (readonly [index: number, n: unknown])[] =>
  Array.isArray(items)
    ? items.flatMap((item: unknown, index) => {
        const n = (item as { readonly n?: unknown } | null)?.n;
        return n === undefined ? [] : [[index, n] as const];
      })
    : [];

/** A number stands once in a list. */
const Numbers = (): PropertyDecorator =>
  Checked({
    name: 'numbers',
    required: false,
    schema: {},
    faults: (items) => {
      const seen = new Set<unknown>();
      return numbersOf(items).flatMap(([index, n]) => {
        const twice = seen.has(n);
        seen.add(n);
        return twice ? [at(`[${index}].n`, 'stands here twice: name it once')] : [];
      });
    },
  });

export class TermsDto {
  @Nested(() => AgreementDto, { array: true, required: false })
  agreements?: AgreementDto[];

  @Parses('period', (value) => parsePeriod(value, { open: true }), { type: 'object' }, { required: false })
  period?: OpenPeriod;

  @Nested(() => InstalmentDto, { array: true, required: false })
  @Numbers()
  schedule?: InstalmentDto[];

  @Nested(() => AgreedConditionDto, { array: true, required: false })
  @Numbers()
  conditions?: AgreedConditionDto[];

  @Nested(() => OwedReportDto, { array: true, required: false })
  @Numbers()
  reports?: OwedReportDto[];

  @PartyIdField({ required: false, description: 'The third party that may verify deliveries' })
  verifier?: string;
}

/** In a proposal everything is new: instalments, conditions and reports are numbered by their place. */
export const ProposedTermsField = (): PropertyDecorator =>
  Checked({
    name: 'proposed',
    required: false,
    schema: {},
    faults: (terms) =>
      (['schedule', 'conditions', 'reports'] as const).flatMap((part) =>
        numbersOf((terms as Readonly<Record<string, unknown>> | null)?.[part]).map(([index]) =>
          at(`${part}[${index}].n`, 'must be left out: it is numbered by its place, conditions after the offer’s'),
        ),
      ),
  });

/** As events hold it: plain, with canonical amounts. */
export const termsOf = ({ schedule, ...rest }: TermsDto): ProposedTerms =>
  JSON.parse(
    JSON.stringify({
      ...rest,
      ...(schedule === undefined
        ? {}
        : { schedule: schedule.map(({ amount, ...more }) => ({ ...more, amount: canonical(amount) })) }),
    }),
  ) as ProposedTerms;

class ExtendedPeriodDto {
  @DateField()
  to!: string;
}

class ExtendedDateDto {
  @WholeNumber({ min: 1 })
  n!: number;

  @DateField()
  due!: string;
}

export class ExtensionDto {
  @Nested(() => ExtendedPeriodDto, { required: false, example: { to: '2027-03-31' } })
  period?: ExtendedPeriodDto;

  @Nested(() => ExtendedDateDto, { array: true, min: 1, required: false })
  @Numbers()
  schedule?: ExtendedDateDto[];

  @Nested(() => ExtendedDateDto, { array: true, min: 1, required: false })
  @Numbers()
  reports?: ExtendedDateDto[];

  @Text({ example: 'The course was moved to March' })
  @Checked({
    name: 'dates',
    schema: {},
    faults: (_reason, dto) =>
      ['period', 'schedule', 'reports'].some((part) => (dto as Record<string, unknown>)[part] !== undefined)
        ? []
        : [at('', 'stands with a date to move: send period, schedule or reports')],
  })
  reason!: string;
}

/** The dates an extension asks for, plain. */
export const extensionDates = ({ reason: _reason, ...dates }: ExtensionDto): Extension =>
  JSON.parse(JSON.stringify(dates)) as Extension;

export class ConditionAnswerDto {
  @Text({ required: false })
  note?: string;

  @Nested(() => DocumentLinkDto, { required: false })
  document?: DocumentLinkDto;
}

export class FilingDto {
  /** Today unless told. */
  @ReportDate({ required: false })
  date?: string;

  @Text({ max: 300, required: false })
  reference?: string;

  @Nested(() => DocumentLinkDto, { required: false })
  document?: DocumentLinkDto;
}

export class ReportAnswerDto {
  @Text({ required: false })
  note?: string;
}

/** A document's link as events hold it. */
export const linkOf = (link: DocumentLinkDto | undefined): DocumentLink | undefined =>
  link === undefined ? undefined : (JSON.parse(JSON.stringify(link)) as DocumentLink);
