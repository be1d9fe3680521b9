import { createRequire } from 'node:module';
import type { Highs, ModelData } from 'highs';
import type { LinearModel } from './canonical-model.js';
import { at, VALUE_UNIT } from './canonical-model.js';

// Its type declarations are those of a CommonJS module, so that is how it is loaded.
const load = createRequire(import.meta.url)('highs') as () => Promise<Highs>;

/** Entries down to here count: of a row whose greatest is 1. */
const SMALLEST_ENTRY = 1e-12;
const LINEAR_OPTIONS = {
  output_flag: false,
  solver: 'simplex',
  presolve: 'on',
  small_matrix_value: SMALLEST_ENTRY,
} as const;
/** Relative gap at which branch and bound may stop. */
const WHOLE_OPTIONS = {
  output_flag: false,
  presolve: 'on',
  mip_rel_gap: 0.001,
  small_matrix_value: SMALLEST_ENTRY,
} as const;
const NODES = 100_000;
const ITERATIONS = 10_000_000;
/** Noise of a dual, against the greatest one. */
const DUAL_NOISE = 1e-12;
/** Quantities up to here may be demanded whole of the solver; beyond it rounding loses less than the solver's own gap. */
const WHOLE_UP_TO = 100_000n;

export interface SolveOrder {
  readonly seed: number;
  readonly nodes?: number;
  readonly iterations?: number;
  /** Choices are 0 or 1, and small quantities whole. */
  readonly whole?: boolean;
  /** Bounds of columns in place of 0 and the model's own. */
  readonly within?: { readonly lower: readonly bigint[]; readonly upper: readonly bigint[] };
}

export interface Solved {
  readonly status: 'optimal' | 'limit' | 'infeasible' | 'failed';
  /** The solver's word for it. */
  readonly said: string;
  /** Of each column, in minor units; absent where there is no solution. */
  readonly values?: Float64Array;
  /** Of each row, in units of value, none negative; absent where whole numbers were asked. */
  readonly duals?: readonly bigint[];
  readonly iterations: bigint;
  readonly nodes: bigint;
  readonly gap: string;
}

/** HiGHS, synchronous: it belongs in a thread that may be blocked. */
export class Solver {
  private constructor(private readonly highs: Highs) {}

  static async load(): Promise<Solver> {
    return new Solver(await load());
  }

  get version(): string {
    return this.highs.version.string;
  }

  /** What a run is made with, for its certificate. */
  static options(order: Pick<SolveOrder, 'seed' | 'nodes' | 'iterations'>): Readonly<Record<string, string>> {
    const named = { ...LINEAR_OPTIONS, ...WHOLE_OPTIONS, ...limitsOf(order) };
    return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, String(value)]));
  }

  /**
   * Solves a model. Columns and rows are scaled by powers of two, which loses no digit: every number the solver is given is near 1.
   * @throws whatever the WebAssembly runtime throws; this object is of no use after that
   */
  solve(model: LinearModel, order: SolveOrder): Solved {
    const scaled = scaledModel(model, order, this.highs);
    const native = this.highs.createModel(scaled.data);
    try {
      native.options.set({ ...(order.whole === true ? WHOLE_OPTIONS : LINEAR_OPTIONS), ...limitsOf(order) });
      const { modelStatus } = native.run();
      const said = statusWord(this.highs, modelStatus);
      const iterations = BigInt(native.info.get('simplex_iteration_count'));
      const nodes = order.whole === true ? BigInt(native.info.get('mip_node_count')) : 0n;
      const gap = order.whole === true ? String(native.info.get('mip_gap')) : '0';
      const status = statusOf(this.highs, modelStatus);
      const feasible = native.info.get('primal_solution_status') === this.highs.constants.solutionStatus.feasible;
      const told = { status, said, iterations, nodes, gap };
      if (!feasible || (status !== 'optimal' && status !== 'limit')) return told;
      const { colValue, rowDual } = native.getSolution();
      const values = colValue.map((value, column) => value * at(scaled.columnScales, column));
      if (values.some((value) => !Number.isFinite(value)))
        return { ...told, status: 'failed', said: `${said}, with values that are no numbers` };
      if (order.whole === true || status === 'limit') return { ...told, values };
      return { ...told, values, duals: dualsOf(model, rowDual, scaled) };
    } finally {
      native.dispose();
    }
  }
}

const limitsOf = ({
  seed,
  nodes = NODES,
  iterations = ITERATIONS,
}: Pick<SolveOrder, 'seed' | 'nodes' | 'iterations'>) => ({
  random_seed: seed,
  mip_max_nodes: nodes,
  simplex_iteration_limit: iterations,
});

const statusOf = ({ constants: { modelStatus } }: Highs, status: number): Solved['status'] => {
  if (status === modelStatus.optimal || status === modelStatus.empty) return 'optimal';
  if (status === modelStatus.infeasible) return 'infeasible';
  // Every column is bounded, so "unbounded or infeasible" means infeasible.
  if (status === modelStatus.unboundedOrInfeasible) return 'infeasible';
  const limits: readonly number[] = [modelStatus.iterationLimit, modelStatus.solutionLimit, modelStatus.interrupted];
  return limits.includes(status) ? 'limit' : 'failed';
};

const statusWord = ({ constants: { modelStatus } }: Highs, status: number): string =>
  Object.entries(modelStatus).find(([, code]) => code === status)?.[0] ?? `status ${status}`;

interface ScaledModel {
  readonly data: ModelData;
  /** A column's value is the solver's times this. */
  readonly columnScales: readonly number[];
  /** A row of the solver is the model's divided by this. */
  readonly rowScales: readonly number[];
  /** Units of value per unit of the solver's objective. */
  readonly objectiveScale: number;
}

const scaledModel = (model: LinearModel, order: SolveOrder, highs: Highs): ScaledModel => {
  const { costs, rows } = model;
  const lower = order.within?.lower;
  const upper = order.within?.upper ?? model.uppers;
  const integrality = new Int32Array(costs.length);
  const choices = new Set(model.choices);
  const columnScales = costs.map((_cost, column) => {
    const most = at(column < model.arcs ? model.caps : model.uppers, column);
    if (order.whole === true && (choices.has(column) || (column < model.arcs && most <= WHOLE_UP_TO))) {
      integrality[column] = highs.constants.variableType.integer;
      return 1;
    }
    return column < model.arcs || choices.has(column) ? powerAbove(most) : shareScale(model);
  });
  const scaledCosts = costs.map((cost, column) => Number(cost) * at(columnScales, column));
  const greatest = scaledCosts.reduce((most, cost) => Math.max(most, Math.abs(cost)), 0);
  const objectiveScale = greatest === 0 ? 1 : powerBelow(greatest);
  const rowScales: number[] = [];
  const counts = new Int32Array(costs.length + 1);
  for (const { columns, coefficients } of rows) {
    let most = 0;
    columns.forEach((column, term) => {
      counts[column + 1] = (counts[column + 1] ?? 0) + 1;
      const coefficient = coefficients === undefined ? 1 : Math.abs(Number(at(coefficients, term)));
      most = Math.max(most, coefficient * at(columnScales, column));
    });
    rowScales.push(most === 0 ? 1 : powerBelow(most));
  }
  for (let column = 0; column < costs.length; column += 1)
    counts[column + 1] = (counts[column + 1] ?? 0) + (counts[column] ?? 0);
  const entries = counts[costs.length] ?? 0;
  const next = counts.slice(0, costs.length);
  const indices = new Int32Array(entries);
  const values = new Float64Array(entries);
  const rowLower = new Float64Array(rows.length).fill(-highs.infinity);
  const rowUpper = new Float64Array(rows.length).fill(highs.infinity);
  rows.forEach(({ columns, coefficients, sense, bound }, row) => {
    const scale = at(rowScales, row);
    columns.forEach((column, term) => {
      const place = next[column] ?? 0;
      next[column] = place + 1;
      indices[place] = row;
      const coefficient = coefficients === undefined ? 1 : Number(at(coefficients, term));
      values[place] = (coefficient * at(columnScales, column)) / scale;
    });
    (sense === 'at-most' ? rowUpper : rowLower)[row] = Number(bound) / scale;
  });
  const data: ModelData = {
    numCols: costs.length,
    numRows: rows.length,
    sense: highs.constants.objectiveSense.maximize,
    colCost: Float64Array.from(scaledCosts, (cost) => cost / objectiveScale),
    colLower: Float64Array.from(columnScales, (scale, column) =>
      lower === undefined ? 0 : Number(at(lower, column)) / scale,
    ),
    colUpper: Float64Array.from(columnScales, (scale, column) => Number(at(upper, column)) / scale),
    rowLower,
    rowUpper,
    matrix: { format: 'csc', numRows: rows.length, numCols: costs.length, starts: counts, indices, values },
    ...(order.whole === true ? { integrality } : {}),
  };
  return { data, columnScales, rowScales, objectiveScale };
};

/** A share can be as small as what reaches the scarcest line: a power of two near that. */
const shareScale = (model: LinearModel): number => {
  let least = 1;
  for (const { kind, columns, coefficients } of model.rows) {
    if (kind !== 'least-share' || coefficients === undefined) continue;
    const reaching = columns.slice(0, -1).reduce((sum, arc) => sum + Number(at(model.caps, arc)), 0);
    least = Math.min(least, reaching / Math.abs(Number(at(coefficients, columns.length - 1))));
  }
  return powerBelow(least);
};

/** The solver's duals as whole units of value, with the sign that the row's sense gives them; noise is 0. */
const dualsOf = (
  model: LinearModel,
  rowDual: Float64Array,
  { rowScales, objectiveScale }: ScaledModel,
): readonly bigint[] => {
  const greatest = rowDual.reduce((most, dual) => Math.max(most, Math.abs(dual)), 0);
  return model.rows.map(({ sense }, row) => {
    const dual = (rowDual[row] ?? 0) * (sense === 'at-most' ? 1 : -1);
    return dual <= greatest * DUAL_NOISE ? 0n : wholeOf((dual / at(rowScales, row)) * objectiveScale);
  });
};

/** The greatest whole number not above a finite number ≥ 0, with every digit it has. */
export const wholeOf = (value: number): bigint => {
  if (value < 1) return 0n;
  if (value <= Number.MAX_SAFE_INTEGER) return BigInt(Math.floor(value));
  return BigInt(value);
};

/** The least power of two that is not below a figure ≥ 0; 1 for 0. */
const powerAbove = (figure: bigint): number => (figure <= 1n ? 1 : 2 ** (figure - 1n).toString(2).length);

/** A power of two not above a number > 0, nor below half of it. */
const powerBelow = (value: number): number => {
  const exponent = Math.floor(Math.log2(value));
  return 2 ** exponent <= value ? 2 ** exponent : 2 ** (exponent - 1);
};

/** Units of value as a number, for arithmetic that only compares. */
export const valueNumber = (units: bigint): number => Number(units) / Number(VALUE_UNIT);
