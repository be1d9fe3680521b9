import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Report } from './simulation.js';
import { simulate } from './simulation.js';
import type { Tally } from './tally.js';
import { addTo, noRuns } from './tally.js';
import type { Variation } from './variations.js';
import { VARIATIONS } from './variations.js';
import type { Range } from './worker.js';

const HELP = `npm run simulate -- [options]

  --seeds N       schedules to run (1000)
  --from N        first seed (1)
  --minutes M     stop after so many minutes, however many seeds are left
  --seed N        run this one and print its whole trace
  --workers N     threads (one per core)
  --variation V   plant a fault: ${VARIATIONS.map(({ name }) => name).join(', ')}
  --reached       print how often everything happened
  --digests       print a hash of the trace of each seed instead: the same on every machine
`;

/** Seeds handed to a thread at once. */
const CHUNK = 25;
/** Findings after which the rest is not looked at. */
const ENOUGH = 5;
/** Lines of a failing trace that are printed: its end tells most. */
const TAIL = 60;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    variation: { type: 'string' },
    reached: { type: 'boolean', default: false },
    digests: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** @throws {Error} naming the option and what it takes */
const wholeNumber = (option: string, text: string): number => {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new Error(`--${option} takes a whole number from 1 on, not "${text}"`);
  return Number(text);
};

/** @throws {Error} naming the variations there are */
const variationNamed = (name: string | undefined): Variation | undefined => {
  const found = VARIATIONS.find((each) => each.name === name);
  if (name !== undefined && found === undefined) {
    throw new Error(`--variation takes one of ${VARIATIONS.map((each) => each.name).join(', ')}, not "${name}"`);
  }
  return found;
};

const traced = (seed: number, variation: Variation | undefined): Promise<Report> =>
  simulate({ seed, traced: true, ...(variation === undefined ? {} : { variation }) });

/** Runs the seeds on as many threads; ends early at `until` (milliseconds since 1970) or with enough findings. */
const runAll = async ({ from, to }: Range, workers: number, until: number, variation?: string): Promise<Tally> => {
  const sum = noRuns();
  let next = from;
  const chunk = (): Range | undefined => {
    if (next > to || Date.now() > until || sum.findings.length >= ENOUGH) return undefined;
    const range = { from: next, to: Math.min(to, next + CHUNK - 1) };
    next = range.to + 1;
    return range;
  };
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { variation } });
      const hand = (): void => {
        const range = chunk();
        if (range === undefined)
          void worker.terminate().then(() => {
            resolve();
          });
        else worker.postMessage(range);
      };
      worker.on('message', (tally: Tally) => {
        addTo(sum, tally);
        hand();
      });
      worker.on('error', reject);
      hand();
    });
  await Promise.all(Array.from({ length: workers }, thread));
  sum.findings.sort((a, b) => a.seed - b.seed);
  return sum;
};

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const showFinding = async (
  seed: number,
  failure: string,
  digest: string,
  variation: Variation | undefined,
): Promise<void> => {
  const again = await traced(seed, variation);
  const trace = again.trace ?? [];
  say(`\nseed ${seed}: ${failure}`);
  if (again.digest !== digest) say(`  NOT REPLAYABLE: it ran as ${digest} at first and as ${again.digest} now`);
  for (const line of trace.slice(-TAIL)) say(`  ${line}`);
  const planted = variation === undefined ? '' : ` --variation ${variation.name}`;
  say(`  The whole trace (${trace.length} lines): npm run simulate -- --seed ${seed}${planted}`);
};

const main = async (): Promise<number> => {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const variation = variationNamed(values.variation);
  if (values.seed !== undefined) {
    const { trace = [], failure, steps, events, digest } = await traced(wholeNumber('seed', values.seed), variation);
    for (const line of trace) say(line);
    say(`${steps} steps, ${events} events, digest ${digest}: ${failure ?? 'everything held'}`);
    return failure === undefined ? 0 : 1;
  }
  const from = wholeNumber('from', values.from);
  const to = from + wholeNumber('seeds', values.seeds) - 1;
  if (values.digests) {
    for (let seed = from; seed <= to; seed += 1) {
      const { trace = [] } = await traced(seed, variation);
      say(`${seed} ${createHash('sha256').update(trace.join('\n')).digest('hex')}`);
    }
    return 0;
  }
  const begun = Date.now();
  const until = values.minutes === undefined ? Infinity : begun + wholeNumber('minutes', values.minutes) * 60_000;
  const workers = wholeNumber('workers', values.workers);
  const { runs, steps, events, reached, findings } = await runAll({ from, to }, workers, until, values.variation);
  if (values.reached) {
    for (const [what, count] of [...reached].sort(([, a], [, b]) => b - a)) say(`${String(count).padStart(9)} ${what}`);
  }
  for (const { seed, failure, digest } of findings) await showFinding(seed, failure, digest, variation);
  const seconds = (Date.now() - begun) / 1000;
  say(
    `${runs} schedules from seed ${from} in ${seconds.toFixed(0)} s on ${workers} threads: ${steps} steps, ${events} events; ` +
      (findings.length === 0
        ? 'everything held'
        : `${findings.length} failed: ${findings.map(({ seed }) => seed).join(', ')}`),
  );
  return findings.length === 0 ? 0 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
