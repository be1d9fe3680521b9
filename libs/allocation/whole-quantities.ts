import type { LinearModel, Row } from './canonical-model.js';
import { at } from './canonical-model.js';
import { wholeOf } from './solver.js';

/** Remainders below this are noise of the solver's. */
const NOISE = 1e-6;

/**
 * The solver's quantities as whole numbers over `denominator` that keep every row exactly: each rounded down, what is left given out by
 * largest remainder, then (`fill`) whatever an admitted pair can still take, the most valued first. Also the choices they stand for, or in
 * the model of the share the share they reach. Undefined where no rounding keeps every row that demands at least something.
 */
export const wholeQuantities = (
  model: LinearModel,
  values: Float64Array,
  { denominator, fill }: { readonly denominator: bigint; readonly fill: boolean },
): readonly bigint[] | undefined => {
  const rounding = new Rounding(model, values, denominator);
  rounding.shrinkWhereTooMuch();
  rounding.giveOutRemainders();
  if (!rounding.raiseWhereTooLittle()) return undefined;
  if (fill) rounding.fill();
  return rounding.columns();
};

class Rounding {
  private readonly quantities: bigint[];
  private readonly remainders: Float64Array;
  private readonly activity: bigint[];
  private readonly bounds: bigint[];
  /** Of each pair the rows, all of coefficient 1, that it counts in. */
  private readonly mostRows: Lists;
  private readonly leastRows: Lists;
  /** Of each pair its need, where that takes one provider only. */
  private readonly single: Int32Array;
  private readonly chosenOf = new Map<number, number>();
  private readonly chosen: Uint8Array;

  constructor(
    private readonly model: LinearModel,
    values: Float64Array,
    private readonly denominator: bigint,
  ) {
    const { arcs, rows, choices, lots, uppers } = model;
    const counting = (sense: Row['sense']): Lists =>
      listsOf(
        arcs,
        rows.map((row) => (row.sense === sense && isOfQuantities(row) ? row.columns : [])),
      );
    this.mostRows = counting('at-most');
    this.leastRows = counting('at-least');
    this.single = new Int32Array(arcs).fill(-1);
    this.chosen = new Uint8Array(arcs);
    this.remainders = new Float64Array(arcs);
    this.activity = new Array<bigint>(rows.length).fill(0n);
    this.bounds = rows.map(({ bound }) => bound * denominator);
    const singles = new Set(rows.filter(({ kind }) => kind === 'single-source').map(({ of }) => of));
    for (const { kind, of, columns } of rows) {
      if (kind === 'need' && singles.has(of)) for (const arc of columns) this.single[arc] = of;
    }
    const times = Number(denominator);
    this.quantities = Array.from({ length: arcs }, (_, arc) => {
      const choice = at(choices, arc);
      const upper = at(uppers, arc) * denominator;
      const free = choice < 0;
      if (!free && (values[choice] ?? 0) < 0.5) return 0n;
      const value = Math.max(0, values[arc] ?? 0) * times;
      const whole = wholeOf(value);
      if (whole >= upper) return this.taken(arc, upper, !free);
      const lot = at(lots, arc) * denominator;
      if (whole < lot) return this.taken(arc, lot, !free);
      if (value < Number.MAX_SAFE_INTEGER) this.remainders[arc] = value - Math.floor(value);
      return this.taken(arc, whole, !free);
    });
    this.quantities.forEach((quantity, arc) => {
      if (quantity !== 0n) this.count(arc, quantity);
    });
  }

  /** The solver keeps its rows within a tolerance; a unit too much is a unit too much. */
  shrinkWhereTooMuch(): void {
    const { rows, lots } = this.model;
    rows.forEach((row, place) => {
      if (row.sense !== 'at-most' || !isOfQuantities(row)) return;
      if (at(this.activity, place) <= at(this.bounds, place)) return;
      // What is too much is noise: the greatest quantity feels it least.
      const greatest = [...row.columns].sort(
        (a, b) => compare(at(this.quantities, b), at(this.quantities, a)) || a - b,
      );
      for (const arc of greatest) {
        const least = this.isChosen(arc) ? at(lots, arc) * this.denominator : 0n;
        this.add(arc, -smaller(this.excess(place), at(this.quantities, arc) - least));
      }
      for (const arc of this.byCost(row.columns).reverse()) {
        if (this.excess(place) > 0n) this.drop(arc);
      }
    });
  }

  giveOutRemainders(): void {
    const { costs } = this.model;
    const waiting: number[] = [];
    this.remainders.forEach((remainder, arc) => {
      if (remainder > NOISE) waiting.push(arc);
    });
    waiting.sort(
      (a, b) => (this.remainders[b] ?? 0) - (this.remainders[a] ?? 0) || compare(at(costs, b), at(costs, a)) || a - b,
    );
    for (const arc of waiting) if (this.room(arc) > 0n) this.add(arc, 1n);
  }

  /** True where every row that demands something has it. */
  raiseWhereTooLittle(): boolean {
    const { rows } = this.model;
    rows.forEach((row, place) => {
      if (row.sense !== 'at-least' || row.coefficients !== undefined) return;
      for (const arc of this.missing(place) > 0n ? this.byCost(row.columns) : []) {
        if (this.missing(place) > 0n) this.raise(arc, this.missing(place));
      }
      for (const arc of this.missing(place) > 0n ? this.byCost(row.columns) : []) this.takeFromOthers(arc, place);
    });
    return rows.every(
      (row, place) => row.sense === 'at-most' || row.coefficients !== undefined || this.missing(place) <= 0n,
    );
  }

  fill(): void {
    const open: number[] = [];
    for (let arc = 0; arc < this.model.arcs; arc += 1) if (this.room(arc) > 0n) open.push(arc);
    for (const arc of this.byCost(open)) this.raise(arc, this.room(arc));
  }

  columns(): readonly bigint[] {
    const { costs, arcs, choices, rows } = this.model;
    const columns = [...this.quantities, ...new Array<bigint>(costs.length - arcs).fill(0n)];
    choices.forEach((choice, arc) => {
      if (choice >= 0 && at(columns, arc) > 0n) columns[choice] = 1n;
    });
    // In the model of the share the one further column is the share.
    const shares = rows.filter(({ kind, coefficients }) => kind === 'least-share' && coefficients !== undefined);
    if (shares.length > 0) {
      columns[arcs] = shares
        .map((row) => this.shareOf(row))
        .reduce((least, share) => smaller(least, share), this.denominator);
    }
    return columns;
  }

  private shareOf({ columns, coefficients = [] }: Row): bigint {
    const given = columns.slice(0, -1).reduce((sum, arc) => sum + at(this.quantities, arc), 0n);
    return given / -at(coefficients, columns.length - 1);
  }

  private taken(arc: number, quantity: bigint, choice: boolean): bigint {
    if (choice) this.choose(arc);
    return quantity;
  }

  private isChosen(arc: number): boolean {
    return this.chosen[arc] === 1;
  }

  private choose(arc: number): void {
    this.chosen[arc] = 1;
    const need = this.single[arc] ?? -1;
    if (need >= 0) this.chosenOf.set(need, arc);
  }

  private drop(arc: number): void {
    this.add(arc, -at(this.quantities, arc));
    this.chosen[arc] = 0;
    const need = this.single[arc] ?? -1;
    if (this.chosenOf.get(need) === arc) this.chosenOf.delete(need);
  }

  private count(arc: number, change: bigint): void {
    for (const row of this.mostRows.of(arc)) this.activity[row] = at(this.activity, row) + change;
    for (const row of this.leastRows.of(arc)) this.activity[row] = at(this.activity, row) + change;
  }

  private add(arc: number, change: bigint): void {
    if (change === 0n) return;
    this.quantities[arc] = at(this.quantities, arc) + change;
    this.count(arc, change);
  }

  private excess(row: number): bigint {
    const over = at(this.activity, row) - at(this.bounds, row);
    return over > 0n ? over : 0n;
  }

  private missing(row: number): bigint {
    return at(this.bounds, row) - at(this.activity, row);
  }

  /** How much more a pair can carry, all rows considered; 0 where it would have to be chosen and cannot. */
  private room(arc: number): bigint {
    let room = at(this.model.uppers, arc) * this.denominator - at(this.quantities, arc);
    for (const row of this.mostRows.of(arc)) {
      const bound = at(this.bounds, row);
      const activity = at(this.activity, row);
      // Most rows of most pairs are full.
      if (activity >= bound) return 0n;
      room = smaller(room, bound - activity);
    }
    if (room <= 0n) return 0n;
    if (at(this.model.choices, arc) < 0 || this.isChosen(arc)) return room;
    const need = this.single[arc] ?? -1;
    const taken = need >= 0 && this.chosenOf.has(need);
    return taken || room < at(this.model.lots, arc) * this.denominator ? 0n : room;
  }

  private raise(arc: number, wanted: bigint): void {
    const room = this.room(arc);
    if (room <= 0n) return;
    if (at(this.model.choices, arc) < 0 || this.isChosen(arc)) this.add(arc, smaller(room, wanted));
    else {
      const lot = at(this.model.lots, arc) * this.denominator;
      this.choose(arc);
      this.add(arc, wanted < lot ? lot : smaller(room, wanted));
    }
  }

  /** Moves what is missing in a row from pairs that share the bound which keeps this pair from having it. */
  private takeFromOthers(arc: number, row: number): void {
    const full = [...this.mostRows.of(arc)].filter((place) => this.missing(place) <= 0n);
    const [blocking] = full;
    if (blocking === undefined || full.length > 1) return;
    for (const other of this.byCost(at(this.model.rows, blocking).columns).reverse()) {
      if (this.missing(row) <= 0n || other === arc || this.leastRows.of(other).includes(row)) continue;
      const least = this.isChosen(other) ? at(this.model.lots, other) * this.denominator : 0n;
      let free = at(this.quantities, other) - least;
      for (const place of this.leastRows.of(other)) free = smaller(free, -this.missing(place));
      const wanted = smaller(this.missing(row), free);
      if (wanted <= 0n) continue;
      this.add(other, -wanted);
      const before = this.missing(row);
      this.raise(arc, wanted);
      const moved = before - this.missing(row);
      if (moved < wanted) this.add(other, wanted - moved);
    }
  }

  /** The most valued first. */
  private byCost(arcs: readonly number[]): number[] {
    const { costs } = this.model;
    return [...arcs].sort((a, b) => compare(at(costs, b), at(costs, a)) || a - b);
  }
}

/** Rows of each pair, one after the other. */
class Lists {
  constructor(
    private readonly starts: Int32Array,
    private readonly entries: Int32Array,
  ) {}

  of(arc: number): Int32Array {
    return this.entries.subarray(this.starts[arc], this.starts[arc + 1]);
  }
}

const listsOf = (arcs: number, columnsOfRows: readonly (readonly number[])[]): Lists => {
  const starts = new Int32Array(arcs + 1);
  for (const columns of columnsOfRows) for (const arc of columns) starts[arc + 1] = (starts[arc + 1] ?? 0) + 1;
  for (let arc = 0; arc < arcs; arc += 1) starts[arc + 1] = (starts[arc + 1] ?? 0) + (starts[arc] ?? 0);
  const next = starts.slice(0, arcs);
  const entries = new Int32Array(starts[arcs] ?? 0);
  columnsOfRows.forEach((columns, row) => {
    for (const arc of columns) {
      const place = next[arc] ?? 0;
      next[arc] = place + 1;
      entries[place] = row;
    }
  });
  return new Lists(starts, entries);
};

/** Σ quantity of pairs, each counted once. */
const isOfQuantities = ({ kind, coefficients }: Row): boolean => coefficients === undefined && kind !== 'single-source';

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
