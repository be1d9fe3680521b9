import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import { EventStore, Turns } from '#kernel';
import type { Opening } from '#tlog';
import type { AuditFilter } from './audit-log.js';
import { AuditLog, isFiltered, passes } from './audit-log.js';
import type { LogSight } from './log-sight.js';
import type { Signed } from './signed-log/checkpoints.js';
import type { LeafPlace } from './signed-log/log-tree.js';
import { LogTree } from './signed-log/log-tree.js';
import { openingOf } from './signed-log/opening-of.js';

/** An event in an export that verifies offline: what its leaf holds and, where the caller reads all of it, what opens that. */
export type ExportedEvent = {
  readonly position: string;
  /** Its leaf, from 0. */
  readonly seq: number;
  readonly entryHash: string;
} & ({ readonly masked: true } | { readonly salt: string; readonly opening: Opening });

/** Events that an export with a filter leaves out, in its place: what its reader may not read of them, or did not ask for, alike. */
export interface LeftOut {
  /** Of the last of them. */
  readonly position: string;
  /** The leaf of the first of them. */
  readonly seq: number;
  /** How many there are. */
  readonly leftOut: number;
  /** Of the whole subtrees that their leaves consist of, from left to right, hexadecimal. */
  readonly hashes: readonly string[];
}

export type ExportLine = ExportedEvent | LeftOut | ExportEnd;

/** The last line of an export that came to its end. */
export interface ExportEnd {
  readonly end: true;
  /** Position of the last event: what comes later is asked for from here. */
  readonly after: string;
  /** The signed note that covers every event of the export. */
  readonly checkpoint: string;
}

const PAGE = 500;

/**
 * The log for whoever verifies it without us. An event is opened as it was recorded, and only where the caller reads all of it: a salt opens
 * the hash of whatever is guessed.
 */
@Injectable()
export class LogExport {
  constructor(
    private readonly store: EventStore,
    private readonly log: AuditLog,
    private readonly tree: LogTree,
  ) {}

  /**
   * Events after `after`, in order, up to what the checkpoint covers, in pages that are read as fast as they are taken. With a filter, a run of
   * events that it does not let through, or that the caller does not read whole, is one line of hashes: which of the two it is would tell what they are.
   * @param caller asked anew for each page: an export goes on for long
   */
  async *pages(
    caller: () => Promise<Caller>,
    {
      after,
      filter,
      signed: { size, note },
    }: { readonly after: bigint; readonly filter: AuditFilter; readonly signed: Signed },
  ): AsyncGenerator<readonly ExportLine[]> {
    const filtered = isFiltered(filter);
    const head = await this.store.head();
    // From beyond the end the export ends there: whoever goes on from its last line misses nothing.
    let position = after < head ? after : head;
    const turns = new Turns();
    let run: { readonly from: number; readonly to: number } | undefined;
    for (let ended = false; !ended;) {
      const page = await this.store.readAll(position, PAGE);
      const [first] = page;
      const from = first === undefined ? undefined : this.tree.leafOf(first.id)?.seq;
      const places = from === undefined ? [] : this.tree.places(from, Math.min(page.length, size - from));
      const sight = this.log.sightOf(await caller());
      const lines: ExportLine[] = [];
      for (const [index, place] of places.entries()) {
        await turns.pass();
        const event = page[index];
        if (event?.id !== place.eventId)
          throw new Error(`leaf ${place.seq} is not of the event at its place in the log`);
        const line = await this.line(sight, event, place);
        if (!filtered || (!('masked' in line) && passes(event, filter))) {
          if (run !== undefined) lines.push(this.leftOut(run, position));
          run = undefined;
          lines.push(line);
        } else run = { from: run?.from ?? place.seq, to: place.seq + 1 };
        position = event.position;
      }
      yield lines;
      ended = places.length < PAGE;
    }
    const end: ExportEnd = { end: true, after: String(position), checkpoint: note };
    yield run === undefined ? [end] : [this.leftOut(run, position), end];
  }

  private leftOut({ from, to }: { readonly from: number; readonly to: number }, position: bigint): LeftOut {
    const hashes = this.tree.subtrees(from, to).map((hash) => Buffer.from(hash).toString('hex'));
    return { position: String(position), seq: from, leftOut: to - from, hashes };
  }

  private async line(sight: LogSight, event: RecordedEvent, place: LeafPlace): Promise<ExportedEvent> {
    const { seq, entryHash, prevInStream } = place;
    const leaf = { position: String(event.position), seq, entryHash };
    if (!(await this.opens(sight, event))) return { ...leaf, masked: true };
    return { ...leaf, salt: event.metadata.salt, opening: openingOf(event, prevInStream) };
  }

  /**
   * Whether the caller reads all of the event. With a hash of the request beside it the salt would serve to guess that, too: then it has to
   * read all that the request led to.
   */
  private async opens(sight: LogSight, event: RecordedEvent): Promise<boolean> {
    return event.metadata.requestHash === undefined ? sight.readsAll(event) : sight.readsAllOfCommand(event);
  }
}
