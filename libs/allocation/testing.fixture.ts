import { modelOf } from './canonical-model.js';
import { divided } from './parts.js';
import type { Problem } from './problem.js';
import { Solver } from './solver.js';

/**
 * The solver alone, for measuring what stands around it: solves the linear models of a problem under `max-value`, already made and loaded,
 * once for each call. Answers the simplex iterations.
 */
export const solverAlone = async (problem: Problem): Promise<() => bigint> => {
  const solver = await Solver.load();
  const order = { seed: problem.seed };
  const runs = divided(problem).parts.map(({ canonical }) =>
    solver.prepared(modelOf(canonical, { stage: 'value', leastShare: '0' }), order),
  );
  return () => runs.reduce((iterations, run) => iterations + run(), 0n);
};
