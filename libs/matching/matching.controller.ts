import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { RequestContext } from '#web';
import {
  Ctx,
  DEFAULT_LIMIT,
  HttpAnswer,
  ListQuery,
  notFound,
  ReadGate,
  RecordEndpoints,
  RouteAction,
  uuidOf,
} from '#web';
import { Desk } from './desk.js';
import type { BlockedPairing, Match, MatchList } from './matches.js';
import { Matches } from './matches.js';
import { MatchQuery } from './matching.dto.js';

@ApiTags('matches')
@Controller('v1')
export class MatchingController {
  constructor(
    private readonly matches: Matches,
    private readonly desk: Desk,
    private readonly gate: ReadGate,
    private readonly records: RecordEndpoints,
  ) {}

  @Get('needs/:id/matches')
  @RouteAction({ action: 'need.matches', anonymous: true })
  async ofNeed(@Ctx() ctx: RequestContext, @Param('id') id: string, @Query() query: MatchQuery): Promise<HttpAnswer> {
    await this.gate.ready(ctx, 'match-index');
    const { limit = DEFAULT_LIMIT, includeBlocked = false } = query;
    return answer('offerId', await this.matches.forNeed(ctx.caller, uuidOf(id), limit, includeBlocked));
  }

  @Get('offers/:id/matches')
  @RouteAction({ action: 'offer.matches', anonymous: true })
  async ofOffer(@Ctx() ctx: RequestContext, @Param('id') id: string, @Query() query: MatchQuery): Promise<HttpAnswer> {
    await this.gate.ready(ctx, 'match-index');
    const { limit = DEFAULT_LIMIT, includeBlocked = false } = query;
    return answer('needId', await this.matches.forOffer(ctx.caller, uuidOf(id), limit, includeBlocked));
  }

  @Get('desk')
  @RouteAction({ action: 'desk.read' })
  async waiting(@Ctx() ctx: RequestContext, @Query() query: ListQuery): Promise<HttpAnswer> {
    await this.gate.ready(ctx, 'desk');
    return this.records.list(ctx, this.desk.waiting(ctx, query.limit ?? DEFAULT_LIMIT, query.cursor));
  }
}

/** The list as API.md shows it: pairings name the other record by its kind of id. */
const answer = (name: 'offerId' | 'needId', list: MatchList | undefined): HttpAnswer => {
  if (list === undefined) throw notFound();
  const { items, blocked, ruleset, asOf } = list;
  return new HttpAnswer(
    200,
    {},
    {
      items: items.map(({ id, ...match }: Match) => ({ [name]: id, ...match })),
      blocked: blocked.map(({ id, blocks }: BlockedPairing) => ({
        [name]: id,
        reasons: blocks.map(({ code, because }) => ({ code, because })),
        unlock: blocks.map(({ code, change }) => ({ code, change })),
      })),
      ruleset,
      asOf,
    },
  );
};
