import type { CommandContext, Folded } from '#kernel';
import type { HttpAnswer, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  invalid,
  ReadGate,
  ReasonBody,
  reasonOf,
  RecordEndpoints,
  requireForward,
  RouteAction,
  uuidOf,
} from '#web';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeskCommand, OfferCommand, OfferState } from './offer.js';
import { OFFER_BOARD } from './offer-board.projection.js';
import type { OfferFilter } from './offer-board.js';
import { OfferBoard } from './offer-board.js';
import { OfferRecords } from './offer-records.js';
import { AmendOfferDto, changesOf, contentOf, OfferListQuery, PostOfferDto } from './offer.dto.js';
import { OFFER_PROBLEMS } from './offer.problems.js';
import { accessTo, offerView } from './offer.view.js';
import { Providing } from './providing.js';

const onCommand = (command: DeskCommand | 'DraftOffer') =>
  RouteAction({
    ...accessTo(command),
    problems: OFFER_PROBLEMS,
    ...(command === 'DraftOffer' ? {} : { ifMatch: 'required' as const }),
  });

type Build = (by: CommandContext) => OfferCommand;
type Providers = readonly { readonly party: string }[] | undefined;

/** The lead of an offer is who asks: nobody posts in another's name. */
const requireOwnName = (ctx: RequestContext, providers: Providers): void => {
  if (providers === undefined || providers.some(({ party }) => party === ctx.caller.party)) return;
  throw invalid([
    { field: 'providers', message: `must hold your own party (${ctx.caller.party}), which leads, or be left out` },
  ]);
};

@ApiTags('offers')
@Controller('v1/offers')
export class OffersController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: OfferRecords,
    private readonly board: OfferBoard,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly providers: Providing,
  ) {}

  /** Publishes an offer, or keeps it as a draft. */
  @Post()
  @onCommand('DraftOffer')
  post(@Ctx() ctx: RequestContext, @Body() body: PostOfferDto): Promise<HttpAnswer> {
    return this.endpoints.create(ctx, this.records, {
      access: accessTo('DraftOffer'),
      prepare: async () => {
        requireOwnName(ctx, body.providers);
        const content = contentOf(body, ctx.caller.party);
        const unknownProviders = await this.providers.unknownOf(body.providers);
        const type = body.draft === true ? 'DraftOffer' : 'PostOffer';
        return (by): OfferCommand => ({ type, by, content, unknownProviders });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'offer.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: OfferListQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...given } = query;
    requireForward(given);
    const filter: OfferFilter = { ...given };
    const after = cursor === undefined ? undefined : this.cursors.decode(ctx, filter, cursor);
    await this.gate.ready(ctx, OFFER_BOARD);
    const rows = await this.board.list(
      ctx.caller,
      filter,
      limit + 1,
      after === undefined ? undefined : [String(after[0]), Number(after[1])],
    );
    const page = rows.slice(0, limit);
    const bonds = await this.board.bondsOf(
      ctx.caller,
      page.map(({ id }) => id),
    );
    const last = page.at(-1);
    const next = rows.length > limit && last !== undefined ? this.cursors.encode(ctx, filter, last.keyset) : null;
    const items = page.map(({ id, revision, summary }) => ({
      ...offerView(ctx.caller, id, summary, bonds.get(id) ?? { party: false, eligible: false }),
      revision,
    }));
    return this.endpoints.list(ctx, { items, next });
  }

  @Get(':id')
  @RouteAction({ action: 'offer.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.endpoints.one(ctx, this.records, uuidOf(id));
  }

  @Post(':id/post')
  @HttpCode(200)
  @onCommand('PostOffer')
  publish(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'PostOffer', async ({ state: { summary } }) => {
      const unknownProviders = await this.providers.unknownOf(summary?.content.providers);
      return (by) => ({ type: 'PostOffer', by, unknownProviders });
    });
  }

  @Post(':id/amend')
  @HttpCode(200)
  @onCommand('AmendOffer')
  amend(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AmendOfferDto): Promise<HttpAnswer> {
    return this.command(ctx, id, 'AmendOffer', async () => {
      requireOwnName(ctx, body.providers);
      const changes = changesOf(body, ctx.caller.party);
      const unknownProviders = await this.providers.unknownOf(body.providers);
      return (by) => ({ type: 'AmendOffer', by, changes, unknownProviders });
    });
  }

  @Post(':id/suspend')
  @HttpCode(200)
  @onCommand('SuspendOffer')
  suspend(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'SuspendOffer', () => (by) => ({ type: 'SuspendOffer', by, reason: reasonOf(body) }));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @onCommand('ResumeOffer')
  resume(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'ResumeOffer', () => (by) => ({ type: 'ResumeOffer', by }));
  }

  @Post(':id/withdraw')
  @HttpCode(200)
  @onCommand('WithdrawOffer')
  withdraw(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'WithdrawOffer', () => (by) => ({
      type: 'WithdrawOffer',
      by,
      reason: reasonOf(body),
    }));
  }

  @Post(':id/complete')
  @HttpCode(200)
  @onCommand('CompleteOffer')
  complete(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, 'CompleteOffer', () => (by) => ({ type: 'CompleteOffer', by }));
  }

  private command(
    ctx: RequestContext,
    id: string,
    type: DeskCommand,
    prepare: (folded: Folded<OfferState>) => Build | Promise<Build>,
  ): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: accessTo(type),
      type,
      ifMatch: 'required',
      prepare,
    });
  }
}
