import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { ConfirmationRejectionCode } from './confirmation.js';

/** What a request is refused for before it is sent. */
type AskingCode = 'unknown-party' | 'not-involved' | 'too-many-lines';

const refusal = (title: string): ProblemInfo => ({ status: 409, title });

/** Status and title of every refusal of a confirmation request. */
export const CONFIRMATION_PROBLEMS: Readonly<Record<ConfirmationRejectionCode | AskingCode, ProblemInfo>> =
  registerProblems({
    forbidden: { status: 403, title: 'Not yours to do' },
    'not-found': { status: 404, title: 'Not found' },
    'unknown-party': refusal('The party is not registered'),
    'not-involved': refusal('The party has no part in what it is asked about'),
    'too-many-lines': refusal('The request asks too much at once'),
    'already-requested': refusal('The request exists with another content'),
    'dates-do-not-fit': refusal('The days do not fit'),
    'nothing-to-confirm': refusal('There is nothing to confirm'),
    'answers-do-not-fit': refusal('The answers do not fit what is asked'),
    'figure-does-not-fit': refusal('A figure does not fit what is asked'),
    'confirmation-closed': refusal('The request is closed'),
    'not-confirmed': refusal('Not every figure is confirmed'),
    'answer-awaited': refusal('The party still has time to answer'),
    'not-due': refusal('Nothing has fallen due'),
  });
