import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Highs, Model, ModelData } from 'highs';
import type { LinearModel } from './canonical-model.js';
import { at, VALUE_UNIT } from './canonical-model.js';
import { floats } from './floats.js';

// Its type declarations are those of a CommonJS module, so that is how it is loaded.
const require = createRequire(import.meta.url);
const load = require('highs') as (options?: { readonly wasmModule: CompiledSolver }) => Promise<Highs>;

/** A compiled WebAssembly module, which threads can be handed. */
export interface CompiledSolver {
  readonly [Symbol.toStringTag]: string;
}

// The types of Node.js 20 do not know it; those of browsers would bring a hundred other names.
const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: { compile(bytes: Uint8Array): Promise<CompiledSolver> };
};

let compiled: Promise<CompiledSolver> | undefined;

/** The solver's code, compiled once for every thread of this process; what one thread's work made faster is fast in the next. */
export const compiledSolver = (): Promise<CompiledSolver> => {
  compiled ??= readFile(require.resolve('highs/runtime')).then((bytes) => WebAssembly.compile(bytes));
  return compiled;
};

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
const NODES = 5_000;
const ITERATIONS = 10_000_000;
/** Noise of a dual, against the greatest one. */
const DUAL_NOISE = 1e-12;
/** Quantities up to here may be demanded whole of the solver; beyond it rounding loses less than the solver's own gap. */
const WHOLE_UP_TO = 100_000n;

export interface SolveOrder {
  readonly seed: number;
  readonly nodes?: number;
  readonly iterations?: number;
  /** Choices are 0 or 1; with `units` small quantities are whole, too: mostly they come out whole by themselves. */
  readonly whole?: boolean | 'units';
  /** Values of all columns to begin branching with. */
  readonly start?: readonly bigint[];
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

  static async load(module?: CompiledSolver): Promise<Solver> {
    return new Solver(await load(module === undefined ? undefined : { wasmModule: module }));
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
    if (!isWhole(order) && order.within === undefined && isWorthSifting(model)) {
      const sifted = this.sifted(model, scaled, order);
      if (sifted !== undefined) return sifted;
    }
    return this.run(
      scaled.data,
      order,
      (native, modelStatus) => {
        const said = statusWord(this.highs, modelStatus);
        const iterations = BigInt(native.info.get('simplex_iteration_count'));
        const nodes = isWhole(order) ? BigInt(native.info.get('mip_node_count')) : 0n;
        const gap = isWhole(order) ? String(native.info.get('mip_gap')) : '0';
        const status = statusOf(this.highs, modelStatus);
        const feasible = native.info.get('primal_solution_status') === this.highs.constants.solutionStatus.feasible;
        const told = { status, said, iterations, nodes, gap };
        if (!feasible || (status !== 'optimal' && status !== 'limit')) return told;
        const { colValue, rowDual } = native.getSolution();
        const values = colValue.map((value, column) => value * (scaled.columnScales[column] ?? 1));
        if (values.some((value) => !Number.isFinite(value)))
          return { ...told, status: 'failed', said: `${said}, with values that are no numbers` };
        if (isWhole(order) || status === 'limit') return { ...told, values };
        return { ...told, values, duals: dualsOf(model, rowDual, scaled) };
      },
      order.start === undefined
        ? undefined
        : Float64Array.from(order.start, (value, column) => Number(value) / (scaled.columnScales[column] ?? 1)),
    );
  }

  /** A run of the bare solver on a model that is already scaled; answers its simplex iterations. */
  prepared(model: LinearModel, order: SolveOrder): () => bigint {
    const { data } = scaledModel(model, order, this.highs);
    return () => this.run(data, order, (native) => BigInt(native.info.get('simplex_iteration_count')));
  }

  /**
   * Of many pairs few carry anything. Solves with the most valued of each row, then adds what the duals say was missed, until nothing was:
   * then these duals, and the quantities with 0 for all others, are those of the whole model. Undefined where that does not come about.
   */
  private sifted(model: LinearModel, scaled: ScaledModel, order: SolveOrder): Solved | undefined {
    const { data } = scaled;
    const chosen = new Sifted(model, data);
    const first = chosen.start();
    return this.run(
      { ...data, ...first.bounds, numCols: first.columns.length, matrix: first.matrix },
      order,
      (native, modelStatus) => {
        let status: number = modelStatus;
        let iterations = 0n;
        for (let round = 0; round < SIFTING_ROUNDS; round += 1) {
          iterations += BigInt(native.info.get('simplex_iteration_count'));
          if (status !== this.highs.constants.modelStatus.optimal) return undefined;
          const { colValue, rowDual } = native.getSolution();
          const missed = chosen.missedBy(rowDual);
          if (missed === undefined) {
            const values = new Float64Array(data.numCols);
            chosen.columns.forEach((column, place) => {
              values[column] = (colValue[place] ?? 0) * (scaled.columnScales[column] ?? 1);
            });
            const said = statusWord(this.highs, status);
            return {
              status: 'optimal',
              said,
              values,
              duals: dualsOf(model, rowDual, scaled),
              iterations,
              nodes: 0n,
              gap: '0',
            };
          }
          native.addCols({
            cost: missed.bounds.colCost,
            lower: missed.bounds.colLower,
            upper: missed.bounds.colUpper,
            matrix: missed.matrix,
          });
          // What is at hand is feasible and nearly best: presolve would throw it away.
          native.options.set('presolve', 'off');
          status = native.run().modelStatus;
        }
        return undefined;
      },
    );
  }

  private run<T>(
    data: ModelData,
    order: SolveOrder,
    read: (native: Model, modelStatus: number) => T,
    start?: Float64Array,
  ): T {
    const native = this.highs.createModel(data);
    try {
      native.options.set({ ...(isWhole(order) ? WHOLE_OPTIONS : LINEAR_OPTIONS), ...limitsOf(order) });
      if (isWhole(order) && start !== undefined) native.setSolution({ colValue: start });
      const { modelStatus } = native.run();
      return read(native, modelStatus);
    } finally {
      native.dispose();
    }
  }
}

const isWhole = ({ whole = false }: SolveOrder): boolean => whole !== false;

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

/** What the solver is given, in typed arrays throughout. */
type ScaledData = Omit<ModelData, 'colCost' | 'colLower' | 'colUpper' | 'matrix'> & {
  readonly colCost: Float64Array;
  readonly colLower: Float64Array;
  readonly colUpper: Float64Array;
  readonly matrix: {
    readonly format: 'csc';
    readonly numRows: number;
    readonly numCols: number;
    readonly starts: Int32Array;
    readonly indices: Int32Array;
    readonly values: Float64Array;
  };
};

interface ScaledModel {
  readonly data: ScaledData;
  /** A column's value is the solver's times this. */
  readonly columnScales: Float64Array;
  /** A row of the solver is the model's divided by this. */
  readonly rowScales: readonly number[];
  /** Units of value per unit of the solver's objective. */
  readonly objectiveScale: number;
}

/** From so many pairs on. */
const SIFTED_FROM = 20_000;
/** Pairs of each row to begin with. */
const SIFTED_OF_ROW = 10;
const SIFTING_ROUNDS = 20;
/** A reduced cost up to here is none, where the greatest cost is near 1. */
const MISSED = 1e-10;

const isWorthSifting = ({ arcs, costs, choices }: LinearModel): boolean =>
  arcs >= SIFTED_FROM && costs.length === arcs && choices.every((choice) => choice < 0);

interface Slice {
  readonly columns: readonly number[];
  readonly bounds: Pick<ScaledData, 'colCost' | 'colLower' | 'colUpper'>;
  readonly matrix: ScaledData['matrix'];
}

/** Which columns of a model the solver was given so far, in that order. */
class Sifted {
  readonly columns: number[] = [];
  private readonly taken: Uint8Array;

  constructor(
    private readonly model: LinearModel,
    private readonly data: ScaledData,
  ) {
    this.taken = new Uint8Array(data.numCols);
  }

  /** The most valued of each row that bounds from above; all of a row that demands something. */
  start(): Slice {
    const { rows, costs } = this.model;
    const worth = floats(costs.length, (column) => Number(at(costs, column)));
    for (const { sense, columns } of rows) {
      const best = [...columns];
      if (sense === 'at-most' && best.length > SIFTED_OF_ROW) {
        best.sort((a, b) => (worth[b] ?? 0) - (worth[a] ?? 0) || a - b);
        best.length = SIFTED_OF_ROW;
      }
      for (const column of best) this.taken[column] = 1;
    }
    const first: number[] = [];
    this.taken.forEach((taken, column) => {
      if (taken === 1) first.push(column);
    });
    return this.take(first);
  }

  /** Columns that would better the objective at these duals; undefined where none would. */
  missedBy(rowDual: Float64Array): Slice | undefined {
    const { colCost, matrix } = this.data;
    const missed: number[] = [];
    for (let column = 0; column < this.taken.length; column += 1) {
      if (this.taken[column] === 1) continue;
      let reduced = colCost[column] ?? 0;
      const end = matrix.starts[column + 1] ?? 0;
      for (let entry = matrix.starts[column] ?? 0; entry < end; entry += 1) {
        reduced -= (matrix.values[entry] ?? 0) * (rowDual[matrix.indices[entry] ?? 0] ?? 0);
      }
      if (reduced > MISSED) missed.push(column);
    }
    if (missed.length === 0) return undefined;
    for (const column of missed) this.taken[column] = 1;
    return this.take(missed);
  }

  private take(columns: readonly number[]): Slice {
    for (const column of columns) this.columns.push(column);
    const { colCost, colLower, colUpper, matrix } = this.data;
    const of = (from: Float64Array): Float64Array => floats(columns.length, (place) => from[at(columns, place)] ?? 0);
    const starts = new Int32Array(columns.length + 1);
    const indices: number[] = [];
    const values: number[] = [];
    columns.forEach((column, place) => {
      const end = matrix.starts[column + 1] ?? 0;
      for (let entry = matrix.starts[column] ?? 0; entry < end; entry += 1) {
        indices.push(matrix.indices[entry] ?? 0);
        values.push(matrix.values[entry] ?? 0);
      }
      starts[place + 1] = indices.length;
    });
    return {
      columns,
      bounds: { colCost: of(colCost), colLower: of(colLower), colUpper: of(colUpper) },
      matrix: {
        ...matrix,
        numCols: columns.length,
        starts,
        indices: Int32Array.from(indices),
        values: Float64Array.from(values),
      },
    };
  }
}

const scaledModel = (model: LinearModel, order: SolveOrder, highs: Highs): ScaledModel => {
  const { costs, rows } = model;
  const lower = order.within?.lower;
  const upper = order.within?.upper ?? model.uppers;
  const integrality = new Int32Array(costs.length);
  const choices = new Set(model.choices);
  const columnScales = floats(costs.length, (column) => {
    const most = at(column < model.arcs ? model.caps : model.uppers, column);
    if (
      isWhole(order) &&
      (choices.has(column) || (order.whole === 'units' && column < model.arcs && most <= WHOLE_UP_TO))
    ) {
      integrality[column] = highs.constants.variableType.integer;
      return 1;
    }
    return column < model.arcs || choices.has(column) ? powerAbove(most) : shareScale(model);
  });
  const scaledCosts = floats(costs.length, (column) => Number(at(costs, column)) * (columnScales[column] ?? 1));
  const greatest = scaledCosts.reduce((most, cost) => Math.max(most, Math.abs(cost)), 0);
  const objectiveScale = greatest === 0 ? 1 : powerBelow(greatest);
  const rowScales: number[] = [];
  const counts = new Int32Array(costs.length + 1);
  for (const { columns, coefficients } of rows) {
    let most = 0;
    for (let term = 0; term < columns.length; term += 1) {
      const column = at(columns, term);
      counts[column + 1] = (counts[column + 1] ?? 0) + 1;
      const coefficient = coefficients === undefined ? 1 : Math.abs(Number(at(coefficients, term)));
      most = Math.max(most, coefficient * (columnScales[column] ?? 1));
    }
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
      values[place] = (coefficient * (columnScales[column] ?? 1)) / scale;
    });
    (sense === 'at-most' ? rowUpper : rowLower)[row] = Number(bound) / scale;
  });
  const data: ScaledData = {
    numCols: costs.length,
    numRows: rows.length,
    sense: highs.constants.objectiveSense.maximize,
    colCost: scaledCosts.map((cost) => cost / objectiveScale),
    colLower:
      lower === undefined
        ? new Float64Array(costs.length)
        : floats(costs.length, (column) => Number(at(lower, column)) / (columnScales[column] ?? 1)),
    colUpper: floats(costs.length, (column) => Number(at(upper, column)) / (columnScales[column] ?? 1)),
    rowLower,
    rowUpper,
    matrix: { format: 'csc', numRows: rows.length, numCols: costs.length, starts: counts, indices, values },
    ...(isWhole(order) ? { integrality } : {}),
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

/** A power of two not below a figure ≥ 0 and at most twice of it; 1 for 0. */
const powerAbove = (figure: bigint): number => {
  const value = Number(figure);
  if (value <= 1) return 1;
  const below = powerBelow(value);
  return below === value ? below : 2 * below;
};

/** A power of two not above a number > 0, nor below half of it. */
const powerBelow = (value: number): number => {
  if (value >= 1 && value < 2 ** 32) return 2 ** (31 - Math.clz32(value));
  const exponent = Math.floor(Math.log2(value));
  return 2 ** exponent <= value ? 2 ** exponent : 2 ** (exponent - 1);
};

/** Units of value as a number, for arithmetic that only compares. */
export const valueNumber = (units: bigint): number => Number(units) / Number(VALUE_UNIT);
