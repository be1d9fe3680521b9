import { Module } from '@nestjs/common';
import type { Context } from '#web';
import { documentDecider } from './document.js';
import { DOCUMENT_LINKS, documentLinks } from './document-links.projection.js';
import { DocumentRecords } from './document-records.js';
import { DocumentUploads } from './document-uploads.js';
import { DocumentsController } from './documents.controller.js';

@Module({ providers: [DocumentRecords] })
class DocumentsModule {}

/** The app that serves its routes provides `DocumentStore`: where the bytes lie is its choice. */
export const documentsContext: Context = {
  name: 'documents',
  module: DocumentsModule,
  controllers: [DocumentsController],
  forRoutes: [DocumentUploads],
  streams: { [documentDecider.category]: documentDecider.schemas },
  reads: {
    sight: [
      DOCUMENT_LINKS,
      'needs.view',
      'offers.sight',
      'commitments.sight',
      'funds.view',
      'reported.view',
      'audit.sight',
    ],
    routes: ['documents.sight'],
  },
  projections: () => [documentLinks],
};
