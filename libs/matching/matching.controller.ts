import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { RequestContext } from '#web';
import {
  Ctx,
  DEFAULT_LIMIT,
  HttpAnswer,
  invalid,
  ListQuery,
  notFound,
  ReadGate,
  RecordEndpoints,
  RouteAction,
  uuidOf,
} from '#web';
import { Desk } from './desk.js';
import { MATCH_INDEX } from './match-index.projection.js';
import { matchListView } from './match-list.view.js';
import type { MatchList, MatchRequest } from './matches.js';
import { Matches } from './matches.js';
import { MatchQuery } from './matching.dto.js';
import { NEWEST } from './rules/rulesets.js';
import type { Standing } from './standing.js';
import { Standings } from './standings.js';
import { SUGGESTIONS } from './suggestions/suggestions.projection.js';

@ApiTags('matches')
@Controller('v1')
export class MatchingController {
  constructor(
    private readonly matches: Matches,
    private readonly standings: Standings,
    private readonly desk: Desk,
    private readonly gate: ReadGate,
    private readonly records: RecordEndpoints,
  ) {}

  @Get('needs/:id/matches')
  @RouteAction({ action: 'need.matches', anonymous: true })
  async ofNeed(@Ctx() ctx: RequestContext, @Param('id') id: string, @Query() query: MatchQuery): Promise<HttpAnswer> {
    await this.gate.ready(ctx, MATCH_INDEX);
    const needId = uuidOf(id);
    const found = await this.matches.forNeed(ctx.caller, needId, await this.requestOf(query));
    return this.answer(ctx, 'need', needId, found);
  }

  @Get('offers/:id/matches')
  @RouteAction({ action: 'offer.matches', anonymous: true })
  async ofOffer(@Ctx() ctx: RequestContext, @Param('id') id: string, @Query() query: MatchQuery): Promise<HttpAnswer> {
    await this.gate.ready(ctx, MATCH_INDEX);
    const offerId = uuidOf(id);
    const found = await this.matches.forOffer(ctx.caller, offerId, await this.requestOf(query));
    return this.answer(ctx, 'offer', offerId, found);
  }

  @Get('desk')
  @RouteAction({ action: 'desk.read' })
  async waiting(@Ctx() ctx: RequestContext, @Query() query: ListQuery): Promise<HttpAnswer> {
    await this.gate.ready(ctx, 'desk', SUGGESTIONS, MATCH_INDEX);
    return this.records.list(ctx, await this.desk.waiting(ctx, query.limit ?? DEFAULT_LIMIT, query.cursor));
  }

  private answer(ctx: RequestContext, of: 'need' | 'offer', id: string, list: MatchList | undefined): HttpAnswer {
    if (list === undefined) throw notFound();
    const other = of === 'need' ? 'offer' : 'need';
    const compared = [...list.items, ...list.blocked].map((pairing) => pairing.id);
    this.records.noteRead(ctx, of, [id]);
    this.records.noteRead(ctx, other, compared);
    return new HttpAnswer(200, {}, matchListView(`${other}Id`, list));
  }

  private async requestOf(query: MatchQuery): Promise<MatchRequest> {
    const { limit = DEFAULT_LIMIT, includeBlocked = false, ruleset = NEWEST, at, on } = query;
    const standing = at === undefined ? await this.standings.current() : this.past(at, on);
    return { standing, ruleset, limit, withBlocked: includeBlocked };
  }

  /** @throws {Problem} 400 for a position that the log has not come to */
  private past(at: string, on: string | undefined): Standing {
    const standing = this.standings.at(BigInt(at), on);
    if (standing !== undefined) return standing;
    throw invalid([
      { field: 'at', message: `must not be later than ${this.standings.position()}, where matches stand now` },
    ]);
  }
}
