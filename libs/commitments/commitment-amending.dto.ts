import { partyFault } from '#vocabulary';
import { Checked, Nested, ReasonDto, Text, WholeNumber } from '#web';
import type { AmendedLeg } from './commitment-amending.js';
import { TermsDto } from './commitment-terms.dto.js';
import { LegDto, legFaultsIn, legsOf } from './commitment.dto.js';

export class AmendedLegDto extends LegDto {
  @WholeNumber({ min: 1, required: false, description: 'The leg that is kept; by place where no leg is numbered' })
  leg?: number;
}

/** An agency, or null for none any more. */
const AgencyOrNone = (): PropertyDecorator =>
  Checked({
    name: 'agency',
    required: false,
    schema: { type: 'string', nullable: true, pattern: '^agency:' },
    description: 'null: none any more',
    example: 'agency:cavr',
    faults: (value) => {
      const message = value === null ? undefined : partyFault(value, ['agency']);
      return message === undefined ? [] : [{ path: '', message }];
    },
  });

const CHANGEABLE = ['legs', 'implementer', 'fiscalAgent', 'terms'] as const;

export class AmendmentDto {
  @Nested(() => AmendedLegDto, {
    array: true,
    min: 1,
    required: false,
    description: 'Every leg as it shall be: those left out end, new ones have no number',
  })
  @Checked({ name: 'legs', required: false, schema: {}, faults: legFaultsIn })
  legs?: AmendedLegDto[];

  @AgencyOrNone()
  implementer?: string | null;

  @AgencyOrNone()
  fiscalAgent?: string | null;

  @Nested(() => TermsDto, { required: false, description: 'Each part given replaces that part' })
  terms?: TermsDto;

  @Text()
  @Checked({
    name: 'change',
    schema: {},
    faults: (_value, dto) =>
      CHANGEABLE.some((field) => (dto as Readonly<Record<string, unknown>>)[field] !== undefined)
        ? []
        : [{ path: '', message: `goes with a change: send at least one of ${CHANGEABLE.join(', ')}` }],
  })
  reason!: string;
}

/** Why, where one is given. */
export class AmendmentDeclineDto {
  @Nested(() => ReasonDto, { required: false })
  reason?: ReasonDto;
}

/** The legs a body asks for, in their canonical form. */
export const amendedLegsOf = (legs: readonly AmendedLegDto[]): AmendedLeg[] =>
  legsOf(legs).map((leg, index) => {
    const number = legs[index]?.leg;
    return number === undefined ? leg : { ...leg, leg: number };
  });
