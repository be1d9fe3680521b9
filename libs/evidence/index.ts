export type { Files, Manifest, RevisionEvidence, StreamEvidence } from './format.js';
export {
  CHECKPOINT,
  CHECKPOINT_STREAM,
  EVIDENCE_FORMAT,
  eventPath,
  MANIFEST,
  plainState,
  schemaPath,
  stateFile,
  statePath,
  VERIFIER_KEY,
} from './format.js';
export type { Finding, Verdict } from './report.js';
export { RULES, UPCASTERS } from './published.js';
export { linesOf, Refusal, Report } from './report.js';
export type { Given, Trust } from './trust.js';
export { keysIn } from './trust.js';
export { verifyBundle } from './verify-bundle.js';
export { LIMITS, Measure, pathFault, readZip } from './zip.js';
export type { Fetch } from './verify-server.js';
export { verifyServer } from './verify-server.js';
export type { ExportedEvent, LeftOutEvents, NewestEvent, NewestOfStreams } from './log-replay.js';
export { LogReplay } from './log-replay.js';
