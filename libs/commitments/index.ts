export { commitmentsContext } from './commitments.module.js';
export { commitmentDecider, deadlineOf } from './commitment.js';
export type { CommitmentCommand, CommitmentRejection, CommitmentState } from './commitment.js';
export { CommitmentRecords } from './commitment-records.js';
export { COMMITMENT_BOARD, commitmentBoard, commitmentDeadlines } from './commitment-board.projection.js';
export { commitmentProgress, OpenProposals } from './commitment-progress.process.js';
export { COMMITMENT_PROBLEMS } from './commitment.problems.js';
export { commitmentRuleOf } from './commitment-rules.js';
