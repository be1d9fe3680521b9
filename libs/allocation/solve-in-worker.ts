import { Worker } from 'node:worker_threads';
import { messageOf, yieldToLoop } from '#kernel';
import { Collected } from './collected.js';
import type { Finding } from './findings.js';
import { pieces } from './handed-problem.js';
import type { Outcome, Progress } from './outcome.js';
import type { Problem } from './problem.js';
import { compiledSolver } from './solver.js';

/** Room for what is made and left within one step: collecting it again and again took a tenth of the time. */
const YOUNG_MIB = 64;

export interface SolveOptions {
  /** Ends the run: `cancelled`, with the parts solved so far. */
  readonly signal?: AbortSignal;
  /** Told after each part. */
  readonly onProgress?: (progress: Progress) => void;
  /** The thread's program where it is not beside this file (specs run from sources). */
  readonly script?: URL;
}

/**
 * Solves a problem in a thread of its own, so that the event loop stays free; pairs, prices and certificate come back in small pieces.
 * Never rejects: whatever the thread does ends in an outcome. The thread is used once.
 */
export const solveInWorker = async (problem: Problem, options: SolveOptions = {}): Promise<Outcome> => {
  const { signal, onProgress, script = new URL('./allocation-worker.js', import.meta.url) } = options;
  if (signal?.aborted === true) return { status: 'cancelled', answer: undefined };
  const collected = new Collected(problem);
  const failed = (because: string): Outcome => ({ status: 'failed', because, answer: collected.answer() });
  const thread = new Worker(script, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } });
  let cancel: () => void = () => undefined;
  let over = false;
  const outcome = new Promise<Outcome>((resolve) => {
    thread.on('message', (finding: Finding) => {
      if (over) return;
      try {
        collected.take(finding);
        if (finding.kind === 'end' || finding.kind === 'failed') resolve(collected.outcome());
        else if (finding.kind === 'part' && collected.progress !== undefined) onProgress?.(collected.progress);
      } catch (error) {
        resolve(failed(messageOf(error)));
      }
    });
    thread.once('error', (error) => resolve(failed(`the solver's thread died: ${messageOf(error)}`)));
    thread.once('exit', (code) => resolve(failed(`the solver's thread ended with ${code} before it was done`)));
    cancel = () => resolve({ status: 'cancelled', answer: collected.answer() });
    signal?.addEventListener('abort', cancel);
    void hand(thread, problem, () => over).catch((error: unknown) => {
      resolve(failed(`the problem could not be handed to the solver's thread: ${messageOf(error)}`));
    });
  });
  try {
    return await outcome;
  } finally {
    over = true;
    signal?.removeEventListener('abort', cancel);
    // Whatever state its WebAssembly memory is in goes with it.
    await thread.terminate();
  }
};

const hand = async (thread: Worker, problem: Problem, over: () => boolean): Promise<void> => {
  for (const piece of pieces(problem, await compiledSolver())) {
    if (over()) return;
    thread.postMessage(piece);
    await yieldToLoop();
  }
};
