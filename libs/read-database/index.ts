export type { ModelRows } from './model-rows.js';
export { openModelRows } from './model-rows.js';
export type { DiscardedModel, SqliteReadDatabaseOptions } from './sqlite-read-database.js';
export { MemoryReadDatabase, SqliteReadDatabase } from './sqlite-read-database.js';
