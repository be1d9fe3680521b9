import { hash } from 'node:crypto';

export const HASH_BYTES = 32;

/** The root of a tree without leaves (RFC 6962 §2.1). */
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');

const LEAF = Buffer.of(0);
const scratch = Buffer.alloc(1 + 2 * HASH_BYTES);
scratch[0] = 1;

/** The hash of a leaf with this content: SHA-256(0x00 ‖ entry). */
export const leafHash = (entry: Uint8Array): Buffer => hash('sha256', Buffer.concat([LEAF, entry]), 'buffer');

/** The hash of an inner node: SHA-256(0x01 ‖ left ‖ right). */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => {
  scratch.set(left, 1);
  scratch.set(right, 1 + HASH_BYTES);
  return hash('sha256', scratch, 'buffer');
};

/**
 * Hashes of whole subtrees. The `index`th node at `level` stands over the 2^level leaves from `index`·2^level on; only nodes whose leaves
 * all are in the tree are asked for.
 */
export interface TreeNodes {
  node(level: number, index: number): Uint8Array;
}

/** The roots of the whole subtrees that a tree of `size` leaves consists of, the largest first, as [level, index]. */
const peaksOf = (size: number): (readonly [level: number, index: number])[] => {
  const peaks: (readonly [number, number])[] = [];
  let rest = size;
  for (let level = 0; rest > 0; level += 1, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) peaks.unshift([level, rest - 1]);
  }
  return peaks;
};

/** The whole subtrees that the leaves from `from` up to `to` consist of, from left to right, as [level, index]. */
export const subtreesOf = (from: number, to: number): (readonly [level: number, index: number])[] => {
  const subtrees: (readonly [number, number])[] = [];
  for (let at = from; at < to;) {
    let level = 0;
    let width = 1;
    for (; at % (2 * width) === 0 && at + 2 * width <= to; width *= 2) level += 1;
    subtrees.push([level, at / width]);
    at += width;
  }
  return subtrees;
};

/** A tree that only grows: as many hashes as its size has binary ones, so that any number of leaves takes no memory. */
export class CompactRange {
  private constructor(
    private leaves: number,
    private readonly peaks: Uint8Array[],
  ) {}

  static empty(): CompactRange {
    return new CompactRange(0, []);
  }

  /** The first `size` leaves of a tree. */
  static of(nodes: TreeNodes, size: number): CompactRange {
    return new CompactRange(
      size,
      peaksOf(size).map(([level, index]) => nodes.node(level, index)),
    );
  }

  get size(): number {
    return this.leaves;
  }

  append(leaf: Uint8Array): void {
    this.appendSubtree(0, leaf);
  }

  /** Appends 2^level leaves at once. @param root of the subtree over them; the size is a multiple of as many */
  appendSubtree(level: number, root: Uint8Array): void {
    const width = 2 ** level;
    // Each trailing one of the size, in subtrees so wide, is one that the new one completes.
    let completed = 0;
    for (let rest = this.leaves / width; rest % 2 === 1; rest = Math.floor(rest / 2)) completed += 1;
    const joined = this.peaks.splice(this.peaks.length - completed);
    this.peaks.push(joined.reduceRight((right, left) => nodeHash(left, right), root));
    this.leaves += width;
  }

  root(): Buffer {
    return this.peaks.length === 0
      ? EMPTY_ROOT
      : Buffer.from(this.peaks.reduceRight((right, left) => nodeHash(left, right)));
  }
}

/** The root of the tree of the first `size` leaves. */
export const rootOf = (nodes: TreeNodes, size: number): Buffer => CompactRange.of(nodes, size).root();
