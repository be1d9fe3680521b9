import type { LinearModel } from './canonical-model.js';
import { activityOf, at } from './canonical-model.js';
import type { CanonicalPart } from './certificate.js';
import { valueNumber } from './solver.js';

/** The ends of all valid prices of an offer line, in value for one minor unit; `high` may be infinite. */
export interface PriceRange {
  readonly low: number;
  readonly high: number;
}

/** Inequalities between potentials: `to` is at most `from` + `weight`. */
class Edges {
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly weight: number[] = [];

  add(from: number, to: number, weight: number): void {
    this.from.push(from);
    this.to.push(to);
    this.weight.push(weight);
  }
}

/**
 * Every valid price of every offer line, exactly up to the digits of a double. The duals that fit an optimal allocation are potentials on a
 * network (offers, needs, and the budgets and floors they stand in) whose differences are bounded by which pairs and bounds are tight;
 * the ends of each are shortest paths. `prices`: one valid dual of each row.
 * Undefined where the bounds do not nest, so that there is no such network, or where the duals do not fit the allocation to the last unit.
 */
export const priceRanges = (
  part: CanonicalPart,
  model: LinearModel,
  quantities: readonly bigint[],
  duals: readonly bigint[],
  fixed: boolean,
): ReadonlyMap<number, PriceRange> | undefined => {
  const network = networkOf(part, model, quantities, duals, fixed);
  if (network === undefined) return undefined;
  const { nodes, edges, potentials, offerParents, offerNode } = network;
  const onward = adjacency(nodes, edges, potentials, false);
  const back = adjacency(nodes, edges, potentials, true);
  if (onward === undefined || back === undefined) return undefined;
  const ranges = new Map<number, PriceRange>();
  const byParent = new Map<number, number[]>();
  offerParents.forEach((parent, offer) => {
    byParent.set(parent, [...(byParent.get(parent) ?? []), offer]);
  });
  for (const [parent, offers] of byParent) {
    const above = distances(onward, parent);
    const below = distances(back, parent);
    for (const offer of offers) {
      const node = offerNode(offer);
      const now = (potentials[node] ?? 0) - (potentials[parent] ?? 0);
      ranges.set(offer, {
        low: Math.max(0, now - (below[node] ?? 0)),
        high: Math.max(0, now + (above[node] ?? 0)),
      });
    }
  }
  return ranges;
};

interface Network {
  readonly nodes: number;
  readonly edges: Edges;
  /** Of each node by the duals at hand. */
  readonly potentials: Float64Array;
  /** Of each offer line the node its price is counted from: the ground, or the donor's budget. */
  readonly offerParents: readonly number[];
  readonly offerNode: (offer: number) => number;
}

/** Reduced weights below −this share of an edge's own size say that duals and allocation do not belong together. */
const MISFIT = 1e-7;

const networkOf = (
  part: CanonicalPart,
  model: LinearModel,
  quantities: readonly bigint[],
  duals: readonly bigint[],
  fixed: boolean,
): Network | undefined => {
  const needs = part.needs.length;
  const offers = part.offers.length;
  const needNode = (need: number): number => 1 + need;
  const offerNode = (offer: number): number => 1 + needs + offer;
  const firstSet = 1 + needs + offers;
  const needSets = [
    ...part.budgets.flatMap(({ side, members }, of) => (side === 'need' ? [{ kind: 'budget', of, members }] : [])),
    ...part.floors.map(({ members }, of) => ({ kind: 'floor', of, members })),
  ];
  const offerSets = part.budgets.flatMap(({ side, members }, of) =>
    side === 'offer' ? [{ kind: 'budget', of, members }] : [],
  );
  const needNest = nested(
    needSets.map(({ members }) => members),
    needs,
    firstSet,
  );
  const offerNest = nested(
    offerSets.map(({ members }) => members),
    offers,
    firstSet + needSets.length,
  );
  if (needNest === undefined || offerNest === undefined) return undefined;
  const nodes = firstSet + needSets.length + offerSets.length;

  const rowOf = new Map(model.rows.map((row, place): [string, number] => [`${row.kind} ${row.of}`, place]));
  const bound = (kind: string, of: number): { readonly tight: boolean; readonly dual: number } | undefined => {
    const place = rowOf.get(`${kind} ${of}`);
    if (place === undefined) return undefined;
    const row = at(model.rows, place);
    return { tight: activityOf(row, quantities) === row.bound, dual: valueNumber(at(duals, place)) };
  };
  const edges = new Edges();
  const potentials = new Float64Array(nodes);
  /** Ties a node to its parent by what bounds the flow between them; parents come before their children. */
  const tie = (
    child: number,
    parent: number,
    most: ReturnType<typeof bound>,
    least: ReturnType<typeof bound>,
    sign: 1 | -1,
  ): void => {
    potentials[child] = (potentials[parent] ?? 0) + sign * ((most?.dual ?? 0) - (least?.dual ?? 0));
    // A price stays ≥ 0 unless a demand is tight, and is 0 unless a bound is.
    const mayRise = most?.tight === true;
    const mayFall = least?.tight === true;
    const [up, down] = sign === 1 ? [child, parent] : [parent, child];
    if (!mayFall) edges.add(up, down, 0);
    if (!mayRise) edges.add(down, up, 0);
  };
  for (const set of needNest.order) {
    const { kind, of } = at(needSets, set);
    const found = bound(kind, of);
    const parent = at(needNest.setParents, set);
    if (kind === 'budget') tie(firstSet + set, parent, found, undefined, -1);
    else tie(firstSet + set, parent, undefined, found, -1);
  }
  for (const set of offerNest.order) {
    const { of } = at(offerSets, set);
    tie(firstSet + needSets.length + set, at(offerNest.setParents, set), bound('budget', of), undefined, 1);
  }
  part.needs.forEach((_need, need) => {
    tie(needNode(need), at(needNest.parents, need), bound('need', need), bound('least-share', need), -1);
  });
  part.offers.forEach((_offer, offer) => {
    tie(offerNode(offer), at(offerNest.parents, offer), bound('offer', offer), undefined, 1);
  });
  for (let arc = 0; arc < model.arcs; arc += 1) {
    const quantity = at(quantities, arc);
    const choice = at(model.choices, arc);
    const chosen = choice < 0 || !fixed || at(quantities, choice) === 1n;
    const upper = chosen ? at(model.uppers, arc) : 0n;
    const lower = chosen && choice >= 0 ? at(model.lots, arc) : 0n;
    const weight = valueNumber(at(model.costs, arc));
    const need = needNode(at(part.arcs.need, arc));
    const offer = offerNode(at(part.arcs.offer, arc));
    if (quantity < upper) edges.add(offer, need, -weight);
    if (quantity > lower) edges.add(need, offer, weight);
  }
  return { nodes, edges, potentials, offerParents: offerNest.parents, offerNode };
};

/** For sets that nest, the innermost set of each member and of each set, as nodes; undefined where two overlap. */
const nested = (
  sets: readonly (readonly number[])[],
  members: number,
  firstSet: number,
):
  | { readonly parents: readonly number[]; readonly setParents: readonly number[]; readonly order: readonly number[] }
  | undefined => {
  const order = sets.map((_, set) => set).sort((a, b) => at(sets, b).length - at(sets, a).length || a - b);
  const parents = new Array<number>(members).fill(0);
  const setParents = new Array<number>(sets.length).fill(0);
  for (const set of order) {
    const around = new Set(at(sets, set).map((member) => at(parents, member)));
    if (around.size > 1) return undefined;
    const [outer = 0] = around;
    setParents[set] = outer;
    for (const member of at(sets, set)) parents[member] = firstSet + set;
  }
  return { parents, setParents, order };
};

interface Adjacency {
  readonly starts: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float64Array;
}

/** Edges by where they begin (or end, turned round), with weights reduced by the potentials; undefined where one is clearly below 0. */
const adjacency = (nodes: number, edges: Edges, potentials: Float64Array, turned: boolean): Adjacency | undefined => {
  const count = edges.weight.length;
  const starts = new Int32Array(nodes + 1);
  const begins = turned ? edges.to : edges.from;
  const ends = turned ? edges.from : edges.to;
  for (const node of begins) starts[node + 1] = (starts[node + 1] ?? 0) + 1;
  for (let node = 0; node < nodes; node += 1) starts[node + 1] = (starts[node + 1] ?? 0) + (starts[node] ?? 0);
  const next = starts.slice(0, nodes);
  const targets = new Int32Array(count);
  const weights = new Float64Array(count);
  for (let edge = 0; edge < count; edge += 1) {
    const weight = at(edges.weight, edge);
    const a = potentials[at(edges.from, edge)] ?? 0;
    const b = potentials[at(edges.to, edge)] ?? 0;
    const reduced = weight + a - b;
    if (reduced < -MISFIT * Math.max(Math.abs(weight), Math.abs(a), Math.abs(b))) return undefined;
    const begin = at(begins, edge);
    const place = next[begin] ?? 0;
    next[begin] = place + 1;
    targets[place] = at(ends, edge);
    weights[place] = Math.max(0, reduced);
  }
  return { starts, targets, weights };
};

/** Length of the shortest way from a node to each other (Dijkstra); infinite where there is none. */
const distances = ({ starts, targets, weights }: Adjacency, source: number): Float64Array => {
  const found = new Float64Array(starts.length - 1).fill(Infinity);
  found[source] = 0;
  const heap = new Heap();
  heap.push(0, source);
  for (let next = heap.pop(); next !== undefined; next = heap.pop()) {
    const { key, node } = next;
    if (key > (found[node] ?? 0)) continue;
    const end = starts[node + 1] ?? 0;
    for (let place = starts[node] ?? 0; place < end; place += 1) {
      const target = targets[place] ?? 0;
      const length = key + (weights[place] ?? 0);
      if (length < (found[target] ?? 0)) {
        found[target] = length;
        heap.push(length, target);
      }
    }
  }
  return found;
};

/** Smallest key first. */
class Heap {
  private readonly keys: number[] = [];
  private readonly nodes: number[] = [];

  push(key: number, node: number): void {
    let place = this.keys.length;
    this.keys.push(key);
    this.nodes.push(node);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if ((this.keys[parent] ?? 0) <= key) break;
      this.move(parent, place);
      place = parent;
    }
    this.keys[place] = key;
    this.nodes[place] = node;
  }

  pop(): { readonly key: number; readonly node: number } | undefined {
    const [key] = this.keys;
    const [node] = this.nodes;
    const lastKey = this.keys.pop();
    const lastNode = this.nodes.pop();
    if (key === undefined || node === undefined || lastKey === undefined || lastNode === undefined) return undefined;
    const size = this.keys.length;
    if (size > 0) {
      let place = 0;
      for (;;) {
        let child = 2 * place + 1;
        if (child >= size) break;
        if (child + 1 < size && (this.keys[child + 1] ?? 0) < (this.keys[child] ?? 0)) child += 1;
        if ((this.keys[child] ?? 0) >= lastKey) break;
        this.move(child, place);
        place = child;
      }
      this.keys[place] = lastKey;
      this.nodes[place] = lastNode;
    }
    return { key, node };
  }

  private move(from: number, to: number): void {
    this.keys[to] = this.keys[from] ?? 0;
    this.nodes[to] = this.nodes[from] ?? 0;
  }
}
