import type { ClockName } from '#web';
import { AsOfField, ClockField, Flag, ListQuery, MomentField, Text, WholeNumber } from '#web';

/** Parameters of the log as auditors read it. */
export class AuditEventsQuery {
  @Text({ max: 20, required: false, description: 'Events after this position', example: '0' })
  after?: string;

  @Text({ max: 100, required: false, description: 'Event type', example: 'CommitmentBound' })
  type?: string;

  @Text({ max: 200, required: false, description: 'Stream, such as need-<id>' })
  stream?: string;

  @Text({ max: 100, required: false, description: 'Party that acted', example: 'donor:japan' })
  actor?: string;

  @MomentField({ required: false, description: 'Recorded from this moment or date on' })
  from?: string;

  @MomentField({ required: false, description: 'Recorded up to this moment or the end of this date' })
  to?: string;

  @WholeNumber({ min: 1, max: 200, query: true, required: false, description: 'Events on a page, 50 unless told' })
  limit?: number;

  @Flag({
    query: true,
    required: false,
    description: 'With Accept: application/x-ndjson, an export that verifies offline: leaves, and what opens them',
  })
  openings?: boolean;
}

/** Parameters of the boards as they stood. */
export class AuditStateQuery {
  @AsOfField({})
  at!: string;

  @ClockField()
  clock?: ClockName;
}

/** Parameters of what changed between two moments. */
export class AuditDiffQuery extends ListQuery {
  @AsOfField({ description: 'The earlier moment: a position (digits), a full RFC 3339 time, or a date (its end)' })
  from!: string;

  @AsOfField({ required: false, description: 'The later moment; all that is on record now unless told' })
  to?: string;

  @ClockField()
  clock?: ClockName;

  @Text({
    max: 200,
    required: false,
    description: 'One record by its path; whoever sees the record may ask',
    example: 'commitments/019b8d00-0000-7000-8000-00000000000c',
  })
  record?: string;
}

/** Parameters of the list of event schemas. */
export class SchemasQuery {
  @Text({ max: 100, required: false, description: 'Event type', example: 'CommitmentBound' })
  type?: string;
}
