export { fundsContext } from './funds.module.js';
export { decidedFor, figuresOf, fundDecider, moneyOf } from './fund.js';
export type { FundBook, FundState } from './fund.js';
export { contributionDecider, worthOf } from './contribution.js';
export type { ContributionState } from './contribution.js';
export { callDecider } from './call.js';
export { fundBoard } from './fund-board.projection.js';
export { contributionBoard } from './contribution-board.projection.js';
export { callBoard } from './call-board.projection.js';
