import { isCodeOf } from './code-list.js';

export const URGENCY_VERSION = '1';

/** How pressing a need is. */
export const URGENCIES = ['normal', 'urgent'] as const;
export type Urgency = (typeof URGENCIES)[number];
export const isUrgency = isCodeOf(URGENCIES);
