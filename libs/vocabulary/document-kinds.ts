import { isCodeOf } from './code-list.js';

export const DOCUMENT_KINDS_VERSION = '1';

/** What a document is. */
export const DOCUMENT_KINDS = [
  'note-verbale',
  'letter',
  'national-report',
  'national-plan',
  'assessment',
  'agreement',
  'legislation',
  'inventory',
  'budget',
  'certificate',
  'photograph',
  'map',
  'report',
  'other',
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];
export const isDocumentKind = isCodeOf(DOCUMENT_KINDS);
