import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { CallRejectionCode } from './call.js';
import type { ContributionRejectionCode } from './contribution.js';
import type { FundRejectionCode } from './fund.js';

const refusal = (title: string): ProblemInfo => ({ status: 409, title });
const FORBIDDEN: ProblemInfo = { status: 403, title: 'Not yours to do' };
const NOT_FOUND: ProblemInfo = { status: 404, title: 'Not found' };

/** Every refusal of a command to a fund's book. */
export const FUND_PROBLEMS: Readonly<Record<FundRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: FORBIDDEN,
  'not-found': NOT_FOUND,
  'already-exists': refusal('The record exists already'),
  'unknown-party': refusal('The party is not registered'),
  'overlapping-periods': refusal('Accounting periods overlap'),
  'currency-mismatch': refusal('The currencies do not fit'),
  'currency-in-use': refusal('The book holds money in its currency'),
  'unknown-window': refusal('The fund has no such window'),
  'unknown-rate': refusal('The fund has no such fee rate'),
  'unknown-decision': refusal('The fund has no such decision'),
  'unknown-application': refusal('There is no such application'),
  'unknown-period': refusal('The fund has no such accounting period'),
  'period-not-over': refusal('The period is not over'),
  'period-order': refusal('An earlier period is open'),
  'period-closed': refusal('The period is closed'),
  'insufficient-funds': refusal('The fund has not enough that is not allocated'),
  'nothing-to-release': refusal('Nothing is left to release'),
});

/** Every refusal of a command to a contribution. */
export const CONTRIBUTION_PROBLEMS: Readonly<Record<ContributionRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: FORBIDDEN,
  'not-found': NOT_FOUND,
  'already-exists': refusal('The record exists already'),
  'own-fund': refusal('A fund does not contribute to itself'),
  'decision-required': refusal('The fund has not decided it'),
  'fund-keeps-no-book': refusal('The fund keeps no book here'),
  'unknown-window': refusal('The fund has no such window'),
  'unknown-payment': refusal('There is no such payment'),
  'not-pledged': refusal('The contribution is signed already'),
  'not-signed': refusal('The contribution is not signed'),
  'contribution-closed': refusal('The contribution is closed or cancelled'),
  'fully-received': refusal('The whole contribution has arrived'),
  'currency-mismatch': refusal('The currencies do not fit'),
  'valuation-required': refusal('A valuation is required'),
  'valuation-mismatch': refusal('The valuation does not fit the quantities'),
  'over-contribution': refusal('More than the contribution'),
  'over-refund': refusal('More would be refunded than was sent'),
  'insufficient-funds': refusal('The fund has not enough that is not allocated'),
});

/** Every refusal of a command to a call. */
export const CALL_PROBLEMS: Readonly<Record<CallRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: FORBIDDEN,
  'not-found': NOT_FOUND,
  'already-exists': refusal('The record exists already'),
  'fund-keeps-no-book': refusal('The fund keeps no book here'),
  'unknown-window': refusal('The fund has no such window'),
  'currency-mismatch': refusal('The currencies do not fit'),
  'call-not-open': refusal('The call takes no applications now'),
  'call-closed': refusal('The call is closed'),
  'over-ceiling': refusal('More than one application may ask'),
  'need-not-open': refusal('The need is not open'),
  'already-applied': refusal('The need has applied to this call'),
  'unknown-application': refusal('There is no such application'),
  'unknown-decision': refusal('The fund has no such decision'),
  'not-eligible': refusal('The application is not eligible'),
  'application-decided': refusal('The application is decided'),
  'application-withdrawn': refusal('The application was withdrawn'),
});
