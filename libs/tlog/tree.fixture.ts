import { createHash } from 'node:crypto';
import { grownTiles, nodesOf, type TileReader, type TreeNodes } from './index.js';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const powerBelow = (n: number): number => (n <= 2 ? 1 : 2 * powerBelow(Math.ceil(n / 2)));

/** RFC 6962 §2.1 word for word, over entries, sharing nothing with the lib; ranges are remembered to be fast. */
export class RecursiveTree {
  private readonly known = new Map<number, Buffer>();

  constructor(readonly entries: readonly Uint8Array[]) {}

  /** MTH(D[from:to]) */
  mth(from: number, to: number): Buffer {
    const key = from * 1_000_000 + to;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const n = to - from;
    const hash =
      n === 0
        ? sha256()
        : n === 1
          ? sha256(Buffer.of(0), this.entry(from))
          : sha256(Buffer.of(1), this.mth(from, from + powerBelow(n)), this.mth(from + powerBelow(n), to));
    this.known.set(key, hash);
    return hash;
  }

  private entry(at: number): Uint8Array {
    const entry = this.entries[at];
    if (entry === undefined) throw new RangeError(`there is no entry ${at}`);
    return entry;
  }

  /** PATH(m, D[from:to]), m relative to `from` */
  path(m: number, from: number, to: number): Buffer[] {
    const n = to - from;
    if (n === 1) return [];
    const k = powerBelow(n);
    return m < k
      ? [...this.path(m, from, from + k), this.mth(from + k, to)]
      : [...this.path(m - k, from + k, to), this.mth(from, from + k)];
  }

  /** SUBPROOF(m, D[from:to], b) */
  subproof(m: number, from: number, to: number, b: boolean): Buffer[] {
    const n = to - from;
    if (m === n) return b ? [] : [this.mth(from, to)];
    const k = powerBelow(n);
    return m <= k
      ? [...this.subproof(m, from, from + k, b), this.mth(from + k, to)]
      : [...this.subproof(m - k, from + k, to, false), this.mth(from, from + k)];
  }
}

/** Tiles in memory, which grow batch by batch. */
export class GrowingTiles implements TileReader {
  readonly kept = new Map<string, Uint8Array>();
  /** Reckoned from whole tiles. */
  readonly nodes: TreeNodes = nodesOf({ tile: (level, n, width) => this.tile(level, n, width) });
  /** Reckoned from the sixteenths of those that are full. */
  readonly nearer: TreeNodes = nodesOf(this);
  private readonly parts = new Map<string, Uint8Array>();
  size = 0;

  tile(level: number, n: number, width: number): Uint8Array {
    const found = this.kept.get(`${level}/${n}`);
    if (found === undefined || found.length < width * 32) throw new Error(`tile ${level}/${n} is not ${width} wide`);
    return found;
  }

  sixteenths(level: number, n: number): Uint8Array | undefined {
    return this.parts.get(`${level}/${n}`);
  }

  append(leaves: readonly Uint8Array[]): void {
    for (const { level, n, hashes, sixteenths } of grownTiles(this, this.size, leaves)) {
      this.kept.set(`${level}/${n}`, hashes);
      if (sixteenths !== undefined) this.parts.set(`${level}/${n}`, sixteenths);
    }
    this.size += leaves.length;
  }
}
