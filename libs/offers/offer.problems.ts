import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { CapacityRefusalCode } from './offer.contract.js';
import type { OfferRejectionCode } from './offer.js';

/** Every refusal of a command to an offer. */
export const OFFER_PROBLEMS: Readonly<Record<OfferRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'already-exists': { status: 409, title: 'The record exists already' },
  'unknown-provider': { status: 409, title: 'The provider is not registered' },
  'offer-not-draft': { status: 409, title: 'The offer is not a draft' },
  'offer-not-open': { status: 409, title: 'The offer is not open' },
  'offer-not-suspended': { status: 409, title: 'The offer is not suspended' },
  'offer-incomplete': { status: 409, title: 'The offer lacks what posting asks for' },
  'no-determined-capacity': { status: 409, title: 'No line has a determined capacity' },
  'period-backwards': { status: 409, title: 'The period ends before it starts' },
  'period-over': { status: 409, title: 'The period is over' },
  'unknown-line': { status: 409, title: 'There is no such line' },
  'line-in-use': { status: 409, title: 'The line is held or committed' },
  'capacity-in-use': { status: 409, title: 'More is held or committed than the new capacity' },
  'not-due': { status: 409, title: 'Not due yet' },
  'not-reserved': { status: 409, title: 'No capacity is held' },
  'not-committed': { status: 409, title: 'No capacity is committed' },
  'over-committed': { status: 409, title: 'More than is committed' },
});

/** Every refusal an offer gives to a proposal; recorded in the offer and in the commitment. */
export const CAPACITY_PROBLEMS: Readonly<Record<CapacityRefusalCode, ProblemInfo>> = registerProblems({
  'insufficient-capacity': { status: 409, title: 'The offer has not enough capacity left' },
  'offer-not-open': { status: 409, title: 'The offer is not open' },
  earmark: { status: 409, title: 'The earmark of the offer does not admit this need' },
  'below-minimum-lot': { status: 409, title: 'Less than the smallest lot of the offer' },
  'measure-mismatch': { status: 409, title: 'The measures do not fit' },
  'unknown-line': { status: 409, title: 'There is no such line' },
});
