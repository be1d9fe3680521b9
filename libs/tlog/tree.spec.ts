import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  CompactRange,
  consistencyProof,
  EMPTY_ROOT,
  entryBundle,
  inclusionProof,
  leafHash,
  nodeHash,
  parseEntryBundle,
  parseTilePath,
  rootOf,
  subtreesOf,
  tilePath,
  tileWidth,
  type TreeNodes,
  verifyConsistency,
  verifyInclusion,
} from './index.js';
import { GrowingTiles, RecursiveTree } from './tree.fixture.js';

const RFC_6962 = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const entriesOf = (count: number): Buffer[] => Array.from({ length: count }, (_, at) => Buffer.from(`entry ${at}`));

const rangeOver = (entries: readonly Uint8Array[]): CompactRange => {
  const range = CompactRange.empty();
  for (const entry of entries) range.append(leafHash(entry));
  return range;
};

const tilesOver = (entries: readonly Uint8Array[]): GrowingTiles => {
  const tiles = new GrowingTiles();
  tiles.append(entries.map(leafHash));
  return tiles;
};

const MOST = 130;
const tree = new RecursiveTree(entriesOf(MOST));
const tiles = tilesOver(tree.entries);
const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean => Buffer.concat(a).equals(Buffer.concat(b));

/** Of the same tree, each reckoned once: thousands of proofs are made of few nodes. */
const nodes: TreeNodes = (() => {
  const known = new Map<string, Uint8Array>();
  return {
    node: (level, index) => {
      const name = `${level}/${index}`;
      const hash = known.get(name) ?? tiles.nodes.node(level, index);
      known.set(name, hash);
      return hash;
    },
  };
})();
const rootAt = (size: number): Buffer => tree.mth(0, size);

describe('the tree', () => {
  it('grows by runs of leaves as by each of them, whatever runs they are', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(MOST), { maxLength: 8 }), fc.nat(MOST), (cuts, size) => {
        const range = CompactRange.empty();
        for (const to of [...cuts.filter((cut) => cut < size), size].sort((a, b) => a - b)) {
          const from = range.size;
          const subtrees = subtreesOf(from, to);
          for (const [level, index] of subtrees) range.appendSubtree(level, nodes.node(level, index));
          // Few hashes, however many leaves.
          expect(subtrees.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(to - from + 1)));
        }
        expect([range.size, hex(range.root())]).toEqual([size, hex(rootAt(size))]);
      }),
    );
  });

  it('has the roots of RFC 6962', () => {
    const range = CompactRange.empty();
    expect(hex(range.root())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    range.append(leafHash(Buffer.from(RFC_6962[0]!, 'hex')));
    expect(hex(range.root())).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
    for (const entry of RFC_6962.slice(1)) range.append(leafHash(Buffer.from(entry, 'hex')));
    expect(hex(range.root())).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
    expect(range.size).toBe(8);
  });

  it('has the root of three entries', () => {
    expect(hex(rangeOver(entriesOf(3)).root())).toBe(
      '94fbd0dd836f50301692e6d0eade728ee19ec52bfff1606ed807c8575d5aaa19',
    );
  });

  it('agrees with the recursive definition at every size up to 130, from leaves and from tiles', () => {
    for (let size = 0; size <= MOST; size += 1) {
      expect(hex(rangeOver(tree.entries.slice(0, size)).root())).toBe(hex(rootAt(size)));
      expect(hex(rootOf(tiles.nodes, size))).toBe(hex(rootAt(size)));
    }
  });

  it('goes on from what its tiles hold, at every size', () => {
    for (let size = 0; size < MOST; size += 1) {
      const range = CompactRange.of(tiles.nodes, size);
      for (const entry of tree.entries.slice(size)) range.append(leafHash(entry));
      expect(hex(range.root())).toBe(hex(rootAt(MOST)));
    }
  });
});

describe('every pair up to 130', () => {
  it('of index and size has the audit path of RFC 6962, which RFC 9162 verifies', () => {
    const others: string[] = [];
    for (let size = 1; size <= MOST; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(nodes, index, size);
        if (!same(proof, tree.path(index, 0, size))) others.push(`${index} of ${size}`);
        verifyInclusion(leafHash(tree.entries[index]!), index, size, proof, rootAt(size));
      }
    }
    expect(others).toEqual([]);
  });

  it('of sizes has the consistency proof of RFC 6962, which RFC 9162 verifies', () => {
    const others: string[] = [];
    for (let size = 1; size <= MOST; size += 1) {
      for (let old = 0; old <= size; old += 1) {
        const proof = consistencyProof(nodes, old, size);
        if (!same(proof, old === 0 ? [] : tree.subproof(old, 0, size, true))) others.push(`${old} of ${size}`);
        verifyConsistency(old, rootAt(old), size, rootAt(size), proof);
      }
    }
    expect(others).toEqual([]);
  });
});

const flipped = (bytes: Uint8Array, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  const at = Math.floor(bit / 8) % copy.length;
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << (bit % 8)), at);
  return copy;
};

const sizes = fc.integer({ min: 1, max: MOST });
const bits = fc.nat(255);
const RUNS = { numRuns: 100 };

describe('a proof that was touched is refused', () => {
  it('of inclusion: any bit of leaf, root or path, a hash more or less, another index', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), bits, fc.nat(), (size, anyIndex, bit, anywhere) => {
        const index = anyIndex % size;
        const leaf = leafHash(tree.entries[index]!);
        const proof = inclusionProof(nodes, index, size);
        const root = rootAt(size);
        const refused = (...parts: Parameters<typeof verifyInclusion>): void => {
          expect(() => verifyInclusion(...parts)).toThrow(/proof|no leaf/);
        };
        refused(flipped(leaf, bit), index, size, proof, root);
        refused(leaf, index, size, proof, flipped(root, bit));
        refused(leaf, index, size, [...proof, root], root);
        refused(leaf, size, size, proof, root);
        if (size === 1) return;
        const touched = anywhere % proof.length;
        refused(leaf, index, size, proof.toSpliced(touched, 1, flipped(proof[touched]!, bit)), root);
        refused(leaf, index, size, proof.toSpliced(touched, 1), root);
        refused(leaf, (index + 1 + (anywhere % (size - 1))) % size, size, proof, root);
      }),
      RUNS,
    );
  });

  it('of consistency: any bit of either root or the path, a hash more or less, the sizes the other way round', () => {
    fc.assert(
      fc.property(sizes, sizes, bits, fc.nat(), (one, another, bit, anywhere) => {
        const [old, size] = one < another ? [one, another] : [another, one];
        const [oldRoot, root] = [rootAt(old), rootAt(size)];
        const proof = consistencyProof(nodes, old, size);
        const refused = (...parts: Parameters<typeof verifyConsistency>): void => {
          expect(() => verifyConsistency(...parts)).toThrow(/proof|older root|never had/);
        };
        refused(old, flipped(oldRoot, bit), size, root, proof);
        refused(old, oldRoot, size, flipped(root, bit), proof);
        refused(old, oldRoot, size, root, [...proof, root]);
        if (old === size) return;
        refused(size, root, old, oldRoot, proof);
        const touched = anywhere % proof.length;
        refused(old, oldRoot, size, root, proof.toSpliced(touched, 1, flipped(proof[touched]!, bit)));
        refused(old, oldRoot, size, root, proof.toSpliced(touched, 1));
      }),
      RUNS,
    );
  });

  it('of consistency with the empty tree: it has one root and needs no path', () => {
    verifyConsistency(0, EMPTY_ROOT, 7, rootAt(7), []);
    expect(() => verifyConsistency(0, rootAt(1), 7, rootAt(7), [])).toThrow('the older root is not that of the tree');
    expect(() => verifyConsistency(0, EMPTY_ROOT, 7, rootAt(7), [rootAt(1)])).toThrow('too long');
    expect(() => verifyConsistency(3, rootAt(3), 7, rootAt(7), [])).toThrow('too short');
  });

  it('is not made of what a tree has not', () => {
    expect(() => inclusionProof(nodes, 5, 5)).toThrow('a tree of 5 leaves has no leaf 5');
    expect(() => inclusionProof(nodes, 0.5, 5)).toThrow('has no leaf');
    expect(() => consistencyProof(nodes, 6, 5)).toThrow('a tree of 5 leaves never had 6');
    expect(() => verifyInclusion(EMPTY_ROOT, -1, 5, [], EMPTY_ROOT)).toThrow('has no leaf -1');
  });
});

describe('tiles', () => {
  const leaves = entriesOf(70_000).map(leafHash);

  it('of 70,000 leaves, appended in batches of any size, are those of the specification', () => {
    const grown = new GrowingTiles();
    for (let batch = 1; grown.size < leaves.length; batch = (batch * 7) % 2_003) {
      grown.append(leaves.slice(grown.size, grown.size + batch));
    }
    const widths = new Map<number, number[]>();
    for (const [name, hashes] of grown.kept) {
      const level = Number(name.split('/')[0]);
      widths.set(level, [...(widths.get(level) ?? []), hashes.length / 32]);
    }
    expect(widths.get(0)).toEqual([...Array<number>(273).fill(256), 112]);
    expect(widths.get(1)).toEqual([256, 17]);
    expect(widths.get(2)).toEqual([1]);
    expect(widths.size).toBe(3);

    const whole = CompactRange.empty();
    for (const leaf of leaves) whole.append(leaf);
    expect(hex(rootOf(grown.nodes, leaves.length))).toBe(hex(whole.root()));

    const root = whole.root();
    for (const index of [0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999]) {
      const proof = inclusionProof(grown.nodes, index, leaves.length);
      verifyInclusion(leaves[index]!, index, leaves.length, proof, root);
      expect(same(inclusionProof(grown.nearer, index, leaves.length), proof)).toBe(true);
    }
    for (const old of [1, 256, 257, 65_536, 65_537, 69_999]) {
      const oldRoot = rootOf(grown.nodes, old);
      verifyConsistency(old, oldRoot, leaves.length, root, consistencyProof(grown.nodes, old, leaves.length));
    }
  });

  it('say any node the same from the roots that are kept beside full ones', () => {
    const grown = new GrowingTiles();
    for (let batch = 1; grown.size < 1_000; batch += 90) grown.append(leaves.slice(grown.size, grown.size + batch));
    for (let level = 0; 2 ** level <= grown.size; level += 1) {
      const each = Array.from({ length: Math.floor(grown.size / 2 ** level) }, (_, index) => index);
      const all = (nodes: TreeNodes): Uint8Array[] => each.map((index) => nodes.node(level, index));
      expect(same(all(grown.nearer), all(grown.nodes))).toBe(true);
    }
    expect(grown.sixteenths(0, 2)).toHaveLength(16 * 32);
    expect(grown.sixteenths(0, Math.floor(grown.size / 256))).toBeUndefined();
  });

  it('are as wide as the tree reaches into them', () => {
    const at = (level: number, n: number): number => tileWidth(70_000, level, n);
    expect([at(0, 272), at(0, 273), at(0, 274)]).toEqual([256, 112, 0]);
    expect([at(1, 0), at(1, 1), at(1, 2), at(2, 0), at(3, 0)]).toEqual([256, 17, 0, 1, 0]);
    expect([tileWidth(256, 0, 0), tileWidth(256, 0, 1), tileWidth(256, 1, 0)]).toEqual([256, 0, 1]);
  });

  it('a hash of the level above is the root over the 256 below', () => {
    const grown = new GrowingTiles();
    grown.append(leaves.slice(0, 512));
    const pairs = (row: readonly Uint8Array[]): Uint8Array =>
      row.length === 1 ? row[0]! : nodeHash(pairs(row.slice(0, row.length / 2)), pairs(row.slice(row.length / 2)));
    expect(hex(grown.tile(1, 0, 2).subarray(32, 64))).toBe(hex(pairs(leaves.slice(256, 512))));
  });

  it.each([
    ['tile/0/000', { level: 0, n: 0, width: 256 }],
    ['tile/0/x001/x234/067', { level: 0, n: 1_234_067, width: 256 }],
    ['tile/2/000.p/1', { level: 2, n: 0, width: 1 }],
    ['tile/63/x999/999.p/255', { level: 63, n: 999_999, width: 255 }],
    ['tile/entries/273.p/112', { level: 'entries' as const, n: 273, width: 112 }],
    ['tile/entries/x001/000', { level: 'entries' as const, n: 1_000, width: 256 }],
  ])('have the address %s and no other', (path, name) => {
    expect(parseTilePath(path)).toEqual(name);
    expect(tilePath(name)).toBe(path);
  });

  it.each([
    'tile/0/0',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000/',
    'tile/x/000',
    'tile/entries/000.p/1/',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/0/000\n',
    '/tile/0/000',
    '',
  ])('are not found at %j', (path) => {
    expect(() => parseTilePath(path)).toThrow('is no address of a tile');
  });
});

describe('a bundle of entries', () => {
  const bundle = entryBundle(entriesOf(3));

  it('is each entry behind its length', () => {
    expect(hex(bundle)).toBe('0007656e7472792030' + '0007656e7472792031' + '0007656e7472792032');
    expect(parseEntryBundle(bundle)).toEqual(entriesOf(3));
    expect(parseEntryBundle(Buffer.alloc(0))).toEqual([]);
  });

  it('that is cut off anywhere but behind an entry is refused', () => {
    for (let length = 1; length < bundle.length; length += 1) {
      if (length % 9 === 0) expect(parseEntryBundle(bundle.subarray(0, length))).toHaveLength(length / 9);
      else expect(() => parseEntryBundle(bundle.subarray(0, length))).toThrow('the bundle ends within');
    }
  });

  it('holds no more than 256, none longer than its length can say', () => {
    const bare = (count: number): Buffer => entryBundle(Array<Buffer>(count).fill(Buffer.alloc(0)));
    expect(parseEntryBundle(bare(256))).toHaveLength(256);
    expect(() => parseEntryBundle(bare(257))).toThrow('more than 256 entries');
    expect(parseEntryBundle(entryBundle([Buffer.alloc(65_535, 1)]))[0]).toHaveLength(65_535);
    expect(() => entryBundle([Buffer.alloc(65_536)])).toThrow('an entry has 65536 bytes');
  });
});
