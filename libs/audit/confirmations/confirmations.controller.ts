import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Clock, ProjectionRunner, Transactor } from '#kernel';
import { CONFIRMED_FIGURES, dateOf } from '#vocabulary';
import type { RequestContext } from '#web';
import { Ctx, HttpAnswer, Problem, ReadGate, RecordEndpoints, RouteAction, uuidOf } from '#web';
import { Grounds } from '../findings/grounds.js';
import { OwnersSight } from '../findings/owners-sight.js';
import { SampleRecords } from '../samples/sample-records.js';
import { sampleDecider } from '../samples/sample.js';
import type { AskedItem } from './books.js';
import { Books } from './books.js';
import { CONFIRMATION_BOARD, confirmationRows } from './confirmation-board.projection.js';
import { CONFIRMATION_ACCESS, ConfirmationRecords, recordsOf } from './confirmation-records.js';
import type { ConfirmationLine, LineAnswer } from './confirmation.contract.js';
import type { ConfirmationCommand } from './confirmation.js';
import { MOST_LINES } from './confirmation.js';
import {
  AnswerConfirmationDto,
  CloseConfirmationDto,
  ConfirmationsQuery,
  RequestConfirmationDto,
} from './confirmations.dto.js';
import { CONFIRMATION_PROBLEMS } from './confirmations.problems.js';
import { SeenList } from '../seen-list.js';

const SEEN =
  'A request is shown to the party that is asked, and to the party of the auditor who asks while a mandate of its own in force covers every ' +
  'commitment that is asked about; to either only while it sees them all.';

const CONFIRMATION = {
  id: '019b8d00-0000-8000-8000-000000000012',
  auditor: 'auditor:court',
  party: 'donor:japan',
  due: '2027-01-31',
  requestedAt: '2026-11-22T10:00:00.000Z',
  status: 'open',
  lines: [
    {
      line: 1,
      commitment: '019b8d00-0000-8000-8000-00000000000c',
      ...{ figure: 'transfer', n: 1, books: { measure: 'money', currency: 'USD', amount: '60000.00' } },
    },
  ],
  answeredAt: null,
  reminded: false,
  actions: ['answer'],
  overdue: false,
  revision: 0,
};

const COMMAND = { problems: CONFIRMATION_PROBLEMS, ifMatch: 'required', example: CONFIRMATION } as const;

@ApiTags('confirmation requests')
@Controller('v1/confirmation-requests')
export class ConfirmationsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: ConfirmationRecords,
    private readonly samples: SampleRecords,
    private readonly books: Books,
    private readonly grounds: Grounds,
    private readonly owners: OwnersSight,
    private readonly transactor: Transactor,
    private readonly runner: ProjectionRunner,
    private readonly gate: ReadGate,
    private readonly lists: SeenList,
    private readonly clock: Clock,
  ) {}

  /** Asks a party of a commitment for its figures: it is shown those of the books, or states its own. Nothing it says changes the books. */
  @Post()
  @RouteAction({ ...CONFIRMATION_ACCESS.request, problems: CONFIRMATION_PROBLEMS, example: CONFIRMATION })
  request(@Ctx() ctx: RequestContext, @Body() body: RequestConfirmationDto): Promise<HttpAnswer> {
    return this.endpoints.create(ctx, this.records, {
      access: CONFIRMATION_ACCESS.request,
      prepare: async () => {
        await this.gate.ready(ctx);
        const { party, sample, blank, note, due } = body;
        const lines = await this.lines(ctx, body);
        const mandate = await this.grounds.mandateOver(ctx.caller, recordsOf({ lines }));
        if (mandate === undefined) {
          const field = sample === undefined ? 'commitments' : 'sample';
          throw Problem.of('forbidden', 'No mandate of yours in force covers all that is asked about.', {
            errors: [{ field, message: 'must be covered by one mandate of yours in force' }],
          });
        }
        return (by): ConfirmationCommand => ({
          type: 'RequestConfirmation',
          by,
          request: {
            ...{ mandate, party, lines },
            ...(blank === true ? { blank } : {}),
            ...(sample === undefined ? {} : { sample }),
            ...(note === undefined ? {} : { note }),
            due,
          },
        });
      },
    });
  }

  @Get()
  @RouteAction({ action: 'confirmation.list', says: SEEN, example: { items: [CONFIRMATION], next: null } })
  list(@Ctx() ctx: RequestContext, @Query() query: ConfirmationsQuery): Promise<HttpAnswer> {
    const { limit: _limit, cursor: _cursor, ...filter } = query;
    const today = dateOf(this.clock.now());
    return this.lists.page(ctx, query, {
      board: CONFIRMATION_BOARD,
      read: (limit, after) =>
        confirmationRows(this.runner.model(CONFIRMATION_BOARD), filter, {
          today,
          limit,
          ...(after === undefined ? {} : { after }),
        }),
      shown: async ({ id, revision, state }) =>
        state.confirmation !== undefined && (await this.records.sees(ctx.caller, id, state))
          ? { ...this.records.shown(ctx.caller, id, state.confirmation), revision }
          : undefined,
    });
  }

  @Get(':id')
  @RouteAction({ action: 'confirmation.read', says: SEEN, example: CONFIRMATION })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.endpoints.one(ctx, this.records, uuidOf(id));
  }

  /** A later answer stands in the place of an earlier one, until the auditor closes the request. */
  @Post(':id/answer')
  @HttpCode(200)
  @RouteAction({ ...CONFIRMATION_ACCESS.answer, ...COMMAND })
  answer(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() body: AnswerConfirmationDto,
  ): Promise<HttpAnswer> {
    const answers = body.answers.map(({ line, says, figure, note }): LineAnswer => ({
      ...{ line, says },
      ...(figure === undefined ? {} : { figure }),
      ...(note === undefined ? {} : { note }),
    }));
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: CONFIRMATION_ACCESS.answer,
      type: 'AnswerConfirmation',
      ifMatch: 'required',
      prepare:
        () =>
        (by): ConfirmationCommand => ({ type: 'AnswerConfirmation', by, answers }),
    });
  }

  /** `confirmed` where every line is; `alternative-procedure` upon any other answer, or none when the day is over; `withdrawn` at any time. */
  @Post(':id/close')
  @HttpCode(200)
  @RouteAction({ ...CONFIRMATION_ACCESS.close, ...COMMAND })
  close(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Body() { as, procedure, reason }: CloseConfirmationDto,
  ): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, uuidOf(id), {
      access: CONFIRMATION_ACCESS.close,
      type: 'CloseConfirmation',
      ifMatch: 'required',
      prepare: async ({ state: { confirmation } }) => {
        const mandate = await this.grounds.mandateStillOver(
          ctx.caller,
          confirmation === undefined ? [] : recordsOf(confirmation),
        );
        return (by): ConfirmationCommand => ({
          type: 'CloseConfirmation',
          by,
          as,
          mandate,
          ...(procedure === undefined ? {} : { procedure }),
          ...(reason === undefined ? {} : { reason }),
        });
      },
    });
  }

  /**
   * What the party is asked, of what both it and the auditor see.
   * @throws {Problem} 404 naming what the auditor does not see; 409 where the party is not registered or has no part in a commitment
   */
  private async lines(ctx: RequestContext, body: RequestConfirmationDto): Promise<readonly ConfirmationLine[]> {
    const { party, sample, asks = CONFIRMED_FIGURES } = body;
    const asked = await this.owners.callerFor(party);
    if (asked === undefined) {
      const message = `${party} is not registered (or has been retired): a party that can answer is asked.`;
      throw Problem.of('unknown-party', message, { errors: [{ field: 'party', message }] });
    }
    const items = await this.items(ctx, body);
    const lines: ConfirmationLine[] = [];
    for (const item of items) {
      const record = { kind: 'commitment', id: item.commitment } as const;
      const isParty = (await this.grounds.owners(record)).includes(party);
      const found = isParty ? await this.books.lines({ auditor: ctx.caller, asked }, item, asks) : undefined;
      if (found !== undefined) lines.push(...found);
      // Of a sample the party is asked about what it has a part in.
      else if (sample === undefined) throw notInvolved(party, items.indexOf(item));
    }
    if (lines.length > MOST_LINES) {
      const message = `asks for ${lines.length} figures, and a request has room for ${MOST_LINES}: ask for fewer at once`;
      const field = sample === undefined ? 'commitments' : 'sample';
      throw Problem.of('too-many-lines', `This ${message}.`, { errors: [{ field, message }] });
    }
    return lines;
  }

  /** @throws {Problem} 404 naming what the auditor does not see */
  private async items(
    { caller }: RequestContext,
    { commitments = [], sample }: RequestConfirmationDto,
  ): Promise<readonly AskedItem[]> {
    if (sample !== undefined) {
      const { state } = await this.transactor.load(sampleDecider, sample);
      if (state.sample === undefined || !this.samples.sees(caller, sample, state)) {
        throw unseen([{ field: 'sample', message: 'names no sample of yours' }]);
      }
      const { population, draws } = state.sample;
      const places = new Set(draws.flatMap(({ drawn }) => drawn.map(({ item }) => item)));
      return population.filter((_, place) => places.has(place));
    }
    const seen = await Promise.all(commitments.map((id) => this.grounds.sees(caller, { kind: 'commitment', id })));
    const errors = commitments.flatMap((_, index) =>
      seen[index] === true ? [] : [{ field: `commitments[${index}]`, message: 'names no commitment that you may see' }],
    );
    if (errors.length > 0) throw unseen(errors);
    return commitments.map((commitment) => ({ commitment }));
  }
}

const unseen = (errors: readonly { readonly field: string; readonly message: string }[]): Problem =>
  Problem.of('not-found', 'What is named does not exist, or you may not see it.', { errors });

const notInvolved = (party: string, index: number): Problem => {
  const message = `${party} has no part in it, or does not see it: ask one of its parties`;
  return Problem.of('not-involved', `${party} has no part in everything that is asked about.`, {
    errors: [{ field: `commitments[${index}]`, message }],
  });
};
