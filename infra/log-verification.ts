import {
  CHECKPOINT_STREAM,
  type ExportedEvent,
  type LeftOutEvents,
  LogReplay,
  Refusal,
  Report,
  type Trust,
} from '#evidence';
import { messageOf, type RecordedEvent } from '#kernel';
import type { Checkpoint } from '#tlog';
import { NewestOnDisk } from './newest-on-disk.js';

/** A log that is read, and nothing else. */
export interface LogSource {
  /** Events of domain streams after a position, in order. */
  readAll(after: bigint, limit: number): Promise<readonly RecordedEvent[]>;
  readStream(stream: string, from: number, limit: number): Promise<readonly RecordedEvent[]>;
}

const PAGE = 500;

/** Verifies a whole log, also one that grows meanwhile, against the checkpoints it recorded and what is known from outside. Never rejects. */
export const verifyStoredLog = (source: LogSource, trust: Trust): Promise<Report> =>
  replayed(trust, async (replay) => {
    const recorded = new RecordedCheckpoints(source, replay);
    await recorded.compare();
    for (let position = 0n; ;) {
      const page = await source.readAll(position, PAGE);
      for (const { id, stream, revision, type, data, metadata: stored } of page) {
        const { salt, ...metadata } = stored;
        replay.takeStored({ stream, revision, eventId: id, type, schema: metadata.schema, data, metadata, salt });
        await recorded.compare();
      }
      position = page.at(-1)?.position ?? position;
      // Events of a checkpoint that was just read may have come since this page was.
      if (page.length === 0 || (page.length < PAGE && recorded.waiting === undefined)) break;
    }
    recorded.end();
    replay.end('open');
  });

/** Verifies an export from the start of the log (NDJSON, a line an event or a run of those left out, the last one its checkpoint). Never rejects. */
export const verifyExport = (lines: AsyncIterable<string>, trust: Trust): Promise<Report> =>
  replayed(trust, async (replay) => {
    let number = 0;
    for await (const line of lines) {
      number += 1;
      const where = `line ${number}`;
      const read = lineOf(line, where);
      if ('checkpoint' in read)
        replay.takeCheckpoint(replay.read(Buffer.from(read.checkpoint), where), `the checkpoint in ${where}`);
      else if ('count' in read) replay.takeLeftOut(read);
      else replay.takeExported(read);
    }
    replay.end('doubt');
  });

const replayed = async (trust: Trust, read: (replay: LogReplay) => Promise<void>): Promise<Report> => {
  const report = new Report();
  const newest = new NewestOnDisk();
  try {
    await read(new LogReplay(report, newest, trust));
  } catch (error) {
    report.refused(messageOf(error), error instanceof Refusal ? error.file : undefined);
  } finally {
    newest.close();
  }
  return report;
};

/** The checkpoints that a log recorded, each held against it when it comes to its size. */
class RecordedCheckpoints {
  private page: readonly RecordedEvent[] = [];
  private at = 0;
  private nextRevision = 0;
  private ended = false;
  private next: { readonly checkpoint: Checkpoint; readonly name: string } | undefined;

  constructor(
    private readonly source: LogSource,
    private readonly replay: LogReplay,
  ) {}

  /** The checkpoint whose size is not reached. */
  get waiting(): Checkpoint | undefined {
    return this.next?.checkpoint;
  }

  async compare(): Promise<void> {
    for (;;) {
      if (this.next === undefined) await this.fetch();
      if (this.next === undefined || this.next.checkpoint.size > this.replay.size) return;
      this.replay.takeCheckpoint(this.next.checkpoint, this.next.name);
      this.next = undefined;
    }
  }

  end(): void {
    if (this.next !== undefined) this.replay.requireReached(this.next.checkpoint, this.next.name);
  }

  private async fetch(): Promise<void> {
    if (this.at === this.page.length) {
      // Those signed after the log was read up to here are of no concern to this reading.
      if (this.ended) return;
      this.page = await this.source.readStream(CHECKPOINT_STREAM, this.nextRevision, PAGE);
      this.at = 0;
      this.ended = this.page.length < PAGE;
    }
    const event = this.page[this.at];
    if (event === undefined) return;
    this.at += 1;
    const name = `checkpoint ${event.revision} of the log's own record`;
    if (event.revision !== this.nextRevision)
      throw new Refusal(`checkpoint ${this.nextRevision} is missing before it`, name);
    this.nextRevision += 1;
    const { note } = event.data as { readonly note?: unknown };
    if (typeof note !== 'string') throw new Refusal('it holds no signed note', name);
    this.next = { checkpoint: this.replay.read(Buffer.from(note), name), name };
  }
}

const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/** What a line of an export says. @throws {Refusal} where it is none */
const lineOf = (line: string, where: string): ExportedEvent | LeftOutEvents | { readonly checkpoint: string } => {
  const { end, checkpoint, seq, entryHash, opening, salt, masked, leftOut, hashes } = objectOf(line, where);
  if (end === true && typeof checkpoint === 'string') return { checkpoint };
  if (typeof seq === 'number' && leftOut !== undefined) {
    const told = typeof leftOut === 'number' && leftOut >= 1 && [leftOut, seq + leftOut].every(Number.isSafeInteger);
    if (!told || !Array.isArray(hashes) || !hashes.every(isHash))
      throw new Refusal('it says of events that are left out neither how many nor their hashes', where);
    return { seq, count: leftOut, hashes: hashes.map((hash) => Buffer.from(hash, 'hex')) };
  }
  if (typeof seq !== 'number' || !isHash(entryHash))
    throw new Refusal('it has no seq and entryHash: ask for the export with openings=true', where);
  if (masked === true) return { seq, entryHash };
  if (opening === null || typeof opening !== 'object' || typeof salt !== 'string')
    throw new Refusal('it has neither opening and salt, nor is it masked', where);
  return { seq, entryHash, opened: { opening: opening as NonNullable<ExportedEvent['opened']>['opening'], salt } };
};

const objectOf = (line: string, where: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(line);
    if (value !== null && typeof value === 'object') return value as Readonly<Record<string, unknown>>;
  } catch {
    // Said below, as of any other line that is none.
  }
  throw new Refusal('it is no JSON object: a line that was cut off is dropped before the export is resumed', where);
};
