import { Module } from '@nestjs/common';
import type { Context } from '#web';
import { historyController, uuidOf } from '#web';
import { AuditLog } from './audit-log.js';
import { AuditController } from './audit.controller.js';
import { FINDING_BOARD, findingBoard, findingDeadlines } from './findings/finding-board.projection.js';
import { FindingRecords } from './findings/finding-records.js';
import { findingDecider } from './findings/finding.js';
import { FindingsController } from './findings/findings.controller.js';
import { Grounds } from './findings/grounds.js';
import { OwnersSight } from './findings/owners-sight.js';
import { SchemasController } from './schemas.controller.js';
import { Checkpoints } from './signed-log/checkpoints.js';
import { LogController } from './signed-log/log.controller.js';
import { LogTree } from './signed-log/log-tree.js';
import { LOG_TREE, logTree } from './signed-log/log-tree.projection.js';

@Module({ providers: [AuditLog, Grounds, FindingRecords], exports: [Grounds, FindingRecords] })
class AuditModule {}

/** The log as auditors read it, through the kinds that every context registers, and what auditors find. */
export const auditContext: Context = {
  name: 'audit',
  module: AuditModule,
  controllers: [AuditController, SchemasController, FindingsController, LogController],
  forRoutes: [OwnersSight, LogTree, Checkpoints],
  history: [
    historyController('FindingsController', {
      path: 'v1/findings',
      tag: 'findings',
      action: 'finding.history',
      records: FindingRecords,
      idOf: uuidOf,
    }),
  ],
  streams: { [findingDecider.category]: findingDecider.schemas },
  reads: {
    // A finding is seen by who sees what it rests on.
    sight: ['needs.history', 'offers.history', 'commitments.history', 'funds.history', 'reported.history'],
    history: ['audit.sight'],
    work: [FINDING_BOARD],
    routes: [
      FINDING_BOARD,
      'audit.sight',
      'needs.view',
      'needs.history',
      'offers.history',
      'commitments.history',
      'funds.view',
      'funds.history',
      'reported.view',
      'documents.sight',
      'subjects.sight',
      LOG_TREE,
    ],
  },
  projections: () => [findingBoard, logTree],
  deadlines: (deps) => [findingDeadlines(() => deps.reads(FINDING_BOARD))],
};
