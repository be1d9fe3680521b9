export { reportedContext } from './reported.module.js';
export { reportedBoard } from './reported-board.projection.js';
export { claimDrafting } from './claim-drafting.process.js';
export { reportedDecider } from './reported.js';
export type { ReportedCommand, ReportedState } from './reported.js';
export { REPORTED_PROBLEMS } from './reported.problems.js';
export { DraftFactory } from './reported.contract.js';
export type {
  ClaimedDraft,
  ContradictoryClaim,
  DraftFromClaim,
  PartyRef,
  ReportedContent,
  ReportedDates,
  ReportedEvent,
  ReportedSource,
} from './reported.contract.js';
