import { isCodeOf } from './code-list.js';

export const FINDING_CODES_VERSION = '1';

/**
 * How much an audit finding weighs, gravest first. Standards ask for a rating by significance and leave the scale to the auditor
 * (Global Internal Audit Standards 14.3); these four are what offices of internal audit commonly use.
 */
export const FINDING_SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type FindingSeverity = (typeof FINDING_SEVERITIES)[number];
export const isFindingSeverity = isCodeOf(FINDING_SEVERITIES);

/** What the party that must answer says to a finding and its recommendation. */
export const FINDING_RESPONSES = ['agreed', 'partly-agreed', 'disagreed'] as const;
export type FindingResponse = (typeof FINDING_RESPONSES)[number];
export const isFindingResponse = isCodeOf(FINDING_RESPONSES);

/** What an auditor found of an implementation that was claimed. */
export const VERIFICATION_OUTCOMES = ['implemented', 'not-implemented'] as const;
export type VerificationOutcome = (typeof VERIFICATION_OUTCOMES)[number];
export const isVerificationOutcome = isCodeOf(VERIFICATION_OUTCOMES);

/** How a finding ends. */
export const FINDING_CLOSINGS = ['implemented', 'risk-accepted', 'withdrawn'] as const;
export type FindingClosing = (typeof FINDING_CLOSINGS)[number];
export const isFindingClosing = isCodeOf(FINDING_CLOSINGS);

/** Kinds of records that findings are about: the categories of their streams. */
export const AUDITED_KINDS = [
  'need',
  'offer',
  'commitment',
  'reported',
  'fund',
  'contribution',
  'call',
  'party',
] as const;
export type AuditedKind = (typeof AUDITED_KINDS)[number];
export const isAuditedKind = isCodeOf(AUDITED_KINDS);
