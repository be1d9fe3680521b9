import { Controller, Get, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { RequestContext } from '#web';
import { asksFor, Ctx, DEFAULT_LIMIT, EVENT_STREAM, HttpAnswer, RouteAction } from '#web';
import { FeedStreams } from './feed-streams.js';
import { MatchFeed } from './match-feed.js';
import { MatchFeedQuery } from './match-feed.dto.js';
import { MOST_WATCHED } from './watched-matches.js';

const SAYS =
  'Folded from nothing, the items are the matches as `/matches` lists them: `appeared` and `vanished` add and remove one, `improved` and ' +
  '`worsened` give its new score. Read on with `after` = `next`, which is never null: at once while `more` is true, later otherwise. What was ' +
  'undone between two readings is not told. `restart` true: forget what you knew, these items begin anew; it comes where what you may see ' +
  'changed and the process that answers does not know what you were told. `reasons` of what appeared: what stood in the way when you were last ' +
  'told; of what vanished: what stands in the way now. Beside the codes of `/matches`: `need-not-open`; `not-shown`, where the pairing or one of ' +
  'its records is not for you to see, or is gone, alike; `outside-watch`, where your parameters no longer take it in. `components` of what improved ' +
  'or worsened: the parts of the score that are worth another share of it; freshness falls each day. `asOf` and `on` are those of `/matches?at=&on=`. ' +
  `Matches of at most ${MOST_WATCHED} records are watched: 400 beyond. With \`Accept: ${EVENT_STREAM}\` the same pages come as events \`matches\`, ` +
  'each with its `next` as id, which `Last-Event-ID` takes back; every 15 s at least there is an id without data. An event `problem` says why a stream ends.';

@ApiTags('matches')
@Controller('v1/matches')
export class MatchFeedController {
  constructor(
    private readonly feed: MatchFeed,
    private readonly streams: FeedStreams,
  ) {}

  /** What became of matches since the cursor was given: no watch is stored. */
  @Get('feed')
  @RouteAction({
    action: 'match.feed',
    produces: [EVENT_STREAM],
    says: SAYS,
    example: {
      restart: false,
      items: [
        {
          change: 'appeared',
          needId: '019b8d00-0000-7000-8000-00000000000a',
          offerId: '019b8d00-0000-7000-8000-00000000000b',
          score: { before: null, after: 0.7125 },
          reasons: [{ code: 'capacity', because: 'nothing is left of the lines of this offer that would serve' }],
        },
        {
          change: 'worsened',
          needId: '019b8d00-0000-7000-8000-00000000000a',
          offerId: '019b8d00-0000-7000-8000-00000000000c',
          score: { before: 0.75, after: 0.65 },
          reasons: [],
          components: [{ name: 'coverage', before: { weight: 0.2, value: 1 }, after: { weight: 0.2, value: 0.5 } }],
        },
      ],
      next: '4711.WyIiXQ.8kq1Yt0dDqk3mJH0yZ0Nug',
      more: false,
      ruleset: '3',
      asOf: '4711',
      on: '2026-11-29',
    },
  })
  async read(
    @Ctx() ctx: RequestContext,
    @Query() query: MatchFeedQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<HttpAnswer | StreamableFile> {
    const { after, limit = DEFAULT_LIMIT, ...watch } = query;
    if (ctx.method === 'GET' && asksFor(ctx.accept, EVENT_STREAM)) {
      const from = ctx.lastEventId ?? after;
      const asked = from === undefined ? ctx : { ...ctx, query: { ...ctx.query, after: from } };
      const stream = await this.streams.open(asked, { watch, after: from, limit }, reply.raw);
      // Proxies that gather answers would hold events back.
      void reply.header('x-accel-buffering', 'no');
      return new StreamableFile(stream, { type: EVENT_STREAM });
    }
    const page = await this.feed.page(ctx, watch, after, limit);
    const parameters = new URLSearchParams({ ...ctx.query, after: page.next });
    return new HttpAnswer(200, { link: `<${ctx.path}?${parameters.toString()}>; rel="next"` }, page);
  }
}
