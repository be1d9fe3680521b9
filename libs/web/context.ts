import type { DynamicModule, Provider, Type } from '@nestjs/common';
import type {
  Clock,
  DeadlineSource,
  EventStore,
  Process,
  Projection,
  ReadQueries,
  StreamSchemas,
  Transactor,
  Upcaster,
} from '#kernel';
import type { CallerDirectory } from './caller-directory.js';
import type { SubjectRegister } from './subject-register.js';

/** What a context may use to build its projections, processes and deadlines. */
export interface ContextDeps {
  readonly store: EventStore;
  readonly transactor: Transactor;
  readonly clock: Clock;
  /** Reads of a projection's current model; may be called as soon as a request, a process or the ticker runs, not before. */
  reads(projection: string): ReadQueries;
}

/** A read model by its name (`need-board`), or a part of a context that asks some itself (`needs.sight`). */
type AskedModel = string;

/**
 * What a context's parts ask of read models, so that an app keeps those it is asked for and no others: `routes` of its controllers,
 * `history` of its histories, `work` of its processes and deadlines; under other names what other contexts ask of its ports and records.
 */
export type ContextReads = Readonly<Partial<Record<'routes' | 'history' | 'work', readonly AskedModel[]>>> &
  Readonly<Record<string, readonly AskedModel[]>>;

/** A bounded context as an app composes it. */
export interface Context {
  readonly name: string;
  /** Providers: kinds of record, readers, ports. An app composes every context, whatever it serves. */
  readonly module: Type | DynamicModule;
  /** Routes, apart from the module: an app serves those that are its own. */
  readonly controllers: readonly Type[];
  /** Providers that only those routes use, composed where they are served. */
  readonly forRoutes?: readonly Provider[];
  /** Routes that only read a record's own stream: `…/history`, `…/replay`. */
  readonly history?: readonly Type[];
  /** Every event type the context writes, by kind of stream, with the newest schema it knows: `{ need: { NeedOpened: 1, … } }`. */
  readonly streams: StreamSchemas;
  /** The directory's part: who callers are. Exactly one context of an app has it. */
  readonly callers?: (deps: ContextDeps) => CallerDirectory;
  readonly upcasters?: readonly Upcaster[];
  /** Needed where an app keeps only some read models; see `ContextReads`. */
  readonly reads?: ContextReads;
  readonly projections?: (deps: ContextDeps) => readonly Projection[];
  /** @param keys the key store, for what must happen there too */
  readonly processes?: (deps: ContextDeps, keys: SubjectRegister) => readonly Process[];
  readonly deadlines?: (deps: ContextDeps) => readonly DeadlineSource[];
}
