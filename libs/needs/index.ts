export { needsContext } from './needs.module.js';
export { hasLiveCommitments, needDecider, nextDeadline } from './need.js';
export type { NeedCommand, NeedRejection, NeedState } from './need.js';
export { NeedRecords } from './need-records.js';
export { ClaimedNeeds } from './need-reading.js';
export { NEED_BOARD, needBoard, needDeadlines } from './need-board.projection.js';
export { needMerging } from './need-merging.process.js';
export { coverageReserving } from './coverage-reserving.process.js';
export { COVERAGE_PROBLEMS, NEED_PROBLEMS } from './needs.problems.js';
