import { Flag, MomentField, Text, WholeNumber } from '#web';

/** A position of the log, or a moment: what `at` accepts. */
const AT = 'A position of the log (digits), an RFC 3339 moment, or a date (its end)';

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
  @Text({ max: 40, description: AT, example: '2026-11-22' })
  at!: string;
}

/** Parameters of the list of event schemas. */
export class SchemasQuery {
  @Text({ max: 100, required: false, description: 'Event type', example: 'CommitmentBound' })
  type?: string;
}
