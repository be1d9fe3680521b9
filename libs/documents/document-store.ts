import type { Readable } from 'node:stream';
import type { Actor } from '#kernel';

/** What an uploader says of a file before it sends it. */
export interface Declaration {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** Bytes, at least 1. */
  readonly size: number;
  readonly mediaType: string;
  readonly name?: string;
}

/** A file on its way in: one per party and hash, unknown to everybody else. */
export interface Upload extends Declaration {
  readonly party: string;
  /** In whose name the file will be recorded, should the process end between the last byte and its event. */
  readonly actor: Actor;
  /** Bytes that are on disk for good. */
  readonly received: number;
  /** RFC 3339: when it was declared, or its last bytes came. */
  readonly touchedAt: string;
}

/** What became of a chunk. `broken`: the sender stopped early; what came is kept. */
export type Appended =
  | { readonly kind: 'kept' | 'broken'; readonly received: number }
  | { readonly kind: 'offset-mismatch'; readonly received: number }
  /** More bytes than declared: none of the chunk is kept. */
  | { readonly kind: 'too-long'; readonly received: number }
  | { readonly kind: 'absent' };

/** Bytes from `start` to `end`, both inclusive, from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the bytes of documents lie, under their SHA-256. An upload belongs to one party until it is whole and its hash is found right;
 * then the file is the same for all who hold it. One process writes, and touches one upload from one place at a time.
 * Every method @throws {StoreUnavailableError} where the disk refuses.
 */
export abstract class DocumentStore {
  /** The largest file taken, in bytes. */
  abstract readonly limit: number;
  /** Begins an upload, or answers the one that stands under the same declaration; under another one it begins anew. */
  abstract declare(actor: Actor, declaration: Declaration, at: Date): Promise<Upload>;
  abstract upload(party: string, sha256: string): Promise<Upload | undefined>;
  /** Every upload of every party, for whoever finishes or ends what was left. */
  abstract uploads(): Promise<readonly Upload[]>;
  /** Writes a chunk at `offset`; answers once it is on disk. */
  abstract append(party: string, sha256: string, offset: number, chunk: Readable, at: Date): Promise<Appended>;
  /**
   * Checks the hash of an upload of which every byte is here, and puts the file in its place. False: another hash than declared, and
   * nothing is kept. The upload itself stands until `forget`, so that a crash before the event loses no file.
   */
  abstract place(party: string, sha256: string): Promise<boolean>;
  /** Ends an upload; what it left beside placed files is removed. */
  abstract forget(party: string, sha256: string): Promise<void>;
  /** Size of a placed file; undefined where there is none. */
  abstract sizeOf(sha256: string): Promise<number | undefined>;
  /** The bytes of a placed file. */
  abstract read(sha256: string, range?: ByteRange): Promise<Readable>;
  abstract close(): Promise<void>;
}
