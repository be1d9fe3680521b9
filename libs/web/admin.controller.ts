import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Clock } from '#kernel';
import { HttpAnswer } from './http-answer.js';
import { Ctx, type RequestContext } from './request-context.js';
import { RouteAction } from './route-action.js';
import type { ProjectionView } from './upkeep.js';
import { ServiceKeys, Upkeep, UPKEEP_PROBLEMS } from './upkeep.js';

const OPERATOR = ['operator'] as const;
/** How long a rebuild is waited for unless `Prefer: wait` says less or more, in seconds. */
const PATIENCE_S = 5;

const PROJECTION = { name: 'need-board', version: 1, state: 'current', position: '4711', lag: '0' };

/** What `npm run admin` asks and orders. */
@ApiTags('admin')
@Controller('v1/admin')
export class AdminController {
  constructor(
    private readonly upkeep: Upkeep,
    private readonly keys: ServiceKeys,
    private readonly clock: Clock,
  ) {}

  @Get('projections')
  @RouteAction({ action: 'admin.projections', roles: OPERATOR, example: { items: [PROJECTION] } })
  async projections(): Promise<{ readonly items: readonly ProjectionView[] }> {
    return { items: await this.upkeep.projections() };
  }

  @Get('processes')
  @RouteAction({
    action: 'admin.processes',
    roles: OPERATOR,
    example: { items: [{ name: 'capacity-holding', position: '4711', lag: '0', stuck: [] }] },
  })
  async processes(): Promise<object> {
    return { items: await this.upkeep.processViews() };
  }

  /** 200 once it is done, 202 while it goes on. */
  @Post('projections/:name/rebuild')
  @RouteAction({ action: 'admin.rebuild', roles: OPERATOR, problems: UPKEEP_PROBLEMS, example: PROJECTION })
  async rebuild(@Ctx() { waitSeconds = PATIENCE_S }: RequestContext, @Param('name') name: string): Promise<HttpAnswer> {
    const projection = await this.upkeep.rebuild(name, waitSeconds * 1000);
    return new HttpAnswer(projection.rebuildingSince === undefined ? 200 : 202, {}, projection);
  }

  @Post('projections/:name/release')
  @HttpCode(200)
  @RouteAction({ action: 'admin.release', roles: OPERATOR, problems: UPKEEP_PROBLEMS, example: PROJECTION })
  release(@Param('name') name: string): Promise<ProjectionView> {
    return this.upkeep.release(name);
  }

  /** `local-issuer` signs tokens, `seals` marks cursors and consistency tokens. */
  @Post('keys/:name/rotate')
  @HttpCode(200)
  @RouteAction({
    action: 'admin.rotate-key',
    roles: OPERATOR,
    problems: UPKEEP_PROBLEMS,
    example: { name: 'seals', olderAcceptedUntil: '2026-11-22T22:00:00.000Z' },
  })
  rotate(@Param('name') name: string): object {
    return { name, olderAcceptedUntil: this.keys.rotate(name, this.clock.now()).toISOString() };
  }
}
