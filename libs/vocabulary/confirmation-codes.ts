import { isCodeOf } from './code-list.js';

export const CONFIRMATION_CODES_VERSION = '1';

/** Figures of a commitment that a party is asked to confirm: the amount of a leg, of a transfer, the quantity of a delivery. */
export const CONFIRMED_FIGURES = ['leg', 'transfer', 'delivery'] as const;
export type ConfirmedFigure = (typeof CONFIRMED_FIGURES)[number];
export const isConfirmedFigure = isCodeOf(CONFIRMED_FIGURES);

/**
 * What a party says of a figure: to one that is shown to it, `agrees` or `disagrees`; to one that it is asked to state, `states`; to either
 * that it has no record of it (ISA 505, positive confirmation requests: both forms, A5).
 */
export const CONFIRMATION_ANSWERS = ['agrees', 'disagrees', 'states', 'no-record'] as const;
export type ConfirmationAnswer = (typeof CONFIRMATION_ANSWERS)[number];
export const isConfirmationAnswer = isCodeOf(CONFIRMATION_ANSWERS);

/** How a request ends: with every figure confirmed, with what the auditor did instead (ISA 505.12, 505.14), or taken back. */
export const CONFIRMATION_CLOSINGS = ['confirmed', 'alternative-procedure', 'withdrawn'] as const;
export type ConfirmationClosing = (typeof CONFIRMATION_CLOSINGS)[number];
export const isConfirmationClosing = isCodeOf(CONFIRMATION_CLOSINGS);
