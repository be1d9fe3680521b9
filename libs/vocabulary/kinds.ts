import { isCodeOf } from './code-list.js';

export const KINDS_VERSION = '1';

/** What an assistance line is about. */
export const KINDS = [
  'legal',
  'legislative',
  'institution-building',
  'administrative',
  'technical',
  'financial',
  'material',
  'transfer-control',
  'control-lists-licensing',
  'stockpile-management',
  'physical-protection',
  'surplus-destruction',
  'marking-record-keeping',
  'tracing',
  'border-control',
  'detection-and-protection',
  'training',
  'public-awareness',
  'survey-research',
  'universalisation',
  'implementation-sustainment',
  'meeting-sponsorship',
  'needs-assessment-visit',
] as const;
export type Kind = (typeof KINDS)[number];
export const isKind = isCodeOf(KINDS);
