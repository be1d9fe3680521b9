import type { CommandContext } from '#kernel';
import { Clock, Transactor } from '#kernel';
import { dateOf, lastInstant } from '#vocabulary';
import type { HttpAnswer, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  ReadGate,
  ReasonBody,
  reasonOf,
  RecordEndpoints,
  RouteAction,
  uuidOf,
} from '#web';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CONTRIBUTION_BOARD } from './contribution-board.projection.js';
import type { ContributionCommand, ContributionCommandType } from './contribution.js';
import { contributionDecider } from './contribution.js';
import { ContributionRecords } from './contribution-records.js';
import { CONTRIBUTION_ACCESS } from './contribution.view.js';
import { FundBoards } from './fund-boards.js';
import { requireDay } from './funds.controller.js';
import {
  ArrivalDto,
  bodyOf,
  ContributionListQuery,
  PaymentDto,
  PledgeDto,
  pledgeOf,
  RefundDto,
  SignContributionDto,
} from './funds.dto.js';
import { CONTRIBUTION_PROBLEMS } from './funds.problems.js';

const onCommand = (type: keyof typeof CONTRIBUTION_ACCESS, ifMatch?: 'required' | 'optional'): MethodDecorator =>
  RouteAction({
    ...CONTRIBUTION_ACCESS[type],
    problems: CONTRIBUTION_PROBLEMS,
    ...(ifMatch === undefined ? {} : { ifMatch }),
  });

type CommandOf<T extends ContributionCommand['type']> = Extract<ContributionCommand, { type: T }>;
/** A command without who asks, and what the fund says. */
type Unasked<T extends ContributionCommand['type']> = Omit<CommandOf<T>, 'by' | 'fund'>;

@ApiTags('funds')
@Controller('v1/contributions')
export class ContributionsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: ContributionRecords,
    private readonly boards: FundBoards,
    private readonly transactor: Transactor,
    private readonly clock: Clock,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /** Pledges a contribution to a fund. */
  @Post()
  @onCommand('PledgeContribution')
  pledge(@Ctx() ctx: RequestContext, @Body() body: PledgeDto): Promise<HttpAnswer> {
    if (body.date !== undefined) requireDay(ctx, body.date, this.clock.now());
    return this.endpoints.create(ctx, this.records, {
      access: CONTRIBUTION_ACCESS.PledgeContribution,
      ...(body.date === undefined ? {} : { effectiveAt: body.date }),
      prepare: async () => {
        const pledge = pledgeOf(body, this.dayOf(ctx));
        const fund = await this.records.fundFacts(body.fund);
        const donorKeepsBook = await this.keepsBook(ctx.caller.anonymous ? undefined : ctx.caller.party);
        return (by): ContributionCommand => ({
          type: 'PledgeContribution',
          by,
          pledge,
          donorKeepsBook,
          ...(fund === undefined ? {} : { fund }),
        });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'contribution.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: ContributionListQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, filter, cursor)[0]);
    await this.gate.ready(ctx, CONTRIBUTION_BOARD);
    const rows = this.boards.contributions(ctx.caller, filter, {
      limit: limit + 1,
      ...(after === undefined ? {} : { after }),
    });
    const { page, next } = this.cursors.page(ctx, filter, rows, limit, ({ seq }) => [seq]);
    const items = await Promise.all(
      page.map(async ({ id, revision, record }) => ({
        ...(await this.records.shown(ctx.caller, id, record)),
        revision,
      })),
    );
    return this.endpoints.list(ctx, { items, next });
  }

  @Get(':id')
  @RouteAction({ action: 'contribution.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.endpoints.one(ctx, this.records, uuidOf(id));
  }

  @Post(':id/sign')
  @HttpCode(200)
  @onCommand('SignContribution', 'required')
  sign(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: SignContributionDto): Promise<HttpAnswer> {
    const command: Unasked<'SignContribution'> = {
      type: 'SignContribution',
      date: this.dayOf(ctx),
      ...bodyOf<Omit<Unasked<'SignContribution'>, 'type' | 'date'>>(body),
    };
    return this.command(ctx, id, command, body.date);
  }

  /** The donor says that it paid. */
  @Post(':id/payments')
  @HttpCode(200)
  @onCommand('ReportPayment', 'optional')
  pay(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: PaymentDto): Promise<HttpAnswer> {
    const given = bodyOf<Omit<Unasked<'ReportPayment'>, 'type'>>(body);
    return this.command(ctx, id, { type: 'ReportPayment', ...given }, body.date, 'optional');
  }

  /** The fund says what arrived. */
  @Post(':id/receipts')
  @HttpCode(200)
  @onCommand('ReportArrival', 'optional')
  receive(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ArrivalDto): Promise<HttpAnswer> {
    const given = bodyOf<Omit<Unasked<'ReportArrival'>, 'type'>>(body);
    return this.command(ctx, id, { type: 'ReportArrival', ...given }, body.date, 'optional');
  }

  /** The fund pays back. */
  @Post(':id/refunds')
  @HttpCode(200)
  @onCommand('RefundContribution', 'optional')
  refund(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: RefundDto): Promise<HttpAnswer> {
    const given = bodyOf<Omit<Unasked<'RefundContribution'>, 'type'>>(body);
    return this.command(ctx, id, { type: 'RefundContribution', ...given }, body.date, 'optional');
  }

  @Post(':id/close')
  @HttpCode(200)
  @onCommand('CloseContribution', 'required')
  close(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.command(ctx, id, { type: 'CloseContribution' });
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @onCommand('CancelContribution', 'required')
  cancel(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ReasonBody): Promise<HttpAnswer> {
    return this.command(ctx, id, { type: 'CancelContribution', reason: reasonOf(body) });
  }

  private async command(
    ctx: RequestContext,
    id: string,
    command: { [T in ContributionCommandType]: Unasked<T> }[ContributionCommandType],
    date?: string,
    ifMatch: 'required' | 'optional' = 'required',
  ): Promise<HttpAnswer> {
    if (date !== undefined) requireDay(ctx, date, this.clock.now());
    const { contribution } = (await this.transactor.load(contributionDecider, uuidOf(id))).state;
    const party = contribution?.pledge.fund;
    const known = party === undefined ? undefined : await this.records.fundFacts(party);
    return this.endpoints.command(ctx, this.records.of(known?.administrator), id, {
      access: CONTRIBUTION_ACCESS[command.type],
      type: command.type,
      ifMatch,
      ...(date === undefined ? {} : { effectiveAt: date }),
      // Asked again: money may have moved since.
      prepare: async () => {
        const fund = party === undefined ? undefined : await this.records.fundFacts(party);
        const signed =
          command.type === 'SignContribution'
            ? { ...command, donorKeepsBook: await this.keepsBook(contribution?.pledge.donor) }
            : command;
        return (by: CommandContext): ContributionCommand => ({
          ...signed,
          by,
          ...(fund === undefined ? {} : { fund }),
        });
      },
    });
  }

  private async keepsBook(party: string | undefined): Promise<boolean> {
    return party?.startsWith('fund:') === true && (await this.records.fundFacts(party)) !== undefined;
  }

  /** The day of what names none: that of `Effective-At`, else today. */
  private dayOf({ effectiveAt }: RequestContext): string {
    return effectiveAt === undefined ? dateOf(this.clock.now()) : lastInstant(effectiveAt).slice(0, 10);
  }
}
