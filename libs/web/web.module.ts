import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { ApiDocument } from './api-document.js';
import { CallerDirectory } from './caller-directory.js';
import { FoldRecordHandler, TransactHandler } from './dispatch.js';
import { Health } from './health.js';
import { Metrics, RequestMetrics } from './metrics.js';
import { PermissionGuard } from './permission.guard.js';
import type { FaultLog } from './problem.filter.js';
import { ProblemFilter } from './problem.filter.js';
import { ReadGate } from './read-gate.js';
import { RecordKinds } from './record-kinds.js';
import { RecordEndpoints } from './record-endpoints.js';
import { ServiceController } from './service.controller.js';
import { ConsistencyTokens, Cursors, Seals } from './signing.js';
import { SubjectRegister } from './subject-register.js';

/** What the app hands to the pipeline. */
export interface WebParts {
  readonly directory: CallerDirectory;
  readonly subjects: SubjectRegister;
  /** At least 32 random bytes that survive restarts. */
  readonly sealKey: Uint8Array;
  readonly metrics: RequestMetrics;
  readonly log: FaultLog;
}

/** The HTTP pipeline. The kernel's ports (store, clock, transactor, runners, upcasting) come from the app's global module. */
@Module({})
export class WebModule {
  static forRoot({ directory, subjects, sealKey, metrics, log }: WebParts): DynamicModule {
    const shared = [RecordEndpoints, ReadGate, Cursors, ConsistencyTokens, RecordKinds];
    return {
      module: WebModule,
      global: true,
      imports: [CqrsModule.forRoot(), DiscoveryModule],
      controllers: [ServiceController],
      providers: [
        { provide: CallerDirectory, useValue: directory },
        { provide: SubjectRegister, useValue: subjects },
        { provide: Seals, useValue: new Seals(sealKey) },
        { provide: RequestMetrics, useValue: metrics },
        { provide: APP_GUARD, useClass: PermissionGuard },
        { provide: APP_FILTER, useValue: new ProblemFilter(log) },
        ApiDocument,
        FoldRecordHandler,
        Health,
        Metrics,
        TransactHandler,
        ...shared,
      ],
      exports: [...shared, ApiDocument, CallerDirectory, SubjectRegister],
    };
  }
}
