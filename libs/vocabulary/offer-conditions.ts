import { isCodeOf } from './code-list.js';

export const OFFER_CONDITIONS_VERSION = '1';

/** What an offer may ask of a need or of the commitment that follows. */
export const OFFER_CONDITIONS = [
  'co-financing',
  'national-report',
  'prior-written-consent',
  'assessment-first',
  'fields-required',
  'ownership',
  'maintenance',
  'end-use',
  'visibility',
  'reporting',
  'training-of-operators',
  'other',
] as const;
export type OfferConditionCode = (typeof OFFER_CONDITIONS)[number];
export const isOfferCondition = isCodeOf(OFFER_CONDITIONS);
