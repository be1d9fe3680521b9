export type { SqliteEventStoreOptions } from './sqlite-event-store.js';
export { DataFolderInUseError, SqliteEventStore } from './sqlite-event-store.js';
export { NewerLogFormatError } from './log-file.js';
