import type { DualProof, LinearModel } from './canonical-model.js';
import {
  at,
  canonicalText,
  gapLimitOf,
  modelOf,
  objectiveOf,
  proofOf,
  sha256Of,
  SHARE_SLACK,
  SHARE_UNIT,
  VALUE_UNIT,
} from './canonical-model.js';
import type { CanonicalPart, CertificatePart, StageClaim } from './certificate.js';
import type { PriceRange } from './price-ranges.js';
import { priceRanges } from './price-ranges.js';
import type { Solved, Solver, SolveOrder } from './solver.js';
import { wholeOf } from './solver.js';
import { wholeQuantities } from './whole-quantities.js';

/** Steps of one part, in the words of its certificate and beyond. */
export type PartSolution =
  | {
      readonly kind: 'solved';
      /** Minor units, of each pair. */
      readonly quantities: readonly bigint[];
      readonly model: LinearModel;
      readonly duals: readonly bigint[];
      readonly ranges: ReadonlyMap<number, PriceRange> | undefined;
      readonly stages: readonly StageClaim[];
      /** The greatest equal share of the relaxation, in units of `SHARE_DIGITS`; absent under max-value. */
      readonly possibleShare: bigint | undefined;
      readonly objective: bigint;
      readonly bound: bigint;
      /** Set where a limit ended the solver's work: what stands is the best it had. */
      readonly limit: string | undefined;
      /** Set where whole choices leave a gap that only the solver vouches for. */
      readonly whole: boolean;
    }
  /** Nothing keeps every bound. `relaxed`: not even quantities of any fraction, without lots. */
  | { readonly kind: 'infeasible'; readonly relaxed: boolean }
  /** The solver's limit came before any allocation. */
  | { readonly kind: 'limit'; readonly said: string }
  | { readonly kind: 'failed'; readonly said: string };

type Ended = Exclude<PartSolution, { readonly kind: 'solved' }>;

interface Stage {
  readonly claim: StageClaim;
  readonly model: LinearModel;
  readonly values: readonly bigint[];
  readonly duals: readonly bigint[];
  readonly objective: bigint;
  readonly bound: bigint;
  readonly limit: string | undefined;
}

/** Solves one part: for max-min first the share, then the value. */
export const solvePart = (part: CanonicalPart, maxMin: boolean, solver: Solver, order: SolveOrder): PartSolution => {
  if (!maxMin) return valued(part, 0n, undefined, solver, order);
  const share = shareStage(part, solver, order);
  if ('kind' in share) return share;
  const reached = share.objective / (VALUE_UNIT / SHARE_UNIT);
  return valued(part, reached > SHARE_SLACK ? reached - SHARE_SLACK : 0n, share, solver, order);
};

/** The greatest share that quantities of any fraction can give to every line, lots and single providers aside. */
const shareStage = (part: CanonicalPart, solver: Solver, order: SolveOrder): Stage | Ended => {
  const model = modelOf(part, { stage: 'share', leastShare: '0' });
  const solved = solver.solve(model, order);
  const { values: found, duals } = solved;
  if (solved.status !== 'optimal') return endedOf(solved, true);
  if (found === undefined || duals === undefined) return { kind: 'failed', said: `${solved.said}, without a solution` };
  const values = wholeQuantities(model, found, { denominator: SHARE_UNIT, fill: false });
  if (values === undefined)
    return { kind: 'failed', said: 'the quantities of the share could not be rounded within every bound' };
  const stage = (limited: boolean): Stage | undefined =>
    stageOf('share', 0n, model, values, duals, SHARE_UNIT, solved, limited);
  // Figures that are worlds apart leave the solver's digits behind: then its duals prove a bound that is not reached.
  return stage(true) ?? stage(false) ?? { kind: 'failed', said: 'the duals of the share prove no bound' };
};

const valued = (
  part: CanonicalPart,
  leastShare: bigint,
  share: Stage | undefined,
  solver: Solver,
  order: SolveOrder,
): PartSolution => {
  const model = modelOf(part, { stage: 'value', leastShare: String(leastShare) });
  const free = model.choices.every((choice) => choice < 0);
  if (free) {
    const solved = solver.solve(model, order);
    // The share's demands, rounded for lines of few units, may be out of reach where the share itself is not.
    if (solved.status === 'infeasible' && share !== undefined) return whole(part, share, solver, order);
    const stage = linearStage(model, leastShare, solved);
    if (stage === undefined) return whole(part, share, solver, order);
    if ('kind' in stage) return stage;
    return solution(part, stage, share, stage.duals, false);
  }
  return whole(part, share, solver, order);
};

/** A stage whose rounded quantities reach the proven bound; undefined where rounding loses more than that allows. */
const linearStage = (model: LinearModel, leastShare: bigint, solved: Solved): Stage | Ended | undefined => {
  if (solved.status !== 'optimal') return endedOf(solved, true);
  if (solved.values === undefined || solved.duals === undefined)
    return { kind: 'failed', said: `${solved.said}, without a solution` };
  const values = wholeQuantities(model, solved.values, { denominator: 1n, fill: true });
  if (values === undefined) return undefined;
  return stageOf('value', leastShare, model, values, solved.duals, 1n, solved, true);
};

/** Branch and bound over choices and small whole quantities; the bound is that of the relaxation. */
const whole = (part: CanonicalPart, share: Stage | undefined, solver: Solver, order: SolveOrder): PartSolution => {
  if (share === undefined) return wholeFrom(part, 0n, undefined, solver, order);
  const start = modelOf(part, { stage: 'value', leastShare: '0' });
  const reached = wholeShare(start, share, solver, order);
  if (typeof reached !== 'bigint') return reached;
  // What the share demands of lines of few units is rounded; where that asks too much, a little less is demanded of everybody.
  const less = reached - SHARE_UNIT / 1000n;
  let ended: PartSolution = { kind: 'infeasible', relaxed: false };
  for (const leastShare of [reached, less > 0n ? less : 0n, 0n]) {
    ended = wholeFrom(part, leastShare, share, solver, order);
    if (ended.kind !== 'infeasible') break;
  }
  return ended;
};

const wholeFrom = (
  part: CanonicalPart,
  leastShare: bigint,
  share: Stage | undefined,
  solver: Solver,
  order: SolveOrder,
): PartSolution => {
  const model = modelOf(part, { stage: 'value', leastShare: String(leastShare) });
  const relaxed = solver.solve(model, order);
  if (relaxed.status !== 'optimal') return endedOf(relaxed, true);
  if (relaxed.duals === undefined) return { kind: 'failed', said: `${relaxed.said}, without duals` };
  const solved = solver.solve(model, { ...order, whole: true });
  if (solved.values === undefined) return endedOf(solved, false);
  const values = wholeQuantities(model, solved.values, { denominator: 1n, fill: true });
  if (values === undefined)
    return { kind: 'failed', said: 'the quantities found could not be rounded within every bound' };
  const stage = stageOf('value', leastShare, model, values, relaxed.duals, 1n, solved, false);
  if (stage === undefined) return { kind: 'failed', said: 'the duals found prove no bound' };
  return solution(part, stage, share, fixedDuals(model, values, solver, order), true);
};

/** The share that lots, single providers and whole units leave possible, a little below what the solver found. */
const wholeShare = (start: LinearModel, share: Stage, solver: Solver, order: SolveOrder): bigint | Ended => {
  const model = withShare(start, share.model);
  const solved = solver.solve(model, { ...order, whole: true });
  if (solved.values === undefined) return endedOf(solved, false);
  const found = wholeOf((solved.values[model.costs.length - 1] ?? 0) * Number(SHARE_UNIT));
  const possible = share.bound / (VALUE_UNIT / SHARE_UNIT);
  const reached = found < possible ? found : possible;
  return reached > SHARE_SLACK ? reached - SHARE_SLACK : 0n;
};

/** The model of value with the share as a further column, and the share as its objective. */
const withShare = (model: LinearModel, share: LinearModel): LinearModel => {
  const column = model.costs.length;
  const rows = share.rows
    .filter(({ kind }) => kind === 'least-share')
    .map((row) => ({ ...row, columns: [...row.columns.slice(0, -1), column] }));
  return {
    ...model,
    costs: [...model.costs.map(() => 0n), VALUE_UNIT],
    uppers: [...model.uppers, 1n],
    rows: [...model.rows, ...rows],
  };
};

/** Duals of the linear model that is left once every choice is made; those of branch and bound are all 0. */
const fixedDuals = (
  model: LinearModel,
  values: readonly bigint[],
  solver: Solver,
  order: SolveOrder,
): readonly bigint[] | undefined => {
  const lower = model.costs.map(() => 0n);
  const upper = [...model.uppers];
  model.choices.forEach((choice, arc) => {
    if (choice < 0) return;
    const chosen = at(values, choice);
    upper[choice] = chosen;
    lower[choice] = chosen;
    if (chosen === 0n) upper[arc] = 0n;
    else lower[arc] = at(model.lots, arc);
  });
  // The rows that tie quantities to choices say nothing more: without them their duals fall to the bounds.
  const kept = model.rows.filter(({ kind }) => kind !== 'choice' && kind !== 'lot' && kind !== 'single-source');
  const solved = solver.solve({ ...model, rows: kept }, { ...order, within: { lower, upper } });
  if (solved.status !== 'optimal' || solved.duals === undefined) return undefined;
  return [...solved.duals, ...model.rows.slice(kept.length).map(() => 0n)];
};

const stageOf = (
  stage: StageClaim['stage'],
  leastShare: bigint,
  model: LinearModel,
  values: readonly bigint[],
  duals: readonly bigint[],
  denominator: bigint,
  solved: Solved,
  limited: boolean,
): Stage | undefined => {
  const proof: DualProof = proofOf(model, duals);
  const objective = objectiveOf(model, values, denominator);
  if (objective === undefined) return undefined;
  const gap = proof.bound - objective;
  const gapLimit = gapLimitOf(stage, proof.bound);
  if (gap < 0n || (limited && gap > gapLimit)) return undefined;
  const claim: StageClaim = {
    stage,
    leastShare: String(leastShare),
    denominator: String(denominator),
    values: values.map(String),
    duals: duals.map(String),
    reducedCosts: proof.reducedCosts.map(String),
    objective: String(objective),
    bound: String(proof.bound),
    gap: String(gap),
    gapLimit: limited ? String(gapLimit) : null,
    solver: {
      status: solved.said,
      iterations: String(solved.iterations),
      nodes: String(solved.nodes),
      gap: solved.gap,
    },
  };
  const limit = solved.status === 'limit' ? solved.said : undefined;
  return { claim, model, values, duals, objective, bound: proof.bound, limit };
};

const solution = (
  part: CanonicalPart,
  stage: Stage,
  share: Stage | undefined,
  duals: readonly bigint[] | undefined,
  whole: boolean,
): PartSolution => {
  const { model, values, objective, bound, limit } = stage;
  const ranges = duals === undefined ? undefined : priceRanges(part, model, values, duals, whole);
  return {
    kind: 'solved',
    quantities: values.slice(0, model.arcs),
    model,
    duals: duals ?? stage.duals,
    ranges,
    stages: share === undefined ? [stage.claim] : [share.claim, stage.claim],
    possibleShare: share === undefined ? undefined : share.bound / (VALUE_UNIT / SHARE_UNIT),
    objective,
    bound,
    limit,
    whole,
  };
};

const endedOf = ({ status, said }: Solved, relaxed: boolean): Ended => {
  if (status === 'infeasible') return { kind: 'infeasible', relaxed };
  if (status === 'limit') return { kind: 'limit', said };
  return { kind: 'failed', said };
};

/** The record of a solved part. */
export const certificatePart = (
  part: number,
  model: CanonicalPart,
  stages: readonly StageClaim[],
): CertificatePart => ({
  record: 'part',
  part,
  model,
  modelSha256: sha256Of(canonicalText(model)),
  stages,
});
