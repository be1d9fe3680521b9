import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import {
  Clock,
  DeadlineTicker,
  EventStore,
  MessageBus,
  ProcessRunner,
  ProjectionRunner,
  ReadDatabase,
  Transactor,
  Upcasting,
} from '#kernel';
import { DocumentStore } from '#documents';

/** The running core: one log, what follows it, the files beside it, and the clock. */
export interface Core {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly bus: MessageBus;
  readonly readDatabase: ReadDatabase;
  readonly documents: DocumentStore;
  readonly upcasting: Upcasting;
  readonly transactor: Transactor;
  readonly projections: ProjectionRunner;
  readonly processes: ProcessRunner;
  readonly ticker: DeadlineTicker;
}

/** Hands the kernel's ports to every context; each is its own injection token. */
@Module({})
export class CoreModule {
  static forRoot(core: Core): DynamicModule {
    const providers = [
      { provide: Clock, useValue: core.clock },
      { provide: EventStore, useValue: core.store },
      { provide: MessageBus, useValue: core.bus },
      { provide: ReadDatabase, useValue: core.readDatabase },
      { provide: DocumentStore, useValue: core.documents },
      { provide: Upcasting, useValue: core.upcasting },
      { provide: Transactor, useValue: core.transactor },
      { provide: ProjectionRunner, useValue: core.projections },
      { provide: ProcessRunner, useValue: core.processes },
      { provide: DeadlineTicker, useValue: core.ticker },
    ];
    return { module: CoreModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}
