import type { Quantity, SettlementOutcome } from '#vocabulary';
import { SETTLEMENT_OUTCOMES } from '#vocabulary';
import { Checked, CodeList, Nested, PartyIdField, QuantityField, Text, WholeNumber } from '#web';
import { ReportDate } from './commitment-fields.dto.js';
import { DocumentLinkDto } from './commitment-terms.dto.js';
import { EvidenceDto, LEG_RULE } from './commitment.dto.js';

export class SettlementDto {
  @CodeList(SETTLEMENT_OUTCOMES, { description: 'stands: as reported; reduced: a smaller quantity' })
  @Checked({
    name: 'settled',
    schema: {},
    faults: (outcome, dto) =>
      outcome === 'reduced' && (dto as SettlementDto).quantity === undefined
        ? [{ path: '', message: 'reduced says what stands: send quantity' }]
        : [],
  })
  outcome!: SettlementOutcome;

  @QuantityField({ ...LEG_RULE, required: false, description: 'With reduced: what stands of the tranche' })
  @Checked({
    name: 'reduced',
    required: false,
    schema: {},
    faults: (_value, dto) =>
      (dto as SettlementDto).outcome === 'stands' ? [{ path: '', message: 'belongs to reduced: leave it out' }] : [],
  })
  quantity?: Quantity;
}

export class VerificationDto {
  @QuantityField({ ...LEG_RULE, description: 'What was found of the tranche' })
  quantity!: Quantity;

  @Text({ required: false })
  note?: string;

  @Nested(() => DocumentLinkDto, { required: false })
  document?: DocumentLinkDto;
}

export class ReturnDto {
  @WholeNumber({ min: 1, example: 1 })
  delivery!: number;

  @QuantityField({ ...LEG_RULE, description: 'In the measure drawn or in the measure credited' })
  quantity!: Quantity;

  @Text()
  reason!: string;

  @ReportDate()
  date!: string;
}

const CORRECTABLE = ['quantity', 'beneficiary', 'date', 'evidence'] as const;

export class DeliveryCorrectionDto {
  @QuantityField({ ...LEG_RULE, required: false })
  quantity?: Quantity;

  @PartyIdField({ required: false })
  beneficiary?: string;

  @ReportDate({ required: false })
  date?: string;

  @Nested(() => EvidenceDto, { array: true, required: false, once: ['title', 'uri', 'sha256'] })
  evidence?: EvidenceDto[];

  @Text()
  @Checked({
    name: 'correction',
    schema: {},
    faults: (_value, dto) =>
      CORRECTABLE.some((field) => (dto as DeliveryCorrectionDto)[field] !== undefined)
        ? []
        : [{ path: '', message: `goes with a correction: send at least one of ${CORRECTABLE.join(', ')}` }],
  })
  reason!: string;
}
