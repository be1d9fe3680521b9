/** As many as are put in order together take about a millisecond. */
const RUN = 2_048;

/** Slots by a figure of theirs, in order of the figure and, where it is the same, of the slot: how many lie in a range, and which, without a look at the others. */
export class SortedColumn {
  private figures = new Float64Array(16);
  private slots = new Int32Array(16);
  private readonly figureOf = new Map<number, number>();
  private length = 0;
  /** While many come: slots that wait to be put in order together. */
  private waiting: number[] = [];
  private loads = false;

  /** The figure of a slot; undefined where it has none. */
  at(slot: number): number | undefined {
    return this.figureOf.get(slot);
  }

  set(slot: number, figure: number): void {
    const before = this.figureOf.get(slot);
    if (before === figure) return;
    if (before !== undefined) this.delete(slot);
    this.figureOf.set(slot, figure);
    if (this.loads) {
      this.waiting.push(slot);
      if (this.waiting.length >= RUN) this.merge();
      return;
    }
    this.room(1);
    const at = this.firstFrom(figure, slot);
    this.figures.copyWithin(at + 1, at, this.length);
    this.slots.copyWithin(at + 1, at, this.length);
    this.figures[at] = figure;
    this.slots[at] = slot;
    this.length += 1;
  }

  delete(slot: number): void {
    const figure = this.figureOf.get(slot);
    if (figure === undefined) return;
    this.merge();
    this.figureOf.delete(slot);
    const at = this.firstFrom(figure, slot);
    this.figures.copyWithin(at, at + 1, this.length);
    this.slots.copyWithin(at, at + 1, this.length);
    this.length -= 1;
  }

  /** Many are to come: they are put in order by the thousand. */
  loading(): void {
    this.loads = true;
  }

  /** They have come: each one that follows is put in its place. */
  loaded(): void {
    this.merge();
    this.loads = false;
  }

  /** Slots whose figure is at least `least` and at most `most`. */
  range(least: number, most: number): Int32Array {
    this.merge();
    const from = this.firstFrom(least);
    let [low, high] = [from, this.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.figures[middle] ?? 0) <= most) low = middle + 1;
      else high = middle;
    }
    return this.slots.subarray(from, Math.max(from, low));
  }

  /** Puts in order what waits, from the end: each place is written once. */
  private merge(): void {
    const waiting = this.waiting.map((slot) => ({ slot, figure: this.figureOf.get(slot) ?? 0 }));
    if (waiting.length === 0) return;
    this.waiting = [];
    // Equal figures first: the difference of two infinities is none.
    waiting.sort((a, b) => (a.figure === b.figure ? a.slot - b.slot : a.figure - b.figure));
    this.room(waiting.length);
    let [from, to] = [this.length - 1, this.length + waiting.length - 1];
    this.length += waiting.length;
    for (let next = waiting.pop(); next !== undefined; to -= 1) {
      const figure = this.figures[from] ?? 0;
      if (from >= 0 && (figure > next.figure || (figure === next.figure && (this.slots[from] ?? 0) > next.slot))) {
        this.figures[to] = figure;
        this.slots[to] = this.slots[from] ?? 0;
        from -= 1;
      } else {
        this.figures[to] = next.figure;
        this.slots[to] = next.slot;
        next = waiting.pop();
      }
    }
  }

  private room(more: number): void {
    if (this.length + more <= this.figures.length) return;
    const wider = Math.max(this.length * 2, this.length + more);
    const [figures, slots] = [new Float64Array(wider), new Int32Array(wider)];
    figures.set(this.figures);
    slots.set(this.slots);
    [this.figures, this.slots] = [figures, slots];
  }

  /** The first place that does not lie before this figure, and among equal ones before this slot. */
  private firstFrom(figure: number, slot = -1): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.figures[middle] ?? 0;
      if (other < figure || (other === figure && (this.slots[middle] ?? 0) < slot)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
