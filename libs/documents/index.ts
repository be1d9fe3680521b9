export { documentsContext } from './documents.module.js';
export { documentDecider } from './document.js';
export { DocumentStore } from './document-store.js';
export { DEFAULT_DOCUMENT_LIMIT, FileDocumentStore } from './file-document-store.js';
export type { DocumentFolders } from './file-document-store.js';
