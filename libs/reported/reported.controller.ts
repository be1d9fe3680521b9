import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Actor } from '#kernel';
import { derivedId, ProjectionRunner, Transactor } from '#kernel';
import type { ReportedKind, Role } from '#vocabulary';
import { isKind, isReportedKind } from '#vocabulary';
import type { CommandAccess, RequestContext } from '#web';
import {
  actorOf,
  ConsistencyTokens,
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  HttpAnswer,
  invalid,
  Problem,
  ReadGate,
  RecordEndpoints,
  requireForward,
  RouteAction,
  uuidOf,
} from '#web';
import { draftOfClaim } from './claim-drafting.process.js';
import { boardPage, REPORTED_BOARD } from './reported-board.projection.js';
import type { ReportedFilter, ReportedSort } from './reported-board.projection.js';
import { readReported } from './reported-content.js';
import type { ReportedContent } from './reported.contract.js';
import { DisownDto, ReportDto, ReportedQuery } from './reported.dto.js';
import { DraftFactories } from './draft-factories.js';
import { REPORTED_PROBLEMS } from './reported.problems.js';
import { reportedDecider, stanceOf } from './reported.js';
import type { ReportedCommand } from './reported.js';
import { ReportedRecords } from './reported-records.js';
import { recordedStateOf, seesReported } from './reported.view.js';

const PARTY_ROLES: readonly Role[] = [
  'npc',
  'mission',
  'line-ministry',
  'donor-desk',
  'implementer',
  'fiscal-agent',
  'network-host',
];
const RECORD = { action: 'reported.record', roles: ['coordinator'] } as const satisfies CommandAccess;
const CLAIM = { action: 'reported.claim', roles: PARTY_ROLES } as const satisfies CommandAccess;
const DISOWN = { action: 'reported.disown', roles: PARTY_ROLES } as const satisfies CommandAccess;

/** Claiming a need is filing one, claiming an offer is offering: the roles and the power are those of that. */
const CLAIM_AS: Readonly<Partial<Record<ReportedKind, CommandAccess>>> = {
  need: { action: 'reported.claim', roles: ['npc', 'mission', 'line-ministry', 'network-host'], power: 'file' },
  offer: { action: 'reported.claim', roles: ['donor-desk', 'implementer', 'network-host'], power: 'offer' },
};

@ApiTags('reported')
@Controller('v1/reported')
export class ReportedController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: ReportedRecords,
    private readonly transactor: Transactor,
    private readonly runner: ProjectionRunner,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly tokens: ConsistencyTokens,
    private readonly factories: DraftFactories,
  ) {}

  @Post()
  @RouteAction({ ...RECORD, problems: REPORTED_PROBLEMS })
  async record(@Ctx() ctx: RequestContext, @Body() _body: ReportDto): Promise<HttpAnswer> {
    const read = readReported(ctx.body);
    if (!read.ok) throw invalid(read.faults.map(({ path, message }) => ({ field: path, message })));
    return this.endpoints.create(ctx, this.records, {
      access: RECORD,
      prepare: async (id) => {
        await this.requireParent(ctx, read.value, id);
        return (by): ReportedCommand => ({ type: 'record', by, content: read.value });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'reported.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: ReportedQuery): Promise<HttpAnswer> {
    requireForward(query);
    await this.gate.ready(ctx, REPORTED_BOARD);
    const { limit = DEFAULT_LIMIT, cursor, sort = 'newest' } = query;
    const after = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, query, cursor)[0]);
    // A record does not tell of what it is part of where that is hidden; nor does its list.
    const known = query.partOf === undefined || (await this.records.parent(ctx.caller, query.partOf));
    const rows = known
      ? boardPage(this.runner.model(REPORTED_BOARD), ctx.caller, {
          filter: filterOf(query),
          sort: sort as ReportedSort,
          limit: limit + 1,
          ...(after === undefined ? {} : { after }),
        })
      : [];
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const items = await Promise.all(
      page.map(async ({ id, revision, state }) => ({
        ...(await this.records.shown(ctx.caller, id, state)),
        revision,
      })),
    );
    const next = rows.length > limit && last !== undefined ? this.cursors.encode(ctx, query, [last.seq]) : null;
    return this.endpoints.list(ctx, { items, next });
  }

  @Get(':id')
  @RouteAction({ action: 'reported.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.endpoints.one(ctx, this.records, uuidOf(id));
  }

  @Post(':id/claim')
  @HttpCode(200)
  @RouteAction({ ...CLAIM, problems: REPORTED_PROBLEMS, ifMatch: 'required' })
  async claim(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    const { state } = await this.transactor.load(reportedDecider, uuidOf(id));
    // Which office claims follows from what is claimed; of a record it does not see, a caller learns nothing.
    const known = state.exists && seesReported(ctx.caller, id, state) ? CLAIM_AS[state.content.kind] : undefined;
    const access = known ?? CLAIM;
    const answer = await this.endpoints.command(ctx, this.records, id, {
      access,
      type: 'claim',
      ifMatch: 'required',
      prepare:
        () =>
        (by): ReportedCommand => ({ type: 'claim', by, draftId: derivedId('claimed-draft', id, ctx.caller.party) }),
    });
    return this.drafted(ctx, id, actorOf(ctx.caller, access), answer);
  }

  @Post(':id/disown')
  @HttpCode(200)
  @RouteAction({ ...DISOWN, problems: REPORTED_PROBLEMS, ifMatch: 'required' })
  disown(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() { note }: DisownDto): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: DISOWN,
      type: 'disown',
      ifMatch: 'required',
      prepare:
        () =>
        (by): ReportedCommand => ({ type: 'disown', by, ...(note === undefined ? {} : { note }) }),
    });
  }

  /** Writes the draft at once, so that its `Location` can be followed; the process `claim-drafting` would write the same. */
  private async drafted(ctx: RequestContext, id: string, claimant: Actor, answer: HttpAnswer): Promise<HttpAnswer> {
    const folded = await this.transactor.load(reportedDecider, id);
    const state = recordedStateOf(folded);
    const draft = stanceOf(state, claimant.party)?.draft;
    if (draft === undefined) return answer;
    const command = draftOfClaim(this.factories.all, { reportedId: id, content: state.content, draft, claimant });
    const outcome = await this.transactor.transact(command.decider, command.id, command.command, {
      commandId: derivedId('claimed-draft-command', id, claimant.party),
      correlationId: ctx.correlationId,
      causationId: null,
      actor: claimant,
    });
    if (outcome.kind === 'refused') {
      const { code, detail } = outcome.rejection;
      // The port answers the refusal that means "drafted already"; any other is a fault of the code.
      if (command.refused === undefined) throw new Error(`the claimed ${draft.kind} was refused: ${code}, ${detail}`);
      command.refused(outcome.rejection);
    }
    const position = outcome.folded.position > folded.position ? outcome.folded.position : folded.position;
    return new HttpAnswer(
      answer.status,
      {
        ...answer.headers,
        location: `/v1/${draft.kind === 'need' ? 'needs' : 'offers'}/${draft.id}`,
        'consistency-token': this.tokens.encode(position),
      },
      answer.body,
    );
  }

  /** @throws 404 where `partOf` names nothing that this coordinator sees */
  private async requireParent(ctx: RequestContext, { partOf }: ReportedContent, id: string): Promise<void> {
    if (partOf === undefined) return;
    if (partOf !== id && (await this.records.parent(ctx.caller, partOf))) return;
    throw Problem.of('not-found', 'partOf: there is no such reported record or commitment, or you may not see it.', {
      errors: [{ field: 'partOf', message: 'names no reported record or commitment that you may see' }],
    });
  }
}

const filterOf = ({ kind, limit: _limit, cursor: _cursor, sort: _sort, ...filter }: ReportedQuery): ReportedFilter =>
  ({
    ...filter,
    // The two code lists share no code: one parameter serves both.
    ...(isReportedKind(kind) ? { kind } : {}),
    ...(isKind(kind) && filter.assistance === undefined ? { assistance: kind } : {}),
  }) as ReportedFilter;
