import { Inject, Injectable, Optional } from '@nestjs/common';
import { TotalsReader } from '#commitments/contract';
import type { Caller } from '#directory/contract';
import type { LifeCycleRule, RecordedEvent } from '#kernel';
import { categoryOfStream, Clock, EventStore, idOfStream, streamOf, Turns, Upcasting } from '#kernel';
import type { Quantity } from '#vocabulary';
import { formatQuantity, measureKey } from '#vocabulary';
import type { AnyRecordKind, Change, EventShown, Moment } from '#web';
import { countsAt, differences, eventFor, invalid, notFound, RecordKinds, shownAt, withNulls } from '#web';
import type { PastRecord } from './audit-log.js';
import { AuditLog } from './audit-log.js';
import { inWords } from './change-words.js';

/** Two moments on one clock, the earlier first, by what was on record up to a position. */
export interface Span {
  readonly from: Moment;
  readonly to: Moment;
  readonly upTo: bigint;
}

/** An event between the two moments, as far as the caller may know of it. */
type DifferenceEvent = EventShown & { readonly rule?: LifeCycleRule };

/** What became of one record. */
export interface RecordDifference {
  readonly record: { readonly kind: string; readonly id: string; readonly title: string | null };
  /** `created`: there was none for the caller at the earlier moment. */
  readonly outcome: 'created' | 'changed' | 'unchanged';
  readonly changes: readonly (Required<Change> & { readonly words: string })[];
  readonly events: readonly DifferenceEvent[];
}

export interface TotalsDifference {
  readonly figure: string;
  readonly from: Quantity | null;
  readonly to: Quantity | null;
  readonly words: string;
}

/** The differences of the whole log, a page of them. */
export interface LogDifferences {
  readonly counts: Readonly<Record<RecordDifference['outcome'], number>>;
  readonly items: readonly RecordDifference[];
  /** Where the next page goes on: the position of the first event of the last record shown; undefined at the end. */
  readonly next: bigint | undefined;
}

/** What changed between two moments, as one caller may know it: masked as every record is now, and as it was at each of them. */
@Injectable()
export class LogDifference {
  constructor(
    private readonly log: AuditLog,
    private readonly kinds: RecordKinds,
    private readonly store: EventStore,
    private readonly upcasting: Upcasting,
    private readonly clock: Clock,
    @Optional() @Inject(TotalsReader) private readonly totalsReader?: TotalsReader,
  ) {}

  /** Up to where the log is looked at: its end, or the position `from` where that is beyond it. */
  async end(from: Moment): Promise<bigint> {
    const head = await this.store.head();
    const { place } = from;
    return place !== undefined && 'position' in place && place.position > head ? place.position : head;
  }

  /** The read models that totals are read from: none where nothing keeps any. */
  get totalsModels(): readonly string[] {
    return this.totalsReader === undefined ? [] : [this.totalsReader.model];
  }

  /** Of every record that the caller sees, those that changed, in the order in which they came to be. @throws {Problem} 400 */
  async ofLog(caller: Caller, span: Span, after: bigint, limit: number): Promise<LogDifferences> {
    const { streams, last } = await this.log.streamsAt([span.from, span.to], span.upTo);
    const asOf = shownAt(span.to, last, this.clock.now().toISOString());
    const counts = { created: 0, changed: 0, unchanged: 0 };
    const items: RecordDifference[] = [];
    let reached: bigint | undefined;
    let more = false;
    const turns = new Turns();
    for (const stream of streams) {
      await turns.pass();
      const kind = this.kinds.of(categoryOfStream(stream));
      if (kind === undefined) continue;
      const id = idOfStream(stream);
      const events = await this.log.wholeStream(stream);
      const past = await this.log.pastOf(caller, kind, id, events, asOf);
      const recorded = events.filter(({ position }) => position <= span.upTo);
      const first = recorded.find((event) => countsAt(event, span.from) || countsAt(event, span.to));
      const difference = past && (await this.compared(caller, kind, id, past, recorded, span));
      if (difference === undefined || first === undefined) continue;
      counts[difference.outcome] += 1;
      if (difference.outcome === 'unchanged' || first.position <= after) continue;
      if (items.length === limit) more = true;
      else {
        items.push(difference);
        reached = first.position;
      }
    }
    return { counts, items, next: more ? reached : undefined };
  }

  /** @param path such as `commitments/<id>` @throws {Problem} 400, and 404 where the caller does not see it now, or not as of `to` */
  async ofRecord(caller: Caller, path: string, span: Span): Promise<RecordDifference> {
    const slash = path.indexOf('/');
    const kind = this.kinds.all().find((each) => each.path === `/v1/${path.slice(0, slash)}`);
    const id = path.slice(slash + 1);
    if (slash < 0 || kind === undefined || id === '') {
      throw invalid([
        { field: 'record', message: 'must name a record by its path, such as commitments/<id> or needs/<id>' },
      ]);
    }
    const events = await this.log.wholeStream(streamOf(kind.decider.category, id));
    const recorded = events.filter(({ position }) => position <= span.upTo);
    const last = recorded.filter((event) => countsAt(event, span.to)).at(-1);
    const past = await this.log.pastOf(
      caller,
      kind,
      id,
      events,
      shownAt(span.to, last, this.clock.now().toISOString()),
    );
    const difference = past && (await this.compared(caller, kind, id, past, recorded, span));
    if (difference === undefined) throw notFound();
    return difference;
  }

  /** The totals that differ, over everything the caller sees. */
  async ofTotals(caller: Caller, { from, to }: Span): Promise<readonly TotalsDifference[]> {
    if (this.totalsReader === undefined) return [];
    const [before, after] = [await this.totalsReader.at(caller, from), await this.totalsReader.at(caller, to)];
    return Object.keys(after).flatMap((figure) => {
      const [was, is] = [before[figure] ?? [], after[figure] ?? []].map(
        (sums) => new Map(sums.map((sum) => [measureKey(sum), sum])),
      );
      return [...new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])].flatMap((key): TotalsDifference[] => {
        const [left, right] = [was?.get(key) ?? null, is?.get(key) ?? null];
        const [earlier, later] = [left, right].map((sum) => (sum === null ? 'nothing' : formatQuantity(sum)));
        return earlier === later
          ? []
          : [{ figure, from: left, to: right, words: `${figure}: was ${earlier ?? ''}, is ${later ?? ''}` }];
      });
    });
  }

  /** Undefined where there is no such record for this caller at the later moment. */
  private async compared(
    caller: Caller,
    kind: AnyRecordKind,
    id: string,
    past: PastRecord,
    events: readonly RecordedEvent[],
    { from, to }: Span,
  ): Promise<RecordDifference | undefined> {
    const earlier = events.filter((event) => countsAt(event, from));
    const later = events.filter((event) => countsAt(event, to));
    if (earlier.some((event) => !countsAt(event, to))) throw backwards();
    const after = await past.at(later);
    if (after === null) return undefined;
    const before = earlier.length === 0 ? null : await past.at(earlier);
    const record = { kind: kind.decider.category, id, title: titleOf(after) };
    if (earlier.length === later.length) return { record, outcome: 'unchanged', changes: [], events: [] };
    const [left, right] = [before, after].map((view) => (view === null ? {} : withoutRevision(view)));
    const changes = differences(left, right).map((change) => {
      const whole = withNulls(change);
      return { ...whole, words: inWords(whole, before, after) };
    });
    const between = await this.shown(
      caller,
      kind,
      past,
      later.filter((event) => !countsAt(event, from)),
    );
    // Of what is in confidence nothing tells that it happened, but for what it changed.
    const unchanged = changes.length === 0 && between.length === 0;
    const outcome = unchanged ? 'unchanged' : before === null ? 'created' : 'changed';
    return { record, outcome, changes, events: between };
  }

  private async shown(
    caller: Caller,
    kind: AnyRecordKind,
    past: PastRecord,
    events: readonly RecordedEvent[],
  ): Promise<readonly DifferenceEvent[]> {
    const shown: DifferenceEvent[] = [];
    for (const raw of events) {
      const event = this.upcasting.lift(raw);
      if ((await past.mask(event)) === undefined) continue;
      const rule = kind.ruleOf?.(event);
      shown.push({ ...eventFor(caller, event), ...(rule === undefined ? {} : { rule }) });
    }
    return shown;
  }
}

/** @throws {Problem} 400 where the later moment is the earlier, as far as the query alone shows */
export const requireOrder = ({ from: { place: from }, to: { place: to } }: Span): void => {
  if (from === undefined || to === undefined) return;
  if ('position' in from && 'position' in to && from.position > to.position) throw backwards();
  if ('time' in from && 'time' in to && from.time > to.time) throw backwards();
};

const backwards = (): Error => invalid([{ field: 'to', message: 'must not be before from' }]);

const withoutRevision = (view: object): object => {
  const { revision: _revision, ...record } = view as { readonly revision?: number };
  return record;
};

/** What people call it: a title or a party's name; null for what has neither. */
const titleOf = (view: object): string | null => {
  const { title, name } = view as { readonly title?: unknown; readonly name?: unknown };
  return [title, name].find((each) => typeof each === 'string') ?? null;
};
