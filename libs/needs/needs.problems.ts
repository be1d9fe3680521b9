import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { CoverageRefusalCode } from './need.contract.js';
import type { NeedRejectionCode } from './need.js';

/** Every refusal of a command to a need. */
export const NEED_PROBLEMS: Readonly<Record<NeedRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'already-exists': { status: 409, title: 'The record exists already' },
  'wrong-status': { status: 409, title: 'Not possible in this status' },
  incomplete: { status: 409, title: 'Something mandatory is missing' },
  'consent-missing': { status: 409, title: 'The State has not consented to circulation yet' },
  objected: { status: 409, title: 'The State objects to circulation' },
  'window-open': { status: 409, title: 'The objection window is open' },
  'no-beneficiary': { status: 409, title: 'No State has consented to take part' },
  'last-participant': { status: 409, title: 'Nobody would be left' },
  'participant-consented': { status: 409, title: 'A State takes part by its own word' },
  'not-undetermined': { status: 409, title: 'The line has a quantity' },
  'survivor-not-open': { status: 409, title: 'The surviving need is not open' },
  'other-beneficiaries': { status: 409, title: 'The needs are not for the same beneficiaries' },
  'not-due': { status: 409, title: 'Not due yet' },
  'below-committed': { status: 409, title: 'More is accepted and binding than that' },
  'line-in-use': { status: 409, title: 'The line is held or committed' },
  'unknown-line': { status: 409, title: 'There is no such line' },
  'live-commitments': { status: 409, title: 'A commitment on the need is live' },
  'not-met': { status: 409, title: 'Confirmed deliveries do not meet the need' },
  'not-bound': { status: 409, title: 'Nothing is binding' },
  'beyond-bound': { status: 409, title: 'More than is binding' },
});

/** Every refusal a need gives to an acceptance; recorded in the need and in the commitment. */
export const COVERAGE_PROBLEMS: Readonly<Record<CoverageRefusalCode, ProblemInfo>> = registerProblems({
  'insufficient-coverage': { status: 409, title: 'The need asks for less than that' },
  'need-not-open': { status: 409, title: 'The need is not open' },
  'measure-mismatch': { status: 409, title: 'The measures do not fit' },
  'unknown-line': { status: 409, title: 'There is no such line' },
});
