import { Injectable } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Caller } from '#directory/contract';
import type { Command, CommandMeta, Decider, DomainEvent, Folded, Outcome, RecordedEvent, Rejection } from '#kernel';
import {
  canonicalJson,
  Clock,
  derivedId,
  emptyFold,
  EventStore,
  newId,
  requestHashOf,
  streamOf,
  Upcasting,
} from '#kernel';
import { hasRole } from '#directory/contract';
import { lastInstant } from '#vocabulary';
import { actorOf, requireAuthority } from './authority.js';
import { CallerDirectory } from './caller-directory.js';
import { FoldRecord, Transact } from './dispatch.js';
import { HttpAnswer } from './http-answer.js';
import type { FieldError } from './problem.js';
import { invalid, notFound, forbidden, Problem } from './problem.js';
import { ReadGate } from './read-gate.js';
import { ReadNotes } from './read-notes.js';
import type { CommandAccess, CommandBuilder, RecordKind } from './record-kind.js';
import { RecordKinds } from './record-kinds.js';
import type { RequestContext } from './request-context.js';
import { ConsistencyTokens, Cursors } from './signing.js';

/**
 * Waits up to `waitMs` for the outcome of what was written at position `since` (`Prefer: wait`); a repeat under the same key is told what
 * the first was told, whatever happened later. A rejection: the refusal was recorded, the answer is
 * that refusal. Undefined: the answer is the record as it is now.
 */
export type Settle = (id: string, waitMs: number, since: bigint) => Promise<Rejection | undefined>;

export interface Creation<C extends Command> {
  readonly access: CommandAccess;
  /** The new record's id where the caller names it (parties); chosen here otherwise. */
  readonly id?: string;
  /** Overrides the `Effective-At` header: a report's `date`. */
  readonly effectiveAt?: string;
  /** Runs after the checks of role and idempotency; may throw problems. */
  readonly prepare: (id: string) => Promise<CommandBuilder<C>> | CommandBuilder<C>;
  readonly settle?: Settle;
}

export interface RecordCommand<S, C extends Command> {
  readonly access: CommandAccess;
  readonly type: C['type'];
  readonly ifMatch: 'required' | 'optional';
  readonly effectiveAt?: string;
  /** Runs after the checks of role, idempotency, sight, permission and revision; may throw problems. */
  readonly prepare: (folded: Folded<S>) => Promise<CommandBuilder<C>> | CommandBuilder<C>;
  readonly settle?: Settle;
}

/** A page of a history; without `limit` all of it. */
export interface HistoryPage {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

const HISTORY_READ = 500;

/** The one way records are created, commanded and shown over HTTP, in API.md's order of checks. */
@Injectable()
export class RecordEndpoints {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly store: EventStore,
    private readonly clock: Clock,
    private readonly directory: CallerDirectory,
    private readonly tokens: ConsistencyTokens,
    private readonly cursors: Cursors,
    private readonly upcasting: Upcasting,
    private readonly gate: ReadGate,
    private readonly kinds: RecordKinds,
    private readonly notes: ReadNotes,
  ) {}

  /** 201 with `Location`, `ETag`, `Consistency-Token` and the record as `GET` shows it. */
  async create<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    ctx: RequestContext,
    kind: RecordKind<S, C, E, R>,
    creation: Creation<C>,
  ): Promise<HttpAnswer> {
    const { access, settle } = creation;
    const caller = await this.authorised(ctx, access, creation.effectiveAt);
    const scope = scopeOf(ctx);
    const id = creation.id ?? (scope === undefined ? newId() : derivedId('record', ...scope));
    const meta = metaOf(ctx, caller, access, scope, creation.effectiveAt);
    const answer = (folded: Folded<S>, position: bigint): Promise<HttpAnswer> =>
      this.written(ctx, kind, id, { status: 201, location: `${kind.path}/${id}` }, folded, position, settle);
    // Nothing stands under an id that was made here.
    const made = scope === undefined && creation.id === undefined;
    const known = made ? emptyFold(kind.decider.initial) : await this.fold(kind.decider, id);
    if (scope !== undefined) {
      const receipt = this.earlier(known, meta);
      if (receipt !== undefined) {
        await this.requireSight(caller, kind, id, known);
        return answer(known, receipt);
      }
    }
    const outcome = await this.transact(kind.decider, id, await creation.prepare(id), meta, known);
    const { folded, position } = settled(outcome);
    return answer(folded, position);
  }

  /** 200 with `ETag`, `Consistency-Token` and the record as `GET` shows it. */
  async command<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    ctx: RequestContext,
    kind: RecordKind<S, C, E, R>,
    id: string,
    command: RecordCommand<S, C>,
  ): Promise<HttpAnswer> {
    const { access, settle } = command;
    const caller = await this.authorised(ctx, access, command.effectiveAt);
    const scope = scopeOf(ctx);
    const meta = metaOf(ctx, caller, access, scope, command.effectiveAt);
    const folded = await this.fold(kind.decider, id);
    const receipt = scope === undefined ? undefined : this.earlier(folded, meta);
    await this.requireSight(caller, kind, id, folded);
    const location = `${kind.path}/${id}`;
    if (receipt !== undefined) return this.written(ctx, kind, id, { status: 200, location }, folded, receipt, settle);
    if (!kind.permits(caller, command.type, folded.state)) {
      throw forbidden(`${access.action} on this record is not for ${caller.party} to do.`);
    }
    requireFresh(ctx, command.ifMatch, folded);
    const outcome = await this.transact(
      kind.decider,
      id,
      await command.prepare(folded),
      { ...meta, ...(ctx.ifMatch === undefined ? {} : { ifMatch: ctx.ifMatch }) },
      folded,
    );
    const now = settled(outcome);
    return this.written(ctx, kind, id, { status: 200, location }, now.folded, now.position, settle);
  }

  /** 200 with `ETag`; 404 where the record is absent or hidden. @throws {Problem} 503 where what it shows of other streams is behind */
  async one<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    ctx: RequestContext,
    kind: RecordKind<S, C, E, R>,
    id: string,
  ): Promise<HttpAnswer> {
    const folded = await this.seen(ctx, kind, id);
    return new HttpAnswer(200, { etag: etagOf(folded) }, await viewOf(ctx.caller, kind, id, folded));
  }

  /**
   * The record's events in order, masked as the record is. Positions are decimal strings.
   * @param known the record is known without any event: its history is empty then, not absent
   */
  async history<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    ctx: RequestContext,
    kind: RecordKind<S, C, E, R>,
    id: string,
    page: HistoryPage = {},
    known = false,
  ): Promise<HttpAnswer> {
    await this.gate.ready(ctx);
    const folded = await this.fold(kind.decider, id);
    if (known && !kind.exists(folded.state)) return new HttpAnswer(200, {}, { items: [], next: null });
    await this.requireSight(ctx.caller, kind, id, folded);
    this.noteRead(ctx, kind.decider.category, [id]);
    const after = page.cursor === undefined ? -1 : Number(this.cursors.decode(ctx, { history: id }, page.cursor)[0]);
    const last = page.limit === undefined ? folded.revision : Math.min(folded.revision, after + page.limit);
    const items: object[] = [];
    for (let from = after + 1; from <= last; from += HISTORY_READ) {
      const events = await this.store.readStream(
        streamOf(kind.decider.category, id),
        from,
        Math.min(HISTORY_READ, last - from + 1),
      );
      for (const event of events) {
        const lifted = this.upcasting.lift(event) as RecordedEvent<E>;
        items.push(historyItem(ctx.caller, lifted, await kind.maskEvent(ctx.caller, folded.state, lifted)));
      }
    }
    const next = last < folded.revision ? this.cursors.encode(ctx, { history: id }, [last]) : null;
    return new HttpAnswer(200, { etag: etagOf(folded), ...linkTo(ctx, next) }, { items, next });
  }

  /** 200 with `Link: <…>; rel="next"` where there is a next page. */
  list(
    ctx: RequestContext,
    body: { readonly items: readonly unknown[]; readonly next: string | null } & object,
  ): HttpAnswer {
    const kind = this.kinds.servedAt(ctx.path);
    if (kind !== undefined) {
      const ids = body.items.map((item) => (item as { readonly id: string }).id);
      this.noteRead(ctx, kind.decider.category, ids);
    }
    return new HttpAnswer(200, linkTo(ctx, body.next), body);
  }

  /**
   * The folded record if this caller sees it: for routes that show more than the record itself (replay, matches).
   * @throws {Problem} 404, and 503 where what decides its sight is behind the caller's `Consistency-Token`
   */
  async seen<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    ctx: RequestContext,
    kind: RecordKind<S, C, E, R>,
    id: string,
  ): Promise<Folded<S>> {
    // The record itself is never behind; its figures of other streams, and who sees it, are read from projections.
    await this.gate.ready(ctx);
    const folded = await this.fold(kind.decider, id);
    await this.requireSight(ctx.caller, kind, id, folded);
    this.noteRead(ctx, kind.decider.category, [id]);
    return folded;
  }

  /** For routes that show something of other records: that the caller reads these. */
  noteRead(ctx: RequestContext, category: string, ids: readonly string[]): void {
    if (this.kinds.of(category)?.isRestricted !== undefined) this.notes.note(ctx, category, ids);
  }

  private async authorised(ctx: RequestContext, access: CommandAccess, claimed?: string): Promise<Caller> {
    requireAuthority(ctx.caller, access);
    const effectiveAt = claimed ?? ctx.effectiveAt;
    if (effectiveAt === undefined) return ctx.caller;
    const now = this.clock.now();
    const signedAt = new Date(lastInstant(effectiveAt));
    if (signedAt >= now || !ctx.caller.keepsDesignations) return ctx.caller;
    const { party, roles, issuer, subject } = ctx.caller;
    const caller = await this.directory.resolve({ party, roles, issuer, subject }, now, signedAt);
    requireAuthority(caller, access);
    return caller;
  }

  private async fold<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
  ): Promise<Folded<S>> {
    return (await this.queries.execute(new FoldRecord(decider as unknown as FoldRecord['decider'], id))) as Folded<S>;
  }

  private async transact<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    decider: Decider<S, C, E, R>,
    id: string,
    command: CommandBuilder<C>,
    meta: CommandMeta,
    known: Folded<S>,
  ): Promise<Outcome<S, R>> {
    const outcome = await this.commands.execute(
      new Transact(decider as unknown as Transact['decider'], id, command, meta, known),
    );
    return outcome as Outcome<S, R>;
  }

  /** Position of what this key wrote before. @throws {Problem} 422 where it wrote it for another request */
  private earlier<S>(folded: Folded<S>, meta: CommandMeta): bigint | undefined {
    const receipt = folded.commands.get(meta.commandId);
    if (receipt === undefined) return undefined;
    if (meta.request !== undefined && receipt.requestHash !== requestHashOf(receipt.salt, meta.request))
      throw keyReused();
    return receipt.position;
  }

  private async requireSight<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    caller: Caller,
    kind: RecordKind<S, C, E, R>,
    id: string,
    folded: Folded<S>,
  ): Promise<void> {
    if (!kind.exists(folded.state) || !(await kind.sees(caller, id, folded.state))) throw notFound();
  }

  private async written<S, C extends Command, E extends DomainEvent, R extends Rejection>(
    ctx: RequestContext,
    kind: RecordKind<S, C, E, R>,
    id: string,
    { status, location }: { readonly status: number; readonly location: string },
    folded: Folded<S>,
    position: bigint,
    settle: Settle | undefined,
  ): Promise<HttpAnswer> {
    let now = folded;
    let refusal: Rejection | undefined;
    if (settle !== undefined && ctx.waitSeconds !== undefined) {
      refusal = await settle(id, ctx.waitSeconds * 1000, position);
      now = await this.fold(kind.decider, id);
    }
    // The token covers everything the answer shows, also what a process added meanwhile.
    const seen = now.position > position ? now.position : position;
    const headers = { etag: etagOf(now), 'consistency-token': this.tokens.encode(seen) };
    if (refusal !== undefined) {
      throw Problem.of(refusal.code, refusal.detail, { headers: { ...headers, location } });
    }
    return new HttpAnswer(
      status,
      status === 201 ? { ...headers, location } : headers,
      await viewOf(ctx.caller, kind, id, now),
    );
  }
}

const keyReused = (): Problem =>
  Problem.of('idempotency-key-reused', 'This Idempotency-Key was used here for another request: choose a new key.');

const stale = (folded: Folded<unknown>): Problem =>
  Problem.of(
    'stale-revision',
    `If-Match does not name the record as it is: it is at revision ${folded.revision} now. Read it again.`,
    {
      headers: { etag: etagOf(folded) },
    },
  );

const etagOf = ({ revision }: Folded<unknown>): string => `"${revision}"`;

const viewOf = async <S, C extends Command, E extends DomainEvent, R extends Rejection>(
  caller: Caller,
  kind: RecordKind<S, C, E, R>,
  id: string,
  folded: Folded<S>,
): Promise<object> => ({ ...(await kind.view(caller, id, folded)), revision: folded.revision });

/** What an idempotency key is unique within; undefined without a key. */
const scopeOf = ({ caller, method, path, idempotencyKey }: RequestContext): readonly string[] | undefined =>
  idempotencyKey === undefined ? undefined : [caller.issuer, caller.party, method, path, idempotencyKey];

const metaOf = (
  ctx: RequestContext,
  caller: Caller,
  access: CommandAccess,
  scope: readonly string[] | undefined,
  claimed: string | undefined,
): CommandMeta => {
  const effectiveAt = claimed ?? ctx.effectiveAt;
  return {
    ...(scope === undefined
      ? { commandId: newId(), once: true as const }
      : { commandId: derivedId('command', ...scope) }),
    correlationId: ctx.correlationId,
    causationId: null,
    actor: actorOf(caller, access),
    ...(effectiveAt === undefined ? {} : { effectiveAt }),
    ...(scope === undefined
      ? {}
      : { request: canonicalJson({ body: ctx.body ?? {}, effectiveAt: effectiveAt ?? null }) }),
  };
};

const requireFresh = ({ ifMatch }: RequestContext, rule: 'required' | 'optional', folded: Folded<unknown>): void => {
  if (ifMatch === undefined) {
    if (rule === 'optional') return;
    throw Problem.of(
      'if-match-required',
      'Send If-Match with the revision you read, such as "3": it is the ETag of the record.',
    );
  }
  if (ifMatch > folded.revision || folded.settledRevision > ifMatch) throw stale(folded);
};

/** The record after a command that was accepted. @throws {Problem} for every other outcome */
const settled = <S, R extends Rejection>(
  outcome: Outcome<S, R>,
): { readonly folded: Folded<S>; readonly position: bigint } => {
  switch (outcome.kind) {
    case 'written':
    case 'unchanged':
    case 'repeated':
      return outcome;
    case 'stale':
      throw stale(outcome.folded);
    case 'key-reused':
      throw keyReused();
    case 'refused': {
      const { code, detail, field } = outcome.rejection;
      throw Problem.of(code, detail, field === undefined ? {} : { errors: [{ field, message: detail }] });
    }
  }
};

/** Who acted, as the record's history says it: a designation the act rests on, and to whom it concerns the person's pseudonym. */
const actorFor = (caller: Caller, { metadata }: Pick<RecordedEvent, 'metadata'>): object => {
  const { subject, ...actor } = metadata.actor;
  // A pseudonym links one person's acts: only the party itself and those who review it need that.
  const own = caller.party === actor.party || hasRole(caller, 'coordinator') || caller.mandates.length > 0;
  return subject !== undefined && own ? { ...actor, subject } : actor;
};

/** An event without its data, as it is shown to whoever may know that it happened: by its record's history, in a replay, between two moments. */
export interface EventShown {
  readonly eventId: string;
  readonly type: string;
  readonly actor: object;
  readonly effectiveAt: string;
  readonly recordedAt: string;
  readonly revision: number;
  readonly position: string;
}

export const eventFor = (caller: Caller, event: RecordedEvent): EventShown => {
  const { revision, position, id: eventId, type, metadata } = event;
  const { effectiveAt, recordedAt } = metadata;
  const actor = actorFor(caller, event);
  return { eventId, type, actor, effectiveAt, recordedAt, revision, position: String(position) };
};

const historyItem = (caller: Caller, event: RecordedEvent, data: object | undefined): object =>
  data === undefined
    ? { revision: event.revision, position: String(event.position), masked: true }
    : { ...eventFor(caller, event), data };

const linkTo = ({ path, query }: RequestContext, next: string | null): Record<string, string> => {
  if (next === null) return {};
  const parameters = new URLSearchParams({ ...query, cursor: next });
  return { link: `<${path}?${parameters.toString()}>; rel="next"` };
};

/** A path id of the wrong form is an absent record. */
export const uuidOf = (id: string): string => {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(id)) throw notFound();
  return id;
};

/** Refuses an `Effective-At` that contradicts a report's own date. @throws {Problem} 400 */
export const requireSameMoment = (ctx: RequestContext, field: string, date: string): void => {
  const fault = contradictionOf(ctx.effectiveAt, field, date);
  if (fault !== undefined) throw invalid([fault]);
};

/** What is wrong with an `Effective-At` beside a report's own date; undefined where they say the same. */
export const contradictionOf = (
  effectiveAt: string | undefined,
  field: string,
  date: string,
): FieldError | undefined =>
  effectiveAt === undefined || effectiveAt === date || effectiveAt.startsWith(`${date}T`)
    ? undefined
    : { field: 'Effective-At', message: `contradicts ${field} (${date}): leave the header out, or say the same` };
