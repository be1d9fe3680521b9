import type { FindingEvent } from './findings/finding.contract.js';

export type { FindingEvent } from './findings/finding.contract.js';

/** Everything that audit writes. */
export type AuditEvent = FindingEvent;
