import { isCodeOf } from './code-list.js';

export const CLOSING_OUTCOMES_VERSION = '1';

/** How a State closes its need. */
export const NEED_CLOSINGS = ['met', 'partly-met'] as const;
export type NeedClosing = (typeof NEED_CLOSINGS)[number];
export const isNeedClosing = isCodeOf(NEED_CLOSINGS);

/** What a closed need was closed as. */
export const NEED_OUTCOMES = ['met', 'partly-met', 'withdrawn', 'superseded'] as const;
export type NeedOutcome = (typeof NEED_OUTCOMES)[number];
export const isNeedOutcome = isCodeOf(NEED_OUTCOMES);

/** What a closed offer was closed as. */
export const OFFER_OUTCOMES = ['expired', 'withdrawn', 'completed', 'superseded'] as const;
export type OfferOutcome = (typeof OFFER_OUTCOMES)[number];
export const isOfferOutcome = isCodeOf(OFFER_OUTCOMES);

/** What a closed commitment was closed as. */
export const COMMITMENT_OUTCOMES = ['confirmed', 'unconfirmed', 'cancelled'] as const;
export type CommitmentOutcome = (typeof COMMITMENT_OUTCOMES)[number];
export const isCommitmentOutcome = isCodeOf(COMMITMENT_OUTCOMES);
