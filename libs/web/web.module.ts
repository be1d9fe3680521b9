import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import type { Clock } from '#kernel';
import { AdminController } from './admin.controller.js';
import { ApiDocument } from './api-document.js';
import { CallerDirectory } from './caller-directory.js';
import { FoldRecordHandler, TransactHandler } from './dispatch.js';
import { Health, OWN_CHECKS, type OwnChecks } from './health.js';
import type { KeyRing } from './key-ring.js';
import type { LocalIssuer } from './local-issuer.js';
import { Metrics, RequestMetrics } from './metrics.js';
import { PermissionGuard } from './permission.guard.js';
import type { FaultLog } from './problem.filter.js';
import { ProblemFilter } from './problem.filter.js';
import { ReadGate } from './read-gate.js';
import { ReadNotes } from './read-notes.js';
import { RecordKinds, RecordSight } from './record-kinds.js';
import { RecordEndpoints } from './record-endpoints.js';
import { ServiceController } from './service.controller.js';
import { ConsistencyTokens, Cursors, Seals } from './signing.js';
import { SubjectRegister } from './subject-register.js';
import { ServiceKeys, Upkeep } from './upkeep.js';

/** What the app hands to the pipeline. */
export interface WebParts {
  readonly directory: CallerDirectory;
  readonly subjects: SubjectRegister;
  /** What cursors and tokens are sealed with; survives restarts. */
  readonly seals: KeyRing;
  readonly issuer: LocalIssuer;
  readonly clock: Clock;
  readonly metrics: RequestMetrics;
  readonly log: FaultLog;
  /** Added to readiness. */
  readonly checks?: OwnChecks | undefined;
}

/** The HTTP pipeline. The kernel's ports (store, clock, transactor, runners, upcasting) come from the app's global module. */
@Module({})
export class WebModule {
  static forRoot({ directory, subjects, seals, issuer, clock, metrics, log, checks }: WebParts): DynamicModule {
    const shared = [Health, RecordEndpoints, ReadGate, Cursors, ConsistencyTokens, RecordKinds, RecordSight, ReadNotes];
    return {
      module: WebModule,
      global: true,
      imports: [CqrsModule.forRoot(), DiscoveryModule],
      controllers: [ServiceController, AdminController],
      providers: [
        { provide: CallerDirectory, useValue: directory },
        { provide: SubjectRegister, useValue: subjects },
        { provide: Seals, useValue: new Seals(seals, clock) },
        { provide: ServiceKeys, useValue: new ServiceKeys(seals, issuer) },
        { provide: RequestMetrics, useValue: metrics },
        { provide: OWN_CHECKS, useValue: checks ?? (() => Promise.resolve([])) },
        { provide: APP_GUARD, useClass: PermissionGuard },
        { provide: APP_FILTER, useValue: new ProblemFilter(log) },
        ApiDocument,
        FoldRecordHandler,
        Metrics,
        TransactHandler,
        Upkeep,
        ...shared,
      ],
      exports: [...shared, ApiDocument, CallerDirectory, SubjectRegister],
    };
  }
}
