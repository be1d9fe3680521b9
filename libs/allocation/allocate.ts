import { messageOf } from '#kernel';
import { at, canonicalText, SHARE_UNIT } from './canonical-model.js';
import type { CertificateHeader } from './certificate.js';
import { CERTIFICATE_CHUNK, CERTIFICATE_FORMAT } from './certificate.js';
import { conflictOf } from './conflicts.js';
import { pairsOf, pricesOf, unmetOf, unservedLine } from './explanations.js';
import { fairnessOf } from './fairness.js';
import type { Finding, PartFinding } from './findings.js';
import type { BindingCode, EqualShare, Pair } from './outcome.js';
import type { Divided, Part } from './parts.js';
import { divided, withBudgetedOut } from './parts.js';
import { problemFault } from './problem-faults.js';
import type { Problem } from './problem.js';
import type { PartSolution } from './solve-part.js';
import { certificateLine, NOT_BRANCHED, solvePart } from './solve-part.js';
import type { CompiledSolver, SolveOrder } from './solver.js';
import { Solver } from './solver.js';
import { decimalOf } from './words.js';

/** Things told at once. */
const PAGE = 500;

/**
 * Solves a problem part by part, in a fixed order, and tells what it finds. Blocks its thread while it does; equal problems make equal
 * findings. What goes wrong is told, too; nothing is thrown but what the WebAssembly runtime throws.
 */
export const allocate = (problem: Problem, solver: Solver, tell: (finding: Finding) => void): void => {
  const fault = problemFault(problem);
  if (fault !== undefined) {
    tell({ kind: 'failed', because: fault });
    return;
  }
  const order = orderOf(problem);
  const division = divided(problem);
  const { parts, leftOut, floors, notes } = division;
  tell({
    kind: 'divided',
    parts: parts.length,
    arcs: parts.reduce((sum, { arcs }) => sum + arcs.length, 0),
    leftOut,
    floors,
    notes,
  });
  tellText(tell, `${canonicalText(headerOf(problem, solver))}\n`);
  const without = division.withoutOffer.map((need) => unservedLine(problem, need, division.hopeless));
  for (const unmet of paged(without)) tell({ kind: 'unmet', unmet });
  tell({ kind: 'part', part: -1, arcs: 0, solved: [], objective: 0n, bound: 0n });
  const pairs: Pair[] = [];
  const reached: number[] = [];
  const shares: EqualShare[] = [];
  for (const part of parts) {
    const solution = solvePart(part.canonical, problem.objective === 'max-min', solver, order);
    if (solution.kind !== 'solved') {
      tellUnsolved(problem, part, solution, division, solver, order, tell);
      continue;
    }
    const found = pairsOf(problem, part, solution);
    for (const page of paged(found)) {
      tell({ kind: 'pairs', pairs: page.map(([pair]) => pair), arcs: page.map(([, arc]) => arc) });
    }
    for (const unmet of paged(unmetOf(problem, part, solution, division.hopeless))) tell({ kind: 'unmet', unmet });
    for (const prices of paged(pricesOf(problem, part, solution))) tell({ kind: 'prices', prices });
    tellText(tell, certificateLine(part.number, part.canonical, solution.stages));
    const share = equalShareOf(part, solution);
    tell({
      kind: 'part',
      part: part.number,
      arcs: part.arcs.length,
      solved: part.needs,
      objective: solution.objective,
      bound: solution.bound,
      share,
      ...endOf(part, solution),
    });
    for (const [pair] of found) pairs.push(pair);
    for (const need of part.needs) reached.push(need);
    shares.push(share);
  }
  tell({ kind: 'fairness', fairness: fairnessOf(problem, pairs, reached, shares) });
  tell({ kind: 'end' });
};

/** Loads the solver (compiled already, where it is given), allocates, and tells of a runtime that broke instead of throwing. */
export const allocateAlone = async (
  problem: Problem,
  compiled: CompiledSolver | undefined,
  tell: (finding: Finding) => void,
): Promise<void> => {
  try {
    allocate(problem, await Solver.load(compiled), tell);
  } catch (error) {
    tell({ kind: 'failed', because: `the solver broke: ${messageOf(error)}` });
  }
};

const orderOf = ({ seed, limits = {} }: Problem): SolveOrder => ({ seed, ...limits });

const headerOf = (problem: Problem, solver: Solver): CertificateHeader => ({
  record: 'header',
  format: CERTIFICATE_FORMAT,
  objective: problem.objective,
  seed: problem.seed,
  solver: { name: 'HiGHS', version: solver.version, options: Solver.options(orderOf(problem)) },
});

/** A part without an allocation: what ended it, and its lines as unmet for that reason. */
const tellUnsolved = (
  problem: Problem,
  part: Part,
  solution: Exclude<PartSolution, { readonly kind: 'solved' }>,
  division: Divided,
  solver: Solver,
  order: SolveOrder,
  tell: (finding: Finding) => void,
): void => {
  const codes: Record<typeof solution.kind, BindingCode> = { infeasible: 'conflict', limit: 'limit', failed: 'failed' };
  const lines = part.needs.map((need) => unservedLine(problem, need, division.hopeless, codes[solution.kind]));
  for (const unmet of paged(lines)) tell({ kind: 'unmet', unmet });
  const ended = ((): NonNullable<PartFinding['ended']> => {
    const where = `the part of ${part.needs.length} need lines in ${part.canonical.measure}`;
    if (solution.kind === 'limit') {
      return {
        status: 'limit',
        because: `${where}: the solver stopped (${solution.said}) before it had an allocation`,
      };
    }
    if (solution.kind === 'failed') return { status: 'failed', because: `${where}: ${solution.said}` };
    const wider = withBudgetedOut(problem, division, part);
    // In fractions a budget below a smallest lot would leave such a pair something.
    const relaxed = solution.relaxed && wider.arcs.need.length === part.arcs.length;
    const conflict = conflictOf(wider, relaxed, solver, order);
    if (conflict.length === 0)
      return { status: 'failed', because: `${where}: the solver found no allocation, and nothing that forbids one` };
    const lots = relaxed ? '' : ', smallest lots and single providers considered';
    const because = `these cannot be kept together${lots}: ${conflict.map((one) => one.because).join('; ')}`;
    return { status: 'infeasible', because, conflict };
  })();
  tell({ kind: 'part', part: part.number, arcs: part.arcs.length, solved: [], objective: 0n, bound: 0n, ended });
};

/** What a solved part leaves to be said: a limit that ended it, or a gap that nothing but the solver's word closes. */
const endOf = (
  part: Part,
  { limit, whole, objective, bound, stages }: Extract<PartSolution, { readonly kind: 'solved' }>,
): Pick<PartFinding, 'ended' | 'note'> => {
  const where = `part ${part.number} (${part.needs.length} need lines in ${part.canonical.measure})`;
  const gap = bound === 0n ? '0' : decimalOf((bound - objective) * 100n, bound, 3);
  if (limit !== undefined) {
    return {
      ended: {
        status: 'limit',
        because: `${where}: the solver stopped (${limit}); at most ${gap} % more value may be had`,
      },
    };
  }
  const share = stages.find(({ stage }) => stage === 'share');
  if (share?.gapLimit === null)
    return {
      note: `${where}: the equal share reaches ${share.objective} of at most ${share.bound}, in units of 10^-30`,
    };
  if (!whole || gap === '0') return {};
  const last = stages.at(-1);
  const proven = `${where}: lots, single providers or whole units leave at most ${gap} % to be gained, as the certificate proves`;
  if (last?.gapLimit !== null || last.solver.gap === NOT_BRANCHED) return { note: proven };
  return {
    note: `${proven}; the solver says that it came within ${last.solver.gap} of the best, which nothing proves`,
  };
};

const equalShareOf = (
  part: Part,
  { quantities, possibleShare }: Extract<PartSolution, { readonly kind: 'solved' }>,
): EqualShare => {
  const { needs, arcs, measure } = part.canonical;
  const served = needs.map(() => 0n);
  quantities.forEach((quantity, arc) => {
    const need = at(arcs.need, arc);
    served[need] = at(served, need) + quantity;
  });
  const least = needs
    .map(({ outstanding }, need) => ({ served: at(served, need), outstanding: BigInt(outstanding) }))
    .reduce((a, b) => (b.served * a.outstanding < a.served * b.outstanding ? b : a));
  return {
    part: part.number,
    measure,
    lines: needs.length,
    ...(possibleShare === undefined ? {} : { possible: decimalOf(possibleShare, SHARE_UNIT) }),
    reached: decimalOf(least.served, least.outstanding),
  };
};

const tellText = (tell: (finding: Finding) => void, text: string): void => {
  for (let start = 0; start < text.length; start += CERTIFICATE_CHUNK) {
    tell({ kind: 'certificate', text: text.slice(start, start + CERTIFICATE_CHUNK) });
  }
};

const paged = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / PAGE) }, (_, page) => all.slice(page * PAGE, (page + 1) * PAGE));
