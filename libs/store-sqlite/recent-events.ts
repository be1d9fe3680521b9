import { LRUCache } from 'lru-cache';
import type { RecordedEvent } from '#kernel';
import type { EventRow } from './log-file.js';
import { recorded } from './log-file.js';

/** Bounds of what is kept, in events and in characters of their text. */
const MAX_EVENTS = 4_000;
const MAX_TEXT = 16 * 1024 * 1024;
const MAX_STREAMS = 1_000;

/**
 * The newest events as text, as they were committed: whoever writes folds its own event next, and read models and processes ask for
 * the same ones a moment later. Holds nothing that is not on disk; every reader gets events of its own.
 */
export class RecentEvents {
  /** Domain events in order, without gap after position `complete`. */
  private rows: EventRow[] = [];
  private text = 0;
  /** The newest append of a stream, technical ones too. */
  private readonly appends = new LRUCache<string, readonly EventRow[]>({ max: MAX_STREAMS });

  /** @param complete position of the newest domain event before any of these */
  constructor(private complete: number) {}

  /** Takes what one append has committed, oldest first. */
  add(stream: string, append: readonly EventRow[]): void {
    const text = textOf(append);
    if (text <= MAX_TEXT / MAX_STREAMS) this.appends.set(stream, append);
    else this.appends.delete(stream);
    if (stream.startsWith('_')) return;
    this.rows.push(...append);
    this.text += text;
    if (this.rows.length > MAX_EVENTS || this.text > MAX_TEXT) this.forgetOlderHalf();
  }

  /** As `EventStore.readAll`; undefined where some of it is not kept here. */
  after(position: number, limit: number): RecordedEvent[] | undefined {
    if (position < this.complete) return undefined;
    const start = this.indexAfter(position);
    return this.rows.slice(start, start + Math.max(limit, 0)).map(recorded);
  }

  /** Events of a stream from revision `from` to its newest, where all are of its newest append; undefined otherwise. */
  ofStream(stream: string, from: number, limit: number): RecordedEvent[] | undefined {
    const append = this.appends.get(stream);
    const first = append?.[0]?.[2];
    if (append === undefined || first === undefined || from < first) return undefined;
    return append.slice(from - first, from - first + Math.max(limit, 0)).map(recorded);
  }

  private indexAfter(position: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.rows[middle]?.[0] ?? position) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private forgetOlderHalf(): void {
    const kept = Math.ceil(this.rows.length / 2);
    this.complete = this.rows.at(-kept - 1)?.[0] ?? this.complete;
    this.rows = this.rows.slice(-kept);
    this.text = textOf(this.rows);
  }
}

const textOf = (rows: readonly EventRow[]): number =>
  rows.reduce((sum, [, , , , , data, metadata]) => sum + data.length + metadata.length, 0);
