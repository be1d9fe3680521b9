import { Injectable } from '@nestjs/common';
import { ProjectionRunner, type ReadQueries } from '#kernel';
import {
  CompactRange,
  consistencyProof,
  entryBundle,
  inclusionProof,
  leafEntry,
  nodesOf,
  rootOf,
  subtreesOf,
  type TileName,
  tileWidth,
} from '#tlog';
import { idBytes, idText, LOG_TREE, storedSize, storedTiles } from './log-tree.projection.js';

const HASH_BYTES = 32;

/** Where an event stands. */
export interface Leaf {
  readonly seq: number;
  readonly stream: string;
  readonly revision: number;
  /** SHA-256 over salt and opening, hexadecimal. */
  readonly entryHash: string;
}

/** A leaf beside the one before it in its stream. */
export interface LeafPlace {
  readonly seq: number;
  readonly eventId: string;
  readonly entryHash: string;
  /** Null for the stream's first. */
  readonly prevInStream: string | null;
}

/** Where an event of a stream that is known stands. */
export type StreamLeaf = Omit<Leaf, 'stream'>;

/** The Merkle tree over the log, as far as this process has brought it. */
@Injectable()
export class LogTree {
  constructor(private readonly projections: ProjectionRunner) {}

  get size(): number {
    return storedSize(this.rows);
  }

  /** The root over the first `size` leaves, which the tree has. */
  rootAt(size: number): Buffer {
    return rootOf(nodesOf(storedTiles(this.rows)), size);
  }

  /** The tree as its first `size` leaves, which it has, to append others to. */
  rangeAt(size: number): CompactRange {
    return CompactRange.of(nodesOf(storedTiles(this.rows)), size);
  }

  /** The hashes of the whole subtrees that the leaves from `from` up to `to`, which the tree has, consist of; from left to right. */
  subtrees(from: number, to: number): readonly Uint8Array[] {
    const nodes = nodesOf(storedTiles(this.rows));
    return subtreesOf(from, to).map(([level, index]) => nodes.node(level, index));
  }

  leafAt(seq: number): Leaf | undefined {
    return leafIn(this.rows.get('SELECT seq, stream, revision, hex(entry_hash) AS hash FROM leaf WHERE seq = ?', seq));
  }

  /** The entry hash of one event, hexadecimal. */
  entryHash(stream: string, revision: number): string | undefined {
    const row = this.rows.get(
      'SELECT hex(entry_hash) AS hash FROM leaf WHERE stream = ? AND revision = ?',
      stream,
      revision,
    );
    return row === undefined ? undefined : String(row.hash).toLowerCase();
  }

  /** The audit path of the leaf at `index` among the first `size` leaves, which the tree has. */
  inclusion(index: number, size: number): Uint8Array[] {
    return inclusionProof(nodesOf(storedTiles(this.rows)), index, size);
  }

  /** The proof that the first `old` leaves begin the tree of the first `size`, which the tree has. */
  consistency(old: number, size: number): Uint8Array[] {
    return consistencyProof(nodesOf(storedTiles(this.rows)), old, size);
  }

  /** The bytes of a tile or a bundle, of a tree of `size` leaves; undefined where that has none so wide. */
  bytesOf({ level, n, width }: TileName, size: number): Uint8Array | undefined {
    const wide = tileWidth(Math.min(size, this.size), level === 'entries' ? 0 : level, n);
    if (wide < width) return undefined;
    if (level === 'entries') return this.bundle(n, width);
    return storedTiles(this.rows)
      .tile(level, n, width)
      .subarray(0, width * HASH_BYTES);
  }

  leafOf(eventId: string): Leaf | undefined {
    return leafIn(
      this.rows.get(
        'SELECT seq, stream, revision, hex(entry_hash) AS hash FROM leaf WHERE event_id = ?',
        idBytes(eventId),
      ),
    );
  }

  /** The leaves from `seq` on, `count` of them as far as there are so many. */
  places(seq: number, count: number): readonly LeafPlace[] {
    return this.rows
      .all(
        `SELECT l.seq, lower(hex(l.event_id)) AS id, lower(hex(l.entry_hash)) AS hash, lower(hex(p.entry_hash)) AS prev
         FROM leaf l LEFT JOIN leaf p ON p.stream = l.stream AND p.revision = l.revision - 1
         WHERE l.seq >= ? AND l.seq < ? ORDER BY l.seq`,
        seq,
        seq + count,
      )
      .map((row) => ({
        seq: Number(row.seq),
        eventId: idText(String(row.id)),
        entryHash: String(row.hash),
        prevInStream: row.prev === '' ? null : String(row.prev),
      }));
  }

  /** Where the events of a stream stand, from a revision on, as far as they are among the log's first `size`; in order. */
  leavesOf(stream: string, from: number, size: number, limit: number): readonly StreamLeaf[] {
    return this.rows
      .all(
        `SELECT seq, revision, hex(entry_hash) AS hash FROM leaf
         WHERE stream = ? AND revision >= ? AND seq < ? ORDER BY revision LIMIT ?`,
        ...[stream, from, size, limit],
      )
      .map(({ seq, revision, hash }) => ({
        seq: Number(seq),
        revision: Number(revision),
        entryHash: String(hash).toLowerCase(),
      }));
  }

  private bundle(n: number, width: number): Buffer {
    const first = n * 256;
    const rows = this.rows.all(
      'SELECT seq, hex(entry_hash) AS hash FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq',
      first,
      first + width,
    );
    return entryBundle(
      rows.map(({ seq, hash }) => leafEntry({ seq: Number(seq), entryHash: String(hash).toLowerCase() })),
    );
  }

  private get rows(): ReadQueries {
    return this.projections.model(LOG_TREE);
  }
}

const leafIn = (row: ReturnType<ReadQueries['get']>): Leaf | undefined =>
  row === undefined
    ? undefined
    : {
        seq: Number(row.seq),
        stream: String(row.stream),
        revision: Number(row.revision),
        entryHash: String(row.hash).toLowerCase(),
      };
