import type { Outcome, Problem, SolveOptions } from '#allocation';
import { solveInWorker } from '#allocation';

/** Port: solves an allocation off the event loop. Never rejects. */
export abstract class AllocationSolver {
  abstract solve(problem: Problem, options: Pick<SolveOptions, 'signal' | 'onProgress'>): Promise<Outcome>;
}

/** Where the program of the solver's thread is, for apps that do not run from what the build made. */
export abstract class SolverThread {
  abstract readonly script: URL;
}

/** Each problem in a thread of its own. */
export class ThreadSolver extends AllocationSolver {
  /** @param thread where its program is not beside the solver's */
  constructor(private readonly thread?: SolverThread) {
    super();
  }

  override solve(problem: Problem, options: Pick<SolveOptions, 'signal' | 'onProgress'>): Promise<Outcome> {
    const { thread } = this;
    return solveInWorker(problem, { ...options, ...(thread === undefined ? {} : { script: thread.script }) });
  }
}
