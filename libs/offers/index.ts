export { offersContext } from './offers.module.js';
export { endOf, offerDecider } from './offer.js';
export type { OfferCommand, OfferRejection, OfferState, OfferSummary } from './offer.js';
export { ClaimedOffers } from './claim.js';
export { OfferRecords } from './offer-records.js';
export { OFFER_BOARD, offerBoard, offerExpiry } from './offer-board.projection.js';
export { capacityHolding } from './capacity-holding.process.js';
export { EligibleOffers } from './offer.contract.js';
export { CAPACITY_PROBLEMS, OFFER_PROBLEMS } from './offer.problems.js';
