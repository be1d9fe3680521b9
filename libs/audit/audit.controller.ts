import { Controller, Get, Param, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import { firstInstant, lastInstant } from '#vocabulary';
import { formatProofFile, leafEntry } from '#tlog';
import type { CursorValue, RequestContext } from '#web';
import {
  asksFor,
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  forbidden,
  HttpAnswer,
  invalid,
  momentOf,
  notFound,
  ReadGate,
  ReadNotes,
  RecordEndpoints,
  requireForward,
  RouteAction,
  uuidOf,
} from '#web';
import type { AuditFilter, AuditItem } from './audit-log.js';
import { AuditLog } from './audit-log.js';
import { AuditDiffQuery, AuditEventsQuery, AuditStateQuery } from './audit.dto.js';
import { LogDifference, requireOrder } from './log-difference.js';
import type { ExportLine } from './log-export.js';
import { LogExport } from './log-export.js';
import { ndjson } from './ndjson.js';
import { LOG_PROBLEMS } from './signed-log/log.problems.js';
import { behind, Checkpoints } from './signed-log/checkpoints.js';
import { LogTree } from './signed-log/log-tree.js';

const NDJSON = 'application/x-ndjson';
const PROOF = 'text/plain; charset=utf-8';
const EXPORT =
  'With openings=true and `Accept: application/x-ndjson` it is an export that verifies offline. Each line is an event with `position`, `seq` (its leaf) and ' +
  '`entryHash`; where the caller reads all of it with `salt` and `opening`, otherwise with `masked`. With a filter, what it does not let through or the caller does ' +
  'not read whole is left out, a run of events as one line: `position` of its last, `seq` of its first, `leftOut` (how many) and `hashes` of the subtrees that their leaves make up. The last line is `{"end": true, "after", "checkpoint"}`: every ' +
  'event before it is covered by that signed note. Where the last line is missing the export was cut: go on with `after` = the position of the last whole line.';
const READERS = 'Auditors with a mandate in force.';

@ApiTags('audit')
@Controller('v1/audit')
export class AuditController {
  constructor(
    private readonly log: AuditLog,
    private readonly tree: LogTree,
    private readonly checkpoints: Checkpoints,
    private readonly exporting: LogExport,
    private readonly difference: LogDifference,
    private readonly endpoints: RecordEndpoints,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly notes: ReadNotes,
  ) {}

  @Get('events')
  @RouteAction({
    action: 'audit.events',
    anonymous: true,
    readers: READERS,
    produces: [NDJSON],
    problems: LOG_PROBLEMS,
    says: EXPORT,
  })
  async events(@Ctx() ctx: RequestContext, @Query() query: AuditEventsQuery): Promise<HttpAnswer | StreamableFile> {
    const after = positionOf(query.after);
    const filter = filterOf(query);
    if (query.openings === true) return this.exported(ctx, { after, filter, limit: query.limit });
    requireMandate(ctx.caller);
    const streamOf = (item: AuditItem): readonly string[] => ('masked' in item ? [] : [item.stream]);
    if (asksFor(ctx.accept, NDJSON)) {
      const pages = this.log.events(ctx.caller, after, filter, query.limit);
      return new StreamableFile(ndjson(this.noted(ctx, pages, streamOf, query.limit)), { type: NDJSON });
    }
    const limit = query.limit ?? DEFAULT_LIMIT;
    // One more says whether there are more.
    const found: AuditItem[] = [];
    for await (const page of this.log.events(ctx.caller, after, filter, limit + 1)) {
      found.push(...page);
      if (found.length > limit) break;
    }
    const items = found.slice(0, limit);
    this.notes.noteStreams(ctx, items.flatMap(streamOf));
    const next = found.length > limit ? (items.at(-1)?.position ?? null) : null;
    return new HttpAnswer(200, linkTo(ctx, next), { items, next });
  }

  private async exported(
    ctx: RequestContext,
    {
      after,
      filter,
      limit,
    }: { readonly after: bigint; readonly filter: AuditFilter; readonly limit: number | undefined },
  ): Promise<StreamableFile> {
    if (!asksFor(ctx.accept, NDJSON)) {
      throw invalid([
        { field: 'openings', message: `goes with Accept: ${NDJSON} only: send it, or leave openings out` },
      ]);
    }
    requireMandate(ctx.caller);
    const signed = await this.checkpoints.forRequest(ctx);
    // A tree that is built anew has not come to what was signed.
    if (signed.size > this.tree.size) throw behind();
    const caller = async (): Promise<Caller> => {
      const now = (await ctx.again()).caller;
      requireMandate(now);
      return now;
    };
    const pages = this.exporting.pages(caller, { after, filter, signed });
    const streamOf = (line: ExportLine): readonly string[] => ('opening' in line ? [line.opening.stream] : []);
    return new StreamableFile(ndjson(this.noted(ctx, pages, streamOf, limit)), { type: NDJSON });
  }

  /** Pages cut to so many items in all; and that the caller reads the records whose streams they open. */
  private async *noted<T>(
    ctx: RequestContext,
    pages: AsyncIterable<readonly T[]>,
    streamOf: (item: T) => readonly string[],
    limit = Infinity,
  ): AsyncGenerator<readonly T[]> {
    let room = limit;
    for await (const page of pages) {
      const items = page.slice(0, room);
      this.notes.noteStreams(ctx, items.flatMap(streamOf));
      yield items;
      room -= items.length;
      if (room === 0) return;
    }
  }

  /** A `.tlog-proof` file (C2SP); its extra data are the bytes of the leaf. */
  @Get('events/:eventId/proof')
  @RouteAction({
    action: 'audit.proof',
    anonymous: true,
    readers: 'Whoever may read the event.',
    problems: LOG_PROBLEMS,
    produces: ['text/plain'],
  })
  async proof(
    @Ctx() ctx: RequestContext,
    @Param('eventId') given: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const eventId = uuidOf(given);
    const { size, note } = await this.checkpoints.forRequest(ctx);
    const leaf = this.tree.leafOf(eventId);
    if (leaf === undefined || !(await this.log.reads(ctx.caller, leaf.stream, leaf.revision))) throw notFound();
    // Signed after it is in the tree; and a tree that is built anew has not come to what was signed.
    if (leaf.seq >= size || size > this.tree.size) throw behind();
    const file = formatProofFile({
      extra: leafEntry(leaf),
      index: leaf.seq,
      proof: this.tree.inclusion(leaf.seq, size),
      checkpoint: note,
    });
    reply.header('cache-control', 'no-cache');
    reply.header('content-disposition', `attachment; filename="${eventId}.tlog-proof"`);
    return new StreamableFile(Buffer.from(file), { type: PROOF });
  }

  @Get('state')
  @RouteAction({ action: 'audit.state', anonymous: true, readers: READERS })
  async state(@Ctx() ctx: RequestContext, @Query() query: AuditStateQuery): Promise<HttpAnswer> {
    requireMandate(ctx.caller);
    const moment = momentOf(query.at, query.clock);
    const { at, boards, shown } = await this.log.boards(ctx.caller, moment);
    this.notes.noteStreams(ctx, shown);
    return new HttpAnswer(200, {}, { at: String(at), clock: moment.clock, ...boards });
  }

  /** What changed between two moments, in words and as data; of one record to whoever sees it. */
  @Get('diff')
  @RouteAction({
    action: 'audit.diff',
    anonymous: true,
    readers: 'Auditors with a mandate in force; of one record whoever sees it.',
  })
  async diff(@Ctx() ctx: RequestContext, @Query() query: AuditDiffQuery): Promise<HttpAnswer> {
    const { from, clock = 'recorded', record, limit = DEFAULT_LIMIT, cursor } = query;
    // Named for what its cursors hold: those of a former version held a moment.
    const shaping = { from, to: query.to ?? null, clock, record: record ?? null, place: 'position' };
    const page = pageOf(cursor === undefined ? [] : this.cursors.decode(ctx, shaping, cursor));
    const earlier = momentOf(from, clock);
    const upTo = page.upTo ?? (await this.difference.end(earlier));
    const to = query.to ?? String(upTo);
    // By the effective clock all that is on record, as in a replay: also what is dated today, which counts from the day's end.
    const open = query.to === undefined && clock === 'effective';
    const span = { from: earlier, to: momentOf(open ? undefined : to, clock), upTo };
    requireOrder(span);
    if (record === undefined) requireMandate(ctx.caller);
    await this.gate.ready(ctx, ...(record === undefined ? this.difference.totalsModels : []));
    const said = { from, to, clock };
    if (record !== undefined) {
      const item = await this.difference.ofRecord(ctx.caller, record, span);
      this.notes.note(ctx, item.record.kind, [item.record.id]);
      return new HttpAnswer(200, {}, { ...said, items: [item], next: null });
    }
    const { counts, items, next: place } = await this.difference.ofLog(ctx.caller, span, page.after, limit);
    for (const { record: read } of items) this.notes.note(ctx, read.kind, [read.id]);
    const next = place === undefined ? null : this.cursors.encode(ctx, shaping, [String(place), String(upTo)]);
    // Of the whole, not of the page: once is enough.
    const totals = cursor === undefined ? { totals: await this.difference.ofTotals(ctx.caller, span) } : {};
    const body = { ...said, counts, ...totals, items, next };
    return this.endpoints.list(ctx, body);
  }
}

/** Pages after the first are of what was on record at the first. */
const pageOf = ([after, upTo]: readonly CursorValue[]): {
  readonly after: bigint;
  readonly upTo: bigint | undefined;
} => ({
  after: after === undefined ? 0n : BigInt(String(after)),
  upTo: upTo === undefined ? undefined : BigInt(String(upTo)),
});

/** The log is for auditors with a mandate in force; an auditor without one is as anyone. */
const requireMandate = (caller: Caller): void => {
  if (!hasRole(caller, 'auditor') || caller.mandates.length === 0) {
    throw forbidden('The log is read by auditors with a mandate in force.');
  }
};

const positionOf = (after: string | undefined): bigint => {
  if (after === undefined) return 0n;
  if (!/^\d{1,19}$/.test(after)) {
    throw invalid([{ field: 'after', message: 'must be a position of the log: at most 19 digits, and nothing else' }]);
  }
  return BigInt(after);
};

/** @throws {Problem} 400 */
const filterOf = ({ type, stream, actor, from, to }: AuditEventsQuery): AuditFilter => {
  requireForward({ from, to });
  return {
    ...(type === undefined ? {} : { type }),
    ...(stream === undefined ? {} : { stream }),
    ...(actor === undefined ? {} : { actor }),
    ...(from === undefined ? {} : { from: firstInstant(from) }),
    ...(to === undefined ? {} : { to: lastInstant(to) }),
  };
};

const linkTo = ({ path, query }: RequestContext, next: string | null): Record<string, string> =>
  next === null ? {} : { link: `<${path}?${new URLSearchParams({ ...query, after: next }).toString()}>; rel="next"` };
