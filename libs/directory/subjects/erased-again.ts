import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { Injectable, Logger } from '@nestjs/common';
import { backoffMs, EventStore, pause, ProjectionRunner } from '#kernel';
import { SubjectRegister } from '#web';
import { PARTIES } from '../parties.projection.js';
import { PartyBoard } from '../party-board.js';

const CATCH_UP_MS = 60_000;

/**
 * Erases once more, at every start, whom the log knows as erased: a key store put back from a backup may hold their keys again. The log
 * decides what is shown meanwhile. A key store that is away is tried until it answers; readiness says that it is away.
 */
@Injectable()
export class ErasedAgain implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Resolves when it is done, or given up because the service stops. */
  done: Promise<void> = Promise.resolve();
  private readonly ending = new AbortController();
  private readonly logger = new Logger(ErasedAgain.name);

  constructor(
    private readonly store: EventStore,
    private readonly runner: ProjectionRunner,
    private readonly board: PartyBoard,
    private readonly keys: SubjectRegister,
  ) {}

  onApplicationBootstrap(): void {
    this.done = this.erase();
  }

  beforeApplicationShutdown(): void {
    this.ending.abort();
  }

  private async erase(): Promise<void> {
    const { signal } = this.ending;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      if (await this.attempt()) return;
      await pause(backoffMs(attempt), signal);
    }
  }

  private async attempt(): Promise<boolean> {
    try {
      const head = await this.store.head();
      if (!(await this.runner.waitFor(head, CATCH_UP_MS, [PARTIES]))) return false;
      await this.keys.erase(this.board.erased());
      return true;
    } catch (error) {
      this.logger.error(error);
      return false;
    }
  }
}
