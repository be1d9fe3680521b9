import { Controller, Get, Param, Query, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import { Clock } from '#kernel';
import { dateOf, formatQuantity } from '#vocabulary';
import type { FieldError, RequestContext } from '#web';
import {
  CSV,
  csvLine,
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  forbidden,
  HttpAnswer,
  invalid,
  Problem,
  ReadGate,
  RouteAction,
  wantsCsv,
} from '#web';
import { AuditChecks } from './audit-checks.js';
import { CHECK_FACTS } from './check-facts.projection.js';
import type { Check, CheckParameters, Finding } from './check.js';
import { CheckQuery } from './checks.dto.js';
import { CHECKS } from './checks.js';

const READERS = 'Auditors with a mandate in force, and the coordinator.';

/** The checks that auditors run, over what their mandates open. */
@ApiTags('audit')
@Controller('v1/audit/checks')
export class ChecksController {
  constructor(
    private readonly checks: AuditChecks,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  /** The checks, what each looks for, and what it may be told. */
  @Get()
  @RouteAction({
    action: 'audit.check.list',
    anonymous: true,
    readers: READERS,
    example: {
      items: [
        {
          name: 'reports-late',
          looksFor: 'Reports owed that were filed after they were due, or are overdue.',
          parameters: [{ name: 'onDate', means: 'The day it is judged on', byDefault: 'today' }],
        },
      ],
      next: null,
    },
  })
  list(@Ctx() ctx: RequestContext): HttpAnswer {
    requireReader(ctx.caller);
    const items = CHECKS.map(({ name, looksFor, takesDate, days }) => ({
      name,
      looksFor,
      parameters: [
        ...(takesDate ? [{ name: 'onDate', means: 'The day it is judged on', byDefault: 'today' }] : []),
        ...(days === undefined ? [] : [{ name: 'days', ...days }]),
      ],
    }));
    return new HttpAnswer(200, {}, { items, next: null });
  }

  /** What a check finds, each finding with the events behind it. */
  @Get(':name')
  @RouteAction({
    action: 'audit.check.run',
    anonymous: true,
    readers: READERS,
    produces: [CSV],
    example: {
      check: 'reports-late',
      parameters: { onDate: '2026-11-22', days: 0 },
      asOf: '4711',
      findings: [
        {
          severity: 'medium',
          what: 'report overdue',
          because: 'Report 1 of agency:cavr was due on 2026-10-31 and is not filed.',
          parties: ['agency:cavr'],
          records: ['commitment-019b8d00-0000-7000-8000-00000000000c'],
          events: ['019b8d00-0000-7000-8000-00000000000d'],
          figures: [],
        },
      ],
      next: null,
    },
  })
  async run(
    @Ctx() ctx: RequestContext,
    @Param('name') name: string,
    @Query() query: CheckQuery,
  ): Promise<HttpAnswer | StreamableFile> {
    requireReader(ctx.caller);
    const check = CHECKS.find((known) => known.name === name);
    if (check === undefined) throw Problem.of('not-found', 'There is no such check: GET /v1/audit/checks lists them.');
    const { limit = DEFAULT_LIMIT, cursor, ...shaping } = query;
    const parameters = parametersOf(check, shaping, dateOf(this.clock.now()));
    const shown = {
      ...(check.takesDate ? { onDate: parameters.onDate } : {}),
      ...(check.days === undefined ? {} : { days: parameters.days }),
    };
    // The day is part of the filter: a page of tomorrow does not go on from one of today.
    const after = cursor === undefined ? undefined : this.cursors.decode(ctx, shown, cursor);
    await this.gate.ready(ctx, CHECK_FACTS);
    const asOf = after === undefined ? this.checks.now() : BigInt(String(after[0]));
    const findings = await this.checks.run(ctx.caller, check, parameters, asOf);
    if (wantsCsv(ctx.accept)) {
      return new StreamableFile(Buffer.from(csvOf(check.name, findings)), { type: `${CSV}; charset=utf-8` });
    }
    const from = after === undefined ? 0 : Number(after[1]);
    const page = findings.slice(from, from + limit);
    const next = from + limit < findings.length ? this.cursors.encode(ctx, shown, [String(asOf), from + limit]) : null;
    return new HttpAnswer(200, linkTo(ctx, next), {
      check: check.name,
      parameters: shown,
      asOf: String(asOf),
      findings: page,
      next,
    });
  }
}

const requireReader = (caller: Caller): void => {
  const audits = hasRole(caller, 'auditor') && caller.mandates.length > 0;
  if (!audits && !hasRole(caller, 'coordinator')) {
    throw forbidden('Checks are run by auditors with a mandate in force and by the coordinator.');
  }
};

/** @throws {Problem} 400 for a parameter that this check does not take */
const parametersOf = (
  { name, takesDate, days: taken }: Check,
  { onDate, days }: Pick<CheckQuery, 'onDate' | 'days'>,
  today: string,
): CheckParameters => {
  const errors: FieldError[] = [
    ...(onDate !== undefined && !takesDate ? [{ field: 'onDate', message: `is no parameter of ${name}` }] : []),
    ...(days !== undefined && taken === undefined ? [{ field: 'days', message: `is no parameter of ${name}` }] : []),
  ];
  if (errors.length > 0) throw invalid(errors);
  return { onDate: onDate ?? today, days: days ?? taken?.byDefault ?? 0 };
};

const csvOf = (check: string, findings: readonly Finding[]): string =>
  [
    ['check', 'severity', 'what', 'because', 'parties', 'records', 'events', 'figures'],
    ...findings.map(({ severity, what, because, parties, records, events, figures }) => [
      check,
      severity,
      what,
      because,
      parties.join(' '),
      records.join(' '),
      events.join(' '),
      figures.map(formatQuantity).join('; '),
    ]),
  ]
    .map(csvLine)
    .join('');

const linkTo = ({ path, query }: RequestContext, next: string | null): Record<string, string> =>
  next === null ? {} : { link: `<${path}?${new URLSearchParams({ ...query, cursor: next }).toString()}>; rel="next"` };
