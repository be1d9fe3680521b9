import { isCodeOf } from './code-list.js';

export const REPORTED_KINDS_VERSION = '1';

/** What a reported record reports. */
export const REPORTED_KINDS = ['need', 'offer', 'contribution', 'commitment'] as const;
export type ReportedKind = (typeof REPORTED_KINDS)[number];
export const isReportedKind = isCodeOf(REPORTED_KINDS);

/** Where a reported fact comes from. */
export const SOURCE_KINDS = ['transcribed', 'published'] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];
export const isSourceKind = isCodeOf(SOURCE_KINDS);
