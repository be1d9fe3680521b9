import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import type { RecordedEvent } from '#kernel';
import {
  categoryOfStream,
  Clock,
  EventStore,
  foldOnto,
  emptyFold,
  idOfStream,
  SYSTEM_PROCESS,
  Transactor,
  Turns,
  Upcasting,
} from '#kernel';
import type { AnyRecordKind, Moment } from '#web';
import { countsAt, lookingBack, RecordKinds, shownAt, withoutToday } from '#web';
import { isWhole, LogSight } from './log-sight.js';
import { streamOf } from './signed-log/reckoning.js';

/** What an auditor asks of the log. Times are moments of recording, RFC 3339 UTC. */
export interface AuditFilter {
  readonly type?: string;
  readonly stream?: string;
  readonly actor?: string;
  readonly from?: string;
  readonly to?: string;
}

/**
 * An event as an auditor reads it; of one outside the mandate only its place, so that the auditor can tell that nothing is missing.
 */
export type AuditItem = { readonly position: string } & (
  | { readonly masked: true }
  | {
      readonly eventId: string;
      readonly stream: string;
      readonly revision: number;
      readonly type: string;
      readonly schema: number;
      readonly data: object;
      readonly actor: object;
      readonly effectiveAt: string;
      readonly recordedAt: string;
      readonly commandId: string;
      /** Null, as what caused it, where a process wrote it of a record that the auditor does not see. */
      readonly correlationId: string | null;
      readonly causationId: string | null;
    }
);

/** A record as it stood, to one caller. */
export interface PastRecord {
  /** As it stood after these events of its stream, with their last revision; null where there was none, or none for this caller. */
  at(events: readonly RecordedEvent[]): Promise<object | null>;
  /** The data of an event (lifted) as the record's history shows it; undefined where the caller may not know that it happened. */
  mask(event: RecordedEvent): Promise<object | undefined> | object | undefined;
  /** Where it stands now. */
  readonly revision: number;
}

const PAGE = 500;

/** The log and its boards, read for one auditor: what a mandate does not open stays closed. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly store: EventStore,
    private readonly transactor: Transactor,
    private readonly kinds: RecordKinds,
    private readonly upcasting: Upcasting,
    private readonly clock: Clock,
  ) {}

  /**
   * Events after `after`, in order, in pages. With a filter, events that the caller may not read are left out: they would tell what they are.
   * @param wanted how many the caller needs, where it is not all of them: without a filter no more are read
   */
  async *events(
    caller: Caller,
    after: bigint,
    filter: AuditFilter,
    wanted = Infinity,
  ): AsyncGenerator<readonly AuditItem[]> {
    const filtered = isFiltered(filter);
    const size = filtered ? PAGE : Math.min(PAGE, wanted);
    const turns = new Turns();
    let position = after;
    for (;;) {
      const page = await this.store.readAll(position, size);
      const sight = this.sightOf(caller);
      const items: AuditItem[] = [];
      for (const event of page) {
        await turns.pass();
        const item = await itemOf(sight, event);
        if (!filtered || (!('masked' in item) && passes(event, filter))) items.push(item);
      }
      yield items;
      const last = page.at(-1);
      if (last === undefined || page.length < size) return;
      position = last.position;
    }
  }

  /** What the caller reads of events, as things stand from now on. */
  sightOf(caller: Caller): LogSight {
    return new LogSight(caller, this.store, this.kinds, this.transactor, this.upcasting);
  }

  /** Every record the caller sees, as it stood at a moment: masked as the caller sees it now and as it was then. */
  async boards(
    caller: Caller,
    moment: Moment,
  ): Promise<{
    readonly at: bigint;
    readonly boards: Readonly<Record<string, readonly object[]>>;
    /** The streams of the records on them. */
    readonly shown: readonly string[];
  }> {
    const { streams, last, upTo } = await this.streamsAt([moment]);
    const asOf = shownAt(moment, last, this.clock.now().toISOString());
    const boards: Record<string, object[]> = Object.fromEntries(
      this.kinds.all().map(({ path }) => [boardName(path), []]),
    );
    const shown: string[] = [];
    const turns = new Turns();
    for (const stream of streams) {
      await turns.pass();
      const kind = this.kinds.of(categoryOfStream(stream));
      if (kind === undefined) continue;
      const events = await this.wholeStream(stream);
      const past = await this.pastOf(caller, kind, idOfStream(stream), events, asOf);
      const record = await past?.at(events.filter((event) => event.position <= upTo && countsAt(event, moment)));
      if (record === null || record === undefined) continue;
      boards[boardName(kind.path)]?.push(record);
      shown.push(stream);
    }
    return { at: last?.position ?? 0n, boards, shown };
  }

  /**
   * Reads the log up to the latest of these moments: the streams with events that count at any of them, in the order of the first of each,
   * and the last of all. Their events are read stream by stream when they are needed: the log does not fit into memory.
   * @param within position of the last event that is looked at; all of them unless told
   */
  async streamsAt(
    moments: readonly Moment[],
    within?: bigint,
  ): Promise<{
    readonly streams: readonly string[];
    readonly last: RecordedEvent | undefined;
    /** Position of the last event that was looked at. */
    readonly upTo: bigint;
  }> {
    const streams = new Set<string>();
    let last: RecordedEvent | undefined;
    // Of a time the whole log is read: the clocks of two servers need not agree to the millisecond.
    const end = endOf(moments) ?? within;
    const turns = new Turns();
    for (let after = 0n; ;) {
      await turns.pass();
      const page = await this.store.readAll(after, PAGE);
      for (const event of page) {
        if (within !== undefined && event.position > within) break;
        if (!moments.some((moment) => countsAt(event, moment))) continue;
        last = event;
        streams.add(event.stream);
      }
      const read = page.at(-1)?.position ?? after;
      if (page.length < PAGE || (end !== undefined && read >= end)) {
        return { streams: [...streams], last, upTo: within !== undefined && within < read ? within : read };
      }
      after = read;
    }
  }

  /** A stream from its beginning to where it stands now. */
  async wholeStream(stream: string): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const event of streamOf(this.store, stream)) events.push(event);
    return events;
  }

  /**
   * One record as it stood, to a caller that sees it now; undefined to every other.
   * @param events all of its stream
   * @param asOf what depends on time is said for: RFC 3339 UTC with milliseconds
   */
  async pastOf(
    caller: Caller,
    kind: AnyRecordKind,
    id: string,
    events: readonly RecordedEvent[],
    asOf: string,
  ): Promise<PastRecord | undefined> {
    const now = this.transactor.folded(kind.decider, id, events);
    if (!kind.exists(now.state) || !(await kind.sees(caller, id, now.state))) return undefined;
    const past = await lookingBack(kind, caller, id, now.state, asOf);
    return {
      at: async (counting) => {
        const then = foldOnto(kind.decider, emptyFold(kind.decider.initial), counting, this.upcasting);
        if (!kind.exists(then.state) || !(await kind.sees(caller, id, then.state))) return null;
        // Only designations, say, stand in the stream of a State that everybody knows: that it has one is not told.
        if (!(await this.readsAny(caller, kind, now.state, counting))) return null;
        const shown = await past.of(then.state);
        return shown === null ? null : { ...withoutToday(shown), revision: then.revision };
      },
      mask: (event) => kind.maskEvent(caller, now.state, event),
      revision: now.revision,
    };
  }

  /** Whether the caller may read this event, whatever may be withheld of it. */
  async reads(caller: Caller, stream: string, revision: number): Promise<boolean> {
    const [event] = await this.store.readStream(stream, revision, 1);
    return event !== undefined && (await this.sightOf(caller).shown(event)).data !== undefined;
  }

  private async readsAny(
    caller: Caller,
    kind: AnyRecordKind,
    state: unknown,
    events: readonly RecordedEvent[],
  ): Promise<boolean> {
    for (const event of events) {
      if ((await kind.maskEvent(caller, state, this.upcasting.lift(event))) !== undefined) return true;
    }
    return false;
  }
}

const itemOf = async (sight: LogSight, raw: RecordedEvent): Promise<AuditItem> => {
  const shown = await sight.shown(raw);
  const { lifted: event, data } = shown;
  const position = String(event.position);
  if (data === undefined) return { position, masked: true };
  const { actor, effectiveAt, recordedAt, schema, commandId, correlationId, causationId } = event.metadata;
  // Of a hidden record a process tells a quantity, and neither the event it answers nor the words that its request was marked with.
  const tellsCause = actor.party !== SYSTEM_PROCESS.party || isWhole(shown);
  return {
    position,
    eventId: event.id,
    stream: event.stream,
    revision: event.revision,
    type: event.type,
    schema,
    data,
    actor,
    effectiveAt,
    recordedAt,
    commandId,
    correlationId: tellsCause ? correlationId : null,
    causationId: tellsCause ? causationId : null,
  };
};

/** The position behind which nothing counts; undefined where one of the moments is no position. */
const endOf = (moments: readonly Moment[]): bigint | undefined => {
  const positions = moments.flatMap(({ place }) =>
    place !== undefined && 'position' in place ? [place.position] : [],
  );
  return positions.length === moments.length ? positions.reduce((a, b) => (a > b ? a : b), 0n) : undefined;
};

const boardName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Whether anything but the place in the log decides what is listed. */
export const isFiltered = (filter: AuditFilter): boolean => Object.values(filter).some((part) => part !== undefined);

export const passes = ({ type, stream, metadata }: RecordedEvent, filter: AuditFilter): boolean =>
  (filter.type === undefined || filter.type === type) &&
  (filter.stream === undefined || filter.stream === stream) &&
  (filter.actor === undefined || filter.actor === metadata.actor.party) &&
  (filter.from === undefined || metadata.recordedAt >= filter.from) &&
  (filter.to === undefined || metadata.recordedAt <= filter.to);
