import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { PartyRejectionCode } from './party.js';

/** Every refusal of a command to a party, a designation or a mandate. */
export const PARTY_PROBLEMS: Readonly<Record<PartyRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'already-registered': { status: 409, title: 'The party is registered already' },
  'party-retired': { status: 409, title: 'The party was retired' },
  'unknown-party': { status: 409, title: 'The party is not registered' },
  'already-exists': { status: 409, title: 'The record exists already' },
});
