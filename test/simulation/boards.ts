import { isDeepStrictEqual } from 'node:util';
import { commitmentDecider, commitmentProgress, commitmentsContext, deadlineOf, OpenProposals } from '#commitments';
import type { CommitmentState } from '#commitments';
import { fundsContext } from '#funds';
import type {
  Clock,
  CommandContext,
  DeadlineSource,
  DueDeadline,
  EventStore,
  Process,
  ProcessCommand,
  Projection,
  ReadModel,
  ReadQueries,
  RecordedEvent,
  Transactor,
} from '#kernel';
import {
  applyToModel,
  categoryOfStream,
  Feed,
  idOfStream,
  pause,
  processCommand,
  ProjectionRunner,
  ReadDatabase,
  ReadModelUnavailableError,
} from '#kernel';
import { dumpOf } from '#kernel-testing';
import { needDecider, needsContext, nextDeadline } from '#needs';
import type { NeedState } from '#needs';
import { endOf, offerDecider, offersContext } from '#offers';
import type { OfferState } from '#offers';
import { MemoryReadDatabase } from '#read-database';
import { SqliteSubjectRegister } from '#web';
import type { SubjectRegister } from '#web';
import type { Folds } from './folds.js';
import { isGroupLive } from './need-group.js';

/** What a node's processes and ticker read. */
export interface Boards {
  readonly processes: readonly Process[];
  readonly deadlines: readonly DeadlineSource[];
  /** Everything up to here is in all of them. */
  readonly position: bigint;
  /** @throws {StoreUnavailableError} it may be called again */
  start(): Promise<void>;
}

export interface BoardParts {
  readonly store: EventStore;
  readonly transactor: Transactor;
  readonly clock: Clock;
  readonly alarm: (error: unknown) => void;
}

const CONTEXTS = [needsContext, offersContext, commitmentsContext, fundsContext];

/** Nobody is erased in a simulation. */
const KEYS = SqliteSubjectRegister.inMemory();

type Reads = (projection: string) => ReadQueries;

const partsOf = <T>(
  of: ((parts: BoardParts & { readonly reads: Reads }, keys: SubjectRegister) => readonly T[]) | undefined,
  parts: BoardParts,
  reads: Reads,
): readonly T[] => of?.({ ...parts, reads }, KEYS) ?? [];

/** Models that outlive the node that filled them, as files do. */
export class KeptModels extends ReadDatabase {
  private readonly models = new Map<string, ReadModel>();
  private readonly memory = new MemoryReadDatabase();

  override open(projection: Pick<Projection, 'name' | 'version' | 'schema'>): ReadModel {
    const kept = this.models.get(projection.name) ?? this.memory.open(projection);
    this.models.set(projection.name, kept);
    return kept;
  }

  override openBeside(projection: Pick<Projection, 'name' | 'version' | 'schema'>): ReadModel {
    return this.memory.open(projection);
  }

  override switchTo(projection: Pick<Projection, 'name'>, _current: ReadModel, built: ReadModel): ReadModel {
    this.models.set(projection.name, built);
    return built;
  }

  override dropOlder(): void {
    // There is one version.
  }

  override close(): void {
    this.memory.close();
  }
}

/** The projections of the contexts, kept up to date by their own runner. */
export class ProjectedBoards implements Boards {
  readonly processes: readonly Process[];
  readonly deadlines: readonly DeadlineSource[];
  private readonly runner: ProjectionRunner;
  private readonly projections: readonly Projection[];

  constructor(
    parts: BoardParts,
    readonly models: KeptModels,
  ) {
    const reads: Reads = (name) => this.runner.model(name);
    this.projections = CONTEXTS.flatMap(({ projections }) => partsOf(projections, parts, reads));
    this.runner = new ProjectionRunner(parts.store, models, this.projections, {
      alarm: ({ error }) => {
        parts.alarm(error);
      },
    });
    this.processes = CONTEXTS.flatMap(({ processes }) => partsOf(processes, parts, reads));
    this.deadlines = CONTEXTS.flatMap(({ deadlines }) => partsOf(deadlines, parts, reads));
  }

  get position(): bigint {
    return this.runner.statuses().reduce((least, { position }) => (position < least ? position : least), 1n << 62n);
  }

  start(): Promise<void> {
    return this.runner.start();
  }

  /** Name of a model that is not what these events make of an empty one; undefined where all are. */
  stray(events: readonly RecordedEvent[]): string | undefined {
    const fresh = new MemoryReadDatabase();
    try {
      return this.projections.find((projection) => {
        const rebuilt = fresh.open(projection);
        applyToModel(projection, rebuilt, events, (event) => event);
        return !isDeepStrictEqual(dumpOf(this.runner.model(projection.name)), dumpOf(rebuilt));
      })?.name;
    } finally {
      fresh.close();
    }
  }
}

/** How long a process waits for a board that has not come far enough, in milliseconds. */
const PATIENCE_MS = 10_000;
const POLL_MS = 100;

/** A deadline of a state, reckoned once: states never change. */
const reckonedOnce = <S extends object, D>(reckon: (state: S) => D): ((state: S) => D) => {
  const known = new WeakMap<S, { readonly deadline: D }>();
  return (state) => {
    const before = known.get(state);
    if (before !== undefined) return before.deadline;
    const deadline = reckon(state);
    known.set(state, { deadline });
    return deadline;
  };
};
const deadlineOfCommitment = reckonedOnce(deadlineOf);
const deadlineOfNeed = reckonedOnce(nextDeadline);
const endOfOffer = reckonedOnce(({ summary }: OfferState): { readonly due: string } | undefined => {
  const due = summary?.status === 'open' || summary?.status === 'suspended' ? endOf(summary.content) : undefined;
  return due === undefined ? undefined : { due };
});

/** The same answers from the deciders' folds of the log: the databases of the projections would take most of a run's time. */
export class FoldedBoards implements Boards {
  readonly processes: readonly Process[];
  readonly deadlines: readonly DeadlineSource[];
  position = 0n;
  private readonly commitments = new Map<string, CommitmentState>();
  private readonly needs = new Map<string, NeedState>();
  private readonly offers = new Map<string, OfferState>();

  constructor(
    private readonly parts: BoardParts,
    private readonly folds: Folds,
  ) {
    const reads = (name: string): ReadQueries => {
      throw new Error(`${name} is not projected in this run`);
    };
    this.processes = CONTEXTS.flatMap(({ name, processes }) =>
      name === 'commitments' ? [commitmentProgress(this.openProposals())] : partsOf(processes, parts, reads),
    );
    this.deadlines = [
      sourceOf('commitment-deadlines', this.commitments, deadlineOfCommitment, (id, { command: type }) =>
        processCommand({ decider: commitmentDecider, id, key: type, command: (by) => ({ type, by }) }),
      ),
      sourceOf(
        'need-deadlines',
        this.needs,
        (state) => this.needDeadline(state),
        (id, { command: type }) => {
          const opens = type === 'OpenNeed';
          const ask = (by: CommandContext) => (opens ? { type, by } : { type, by, standstillMs: 0 });
          return processCommand({ decider: needDecider, id, key: opens ? 'open' : 'fall-dormant', command: ask });
        },
      ),
      sourceOf('offer-expiry', this.offers, endOfOffer, (id) =>
        processCommand({ decider: offerDecider, id, key: 'expire', command: (by) => ({ type: 'ExpireOffer', by }) }),
      ),
    ];
  }

  async start(): Promise<void> {
    // Runs as long as the node: a node that dies takes it along.
    new Feed(
      this.parts.store,
      0n,
      async (batch, last) => {
        for (const event of batch) this.take(event);
        this.position = last;
      },
      { maxBatch: 500, broken: this.parts.alarm },
    );
  }

  private take({ stream, revision }: RecordedEvent): void {
    const id = idOfStream(stream);
    switch (categoryOfStream(stream)) {
      case 'commitment':
        this.commitments.set(id, this.folds.at(commitmentDecider, id, revision));
        return;
      case 'need':
        this.needs.set(id, this.folds.at(needDecider, id, revision));
        return;
      case 'offer':
        this.offers.set(id, this.folds.at(offerDecider, id, revision));
    }
  }

  private needDeadline(state: NeedState): ReturnType<typeof nextDeadline> {
    const deadline = deadlineOfNeed(state);
    const waits = deadline?.command === 'FallDormant' && isGroupLive(state.absorbed, (id) => this.needs.get(id));
    return waits ? undefined : deadline;
  }

  private openProposals(): OpenProposals {
    const { commitments } = this;
    const reached = async (position: bigint): Promise<void> => {
      for (let waited = 0; this.position < position; waited += POLL_MS) {
        if (waited >= PATIENCE_MS) throw new ReadModelUnavailableError(`the boards have not come to ${position} yet`);
        await pause(POLL_MS);
      }
    };
    return new (class extends OpenProposals {
      override async of(
        record: { readonly needId: string } | { readonly offerId: string },
        position: bigint,
      ): Promise<readonly string[]> {
        await reached(position);
        const isOn = ({ needId, offerId }: CommitmentState): boolean =>
          'needId' in record ? needId === record.needId : offerId === record.offerId;
        return [...commitments].flatMap(([id, state]) => (state.status === 'proposed' && isOn(state) ? [id] : []));
      }
    })();
  }
}

const sourceOf = <S, D extends { readonly due: string }>(
  name: string,
  states: ReadonlyMap<string, S>,
  deadlineIn: (state: S) => D | undefined,
  commandOf: (id: string, deadline: D) => ProcessCommand,
): DeadlineSource => ({
  name,
  due: (now, limit) => {
    const at = now.toISOString();
    const due: DueDeadline[] = [];
    for (const [id, state] of states) {
      const deadline = deadlineIn(state);
      if (deadline !== undefined && deadline.due <= at)
        due.push({ due: deadline.due, command: commandOf(id, deadline) });
    }
    return due.sort((a, b) => (a.due < b.due ? -1 : a.due > b.due ? 1 : 0)).slice(0, limit);
  },
});
