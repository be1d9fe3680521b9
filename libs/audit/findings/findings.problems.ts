import type { ProblemInfo } from '#web';
import { registerProblems } from '#web';
import type { FindingRejectionCode } from './finding.js';

/** What a finding is refused for before it is written. */
type GroundsCode = 'unknown-party' | 'hidden-from-owner';

const refusal = (title: string): ProblemInfo => ({ status: 409, title });

/** Status and title of every refusal of a finding. */
export const FINDING_PROBLEMS: Readonly<Record<FindingRejectionCode | GroundsCode, ProblemInfo>> = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'unknown-party': refusal('The party is not registered'),
  'hidden-from-owner': refusal('The owner does not see what the finding rests on'),
  'already-written': refusal('The finding exists with another content'),
  'dates-do-not-fit': refusal('The days do not fit'),
  'finding-closed': refusal('The finding is closed'),
  'claim-pending': refusal('A claimed implementation waits for the auditor'),
  'not-answered': refusal('The finding has not been answered'),
  'not-agreed': refusal('The owner has disagreed with the finding'),
  'not-claimed': refusal('No implementation is claimed'),
  'not-verified': refusal('The implementation has not been verified'),
  'risk-not-accepted': refusal('The owner has not accepted the risk'),
  'not-due': refusal('Nothing has fallen due'),
});
