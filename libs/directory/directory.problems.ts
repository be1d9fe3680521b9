import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { PartyRejectionCode } from './party.js';
import type { SubjectRejectionCode } from './subjects/subject.js';

/** Every refusal of a command to a party, a designation or a mandate. */
export const PARTY_PROBLEMS: Readonly<Record<PartyRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'already-registered': { status: 409, title: 'The party is registered already' },
  'party-retired': { status: 409, title: 'The party was retired' },
  'unknown-party': { status: 409, title: 'The party is not registered' },
  'already-exists': { status: 409, title: 'The record exists already' },
  'designation-revoked': { status: 409, title: 'The designation was revoked' },
});

/** Refusals of a contact point: what is sealed rests on a person who can still be one. */
export const CONTACT_PROBLEMS = {
  ...PARTY_PROBLEMS,
  ...registerProblems({ 'holder-erased': { status: 409, title: 'The holder was erased' } }),
} satisfies Readonly<Record<string, ProblemInfo>>;

/** Every refusal of an erasure. */
export const SUBJECT_PROBLEMS: Readonly<Record<SubjectRejectionCode, ProblemInfo>> = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'held-elsewhere': { status: 409, title: 'The person acts for other parties' },
});
