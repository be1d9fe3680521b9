export { matchingContext } from './matching.module.js';
export { Matches } from './matches.js';
export { desk } from './desk.projection.js';
export { lineHistory } from './gaps/line-history.projection.js';
export { matchIndex } from './match-index.projection.js';
export { rulesetDecider } from './rules/ruleset-weights.js';
