import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Port } from '#hosting';
import { SolverThread } from '#matching';
import { compiled } from './compiled.js';

/** For apps that are composed from sources: compiled when a run is first asked for. */
export const solverThread: Port = {
  provide: SolverThread,
  useValue: {
    get script(): URL {
      return allocationThread();
    },
  },
};

let script: URL | undefined;

/** The program of the solver's thread, compiled: a thread cannot use the transform of the tests. */
export const allocationThread = (): URL => {
  script ??= pathToFileURL(
    join(compiled(['kernel', 'vocabulary', 'allocation'], {}), 'dist/libs/allocation/allocation-worker.js'),
  );
  return script;
};
