import { isCodeOf } from './code-list.js';

export const REFUSAL_REASONS_VERSION = '1';

/** Why a person declines, withdraws or cancels. */
export const REFUSAL_REASONS = [
  'not-disclosed',
  'priorities',
  'budget',
  'timing',
  'outside-mandate',
  'security',
  'other',
] as const;
export type RefusalReasonCode = (typeof REFUSAL_REASONS)[number];
export const isRefusalReason = isCodeOf(REFUSAL_REASONS);

/** Whom the note beside a reason is addressed to. */
export const NOTE_AUDIENCES = ['other-side', 'coordinator'] as const;
export type NoteAudience = (typeof NOTE_AUDIENCES)[number];
export const isNoteAudience = isCodeOf(NOTE_AUDIENCES);
