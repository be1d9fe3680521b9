export type { Files, Manifest, RevisionEvidence, StreamEvidence } from './format.js';
export {
  CHECKPOINT,
  EVIDENCE_FORMAT,
  eventPath,
  MANIFEST,
  plainState,
  schemaPath,
  stateFile,
  statePath,
  VERIFIER_KEY,
} from './format.js';
