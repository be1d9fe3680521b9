import type { Determinate, OpenPeriod, Quantity } from '#vocabulary';
import { isDeterminate, isRival, isUnlimited, measureKey, quantityOf } from '#vocabulary';

/** What lines are laid out by. */
export const DIMENSIONS = ['kind', 'region', 'instrument', 'network', 'period'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Where a line stands: its values in each dimension, at least one. */
export type Places = Readonly<Record<Dimension, readonly string[]>>;

/** A line that is counted, in every cell it belongs to. */
export interface CountedLine<Figure extends string> {
  /** The need or offer it is a line of. */
  readonly record: string;
  readonly quantity: Quantity;
  /** Minor units of the line's measure. */
  readonly figures: Readonly<Record<Figure, bigint>>;
  readonly places: Places;
}

/** The figures of like lines that share their places. Without figures where nobody knows how much the lines ask or hold. */
export interface Cell<Figure extends string> {
  /** The values of the dimensions asked for, in the order asked. */
  readonly places: readonly string[];
  readonly measure: Quantity['measure'];
  readonly currency?: string;
  readonly unit?: string;
  readonly lines: number;
  readonly figures?: Readonly<Record<Figure, Quantity>>;
  /** Ids, in order. */
  readonly records: readonly string[];
}

/** A period of more calendar years than this is as good as none: it would stand in a cell for each of them. */
export const MOST_YEARS = 50;

/** Period of what states none, has no end or no beginning, or goes on for more than `MOST_YEARS` calendar years. */
export const OPEN_ENDED = 'open-ended';

/** The calendar years that a period touches; of one that lacks a bound the year of the other, and `open-ended`. */
export const yearsOf = ({ from, to }: OpenPeriod = {}): readonly string[] => {
  if (from === undefined || to === undefined) {
    return [...[from ?? to].flatMap((day) => (day === undefined ? [] : [day.slice(0, 4)])), OPEN_ENDED];
  }
  const [first, last] = [Number(from.slice(0, 4)), Number(to.slice(0, 4))];
  if (last - first >= MOST_YEARS) return [OPEN_ENDED];
  return Array.from({ length: last - first + 1 }, (_, after) => String(first + after).padStart(4, '0'));
};

interface Sum {
  readonly like: Quantity;
  readonly places: readonly string[];
  lines: number;
  readonly minor: Map<string, bigint>;
  readonly records: Set<string>;
}

/** Adds lines up cell by cell. Unlike measures, currencies and units, and unlimited access and counted uses, never share a cell. */
export class Cells<Figure extends string> {
  private readonly sums = new Map<string, Sum>();

  /** @param capacity the figure that is unlimited where the line is, with `rest` */
  constructor(
    private readonly by: readonly Dimension[],
    private readonly figures: readonly Figure[],
    private readonly unlimited: readonly Figure[] = [],
  ) {}

  add({ record, quantity, figures, places }: CountedLine<Figure>): void {
    const measure = isUnlimited(quantity) ? 'access:unlimited' : measureKey(quantity);
    for (const at of combinations(this.by.map((dimension) => places[dimension]))) {
      const key = [...at, measure].join('\n');
      const sum = this.sums.get(key) ?? {
        like: quantity,
        places: at,
        lines: 0,
        minor: new Map<string, bigint>(),
        records: new Set<string>(),
      };
      sum.lines += 1;
      sum.records.add(record);
      for (const figure of this.figures) sum.minor.set(figure, (sum.minor.get(figure) ?? 0n) + figures[figure]);
      this.sums.set(key, sum);
    }
  }

  /** Every cell with a line in it, in the order of its places, then of its measure; made as it is asked for. */
  *all(): Generator<Cell<Figure>> {
    for (const key of [...this.sums.keys()].sort()) {
      const sum = this.sums.get(key);
      if (sum !== undefined) yield this.cellOf(sum);
    }
  }

  private cellOf({ like, places, lines, minor, records }: Sum): Cell<Figure> {
    return {
      places,
      measure: like.measure,
      ...(like.measure === 'money' ? { currency: like.currency } : {}),
      ...(like.measure === 'items' ? { unit: like.unit } : {}),
      lines,
      ...(isDeterminate(like) ? { figures: this.figuresOf(like, minor) } : {}),
      records: [...records].sort(),
    };
  }

  private figuresOf(like: Determinate, minor: ReadonlyMap<string, bigint>): Readonly<Record<Figure, Quantity>> {
    return Object.fromEntries(
      this.figures.map((figure) => [
        figure,
        !isRival(like) && this.unlimited.includes(figure)
          ? { measure: 'access', amount: 'unlimited' }
          : quantityOf(like, minor.get(figure) ?? 0n),
      ]),
    ) as Record<Figure, Quantity>;
  }
}

/** One value of each list, in every way. */
const combinations = (lists: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  lists.reduce<readonly (readonly string[])[]>(
    (before, values) => before.flatMap((each) => values.map((value) => [...each, value])),
    [[]],
  );
