import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Clock, ProjectionRunner } from '#kernel';
import { dateOf } from '#vocabulary';
import type { CommandBuilder, FieldError, RequestContext } from '#web';
import { Ctx, HttpAnswer, Problem, ReadGate, RecordEndpoints, RouteAction, uuidOf } from '#web';
import { FINDING_BOARD, findingRows } from './finding-board.projection.js';
import type { FindingRoute } from './finding-records.js';
import { FINDING_ACCESS, FindingRecords } from './finding-records.js';
import type { FindingContent, FindingGround } from './finding.contract.js';
import type { FindingCommand } from './finding.js';
import {
  AmendFindingDto,
  AnswerFindingDto,
  CloseFindingDto,
  FindingsQuery,
  ImplementFindingDto,
  VerifyFindingDto,
  WriteFindingDto,
} from './findings.dto.js';
import { FINDING_PROBLEMS } from './findings.problems.js';
import { Grounds } from './grounds.js';
import { OwnersSight } from './owners-sight.js';
import { SeenList } from '../seen-list.js';

const SEEN =
  'A finding is shown to the party that must answer; to auditors with a mandate in force that covers all of its records, and to the coordinator, ' +
  'where they see every event that it rests on.';

const FINDING = {
  id: '019b8d00-0000-8000-8000-00000000000f',
  severity: 'high',
  title: 'No receipt for the second instalment',
  text: 'The transfer of 60,000 USD of 3 March has no receipt.',
  recommendation: 'Report the receipt, or say where the money is.',
  auditor: 'auditor:court',
  owner: 'agency:cavr',
  records: [{ kind: 'commitment', id: '019b8d00-0000-8000-8000-00000000000c' }],
  events: [
    {
      kind: 'commitment',
      id: '019b8d00-0000-8000-8000-00000000000c',
      eventId: '019b8d00-0000-8000-8000-00000000000e',
      revision: 9,
    },
  ],
  answerBy: '2026-12-22',
  due: '2027-06-30',
  writtenAt: '2026-11-22T10:00:00.000Z',
  status: 'open',
  actions: ['answer'],
  overdue: null,
  revision: 0,
};

const COMMAND = { problems: FINDING_PROBLEMS, ifMatch: 'required', example: FINDING } as const;

@ApiTags('findings')
@Controller('v1/findings')
export class FindingsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: FindingRecords,
    private readonly grounds: Grounds,
    private readonly owners: OwnersSight,
    private readonly runner: ProjectionRunner,
    private readonly gate: ReadGate,
    private readonly lists: SeenList,
    private readonly clock: Clock,
  ) {}

  /** Writes a finding on records that a mandate of the auditor covers. */
  @Post()
  @RouteAction({ ...FINDING_ACCESS.write, problems: FINDING_PROBLEMS, example: FINDING })
  write(@Ctx() ctx: RequestContext, @Body() body: WriteFindingDto): Promise<HttpAnswer> {
    return this.endpoints.create(ctx, this.records, {
      access: FINDING_ACCESS.write,
      prepare: async () => {
        await this.gate.ready(ctx);
        const { records, eventIds, owner, answerBy, due } = body;
        const events = await this.seenEvents(ctx, body);
        const mandate = await this.grounds.mandateOver(ctx.caller, records);
        if (mandate === undefined) {
          throw Problem.of('forbidden', 'No mandate of yours in force covers all of these records.', {
            errors: [{ field: 'records', message: 'must all be covered by one mandate of yours in force' }],
          });
        }
        await this.requireOwner(owner, eventIds, events);
        return (by): FindingCommand => ({
          type: 'WriteFinding',
          by,
          finding: {
            mandate,
            owner,
            records: records.map(({ kind, id }) => ({ kind, id })),
            events,
            content: {
              ...contentOf(body),
              severity: body.severity,
              title: body.title,
              text: body.text,
              recommendation: body.recommendation,
            },
            ...(answerBy === undefined ? {} : { answerBy }),
            due,
          },
        });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'finding.list', says: SEEN, example: { items: [FINDING], next: null } })
  list(@Ctx() ctx: RequestContext, @Query() query: FindingsQuery): Promise<HttpAnswer> {
    const { limit: _limit, cursor: _cursor, ...filter } = query;
    const today = dateOf(this.clock.now());
    return this.lists.page(ctx, query, {
      board: FINDING_BOARD,
      read: (limit, after) =>
        findingRows(this.runner.model(FINDING_BOARD), filter, {
          today,
          limit,
          ...(after === undefined ? {} : { after }),
        }),
      shown: async ({ id, revision, state }) =>
        state.finding !== undefined && (await this.records.sees(ctx.caller, id, state))
          ? { ...this.records.shown(ctx.caller, id, state.finding), revision }
          : undefined,
    });
  }

  @Get(':id')
  @RouteAction({ action: 'finding.read', says: SEEN, example: FINDING })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.endpoints.one(ctx, this.records, uuidOf(id));
  }

  /** An answer given to other words is no answer any more: once reworded, the finding waits for a new one. */
  @Post(':id/amend')
  @HttpCode(200)
  @RouteAction({ ...FINDING_ACCESS.amend, ...COMMAND })
  amend(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AmendFindingDto): Promise<HttpAnswer> {
    const { answerBy, due, reason } = body;
    return this.asAuditor(ctx, id, 'amend', (mandate, by) => ({
      type: 'AmendFinding',
      by,
      mandate,
      changes: contentOf(body),
      ...(answerBy === undefined ? {} : { answerBy }),
      ...(due === undefined ? {} : { due }),
      reason,
    }));
  }

  @Post(':id/answer')
  @HttpCode(200)
  @RouteAction({ ...FINDING_ACCESS.answer, ...COMMAND })
  answer(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() body: AnswerFindingDto): Promise<HttpAnswer> {
    const { response, text, action, acceptsRisk } = body;
    return this.asOwner(ctx, id, 'answer', (by) => ({
      type: 'AnswerFinding',
      by,
      response,
      text,
      ...(action === undefined ? {} : { action: { text: action.text, by: action.by } }),
      ...(acceptsRisk === true ? { acceptsRisk } : {}),
    }));
  }

  @Post(':id/implement')
  @HttpCode(200)
  @RouteAction({ ...FINDING_ACCESS.implement, ...COMMAND })
  implement(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() { text, evidence }: ImplementFindingDto,
  ): Promise<HttpAnswer> {
    const papers = evidence.map(({ title, uri, sha256 }) => ({ title, ...(uri === undefined ? {} : { uri }), sha256 }));
    return this.asOwner(ctx, id, 'implement', (by) => ({ type: 'ClaimImplementation', by, text, evidence: papers }));
  }

  @Post(':id/verify')
  @HttpCode(200)
  @RouteAction({ ...FINDING_ACCESS.verify, ...COMMAND })
  verify(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() { outcome, note, due }: VerifyFindingDto,
  ): Promise<HttpAnswer> {
    return this.asAuditor(ctx, id, 'verify', (mandate, by) => ({
      type: 'VerifyImplementation',
      by,
      mandate,
      outcome,
      note,
      ...(due === undefined ? {} : { due }),
    }));
  }

  /** `implemented` once verified; `risk-accepted` where the owner's answer says so; `withdrawn` by the auditor who wrote it. */
  @Post(':id/close')
  @HttpCode(200)
  @RouteAction({ ...FINDING_ACCESS.close, ...COMMAND })
  close(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() { as, reason }: CloseFindingDto,
  ): Promise<HttpAnswer> {
    return this.asAuditor(ctx, id, 'close', (mandate, by) => ({
      type: 'CloseFinding',
      by,
      as,
      mandate,
      ...(reason === undefined ? {} : { reason }),
    }));
  }

  private asOwner(
    ctx: RequestContext,
    id: string,
    route: Extract<FindingRoute, 'answer' | 'implement'>,
    command: CommandBuilder<Extract<FindingCommand, { type: (typeof TYPE_OF)[typeof route] }>>,
  ): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: FINDING_ACCESS[route],
      type: TYPE_OF[route],
      ifMatch: 'required',
      prepare: () => command,
    });
  }

  private asAuditor(
    ctx: RequestContext,
    id: string,
    route: Exclude<FindingRoute, 'answer' | 'implement'>,
    command: (mandate: string, by: FindingCommand['by']) => FindingCommand,
  ): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: FINDING_ACCESS[route],
      type: TYPE_OF[route],
      ifMatch: 'required',
      prepare: async ({ state: { finding } }) => {
        const mandate = await this.grounds.mandateStillOver(ctx.caller, finding?.records ?? []);
        return (by) => command(mandate, by);
      },
    });
  }

  /** What the finding rests on, in the order in which it is named. @throws {Problem} 404 naming every record and event that the auditor does not see */
  private async seenEvents(
    { caller }: RequestContext,
    { records, eventIds }: WriteFindingDto,
  ): Promise<readonly FindingGround[]> {
    const seen = await Promise.all(records.map((record) => this.grounds.sees(caller, record)));
    const found = await this.grounds.find(
      records.filter((_, index) => seen[index] === true),
      eventIds,
    );
    const events = eventIds.flatMap((eventId) => found.get(eventId) ?? []);
    const hidden = new Set((await this.grounds.hidden(caller, events)).map(({ eventId }) => eventId));
    const errors: FieldError[] = [
      ...namedIn('records', records, (_, index) => seen[index] !== true, 'names no record that you may see'),
      ...namedIn(
        'eventIds',
        eventIds,
        (eventId) => !found.has(eventId) || hidden.has(eventId),
        'names no event that you may see in the history of one of the records',
      ),
    ];
    if (errors.length > 0) {
      throw Problem.of('not-found', 'A record or event that is named does not exist, or you may not see it.', {
        errors,
      });
    }
    return events;
  }

  /** @throws {Problem} 409 where the owner is not registered, or does not see an event that it is asked to answer for */
  private async requireOwner(
    owner: string,
    eventIds: readonly string[],
    events: readonly FindingGround[],
  ): Promise<void> {
    const caller = await this.owners.callerFor(owner);
    if (caller === undefined) {
      const message = `${owner} is not registered (or has been retired): a finding is answered by a party that can.`;
      throw Problem.of('unknown-party', message, { errors: [{ field: 'owner', message }] });
    }
    const hidden = new Set((await this.grounds.hidden(caller, events)).map(({ eventId }) => eventId));
    if (hidden.size === 0) return;
    throw Problem.of('hidden-from-owner', `${owner} does not see every event that the finding rests on.`, {
      errors: namedIn(
        'eventIds',
        eventIds,
        (eventId) => hidden.has(eventId),
        `is not seen by ${owner}: leave it out, or name an owner that sees it`,
      ),
    });
  }
}

const TYPE_OF = {
  amend: 'AmendFinding',
  answer: 'AnswerFinding',
  implement: 'ClaimImplementation',
  verify: 'VerifyImplementation',
  close: 'CloseFinding',
} as const satisfies Readonly<Record<FindingRoute, FindingCommand['type']>>;

const CONTENT = ['severity', 'title', 'text', 'criteria', 'cause', 'effect', 'recommendation'] as const;

/** What a body says of the content, and nothing of what it leaves out. */
const contentOf = (body: Partial<FindingContent>): Partial<FindingContent> =>
  Object.fromEntries(CONTENT.flatMap((field) => (body[field] === undefined ? [] : [[field, body[field]]])));

const namedIn = <T>(
  field: string,
  list: readonly T[],
  isFault: (each: T, index: number) => boolean,
  message: string,
): readonly FieldError[] =>
  list.flatMap((each, index) => (isFault(each, index) ? [{ field: `${field}[${index}]`, message }] : []));
