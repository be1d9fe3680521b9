import { Module } from '@nestjs/common';
import type { Context } from '#web';
import { historyController, uuidOf } from '#web';
import { AuditLog } from './audit-log.js';
import { AuditController } from './audit.controller.js';
import { Books } from './confirmations/books.js';
import {
  CONFIRMATION_BOARD,
  confirmationBoard,
  confirmationDeadlines,
} from './confirmations/confirmation-board.projection.js';
import { ConfirmationRecords } from './confirmations/confirmation-records.js';
import { confirmationDecider } from './confirmations/confirmation.js';
import { ConfirmationsController } from './confirmations/confirmations.controller.js';
import { Evidence } from './evidence/evidence.js';
import { EvidenceController } from './evidence/evidence.controller.js';
import { LogExport } from './log-export.js';
import { LogDifference } from './log-difference.js';
import { FINDING_BOARD, findingBoard, findingDeadlines } from './findings/finding-board.projection.js';
import { FindingRecords } from './findings/finding-records.js';
import { findingDecider } from './findings/finding.js';
import { FindingsController } from './findings/findings.controller.js';
import { Grounds } from './findings/grounds.js';
import { OwnersSight } from './findings/owners-sight.js';
import { READ_BOARD, readBoard } from './reads/read-board.projection.js';
import { ReadLog } from './reads/read-log.js';
import { readsController } from './reads/reads-controller.js';
import { readDecider } from './reads/reads.js';
import { SAMPLE_BOARD, sampleBoard } from './samples/sample-board.projection.js';
import { SampleRecords } from './samples/sample-records.js';
import { sampleDecider } from './samples/sample.js';
import { SamplesController } from './samples/samples.controller.js';
import { Sampling } from './samples/sampling.js';
import { SchemasController } from './schemas.controller.js';
import { SeenList } from './seen-list.js';
import { Checkpoints } from './signed-log/checkpoints.js';
import { LogController } from './signed-log/log.controller.js';
import { LogKeyring } from './signed-log/log-keyring.js';
import { logKeysDecider } from './signed-log/log-keys.js';
import { LogTree } from './signed-log/log-tree.js';
import { LOG_TREE, logTree } from './signed-log/log-tree.projection.js';
import { StartCheck } from './signed-log/start-check.js';
import { Witnesses } from './signed-log/witnesses.js';

const READS = [
  readsController('NeedReads', { path: 'v1/needs', tag: 'needs', category: 'need' }),
  readsController('OfferReads', { path: 'v1/offers', tag: 'offers', category: 'offer' }),
  readsController('CommitmentReads', { path: 'v1/commitments', tag: 'commitments', category: 'commitment' }),
];

@Module({
  providers: [AuditLog, LogDifference, Grounds, FindingRecords, Sampling, SampleRecords, ConfirmationRecords, ReadLog],
  exports: [LogDifference, Grounds, FindingRecords, Sampling, SampleRecords, ConfirmationRecords],
})
class AuditModule {}

/**
 * The log as auditors read it, through the kinds that every context registers, what auditors find, what they drew to look at, and what they
 * asked parties to confirm.
 */
export const auditContext: Context = {
  name: 'audit',
  module: AuditModule,
  controllers: [
    AuditController,
    SchemasController,
    FindingsController,
    SamplesController,
    ConfirmationsController,
    LogController,
    EvidenceController,
    ...READS,
  ],
  forRoutes: [
    SeenList,
    OwnersSight,
    Books,
    LogTree,
    LogKeyring,
    StartCheck,
    Witnesses,
    Checkpoints,
    LogExport,
    Evidence,
  ],
  history: [
    historyController('FindingsController', {
      path: 'v1/findings',
      tag: 'findings',
      action: 'finding.history',
      records: FindingRecords,
      idOf: uuidOf,
    }),
    historyController('SamplesController', {
      path: 'v1/samples',
      tag: 'samples',
      action: 'sample.history',
      records: SampleRecords,
      idOf: uuidOf,
    }),
    historyController('ConfirmationsController', {
      path: 'v1/confirmation-requests',
      tag: 'confirmation requests',
      action: 'confirmation.history',
      records: ConfirmationRecords,
      idOf: uuidOf,
    }),
  ],
  streams: {
    [findingDecider.category]: findingDecider.schemas,
    [sampleDecider.category]: sampleDecider.schemas,
    [confirmationDecider.category]: confirmationDecider.schemas,
    [logKeysDecider.category]: logKeysDecider.schemas,
    [readDecider.category]: readDecider.schemas,
  },
  reads: {
    // A finding is seen by who sees what it rests on.
    sight: ['needs.history', 'offers.history', 'commitments.history', 'funds.history', 'reported.history'],
    history: ['audit.sight'],
    work: [FINDING_BOARD, CONFIRMATION_BOARD],
    routes: [
      FINDING_BOARD,
      SAMPLE_BOARD,
      CONFIRMATION_BOARD,
      READ_BOARD,
      'audit.sight',
      'needs.view',
      'needs.history',
      'offers.history',
      'commitments.history',
      'commitments.totals',
      'funds.view',
      'funds.history',
      'reported.view',
      'documents.sight',
      'subjects.sight',
      LOG_TREE,
    ],
  },
  projections: () => [findingBoard, sampleBoard, confirmationBoard, readBoard, logTree],
  deadlines: (deps) => [
    findingDeadlines(() => deps.reads(FINDING_BOARD)),
    confirmationDeadlines(() => deps.reads(CONFIRMATION_BOARD)),
  ],
};
