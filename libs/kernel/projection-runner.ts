import { backoffMs, pause, TURN_MS, yieldToLoop } from './backoff.js';
import { categoryOfStream } from './decider.js';
import type { EventStore } from './event-store.js';
import type { RecordedEvent } from './events.js';
import { failureOf } from './failure.js';
import { Feed } from './feed.js';
import type { Projection, ProjectionStatus, ReadDatabase, ReadModel, ReadQueries } from './projection.js';
import { ReadModelUnavailableError } from './projection.js';
import { NewerEventError, Upcasting } from './upcasting.js';

/** Something an operator must hear of. `parked`: a poison event; `feed-broken`: the log cannot be followed or a model not be
 * written, tried again. */
export type ProjectionAlarm =
  | { readonly kind: 'parked'; readonly projection: string; readonly event: RecordedEvent; readonly error: unknown }
  | { readonly kind: 'feed-broken'; readonly projections: readonly string[]; readonly error: unknown };

/** Something worth a log line. `reset`: its checkpoint lies behind the end of this log, so it was of another one. */
export interface ProjectionNote {
  readonly kind: 'reset' | 'catching-up' | 'caught-up' | 'released' | 'rebuilt';
  readonly projection: string;
  readonly position: bigint;
}

export interface ProjectionRunnerOptions {
  readonly upcasting?: Upcasting;
  readonly alarm?: (alarm: ProjectionAlarm) => void;
  readonly note?: (note: ProjectionNote) => void;
  /** Most events per transaction; live batches are as small as the writes are. */
  readonly maxBatch?: number;
}

/** A projection could not apply this event. */
export class PoisonEventError extends Error {
  override readonly name = 'PoisonEventError';
  constructor(
    readonly projection: string,
    readonly event: RecordedEvent,
    override readonly cause: unknown,
  ) {
    super(`${projection} cannot apply ${event.type} at ${event.position}: ${failureOf(cause)}`);
  }
}

const MAX_BATCH = 2_000;
/** Events at a time on the way to the shared feed, which is gone beside requests: applying more of them to one model would hold those up. */
const TRAVEL_BATCH = 500;
/** Events passed over before the checkpoint is saved for their sake alone: read again after a restart, at most. */
const UNSAVED = 1_000;
/**
 * Milliseconds that events gather after a batch while nobody waits for them: each read model has a transaction of its own, so that fewer
 * and larger batches leave more time for requests. Batches from this size on are not live ones, and are not kept waiting.
 */
const GATHER_MS = 20;
const LARGE_BATCH = 200;

/**
 * Applies those of `events` that are newer than the model and that the projection handles, in one transaction with the checkpoint
 * (the last event's position). Without any the model is left untouched and false is answered.
 * @throws whatever the projection throws; nothing of the batch is kept then.
 */
export const applyToModel = (
  projection: Projection,
  model: ReadModel,
  events: readonly RecordedEvent[],
  lift: (event: RecordedEvent) => RecordedEvent,
  concerns: (event: RecordedEvent) => boolean = handling(projection),
): boolean => {
  const last = events.at(-1);
  const { checkpoint } = model;
  if (last === undefined || last.position <= checkpoint) return false;
  const relevant = events.filter((event) => event.position > checkpoint && concerns(event));
  if (relevant.length === 0) return false;
  model.commit(last.position, (tx) => {
    const batch = projection.begin(tx);
    for (const event of relevant) batch.apply(projection.handles === 'everything' ? event : lift(event));
    batch.flush();
  });
  return true;
};

const handling = ({ handles }: Projection): ((event: RecordedEvent) => boolean) => {
  if (handles === 'everything') return () => true;
  const types = new Set(handles);
  return ({ type }) => types.has(type);
};

/** One projection's model as it moves along the log. */
class Lane {
  /** Everything up to here is in the model; the saved checkpoint may lie behind by events the projection does not handle. */
  position: bigint;
  parked: ProjectionStatus['parked'];
  /** Why it is parked, where a newer version wrote the event. */
  newer: NewerEventError | undefined;
  private readonly concerns: (event: RecordedEvent) => boolean;
  private passed = 0;

  constructor(
    readonly projection: Projection,
    public model: ReadModel,
    upcasting: Upcasting,
  ) {
    this.position = model.checkpoint;
    const handles = handling(projection);
    const categories = upcasting.categoriesOf(projection.handles === 'everything' ? [] : projection.handles);
    // What a newer version wrote into a stream it follows may be of its concern: it stops there rather than pass over it.
    this.concerns = (event) =>
      handles(event) || (upcasting.isNewer(event) && categories.has(categoryOfStream(event.stream)));
  }

  /**
   * Answers the poison event, if any: the model then stands right before it.
   * @throws {ReadModelUnavailableError} the model stands wherever it came to: the same events may be given again
   */
  apply(events: readonly RecordedEvent[], lift: (event: RecordedEvent) => RecordedEvent): PoisonEventError | undefined {
    try {
      this.step(events, lift);
      return undefined;
    } catch (error) {
      if (error instanceof ReadModelUnavailableError) throw error;
      // A flush does not say which event it broke on: one by one finds the first that fails and keeps all before it.
      return this.applySingly(events, lift);
    }
  }

  /** Saves a checkpoint that has only moved past events the projection does not handle. */
  save(): void {
    this.passed = 0;
    if (this.position > this.model.checkpoint) this.model.commit(this.position, () => undefined);
  }

  private step(events: readonly RecordedEvent[], lift: (event: RecordedEvent) => RecordedEvent): void {
    const last = events.at(-1);
    if (last === undefined || last.position <= this.position) return;
    const applied = applyToModel(this.projection, this.model, events, lift, this.concerns);
    this.position = last.position;
    this.passed = applied ? 0 : this.passed + events.length;
    if (this.passed >= UNSAVED) this.save();
  }

  private applySingly(
    events: readonly RecordedEvent[],
    lift: (event: RecordedEvent) => RecordedEvent,
  ): PoisonEventError | undefined {
    for (const event of events) {
      try {
        this.step([event], lift);
      } catch (error) {
        if (error instanceof ReadModelUnavailableError) throw error;
        return new PoisonEventError(this.projection.name, event, error);
      }
    }
    return undefined;
  }
}

interface Slot {
  lane: Lane;
  /** `fed`: served by the shared feed; `catching-up`: on its own way to it; `parked`: standing at a poison event. */
  state: 'fed' | 'catching-up' | 'parked';
  readonly queries: ReadQueries;
  rebuilding?: Promise<void> | undefined;
}

interface Waiter {
  readonly position: bigint;
  readonly names: readonly string[];
  readonly settle: (reached: boolean) => void;
}

/**
 * Keeps the read models up to date from one shared feed of the log. Each has its own checkpoint, committed with its rows;
 * a poison event parks its projection alone. Models that start from nothing beside others that do not catch up on their own first.
 */
export class ProjectionRunner {
  private readonly slots = new Map<string, Slot>();
  private readonly waiters = new Set<Waiter>();
  private readonly journeys = new Set<Promise<void>>();
  private readonly alarm: (alarm: ProjectionAlarm) => void;
  private readonly note: (note: ProjectionNote) => void;
  private readonly maxBatch: number;
  private readonly upcasting: Upcasting;
  private feed: Feed | undefined;
  /** Last position of the newest batch the shared feed has begun to hand out: who has come this far may join. */
  private begun = 0n;
  private headAtStart = 0n;
  private readonly ending = new AbortController();
  /** Ends the gathering of events, while it lasts. */
  private hurry: (() => void) | undefined;
  /** Milliseconds of applying since others last had their turn. */
  private busy = 0;

  constructor(
    private readonly store: EventStore,
    private readonly database: ReadDatabase,
    projections: readonly Projection[],
    options: ProjectionRunnerOptions = {},
  ) {
    this.upcasting = options.upcasting ?? new Upcasting();
    this.alarm = options.alarm ?? (() => undefined);
    this.note = options.note ?? (() => undefined);
    this.maxBatch = options.maxBatch ?? MAX_BATCH;
    for (const projection of projections) {
      if (this.slots.has(projection.name)) throw new Error(`two projections are named ${projection.name}`);
      const slot: Slot = {
        lane: new Lane(projection, database.open(projection), this.upcasting),
        state: 'fed',
        // Always through the slot: the model behind it may be switched at any time.
        queries: {
          get: (sql, ...parameters) => slot.lane.model.get(sql, ...parameters),
          all: (sql, ...parameters) => slot.lane.model.all(sql, ...parameters),
        },
      };
      this.slots.set(projection.name, slot);
    }
  }

  /** Begins to follow the log; resolves once the feed is set up, not once models have caught up (see `caughtUp`). */
  async start(): Promise<void> {
    this.headAtStart = await this.store.head();
    const slots = [...this.slots.values()];
    for (const slot of slots) {
      if (slot.lane.position > this.headAtStart) this.reset(slot);
    }
    const begun = slots.filter(({ lane }) => lane.position > 0n);
    const empty = slots.filter(({ lane }) => lane.position === 0n);
    const fed = begun.length > 0 ? begun : empty;
    this.begun = fed.reduce(
      (least, { lane }) => (lane.position < least ? lane.position : least),
      fed[0]?.lane.position ?? 0n,
    );
    this.feed = new Feed(this.store, this.begun, (batch, last) => this.hand(batch, last), {
      maxBatch: this.maxBatch,
      broken: (error) => {
        this.alarm({ kind: 'feed-broken', projections: [...this.slots.keys()], error });
      },
    });
    if (begun.length > 0 && empty.length > 0) void this.journey(this.catchUp(empty));
    for (const slot of slots) this.settleStart(slot, this.begun);
  }

  /** Reads of the current model of `name`, also after a switch. @throws {RangeError} for an unknown name */
  model(name: string): ReadQueries {
    return this.slot(name).queries;
  }

  statuses(): readonly ProjectionStatus[] {
    return [...this.slots.values()].map(({ lane: { projection, position, parked } }) => ({
      name: projection.name,
      version: projection.version,
      position,
      ...(parked === undefined ? {} : { parked }),
    }));
  }

  /** Names of those that the shared feed brings forward: neither parked nor on their own way to it. */
  following(): readonly string[] {
    return [...this.slots.values()].filter((slot) => this.isFed(slot)).map(({ lane }) => lane.projection.name);
  }

  /** True once every projection has come to where the log stood at the start, or is parked. */
  caughtUp(): boolean {
    return [...this.slots.values()].every(({ lane, state }) => state === 'parked' || lane.position >= this.headAtStart);
  }

  /** Why one of these stands still at an event that a newer version wrote; undefined where none does. */
  stoppedAtNewer(names: readonly string[]): NewerEventError | undefined {
    return names.map((name) => this.slot(name).lane).find(({ parked }) => parked?.newer === true)?.newer;
  }

  /**
   * Waits until the projections of these names (all where absent) have come to `position`. False: the time ran out, one of them
   * is parked before it, or the runner stops. A `timeoutMs` of 0 asks without waiting.
   */
  waitFor(position: bigint, timeoutMs: number, names: readonly string[] = [...this.slots.keys()]): Promise<boolean> {
    const now = this.standing(position, names);
    if (now !== undefined) return Promise.resolve(now);
    if (timeoutMs <= 0 || this.ending.signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        position,
        names,
        settle: (reached) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          resolve(reached);
        },
      };
      const timer = setTimeout(() => {
        waiter.settle(false);
      }, timeoutMs);
      this.waiters.add(waiter);
      this.hurry?.();
    });
  }

  /**
   * Tries a parked projection's event again and, if it applies now, catches up. Resolves true when it runs with the others again,
   * false when it is not parked or parked again. @throws {RangeError} for an unknown name
   */
  async release(name: string): Promise<boolean> {
    const slot = this.slot(name);
    if (slot.state !== 'parked' || this.ending.signal.aborted) return false;
    slot.lane.parked = undefined;
    this.note({ kind: 'released', projection: name, position: slot.lane.position });
    await this.journey(this.catchUp([slot]));
    return this.isFed(slot);
  }

  /**
   * Builds the model anew from the log beside the current one, which goes on serving, then switches. A second call meanwhile waits
   * for the first. @throws {PoisonEventError} where an event does not apply: the current model stays
   * @throws {Error} where the runner stops meanwhile: the current model stays @throws {RangeError} for an unknown name
   */
  rebuild(name: string): Promise<void> {
    const slot = this.slot(name);
    slot.rebuilding ??= this.journey(
      this.build(slot).finally(() => {
        slot.rebuilding = undefined;
      }),
    );
    return slot.rebuilding;
  }

  /** Stops after the batch in hand, saves every checkpoint and closes the models. */
  async stop(): Promise<void> {
    this.ending.abort();
    this.hurry?.();
    await this.feed?.stop();
    await Promise.allSettled(this.journeys);
    for (const waiter of this.waiters) waiter.settle(false);
    for (const { lane } of this.slots.values()) {
      try {
        lane.save();
        lane.model.close();
      } catch {
        // A full disk, say: the next start reads from the checkpoint before.
      }
    }
  }

  private slot(name: string): Slot {
    const slot = this.slots.get(name);
    if (slot === undefined) throw new RangeError(`there is no projection ${name}`);
    return slot;
  }

  private isFed(slot: Slot): boolean {
    return slot.state === 'fed';
  }

  private reset(slot: Slot): void {
    const { projection, model, position } = slot.lane;
    const fresh = this.database.switchTo(projection, model, this.database.openBeside(projection));
    slot.lane = new Lane(projection, fresh, this.upcasting);
    this.note({ kind: 'reset', projection: projection.name, position });
  }

  private settleStart({ lane }: Slot, position: bigint): void {
    if (lane.position >= this.headAtStart) this.database.dropOlder(lane.projection);
    else this.note({ kind: 'catching-up', projection: lane.projection.name, position });
  }

  /** Keeps track of work beside the feed, so that a stop can wait for it. */
  private journey(work: Promise<void>): Promise<void> {
    this.journeys.add(work);
    const end = (): void => {
      this.journeys.delete(work);
    };
    work.then(end, end);
    return work;
  }

  private async hand(batch: readonly RecordedEvent[], last: bigint): Promise<void> {
    this.begun = last;
    const lift = this.lifting();
    const failures: ReadModelUnavailableError[] = [];
    for (const slot of this.slots.values()) {
      if (slot.state !== 'fed') continue;
      try {
        this.advance(slot, batch, lift);
      } catch (error) {
        if (!(error instanceof ReadModelUnavailableError)) throw error;
        failures.push(error);
      }
      await this.breathe();
    }
    // The feed hands the batch out again later; whoever has come past it passes over it.
    if (failures[0] !== undefined) throw failures[0];
    if (batch.length < LARGE_BATCH) await this.gather();
  }

  /** Lets events gather, until somebody waits for them. */
  private async gather(): Promise<void> {
    if (this.waiters.size > 0 || this.ending.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      this.hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.hurry = undefined;
  }

  /** Applies a batch to a slot; a poison event parks it. */
  private advance(slot: Slot, batch: readonly RecordedEvent[], lift: (event: RecordedEvent) => RecordedEvent): void {
    const { lane } = slot;
    const { projection, position: before } = lane;
    const poison = this.timed(() => lane.apply(batch, lift));
    if (before < this.headAtStart && lane.position >= this.headAtStart) {
      this.database.dropOlder(projection);
      this.note({ kind: 'caught-up', projection: projection.name, position: lane.position });
    }
    if (poison !== undefined) {
      const { event, cause } = poison;
      slot.state = 'parked';
      lane.parked = {
        position: event.position,
        eventId: event.id,
        type: event.type,
        error: failureOf(cause),
        ...(cause instanceof NewerEventError ? { newer: true as const } : {}),
      };
      lane.newer = cause instanceof NewerEventError ? cause : undefined;
      this.alarm({ kind: 'parked', projection: projection.name, event, error: cause });
    }
    this.wake();
  }

  /** Brings slots to where the shared feed is and lets them join it. The log is read once for all of them. */
  private async catchUp(slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) slot.state = 'catching-up';
    const travelling = (): readonly Slot[] => slots.filter(({ state }) => state === 'catching-up');
    await this.travel(
      slots.reduce((least, { lane }) => (lane.position < least ? lane.position : least), this.begun),
      slots.map(({ lane }) => lane.projection.name),
      async (page, lift) => {
        for (const slot of travelling()) {
          // Built anew meanwhile, it may have joined the feed by itself.
          if (slot.state === 'catching-up') this.advance(slot, page, lift);
          // The last events before the feed go in one turn, or new ones would come in between again and again.
          if (page.length >= LARGE_BATCH) await this.breathe();
        }
        return travelling().length > 0;
      },
      () => {
        for (const slot of travelling()) slot.state = 'fed';
      },
    );
  }

  private async build(slot: Slot): Promise<void> {
    const { projection } = slot.lane;
    const lane = new Lane(projection, this.database.openBeside(projection), this.upcasting);
    const poisons: PoisonEventError[] = [];
    const met = await this.travel(
      0n,
      [projection.name],
      (page, lift) => {
        const poison = this.timed(() => lane.apply(page, lift));
        if (poison !== undefined) poisons.push(poison);
        return poison === undefined;
      },
      () => {
        lane.save();
        slot.lane = new Lane(
          projection,
          this.database.switchTo(projection, slot.lane.model, lane.model),
          this.upcasting,
        );
        // A release under way finds nothing left to do.
        slot.state = 'fed';
      },
    );
    if (!met) {
      lane.model.close();
      throw poisons[0] ?? new Error(`stopped while ${projection.name} was being rebuilt`);
    }
    this.note({ kind: 'rebuilt', projection: projection.name, position: slot.lane.position });
    this.wake();
  }

  /**
   * Reads the log page by page from `from` to its head and the shared feed, then calls `meet`, in the turn in which it found that `take` has
   * come to both: no batch of the feed can slip in between. `take` answers whether to go on. Answers whether it met: not so where `take` or the runner stops.
   */
  private async travel(
    from: bigint,
    names: readonly string[],
    take: (page: readonly RecordedEvent[], lift: (event: RecordedEvent) => RecordedEvent) => boolean | Promise<boolean>,
    meet: () => void,
  ): Promise<boolean> {
    const { signal } = this.ending;
    const size = Math.min(this.maxBatch, TRAVEL_BATCH);
    let position = from;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const page = await this.store.readAll(position, size);
        if (!(await take(page, this.lifting()))) return false;
        position = page.at(-1)?.position ?? position;
        // Short of a full page the log has ended: what comes now comes to the shared feed as well.
        if (page.length < size && position >= this.begun) {
          meet();
          return true;
        }
        failures = 0;
        await this.breathe();
      } catch (error) {
        failures += 1;
        this.alarm({ kind: 'feed-broken', projections: names, error });
        await pause(backoffMs(failures), signal);
      }
    }
    return false;
  }

  /** Upcasting, once per event whatever the number of projections. */
  private lifting(): (event: RecordedEvent) => RecordedEvent {
    const lifted = new Map<RecordedEvent, RecordedEvent>();
    return (event) => {
      const known = lifted.get(event);
      if (known !== undefined) return known;
      const result = this.upcasting.lift(event);
      if (result !== event) lifted.set(event, result);
      return result;
    };
  }

  private timed<T>(work: () => T): T {
    const begun = performance.now();
    try {
      return work();
    } finally {
      this.busy += performance.now() - begun;
    }
  }

  /** Lets requests and appends have their turn once applying has taken its own. */
  private async breathe(): Promise<void> {
    if (this.busy < TURN_MS) return;
    this.busy = 0;
    await yieldToLoop();
  }

  /** True when all have come to `position`, false when one is parked before it, undefined when it is to be waited for. */
  private standing(position: bigint, names: readonly string[]): boolean | undefined {
    let reached = true;
    for (const name of names) {
      const { lane, state } = this.slot(name);
      if (lane.position >= position) continue;
      if (state === 'parked') return false;
      reached = false;
    }
    return reached ? true : undefined;
  }

  private wake(): void {
    for (const waiter of this.waiters) {
      const standing = this.standing(waiter.position, waiter.names);
      if (standing !== undefined) waiter.settle(standing);
    }
  }
}
