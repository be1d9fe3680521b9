import type { Abstract, DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import {
  Clock,
  DeadlineTicker,
  EventStore,
  LogLineage,
  MessageBus,
  ProcessRunner,
  ProjectionRunner,
  ReadDatabase,
  SharedWriteGate,
  Transactor,
  Upcasting,
} from '#kernel';

/** The running core: one log, what follows it, and the clock. */
export interface Core {
  readonly clock: Clock;
  readonly store: EventStore;
  readonly lineage: LogLineage;
  readonly bus: MessageBus;
  readonly readDatabase: ReadDatabase;
  readonly upcasting: Upcasting;
  readonly transactor: Transactor;
  readonly projections: ProjectionRunner;
  readonly processes: ProcessRunner;
  readonly ticker: DeadlineTicker;
  /** Whether anything is written, here and in the other services. */
  readonly writes: SharedWriteGate;
}

/** A port of a context's own, such as where documents lie: the class is its injection token. */
export interface Port {
  readonly provide: Abstract<unknown>;
  readonly useValue: object;
}

/** Hands the kernel's ports, and those that contexts ask for, to every context; each is its own injection token. */
@Module({})
export class CoreModule {
  static forRoot(core: Core, ports: readonly Port[]): DynamicModule {
    const providers = [
      { provide: Clock, useValue: core.clock },
      { provide: EventStore, useValue: core.store },
      { provide: LogLineage, useValue: core.lineage },
      { provide: MessageBus, useValue: core.bus },
      { provide: ReadDatabase, useValue: core.readDatabase },
      { provide: Upcasting, useValue: core.upcasting },
      { provide: Transactor, useValue: core.transactor },
      { provide: ProjectionRunner, useValue: core.projections },
      { provide: ProcessRunner, useValue: core.processes },
      { provide: DeadlineTicker, useValue: core.ticker },
      { provide: SharedWriteGate, useValue: core.writes },
      ...ports,
    ];
    return { module: CoreModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}
