export { fundsContext } from './funds.module.js';
export { fundDecider } from './fund.js';
export { contributionDecider } from './contribution.js';
export { callDecider } from './call.js';
export { fundBoard } from './fund-board.projection.js';
export { contributionBoard } from './contribution-board.projection.js';
export { callBoard } from './call-board.projection.js';
