export { auditContext } from './audit.module.js';
export { LogSigning } from './signed-log/log-signing.js';
export type { WitnessPolicy } from './signed-log/witness-client.js';
export { EVENT_SCHEMAS } from './event-schemas.data.js';
export { findingDecider } from './findings/finding.js';
export { findingBoard } from './findings/finding-board.projection.js';
export { sampleDecider } from './samples/sample.js';
export { sampleBoard } from './samples/sample-board.projection.js';
