import { Readable } from 'node:stream';
import { Controller, Get, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Caller } from '#directory/contract';
import type { ReadQueries } from '#kernel';
import { Clock, ProjectionRunner } from '#kernel';
import { latestDateAnywhere } from '#vocabulary';
import type { RequestContext } from '#web';
import {
  asksFor,
  CSV,
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  forbidden,
  HttpAnswer,
  invalid,
  notFound,
  ReadGate,
  RecordEndpoints,
  RecordSight,
  requireForward,
  RouteAction,
} from '#web';
import { HOLDER_LEDGER } from '../ledger/holder-ledger.projection.js';
import type { Advance, LedgerScope, LinePlace, Span } from '../ledger/ledger.js';
import { advancesOf, commitmentsThrough, fundOf, holdersOf, linesOf } from '../ledger/ledger.js';
import { readsBooks } from './statement-readers.js';
import type { Sees, ShownLine } from './statement.js';
import { currenciesOf, fundInformation, rememberedSight, shownLine, textOf } from './statement.js';
import { PAGE_POLICY, statementCsv, statementPage } from './statement-forms.js';
import { AdvancesQuery, StatementQuery } from './statements.dto.js';

const HTML = 'text/html';
/** Lines read at a time for a form that shows them all. */
const CHUNK = 500;
const READERS = 'The party itself, for a fund its administrator too, the coordinator, and auditors mandated for it.';
const BEGINNING = '0001-01-01';

/** Ages of what is in hand, in days. */
const AGES = [
  { days: '0-30', upTo: 30 },
  { days: '31-90', upTo: 90 },
  { days: '91-180', upTo: 180 },
  { days: '181-365', upTo: 365 },
  { days: 'over-365', upTo: Infinity },
] as const;

const LINE = {
  date: '2026-03-02',
  class: 'received',
  side: 'source',
  figure: { measure: 'money', currency: 'USD', amount: '60000.00' },
  recordedAt: '2026-03-03T09:00:00.000Z',
  counterparty: 'fund:unscar',
  record: { kind: 'commitment', id: '019b8d00-0000-7000-8000-00000000000c' },
  about: 'receipt',
  number: 1,
  priorPeriod: false,
  unreceipted: false,
  reversal: false,
  events: [],
};

@ApiTags('statements')
@Controller('v1')
export class StatementsController {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly endpoints: RecordEndpoints,
    private readonly sight: RecordSight,
    private readonly clock: Clock,
  ) {}

  /**
   * Sources and uses of a party from opening to closing balance, currency by currency, each line with the events behind it. As CSV and
   * as a page to print all lines stand at once.
   */
  @Get('statements')
  @RouteAction({
    action: 'statements.read',
    anonymous: true,
    readers: READERS,
    produces: [CSV, HTML],
    example: {
      holder: 'agency:cavr',
      as: 'holder',
      from: '2026-01-01',
      to: '2026-12-31',
      currencies: [
        {
          currency: 'USD',
          opening: '0.00',
          sources: {
            received: '60000.00',
            ownMoney: '0.00',
            interest: '0.00',
            income: '0.00',
            refundsReceived: '0.00',
            exchangeGains: '0.00',
          },
          uses: {
            passedOn: '0.00',
            fees: '0.00',
            charges: '0.00',
            refundsPaid: '0.00',
            spent: '52000.00',
            exchangeLosses: '0.00',
          },
          closing: '8000.00',
          difference: '0.00',
          reconciles: true,
        },
      ],
      lines: [LINE],
      next: null,
    },
  })
  async read(
    @Ctx() ctx: RequestContext,
    @Query() query: StatementQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<HttpAnswer | StreamableFile> {
    const { as, scope, span } = this.asked(query);
    const after = this.placeOf(ctx, query);
    await this.open(ctx, scope.holder);
    const sees = this.seesNoted(ctx);
    const head = {
      holder: scope.holder,
      as,
      from: query.from ?? null,
      to: span.to,
      currencies: currenciesOf(this.reads, scope, span, as === 'donor'),
    };
    const form = formOf(ctx.accept);
    if (form !== undefined) {
      reply.header('content-security-policy', PAGE_POLICY);
      const all = this.allLines(scope, span, sees);
      const text = form === CSV ? statementCsv(head, all) : statementPage(head, all);
      return new StreamableFile(Readable.from(text), { type: `${form}; charset=utf-8` });
    }
    const { lines, next } = await this.page(ctx, query, scope, span, after, sees);
    const fund = as === 'fund' ? { fund: await fundInformation(this.reads, scope.holder, sees) } : {};
    return new HttpAnswer(200, linkTo(ctx, next), { ...head, ...fund, lines, next });
  }

  /** The events behind a statement's lines, in the lines' order. */
  @Get('statements/events')
  @RouteAction({ action: 'statements.events', anonymous: true, readers: READERS })
  async events(@Ctx() ctx: RequestContext, @Query() query: StatementQuery): Promise<HttpAnswer> {
    const { scope, span } = this.asked(query);
    const after = this.placeOf(ctx, query);
    await this.open(ctx, scope.holder);
    const sees = this.seesNoted(ctx);
    const { lines, next } = await this.page(ctx, query, scope, span, after, sees);
    const items = lines.flatMap(({ events, figure, class: of, date }) =>
      events.map((event) => ({ ...event, date, class: of, figure })),
    );
    return this.endpoints.list(ctx, { items, next });
  }

  /** What parties received and have neither spent, passed on nor given back, by its age: first in, first out. */
  @Get('advances')
  @RouteAction({
    action: 'advances.read',
    anonymous: true,
    readers: READERS,
    example: {
      on: '2026-12-31',
      items: [
        {
          holder: 'agency:cavr',
          currency: 'USD',
          outstanding: '8000.00',
          oldest: '2026-03-02',
          aged: [{ days: '181-365', amount: '8000.00' }],
        },
      ],
    },
  })
  async advances(@Ctx() ctx: RequestContext, @Query() query: AdvancesQuery): Promise<HttpAnswer> {
    const { fund, holder, on = this.today() } = query;
    const whose = onlyOne({ holder, fund });
    await this.open(ctx, whose.party);
    const scopes: readonly LedgerScope[] =
      whose.as === 'fund'
        ? holdersOf(this.reads, whose.party).map((each) => ({ holder: each, fund: whose.party }))
        : [{ holder: whose.party }];
    const sees = rememberedSight(ctx.caller, this.sight);
    const items: object[] = [];
    for (const scope of scopes) {
      const advances = advancesOf(this.reads, scope, on).map((advance) => aged(advance, on));
      const named = advances.length === 0 || (await this.namesHolder(scope, sees));
      items.push(
        ...(named ? advances : advances.map(({ holder: _holder, ...figures }) => ({ ...figures, masked: true }))),
      );
    }
    return new HttpAnswer(200, {}, { on, items });
  }

  /** Who holds a fund's money is told to those who see a commitment by which it came there; to others the figures alone. */
  private async namesHolder({ holder, fund }: LedgerScope, sees: Sees): Promise<boolean> {
    if (fund === undefined) return true;
    for (const id of commitmentsThrough(this.reads, fund, holder)) if (await sees('commitment', id)) return true;
    return false;
  }

  private asked(query: StatementQuery): { readonly as: string; readonly scope: LedgerScope; readonly span: Span } {
    const { fund, holder, donor, from = BEGINNING, to = this.today(), currency } = query;
    const { as, party } = onlyOne({ fund, holder, donor });
    requireForward({ from, to });
    return { as, scope: { holder: party, ...(currency === undefined ? {} : { currency }) }, span: { from, to } };
  }

  private placeOf(ctx: RequestContext, query: StatementQuery): LinePlace | undefined {
    if (query.cursor === undefined) return undefined;
    const [day, position, nth] = this.cursors.decode(ctx, query, query.cursor);
    return { day: String(day), position: String(position), nth: Number(nth) };
  }

  /** What the caller sees, as it is asked for each line: of a record that it sees the line tells. */
  private seesNoted(ctx: RequestContext): Sees {
    const sees = async (caller: Caller, category: string, id: string): Promise<boolean> => {
      const isSeen = await this.sight.sees(caller, category, id);
      if (isSeen) this.endpoints.noteRead(ctx, category, [id]);
      return isSeen;
    };
    return rememberedSight(ctx.caller, { sees });
  }

  /** @throws {Problem} 404 where nobody knows the party, 403 where its books are not this caller's to read, 503 while it waits */
  private async open(ctx: RequestContext, holder: string): Promise<void> {
    if (!(await this.isKnown(ctx.caller, holder))) throw notFound();
    await this.gate.ready(ctx, HOLDER_LEDGER);
    const administrator = holder.startsWith('fund:') ? fundOf(this.reads, holder)?.administrator : undefined;
    if (!readsBooks(ctx.caller, holder, administrator)) {
      throw forbidden(
        `The books of ${holder} are read by ${holder} itself${holder.startsWith('fund:') ? ', its administrator' : ''}, the coordinator and auditors mandated for it.`,
      );
    }
  }

  private async isKnown(caller: Caller, party: string): Promise<boolean> {
    return party.startsWith('state:') || (await this.sight.sees(caller, 'party', party));
  }

  private async page(
    ctx: RequestContext,
    query: StatementQuery,
    scope: LedgerScope,
    span: Span,
    after: LinePlace | undefined,
    sees: Sees,
  ): Promise<{ readonly lines: readonly ShownLine[]; readonly next: string | null }> {
    const { limit = DEFAULT_LIMIT } = query;
    const rows = linesOf(this.reads, scope, span, after, limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1)?.place;
    return {
      lines: await Promise.all(shown.map((line) => shownLine(line, sees))),
      next:
        rows.length > limit && last !== undefined
          ? this.cursors.encode(ctx, query, [last.day, last.position, last.nth])
          : null,
    };
  }

  private async *allLines(scope: LedgerScope, span: Span, sees: Sees): AsyncGenerator<ShownLine> {
    let place: LinePlace | undefined;
    for (;;) {
      const rows = linesOf(this.reads, scope, span, place, CHUNK);
      for (const row of rows) yield await shownLine(row, sees);
      if (rows.length < CHUNK) return;
      place = rows.at(-1)?.place;
    }
  }

  private today(): string {
    return latestDateAnywhere(this.clock.now());
  }

  private get reads(): ReadQueries {
    return this.runner.model(HOLDER_LEDGER);
  }
}

/** The one parameter that says whose books are asked for. @throws {Problem} 400 */
const onlyOne = (
  parameters: Readonly<Record<string, string | undefined>>,
): { readonly as: string; readonly party: string } => {
  const given = Object.entries(parameters).filter((each): each is [string, string] => each[1] !== undefined);
  const [one, ...others] = given;
  if (one === undefined || others.length > 0) {
    const names = Object.keys(parameters);
    throw invalid([{ field: given[1]?.[0] ?? names[0] ?? '', message: `send exactly one of ${names.join(', ')}` }]);
  }
  return { as: one[0], party: one[1] };
};

const linkTo = ({ path, query }: RequestContext, next: string | null): Record<string, string> =>
  next === null ? {} : { link: `<${path}?${new URLSearchParams({ ...query, cursor: next }).toString()}>; rel="next"` };

/** The first form beside JSON that the caller asks for, where it does not put JSON before it. */
const formOf = (accept: string | undefined): typeof CSV | typeof HTML | undefined => {
  for (const range of accept?.split(',') ?? []) {
    if (asksFor(range, 'application/json')) return undefined;
    const form = ([CSV, HTML] as const).find((type) => asksFor(range, type));
    if (form !== undefined) return form;
  }
  return undefined;
};

const DAY_MS = 86_400_000;

const aged = (
  { holder, currency, outstanding, lots }: Advance,
  on: string,
): { readonly holder: string; readonly [figure: string]: unknown } => {
  const ages = new Map<string, bigint>();
  for (const { day, minor } of lots) {
    const days = (Date.parse(on) - Date.parse(day)) / DAY_MS;
    const age = AGES.find(({ upTo }) => days <= upTo)?.days ?? '';
    ages.set(age, (ages.get(age) ?? 0n) + minor);
  }
  return {
    holder,
    currency,
    outstanding: textOf(currency, outstanding),
    oldest: lots[0]?.day ?? null,
    aged: AGES.flatMap(({ days }) => {
      const minor = ages.get(days);
      return minor === undefined ? [] : [{ days, amount: textOf(currency, minor) }];
    }),
  };
};
