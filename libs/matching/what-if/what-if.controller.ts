import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { RequestContext } from '#web';
import { Ctx, forbidden, hasAuthority, HttpAnswer, ReadGate, RouteAction } from '#web';
import { MATCH_INDEX } from '../match-index.projection.js';
import { questionOf } from './question.js';
import { WhatIf } from './what-if.js';
import { WhatIfDto } from './what-if.dto.js';
import { WHAT_IF_PROBLEMS } from './what-if.problems.js';

const ALLOCATE = { action: 'what-if.allocate', roles: ['coordinator'] } as const;

@ApiTags('matches')
@Controller('v1/what-if')
export class WhatIfController {
  constructor(
    private readonly whatIf: WhatIf,
    private readonly gate: ReadGate,
  ) {}

  @Post()
  @HttpCode(200)
  @RouteAction({
    action: 'what-if.ask',
    asks: true,
    problems: WHAT_IF_PROBLEMS,
    says:
      'Matches as they are and as they would be, of the records asked for, supposed or changed; with `allocation`, also what could be allocated. ' +
      "Nothing is written or bound. A change is judged by the record's own rules, as its owner's amendment would be. Only records that the caller " +
      'sees take part; behind one that there is not stands the caller: its other side sees it, and it sees what the caller sees.',
  })
  async ask(@Ctx() ctx: RequestContext, @Body() body: WhatIfDto): Promise<HttpAnswer> {
    const question = questionOf(body, ctx.caller);
    if (question.allocation !== undefined && !hasAuthority(ctx.caller, ALLOCATE)) {
      throw forbidden('Allocations are for coordinators: leave allocation out.');
    }
    await this.gate.ready(ctx, MATCH_INDEX);
    return new HttpAnswer(200, {}, await this.whatIf.answer(ctx.caller, question));
  }
}
