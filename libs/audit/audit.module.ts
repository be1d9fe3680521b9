import { Module } from '@nestjs/common';
import type { Context } from '#web';
import { AuditLog } from './audit-log.js';
import { AuditController } from './audit.controller.js';
import { SchemasController } from './schemas.controller.js';

@Module({ providers: [AuditLog] })
class AuditModule {}

/** The log as auditors read it: reads every context's streams through the kinds they register, writes none. */
export const auditContext: Context = {
  name: 'audit',
  module: AuditModule,
  controllers: [AuditController, SchemasController],
  streams: {},
  reads: {
    routes: [
      'needs.view',
      'needs.history',
      'offers.history',
      'commitments.history',
      'funds.view',
      'funds.history',
      'reported.view',
      'documents.sight',
    ],
  },
};
