import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from './simulation.js';
import { counted, noRuns } from './tally.js';
import { VARIATIONS } from './variations.js';

/** Seeds to run, both ends among them. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const port = parentPort;
if (port === null) throw new Error('this is the thread of a simulation: start main.js');
const { variation: name } = workerData as { readonly variation?: string };
const variation = VARIATIONS.find((each) => each.name === name);

/** A rejection that nobody took is a fault of whatever ran just now. */
let unhandled: string | undefined;
process.on('unhandledRejection', (error) => {
  unhandled ??= error instanceof Error ? (error.stack ?? error.message) : typeof error;
});

const run = async ({ from, to }: Range): Promise<void> => {
  const tally = noRuns();
  for (let seed = from; seed <= to; seed += 1) {
    const report = await simulate({ seed, ...(variation === undefined ? {} : { variation }) });
    // Unhandled rejections are told of between turns.
    await new Promise((resolve) => setImmediate(resolve));
    const failure = report.failure ?? (unhandled === undefined ? undefined : `unhandled: ${unhandled}`);
    unhandled = undefined;
    counted(tally, { ...report, failure });
  }
  port.postMessage(tally);
};

port.on('message', (range: Range) => void run(range));
