export type { DiscardedModel, SqliteReadDatabaseOptions } from './sqlite-read-database.js';
export { MemoryReadDatabase, SqliteReadDatabase } from './sqlite-read-database.js';
