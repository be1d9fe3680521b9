import {
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  write,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

/** One record as it lies in the file: what of it is derived (revision, position) is not stored. */
export interface StoredRecord {
  readonly stream: string;
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly isTombstone: boolean;
  /** Ticks of 100 ns since 1970. */
  readonly created: bigint;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

const MAGIC = Buffer.from('stand-in log 1\n\n');
/** Length and checksum. */
const FRAME_HEAD = 8;
const LAST_OF_APPEND = 1;
const JSON_DATA = 2;
const TOMBSTONE = 4;
/** Flags, id, created, three lengths. */
const FIXED = 1 + 16 + 8 + 4 + 4 + 4;

const writeAll = promisify(write) as (
  fd: number,
  bytes: Buffer,
  offset: number,
  length: number,
) => Promise<{ bytesWritten: number }>;
const syncData = promisify(fdatasync);

/** Where the first record of a log lies: positions are offsets in the file, also of a log that has none. */
export const FIRST_POSITION = MAGIC.length;

/** Bytes that a record takes, so where the next one lies. */
export const frameSize = ({ stream, type, data, metadata }: StoredRecord): number =>
  FRAME_HEAD + FIXED + Buffer.byteLength(stream) + Buffer.byteLength(type) + metadata.length + data.length;

const frameOf = (record: StoredRecord, last: boolean): Buffer => {
  const frame = Buffer.alloc(frameSize(record));
  const stream = Buffer.from(record.stream);
  const type = Buffer.from(record.type);
  let at = FRAME_HEAD;
  at = frame.writeUInt8(
    (last ? LAST_OF_APPEND : 0) | (record.isJson ? JSON_DATA : 0) | (record.isTombstone ? TOMBSTONE : 0),
    at,
  );
  at += frame.write(record.id.replaceAll('-', ''), at, 'hex');
  at = frame.writeBigUInt64LE(record.created, at);
  for (const part of [stream, type, record.metadata]) at = frame.writeUInt32LE(part.length, at);
  for (const part of [stream, type, record.metadata, record.data]) at += part.copy(frame, at);
  frame.writeUInt32LE(frame.length - FRAME_HEAD, 0);
  frame.writeUInt32LE(crc32(frame.subarray(FRAME_HEAD)), 4);
  return frame;
};

const uuidOf = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');

const recordOf = (payload: Buffer): { readonly record: StoredRecord; readonly last: boolean } => {
  const flags = payload.readUInt8(0);
  const [streamLength, typeLength, metadataLength] = [25, 29, 33].map((at) => payload.readUInt32LE(at)) as [
    number,
    number,
    number,
  ];
  let at = FIXED;
  const part = (length: number): Buffer => payload.subarray(at, (at += length));
  const record = {
    id: uuidOf(payload.toString('hex', 1, 17)),
    created: payload.readBigUInt64LE(17),
    stream: part(streamLength).toString(),
    type: part(typeLength).toString(),
    metadata: part(metadataLength),
    data: part(payload.length - at),
    isJson: (flags & JSON_DATA) !== 0,
    isTombstone: (flags & TOMBSTONE) !== 0,
  };
  return { record, last: (flags & LAST_OF_APPEND) !== 0 };
};

/** An append-only file of records. An append is on disk whole or, after a crash, not at all. */
export class LogFile {
  private constructor(private readonly fd: number) {}

  /** Opens or creates the folder's log and hands out every whole append in it, oldest first; a torn tail is cut off. */
  static open(folder: string, replay: (append: readonly StoredRecord[]) => void): LogFile {
    mkdirSync(folder, { recursive: true });
    const fd = openSync(join(folder, 'log'), 'a+');
    const whole = replayed(fd, replay);
    if (whole === 0) {
      ftruncateSync(fd);
      writeSync(fd, MAGIC);
    } else ftruncateSync(fd, whole);
    return new LogFile(fd);
  }

  /** Resolves once these appends, oldest first, are on disk. */
  async append(appends: readonly (readonly StoredRecord[])[]): Promise<void> {
    const frames = appends.flatMap((records) =>
      records.map((record, index) => frameOf(record, index === records.length - 1)),
    );
    const bytes = Buffer.concat(frames);
    for (let written = 0; written < bytes.length;) {
      written += (await writeAll(this.fd, bytes, written, bytes.length - written)).bytesWritten;
    }
    await syncData(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Reads the file from its start; answers how far it is whole, 0 where even its beginning is not. */
const replayed = (fd: number, replay: (append: readonly StoredRecord[]) => void): number => {
  const { size } = fstatSync(fd);
  const read = (position: number, length: number): Buffer | undefined => {
    if (position + length > size) return undefined;
    const bytes = Buffer.alloc(length);
    for (let got = 0; got < length;) got += readSync(fd, bytes, got, length - got, position + got);
    return bytes;
  };
  if (!read(0, MAGIC.length)?.equals(MAGIC)) return 0;
  let whole = MAGIC.length;
  let append: StoredRecord[] = [];
  for (let at = whole; ;) {
    const head = read(at, FRAME_HEAD);
    const payload = head === undefined ? undefined : read(at + FRAME_HEAD, head.readUInt32LE(0));
    if (head === undefined || payload === undefined || crc32(payload) !== head.readUInt32LE(4)) return whole;
    at += FRAME_HEAD + payload.length;
    const { record, last } = recordOf(payload);
    append.push(record);
    if (!last) continue;
    replay(append);
    append = [];
    whole = at;
  }
};
