import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Clock } from '#kernel';
import { Text } from './dto.js';
import { HttpAnswer } from './http-answer.js';
import { Ctx, type RequestContext } from './request-context.js';
import { RouteAction } from './route-action.js';
import type { DeadLetterView, ProjectionView } from './upkeep.js';
import { ServiceKeys, Upkeep, UPKEEP_PROBLEMS } from './upkeep.js';

const OPERATOR = ['operator'] as const;
/** How long a rebuild is waited for unless `Prefer: wait` says less or more, in seconds. */
const PATIENCE_S = 5;

const PROJECTION = { name: 'need-board', version: 1, state: 'current', position: '4711', lag: '0' };

const LETTER = {
  ...{ process: 'capacity-holding', stream: 'commitment-0192…', revision: 0, position: '4711', eventId: '0192…' },
  ...{ eventType: 'CommitmentProposed', reason: 'TypeError', attempts: 10, since: '2026-11-28T10:00:00.000Z' },
};

/** Which stream; every one of the process where none is named. */
class ReplayOrder {
  @Text({ max: 300, required: false })
  readonly stream?: string;
}

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

  /** Streams that a process gave up on, after several attempts; one process on one file never does. */
  @Get('dead-letters')
  @RouteAction({ action: 'admin.dead-letters', roles: OPERATOR, example: { items: [LETTER] } })
  async deadLetters(): Promise<{ readonly items: readonly DeadLetterView[] }> {
    return { items: await this.upkeep.deadLetters() };
  }

  /** A letter goes once its stream was handled to its end. */
  @Post('processes/:name/replay')
  @HttpCode(200)
  @RouteAction({ action: 'admin.replay', roles: OPERATOR, example: { items: [LETTER] } })
  async replay(
    @Param('name') name: string,
    @Body() { stream }: ReplayOrder,
  ): Promise<{ readonly items: readonly DeadLetterView[] }> {
    return { items: await this.upkeep.replay(name, stream) };
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
