import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compiled } from './compiled.js';

let script: URL | undefined;

/** The program of the solver's thread, compiled: a thread cannot use the transform of the tests. */
export const allocationThread = (): URL => {
  script ??= pathToFileURL(
    join(compiled(['kernel', 'vocabulary', 'allocation'], {}), 'dist/libs/allocation/allocation-worker.js'),
  );
  return script;
};
