import type { ProblemInfo } from '#web';
import type { AllocationRejectionCode } from './allocation.js';

/** Status and title of every refusal of an allocation. */
export const ALLOCATION_PROBLEMS: Readonly<Record<AllocationRejectionCode, ProblemInfo>> = {
  forbidden: { status: 403, title: 'Not yours to do' },
  'not-found': { status: 404, title: 'Not found' },
  'already-requested': { status: 409, title: 'The run exists with another order' },
  'run-ended': { status: 409, title: 'The run has ended' },
};
