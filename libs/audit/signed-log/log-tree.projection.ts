import type { Projection, ReadQueries, ReadTransaction, RecordedEvent, SqlRow } from '#kernel';
import { entryHashOf, grownTiles, leafEntry, leafHash, type Tile, type TileReader } from '#tlog';
import { openingOf } from './opening-of.js';

export const LOG_TREE = 'log-tree';

/**
 * Tiles as rows: a full one never changes again. Each is read once, however many of its nodes are asked for: to be made for one proof, or one
 * root, and let go.
 */
export const storedTiles = (rows: ReadQueries): TileReader => {
  const read = new Map<string, SqlRow | undefined>();
  const rowOf = (level: number, n: number): SqlRow | undefined => {
    const name = `${level}/${n}`;
    if (!read.has(name))
      read.set(name, rows.get('SELECT sixteenths, hashes FROM tile WHERE level = ? AND n = ?', level, n));
    return read.get(name);
  };
  return {
    tile: (level, n) => {
      const hashes = rowOf(level, n)?.hashes;
      if (!(hashes instanceof Uint8Array)) throw new Error(`the log's tree has no tile ${n} at level ${level}`);
      return hashes;
    },
    sixteenths: (level, n) => {
      const sixteenths = rowOf(level, n)?.sixteenths;
      return sixteenths instanceof Uint8Array ? sixteenths : undefined;
    },
  };
};

/** Keeps a tile as it stands now. */
export const storeTile = (tx: ReadTransaction, { level, n, hashes, sixteenths }: Tile): void => {
  const insert = 'INSERT OR REPLACE INTO tile (level, n, sixteenths, hashes) VALUES (?, ?, ?, ?)';
  tx.run(insert, level, n, sixteenths ?? null, hashes);
};

/** How many leaves there are. */
export const storedSize = (rows: ReadQueries): number =>
  Number(rows.get('SELECT coalesce(max(seq), -1) + 1 AS size FROM leaf')?.size);

export const idBytes = (id: string): Uint8Array => Buffer.from(id.replaceAll('-', ''), 'hex');

export const idText = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** What the leaf of an event holds of it, hexadecimal. @throws {TlogRefusal} where it has no form that proves it */
export const entryHashOfEvent = (event: RecordedEvent, prevInStream: string | null): string =>
  entryHashOf(openingOf(event, prevInStream), event.metadata.salt);

/**
 * Which place in the log an event has, and by which hashes that is proven: a leaf for every event in the log's order, chained within its
 * stream, and the tiles of the Merkle tree over them. Of the log alone: built anew it is the same tree, to the byte.
 */
export const logTree: Projection = {
  name: LOG_TREE,
  version: 2,
  handles: 'everything',
  schema: `
    CREATE TABLE leaf (
      seq INTEGER PRIMARY KEY, event_id BLOB NOT NULL UNIQUE, stream TEXT NOT NULL, revision INTEGER NOT NULL,
      entry_hash BLOB NOT NULL, UNIQUE (stream, revision)
    ) STRICT;
    CREATE TABLE tile (
      level INTEGER NOT NULL, n INTEGER NOT NULL, sixteenths BLOB, hashes BLOB NOT NULL, PRIMARY KEY (level, n)
    ) STRICT;
  `,
  begin: (tx) => {
    const size = storedSize(tx);
    const leaves: Uint8Array[] = [];
    /** The newest entry of each stream that this batch has touched. */
    const newest = new Map<string, { readonly revision: number; readonly hash: string }>();
    const before = ({ stream, revision }: RecordedEvent): string | null => {
      if (revision === 0) return null;
      const touched = newest.get(stream);
      if (touched?.revision === revision - 1) return touched.hash;
      const row = tx.get('SELECT entry_hash FROM leaf WHERE stream = ? AND revision = ?', stream, revision - 1);
      if (!(row?.entry_hash instanceof Uint8Array))
        throw new Error(`revision ${revision} of ${stream} stands in the log without the one before it`);
      return Buffer.from(row.entry_hash).toString('hex');
    };
    return {
      apply: (event) => {
        const { id, stream, revision } = event;
        const hash = entryHashOfEvent(event, before(event));
        const seq = size + leaves.length;
        tx.run(
          'INSERT INTO leaf (seq, event_id, stream, revision, entry_hash) VALUES (?, ?, ?, ?, ?)',
          seq,
          idBytes(id),
          stream,
          revision,
          Buffer.from(hash, 'hex'),
        );
        leaves.push(leafHash(leafEntry({ seq, entryHash: hash })));
        newest.set(stream, { revision, hash });
      },
      flush: () => {
        for (const tile of grownTiles(storedTiles(tx), size, leaves)) storeTile(tx, tile);
      },
    };
  },
};
