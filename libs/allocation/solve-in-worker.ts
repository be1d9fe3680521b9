import type { Outcome, Progress } from './outcome.js';
import type { Problem } from './problem.js';

export interface SolveOptions {
  /** Ends the run: `cancelled`, with the parts solved so far. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** The thread's program where it is not beside this file (specs run from sources). */
  readonly script?: URL;
}

/**
 * Solves a problem in a thread of its own, so that the event loop stays free; pairs, prices and certificate come back in small pieces.
 * Never rejects: whatever the thread does ends in an outcome. The thread is used once.
 */
export declare const solveInWorker: (problem: Problem, options?: SolveOptions) => Promise<Outcome>;
