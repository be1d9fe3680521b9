export type { Arc, Budget, Floor, Limits, NeedLine, Objective, OfferLine, Problem } from './problem.js';
export { GREATEST_FIGURE, GREATEST_WEIGHT, MOST_OFFERS_PER_LINE } from './problem.js';
export type {
  Answer,
  Binding,
  BindingCode,
  Conflict,
  EqualShare,
  Fairness,
  FloorReport,
  LeftOut,
  Outcome,
  Pair,
  Price,
  Progress,
  ServedGroup,
  ServedLine,
  Unmet,
} from './outcome.js';
export { CERTIFICATE_CHUNK } from './certificate.js';
export type { CertificateReport } from './certificate-check.js';
export { checkCertificate } from './certificate-check.js';
export { quantityIn } from './words.js';
export type { SolveOptions } from './solve-in-worker.js';
export { solveInWorker } from './solve-in-worker.js';
