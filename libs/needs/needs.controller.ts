import { hasRole } from '#directory/contract';
import type { CommandContext, Folded } from '#kernel';
import { isUuid, Transactor } from '#kernel';
import type { HttpAnswer, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  forbidden,
  invalid,
  notFound,
  ReadGate,
  ReasonBody,
  reasonOf,
  RecordEndpoints,
  requireForward,
  RouteAction,
  uuidOf,
} from '#web';
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { NeedCommand, NeedState, SurvivorFacts } from './need.js';
import { FILING_ROLES, needDecider, principalOf } from './need.js';
import { NEED_BOARD } from './need-board.projection.js';
import { NeedBoard } from './need-board.js';
import { NeedRecords } from './need-records.js';
import { NO_BONDS } from './need-sight.js';
import {
  AmendNeedDto,
  assessmentOf,
  AssessNeedDto,
  changesOf,
  CloseNeedDto,
  contentOf,
  FileNeedDto,
  MergeNeedDto,
  NeedListQuery,
  ObjectNeedDto,
  ReturnNeedDto,
  SetAsideNeedDto,
  SubmitNeedDto,
} from './need.dto.js';
import { NEED_PROBLEMS } from './needs.problems.js';
import type { NeedAction } from './need.view.js';
import { accessFor, routeAccess } from './need.view.js';

const onCommand = (type: NeedAction): MethodDecorator =>
  RouteAction({ ...routeAccess(type), problems: NEED_PROBLEMS, ifMatch: 'required' });

const consentOf = (given: boolean | undefined): 'yes' | 'asked' => (given === true ? 'yes' : 'asked');

/**
 * Whom a filing is for: an office files for its own State, a host for its network and States of it, a coordinator on behalf of a State.
 * @throws {Problem} 400 or 403
 */
const filingFor = (
  { caller }: RequestContext,
  { onBehalfOf, beneficiaries, authorityRef, documents = [] }: FileNeedDto,
): { readonly beneficiaries: readonly string[]; readonly onBehalfOf?: string } => {
  const { party } = caller;
  const office = hasRole(caller, ...FILING_ROLES);
  if (onBehalfOf === undefined) {
    if (!office) throw forbidden('A coordinator files on behalf of a State: name it in onBehalfOf.');
    const named = beneficiaries ?? [party];
    if (!party.startsWith('network:') && !named.includes(party)) {
      throw forbidden(`An office of ${party} files for ${party}, alone or beside others.`);
    }
    return { beneficiaries: named };
  }
  if (office) throw forbidden('onBehalfOf is for coordinators: an office files in its own name.');
  const named = beneficiaries ?? [onBehalfOf];
  const faults = [
    ...(named.includes(onBehalfOf) ? [] : [{ field: 'beneficiaries', message: `must include ${onBehalfOf}` }]),
    ...(authorityRef === undefined
      ? [{ field: 'authorityRef', message: 'must be given on behalf of a State: the note by which it asks' }]
      : []),
    ...(documents.length === 0
      ? [{ field: 'documents', message: 'must have at least one on behalf of a State: the note by which it asks' }]
      : []),
  ];
  if (faults.length > 0) throw invalid(faults);
  return { beneficiaries: named, onBehalfOf };
};

@Controller('v1/needs')
export class NeedsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: NeedRecords,
    private readonly board: NeedBoard,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly transactor: Transactor,
  ) {}

  /** Files a need as a draft that only its own office sees. */
  @Post()
  @RouteAction({ ...routeAccess('DraftNeed'), problems: NEED_PROBLEMS })
  file(@Ctx() ctx: RequestContext, @Body() body: FileNeedDto): Promise<HttpAnswer> {
    const filer = ctx.caller.party;
    return this.endpoints.create(ctx, this.records, {
      access: accessFor(ctx.caller, 'DraftNeed'),
      prepare: () => {
        const whom = filingFor(ctx, body);
        const content = contentOf(body);
        return (by): NeedCommand => ({ type: 'DraftNeed', by, filer, ...whom, content });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'need.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: NeedListQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    requireForward(filter);
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
    return this.command(ctx, id, 'AmendNeed', (by) => ({ type: 'AmendNeed', by, changes: changesOf(body) }));
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
    return this.command(ctx, id, 'WithdrawNeed', (by, { state }) => ({
      type: 'WithdrawNeed',
      by,
      reason,
      groupLive: this.records.groupLive(state),
    }));
  }

  @Post(':id/close')
  @onCommand('CloseNeed')
  close(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: CloseNeedDto): Promise<HttpAnswer> {
    const { outcome } = body;
    const waivers = (body.waivers ?? []).map(({ line, reason }) => ({ line, reason }));
    return this.command(ctx, id, 'CloseNeed', (by, { state }) => ({
      type: 'CloseNeed',
      by,
      outcome,
      waivers,
      groupLive: this.records.groupLive(state),
    }));
  }

  @Post(':id/consent-participation')
  @onCommand('ConsentParticipation')
  consentParticipation(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() _body: EmptyBody,
  ): Promise<HttpAnswer> {
    return this.command(ctx, id, 'ConsentParticipation', (by) => ({ type: 'ConsentParticipation', by }));
  }

  @Post(':id/withdraw-participation')
  @onCommand('WithdrawParticipation')
  withdrawParticipation(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() _body: EmptyBody,
  ): Promise<HttpAnswer> {
    return this.command(ctx, id, 'WithdrawParticipation', (by) => ({ type: 'WithdrawParticipation', by }));
  }

  @Post(':id/ratify')
  @onCommand('RatifyNeed')
  ratify(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'RatifyNeed', (by) => ({ type: 'RatifyNeed', by }));
  }

  @Post(':id/assess')
  @onCommand('AssessNeed')
  assess(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AssessNeedDto): Promise<HttpAnswer> {
    const assessment = assessmentOf(body);
    return this.command(ctx, id, 'AssessNeed', (by) => ({ type: 'AssessNeed', by, ...assessment }));
  }

  /** Merges this need into another of the same beneficiaries. */
  @Post(':id/merge')
  @onCommand('MergeNeed')
  merge(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() { into }: MergeNeedDto): Promise<HttpAnswer> {
    if (into === id) throw invalid([{ field: 'into', message: 'must be another need' }]);
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: accessFor(ctx.caller, 'MergeNeed'),
      type: 'MergeNeed',
      ifMatch: 'required',
      prepare: async () => {
        const survivor = await this.survivor(ctx, into);
        return (by): NeedCommand => ({ type: 'MergeNeed', by, into, survivor });
      },
    });
  }

  @Post(':id/unmerge')
  @onCommand('UnmergeNeed')
  unmerge(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'UnmergeNeed', (by) => ({ type: 'UnmergeNeed', by }));
  }

  /** @throws {Problem} 404 where the need is absent or hidden from the caller */
  private async survivor({ caller }: RequestContext, id: string): Promise<SurvivorFacts> {
    if (!isUuid(id)) throw notFound();
    const { state } = await this.transactor.load(needDecider, id);
    const { status, beneficiaries } = state;
    if (status === 'absent' || !(await this.records.sees(caller, id, state))) throw notFound();
    return { status, beneficiaries, principal: principalOf(state) };
  }

  private command(
    ctx: RequestContext,
    id: string,
    type: NeedAction,
    build: (by: CommandContext, folded: Folded<NeedState>) => NeedCommand,
  ): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: accessFor(ctx.caller, type),
      type,
      ifMatch: 'required',
      prepare: (folded) => (by) => build(by, folded),
    });
  }
}
