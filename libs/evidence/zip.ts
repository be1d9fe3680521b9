import { type Entry, Uint8ArrayReader, ZipReader } from '@zip.js/zip.js';
import type { Files } from './format.js';
import { Refusal } from './report.js';

/** How much a bundle may hold, in entries and bytes; `ratio` is of bytes unpacked to packed, for entries of `ratioFrom` bytes and more. */
export interface Limits {
  readonly entries: number;
  readonly entryBytes: number;
  readonly totalBytes: number;
  readonly ratio: number;
  readonly ratioFrom: number;
}

export const LIMITS: Limits = {
  entries: 1_000_000,
  entryBytes: 64 * 2 ** 20,
  totalBytes: 2 ** 30,
  ratio: 200,
  ratioFrom: 64 * 2 ** 10,
};

const STORED = 0;
const DEFLATED = 8;
const UNIX_TYPE = 0o170000;
const UNIX_FILE = 0o100000;
const NAME = /^[A-Za-z0-9%._~!'()*-]+(\/[A-Za-z0-9%._~!'()*-]+)*$/;

/** Why no file of a bundle has this path; undefined where one may. Plain segments only: none that a file system could read otherwise. */
export const pathFault = (path: string): string | undefined => {
  if (/^[/\\]|^[A-Za-z]:/.test(path)) return 'the path is absolute';
  if (path.split(/[/\\]/).includes('..')) return 'the path leads out of the bundle';
  if (!NAME.test(path) || path.split('/').includes('.')) return 'the path is not one that a bundle has';
  return undefined;
};

/** Sees to it that files taken one by one stay within limits. */
export class Measure {
  private entries = 0;
  private bytes = 0;

  constructor(private readonly limits: Limits) {}

  /** @throws {Refusal} where one file more, of so many bytes, is too much */
  take(path: string, bytes: number): void {
    this.entries += 1;
    this.bytes += bytes;
    const { entries, entryBytes, totalBytes } = this.limits;
    if (this.entries > entries) throw new Refusal(`the bundle has more than ${entries} files`, path);
    if (bytes > entryBytes) throw new Refusal(`the file has more than ${entryBytes} bytes`, path);
    if (this.bytes > totalBytes) throw new Refusal(`the bundle has more than ${totalBytes} bytes in all`, path);
  }
}

/**
 * The files of a zip, in memory. Sizes are checked before anything is unpacked, and again while it is: what an entry says of itself is
 * not believed. @throws {Refusal} naming the entry
 */
export const readZip = async (zip: Uint8Array, limits: Limits = LIMITS): Promise<Files> => {
  const files = new Map<string, Uint8Array>();
  const measure = new Measure(limits);
  // Strict: two readings of one archive are refused, bytes before or behind it, entries that overlap, local headers that differ.
  const reader = new ZipReader(new Uint8ArrayReader(zip), {
    ...{ strictness: 'strict', checkOverlappingEntry: true, checkCrc32: true, useWebWorkers: false },
    // Names are judged here, with reasons of our own.
    filenameValidation: 'tolerant',
  });
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      const { filename } = entry;
      const fault = faultOf(entry, limits);
      if (fault !== undefined) throw new Refusal(fault, filename);
      if (files.has(filename)) throw new Refusal('the zip has two entries of this name', filename);
      measure.take(filename, entry.uncompressedSize);
      files.set(filename, await contentOf(entry));
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`the zip is damaged or ambiguous: ${error instanceof Error ? error.message : String(error)}`, '');
  } finally {
    await reader.close();
  }
  return files;
};

const faultOf = (entry: Entry, { ratio, ratioFrom }: Limits): string | undefined => {
  const { filename, compressedSize, uncompressedSize, compressionMethod } = entry;
  const path = pathFault(entry.directory ? filename.replace(/\/$/, '') : filename);
  if (path !== undefined) return path;
  const type = (entry.externalFileAttributes >>> 16) & UNIX_TYPE;
  if (entry.directory) return 'the zip has an entry for a folder';
  if (type !== 0 && type !== UNIX_FILE) return 'the entry is no plain file but a link or a device';
  if (entry.encrypted) return 'the entry is encrypted';
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED)
    return `the entry is packed by method ${compressionMethod}, neither stored nor deflated`;
  if (uncompressedSize >= ratioFrom && uncompressedSize > ratio * compressedSize)
    return `the entry unpacks to more than ${ratio} times its size`;
  return undefined;
};

const contentOf = async (entry: Entry): Promise<Uint8Array> => {
  if (entry.directory) throw new Refusal('the zip has an entry for a folder', entry.filename);
  const { filename, uncompressedSize } = entry;
  const content = new Uint8Array(uncompressedSize);
  let filled = 0;
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => {
      if (filled + chunk.length > uncompressedSize)
        throw new Refusal(`the entry unpacks to more than the ${uncompressedSize} bytes that it names`, filename);
      content.set(chunk, filled);
      filled += chunk.length;
    },
  });
  try {
    await entry.getData(sink);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(`the entry cannot be read: ${reason}`, filename);
  }
  if (filled !== uncompressedSize)
    throw new Refusal(`the entry unpacks to ${filled} bytes, not to the ${uncompressedSize} that it names`, filename);
  return content;
};
