import { isCodeOf } from './code-list.js';

export const REVIEW_CODES_VERSION = '1';

/** Why a coordinator returns a submitted need: what is missing, what is unclear, and a few causes of another sort. */
export const RETURN_REASONS = [
  'title-missing',
  'problem-missing',
  'outcome-missing',
  'kinds-missing',
  'instruments-missing',
  'lines-missing',
  'quantity-missing',
  'description-missing',
  'period-missing',
  'languages-missing',
  'prior-aid-missing',
  'own-contribution-missing',
  'plan-link-missing',
  'report-refs-missing',
  'requesting-authority-missing',
  'authority-ref-missing',
  'contact-office-missing',
  'approached-missing',
  'proposed-implementer-missing',
  'documents-missing',
  'annex-missing',
  'beneficiaries-missing',
  'title-unclear',
  'problem-unclear',
  'outcome-unclear',
  'kinds-unclear',
  'instruments-unclear',
  'lines-unclear',
  'quantity-unclear',
  'description-unclear',
  'period-unclear',
  'languages-unclear',
  'prior-aid-unclear',
  'own-contribution-unclear',
  'plan-link-unclear',
  'report-refs-unclear',
  'requesting-authority-unclear',
  'authority-ref-unclear',
  'contact-office-unclear',
  'approached-unclear',
  'proposed-implementer-unclear',
  'documents-unclear',
  'annex-unclear',
  'beneficiaries-unclear',
  'authority-missing',
  'contact-missing',
  'consent-missing',
  'authority-not-verified',
  'duplicate-suspected',
  'outside-instruments',
  'not-in-proper-form',
  'inconsistent',
  'other',
] as const;
export type ReturnReason = (typeof RETURN_REASONS)[number];
export const isReturnReason = isCodeOf(RETURN_REASONS);

/** Why a coordinator sets a need aside; seen by the State only. */
export const SET_ASIDE_CODES = ['not-authenticated', 'outside-instruments', 'not-in-proper-form', 'duplicate'] as const;
export type SetAsideCode = (typeof SET_ASIDE_CODES)[number];
export const isSetAsideCode = isCodeOf(SET_ASIDE_CODES);

/** What a State may object to. */
export const OBJECTION_TARGETS = ['circulation', 'publication'] as const;
export type ObjectionTarget = (typeof OBJECTION_TARGETS)[number];
export const isObjectionTarget = isCodeOf(OBJECTION_TARGETS);

/** What a coordinator finds of two needs that look alike. */
export const DUPLICATE_VERDICTS = ['same', 'different', 'complementary'] as const;
export type DuplicateVerdict = (typeof DUPLICATE_VERDICTS)[number];
export const isDuplicateVerdict = isCodeOf(DUPLICATE_VERDICTS);
