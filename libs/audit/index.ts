export { auditContext } from './audit.module.js';
export { EVENT_SCHEMAS } from './event-schemas.data.js';
