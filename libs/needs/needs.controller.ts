import type { CommandContext } from '#kernel';
import type { HttpAnswer, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  forbidden,
  invalid,
  ListQuery,
  ReadGate,
  RecordEndpoints,
  RouteAction,
  uuidOf,
  ReasonBody,
  reasonOf,
} from '#web';
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { NeedCommand } from './need.js';
import { NEED_BOARD } from './need-board.projection.js';
import { NeedBoard } from './need-board.js';
import { NeedRecords } from './need-records.js';
import { NO_BONDS } from './need-sight.js';
import {
  AmendNeedDto,
  changesOf,
  CloseNeedDto,
  contentOf,
  FileNeedDto,
  NeedListQuery,
  ObjectNeedDto,
  ReturnNeedDto,
  SetAsideNeedDto,
  SubmitNeedDto,
} from './need.dto.js';
import { NEED_PROBLEMS } from './needs.problems.js';
import type { NeedAction } from './need.view.js';
import { accessTo } from './need.view.js';

const onCommand = (type: NeedAction): MethodDecorator =>
  RouteAction({ ...accessTo(type), problems: NEED_PROBLEMS, ifMatch: 'required' });

const consentOf = (given: boolean | undefined): 'yes' | 'asked' => (given === true ? 'yes' : 'asked');

/**
 * An office files for its own State, a host for its network. A host that names a State asks for a joint need, which is not accepted yet.
 * @throws {Problem} 400 or 403
 */
const requireOwnBeneficiary = ({ caller: { party } }: RequestContext, beneficiaries: readonly string[]): void => {
  if (beneficiaries.every((each) => each === party)) return;
  if (party.startsWith('network:')) {
    throw invalid([
      {
        field: 'beneficiaries',
        message: `must be your network (${party}) or left out: joint needs come with a later release`,
      },
    ]);
  }
  throw forbidden(`An office of ${party} files for ${party} only.`);
};

@Controller('v1/needs')
export class NeedsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: NeedRecords,
    private readonly board: NeedBoard,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /** Files a need as a draft that only its own office sees. */
  @Post()
  @RouteAction({ ...accessTo('DraftNeed'), problems: NEED_PROBLEMS })
  file(@Ctx() ctx: RequestContext, @Body() body: FileNeedDto): Promise<HttpAnswer> {
    const filer = ctx.caller.party;
    return this.endpoints.create(ctx, this.records, {
      access: accessTo('DraftNeed'),
      prepare: () => {
        requireOwnBeneficiary(ctx, body.beneficiaries ?? []);
        const content = contentOf(body);
        return (by): NeedCommand => ({ type: 'DraftNeed', by, filer, beneficiaries: [filer], content });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'need.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: NeedListQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    if (filter.from !== undefined && filter.to !== undefined && filter.from > filter.to) {
      throw invalid([{ field: 'to', message: `must not be before from (${filter.from})` }]);
    }
    const after = cursor === undefined ? undefined : this.cursors.decode(ctx, filter, cursor);
    await this.gate.ready(ctx, NEED_BOARD);
    const rows = await this.board.list(
      ctx.caller,
      filter,
      limit + 1,
      after === undefined ? undefined : [Number(after[0]), Number(after[1])],
    );
    const page = rows.slice(0, limit);
    const bonds = await this.board.bondsOf(
      ctx.caller,
      page.map(({ id }) => id),
    );
    const last = page.at(-1);
    const next = rows.length > limit && last !== undefined ? this.cursors.encode(ctx, filter, last.keyset) : null;
    const items = await Promise.all(
      page.map(async ({ id, revision, state }) => {
        const parts = this.records.partsWith(ctx.caller, id, state, bonds.get(id) ?? NO_BONDS);
        return { ...(await this.records.shown(ctx.caller, id, state, parts)), revision };
      }),
    );
    return this.endpoints.list(ctx, { items, next });
  }

  @Get(':id')
  @RouteAction({ action: 'need.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.endpoints.one(ctx, this.records, uuidOf(id));
  }

  @Get(':id/history')
  @RouteAction({ action: 'need.history', anonymous: true })
  history(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() { limit, cursor }: ListQuery,
  ): Promise<HttpAnswer> {
    return this.endpoints.history(ctx, this.records, uuidOf(id), {
      ...(limit === undefined ? {} : { limit }),
      ...(cursor === undefined ? {} : { cursor }),
    });
  }

  @Post(':id/submit')
  @onCommand('SubmitNeed')
  submit(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: SubmitNeedDto): Promise<HttpAnswer> {
    const consent = { circulate: consentOf(body.consent?.circulate), publish: consentOf(body.consent?.publish) };
    return this.command(ctx, id, 'SubmitNeed', (by) => ({ type: 'SubmitNeed', by, consent }));
  }

  @Post(':id/open')
  @onCommand('OpenNeed')
  open(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'OpenNeed', (by) => ({ type: 'OpenNeed', by }));
  }

  @Post(':id/return')
  @onCommand('ReturnNeed')
  giveBack(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReturnNeedDto): Promise<HttpAnswer> {
    const { reasons, note } = body;
    return this.command(ctx, id, 'ReturnNeed', (by) => ({
      type: 'ReturnNeed',
      by,
      reasons,
      ...(note === undefined ? {} : { note }),
    }));
  }

  @Post(':id/set-aside')
  @onCommand('SetAsideNeed')
  setAside(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: SetAsideNeedDto): Promise<HttpAnswer> {
    const { code, note } = body;
    return this.command(ctx, id, 'SetAsideNeed', (by) => ({
      type: 'SetAsideNeed',
      by,
      code,
      ...(note === undefined ? {} : { note }),
    }));
  }

  @Post(':id/object')
  @onCommand('ObjectNeed')
  object(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() { to }: ObjectNeedDto): Promise<HttpAnswer> {
    return this.command(ctx, id, 'ObjectNeed', (by) => ({ type: 'ObjectNeed', by, to }));
  }

  @Post(':id/amend')
  @onCommand('AmendNeed')
  amend(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AmendNeedDto): Promise<HttpAnswer> {
    return this.command(ctx, id, 'AmendNeed', (by) => {
      requireOwnBeneficiary(ctx, body.beneficiaries ?? []);
      return { type: 'AmendNeed', by, changes: changesOf(body) };
    });
  }

  @Post(':id/reaffirm')
  @onCommand('ReaffirmNeed')
  reaffirm(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'ReaffirmNeed', (by) => ({ type: 'ReaffirmNeed', by }));
  }

  @Post(':id/reopen')
  @onCommand('ReopenNeed')
  reopen(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'ReopenNeed', (by) => ({ type: 'ReopenNeed', by }));
  }

  @Post(':id/withdraw')
  @onCommand('WithdrawNeed')
  withdraw(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<HttpAnswer> {
    const reason = reasonOf(body);
    return this.command(ctx, id, 'WithdrawNeed', (by) => ({ type: 'WithdrawNeed', by, reason }));
  }

  @Post(':id/close')
  @onCommand('CloseNeed')
  close(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: CloseNeedDto): Promise<HttpAnswer> {
    const { outcome } = body;
    const waivers = (body.waivers ?? []).map(({ line, reason }) => ({ line, reason }));
    return this.command(ctx, id, 'CloseNeed', (by) => ({ type: 'CloseNeed', by, outcome, waivers }));
  }

  private command(
    ctx: RequestContext,
    id: string,
    type: NeedAction,
    build: (by: CommandContext) => NeedCommand,
  ): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: accessTo(type),
      type,
      ifMatch: 'required',
      prepare: () => build,
    });
  }
}
