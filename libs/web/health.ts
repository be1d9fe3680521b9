import { Inject, Injectable } from '@nestjs/common';
import { EventStore, ProcessRunner, ProjectionRunner, SharedWriteGate } from '#kernel';

/** One thing that keeps the service from being ready, with what an operator needs to go on. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** What a context or an app adds to `GET /readyz`. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly HealthCheck[];
}

/** What an app stands on beside the log, as it stands now. */
export type OwnChecks = () => Promise<readonly HealthCheck[]>;

/** The injection token of `OwnChecks`. */
export const OWN_CHECKS = Symbol('OwnChecks');

/** How far a projection may stay behind the log, in positions, before the service is not ready. */
const MAX_LAG = 10_000n;

/** Says whether requests are answered as they should be. */
@Injectable()
export class Health {
  private readonly added: OwnChecks[] = [];

  constructor(
    private readonly store: EventStore,
    private readonly projections: ProjectionRunner,
    private readonly processes: ProcessRunner,
    private readonly writes: SharedWriteGate,
    @Inject(OWN_CHECKS) private readonly own: OwnChecks,
  ) {}

  /** Has `checks` asked, too, from now on: what a context stands on of its own. */
  add(checks: OwnChecks): void {
    this.added.push(checks);
  }

  async readiness(): Promise<Readiness> {
    const head = await this.head();
    const checks = [
      { name: 'log', ok: head !== undefined },
      this.writesCheck(),
      ...this.projectionChecks(head ?? 0n),
      ...this.processChecks(),
      ...(await Promise.all([this.own, ...this.added].map((checks) => checks()))).flat(),
    ];
    return { ready: checks.every(({ ok }) => ok), checks };
  }

  // Reads go on; whoever is to write is better sent to where it can be, if there is such a place.
  private writesCheck(): HealthCheck {
    const { refusal } = this.writes.gate;
    return { name: 'writes', ok: refusal === undefined, ...(refusal === undefined ? {} : { detail: { refusal } }) };
  }

  private async head(): Promise<bigint | undefined> {
    try {
      return await this.store.head();
    } catch {
      return undefined;
    }
  }

  private projectionChecks(head: bigint): HealthCheck[] {
    const caughtUp = this.projections.caughtUp();
    return this.projections.statuses().map(({ name, version, position, parked }) => {
      const lag = head > position ? head - position : 0n;
      return {
        name: `projection ${name}`,
        ok: parked === undefined && lag <= MAX_LAG && (caughtUp || lag === 0n),
        detail: {
          version,
          position: String(position),
          lag: String(lag),
          // Of the event only what names it: its data may be sealed.
          ...(parked === undefined
            ? {}
            : {
                parkedAt: String(parked.position),
                eventType: parked.type,
                eventId: parked.eventId,
                ...(parked.newer === undefined ? {} : { newerVersion: true }),
              }),
        },
      };
    });
  }

  // A stuck process is tried for ever and never blocks requests: an alarm, not a reason to send callers away.
  private processChecks(): HealthCheck[] {
    return this.processes.statuses().map(({ name, position, stuck }) => ({
      name: `process ${name}`,
      ok: true,
      detail: { position: String(position), stuck },
    }));
  }
}
