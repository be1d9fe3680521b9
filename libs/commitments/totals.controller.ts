import type { RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  HttpAnswer,
  momentOf,
  ReadGate,
  RecordEndpoints,
  requireForward,
  RouteAction,
} from '#web';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { COMMITMENT_BOARD } from './commitment-board.projection.js';
import { TotalsEventsQuery, TotalsQuery } from './totals.dto.js';
import type { TotalsFilter } from './totals.js';
import { Totals } from './totals.js';

const FILTERS = ['donor', 'state', 'region', 'network', 'kind', 'instrument', 'from', 'to', 'currency'] as const;

/** @throws {Problem} 400 */
const filterOf = (query: TotalsQuery): TotalsFilter => {
  requireForward(query);
  return {
    ...Object.fromEntries(FILTERS.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]]))),
    moment: momentOf(query.at, query.clock),
  };
};

const USD = (amount: string): object => ({ measure: 'money', currency: 'USD', amount });

@ApiTags('totals')
@Controller('v1/totals')
export class TotalsController {
  constructor(
    private readonly totals: Totals,
    private readonly endpoints: RecordEndpoints,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /** What is committed, disbursed, delivered and confirmed over the boundary the query draws, and what is not counted and why. */
  @Get()
  @RouteAction({
    action: 'totals.read',
    anonymous: true,
    example: {
      committed: [USD('180000.00')],
      disbursed: [USD('60000.00')],
      delivered: [USD('60000.00')],
      confirmed: [USD('60000.00')],
      excluded: [
        {
          commitment: '019b8d00-0000-7000-8000-00000000000c',
          transfer: 2,
          figure: 'disbursed',
          quantity: USD('60000.00'),
          reason: 'onward',
          because: 'Money that a holder passes on, or gives back, was counted when its provider paid it.',
        },
      ],
      excludedCount: 1,
    },
  })
  async read(@Ctx() ctx: RequestContext, @Query() query: TotalsQuery): Promise<HttpAnswer> {
    const filter = filterOf(query);
    await this.gate.ready(ctx, COMMITMENT_BOARD);
    return new HttpAnswer(200, {}, await this.totals.of(ctx.caller, filter));
  }

  /** The events behind the figures, newest first: their signed quantities add up to them. */
  @Get('events')
  @RouteAction({ action: 'totals.events', anonymous: true })
  async events(@Ctx() ctx: RequestContext, @Query() query: TotalsEventsQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...shaping } = query;
    const filter = filterOf(query);
    const after = cursor === undefined ? undefined : this.cursors.decode(ctx, shaping, cursor);
    await this.gate.ready(ctx, COMMITMENT_BOARD);
    const { items, last } = await this.totals.events(
      ctx.caller,
      filter,
      query.figure,
      limit,
      after === undefined ? undefined : { position: String(after[0]), nth: Number(after[1]) },
    );
    const next = last === undefined ? null : this.cursors.encode(ctx, shaping, [last.position, last.nth]);
    const shown = new Set(items.map(({ commitment }) => commitment));
    this.endpoints.noteRead(ctx, 'commitment', [...shown]);
    return this.endpoints.list(ctx, { items, next });
  }
}
