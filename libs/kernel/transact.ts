import type { LRUCache } from 'lru-cache';
import type { Clock } from './clock.js';
import type { Command, CommandContext, Decider, Rejection } from './decider.js';
import { streamOf } from './decider.js';
import type { AppendReceipt, EventStore } from './event-store.js';
import { NO_STREAM, WrongRevisionError } from './event-store.js';
import type { Actor, DomainEvent, EventToAppend, RecordedEvent } from './events.js';
import { isOfProcess } from './events.js';
import { eventIdOf, newSalt, requestHashOf } from './ids.js';
import { recentlyUsed } from './recently-used.js';
import { NewerEventError, Upcasting } from './upcasting.js';
import { WriteGate } from './write-gate.js';

/** A stream changed under every one of the bounded attempts. Nothing was written; a repeat is safe. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
}

/** What an earlier command with this id wrote. */
export interface CommandReceipt {
  readonly revision: number;
  readonly position: bigint;
  readonly salt: string;
  readonly requestHash: string | undefined;
}

/** A stream folded up to `revision` (-1 where it does not exist). */
export interface Folded<S> {
  readonly state: S;
  readonly revision: number;
  readonly position: bigint;
  /** Newest event that is not a process's: an `If-Match` older than it is stale. */
  readonly settledRevision: number;
  /** The first event this code is too old for. */
  readonly newer?: { readonly type: string; readonly schema: number };
  readonly commands: Map<string, CommandReceipt>;
}

/** How a command is to be recorded. */
export interface CommandMeta {
  readonly commandId: string;
  /** The command id was made for this one call: nobody else can send it, so what is appended is what the log holds. */
  readonly once?: true;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly actor: Actor;
  /** The claimed moment; the server's clock where absent. */
  readonly effectiveAt?: string;
  /** Canonical text of the request, for a command under an `Idempotency-Key`. */
  readonly request?: string;
  /** The revision an `If-Match` names. */
  readonly ifMatch?: number;
}

/** How a command is tried. */
export interface TransactOptions<S> {
  /** Conflicts after which it gives up: 20 unless told; a process passes `Infinity`. */
  readonly attempts?: number;
  /** A fold of the record that the caller holds, however old: tried first, without reading. */
  readonly known?: Folded<S>;
}

export type Outcome<S, R extends Rejection> =
  | {
      /** `unchanged`: what was asked holds already, nothing written. `repeated`: this command id wrote before. */
      readonly kind: 'written' | 'unchanged' | 'repeated';
      readonly folded: Folded<S>;
      /** Receipt of this command: its last event's place (for `unchanged` the stream's last event). */
      readonly revision: number;
      readonly position: bigint;
    }
  | { readonly kind: 'refused'; readonly rejection: R; readonly folded: Folded<S> }
  | { readonly kind: 'stale'; readonly folded: Folded<S> }
  | { readonly kind: 'key-reused'; readonly folded: Folded<S> };

const PAGE = 500;
/** Attempts of a person's command before it answers `ContentionError`. */
const ATTEMPTS = 20;

/**
 * Loads, decides and appends: the only way an event of the domain is written.
 * Folded streams are cached by revision; every load still reads forward from the cached revision, so it is never behind.
 * A command is first decided on the fold at hand without a read: an append at its revision proves that nothing came after it.
 * Whatever does not end in that append is decided again on a fold that was read.
 */
export class Transactor {
  private readonly cache: LRUCache<string, Folded<unknown>>;
  private readonly folds = new WeakMap<object, number>();
  /** The command that a stream is waiting for, by stream: what follows it waits for it. */
  private readonly lines = new Map<string, Promise<void>>();
  private nextFold = 0;

  constructor(
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly upcasting: Upcasting = new Upcasting(),
    cachedStreams = 20_000,
    /** Asked before every append. */
    readonly writes: WriteGate = new WriteGate(),
  ) {
    this.cache = recentlyUsed(cachedStreams);
  }

  /** Folds a record's own stream up to its newest event. @throws {NewerEventError} where it holds one that a newer version wrote */
  async load<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
  ): Promise<Folded<S>> {
    const stream = streamOf(decider.category, id);
    const key = this.keyOf(decider, stream);
    let folded = (this.cache.get(key) as Folded<S> | undefined) ?? emptyFold(decider.initial);
    for (;;) {
      const page = await this.store.readStream(stream, folded.revision + 1, PAGE);
      if (page.length > 0) {
        folded = foldOnto(decider, folded, page, this.upcasting);
        this.remember(key, folded);
      }
      if (page.length < PAGE) return this.known(stream, folded);
    }
  }

  /** As `load`, of a stream that somebody has read to its end: nothing is read, and nothing kept. @throws {NewerEventError} */
  folded<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
    events: readonly RecordedEvent[],
  ): Folded<S> {
    const folded = foldOnto(decider, emptyFold(decider.initial), events, this.upcasting);
    return this.known(streamOf(decider.category, id), folded);
  }

  /**
   * Runs one command against record `id`.
   * @throws {NewerEventError} @throws {ContentionError} @throws {WritesRefusedError} @throws {StoreUnavailableError}
   */
  async transact<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
    command: (by: CommandContext) => C,
    meta: CommandMeta,
    options: TransactOptions<S> = {},
  ): Promise<Outcome<S, R>> {
    const stream = streamOf(decider.category, id);
    // Commands of one process on one stream would only overtake each other, and decide anew each time: they go one after the other.
    const before = this.lines.get(stream);
    const outcome =
      before === undefined
        ? this.decideAndAppend(decider, id, command, meta, options)
        : before.then(() => this.decideAndAppend(decider, id, command, meta, options));
    const done = outcome.then(ended, ended).then(() => {
      if (this.lines.get(stream) === done) this.lines.delete(stream);
    });
    this.lines.set(stream, done);
    return outcome;
  }

  private async decideAndAppend<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
    command: (by: CommandContext) => C,
    meta: CommandMeta,
    { attempts = ATTEMPTS, known }: TransactOptions<S>,
  ): Promise<Outcome<S, R>> {
    const stream = streamOf(decider.category, id);
    const atHand = newerOf(this.cache.get(this.keyOf(decider, stream)) as Folded<S> | undefined, known);
    if (atHand !== undefined) {
      const outcome = await this.attempt(decider, id, command, meta, atHand);
      if (outcome?.kind === 'written') return outcome;
    }
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const outcome = await this.attempt(decider, id, command, meta, await this.load(decider, id));
      if (outcome !== undefined) return outcome;
    }
    throw new ContentionError(`stream ${stream} changed under ${attempts} attempts`);
  }

  // A fold may look at some types of a stream alone: only who was told of all of them can tell which are new.
  private known<S>(stream: string, folded: Folded<S>): Folded<S> {
    if (folded.newer !== undefined && this.upcasting.knowsAll)
      throw new NewerEventError(stream, folded.newer.type, folded.newer.schema);
    return folded;
  }

  /** Decides on `folded` and appends behind it; undefined where the stream has moved on. */
  private async attempt<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
    command: (by: CommandContext) => C,
    meta: CommandMeta,
    folded: Folded<S>,
  ): Promise<Outcome<S, R> | undefined> {
    const stream = streamOf(decider.category, id);
    const receipt = folded.commands.get(meta.commandId);
    if (receipt !== undefined) return repeatOf(receipt, meta, folded);
    if (folded.newer !== undefined) throw new NewerEventError(stream, folded.newer.type, folded.newer.schema);
    if (meta.ifMatch !== undefined && (meta.ifMatch > folded.revision || folded.settledRevision > meta.ifMatch)) {
      return { kind: 'stale', folded };
    }
    const at = this.clock.now().toISOString();
    const by: CommandContext = { actor: meta.actor, at, effectiveAt: meta.effectiveAt ?? at };
    const decision = decider.decide(command(by), folded.state);
    if (decision.kind === 'refused') return { kind: 'refused', rejection: decision.rejection, folded };
    if (decision.events.length === 0) {
      return { kind: 'unchanged', folded, revision: folded.revision, position: folded.position };
    }
    const toAppend = decision.events.map((event, index) =>
      this.envelope(stream, decider.schemas[event.type as E['type']], event, index, meta, by),
    );
    if (!this.writes.isOpen) await this.writes.pass();
    let written: AppendReceipt;
    try {
      written = await this.store.append(stream, folded.revision, toAppend);
    } catch (error) {
      if (error instanceof WrongRevisionError) return undefined;
      throw error;
    }
    const now =
      meta.once === true
        ? this.foldWritten(decider, stream, folded, toAppend, written)
        : await this.loadWritten(decider, id, toAppend);
    return now === undefined
      ? undefined
      : { kind: 'written', folded: now, revision: written.revision, position: written.position };
  }

  /** What was appended folded onto what it was decided on: as a read would, without one. */
  private foldWritten<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    stream: string,
    folded: Folded<S>,
    appended: readonly EventToAppend[],
    { revision, position }: AppendReceipt,
  ): Folded<S> {
    const events = appended.map((event, index) => ({
      ...asStored(event),
      stream,
      revision: revision - appended.length + 1 + index,
      // Only the last position is known, and only the last one counts in a fold.
      position,
    }));
    const now = foldOnto(decider, folded, events, this.upcasting);
    this.remember(this.keyOf(decider, stream), now);
    return now;
  }

  /**
   * The record after an append under ids that others may use too. Undefined where the same command was appended by somebody else a
   * moment before: the store then answers with that receipt, and whether it was the same request is still to be judged.
   */
  private async loadWritten<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
    [first]: readonly EventToAppend[],
  ): Promise<Folded<S> | undefined> {
    const now = await this.load(decider, id);
    const receipt = first === undefined ? undefined : now.commands.get(first.metadata.commandId);
    return receipt?.salt === first?.metadata.salt ? now : undefined;
  }

  private envelope(
    stream: string,
    schema: number,
    event: DomainEvent,
    index: number,
    meta: CommandMeta,
    by: CommandContext,
  ): EventToAppend {
    const salt = newSalt();
    return {
      id: eventIdOf(stream, meta.commandId, index),
      type: event.type,
      data: event.data,
      metadata: {
        commandId: meta.commandId,
        correlationId: meta.correlationId,
        causationId: meta.causationId,
        actor: by.actor,
        effectiveAt: by.effectiveAt,
        recordedAt: by.at,
        schema,
        salt,
        ...(meta.request === undefined ? {} : { requestHash: requestHashOf(salt, meta.request) }),
      },
    };
  }

  /** A process folds another context's stream in its own way: every way of folding a stream has its own state. */
  private keyOf(decider: object, stream: string): string {
    const known = this.folds.get(decider);
    const fold = known ?? this.nextFold;
    if (known === undefined) {
      this.folds.set(decider, fold);
      this.nextFold += 1;
    }
    return `${fold} ${stream}`;
  }

  private remember(key: string, folded: Folded<unknown>): void {
    const cached = this.cache.get(key);
    if (cached === undefined || cached.revision < folded.revision) this.cache.set(key, folded);
  }
}

const ended = (): void => undefined;

export const emptyFold = <S>(initial: S): Folded<S> => ({
  state: initial,
  revision: NO_STREAM,
  position: 0n,
  settledRevision: NO_STREAM,
  commands: new Map(),
});

/** Folds `events`, which follow `folded` in the stream, onto it. */
export const foldOnto = <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  decider: Decider<S, C, E, R>,
  folded: Folded<S>,
  events: readonly RecordedEvent[],
  upcasting: Upcasting = new Upcasting(),
): Folded<S> => {
  let { state, revision, position, settledRevision, newer } = folded;
  // Shared along the chain of folds and only ever added to, under ids that are unique: copying it would make long streams quadratic.
  const { commands } = folded;
  for (const raw of events) {
    const isNewer = upcasting.isNewer(raw);
    const event = (isNewer ? raw : upcasting.lift(raw)) as RecordedEvent<E>;
    const known = (decider.schemas as Readonly<Record<string, number>>)[event.type];
    const isFolded = known !== undefined && event.metadata.schema <= known;
    if (isFolded && !isNewer) state = decider.evolve(state, event);
    // Who knows everything that is written knows what is merely of no interest to this fold.
    else if (isNewer || !upcasting.knowsAll) newer ??= { type: event.type, schema: event.metadata.schema };
    revision = event.revision;
    position = event.position;
    if (!isOfProcess(event.metadata.actor)) settledRevision = event.revision;
    const { commandId, salt, requestHash } = event.metadata;
    // The hash of a command's first event answers for the whole command.
    const first = commands.get(commandId) ?? { salt, requestHash };
    commands.set(commandId, { revision, position, salt: first.salt, requestHash: first.requestHash });
  }
  return { state, revision, position, settledRevision, commands, ...(newer === undefined ? {} : { newer }) };
};

/** The fold that has come further, of those there are. */
const newerOf = <S>(one: Folded<S> | undefined, other: Folded<S> | undefined): Folded<S> | undefined =>
  one === undefined || (other !== undefined && other.revision > one.revision) ? other : one;

/** An event as a reader of the log gets it: through JSON, so that what has no JSON form is gone. */
const asStored = (event: EventToAppend): EventToAppend => JSON.parse(JSON.stringify(event)) as EventToAppend;

const repeatOf = <S>(receipt: CommandReceipt, meta: CommandMeta, folded: Folded<S>): Outcome<S, never> => {
  if (meta.request !== undefined && receipt.requestHash !== requestHashOf(receipt.salt, meta.request)) {
    return { kind: 'key-reused', folded };
  }
  return { kind: 'repeated', folded, revision: receipt.revision, position: receipt.position };
};
