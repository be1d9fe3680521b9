import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import { EventStore } from '#kernel';
import type { Opening } from '#tlog';
import { showsWhole } from '#web';
import type { AuditFilter } from './audit-log.js';
import { AuditLog, isFiltered, passes } from './audit-log.js';
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

/** The last line of an export that came to its end. */
export interface ExportEnd {
  readonly end: true;
  /** Position of the last event: what comes later is asked for from here. */
  readonly after: string;
  /** The signed note that covers every event of the export. */
  readonly checkpoint: string;
}

const PAGE = 500;
/** Events beside another that are read at once: a command has seldom written more than one or two. */
const BESIDE = 4;

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
   * Events after `after`, in order, up to what the checkpoint covers, read a page at a time and as fast as they are taken. With a filter, events
   * that the caller may not read are left out: they would tell what they are.
   * @param caller asked anew for each page: an export goes on for long
   */
  async *lines(
    caller: () => Promise<Caller>,
    {
      after,
      filter,
      signed: { size, note },
    }: { readonly after: bigint; readonly filter: AuditFilter; readonly signed: Signed },
  ): AsyncGenerator<ExportedEvent | ExportEnd> {
    const filtered = isFiltered(filter);
    let position = after;
    for (let ended = false; !ended;) {
      const page = await this.store.readAll(position, PAGE);
      const [first] = page;
      const from = first === undefined ? undefined : this.tree.leafOf(first.id)?.seq;
      const places = from === undefined ? [] : this.tree.places(from, Math.min(page.length, size - from));
      const reader = await caller();
      for (const [index, place] of places.entries()) {
        const event = page[index];
        if (event?.id !== place.eventId)
          throw new Error(`leaf ${place.seq} is not of the event at its place in the log`);
        position = event.position;
        const line = await this.line(reader, event, place);
        if (!filtered || (!('masked' in line) && passes(event, filter))) yield line;
      }
      ended = places.length < PAGE;
    }
    yield { end: true, after: String(position), checkpoint: note };
  }

  private async line(caller: Caller, event: RecordedEvent, place: LeafPlace): Promise<ExportedEvent> {
    const { seq, entryHash, prevInStream } = place;
    const leaf = { position: String(event.position), seq, entryHash };
    if (!(await this.opens(caller, event))) return { ...leaf, masked: true };
    return { ...leaf, salt: event.metadata.salt, opening: openingOf(event, prevInStream) };
  }

  /**
   * Whether the caller reads all of the event. With a hash of the request beside it the salt would serve to guess that, too: then it has to
   * read all that the request led to.
   */
  private async opens(caller: Caller, event: RecordedEvent): Promise<boolean> {
    if (!(await this.readsAll(caller, event))) return false;
    if (event.metadata.requestHash === undefined) return true;
    for await (const other of this.besides(event)) if (!(await this.readsAll(caller, other))) return false;
    return true;
  }

  /** The other events that the same command wrote to the stream: they stand before and behind it without a gap. */
  private async *besides({ stream, revision, metadata: { commandId } }: RecordedEvent): AsyncGenerator<RecordedEvent> {
    const isOther = ({ metadata }: RecordedEvent): boolean => metadata.commandId !== commandId;
    for (let from = revision, ended = false; from > 0 && !ended;) {
      const count = Math.min(BESIDE, from);
      from -= count;
      const page = (await this.store.readStream(stream, from, count)).reverse();
      const end = page.findIndex(isOther);
      ended = end >= 0;
      yield* ended ? page.slice(0, end) : page;
    }
    for (let from = revision + 1, ended = false; !ended; from += BESIDE) {
      const page = await this.store.readStream(stream, from, BESIDE);
      const end = page.findIndex(isOther);
      ended = end >= 0 || page.length < BESIDE;
      yield* end < 0 ? page : page.slice(0, end);
    }
  }

  private async readsAll(caller: Caller, event: RecordedEvent): Promise<boolean> {
    const { lifted, data } = await this.log.shown(caller, event);
    return data !== undefined && (data === lifted.data || showsWhole(data, lifted.data));
  }
}
