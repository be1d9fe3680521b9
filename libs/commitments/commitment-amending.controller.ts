import type { HttpAnswer as Answer, RequestContext } from '#web';
import { Ctx, EmptyBody, ReasonBody, reasonOf, uuidOf } from '#web';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AmendmentDeclineDto, AmendmentDto, amendedLegsOf } from './commitment-amending.dto.js';
import { CommitmentCommands, given, onCommand } from './commitment-commands.js';
import { Decisions } from './commitment-decisions.js';
import { CommitmentOutcomes } from './commitment-outcomes.js';
import { Proposing } from './commitment-proposing.js';
import { ExtensionDto, extensionDates, termsOf } from './commitment-terms.dto.js';

/** Changes to what was agreed: proposed by one side, agreed by the other, reserved at offer and need. */
@ApiTags('commitments')
@Controller('v1/commitments')
export class CommitmentAmendingController {
  constructor(
    private readonly commands: CommitmentCommands,
    private readonly proposing: Proposing,
    private readonly outcomes: CommitmentOutcomes,
    private readonly decisions: Decisions,
  ) {}

  /** Proposes to change legs, agencies or terms; it stands for 30 days. */
  @Post(':id/amend')
  @HttpCode(200)
  @onCommand('ProposeAmendment', 'required')
  amend(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AmendmentDto): Promise<Answer> {
    const { implementer, fiscalAgent, reason } = body;
    const legs = body.legs === undefined ? undefined : amendedLegsOf(body.legs);
    const terms = body.terms === undefined ? undefined : termsOf(body.terms);
    return this.commands.send(ctx, id, {
      type: 'ProposeAmendment',
      build: async ({ state }) => ({
        type: 'ProposeAmendment',
        reason,
        facts: await this.proposing.amendmentFacts(ctx.caller, state, given({ legs, implementer, fiscalAgent })),
        ...given({ legs, implementer, fiscalAgent, terms }),
        ...(await this.decisions.of(ctx.caller.party, state.needId, uuidOf(id))),
      }),
    });
  }

  /** Proposes later dates and nothing else. */
  @Post(':id/extend')
  @HttpCode(200)
  @onCommand('ProposeAmendment', 'required')
  extend(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ExtensionDto): Promise<Answer> {
    return this.commands.send(ctx, id, {
      type: 'ProposeAmendment',
      extension: extensionDates(body),
      reason: body.reason,
    });
  }

  @Post(':id/amend-accept')
  @HttpCode(200)
  @onCommand('AcceptAmendment', 'required')
  accept(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<Answer> {
    return this.commands.send(
      ctx,
      id,
      {
        type: 'AcceptAmendment',
        build: async ({ state }) => ({
          type: 'AcceptAmendment',
          earmarkFacts: await this.proposing.amendedEarmarkFacts(state),
          ...(await this.decisions.of(ctx.caller.party, state.needId, uuidOf(id))),
        }),
      },
      { settle: (commitment, waitMs, since) => this.outcomes.amendment(commitment, waitMs, since) },
    );
  }

  @Post(':id/amend-decline')
  @HttpCode(200)
  @onCommand('DeclineAmendment', 'required')
  decline(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AmendmentDeclineDto): Promise<Answer> {
    const { reason } = body;
    return this.commands.send(ctx, id, {
      type: 'DeclineAmendment',
      ...(reason === undefined ? {} : { reason: reasonOf(Object.assign(new ReasonBody(), { reason })) }),
    });
  }

  /** Takes an own proposal back. */
  @Post(':id/amend-withdraw')
  @HttpCode(200)
  @onCommand('WithdrawAmendment', 'required')
  withdraw(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'WithdrawAmendment' });
  }
}
