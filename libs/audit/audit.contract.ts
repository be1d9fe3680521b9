import type { ConfirmationEvent } from './confirmations/confirmation.contract.js';
import type { FindingEvent } from './findings/finding.contract.js';
import type { ReadEvent } from './reads/read.contract.js';
import type { SampleEvent } from './samples/sample.contract.js';
import type { LogKeyEvent } from './signed-log/log-keys.contract.js';

export type { ConfirmationEvent } from './confirmations/confirmation.contract.js';
export type { FindingEvent } from './findings/finding.contract.js';

/** Everything that audit writes. */
export type AuditEvent = FindingEvent | SampleEvent | ConfirmationEvent | LogKeyEvent | ReadEvent;
