import type {
  Command,
  CommandContext,
  Decider,
  DomainEvent,
  EventStore,
  Outcome,
  Process,
  RecordedEvent,
  Rejection,
  Transactor,
} from '#kernel';
import { canonicalJson, Clock, DeadlineTicker, ProcessRunner } from '#kernel';
import type { Actor, MessageBus } from '#kernel';
import type { BoardParts, Boards } from './boards.js';
import type { Owner } from './scheduler.js';
import type { LogConnection } from './simulated-log.js';

export type AnyDecider = Decider<unknown, Command, DomainEvent, Rejection>;

/** A command as a client sends it, again and again under one id until it knows what became of it. */
export interface Ask {
  readonly decider: AnyDecider;
  readonly id: string;
  readonly body: { readonly type: string };
  readonly actor: Actor;
  readonly commandId: string;
  readonly ifMatch?: number;
  /** What the node adds from other streams before it decides. */
  readonly facts?: (transactor: Transactor) => Promise<object>;
}

/** A clock that is wrong by up to minutes, always by the same. */
class SkewedClock extends Clock {
  private last = 0;

  constructor(private readonly skewMs: number) {
    super();
  }

  override now(): Date {
    this.last = Math.max(this.last, Date.now() + this.skewMs);
    return new Date(this.last);
  }
}

export interface NodeParts {
  readonly name: string;
  readonly skewMs: number;
  readonly store: (owner: Owner) => LogConnection;
  readonly transactor: (store: EventStore, clock: Clock) => Transactor;
  readonly bus: (store: LogConnection, owner: Owner) => MessageBus;
  readonly boards: (parts: BoardParts) => Boards;
  readonly processFailed: (process: string, event: RecordedEvent, error: unknown) => void;
  readonly failed: (what: string, error: unknown) => void;
}

/** One running instance of a service: its own caches, boards, ticker and consumers; what it knows dies with it. */
export class ServiceNode implements Owner {
  alive = true;
  readonly name: string;
  readonly store: LogConnection;
  readonly boards: Boards;
  readonly processes: readonly Process[];
  private readonly transactor: Transactor;
  private readonly runner: ProcessRunner;
  private readonly ticker: DeadlineTicker;

  constructor(private readonly parts: NodeParts) {
    const { name, skewMs, processFailed, failed } = parts;
    this.name = name;
    this.store = parts.store(this);
    const clock = new SkewedClock(skewMs);
    this.transactor = parts.transactor(this.store, clock);
    const bus = parts.bus(this.store, this);
    this.boards = parts.boards({
      store: this.store,
      transactor: this.transactor,
      clock,
      alarm: (error) => {
        failed('boards', error);
      },
    });
    this.processes = this.boards.processes;
    this.runner = new ProcessRunner(bus, this.transactor, this.processes, {
      alarm: ({ process, event, error }) => {
        processFailed(process, event, error);
      },
    });
    this.ticker = new DeadlineTicker(this.boards.deadlines, this.transactor, clock, {
      intervalMs: 1_000,
      alarm: ({ source, error }) => {
        failed(source, error);
      },
    });
  }

  /** Begins to work; called in a step of this node's own. */
  async start(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await this.boards.start();
        break;
      } catch (error) {
        this.parts.failed('start', error);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    this.runner.start();
    this.ticker.start();
  }

  async command({ decider, id, body, actor, commandId, ifMatch, facts }: Ask): Promise<Outcome<unknown, Rejection>> {
    const added = facts === undefined ? {} : await facts(this.transactor);
    return this.transactor.transact(decider, id, (by: CommandContext): Command => ({ ...body, ...added, by }), {
      commandId,
      correlationId: commandId,
      causationId: null,
      actor,
      request: canonicalJson(body),
      ...(ifMatch === undefined ? {} : { ifMatch }),
    });
  }

  /** Statuses of processes that fail on something now. */
  get stuck(): readonly string[] {
    return this.runner.stuck.map(
      ({ process, error, attempts }) => `${this.name} ${process} failed ${attempts} times: ${error}`,
    );
  }
}
