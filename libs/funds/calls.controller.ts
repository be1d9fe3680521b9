import type { CommandContext, Folded } from '#kernel';
import { Clock, Transactor } from '#kernel';
import { NeedReader } from '#needs/contract';
import { dateOf } from '#vocabulary';
import type { HttpAnswer, RequestContext } from '#web';
import { Ctx, Cursors, DEFAULT_LIMIT, EmptyBody, notFound, ReadGate, RecordEndpoints, RouteAction, uuidOf } from '#web';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CALL_BOARD } from './call-board.projection.js';
import type { CallCommand, CallCommandType, CallState } from './call.js';
import { CallRecords } from './call-records.js';
import { CALL_ACCESS } from './call.view.js';
import { FundBoards } from './fund-boards.js';
import { fundDecider } from './fund.js';
import type { FundBook } from './fund.js';
import { numberOf } from './funds.controller.js';
import {
  AnnounceCallDto,
  ApplyDto,
  bodyOf,
  CallListQuery,
  callOf,
  DecideApplicationDto,
  RankDto,
  ScreenDto,
} from './funds.dto.js';
import { CALL_PROBLEMS } from './funds.problems.js';

const onCommand = (type: keyof typeof CALL_ACCESS, ifMatch?: 'required' | 'optional'): MethodDecorator =>
  RouteAction({ ...CALL_ACCESS[type], problems: CALL_PROBLEMS, ...(ifMatch === undefined ? {} : { ifMatch }) });

type Builder = (by: CommandContext) => CallCommand;
type CommandOf<T extends CallCommand['type']> = Omit<Extract<CallCommand, { type: T }>, 'by'>;

@ApiTags('funds')
@Controller('v1/calls')
export class CallsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: CallRecords,
    private readonly boards: FundBoards,
    private readonly needs: NeedReader,
    private readonly transactor: Transactor,
    private readonly clock: Clock,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /** Announces a call for applications. */
  @Post()
  @onCommand('AnnounceCall')
  announce(@Ctx() ctx: RequestContext, @Body() body: AnnounceCallDto): Promise<HttpAnswer> {
    return this.endpoints.create(ctx, this.records, {
      access: CALL_ACCESS.AnnounceCall,
      prepare: async () => {
        const content = callOf(body);
        const book = await this.bookOf(body.fund);
        return (by): CallCommand => ({
          type: 'AnnounceCall',
          by,
          content,
          ...(book === undefined ? {} : { terms: book.terms }),
        });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'call.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: CallListQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, filter, cursor)[0]);
    await this.gate.ready(ctx, CALL_BOARD);
    const rows = this.boards.calls(ctx.caller, filter, dateOf(this.clock.now()), {
      limit: limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    const { page, next } = this.cursors.page(ctx, filter, rows, limit, ({ seq }) => [seq]);
    const items = await Promise.all(
      page.map(async ({ id, revision, record }) => ({
        ...(await this.records.shown(ctx.caller, id, record)),
        revision,
      })),
    );
    return this.endpoints.list(ctx, { items, next });
  }

  @Get(':id')
  @RouteAction({ action: 'call.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.endpoints.one(ctx, this.records, uuidOf(id));
  }

  /** Files an application for a need of the caller's. */
  @Post(':id/applications')
  @HttpCode(200)
  @onCommand('FileApplication', 'optional')
  apply(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ApplyDto): Promise<HttpAnswer> {
    const { needId, amount } = bodyOf<Pick<CommandOf<'FileApplication'>, 'needId' | 'amount'>>(body);
    return this.command(
      ctx,
      id,
      'FileApplication',
      async ({ state: { call } }) => {
        const [facts, sight, book] = await Promise.all([
          this.needs.facts(needId),
          this.needs.sight(needId, ctx.caller),
          this.bookOf(call?.content.fund ?? ''),
        ]);
        if (facts === undefined || book === undefined || !sight.summary) throw notFound();
        const { filer, beneficiaries } = facts;
        const need = { open: facts.status === 'open', filer, beneficiaries };
        return (by) => ({ type: 'FileApplication', by, needId, amount, need, currency: book.terms.currency });
      },
      'optional',
    );
  }

  @Post(':id/applications/:n/withdraw')
  @HttpCode(200)
  @onCommand('WithdrawApplication', 'required')
  withdraw(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() _body: EmptyBody,
  ): Promise<HttpAnswer> {
    return this.onApplication(ctx, id, n, 'WithdrawApplication', (application) => (by) => ({
      type: 'WithdrawApplication',
      by,
      n: application,
    }));
  }

  @Post(':id/applications/:n/screen')
  @HttpCode(200)
  @onCommand('ScreenApplication', 'required')
  screen(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() body: ScreenDto,
  ): Promise<HttpAnswer> {
    const given = bodyOf<Omit<CommandOf<'ScreenApplication'>, 'type' | 'n'>>(body);
    return this.onApplication(ctx, id, n, 'ScreenApplication', (application) => (by) => ({
      type: 'ScreenApplication',
      by,
      n: application,
      ...given,
    }));
  }

  @Post(':id/applications/:n/rank')
  @HttpCode(200)
  @onCommand('RankApplication', 'required')
  rank(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() body: RankDto,
  ): Promise<HttpAnswer> {
    const given = bodyOf<Omit<CommandOf<'RankApplication'>, 'type' | 'n'>>(body);
    return this.onApplication(ctx, id, n, 'RankApplication', (application) => (by) => ({
      type: 'RankApplication',
      by,
      n: application,
      ...given,
    }));
  }

  /** Approves an application by a decision of the fund, or declines it: the need stays open, and only its State is told. */
  @Post(':id/applications/:n/decide')
  @HttpCode(200)
  @onCommand('DecideApplication', 'required')
  decide(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() body: DecideApplicationDto,
  ): Promise<HttpAnswer> {
    const given = bodyOf<Omit<CommandOf<'DecideApplication'>, 'type' | 'n' | 'stands'>>(body);
    return this.onApplication(ctx, id, n, 'DecideApplication', async (application, { state: { call } }) => {
      const needId = call?.applications.find((each) => each.n === application)?.needId;
      const book = await this.bookOf(call?.content.fund ?? '');
      const decision = book?.decisions.find((each) => each.n === given.decision);
      const stands = decision?.allocations.some((each) => each.needId === needId) === true;
      return (by) => ({ type: 'DecideApplication', by, n: application, ...given, stands });
    });
  }

  @Post(':id/close')
  @HttpCode(200)
  @onCommand('CloseCall', 'required')
  close(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'CloseCall', () => (by) => ({ type: 'CloseCall', by }));
  }

  private onApplication(
    ctx: RequestContext,
    id: string,
    n: string,
    type: CallCommandType,
    prepare: (application: number, folded: Folded<CallState>) => Promise<Builder> | Builder,
  ): Promise<HttpAnswer> {
    const application = numberOf(n);
    return this.command(ctx, id, type, (folded) => prepare(application, folded));
  }

  private command(
    ctx: RequestContext,
    id: string,
    type: CallCommandType,
    prepare: (folded: Folded<CallState>) => Promise<Builder> | Builder,
    ifMatch: 'required' | 'optional' = 'required',
  ): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, uuidOf(id), { access: CALL_ACCESS[type], type, ifMatch, prepare });
  }

  private async bookOf(fund: string): Promise<FundBook | undefined> {
    return (await this.transactor.load(fundDecider, fund)).state.book;
  }
}
