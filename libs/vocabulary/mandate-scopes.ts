import { isCodeOf } from './code-list.js';

export const MANDATE_SCOPES_VERSION = '1';

/** What an audit mandate covers. */
export const MANDATE_SCOPES = ['everything', 'parties', 'fund', 'records'] as const;
export type MandateScopeKind = (typeof MANDATE_SCOPES)[number];
export const isMandateScope = isCodeOf(MANDATE_SCOPES);
