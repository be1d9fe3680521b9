import type { HttpAnswer as Answer, RequestContext } from '#web';
import { Ctx, EmptyBody, ReasonBody, reasonOf } from '#web';
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CommitmentCommands, given, numberOf, onCommand } from './commitment-commands.js';
import { ConditionAnswerDto, FilingDto, linkOf, ReportAnswerDto } from './commitment-terms.dto.js';

/** What the sides agreed beside quantities: whether it holds, and what is reported. */
@ApiTags('commitments')
@Controller('v1/commitments')
export class CommitmentTermsController {
  constructor(private readonly commands: CommitmentCommands) {}

  /** Stops payments and deliveries until this side resumes. */
  @Post(':id/suspend')
  @HttpCode(200)
  @onCommand('SuspendCommitment', 'required')
  suspend(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'SuspendCommitment', reason: reasonOf(body) });
  }

  @Post(':id/resume')
  @HttpCode(200)
  @onCommand('ResumeCommitment', 'required')
  resume(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'ResumeCommitment' });
  }

  /** Finds a condition met: the side it does not lie on. */
  @Post(':id/conditions/:n/meet')
  @HttpCode(200)
  @onCommand('MeetCondition', 'required')
  meet(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { note, document }: ConditionAnswerDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, {
      type: 'MeetCondition',
      n: numberOf(n),
      ...given({ note, document: linkOf(document) }),
    });
  }

  @Post(':id/conditions/:n/waive')
  @HttpCode(200)
  @onCommand('WaiveCondition', 'required')
  waiveCondition(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { note, document }: ConditionAnswerDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, {
      type: 'WaiveCondition',
      n: numberOf(n),
      ...given({ note, document: linkOf(document) }),
    });
  }

  /** Files a report: the party that owes it. */
  @Post(':id/reports/:n/file')
  @HttpCode(200)
  @onCommand('FileReport', 'required')
  file(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { date, reference, document }: FilingDto,
  ): Promise<Answer> {
    const filing = { type: 'FileReport', n: numberOf(n), ...given({ reference, document: linkOf(document) }) } as const;
    return date === undefined
      ? this.commands.send(ctx, id, { ...filing, date: this.commands.dayOf(ctx) })
      : this.commands.report(ctx, id, date, { ...filing, date }, 'required');
  }

  /** Accepts a filed report: the other side, never its author's. */
  @Post(':id/reports/:n/accept')
  @HttpCode(200)
  @onCommand('AcceptReport', 'required')
  acceptReport(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { note }: ReportAnswerDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'AcceptReport', n: numberOf(n), ...given({ note }) });
  }

  @Post(':id/reports/:n/return')
  @HttpCode(200)
  @onCommand('ReturnReport', 'required')
  returnReport(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { note }: ReportAnswerDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'ReturnReport', n: numberOf(n), ...given({ note }) });
  }

  @Post(':id/reports/:n/waive')
  @HttpCode(200)
  @onCommand('WaiveReport', 'required')
  waiveReport(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { note }: ReportAnswerDto,
  ): Promise<Answer> {
    return this.commands.send(ctx, id, { type: 'WaiveReport', n: numberOf(n), ...given({ note }) });
  }
}
