import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Outcome, Problem } from '#allocation';
import { checkCertificate, solveInWorker } from '#allocation';
import { solverAlone } from '#allocation/testing';
import type { Turn } from './measure.js';
import { interleaved, median, ratioOf, turn } from './measure.js';
import type { Figure } from './report.js';

const OFFERS_PER_NEED = 50;
const NEEDS_PER_OFFER = 2;
const SEED = 20_261_129;
const MILLISECOND = 1e6;

/**
 * An allocation in its thread, from handing the problem over to having pairs, prices and certificate back, against the solver alone on the
 * very model, made and loaded beforehand. And how long the event loop was held up meanwhile.
 */
export const allocating = async ({
  rounds,
  arcs,
}: {
  readonly rounds: number;
  readonly arcs: number;
}): Promise<readonly Figure[]> => {
  const problem = world(arcs);
  const alone = await solverAlone(problem);
  const held: number[] = [];
  let last: Outcome | undefined;
  const turns = await interleaved(rounds, {
    ours: async (): Promise<Turn> => {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const taken = await turn(async () => {
        last = await solveInWorker(problem);
        return 1;
      });
      delay.disable();
      held.push(delay.max / MILLISECOND);
      return taken;
    },
    solver: () =>
      turn(() => {
        if (alone() === 0n) throw new Error('the solver did nothing');
        return 1;
      }),
  });
  if (last?.status !== 'done') throw new Error(`the allocation is ${last?.status ?? 'missing'}`);
  const text = last.answer.certificate.join('');
  const begun = performance.now();
  const { ok, doubts } = checkCertificate(text);
  const checked = (performance.now() - begun) / 1000;
  if (!ok) throw new Error(`the certificate is in doubt: ${doubts.join('; ')}`);
  return [
    {
      name: 'allocation with certificate : solver alone, time',
      value: 1 / ratioOf(turns.ours, turns.solver),
      unit: 'ratio',
      target: { bound: 'at most', value: 1.3 },
    },
    {
      name: 'the same by processor time, collecting garbage beside it included',
      value: 1 / ratioOf(turns.ours, turns.solver, 'cpuSeconds'),
      unit: 'ratio',
    },
    { name: 'allocation with certificate', value: median(turns.ours.map(({ seconds }) => seconds)), unit: 's' },
    { name: 'solver alone', value: median(turns.solver.map(({ seconds }) => seconds)), unit: 's' },
    {
      name: 'longest the event loop was held up',
      value: Math.max(...held),
      unit: 'ms',
      target: { bound: 'at most', value: 20 },
    },
    { name: 'certificate', value: text.length / 2 ** 20, unit: 'MiB' },
    { name: 'checking the certificate', value: checked, unit: 's' },
  ];
};

/** Needs that each half a hundred offers fit, twice as many as offers; figures and scores from a seed. */
const world = (arcs: number): Problem => {
  const random = randomFrom(SEED);
  const below = (most: number): number => Math.floor(random() * most);
  const needs = Math.ceil(arcs / OFFERS_PER_NEED);
  const offers = Math.max(OFFERS_PER_NEED, Math.ceil(needs / NEEDS_PER_OFFER));
  // Half a hundred stretches go round all offers once: one of each, so that none comes twice.
  const stride = Math.floor(offers / OFFERS_PER_NEED);
  return {
    needs: Array.from({ length: needs }, (_, place) => ({
      needId: `need-${place}`,
      line: 1,
      kind: 'legal',
      states: [`S${place % 60}`],
      regions: [`R${place % 12}`],
      measure: 'money:USD',
      outstanding: BigInt(1_000_000 + below(40_000_000)),
      weight: 1 + below(10),
    })),
    offers: Array.from({ length: offers }, (_, place) => ({
      offerId: `offer-${place}`,
      line: 1,
      donor: `donor:${place % 40}`,
      measure: 'money:USD',
      available: BigInt(1_000_000 + below(50_000_000)),
    })),
    arcs: Array.from({ length: needs }, (_, need) => {
      const start = below(offers);
      return Array.from({ length: OFFERS_PER_NEED }, (_other, step) => ({
        need,
        offer: (start + step * stride + below(stride)) % offers,
        score: (50 + below(951)) / 1000,
        because: 'kind and measure fit',
      }));
    }).flat(),
    budgets: [],
    floors: [],
    objective: 'max-value',
    seed: 1,
  };
};

/** Uniform in 0…1, the same for a seed on every machine. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};
