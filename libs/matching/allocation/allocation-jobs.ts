import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import type { CommandContext } from '#kernel';
import {
  backoffMs,
  derivedId,
  failureOf,
  newId,
  pause,
  StoreUnavailableError,
  SYSTEM_PROCESS,
  Transactor,
} from '#kernel';
import type { AllocationOrder } from './allocation.contract.js';
import { AllocationSolver } from './allocation-solver.js';
import type { AllocationCommand } from './allocation.js';
import { allocationDecider } from './allocation.js';
import { endOf, piecesOf, progressOf } from './allocation-pieces.js';
import type { Posed } from './allocation-problems.js';
import { AllocationProblems } from './allocation-problems.js';

/** A run as it was asked for. */
export interface AllocationJob {
  readonly id: string;
  readonly order: AllocationOrder;
  /** Whoever asked: the run takes account of what this caller sees. */
  readonly caller: Caller;
  readonly correlationId: string;
}

/** How often a run tells that it goes on, and how far it is. */
const TOLD_EVERY_MS = 3_000;
const HEARD_EVERY_MS = 120_000;
/** Seven minutes of waiting for the log. */
const MOST_FAILURES = 20;

type Started = Posed['started'];

class RunEndedError extends Error {
  override readonly name = 'RunEndedError';
}

/**
 * The runs of this process, one after the other: each reads how things stand, solves in a thread, and records what was found. A run
 * that this process does not live to end is given up by the timer.
 */
@Injectable()
export class AllocationJobs implements OnModuleDestroy {
  private readonly waiting: AllocationJob[] = [];
  private running: { readonly id: string; readonly ending: AbortController } | undefined;
  private loop: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly transactor: Transactor,
    private readonly problems: AllocationProblems,
    private readonly solver: AllocationSolver,
  ) {}

  /** Takes up a run that was asked for; one that is already here is not taken up again. */
  enqueue(job: AllocationJob): void {
    if (this.closed || this.running?.id === job.id || this.waiting.some(({ id }) => id === job.id)) return;
    this.waiting.push(job);
    this.loop ??= this.work().finally(() => (this.loop = undefined));
  }

  /** Stops a run that is here; another process that has it learns of it when it next records something. */
  cancel(id: string): void {
    const place = this.waiting.findIndex((job) => job.id === id);
    if (place !== -1) this.waiting.splice(place, 1);
    if (this.running?.id === id) this.running.ending.abort();
  }

  async onModuleDestroy(): Promise<void> {
    this.closed = true;
    this.waiting.length = 0;
    this.running?.ending.abort();
    await this.loop;
  }

  private async work(): Promise<void> {
    for (let job = this.waiting.shift(); job !== undefined; job = this.waiting.shift()) {
      const ending = new AbortController();
      this.running = { id: job.id, ending };
      const recorder = new Recorder(this.transactor, job, ending.signal);
      const heard = setInterval(() => this.tellWaiting(ending.signal), HEARD_EVERY_MS).unref();
      try {
        await this.run(job, recorder, ending);
      } catch (error) {
        // Ended or cancelled elsewhere: nothing more is recorded of it.
        if (!(error instanceof RunEndedError) && !ending.signal.aborted) await recorder.failed(error);
      } finally {
        clearInterval(heard);
        this.running = undefined;
      }
    }
  }

  private async run(job: AllocationJob, recorder: Recorder, ending: AbortController): Promise<void> {
    const { signal } = ending;
    const { started, problem } = await this.problems.posed(job.caller, job.order, signal);
    if (signal.aborted) return;
    await recorder.start(started);
    // How many parts there are is told with the first of them.
    let told = 0;
    let telling: Promise<unknown> = Promise.resolve();
    const tell = (progress: ReturnType<typeof progressOf>): void => {
      told = Date.now();
      telling = telling
        .then(() => recorder.record(`progress ${told}`, (by) => ({ type: 'RecordProgress', by, progress })))
        // Whatever it is, recording the end meets it again; a run that was cancelled elsewhere need not go on till then.
        .catch((error: unknown) => {
          if (error instanceof RunEndedError) ending.abort();
        });
    };
    let latest = { parts: 0, ofParts: 0, pairs: 0, ofPairs: problem.arcs.length };
    const heard = setInterval(() => tell(latest), HEARD_EVERY_MS).unref();
    try {
      const outcome = await this.solver.solve(problem, {
        signal,
        onProgress: (progress) => {
          latest = progressOf(progress);
          if (Date.now() - told >= TOLD_EVERY_MS) tell(latest);
        },
      });
      await telling;
      if (outcome.status === 'cancelled') return;
      const pieces = outcome.answer === undefined ? [] : piecesOf(outcome.answer);
      for (const { n, piece } of pieces) {
        await recorder.record(`${piece.part} ${n}`, (by) => ({ type: 'RecordPiece', by, n, piece }));
      }
      await recorder.record('end', (by) => ({ type: 'EndRun', by, end: endOf(outcome) }));
    } finally {
      clearInterval(heard);
    }
  }

  /** Runs that wait behind a long one are not lost. */
  private tellWaiting(signal: AbortSignal): void {
    for (const job of this.waiting) {
      void new Recorder(this.transactor, job, signal)
        .record(`waiting ${Date.now()}`, (by) => ({ type: 'RecordProgress', by, progress: {} }))
        .catch(() => undefined);
    }
  }
}

/** Records what a run has come to. */
class Recorder {
  constructor(
    private readonly transactor: Transactor,
    private readonly job: AllocationJob,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Begins the run. A request that was repeated may have reached two processes: the second leaves the run to the first, so that what is
   * recorded is of one reading of the log.
   * @throws {RunEndedError} where another process began it, or it has ended @throws {StoreUnavailableError}
   */
  async start(started: Started): Promise<void> {
    const written = await this.record(`start ${newId()}`, (by) => ({ type: 'StartRun', by, started }));
    if (!written) throw new RunEndedError('another process runs it');
  }

  /**
   * Waits for a log that is out of reach, a while. Answers whether this command wrote something, now or when it was tried before.
   * @throws {RunEndedError} where the run has ended otherwise @throws {StoreUnavailableError}
   */
  async record(key: string, command: (by: CommandContext) => AllocationCommand): Promise<boolean> {
    const { id, correlationId } = this.job;
    const meta = {
      commandId: derivedId('allocation-run', id, key),
      correlationId,
      causationId: null,
      actor: SYSTEM_PROCESS,
    };
    for (let failures = 0; ;) {
      try {
        const outcome = await this.transactor.transact(allocationDecider, id, command, meta, { attempts: Infinity });
        if (outcome.kind === 'refused') throw new RunEndedError(outcome.rejection.detail);
        return outcome.kind === 'written' || outcome.kind === 'repeated';
      } catch (error) {
        failures += 1;
        if (!(error instanceof StoreUnavailableError) || failures > MOST_FAILURES || this.signal.aborted) throw error;
        await pause(backoffMs(failures), this.signal);
      }
    }
  }

  /** A run that cannot be ended now, the log being out of reach, is given up by the timer. */
  async failed(error: unknown): Promise<void> {
    const because = `the run could not go on (${failureOf(error)}): ask for it again`;
    await this.record('end', (by) => ({ type: 'EndRun', by, end: { outcome: 'failed', because } })).catch(
      () => undefined,
    );
  }
}
