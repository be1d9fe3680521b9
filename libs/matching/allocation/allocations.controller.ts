import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { hasRole } from '#directory/contract';
import { ProjectionRunner } from '#kernel';
import type { CommandAccess, RequestContext } from '#web';
import {
  CSV,
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  HttpAnswer,
  ListQuery,
  notFound,
  ReadGate,
  RecordEndpoints,
  RouteAction,
  uuidOf,
  wantsCsv,
} from '#web';
import { ALLOCATION_BOARD, allocationRows } from './allocation-board.projection.js';
import { AllocationJobs } from './allocation-jobs.js';
import type { ListPart } from './allocation-records.js';
import { AllocationRecords } from './allocation-records.js';
import { AllocationSharing } from './allocation-sharing.js';
import { AllocationTables } from './allocation-tables.js';
import { ALLOCATION_PROBLEMS, SHARING_PROBLEMS } from './allocation.problems.js';
import type { AllocationCommand, AllocationRun } from './allocation.js';
import { hasEnded } from './allocation.js';
import { AllocationListQuery, orderOf, RequestAllocationDto, ShareAllocationDto } from './allocations.dto.js';

const REQUEST = { action: 'allocation.request', roles: ['coordinator'] } as const satisfies CommandAccess;
const CANCEL = { action: 'allocation.cancel', roles: ['coordinator'] } as const satisfies CommandAccess;
const SHARE = { action: 'allocation.share', roles: ['coordinator'] } as const satisfies CommandAccess;
const READERS = 'Coordinators of the party that asked.';
const NDJSON = 'application/x-ndjson';
/** What the lists of an answer have in common. */
const LIST = {
  anonymous: true,
  readers: READERS,
  produces: [CSV],
  says: 'As `text/csv` it is one table of the whole list, with whose each need and offer is beside its id; `limit` and `cursor` are for JSON.',
} as const;

type ListAnswer = HttpAnswer | StreamableFile;

@ApiTags('allocations')
@Controller('v1/allocations')
export class AllocationsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: AllocationRecords,
    private readonly tables: AllocationTables,
    private readonly jobs: AllocationJobs,
    private readonly sharing: AllocationSharing,
    private readonly runner: ProjectionRunner,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /**
   * Asks which allocation of the open offers to the open needs would meet the most. The answer comes with time: read the run until its
   * status is `done`, `infeasible`, `failed` or `cancelled`. Nothing is bound by it.
   */
  @Post()
  @HttpCode(202)
  @RouteAction({ ...REQUEST, problems: ALLOCATION_PROBLEMS, status: 202 })
  async request(@Ctx() ctx: RequestContext, @Body() body: RequestAllocationDto): Promise<HttpAnswer> {
    const order = orderOf(body);
    const answer = await this.endpoints.create(ctx, this.records, {
      access: REQUEST,
      prepare:
        () =>
        (by): AllocationCommand => ({ type: 'RequestAllocation', by, order }),
    });
    const { id, status } = answer.body as { readonly id: string; readonly status: string };
    if (status === 'queued') {
      this.jobs.enqueue({ id, order, caller: ctx.caller, correlationId: ctx.correlationId });
    }
    return new HttpAnswer(202, answer.headers, this.withCursors(ctx, id, answer.body));
  }

  /** Nothing where the caller is no coordinator: nobody else asked for any. */
  @Get()
  @RouteAction({ action: 'allocation.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: AllocationListQuery): Promise<HttpAnswer> {
    const { caller } = ctx;
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, filter, cursor)[0]);
    await this.gate.ready(ctx, ALLOCATION_BOARD);
    const rows = hasRole(caller, 'coordinator')
      ? allocationRows(
          this.runner.model(ALLOCATION_BOARD),
          { ...filter, requestedBy: caller.party },
          { limit: limit + 1, ...(after === undefined ? {} : { after }) },
        )
      : [];
    const { page, next } = this.cursors.page(ctx, filter, rows, limit, ({ seq }) => [seq]);
    const items = page.flatMap(({ id, revision, state: { run } }) =>
      run === undefined ? [] : [{ ...this.records.shown(id, run), revision }],
    );
    return this.endpoints.list(ctx, { items, next });
  }

  @Get(':id')
  @RouteAction({ action: 'allocation.read', anonymous: true, readers: READERS })
  async one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    const answer = await this.endpoints.one(ctx, this.records, uuidOf(id));
    return new HttpAnswer(answer.status, answer.headers, this.withCursors(ctx, id, answer.body));
  }

  @Get(':id/pairs')
  @RouteAction({ action: 'allocation.pairs', ...LIST })
  pairs(@Ctx() ctx: RequestContext, @Param('id') id: string, @Query() query: ListQuery): Promise<ListAnswer> {
    return this.part(ctx, id, 'pairs', query);
  }

  @Get(':id/unmet')
  @RouteAction({ action: 'allocation.unmet', ...LIST })
  unmet(@Ctx() ctx: RequestContext, @Param('id') id: string, @Query() query: ListQuery): Promise<ListAnswer> {
    return this.part(ctx, id, 'unmet', query);
  }

  @Get(':id/prices')
  @RouteAction({ action: 'allocation.prices', ...LIST })
  prices(@Ctx() ctx: RequestContext, @Param('id') id: string, @Query() query: ListQuery): Promise<ListAnswer> {
    return this.part(ctx, id, 'prices', query);
  }

  /** What proves the answer without a solver: hand it to `npm run check-certificate`. */
  @Get(':id/certificate')
  @RouteAction({ action: 'allocation.certificate', anonymous: true, readers: READERS, produces: [NDJSON] })
  async certificate(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StreamableFile> {
    const run = await this.run(ctx, uuidOf(id));
    if (!hasEnded(run) || run.pieces.certificate.length === 0) throw notFound();
    void reply.header('cache-control', 'private, no-cache');
    return new StreamableFile(Readable.from(this.records.certificate(id, run)), { type: NDJSON });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @RouteAction({ ...CANCEL, problems: ALLOCATION_PROBLEMS, ifMatch: 'required' })
  async cancel(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    const answer = await this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: CANCEL,
      type: 'CancelAllocation',
      ifMatch: 'required',
      prepare:
        () =>
        (by): AllocationCommand => ({ type: 'CancelAllocation', by }),
    });
    this.jobs.cancel(id);
    return new HttpAnswer(answer.status, answer.headers, this.withCursors(ctx, id, answer.body));
  }

  /** Tells a desk its own lines of a run that ended with an answer, as suggestions (`/v1/suggestions`) that bind nobody. */
  @Post(':id/share')
  @HttpCode(200)
  @RouteAction({
    ...SHARE,
    problems: { ...ALLOCATION_PROBLEMS, ...SHARING_PROBLEMS },
    ifMatch: 'required',
    says:
      'Told are pairs of which the party is a provider of the offer and sees the lines of the need: need, offer, lines and quantity, and of the ' +
      'run when it was made and by whom. What is shared with it already is not told again, and a call that finds nothing new writes ' +
      'nothing. One call shares some 2,000 lines at the most, in the order of the run: send it again for more; `shared` says how many are.',
  })
  async share(
    @Ctx() ctx: RequestContext,
    @Param('id') given: string,
    @Body() { party, pairs, note }: ShareAllocationDto,
  ): Promise<HttpAnswer> {
    const id = uuidOf(given);
    const answer = await this.endpoints.command(ctx, this.records, id, {
      access: SHARE,
      type: 'ShareLines',
      ifMatch: 'required',
      prepare: async ({ state: { run } }) => {
        const lines =
          run?.end?.summary === undefined
            ? []
            : await this.sharing.lines(ctx.caller, party, this.records.pairs(id, run), pairs);
        return (by): AllocationCommand => ({
          ...{ type: 'ShareLines', by, party, lines },
          ...(note === undefined ? {} : { note }),
        });
      },
    });
    return new HttpAnswer(answer.status, answer.headers, this.withCursors(ctx, id, answer.body));
  }

  private async part(ctx: RequestContext, id: string, part: ListPart, query: ListQuery): Promise<ListAnswer> {
    const run = await this.run(ctx, uuidOf(id));
    if (wantsCsv(ctx.accept)) {
      const rows = this.tables.csv(ctx.caller, id, run, part);
      return new StreamableFile(Readable.from(rows), { type: `${CSV}; charset=utf-8` });
    }
    const { limit = DEFAULT_LIMIT, cursor } = query;
    const place = cursor === undefined ? undefined : this.cursors.decode(ctx, filterOf(id, part), cursor);
    const from = place === undefined ? undefined : { piece: Number(place[0]), item: Number(place[1]) };
    const { items, next } = await this.records.page(ctx.caller, id, run, part, limit, from);
    return this.endpoints.list(ctx, {
      items,
      next: next === undefined ? null : this.cursors.encode(ctx, filterOf(id, part), [next.piece, next.item]),
    });
  }

  private async run(ctx: RequestContext, id: string): Promise<AllocationRun> {
    const { state } = await this.endpoints.seen(ctx, this.records, id);
    if (state.run === undefined) throw notFound();
    return state.run;
  }

  /** Places where first pages end become cursors of the routes that go on. */
  private withCursors(ctx: RequestContext, id: string, body: object): object {
    const shown = body as Readonly<Record<string, unknown>>;
    const first = (part: ListPart): object => {
      const { items, next } = shown[part] as { items: readonly object[]; next?: { piece: number; item: number } };
      return {
        items,
        next: next === undefined ? null : this.cursors.encode(ctx, filterOf(id, part), [next.piece, next.item]),
      };
    };
    return { ...shown, pairs: first('pairs'), unmet: first('unmet'), prices: first('prices') };
  }
}

const filterOf = (allocation: string, part: ListPart): object => ({ allocation, part });
