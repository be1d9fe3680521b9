import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ApiDocument } from './api-document.js';

/** Builds the document from the routes and the problem table, once. */
export const publishDocument = (app: INestApplication): void => {
  app.get(ApiDocument, { strict: false }).value = SwaggerModule.createDocument(
    app,
    new DocumentBuilder().setTitle('Pledgebook').setVersion('1').setOpenAPIVersion('3.1.0').addBearerAuth().build(),
  );
};
