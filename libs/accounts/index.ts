export { accountsContext } from './accounts.module.js';
export { checksContext } from './checks/checks.module.js';
