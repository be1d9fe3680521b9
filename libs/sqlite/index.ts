export type { Database, OpenOptions, ProcessLock, SqliteFault, SqlParameter, Statement } from './database.js';
export { copyInto, faultOf, inTransaction, integrityFaults, openDatabase, takeProcessLock } from './database.js';
