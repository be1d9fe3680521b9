export { auditContext } from './audit.module.js';
export { EVENT_SCHEMAS } from './event-schemas.data.js';
export { findingBoard } from './findings/finding-board.projection.js';
