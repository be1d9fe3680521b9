import { isCodeOf } from './code-list.js';

export const DELIVERY_CONDITIONS_VERSION = '1';

/** In what condition a delivery arrived. */
export const DELIVERY_CONDITIONS = ['usable', 'in-use-later', 'not-usable'] as const;
export type DeliveryCondition = (typeof DELIVERY_CONDITIONS)[number];
export const isDeliveryCondition = isCodeOf(DELIVERY_CONDITIONS);

/** How two sides may settle a disputed delivery. */
export const SETTLEMENT_OUTCOMES = ['stands', 'reduced'] as const;
export type SettlementOutcome = (typeof SETTLEMENT_OUTCOMES)[number];
export const isSettlementOutcome = isCodeOf(SETTLEMENT_OUTCOMES);
