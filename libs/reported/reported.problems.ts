import type { ProblemInfo } from '#web';
import type { ReportedRejectionCode } from './reported.js';

/** Status and title of every refusal of a reported record. */
export const REPORTED_PROBLEMS: Readonly<Record<ReportedRejectionCode, ProblemInfo>> = {
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'already-reported': { status: 409, title: 'The record exists with another content' },
};
