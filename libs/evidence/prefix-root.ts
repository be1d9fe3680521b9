import { nodeHash } from '#tlog';

/**
 * The root that the log had when the leaf at `index` was its newest, from that leaf's inclusion proof in the tree of `size`: the hashes
 * to the left of its path are all of what stood there then. Without the leaf, the root just before it.
 * @param proof verified against the root at `size`
 */
export const prefixRoot = (
  proof: readonly Uint8Array[],
  index: number,
  size: number,
  leaf: Uint8Array | undefined,
): Uint8Array | undefined => {
  let root = leaf;
  let fn = index;
  let sn = size - 1;
  for (const sibling of proof) {
    if (fn % 2 === 1 || fn === sn) {
      root = root === undefined ? sibling : nodeHash(sibling, root);
      while (fn !== 0 && fn % 2 === 0) {
        fn /= 2;
        sn = Math.floor(sn / 2);
      }
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return root;
};
