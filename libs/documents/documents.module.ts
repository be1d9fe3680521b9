import { Module } from '@nestjs/common';
import type { Context } from '#web';
import { DOCUMENT_SCHEMAS } from './document.js';
import { documentLinks } from './document-links.projection.js';
import { DocumentRecords } from './document-records.js';
import { DocumentUploads } from './document-uploads.js';
import { DocumentsController } from './documents.controller.js';

/** The app provides `DocumentStore`: where the bytes lie is its choice. */
@Module({
  providers: [DocumentRecords, DocumentUploads],
})
class DocumentsModule {}

export const documentsContext: Context = {
  name: 'documents',
  module: DocumentsModule,
  controllers: [DocumentsController],
  schemas: DOCUMENT_SCHEMAS,
  projections: () => [documentLinks],
};
