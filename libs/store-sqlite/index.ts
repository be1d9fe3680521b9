export type { SqliteEventStoreOptions } from './sqlite-event-store.js';
export { SqliteEventStore } from './sqlite-event-store.js';
export { SqliteLogReader } from './log-reader.js';
export { DataFolderInUseError, dataFolder, documentFolders, logPath } from './data-folder.js';
export { NewerLogFormatError } from './log-file.js';
export type { LogReport } from './log-check.js';
export { checkLog } from './log-check.js';
export { checkDocuments } from './document-check.js';
export { backUp, BackupError, restoreFrom } from './backup.js';
