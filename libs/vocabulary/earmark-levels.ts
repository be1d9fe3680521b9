import { isCodeOf } from './code-list.js';

export const EARMARK_LEVELS_VERSION = '1';

/** How narrowly an offer is earmarked. */
export const EARMARK_LEVELS = ['unearmarked', 'thematic', 'geographic', 'need-specific'] as const;
export type EarmarkLevel = (typeof EARMARK_LEVELS)[number];
export const isEarmarkLevel = isCodeOf(EARMARK_LEVELS);
