import type { LinearModel } from './canonical-model.js';
import { at, modelOf } from './canonical-model.js';
import type { CanonicalPart } from './certificate.js';
import type { Conflict } from './outcome.js';
import type { Solver, SolveOrder } from './solver.js';
import { wholeOf } from './solver.js';
import { inWords } from './words.js';

/** A floor or budget of a part. */
interface Demand {
  readonly kind: 'floor' | 'budget';
  readonly of: number;
}

/**
 * The floors (and budgets that stand against them) of a part that cannot be kept together: a deletion filter, so that the rest could be kept
 * without any one of them. Capacities and what needs ask are facts and are never left out. `relaxed`: fractions already conflict; else
 * smallest lots and single providers do.
 */
export const conflictOf = (
  part: CanonicalPart,
  relaxed: boolean,
  solver: Solver,
  order: SolveOrder,
): readonly Conflict[] => {
  // Budgets are tried first: a conflict that needs no budget names none.
  let kept: readonly Demand[] = [
    ...part.budgets.map((_, of): Demand => ({ kind: 'budget', of })),
    ...part.floors.map((_, of): Demand => ({ kind: 'floor', of })),
  ];
  for (const demand of kept) {
    const without = kept.filter((other) => other !== demand);
    if (!canKeep(part, without, relaxed, solver, order)) kept = without;
  }
  return kept.map((demand) => {
    const { of, quantity } = at(demand.kind === 'floor' ? part.floors : part.budgets, demand.of);
    const asked = BigInt(quantity);
    const { measure } = part;
    if (demand.kind === 'budget') {
      return {
        kind: 'budget',
        of,
        measure,
        quantity: asked,
        because: `the budget of ${of} allows at most ${inWords(measure, asked)}`,
      };
    }
    const most = mostFor(part, demand.of, solver, order);
    const alone = most === undefined ? '' : `; by itself it could have at most ${inWords(measure, most)}`;
    return {
      kind: 'floor',
      of,
      measure,
      quantity: asked,
      because: `the floor for ${of} asks ${inWords(measure, asked)}${alone}`,
    };
  });
};

const canKeep = (
  part: CanonicalPart,
  demands: readonly Demand[],
  relaxed: boolean,
  solver: Solver,
  order: SolveOrder,
): boolean => {
  const model = modelOf(withOnly(part, demands), { stage: 'value', leastShare: '0' });
  return (
    solver.solve(
      withCosts(model, () => 0n),
      { ...order, whole: relaxed ? false : 'units' },
    ).status !== 'infeasible'
  );
};

const withOnly = (part: CanonicalPart, demands: readonly Demand[]): CanonicalPart => {
  const keeps = (kind: Demand['kind'], of: number): boolean =>
    demands.some((demand) => demand.kind === kind && demand.of === of);
  return {
    ...part,
    budgets: part.budgets.filter((_, of) => keeps('budget', of)),
    floors: part.floors.filter((_, of) => keeps('floor', of)),
  };
};

const withCosts = (model: LinearModel, costOf: (column: number) => bigint): LinearModel => ({
  ...model,
  costs: model.costs.map((_, column) => costOf(column)),
});

/** The most that the needs of a floor could have, were there no other floor; undefined where the solver does not say. */
const mostFor = (part: CanonicalPart, floor: number, solver: Solver, order: SolveOrder): bigint | undefined => {
  const members = new Set(at(part.floors, floor).members);
  const model = modelOf({ ...part, floors: [] }, { stage: 'value', leastShare: '0' });
  const counts = (column: number): boolean => column < model.arcs && members.has(at(part.arcs.need, column));
  const { status, values } = solver.solve(
    withCosts(model, (column) => (counts(column) ? 1n : 0n)),
    order,
  );
  if (status !== 'optimal' || values === undefined) return undefined;
  return wholeOf(values.reduce((sum, value, column) => (counts(column) ? sum + value : sum), 0) + 1e-6);
};
