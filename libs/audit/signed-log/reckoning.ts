import type { RecordedEvent } from '#kernel';
import { CompactRange, leafEntry, leafHash } from '#tlog';
import { entryHashOfEvent } from './log-tree.projection.js';

/** A log as far as its tree is concerned. */
export interface LogReading {
  readAll(after: bigint, limit: number): Promise<RecordedEvent[]>;
  readStream(stream: string, from: number, limit: number): Promise<RecordedEvent[]>;
}

const PAGE = 500;

/** Every event of the log, in its order. */
export const eventsOf = async function* (log: LogReading): AsyncGenerator<RecordedEvent> {
  for (let position = 0n; ;) {
    const page = await log.readAll(position, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    position = last.position;
  }
};

/** Every event of one stream. */
export const streamOf = async function* (log: LogReading, stream: string): AsyncGenerator<RecordedEvent> {
  for (let from = 0; ;) {
    const page = await log.readStream(stream, from, PAGE);
    yield* page;
    const last = page.at(-1);
    // Short of a full page the stream has ended: nobody needs to look for its end again.
    if (last === undefined || page.length < PAGE) return;
    from = last.revision + 1;
  }
};

/** The tree over a log from its first event on, from the log alone. Of each stream it keeps one hash. */
export class Reckoning {
  private readonly range = CompactRange.empty();
  private readonly newest = new Map<string, string>();

  get size(): number {
    return this.range.size;
  }

  root(): Buffer {
    return this.range.root();
  }

  /** @throws {TlogRefusal} where the event has no form that proves it */
  add(event: RecordedEvent): { readonly entryHash: string; readonly leaf: Buffer } {
    const entryHash = entryHashOfEvent(event, this.newest.get(event.stream) ?? null);
    const leaf = leafHash(leafEntry({ seq: this.range.size, entryHash }));
    this.range.append(leaf);
    this.newest.set(event.stream, entryHash);
    return { entryHash, leaf };
  }
}

/** The root over the first `size` events; undefined where there are not so many. @throws {TlogRefusal} where one has no form that proves it */
export const rootOfFirst = async (log: LogReading, size: number): Promise<Buffer | undefined> => {
  const reckoning = new Reckoning();
  if (size > 0) {
    for await (const event of eventsOf(log)) {
      reckoning.add(event);
      if (reckoning.size === size) break;
    }
  }
  return reckoning.size === size ? reckoning.root() : undefined;
};
