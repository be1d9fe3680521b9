import type { HttpAnswer as Answer, RequestContext } from '#web';
import { Ctx } from '#web';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CommitmentCommands, given, numberOf, onCommand, optional } from './commitment-commands.js';
import { DeliveryCorrectionDto, ReturnDto, SettlementDto, VerificationDto } from './commitment-deliveries.dto.js';
import { canonical } from './commitment-fields.dto.js';
import { linkOf } from './commitment-terms.dto.js';
import { ConfirmationDto, DeliveryDto, evidenceOf, WordsBody } from './commitment.dto.js';

/** What arrived, and what is said of it. */
@ApiTags('commitments')
@Controller('v1/commitments')
export class CommitmentDeliveriesController {
  constructor(private readonly commands: CommitmentCommands) {}

  @Post(':id/deliveries')
  @HttpCode(200)
  @onCommand('ReportDelivery', 'optional')
  deliveries(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: DeliveryDto): Promise<Answer> {
    const { leg, quantity, beneficiary, date, evidence } = body;
    return this.commands.report(ctx, id, date, {
      type: 'ReportDelivery',
      leg,
      quantity: canonical(quantity),
      date,
      ...given({ beneficiary, evidence: evidenceOf(evidence) }),
    });
  }

  @Post(':id/deliveries/:n/confirm')
  @HttpCode(200)
  @onCommand('ConfirmDelivery', 'required')
  confirm(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { quantity, condition = 'usable', note }: ConfirmationDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, {
      type: 'ConfirmDelivery',
      n: numberOf(n),
      condition,
      ...given({ quantity: optional(quantity), note }),
    });
  }

  @Post(':id/deliveries/:n/dispute')
  @HttpCode(200)
  @onCommand('DisputeDelivery', 'required')
  dispute(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { reason }: WordsBody,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'DisputeDelivery', n: numberOf(n), reason });
  }

  /** How a dispute ends: settled once both sides state the same; the coordinator records a mediation. */
  @Post(':id/deliveries/:n/settle')
  @HttpCode(200)
  @onCommand('StateSettlement', 'required')
  settle(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { outcome, quantity }: SettlementDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, {
      type: 'StateSettlement',
      n: numberOf(n),
      outcome,
      ...given({ quantity: optional(quantity) }),
    });
  }

  /** What the appointed verifier found. */
  @Post(':id/deliveries/:n/verify')
  @HttpCode(200)
  @onCommand('VerifyDelivery', 'required')
  verify(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { quantity, note, document }: VerificationDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, {
      type: 'VerifyDelivery',
      n: numberOf(n),
      quantity: canonical(quantity),
      ...given({ note, document: linkOf(document) }),
    });
  }

  /** Corrects a tranche until the other side has answered it. */
  @Post(':id/deliveries/:n/correct')
  @HttpCode(200)
  @onCommand('CorrectDelivery', 'required')
  correct(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { quantity, beneficiary, date, evidence, reason }: DeliveryCorrectionDto,
  ): Promise<Answer> {
    if (date !== undefined) this.commands.requireNoFuture(date);
    return this.commands.send(ctx, id, {
      type: 'CorrectDelivery',
      n: numberOf(n),
      reason,
      ...given({ quantity: optional(quantity), beneficiary, date, evidence: evidenceOf(evidence) }),
    });
  }

  /** What was sent back of a tranche; it may be delivered again. */
  @Post(':id/returns')
  @HttpCode(200)
  @onCommand('ReportReturn', 'optional')
  returns(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReturnDto): Promise<Answer> {
    const { delivery, quantity, reason, date } = body;
    return this.commands.report(ctx, id, date, {
      type: 'ReportReturn',
      delivery,
      quantity: canonical(quantity),
      reason,
      date,
    });
  }
}
