import type { EventStore, EventToAppend, RecordedEvent } from '#kernel';
import { newId, NO_STREAM, technicalEvent, WrongRevisionError } from '#kernel';

/** The log that is moved: nobody writes to it meanwhile, and it is only read. */
export interface SourceLog {
  readonly storeId: string;
  /** Domain events after a position, oldest first. */
  readChecked(after: bigint, limit: number): Promise<RecordedEvent[]>;
}

/** A migration that must not go on: the message says what was found and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

export interface MigrationReport {
  /** Events of the source, each found in the target as it is in the source, in the same order. */
  readonly events: number;
  /** How many of them this run wrote. */
  readonly moved: number;
  /** The target holds more behind them: services have written since an earlier migration was complete. */
  readonly hasGoneOn: boolean;
}

/** Technical stream of the target: which log is moved into it, and up to where that was verified. */
const MIGRATION_STREAM = '_migration';
/** An event may have a megabyte; a page of either log is all that is ever in memory. */
const PAGE = 100;
/** A note a run at most, and only where the source has grown. */
const MAX_NOTES = 10_000;
/** More would cut live subscriptions of the server. */
const MAX_EVENTS_PER_APPEND = 32;
const MAX_BYTES_PER_APPEND = 512 * 1024;
const TOLD_EVERY = 5_000;

/**
 * Moves a log into an empty one: every event with its id, stream, revision, type, data and metadata, in the order of the log, each
 * after everything before it is stored. Run again after any interruption it goes on where it stopped. Then both logs are read and compared.
 * @param told called now and then with the number of events that the target holds
 * @throws {MigrationError} where the target holds something else, or differs @throws {StoreUnavailableError}
 */
export const migrateLog = async (
  source: SourceLog,
  target: EventStore,
  told: (events: number) => void = () => undefined,
): Promise<MigrationReport> => {
  const claim = await Claim.on(target, source.storeId);
  const before = await compared(source, target);
  if (before.difference !== undefined) throw differing(before.difference, before.events, claim);
  const hasGoneOn = isGoneOn(before, claim);
  if (before.beyond !== undefined && !hasGoneOn) throw foreign(before.beyond);
  const moved = before.beyond === undefined ? await copy(source, target, before, told) : 0;
  const after = await compared(source, target);
  if (after.difference !== undefined) throw differing(after.difference, after.events, claim);
  if (after.lacking !== undefined) {
    throw new MigrationError(`the target lacks ${placeOf(after.lacking)}, event ${after.events + 1} of the source`);
  }
  if (after.beyond !== undefined && !hasGoneOn) throw foreign(after.beyond);
  await claim.complete(after.events);
  return { events: after.events, moved, hasGoneOn };
};

/** How far two logs are the same, and what comes first behind that. */
interface Comparison {
  /** Events that are the same, from the first. */
  readonly events: number;
  /** Position of the last of them in the source. */
  readonly after: bigint;
  /** The first event that differs, by what. */
  readonly difference?: string;
  /** The first event that the source has and the target lacks. */
  readonly lacking?: RecordedEvent;
  /** The first event that the target has behind all of the source. */
  readonly beyond?: RecordedEvent;
}

const compared = async (source: SourceLog, target: EventStore): Promise<Comparison> => {
  const ours = new Reading((after, limit) => source.readChecked(after, limit));
  const theirs = new Reading((after, limit) => target.readAll(after, limit));
  for (let events = 0, after = 0n; ; events += 1) {
    const own = await ours.next();
    const other = await theirs.next();
    if (own === undefined) return { events, after, ...(other === undefined ? {} : { beyond: other }) };
    if (other === undefined) return { events, after, lacking: own };
    const difference = differenceOf(own, other);
    if (difference !== undefined) {
      const places = `event ${events + 1} (position ${own.position} of the source, ${other.position} of the target)`;
      return { events, after, difference: `${places}: ${difference}` };
    }
    after = own.position;
  }
};

/** A log from its beginning, page by page. */
class Reading {
  private page: readonly RecordedEvent[] = [];
  private place = 0;
  private after = 0n;

  constructor(private readonly read: (after: bigint, limit: number) => Promise<readonly RecordedEvent[]>) {}

  async next(): Promise<RecordedEvent | undefined> {
    if (this.place === this.page.length) {
      this.page = await this.read(this.after, PAGE);
      this.place = 0;
    }
    const event = this.page[this.place];
    if (event === undefined) return undefined;
    if (event.position <= this.after) {
      throw new MigrationError(`${placeOf(event)} stands at position ${event.position}, behind ${this.after}`);
    }
    this.place += 1;
    this.after = event.position;
    return event;
  }
}

/** What two events do not have in common; nothing of their content, which may be sealed. */
const differenceOf = (own: RecordedEvent, other: RecordedEvent): string | undefined => {
  for (const field of ['stream', 'revision', 'id', 'type'] as const) {
    if (own[field] !== other[field]) return `${field} is ${other[field]} in the target, ${own[field]} in the source`;
  }
  for (const field of ['data', 'metadata'] as const) {
    if (JSON.stringify(own[field]) === JSON.stringify(other[field])) continue;
    return `${pathOfDifference(own[field], other[field], field)} of ${placeOf(own)} differs`;
  }
  return undefined;
};

const pathOfDifference = (own: unknown, other: unknown, path: string): string => {
  if (typeof own !== 'object' || typeof other !== 'object' || own === null || other === null) return path;
  const [ours, theirs] = [own, other] as Readonly<Record<string, unknown>>[];
  for (const name of new Set([...Object.keys(own), ...Object.keys(other)])) {
    const [mine, its] = [ours?.[name], theirs?.[name]];
    if (JSON.stringify(mine) !== JSON.stringify(its)) return pathOfDifference(mine, its, `${path}.${name}`);
  }
  return `the order of ${path}`;
};

const placeOf = ({ type, id, stream, revision }: RecordedEvent): string => `${type} ${id} (${stream}@${revision})`;

/** Whether what stands behind the source's events is what services wrote after these were moved and verified. */
const isGoneOn = ({ events, beyond }: Comparison, { completed }: Claim): boolean =>
  beyond !== undefined && completed !== undefined && completed <= events;

const foreign = (event: RecordedEvent): MigrationError =>
  new MigrationError(
    `the target holds ${placeOf(event)}, which is not of this source: something else wrote to it before the migration was complete. Stop that, and migrate into another prefix or an empty server`,
  );

const differing = (difference: string, events: number, { completed }: Claim): MigrationError =>
  new MigrationError(
    completed !== undefined && completed <= events
      ? `${difference}. Both logs have gone on since the first ${completed} events were moved: a server ran on the data folder after that`
      : difference,
  );

/** The target's own note of whose log it takes. */
class Claim {
  /** @throws {MigrationError} where the target holds another log */
  static async on(target: EventStore, source: string): Promise<Claim> {
    for (;;) {
      const notes = await target.readStream(MIGRATION_STREAM, 0, MAX_NOTES);
      const [begun] = notes;
      if (begun !== undefined) {
        const { from } = begun.data as { readonly from: string };
        if (from !== source) {
          throw new MigrationError(
            `the target takes the log of another data folder (store ${from}, not ${source}): migrate into another prefix or an empty server`,
          );
        }
        const last = notes.at(-1) ?? begun;
        return new Claim(target, last.revision, (last.data as { readonly events?: number }).events);
      }
      const [event] = await target.readAll(0n, 1);
      if (event !== undefined) {
        throw new MigrationError(
          `the target holds another log (store ${target.storeId}), which begins with ${placeOf(event)}: migrate into another prefix or an empty server`,
        );
      }
      try {
        await target.append(MIGRATION_STREAM, NO_STREAM, [note('LogMigrationBegun', { from: source })]);
      } catch (error) {
        // Somebody else began meanwhile: perhaps with the same log.
        if (!(error instanceof WrongRevisionError)) throw error;
      }
    }
  }

  private constructor(
    private readonly target: EventStore,
    private readonly revision: number,
    /** How many events were moved and verified before; undefined where none were. */
    readonly completed: number | undefined,
  ) {}

  async complete(events: number): Promise<void> {
    if (events === this.completed) return;
    await this.target.append(MIGRATION_STREAM, this.revision, [note('LogMigrationVerified', { events })]);
  }
}

const note = (type: string, data: object): EventToAppend => technicalEvent(newId(), type, data, new Date());

/** Appends one after the other: an event is sent once everything before it is stored. Answers how many. */
const copy = async (
  source: SourceLog,
  target: EventStore,
  { events, after }: Comparison,
  told: (events: number) => void,
): Promise<number> => {
  let moved = 0;
  for (let last = after; ;) {
    const page = await source.readChecked(last, PAGE);
    for (const append of appendsOf(page)) {
      const [first] = append;
      if (first === undefined) continue;
      try {
        await target.append(first.stream, first.revision - 1, append);
      } catch (error) {
        throw error instanceof WrongRevisionError ? interrupted(error) : error;
      }
      const before = moved;
      moved += append.length;
      if (Math.floor((events + moved) / TOLD_EVERY) > Math.floor((events + before) / TOLD_EVERY)) told(events + moved);
    }
    const end = page.at(-1);
    if (end === undefined) return moved;
    last = end.position;
  }
};

const interrupted = ({ stream, actual, expected }: WrongRevisionError): MigrationError =>
  new MigrationError(
    `the stream ${stream} of the target is at revision ${actual}, not at ${expected}: something else writes to the target. Stop that and run this again, which names what does not belong there`,
  );

/** Neighbours of one stream go together, as far as one append should hold. */
const appendsOf = (page: readonly RecordedEvent[]): readonly RecordedEvent[][] => {
  const appends: RecordedEvent[][] = [];
  let bytes = 0;
  for (const event of page) {
    const size = Buffer.byteLength(JSON.stringify(event.data)) + Buffer.byteLength(JSON.stringify(event.metadata));
    const append = appends.at(-1);
    const fits = append !== undefined && append.length < MAX_EVENTS_PER_APPEND && bytes + size <= MAX_BYTES_PER_APPEND;
    if (fits && append[0]?.stream === event.stream) {
      append.push(event);
      bytes += size;
    } else {
      appends.push([event]);
      bytes = size;
    }
  }
  return appends;
};
