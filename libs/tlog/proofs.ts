import { EMPTY_ROOT, nodeHash, type TreeNodes } from './merkle.js';
import { TlogRefusal } from './refusal.js';

/** The largest power of two below `size`, which is at least 2: where a tree divides. */
const splitOf = (size: number): number => {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
};

/** The root over the leaves from `from` up to `to`, where `from` is a multiple of a power of two that is not less than their number. */
const rangeRoot = (nodes: TreeNodes, from: number, to: number): Uint8Array => {
  const size = to - from;
  const level = Math.log2(size);
  if (Number.isInteger(level)) return nodes.node(level, from / size);
  const middle = from + splitOf(size);
  return nodeHash(rangeRoot(nodes, from, middle), rangeRoot(nodes, middle, to));
};

/**
 * The audit path of the leaf at `index` in the tree of the first `size` leaves (RFC 6962 §2.1.1), the leaf's sibling first.
 * @throws {RangeError} where the tree has no such leaf
 */
export const inclusionProof = (nodes: TreeNodes, index: number, size: number): Uint8Array[] => {
  if (!isWithin(index, size)) throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`);
  const path: Uint8Array[] = [];
  for (let from = 0, to = size; to - from > 1;) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      path.unshift(rangeRoot(nodes, middle, to));
      to = middle;
    } else {
      path.unshift(rangeRoot(nodes, from, middle));
      from = middle;
    }
  }
  return path;
};

/**
 * The proof that the first `old` leaves are those of the tree of `size` (RFC 6962 §2.1.2). Empty from no leaf, and between equal sizes.
 * @throws {RangeError} where `old` is no size of that tree
 */
export const consistencyProof = (nodes: TreeNodes, old: number, size: number): Uint8Array[] => {
  if (!isWithin(old, size + 1)) throw new RangeError(`a tree of ${size} leaves never had ${old}`);
  if (old === 0) return [];
  const path: Uint8Array[] = [];
  // Whether what is left of the old tree is a whole subtree that the verifier knows as the old root.
  let known = true;
  let from = 0;
  let to = size;
  while (old !== to) {
    const middle = from + splitOf(to - from);
    if (old <= middle) {
      path.unshift(rangeRoot(nodes, middle, to));
      to = middle;
    } else {
      path.unshift(rangeRoot(nodes, from, middle));
      from = middle;
      known = false;
    }
  }
  return known ? path : [rangeRoot(nodes, from, to), ...path];
};

const isWithin = (index: number, size: number): boolean =>
  Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;

const half = (number: number): number => Math.floor(number / 2);
const isOdd = (number: number): boolean => number % 2 === 1;
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/**
 * Whether `leaf` (a leaf's hash) stands at `index` in the tree of `size` leaves with this root (RFC 9162 §2.1.3.2).
 * @throws {TlogRefusal} with the reason where that is not proven
 */
export const verifyInclusion = (
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void => {
  if (!isWithin(index, size)) throw new TlogRefusal(`a tree of ${size} leaves has no leaf ${index}`);
  let fn = index;
  let sn = size - 1;
  let hash = leaf;
  for (const each of proof) {
    if (sn === 0) throw new TlogRefusal('the inclusion proof is too long');
    if (isOdd(fn) || fn === sn) {
      hash = nodeHash(each, hash);
      while (fn !== 0 && !isOdd(fn)) {
        fn = half(fn);
        sn = half(sn);
      }
    } else hash = nodeHash(hash, each);
    fn = half(fn);
    sn = half(sn);
  }
  if (sn !== 0) throw new TlogRefusal('the inclusion proof is too short');
  if (!isSame(hash, root)) throw new TlogRefusal('the inclusion proof leads to another root');
};

/**
 * Whether the tree of `size` leaves with root `root` begins with the one of `old` leaves with root `oldRoot` (RFC 9162 §2.1.4.2).
 * @throws {TlogRefusal} with the reason where that is not proven
 */
export const verifyConsistency = (
  old: number,
  oldRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  proof: readonly Uint8Array[],
): void => {
  if (!isWithin(old, size + 1)) throw new TlogRefusal(`a tree of ${size} leaves never had ${old}`);
  if (old === 0 || old === size) {
    if (proof.length > 0) throw new TlogRefusal('the consistency proof is too long');
    const expected = old === 0 ? EMPTY_ROOT : root;
    if (!isSame(oldRoot, expected)) throw new TlogRefusal('the older root is not that of the tree');
    return;
  }
  const isPower = Number.isInteger(Math.log2(old));
  const [first, ...rest] = isPower && proof.length > 0 ? [oldRoot, ...proof] : proof;
  if (first === undefined) throw new TlogRefusal('the consistency proof is too short');
  let fn = old - 1;
  let sn = size - 1;
  while (isOdd(fn)) {
    fn = half(fn);
    sn = half(sn);
  }
  let oldHash = first;
  let hash = first;
  for (const each of rest) {
    if (sn === 0) throw new TlogRefusal('the consistency proof is too long');
    if (isOdd(fn) || fn === sn) {
      oldHash = nodeHash(each, oldHash);
      hash = nodeHash(each, hash);
      while (fn !== 0 && !isOdd(fn)) {
        fn = half(fn);
        sn = half(sn);
      }
    } else hash = nodeHash(hash, each);
    fn = half(fn);
    sn = half(sn);
  }
  if (sn !== 0) throw new TlogRefusal('the consistency proof is too short');
  if (!isSame(oldHash, oldRoot)) throw new TlogRefusal('the consistency proof does not lead to the older root');
  if (!isSame(hash, root)) throw new TlogRefusal('the consistency proof does not lead to the newer root');
};
