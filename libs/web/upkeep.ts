import { Injectable } from '@nestjs/common';
import type { DeadLetter, ProjectionStatus, StuckMessage } from '#kernel';
import { Clock, EventStore, failureOf, MessageBus, PoisonEventError, ProcessRunner, ProjectionRunner } from '#kernel';
import { ConfiguredKeyError, type KeyRing } from './key-ring.js';
import type { LocalIssuer } from './local-issuer.js';
import type { ProblemInfo } from './problem.js';
import { notFound, Problem, registerProblems } from './problem.js';

/** Refusals of the operator's commands. */
export const UPKEEP_PROBLEMS = registerProblems({
  'projection-not-parked': { status: 409, title: 'The projection is not parked' },
  'keys-configured': { status: 409, title: 'The keys are configured' },
  'projection-parked': { status: 409, title: 'An event cannot be applied' },
} satisfies Record<string, ProblemInfo>);

/** What names an event that cannot be handled, and how it fails; nothing of what it says. */
export interface PoisonView {
  readonly position: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly error: string;
  /** A newer version wrote it. */
  readonly newer?: true;
}

export interface ProjectionView {
  readonly name: string;
  readonly version: number;
  readonly state: 'current' | 'behind' | 'parked';
  readonly position: string;
  /** Positions behind the log. */
  readonly lag: string;
  readonly parked?: PoisonView;
  /** Since when it is being built anew beside the model that serves, RFC 3339. */
  readonly rebuildingSince?: string;
}

export interface ProcessView {
  readonly name: string;
  readonly position: string;
  readonly lag: string;
  readonly stuck: readonly (PoisonView & { readonly attempts: number; readonly since: string })[];
}

/** A stream that a process gave up on. */
export interface DeadLetterView {
  readonly process: string;
  readonly stream: string;
  /** From which on nothing of the stream is handled. */
  readonly revision: number;
  readonly position: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly attempts: number;
  readonly since: string;
}

/** The keys of the service, by the names that the operator knows them by. */
export class ServiceKeys {
  constructor(
    private readonly seals: KeyRing,
    private readonly issuer: LocalIssuer,
  ) {}

  /**
   * Replaces a key; answers until when what it marked before is accepted at most.
   * @throws {Problem} 404 for an unknown name, 409 where keys are configured
   */
  rotate(name: string, at: Date): Date {
    const ring = new Map<string, KeyRing | LocalIssuer>([
      ['local-issuer', this.issuer],
      ['seals', this.seals],
    ]).get(name);
    if (ring === undefined) throw notFound();
    try {
      return ring.rotate(at);
    } catch (error) {
      if (!(error instanceof ConfiguredKeyError)) throw error;
      throw Problem.of(
        'keys-configured',
        'The keys of this service are configured, and shared by others: replace them where they are kept.',
      );
    }
  }
}

/** What an operator sees and does. Answers name events, never what they say. */
@Injectable()
export class Upkeep {
  private readonly rebuilding = new Map<string, string>();

  constructor(
    private readonly store: EventStore,
    private readonly runner: ProjectionRunner,
    private readonly processes: ProcessRunner,
    private readonly bus: MessageBus,
    private readonly clock: Clock,
  ) {}

  async projections(): Promise<readonly ProjectionView[]> {
    const head = await this.store.head();
    return this.runner.statuses().map((status) => this.viewOf(status, head));
  }

  async processViews(): Promise<readonly ProcessView[]> {
    const head = await this.store.head();
    const stuck = this.processes.stuck;
    return this.processes.statuses().map(({ name, position }) => ({
      name,
      position: String(position),
      lag: lagOf(position, head),
      stuck: stuck.filter(({ process }) => process === name).map(stuckView),
    }));
  }

  /** Of the processes that run here. @throws {StoreUnavailableError} where the bus does not answer */
  async deadLetters(): Promise<readonly DeadLetterView[]> {
    const own = new Set(this.processes.statuses().map(({ name }) => name));
    return (await this.bus.deadLetters()).filter(({ process }) => own.has(process)).map(letterView);
  }

  /**
   * Has a process take up again what it gave up on: one stream, or all of them. Answers what it was asked to take up.
   * @throws {Problem} 404 for an unknown process @throws {StoreUnavailableError} where the bus does not answer
   */
  async replay(process: string, stream: string | undefined): Promise<readonly DeadLetterView[]> {
    if (!this.processes.statuses().some(({ name }) => name === process)) throw notFound();
    return (await this.bus.replay(process, stream)).map(letterView);
  }

  /** @throws {Problem} 404 for an unknown name, 409 where it is not parked, or parks again at once */
  async release(name: string): Promise<ProjectionView> {
    const { parked } = await this.projection(name);
    if (parked === undefined)
      throw Problem.of('projection-not-parked', `${name} is not parked: there is nothing to release.`);
    await this.runner.release(name);
    return this.unlessParked(name);
  }

  /**
   * Builds the projection anew beside the one that serves. Answers its state once that is done, or after `waitMs` while it goes on.
   * @throws {Problem} 404 for an unknown name, 409 where an event cannot be applied: then the old one goes on serving
   */
  async rebuild(name: string, waitMs: number): Promise<ProjectionView> {
    await this.projection(name);
    if (!this.rebuilding.has(name)) this.rebuilding.set(name, this.clock.now().toISOString());
    const building = this.runner.rebuild(name).finally(() => this.rebuilding.delete(name));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs);
    });
    try {
      await Promise.race([building, patience]);
    } catch (error) {
      throw error instanceof PoisonEventError ? poisoned(name, error) : error;
    } finally {
      clearTimeout(timer);
      // Whoever asks next is told how it ended.
      building.catch(() => undefined);
    }
    return this.projection(name);
  }

  private async projection(name: string): Promise<ProjectionView> {
    const found = (await this.projections()).find((projection) => projection.name === name);
    if (found === undefined) throw notFound();
    return found;
  }

  private async unlessParked(name: string): Promise<ProjectionView> {
    const view = await this.projection(name);
    if (view.parked === undefined) return view;
    const { eventType, position, eventId, error } = view.parked;
    throw Problem.of(
      'projection-parked',
      `${name} parked again at ${eventType} ${eventId}, position ${position}: ${error}.`,
    );
  }

  private viewOf({ name, version, position, parked }: ProjectionStatus, head: bigint): ProjectionView {
    const since = this.rebuilding.get(name);
    return {
      name,
      version,
      state: parked !== undefined ? 'parked' : position < head ? 'behind' : 'current',
      position: String(position),
      lag: lagOf(position, head),
      ...(parked === undefined ? {} : { parked: poisonView(parked) }),
      ...(since === undefined ? {} : { rebuildingSince: since }),
    };
  }
}

const lagOf = (position: bigint, head: bigint): string => String(head > position ? head - position : 0n);

const poisonView = ({
  position,
  eventId,
  type,
  error,
  newer,
}: Pick<StuckMessage, 'position' | 'eventId' | 'type' | 'error'> & { readonly newer?: true }): PoisonView => ({
  position: String(position),
  eventId,
  eventType: type,
  error,
  ...(newer === undefined ? {} : { newer }),
});

const letterView = ({ type, position, ...letter }: DeadLetter): DeadLetterView => ({
  ...letter,
  eventType: type,
  position: String(position),
});

const stuckView = (message: StuckMessage): ProcessView['stuck'][number] => ({
  ...poisonView(message),
  attempts: message.attempts,
  since: message.since,
});

const poisoned = (name: string, { event, cause }: PoisonEventError): Problem =>
  Problem.of(
    'projection-parked',
    `${name} was not rebuilt, the one before goes on serving: ${event.type} ${event.id}, position ${event.position}: ${failureOf(cause)}.`,
  );
