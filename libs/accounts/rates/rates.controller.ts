import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { ReadQueries } from '#kernel';
import { ProjectionRunner } from '#kernel';
import { decimal } from '#vocabulary';
import type { CommandAccess, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  HttpAnswer,
  invalid,
  notFound,
  Problem,
  ReadGate,
  RecordEndpoints,
  requireForward,
  RouteAction,
} from '#web';
import { converted, DAYS_IN_FORCE, rateText } from './conversion.js';
import type { DayOfRates, RecordRates } from './published-rates.js';
import { RATE_ROLES, ratesIdOf } from './published-rates.js';
import { RateRecords } from './rate-records.js';
import type { RatePlace } from './rates-register.projection.js';
import { conversionsOn, ratePage, RATES_REGISTER, unquoted } from './rates-register.projection.js';
import { ConvertQuery, RatesDto, RatesQuery } from './rates.dto.js';
import { CONVERSION_PROBLEMS, RATES_PROBLEMS } from './rates.problems.js';

const RECORD = { action: 'rates.record', roles: RATE_ROLES } as const satisfies CommandAccess;

const RATE = {
  source: 'ecb',
  reference: 'ECB euro foreign exchange reference rates',
  base: 'EUR',
  currency: 'USD',
  on: '2025-01-24',
  rate: '1.0472',
};

@ApiTags('rates')
@Controller('v1/rates')
export class RatesController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: RateRecords,
    private readonly runner: ProjectionRunner,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /** Records what a source published for a day, or for several days of one year: all of it, or nothing. */
  @Post()
  @RouteAction({ ...RECORD, problems: RATES_PROBLEMS })
  record(@Ctx() ctx: RequestContext, @Body() body: RatesDto): Promise<HttpAnswer> {
    const { source, reference, base, on = '', rates = [] } = body;
    const days: readonly DayOfRates[] = body.days ?? [{ on, rates }];
    const against = days.flatMap(({ rates: listed }, day) =>
      listed.flatMap(({ currency }, index) =>
        currency === base
          ? [
              {
                field: `${body.days === undefined ? '' : `days[${day}].`}rates[${index}].currency`,
                message: 'must differ from base',
              },
            ]
          : [],
      ),
    );
    if (against.length > 0) throw invalid(against);
    return this.endpoints.create(ctx, this.records, {
      access: RECORD,
      id: ratesIdOf(source, days[0]?.on ?? ''),
      prepare:
        () =>
        (by): RecordRates => ({
          type: 'RecordRates',
          by,
          source,
          reference,
          base,
          days: days.map((day) => ({
            on: day.on,
            rates: day.rates.map(({ currency, rate }) => ({ currency, rate })),
          })),
        }),
    });
  }

  @Get()
  @RouteAction({ action: 'rates.list', anonymous: true, example: { items: [RATE], next: null } })
  async list(@Ctx() ctx: RequestContext, @Query() query: RatesQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    requireForward(filter);
    const place = cursor === undefined ? undefined : (this.cursors.decode(ctx, filter, cursor) as RatePlace);
    await this.gate.ready(ctx, RATES_REGISTER);
    const rows = ratePage(this.reads, filter, place, limit + 1);
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const next =
      rows.length > limit && last !== undefined
        ? this.cursors.encode(ctx, filter, [last.on, last.source, last.base, last.currency])
        : null;
    return this.endpoints.list(ctx, { items, next });
  }

  /** The rate in force: of that day, or the latest of the seven days before it. Across currencies it goes through the base. */
  @Get('convert')
  @RouteAction({
    action: 'rates.convert',
    anonymous: true,
    problems: CONVERSION_PROBLEMS,
    example: {
      from: 'USD',
      to: 'EUR',
      on: '2025-01-25',
      rate: '0.954927425515661',
      source: 'ecb',
      reference: RATE.reference,
      base: 'EUR',
      asOf: '2025-01-24',
      used: [{ currency: 'USD', on: '2025-01-24', rate: '1.0472' }],
      amount: '1000.00',
      converted: '954.93',
    },
  })
  async convert(@Ctx() ctx: RequestContext, @Query() query: ConvertQuery): Promise<HttpAnswer> {
    const { from, to, on, amount, source } = query;
    await this.gate.ready(ctx, RATES_REGISTER);
    const sum = { from, to, on, ...(amount === undefined ? {} : { amount }) };
    if (from === to) {
      return new HttpAnswer(200, {}, { ...sum, rate: '1', ...(amount === undefined ? {} : { converted: amount }) });
    }
    const found = conversionsOn(this.reads, query);
    const [conversion, ...others] = found;
    if (conversion === undefined) {
      const missing = unquoted(this.reads, [from, to], on, source);
      const named = missing.length === 0 ? `${from} and ${to} against one base` : missing.join(' and ');
      throw Problem.of(
        'rate-unknown',
        `No rate of ${named} is in force on ${on}${source === undefined ? '' : ` at ${source}`}: the latest counts for ${DAYS_IN_FORCE} days. Record one, or choose another date.`,
      );
    }
    if (others.length > 0) {
      throw Problem.of(
        'rate-ambiguous',
        `${[...new Set(found.map((each) => each.source))].join(', ')} have rates in force on ${on}: say which with source.`,
      );
    }
    const { source: named, reference, base, asOf, used } = conversion;
    return new HttpAnswer(
      200,
      {},
      {
        ...sum,
        rate: rateText(conversion),
        source: named,
        reference,
        base,
        asOf,
        used,
        ...(amount === undefined ? {} : { converted: converted(decimal(amount), conversion, to) }),
      },
    );
  }

  /** What a source published in a year, such as `ecb-2025`. */
  @Get(':id')
  @RouteAction({ action: 'rates.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.endpoints.one(ctx, this.records, ratesRecordIdOf(id));
  }

  private get reads(): ReadQueries {
    return this.runner.model(RATES_REGISTER);
  }
}

/** An id of the wrong form is an absent record. @throws {Problem} 404 */
export const ratesRecordIdOf = (id: string): string => {
  if (!/^[a-z0-9][a-z0-9-]{0,39}-[0-9]{4}$/.test(id)) throw notFound();
  return id;
};
