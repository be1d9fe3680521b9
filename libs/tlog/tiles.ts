import { HASH_BYTES, nodeHash, type TreeNodes } from './merkle.js';
import { TlogRefusal } from './refusal.js';

/** Hashes of a full tile, entries of a full bundle. */
export const TILE_WIDTH = 256;
const TILE_LEVELS = 8;
const SIXTEENTH = TILE_WIDTH / 16;
const MAX_ENTRY_BYTES = 65_535;

/** Where hashes are kept: tiles of C2SP's tlog-tiles. */
export interface TileReader {
  /** At least the first `width` hashes of tile `n` at `level`, 32 bytes each; asked only for what the tree has. */
  tile(level: number, n: number, width: number): Uint8Array;
  /** The roots over each 16 hashes of a full tile, where they are kept beside it: a proof need not reckon them from all 256. */
  sixteenths?(level: number, n: number): Uint8Array | undefined;
}

/** A tile as it stands: `hashes` are the first of its 256, one after the other. */
export interface Tile {
  readonly level: number;
  readonly n: number;
  readonly hashes: Uint8Array;
  /** Of a full tile: the roots over each 16 of its hashes. */
  readonly sixteenths?: Uint8Array;
}

/** The nodes of a tree whose tiles are kept; those between two levels of tiles are reckoned from them. */
export const nodesOf = (tiles: TileReader): TreeNodes => ({
  node: (level, index) => {
    const within = level % TILE_LEVELS;
    const count = 2 ** within;
    const first = index * count;
    const offset = first % TILE_WIDTH;
    const [tileLevel, n] = [(level - within) / TILE_LEVELS, Math.floor(first / TILE_WIDTH)];
    const sixteenths = count < SIXTEENTH ? undefined : tiles.sixteenths?.(tileLevel, n);
    return sixteenths === undefined
      ? subtreeRoot(hashesOf(tiles.tile(tileLevel, n, offset + count), offset, count))
      : subtreeRoot(hashesOf(sixteenths, offset / SIXTEENTH, count / SIXTEENTH));
  },
});

const hashesOf = (hashes: Uint8Array, from: number, count: number): Uint8Array =>
  hashes.subarray(from * HASH_BYTES, (from + count) * HASH_BYTES);

/** The root over as many hashes as a power of two. */
const subtreeRoot = (hashes: Uint8Array): Uint8Array =>
  hashes.length === HASH_BYTES
    ? hashes
    : nodeHash(subtreeRoot(hashes.subarray(0, hashes.length / 2)), subtreeRoot(hashes.subarray(hashes.length / 2)));

const chunksOf = (bytes: Uint8Array, length: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) => bytes.subarray(at * length, (at + 1) * length));

const sixteenthsOf = (tile: Uint8Array): Uint8Array =>
  Buffer.concat(chunksOf(tile, SIXTEENTH * HASH_BYTES).map(subtreeRoot));

/** The tiles that change or are new where `leaves` (leaf hashes) are appended to a tree of `size` leaves, lowest level first. */
export const grownTiles = (tiles: TileReader, size: number, leaves: readonly Uint8Array[]): Tile[] => {
  const grown: Tile[] = [];
  let added = leaves;
  for (let level = 0, before = size; added.length > 0; level += 1) {
    const first = Math.floor(before / TILE_WIDTH);
    const width = before % TILE_WIDTH;
    const kept = width === 0 ? [] : [tiles.tile(level, first, width).subarray(0, width * HASH_BYTES)];
    const changed = chunksOf(Buffer.concat([...kept, ...added]), TILE_WIDTH * HASH_BYTES).map((hashes, at) => ({
      level,
      n: first + at,
      hashes,
      ...(hashes.length === TILE_WIDTH * HASH_BYTES ? { sixteenths: sixteenthsOf(hashes) } : {}),
    }));
    grown.push(...changed);
    added = changed.flatMap(({ sixteenths }) => (sixteenths === undefined ? [] : [subtreeRoot(sixteenths)]));
    before = first;
  }
  return grown;
};

/** How wide tile `n` at `level` is in a tree of `size` leaves: 0 where there is none. */
export const tileWidth = (size: number, level: number, n: number): number =>
  Math.min(TILE_WIDTH, Math.max(0, Math.floor(size / TILE_WIDTH ** level) - n * TILE_WIDTH));

/** A tile of hashes at a level, or a bundle of entries; `width` is 256 where it is full. */
export interface TileName {
  readonly level: number | 'entries';
  readonly n: number;
  readonly width: number;
}

/** What follows `<prefix>/` in a tile's address: `tile/0/x001/x234/067.p/112`. */
export const tilePath = ({ level, n, width }: TileName): string =>
  `tile/${level}/${indexPath(n)}${width === TILE_WIDTH ? '' : `.p/${width}`}`;

const indexPath = (n: number): string => {
  const groups = String(n)
    .padStart(Math.ceil(String(n).length / 3) * 3, '0')
    .match(/\d{3}/g) as string[];
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
};

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*)(\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;
const MAX_LEVEL = 63;

/** Reads a tile's address in its one form. @throws {TlogRefusal} */
export const parseTilePath = (path: string): TileName => {
  const [, levelText = '', groups = '', last = '', widthText] = PATH.exec(path) ?? [];
  const name: TileName = {
    level: levelText === 'entries' ? levelText : Number(levelText),
    n: Number(groups.replace(/[x/]/g, '') + last),
    width: widthText === undefined ? TILE_WIDTH : Number(widthText),
  };
  // Written again it must be the same: no group of zeros in front, no partial tile of 256.
  if (levelText === '' || Number(name.level) > MAX_LEVEL || !Number.isSafeInteger(name.n) || tilePath(name) !== path)
    throw new TlogRefusal(`${JSON.stringify(path)} is no address of a tile`);
  return name;
};

/** Entries one after the other, each behind its length in two bytes. @throws {RangeError} for an entry over 65,535 bytes */
export const entryBundle = (entries: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry has ${entry.length} bytes`);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );

/** The entries of a bundle. @throws {TlogRefusal} where it ends within one, or has more than 256 */
export const parseEntryBundle = (bundle: Uint8Array): Buffer[] => {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.length);
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 2 > bytes.length) throw new TlogRefusal('the bundle ends within a length');
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) throw new TlogRefusal('the bundle ends within an entry');
    entries.push(bytes.subarray(at + 2, end));
    if (entries.length > TILE_WIDTH) throw new TlogRefusal('the bundle has more than 256 entries');
    at = end;
  }
  return entries;
};
