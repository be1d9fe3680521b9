import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { NeedLine, OfferLine, Outcome, Problem, Progress } from '#allocation';
import { checkCertificate, solveInWorker } from '#allocation';
import { allocationThread } from '../support/allocation-thread.js';

const script = allocationThread();
const scratch = mkdtempSync(join(tmpdir(), 'pledgebook-thread-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const need = (needId: string, given: Partial<NeedLine> = {}): NeedLine => ({
  needId,
  line: 1,
  kind: 'legal',
  states: ['VUT'],
  regions: ['009'],
  measure: 'money:USD',
  outstanding: 100n,
  weight: 1,
  ...given,
});
const offer = (offerId: string, given: Partial<OfferLine> = {}): OfferLine => ({
  offerId,
  line: 1,
  donor: 'donor:japan',
  measure: 'money:USD',
  available: 40n,
  ...given,
});
const problem = (given: Pick<Problem, 'needs' | 'offers' | 'arcs'>): Problem => ({
  budgets: [],
  floors: [],
  objective: 'max-min',
  seed: 1,
  ...given,
});
const arc = (n: number, o: number) => ({ need: n, offer: o, score: 1, because: 'they fit' });

/** So many parts of one need and one offer. */
const parts = (count: number): Problem =>
  problem({
    needs: Array.from({ length: count }, (_, place) => need(`n${place}`)),
    offers: Array.from({ length: count }, (_, place) => offer(`o${place}`)),
    arcs: Array.from({ length: count }, (_, place) => arc(place, place)),
  });

const thread = (name: string, program: string): URL => {
  const file = join(scratch, `${name}.mjs`);
  writeFileSync(file, `import { parentPort } from 'node:worker_threads';\n${program}`);
  return pathToFileURL(file);
};

const DIVIDED = `parentPort.postMessage({ kind: 'divided', parts: 2, arcs: 2, leftOut: [], floors: [], notes: [] });`;
const ONE_PART = `parentPort.postMessage({ kind: 'pairs', pairs: [{ needId: 'n0', needLine: 1, offerId: 'o0', offerLine: 1, measure: 'money:USD', quantity: 40n, because: '' }], arcs: [] });
parentPort.postMessage({ kind: 'unmet', unmet: [{ needId: 'n0', needLine: 1, measure: 'money:USD', quantity: 60n, binds: [], because: '' }], arcs: [] });
parentPort.postMessage({ kind: 'part', part: 0, arcs: 1, solved: [0], objective: 400000000000000000000000000000n, bound: 400000000000000000000000000000n });
parentPort.postMessage({ kind: 'pairs', pairs: [{ needId: 'n1', needLine: 1, offerId: 'o1', offerLine: 1, measure: 'money:USD', quantity: 1n, because: '' }], arcs: [] });`;

/** The first part counts, what was told of the second does not. */
const known = (outcome: Outcome): void => {
  expect(outcome).toMatchObject({
    answer: {
      pairs: [{ needId: 'n0', quantity: 40n }],
      unmet: [
        { needId: 'n0', quantity: 60n },
        {
          needId: 'n1',
          quantity: 100n,
          binds: [{ code: 'not-reached' }],
          because: 'the run ended before this line was looked at',
        },
      ],
      value: '0.4',
    },
  });
};

it('gives the same outcome in every thread, with lots, single providers and whole units', async () => {
  const given = problem({
    needs: [
      need('a', { singleSource: true }),
      need('b', { outstanding: 30n }),
      need('c', { measure: 'seats', outstanding: 3n }),
    ],
    offers: [
      offer('x', { available: 60n, minimumLot: 40n }),
      offer('y', { available: 70n }),
      offer('s', { measure: 'seats', available: 2n }),
    ],
    arcs: [arc(0, 0), arc(0, 1), arc(1, 0), arc(1, 1), arc(2, 2)],
  });
  const outcome = await solveInWorker(given, { script });
  expect(outcome).toMatchObject({
    status: 'done',
    answer: {
      pairs: [
        { needId: 'a', offerId: 'x', quantity: 60n },
        { needId: 'b', offerId: 'y', quantity: 30n },
        { needId: 'c', offerId: 's', quantity: 2n },
      ],
    },
  });
  expect(await solveInWorker(given, { script })).toEqual(outcome);
});

it('tells its progress part by part, and keeps the pieces of a certificate small', async () => {
  const told: Progress[] = [];
  const outcome = await solveInWorker(parts(50), { script, onProgress: (progress) => told.push(progress) });
  if (outcome.status !== 'done') throw new Error(outcome.status);
  expect(told.at(-1)).toEqual({ parts: 50, ofParts: 50, arcs: 50, ofArcs: 50 });
  expect(told.map(({ parts: count }) => count)).toEqual(
    [...told.map(({ parts: count }) => count)].sort((a, b) => a - b),
  );
  expect(Math.max(...outcome.answer.certificate.map(({ length }) => length))).toBeLessThanOrEqual(192 * 1024);
  expect(checkCertificate(outcome.answer.certificate.join(''))).toMatchObject({ ok: true });
});

it('a run that is cancelled ends with the parts that were solved', async () => {
  const stop = new AbortController();
  const outcome = await solveInWorker(parts(3_000), {
    script,
    signal: stop.signal,
    onProgress: ({ parts: count }) => {
      if (count === 5) stop.abort();
    },
  });
  expect(outcome.status).toBe('cancelled');
  const { answer } = outcome;
  expect(answer!.pairs.length).toBeGreaterThanOrEqual(5);
  expect(answer!.pairs.length).toBeLessThan(3_000);
  expect(answer!.unmet).toHaveLength(3_000);
  expect(checkCertificate(answer!.certificate.join(''))).toMatchObject({ ok: true });
  expect(await solveInWorker(parts(1), { script, signal: AbortSignal.abort() })).toEqual({
    status: 'cancelled',
    answer: undefined,
  });
});

// Each program dies after the first part, in the midst of the second.
it.each([
  [
    'throws',
    `setTimeout(() => { throw new WebAssembly.RuntimeError('unreachable'); }, 5);`,
    /^the solver's thread died: .*unreachable$/,
  ],
  ['exits', `setTimeout(() => process.exit(3), 5);`, /^the solver's thread ended with 3 before it was done$/],
  [
    'says that the solver broke',
    `parentPort.postMessage({ kind: 'failed', because: 'the solver broke: unreachable' });`,
    /^the solver broke: unreachable$/,
  ],
])('a thread that %s is a failed run with what was known', async (name, end, because) => {
  const program = `parentPort.on('message', () => undefined);\n${DIVIDED}\n${ONE_PART}\n${end}`;
  const outcome = await solveInWorker(parts(2), { script: thread(name.replaceAll(' ', '-'), program) });
  expect(outcome).toMatchObject({ status: 'failed', because: expect.stringMatching(because) });
  known(outcome);
});

it('a thread whose program is not there is a failed run', async () => {
  const outcome = await solveInWorker(parts(1), { script: pathToFileURL(join(scratch, 'nowhere.mjs')) });
  expect(outcome).toMatchObject({ status: 'failed', answer: undefined });
  expect(outcome).toHaveProperty('because', expect.stringContaining('nowhere.mjs'));
});

it('a listener that throws is a failed run, not a broken process', async () => {
  const outcome = await solveInWorker(parts(2), {
    script,
    onProgress: () => {
      throw new Error('no ear for it');
    },
  });
  expect(outcome).toMatchObject({ status: 'failed', because: 'no ear for it' });
});
