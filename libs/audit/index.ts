export { auditContext } from './audit.module.js';
