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
import { WHOLE_GAP } from './certificate.js';
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

/** Of the solver's gap, where it did not branch. */
export const NOT_BRANCHED = 'not branched';

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

/** What is asked of the gap: as near as a linear model comes, as near as whole choices are wanted, or nothing. */
type GapLimit = 'linear' | 'whole' | 'none';

/** Solves one part: for max-min first the share, then the value. */
export const solvePart = (part: CanonicalPart, maxMin: boolean, solver: Solver, order: SolveOrder): PartSolution => {
  if (!maxMin) return valued(part, 0n, undefined, solver, order);
  const share = shareStage(part, solver, order);
  if ('kind' in share) return share;
  const reached = share.objective / (VALUE_UNIT / SHARE_UNIT);
  return valued(part, lessSlack(reached), share, solver, order);
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
  const stage = (limited: GapLimit): Stage | undefined =>
    stageOf('share', 0n, model, values, duals, SHARE_UNIT, solved, limited);
  // Figures that are worlds apart leave the solver's digits behind: then its duals prove a bound that is not reached.
  return stage('linear') ?? stage('none') ?? { kind: 'failed', said: 'the duals of the share prove no bound' };
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
  return stageOf('value', leastShare, model, values, solved.duals, 1n, solved, 'linear');
};

/** Parts of more pairs are not branched on: the allocation near the relaxation stands, with the gap that is proven. */
const BRANCHED_UP_TO = 5_000;

/** Allocations with whole choices and small whole quantities; the bound is that of the relaxation. */
const whole = (part: CanonicalPart, share: Stage | undefined, solver: Solver, order: SolveOrder): PartSolution => {
  if (share === undefined) return wholeFrom(part, 0n, undefined, undefined, solver, order);
  const possible = wholeShare(part, share, solver, order);
  if ('kind' in possible) return possible;
  const { reached, choices } = possible;
  // What the share demands of lines of few units is rounded; where that asks too much, a little less is demanded of everybody.
  const less = reached - SHARE_UNIT / 1000n;
  let ended: PartSolution = { kind: 'infeasible', relaxed: false };
  for (const leastShare of [reached, less > 0n ? less : 0n, 0n]) {
    ended = wholeFrom(part, leastShare, share, choices, solver, order);
    if (ended.kind !== 'infeasible') break;
  }
  return ended;
};

/** `choices`: values of the choice columns, at their places, that are known to reach the share. */
const wholeFrom = (
  part: CanonicalPart,
  leastShare: bigint,
  share: Stage | undefined,
  choices: readonly bigint[] | undefined,
  solver: Solver,
  order: SolveOrder,
): PartSolution => {
  const model = modelOf(part, { stage: 'value', leastShare: String(leastShare) });
  const relaxed = solver.solve(model, order);
  if (relaxed.status !== 'optimal') return endedOf(relaxed, true);
  const { values: fractions, duals } = relaxed;
  if (fractions === undefined || duals === undefined) return { kind: 'failed', said: `${relaxed.said}, without duals` };
  const stageBy = (values: readonly bigint[], solved: Solved, limit: GapLimit): Stage | undefined =>
    stageOf('value', leastShare, model, values, duals, 1n, solved, limit);
  const done = (stage: Stage): PartSolution =>
    solution(part, stage, share, fixedDuals(model, stage.values, solver, order), true);
  const unbranched = { ...relaxed, gap: NOT_BRANCHED };
  const near = [choicesNear(model, fractions), ...(choices === undefined ? [] : [choices])].flatMap((chosen) => {
    const values = withChoices(model, chosen, solver, order);
    const stage = values === undefined ? undefined : stageBy(values, unbranched, 'none');
    return stage === undefined ? [] : [stage];
  });
  const nearest = near.reduce<Stage | undefined>(better, undefined);
  const proven = nearest === undefined ? undefined : stageBy(nearest.values, unbranched, 'whole');
  if (proven !== undefined) return done(proven);
  if (nearest !== undefined && model.arcs > BRANCHED_UP_TO) return done(nearest);
  const found = wholeSolution(model, solver, nearest === undefined ? order : { ...order, start: nearest.values });
  if ('kind' in found) return nearest === undefined ? found : done(nearest);
  const best = [
    stageBy(found.values, found.solved, 'whole') ?? stageBy(found.values, found.solved, 'none'),
    nearest === undefined ? undefined : stageBy(nearest.values, found.solved, 'none'),
  ].reduce<Stage | undefined>(better, undefined);
  return best === undefined ? { kind: 'failed', said: 'the duals found prove no bound' } : done(best);
};

const better = (one: Stage | undefined, other: Stage | undefined): Stage | undefined =>
  one === undefined || (other !== undefined && other.objective > one.objective) ? other : one;

/**
 * Choices near those of the relaxation: pairs that carry a lot there, of a line with a single provider the greatest. With few lots among
 * many pairs they are near enough to need no branching, and the duals of the relaxation prove it.
 */
const choicesNear = (model: LinearModel, fractions: Float64Array): readonly bigint[] => {
  const values = model.costs.map((_, column) => wholeOf(Math.max(0, fractions[column] ?? 0)));
  const arcOf = new Map(model.choices.map((choice, arc) => [choice, arc] as const));
  const greatest = new Map<number, number>();
  for (const { kind, columns } of model.rows) {
    if (kind !== 'single-source') continue;
    const [first, ...rest] = columns.map((choice) => arcOf.get(choice) ?? -1);
    if (first === undefined) continue;
    const most = rest.reduce((best, arc) => (at(values, arc) > at(values, best) ? arc : best), first);
    for (const arc of [first, ...rest]) greatest.set(arc, most);
  }
  model.choices.forEach((choice, arc) => {
    if (choice < 0) return;
    const quantity = at(values, arc);
    const taken = quantity > 0n && quantity >= at(model.lots, arc) && (greatest.get(arc) ?? arc) === arc;
    values[choice] = taken ? 1n : 0n;
  });
  return values;
};

/** The best allocation with these choices, in whole units; undefined where there is none. */
const withChoices = (
  model: LinearModel,
  choices: readonly bigint[],
  solver: Solver,
  order: SolveOrder,
): readonly bigint[] | undefined => {
  const solved = solver.solve(...fixedTo(model, choices, order));
  if (solved.status !== 'optimal' || solved.values === undefined) return undefined;
  const whole = Float64Array.from(solved.values);
  model.choices.forEach((choice) => {
    if (choice >= 0) whole[choice] = Number(at(choices, choice));
  });
  return wholeQuantities(model, whole, { denominator: 1n, fill: true });
};

/** Quantities of branch and bound, rounded; asked whole of the solver only where they cannot be rounded otherwise. */
const wholeSolution = (
  model: LinearModel,
  solver: Solver,
  order: SolveOrder,
): { readonly solved: Solved; readonly values: readonly bigint[] } | Ended => {
  const free = model.choices.every((choice) => choice < 0);
  for (const whole of free ? (['units'] as const) : ([true, 'units'] as const)) {
    const solved = solver.solve(model, { ...order, whole });
    if (solved.values === undefined) return endedOf(solved, false);
    const values = wholeQuantities(model, solved.values, { denominator: 1n, fill: true });
    if (values !== undefined) return { solved, values };
  }
  return { kind: 'failed', said: 'the quantities found could not be rounded within every bound' };
};

/**
 * A share that lots and single providers leave possible, and choices that reach it: those near the relaxation, or where they give more than a
 * thousandth of it away and the part is small enough, what branch and bound finds.
 */
const wholeShare = (
  part: CanonicalPart,
  share: Stage,
  solver: Solver,
  order: SolveOrder,
): { readonly reached: bigint; readonly choices: readonly bigint[] | undefined } | Ended => {
  const units = (stage: bigint): bigint => stage / (VALUE_UNIT / SHARE_UNIT);
  const possible = units(share.bound);
  const wanted = lessSlack(units(share.objective));
  const relaxed = solver.solve(modelOf(part, { stage: 'value', leastShare: String(wanted) }), order);
  const start = modelOf(part, { stage: 'value', leastShare: '0' });
  const model = withShare(start, share.model);
  const shareOf = (values: Float64Array): bigint => {
    const found = wholeOf((values[model.costs.length - 1] ?? 0) * Number(SHARE_UNIT));
    return lessSlack(found < possible ? found : possible);
  };
  let best: { readonly reached: bigint; readonly choices: readonly bigint[] } | undefined;
  if (relaxed.values !== undefined) {
    const choices = choicesNear(start, relaxed.values);
    const { values } = solver.solve(...fixedTo(model, [...choices, 0n], order));
    if (values !== undefined) best = { reached: shareOf(values), choices };
  }
  if (best !== undefined && (best.reached >= wanted - wanted / WHOLE_GAP || start.arcs > BRANCHED_UP_TO)) return best;
  const solved = solver.solve(model, { ...order, whole: 'units' });
  if (solved.values === undefined) return best ?? endedOf(solved, false);
  const reached = shareOf(solved.values);
  return best !== undefined && best.reached > reached ? best : { reached, choices: undefined };
};

const lessSlack = (share: bigint): bigint => (share > SHARE_SLACK ? share - SHARE_SLACK : 0n);

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
  const [fixed, fixedOrder] = fixedTo(model, values, order);
  const { status, duals } = solver.solve(fixed, fixedOrder);
  if (status !== 'optimal' || duals === undefined) return undefined;
  return [...duals, ...model.rows.slice(fixed.rows.length).map(() => 0n)];
};

/** The linear model that is left with the choices of these values. */
const fixedTo = (
  model: LinearModel,
  values: readonly bigint[],
  order: SolveOrder,
): readonly [LinearModel, SolveOrder] => {
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
  // The rows that tie quantities to choices, the last ones, say nothing more: without them their duals fall to the bounds.
  const rows = model.rows.filter(({ kind }) => kind !== 'choice' && kind !== 'lot' && kind !== 'single-source');
  return [
    { ...model, rows },
    { ...order, within: { lower, upper } },
  ];
};

const stageOf = (
  stage: StageClaim['stage'],
  leastShare: bigint,
  model: LinearModel,
  values: readonly bigint[],
  duals: readonly bigint[],
  denominator: bigint,
  solved: Solved,
  limited: GapLimit,
): Stage | undefined => {
  const proof: DualProof = proofOf(model, duals);
  const objective = objectiveOf(model, values, denominator);
  if (objective === undefined) return undefined;
  const gap = proof.bound - objective;
  const gapLimit = limited === 'none' ? undefined : gapLimitOf(stage, proof.bound, limited);
  if (gap < 0n || (gapLimit !== undefined && gap > gapLimit)) return undefined;
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
    gapLimit: gapLimit === undefined ? null : String(gapLimit),
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

/** The record of a solved part as a line of the certificate: its canonical text, around that of the model, which is hashed as it stands. */
export const certificateLine = (part: number, model: CanonicalPart, stages: readonly StageClaim[]): string => {
  const text = canonicalText(model);
  const record: Omit<CertificatePart, 'model'> = { record: 'part', part, modelSha256: sha256Of(text), stages };
  // "model" comes first among the sorted fields.
  return `{"model":${text},${canonicalText(record).slice(1)}\n`;
};
