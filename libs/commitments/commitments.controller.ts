import type { HttpAnswer as Answer, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
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
import { CommitmentBoard } from './commitment-board.js';
import { COMMITMENT_BOARD } from './commitment-board.projection.js';
import { CommitmentCommands, given, onCommand } from './commitment-commands.js';
import { Decisions } from './commitment-decisions.js';
import { CommitmentOutcomes } from './commitment-outcomes.js';
import { CommitmentProposals } from './commitment-proposals.js';
import { CommitmentRecords } from './commitment-records.js';
import { CommitmentListQuery, legsOf, ProposeCommitmentDto } from './commitment.dto.js';

@ApiTags('commitments')
@Controller('v1/commitments')
export class CommitmentsController {
  constructor(
    private readonly commands: CommitmentCommands,
    private readonly endpoints: RecordEndpoints,
    private readonly records: CommitmentRecords,
    private readonly board: CommitmentBoard,
    private readonly proposals: CommitmentProposals,
    private readonly outcomes: CommitmentOutcomes,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly decisions: Decisions,
  ) {}

  /** Proposes to bind lines of an offer to lines of a need. */
  @Post()
  @onCommand('ProposeCommitment')
  propose(@Ctx() ctx: RequestContext, @Body() body: ProposeCommitmentDto): Promise<Answer> {
    const { offerId, needId, legs } = body;
    return this.proposals.send(ctx, body, () => ({ offerId, needId, legs: legsOf(legs) }));
  }

  @Get()
  @RouteAction({ action: 'commitment.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: CommitmentListQuery): Promise<Answer> {
    const { limit = DEFAULT_LIMIT, cursor, ...rest } = query;
    requireForward(rest);
    const filter = given({ ...rest });
    const after = cursor === undefined ? undefined : this.cursors.decode(ctx, filter, cursor);
    await this.gate.ready(ctx, COMMITMENT_BOARD);
    const { items, last } = await this.board.page(
      ctx.caller,
      filter,
      limit,
      after === undefined ? undefined : { seq: Number(after[0]), deadline: String(after[1]) },
    );
    const next = last === undefined ? null : this.cursors.encode(ctx, filter, [last.seq, last.deadline]);
    return this.endpoints.list(ctx, { items, next });
  }

  @Get(':id')
  @RouteAction({ action: 'commitment.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<Answer> {
    return this.endpoints.one(ctx, this.records, uuidOf(id));
  }

  @Post(':id/accept')
  @HttpCode(200)
  @onCommand('AcceptCommitment', 'required')
  accept(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<Answer> {
    return this.commands.send(
      ctx,
      id,
      { type: 'AcceptCommitment' },
      {
        settle: (commitment, waitMs, since) => this.outcomes.acceptance(commitment, waitMs, since),
      },
    );
  }

  @Post(':id/decline')
  @HttpCode(200)
  @onCommand('DeclineCommitment', 'required')
  decline(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'DeclineCommitment', reason: reasonOf(body) });
  }

  @Post(':id/withdraw')
  @HttpCode(200)
  @onCommand('WithdrawCommitment', 'required')
  withdraw(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'WithdrawCommitment', reason: reasonOf(body) });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @onCommand('CancelCommitment', 'required')
  cancel(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'CancelCommitment', reason: reasonOf(body) });
  }

  @Post(':id/consent-task')
  @HttpCode(200)
  @onCommand('ConsentTask', 'required')
  consentTask(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'ConsentTask' });
  }

  @Post(':id/decline-task')
  @HttpCode(200)
  @onCommand('DeclineTask', 'required')
  declineTask(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'DeclineTask', reason: reasonOf(body) });
  }

  @Post(':id/sign')
  @HttpCode(200)
  @onCommand('SignCommitment', 'required')
  sign(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<Answer> {
    return this.decisions.inTurn(ctx.caller.party, id, () =>
      this.commands.send(ctx, id, {
        type: 'SignCommitment',
        build: async ({ state }) => ({
          type: 'SignCommitment',
          ...(await this.decisions.of(ctx.caller.party, state.needId, uuidOf(id))),
        }),
      }),
    );
  }

  @Post(':id/close')
  @HttpCode(200)
  @onCommand('CloseCommitment', 'required')
  close(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'CloseCommitment' });
  }
}
