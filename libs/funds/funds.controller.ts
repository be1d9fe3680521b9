import type { CommandContext } from '#kernel';
import { Clock, Transactor } from '#kernel';
import { NeedReader } from '#needs/contract';
import { fixedDecimal, isFuture, isPartyId, minorUnits } from '#vocabulary';
import type { RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  HttpAnswer,
  invalid,
  notFound,
  ReadGate,
  RecordEndpoints,
  requireSameMoment,
  RouteAction,
} from '#web';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Attributed } from './attribution.js';
import { attribute, SHARE_SCALE } from './attribution.js';
import { callDecider, mayBeApproved } from './call.js';
import { CONTRIBUTION_BOARD } from './contribution-board.projection.js';
import type { Allocation } from './fund.contract.js';
import { FUND_BOARD } from './fund-board.projection.js';
import { FundBoards } from './fund-boards.js';
import { FundRecords } from './fund-records.js';
import { isInsider, seesLabelled } from './fund-sight.js';
import type { FundBook, FundCommand, FundCommandType } from './fund.js';
import { moneyOf } from './fund.js';
import { FUND_ACCESS } from './fund.view.js';
import {
  AmendFundDto,
  AttachDocumentDto,
  AttributionQuery,
  BookingDto,
  bookingOf,
  ClosePeriodDto,
  DecisionDto,
  decisionOf,
  documentOf,
  EstablishFundDto,
  FundListQuery,
  ReleaseDto,
  termChangesOf,
  termsOf,
} from './funds.dto.js';
import { FUND_PROBLEMS } from './funds.problems.js';
import { RegisteredParties } from './registered-parties.js';

/** A path id of another form is no fund. */
/** @throws {Problem} 404 */
export const fundOf = (id: string): string => {
  if (!isPartyId(id) || !id.startsWith('fund:')) throw notFound();
  return id;
};

/** A number in a path; anything else names nothing. */
export const numberOf = (text: string): number => {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw notFound();
  return Number(text);
};

/** @throws {Problem} 400 where the day has come nowhere on Earth, or the header says another */
export const requireDay = (ctx: RequestContext, date: string, now: Date): void => {
  if (isFuture(date, now)) {
    throw invalid([{ field: 'date', message: 'must not lie after today (the latest date anywhere on Earth)' }]);
  }
  requireSameMoment(ctx, 'date', date);
};

const onCommand = (type: keyof typeof FUND_ACCESS, ifMatch?: 'required' | 'optional'): MethodDecorator =>
  RouteAction({ ...FUND_ACCESS[type], problems: FUND_PROBLEMS, ...(ifMatch === undefined ? {} : { ifMatch }) });

@ApiTags('funds')
@Controller('v1/funds')
export class FundsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: FundRecords,
    private readonly boards: FundBoards,
    private readonly parties: RegisteredParties,
    private readonly needs: NeedReader,
    private readonly transactor: Transactor,
    private readonly clock: Clock,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /** Establishes the book of a registered fund: from then on it signs commitments under its decisions alone. */
  @Post()
  @onCommand('EstablishFund')
  establish(@Ctx() ctx: RequestContext, @Body() body: EstablishFundDto): Promise<HttpAnswer> {
    const { fund } = body;
    return this.endpoints.create(ctx, this.records, {
      access: FUND_ACCESS.EstablishFund,
      id: fund,
      prepare: async () => {
        const terms = termsOf(body);
        const unregistered = await this.unregistered(fund, body.administrator);
        return (by): FundCommand => ({ type: 'EstablishFund', by, fund, terms, unregistered });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'fund.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: FundListQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, filter, cursor)[0]);
    await this.gate.ready(ctx, FUND_BOARD, CONTRIBUTION_BOARD);
    const rows = this.boards.funds(ctx.caller, filter, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
    const { page, next } = this.cursors.page(ctx, filter, rows, limit, ({ seq }) => [seq]);
    const items = await Promise.all(
      page.map(async ({ revision, record }) => ({ ...(await this.records.shown(ctx.caller, record)), revision })),
    );
    return this.endpoints.list(ctx, { items, next });
  }

  @Get(':id')
  @RouteAction({ action: 'fund.read', anonymous: true })
  async one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    // Contributions are figures of other streams.
    await this.gate.ready(ctx, CONTRIBUTION_BOARD);
    return this.endpoints.one(ctx, this.records, fundOf(id));
  }

  /** What each donor's money stands for, by proportion: never a total. Donors the caller may not see stand together. */
  @Get(':id/attribution')
  @RouteAction({ action: 'fund.attribution', anonymous: true })
  async attribution(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() { from = '0001-01-01', to = '9999-12-31' }: AttributionQuery,
  ): Promise<HttpAnswer> {
    const fund = fundOf(id);
    const { book } = (await this.endpoints.seen(ctx, this.records, fund)).state;
    if (book === undefined) throw notFound();
    await this.gate.ready(ctx, CONTRIBUTION_BOARD);
    const within = (date: string): boolean => from <= date && date <= to;
    const contributed = this.boards.contributionsTo(fund).map(({ id: contribution, record }) => {
      const { donor, visibility } = record.pledge;
      const booked = (moves: typeof record.receipts | typeof record.refunds): bigint =>
        moves
          .filter(({ date }) => within(date))
          .reduce((sum, { amount, credited = amount }) => sum + minorUnits(credited), 0n);
      const label = { id: contribution, fund, donor, visibility };
      return {
        donor,
        received: booked(record.receipts) - booked(record.refunds),
        seen: seesLabelled(ctx.caller, label, isInsider(ctx.caller, book.terms)),
      };
    });
    const allocated = book.decisions
      .filter(({ date }) => within(date))
      .flatMap(({ allocations }) => allocations)
      .reduce((sum, { amount, released }) => sum + minorUnits(amount) - minorUnits(released), 0n);
    const parts = attribute(receivedBy(contributed), allocated);
    return new HttpAnswer(
      200,
      {},
      {
        fund,
        basis: 'pro-rata',
        notATotal: true,
        ...(from === '0001-01-01' ? {} : { from }),
        ...(to === '9999-12-31' ? {} : { to }),
        currency: book.terms.currency,
        received: moneyOf(
          book.terms,
          parts.reduce((sum, part) => sum + part.received, 0n),
        ),
        allocated: moneyOf(book.terms, allocated),
        items: attributionRows(book, parts),
        // Nothing came in these days that what was decided in them could be laid to.
        ...(parts.length === 0 ? { unattributed: moneyOf(book.terms, allocated) } : {}),
      },
    );
  }

  @Post(':id/amend')
  @HttpCode(200)
  @onCommand('AmendFundTerms', 'required')
  amend(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AmendFundDto): Promise<HttpAnswer> {
    return this.command(ctx, id, 'AmendFundTerms', async () => {
      const changes = termChangesOf(body);
      const unregistered = await this.unregistered(body.administrator);
      return (by) => ({ type: 'AmendFundTerms', by, changes, unregistered });
    });
  }

  @Post(':id/bookings')
  @HttpCode(200)
  @onCommand('BookFund', 'optional')
  book(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: BookingDto): Promise<HttpAnswer> {
    if (body.kind === 'exchange-difference' && body.effect === undefined) {
      throw invalid([{ field: 'effect', message: 'is required: an exchange difference is a gain or a loss' }]);
    }
    return this.dated(
      ctx,
      id,
      'BookFund',
      body.date,
      () => {
        const booking = bookingOf(body);
        return (by) => ({ type: 'BookFund', by, ...booking });
      },
      'optional',
    );
  }

  @Post(':id/close-period')
  @HttpCode(200)
  @onCommand('ClosePeriod', 'required')
  closePeriod(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: ClosePeriodDto): Promise<HttpAnswer> {
    const { from, to } = body.period;
    return this.command(ctx, id, 'ClosePeriod', () => (by) => ({ type: 'ClosePeriod', by, period: { from, to } }));
  }

  @Post(':id/documents')
  @HttpCode(200)
  @onCommand('AttachFundDocument', 'required')
  attach(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AttachDocumentDto): Promise<HttpAnswer> {
    const document = documentOf(body);
    return this.command(ctx, id, 'AttachFundDocument', () => (by) => ({ type: 'AttachFundDocument', by, document }));
  }

  /** Records what the fund's body decided. */
  @Post(':id/decisions')
  @HttpCode(200)
  @onCommand('DecideAllocations', 'required')
  decide(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: DecisionDto): Promise<HttpAnswer> {
    return this.dated(ctx, id, 'DecideAllocations', body.date, async () => {
      const decision = decisionOf(body);
      const unknown = await this.unknownOf(ctx, fundOf(id), decision.allocations);
      return (by) => ({ type: 'DecideAllocations', by, ...decision, unknown });
    });
  }

  @Post(':id/decisions/:n/release')
  @HttpCode(200)
  @onCommand('ReleaseDecision', 'required')
  release(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Param('n') n: string,
    @Body() { needId, reason }: ReleaseDto,
  ): Promise<HttpAnswer> {
    const decision = numberOf(n);
    return this.command(ctx, id, 'ReleaseDecision', () => (by) => ({
      type: 'ReleaseDecision',
      by,
      n: decision,
      ...(needId === undefined ? {} : { needId }),
      ...(reason === undefined ? {} : { reason }),
    }));
  }

  private command(
    ctx: RequestContext,
    id: string,
    type: FundCommandType,
    prepare: () => Promise<(by: CommandContext) => FundCommand> | ((by: CommandContext) => FundCommand),
    {
      ifMatch = 'required',
      effectiveAt,
    }: { readonly ifMatch?: 'required' | 'optional'; readonly effectiveAt?: string } = {},
  ): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, fundOf(id), {
      access: FUND_ACCESS[type],
      type,
      ifMatch,
      prepare,
      ...(effectiveAt === undefined ? {} : { effectiveAt }),
    });
  }

  /** A command that says on which day it happened. */
  private dated(
    ctx: RequestContext,
    id: string,
    type: FundCommandType,
    date: string,
    prepare: () => Promise<(by: CommandContext) => FundCommand> | ((by: CommandContext) => FundCommand),
    ifMatch: 'required' | 'optional' = 'required',
  ): Promise<HttpAnswer> {
    requireDay(ctx, date, this.clock.now());
    return this.command(ctx, id, type, prepare, { ifMatch, effectiveAt: date });
  }

  private unregistered(...parties: readonly (string | undefined)[]): Promise<readonly string[]> {
    return this.parties.missing(parties.filter((party) => party !== undefined));
  }

  /** Needs that are not there for the caller, and places in the list whose application no call of the fund has. */
  private async unknownOf(
    { caller }: RequestContext,
    fund: string,
    allocations: readonly Allocation[],
  ): Promise<{ readonly needs: readonly string[]; readonly applications: readonly number[] }> {
    const [sights, answered] = await Promise.all([
      Promise.all(allocations.map(({ needId }) => this.needs.sight(needId, caller))),
      Promise.all(allocations.map((allocation) => this.answers(fund, allocation))),
    ]);
    return {
      // Who applied has shown its need to the fund.
      needs: allocations
        .filter(
          ({ application }, index) =>
            sights[index]?.summary !== true && (application === undefined || answered[index] !== true),
        )
        .map(({ needId }) => needId),
      applications: [...allocations.keys()].filter((index) => answered[index] !== true),
    };
  }

  private async answers(fund: string, { needId, call: id, application }: Allocation): Promise<boolean> {
    if (id === undefined || application === undefined) return true;
    const { call } = (await this.transactor.load(callDecider, id)).state;
    return (
      call?.content.fund === fund &&
      call.applications.some((each) => each.n === application && each.needId === needId && mayBeApproved(each))
    );
  }
}

/** What a donor gave that this caller may not see. No party has such a name. */
const UNSEEN = '~';
const isUnseen = ({ donor }: Attributed): boolean => donor.startsWith(UNSEEN);

/**
 * What each donor gave, apart from what the caller may not know that it gave: a donor is named with what is seen of it, as if there were
 * nothing else. Where more was given back than came in these days, on either side, its sum is not for telling apart.
 */
const receivedBy = (
  contributions: readonly { readonly donor: string; readonly received: bigint; readonly seen: boolean }[],
): ReadonlyMap<string, bigint> => {
  const sums = new Map<string, { seen: bigint; unseen: bigint; hides: boolean }>();
  for (const { donor, received, seen } of contributions) {
    const sum = sums.get(donor) ?? { seen: 0n, unseen: 0n, hides: false };
    sums.set(
      donor,
      seen ? { ...sum, seen: sum.seen + received } : { ...sum, unseen: sum.unseen + received, hides: true },
    );
  }
  return new Map(
    [...sums].flatMap(([donor, { seen, unseen, hides }]): readonly (readonly [string, bigint])[] =>
      hides && (seen < 0n || unseen < 0n)
        ? [[`${UNSEEN}${donor}`, seen + unseen]]
        : [
            [donor, seen],
            [`${UNSEEN}${donor}`, unseen],
          ],
    ),
  );
};

/** Rows of the donors that may be told, and one of all the others, so that the parts still sum to the whole. */
const attributionRows = (book: FundBook, parts: readonly Attributed[]): readonly object[] => {
  const row = ({ received, share, allocated }: Omit<Attributed, 'donor'>): object => ({
    received: moneyOf(book.terms, received),
    share: fixedDecimal(share, SHARE_SCALE),
    allocated: moneyOf(book.terms, allocated),
  });
  const others = parts.filter(isUnseen);
  const sum = (of: (part: Attributed) => bigint): bigint => others.reduce((total, part) => total + of(part), 0n);
  return [
    ...parts.filter((part) => !isUnseen(part)).map((part) => ({ donor: part.donor, ...row(part) })),
    ...(others.length === 0
      ? []
      : [
          {
            others: true,
            ...row({
              received: sum(({ received }) => received),
              share: sum(({ share }) => share),
              allocated: sum(({ allocated }) => allocated),
            }),
          },
        ]),
  ];
};
