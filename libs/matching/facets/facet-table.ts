import { Bits, keepAnyOf, numbersIn } from './bits.js';
import { SortedColumn } from './sorted-column.js';

/** A facet and one of its values, as one text: `kind legal`. */
export type Key = string;

/** What of a record it is found by. */
export interface Facets {
  readonly keys: readonly Key[];
  /** Figures by the name of their column: `until`, `since`, `left money:USD`. */
  readonly figures: Readonly<Record<string, number>>;
}

/** What is looked for: records that have one key of each list, one of the alternatives, and a figure in each range. */
export interface Sought {
  readonly all: readonly (readonly Key[])[];
  /** Such as the lines of a need: of one of these, a key of each list. */
  readonly oneOf: readonly (readonly (readonly Key[])[])[];
  /** A figure within each of these. */
  readonly ranges: readonly { readonly column: string; readonly least: number; readonly most: number }[];
  /** Columns of which at least one has a figure above 0. */
  readonly left: readonly string[];
}

// Looking at one record costs about what the bits of so many do.
const FEW = 64;
const NOTHING = new Int32Array(0);

/** Records by their facets: a set of bits for each value, an order for each figure. What it finds is a superset; the rules judge it. */
export class FacetTable {
  private readonly ids: (string | undefined)[] = [];
  private readonly slots = new Map<string, number>();
  private readonly free: number[] = [];
  private readonly sets = new Map<Key, Bits>();
  private readonly columns = new Map<string, SortedColumn>();
  private loads = false;

  /** @param few of a range that is at most one part in `few` of the records, each is looked at */
  constructor(private readonly few = FEW) {}

  /** Many are to come: orders are made once they are asked for. */
  loading(): void {
    this.loads = true;
    for (const column of this.columns.values()) column.loading();
  }

  /** The records that came have come: what follows is put in place one by one. */
  loaded(): void {
    if (!this.loads) return;
    this.loads = false;
    for (const column of this.columns.values()) column.loaded();
  }

  put(id: string, { keys, figures }: Facets): void {
    const known = this.slots.get(id);
    const slot = known ?? this.free.pop() ?? this.ids.length;
    if (known === undefined) {
      this.ids[slot] = id;
      this.slots.set(id, slot);
    } else {
      for (const set of this.sets.values()) set.delete(slot);
      for (const [name, column] of this.columns) if (figures[name] === undefined) column.delete(slot);
    }
    for (const key of keys) this.setOf(key).add(slot);
    for (const [name, figure] of Object.entries(figures)) this.columnOf(name).set(slot, figure);
  }

  remove(id: string): void {
    const slot = this.slots.get(id);
    if (slot === undefined) return;
    for (const set of this.sets.values()) set.delete(slot);
    for (const column of this.columns.values()) column.delete(slot);
    this.slots.delete(id);
    this.ids[slot] = undefined;
    this.free.push(slot);
  }

  all(): readonly string[] {
    return [...this.slots.keys()].sort();
  }

  /** Ids of the records that have what is sought, in their order. */
  find(sought: Sought): readonly string[] {
    const found: string[] = [];
    for (const slot of this.slotsOf(sought)) {
      const id = this.ids[slot];
      if (id !== undefined) found.push(id);
    }
    return found.sort();
  }

  private *slotsOf(sought: Sought): Generator<number> {
    const few = this.fewestOf(sought);
    const candidates = few ?? numbersIn(this.wordsOf(sought));
    const ranges = sought.ranges.map(({ column, ...range }) => ({ figures: this.columns.get(column), ...range }));
    for (const slot of candidates) {
      if (few !== undefined && !this.has(slot, sought)) continue;
      const within = ranges.every(({ figures, least, most }) => {
        const figure = figures?.at(slot);
        return figure !== undefined && figure >= least && figure <= most;
      });
      if (within) yield slot;
    }
  }

  /** The slots of the shortest range, where it is short enough to look at each of them. */
  private fewestOf({ left, ranges }: Sought): readonly number[] | undefined {
    const found = ranges.map(({ column, least, most }) => [this.range(column, least, most)]);
    if (left.length > 0) found.push(left.map((name) => this.range(name, Number.MIN_VALUE, Infinity)));
    const sized = found.map((parts) => ({ parts, count: parts.reduce((sum, { length }) => sum + length, 0) }));
    const [fewest] = sized.sort((a, b) => a.count - b.count);
    if (fewest === undefined || fewest.count * this.few > this.ids.length) return undefined;
    return [...new Set(fewest.parts.flatMap((part) => [...part]))];
  }

  private range(column: string, least: number, most: number): Int32Array {
    return this.columns.get(column)?.range(least, most) ?? NOTHING;
  }

  private has(slot: number, { all, oneOf }: Sought): boolean {
    const anyOf = (keys: readonly Key[]): boolean => keys.some((key) => this.sets.get(key)?.has(slot) === true);
    return all.every(anyOf) && (oneOf.length === 0 || oneOf.some((lists) => lists.every(anyOf)));
  }

  private wordsOf({ all, oneOf }: Sought): Uint32Array {
    const length = (this.ids.length + 31) >>> 5;
    const words = new Uint32Array(length);
    if (oneOf.length === 0) words.fill(0xffff_ffff);
    for (const lists of oneOf) {
      const one = new Uint32Array(length).fill(0xffff_ffff);
      for (const keys of lists) keepAnyOf(one, this.setsOf(keys));
      for (let word = 0; word < length; word += 1) words[word] = (words[word] ?? 0) | (one[word] ?? 0);
    }
    for (const keys of all) keepAnyOf(words, this.setsOf(keys));
    return words;
  }

  private setsOf(keys: readonly Key[]): readonly Bits[] {
    return keys.flatMap((key) => this.sets.get(key) ?? []);
  }

  private setOf(key: Key): Bits {
    const known = this.sets.get(key) ?? new Bits();
    this.sets.set(key, known);
    return known;
  }

  private columnOf(name: string): SortedColumn {
    const known = this.columns.get(name);
    if (known !== undefined) return known;
    const column = new SortedColumn();
    if (this.loads) column.loading();
    this.columns.set(name, column);
    return column;
  }
}
