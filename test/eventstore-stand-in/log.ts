import { KnownIds } from './known-ids.js';
import type { StoredRecord } from './log-file.js';
import { FIRST_POSITION, frameSize, LogFile } from './log-file.js';

export interface LogRecord extends StoredRecord {
  /** Offset in the log: strictly increasing, distinct, not dense. */
  readonly position: number;
  readonly revision: number;
}

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

export type Expected = 'any' | 'no_stream' | 'stream_exists' | number;

export interface Written {
  readonly kind: 'written';
  /** Revision of the last event named, -1 where an empty append left the stream missing. */
  readonly revision: number;
  readonly position: number;
}

/** How an append ends. `current` is -1 for a stream that does not exist. */
export type AppendResult =
  | Written
  | { readonly kind: 'wrong-version'; readonly current: number }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'too-large' }
  /** The same events are being written by another call: the server gives up waiting for them. */
  | { readonly kind: 'commit-timeout' }
  /** The server fails inside and never answers. */
  | { readonly kind: 'never' };

/** What a read of a stream starts from. */
export type StreamView =
  | { readonly kind: 'missing' }
  | { readonly kind: 'tombstoned' }
  | { readonly kind: 'there'; readonly records: readonly LogRecord[] };

interface Stream {
  /** Written ones, then those on their way to disk. */
  readonly records: LogRecord[];
  committed: number;
  tombstone: LogRecord | undefined;
}

interface Waiting {
  readonly records: readonly LogRecord[];
  readonly committed: () => void;
}

interface StreamSettings {
  readonly maxCount: number;
  readonly maxAgeSeconds: number;
  readonly truncateBefore: number;
}

export const MAX_APPEND_SIZE = 1_048_576;
/** Revision of the record that a tombstone is: 2^63 - 1 on the wire. */
export const TOMBSTONE_REVISION = Number.MAX_SAFE_INTEGER;
/** `$tb` of a deleted stream, 2^63 - 1, as JSON reads it. */
const DELETED_BEFORE = 2 ** 63;
const DELETED_METADATA = Buffer.from('{"$tb":9223372036854775807}');
const NO_BYTES = Buffer.alloc(0);
const UNLIMITED: StreamSettings = { maxCount: Infinity, maxAgeSeconds: Infinity, truncateBefore: 0 };

const metastreamOf = (stream: string): string => `$$${stream}`;
const ticksNow = (): bigint => BigInt(Date.now()) * 10_000n;

/**
 * The log behind the stand-in: appends are judged at once against all that was accepted before, written in groups, and seen by readers
 * once they are on disk.
 */
export class Log {
  /** All that readers may see, in order. */
  readonly all: LogRecord[] = [];
  private readonly streams = new Map<string, Stream>();
  private readonly settings = new Map<string, StreamSettings>();
  private readonly known = new KnownIds();
  private readonly listeners = new Set<(records: readonly LogRecord[]) => void>();
  private readonly file: LogFile | undefined;
  private nextPosition = FIRST_POSITION;
  private waiting: Waiting[] = [];
  private writing: Promise<void> | undefined;

  /** @param folder where the log is kept; in memory alone where undefined */
  constructor(folder?: string) {
    this.file =
      folder === undefined
        ? undefined
        : LogFile.open(folder, (append) => {
            this.commit(append.map((record) => this.accept(record)));
          });
    // A new database holds records of its own; readers of $all meet them first.
    if (this.all.length === 0) {
      this.append('$$$scavenges', 'any', [
        { id: crypto.randomUUID(), type: '$metadata', isJson: true, data: Buffer.from('{}'), metadata: NO_BYTES },
      ]).catch(() => undefined);
    }
  }

  /** Told of the records of each append, once readers may see them. Answers how to be told no more. */
  onCommitted(listener: (records: readonly LogRecord[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async append(stream: string, expected: Expected, events: readonly ProposedEvent[]): Promise<AppendResult> {
    if (events.reduce((sum, { data }) => sum + data.length, 0) > MAX_APPEND_SIZE) return { kind: 'too-large' };
    const judged = this.judge(stream, expected, events);
    if (judged.kind !== 'accepted') return judged;
    const created = ticksNow();
    const records = events.map((event) => this.accept({ ...event, stream, created, isTombstone: false }));
    for (const { id, revision } of records) this.known.remember(id, stream, revision);
    const last = records.at(-1);
    if (last === undefined) return { kind: 'written', revision: judged.current, position: this.nextPosition };
    const also = judged.undeletes ? [this.undeletion(stream, records[0]?.revision ?? 0)] : [];
    await this.write([...records, ...also]);
    return { kind: 'written', revision: last.revision, position: last.position };
  }

  /** Soft-deletes a stream: its events stay in the log. */
  async delete(stream: string, expected: Expected): Promise<AppendResult> {
    const refused = this.judgeDeletion(stream, expected);
    if (refused !== undefined) return refused;
    return this.append(metastreamOf(stream), 'any', [metadataEvent(DELETED_METADATA)]);
  }

  /** Ends a stream for good. */
  async tombstone(stream: string, expected: Expected): Promise<AppendResult> {
    const refused = expected === 'any' ? this.ended(stream) : this.judgeDeletion(stream, expected);
    if (refused !== undefined) return refused;
    const record = this.accept({
      stream,
      id: crypto.randomUUID(),
      type: '$streamDeleted',
      isJson: false,
      isTombstone: true,
      created: ticksNow(),
      data: NO_BYTES,
      metadata: NO_BYTES,
    });
    await this.write([record]);
    return { kind: 'written', revision: record.revision, position: record.position };
  }

  /** What is to be read from a stream now: without what its metadata hides. */
  view(stream: string): StreamView {
    const found = this.streams.get(stream);
    const { maxCount, maxAgeSeconds, truncateBefore } = this.settings.get(stream) ?? UNLIMITED;
    if (found?.tombstone !== undefined && this.isCommitted(found.tombstone)) return { kind: 'tombstoned' };
    if (found === undefined || found.committed === 0 || truncateBefore >= DELETED_BEFORE) return { kind: 'missing' };
    const records = found.records.slice(Math.max(0, truncateBefore, found.committed - maxCount), found.committed);
    if (maxAgeSeconds === Infinity) return { kind: 'there', records };
    const oldest = ticksNow() - BigInt(maxAgeSeconds) * 10_000_000n;
    return { kind: 'there', records: records.filter(({ created }) => created >= oldest) };
  }

  /** Index in `all` of the first record at `position` or after. */
  indexFrom(position: number): number {
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.all[middle]?.position ?? Infinity) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** True where a record begins at `position`, or where nothing is written there yet. */
  isBoundary(position: number): boolean {
    return position === 0 || this.indexFrom(position) === this.all.length || this.at(position) !== undefined;
  }

  at(position: number): LogRecord | undefined {
    const record = this.all[this.indexFrom(position)];
    return record?.position === position ? record : undefined;
  }

  /** Waits for what is on its way to disk. */
  async close(): Promise<void> {
    while (this.writing !== undefined) await this.writing;
    this.file?.close();
  }

  private isCommitted({ position }: LogRecord): boolean {
    return position <= (this.all.at(-1)?.position ?? -1);
  }

  private isSoftDeleted(stream: string): boolean {
    return (this.settings.get(stream)?.truncateBefore ?? 0) >= DELETED_BEFORE;
  }

  private ended(stream: string): { readonly kind: 'deleted' } | undefined {
    return this.streams.get(stream)?.tombstone === undefined ? undefined : { kind: 'deleted' };
  }

  /** The server's own order of checks: what a repeat is, is told from the stream for a revision, from memory for the others. */
  private judge(
    stream: string,
    expected: Expected,
    events: readonly ProposedEvent[],
  ): AppendResult | { readonly kind: 'accepted'; readonly current: number; readonly undeletes: boolean } {
    const found = this.streams.get(stream);
    const current = (found?.records.length ?? 0) - 1;
    const wrong = { kind: 'wrong-version', current } as const;
    if (found?.tombstone !== undefined) return { kind: 'deleted' };
    const softDeleted = this.isSoftDeleted(stream);
    const accepted = { kind: 'accepted', current, undeletes: softDeleted } as const;
    if (expected === 'stream_exists') {
      if (softDeleted) return { kind: 'deleted' };
      if (current < 0 && !this.streams.has(metastreamOf(stream))) return wrong;
    }
    if (expected === 'any' || expected === 'stream_exists') {
      const places = events.map(({ id }) => this.known.revisionOf(id, stream));
      const [first] = places;
      const last = places.at(-1);
      if (first === undefined || last === undefined) return first === undefined ? accepted : wrong;
      if (places.includes(undefined)) return wrong;
      return first > last ? { kind: 'never' } : this.repeatOf(found, last);
    }
    const revision = expected === 'no_stream' ? -1 : expected;
    if (revision > current) return wrong;
    if (revision === current) return accepted;
    for (const [index, { id }] of events.entries()) {
      if (found?.records[revision + 1 + index]?.id === id) continue;
      return index === 0 && revision === -1 && softDeleted ? accepted : wrong;
    }
    return events.length === 0 ? wrong : this.repeatOf(found, revision + events.length);
  }

  private repeatOf(found: Stream | undefined, revision: number): AppendResult {
    const last = found?.records[revision];
    if (found === undefined || last === undefined || revision >= found.committed) return { kind: 'commit-timeout' };
    return { kind: 'written', revision, position: last.position };
  }

  private judgeDeletion(stream: string, expected: Expected): AppendResult | undefined {
    const current = (this.streams.get(stream)?.records.length ?? 0) - 1;
    const matches =
      expected === 'any' || expected === 'stream_exists'
        ? current >= 0
        : (expected === 'no_stream' ? -1 : expected) === current;
    return this.ended(stream) ?? (matches ? undefined : { kind: 'wrong-version', current });
  }

  private undeletion(stream: string, from: number): LogRecord {
    const metadata = metadataEvent(Buffer.from(JSON.stringify({ $tb: from })));
    return this.accept({ ...metadata, stream: metastreamOf(stream), created: ticksNow(), isTombstone: false });
  }

  /** Gives a record its place. */
  private accept(stored: StoredRecord): LogRecord {
    const stream = this.streams.get(stored.stream) ?? { records: [], committed: 0, tombstone: undefined };
    this.streams.set(stored.stream, stream);
    const revision = stored.isTombstone ? TOMBSTONE_REVISION : stream.records.length;
    const record: LogRecord = { ...stored, revision, position: this.nextPosition };
    this.nextPosition += frameSize(stored);
    if (stored.isTombstone) stream.tombstone = record;
    else stream.records.push(record);
    // What soft deletion hides and what a new event shows again is judged by at once.
    if (stored.stream.startsWith('$$')) this.settings.set(stored.stream.slice(2), settingsOf(stored));
    return record;
  }

  private async write(records: readonly LogRecord[]): Promise<void> {
    await new Promise<void>((committed) => {
      this.waiting.push({ records, committed });
      this.writing ??= this.writeOut().finally(() => (this.writing = undefined));
    });
  }

  private async writeOut(): Promise<void> {
    while (this.waiting.length > 0) {
      // Appends of one turn of the loop share a write.
      await new Promise((resolve) => setImmediate(resolve));
      const group = this.waiting;
      this.waiting = [];
      await this.file?.append(group.map(({ records }) => records));
      for (const { records, committed } of group) {
        this.commit(records);
        committed();
      }
    }
  }

  private commit(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.all.push(record);
      const stream = this.streams.get(record.stream);
      if (stream === undefined || record.isTombstone) continue;
      stream.committed += 1;
    }
    for (const listener of this.listeners) listener(records);
  }
}

const metadataEvent = (data: Buffer): ProposedEvent => ({
  id: crypto.randomUUID(),
  type: '$metadata',
  isJson: true,
  data,
  metadata: NO_BYTES,
});

/** Settings from the newest event of a metastream; what is no JSON object sets nothing. */
const settingsOf = ({ data }: StoredRecord): StreamSettings => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data.toString());
  } catch {
    return UNLIMITED;
  }
  if (typeof parsed !== 'object' || parsed === null) return UNLIMITED;
  const number = (key: string, otherwise: number): number => {
    const value = (parsed as Record<string, unknown>)[key];
    return typeof value === 'number' ? value : otherwise;
  };
  return {
    maxCount: number('$maxCount', Infinity),
    maxAgeSeconds: number('$maxAge', Infinity),
    truncateBefore: number('$tb', 0),
  };
};
