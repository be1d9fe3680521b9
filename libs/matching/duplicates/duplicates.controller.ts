import { Transactor } from '#kernel';
import type { CommandAccess, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  forbidden,
  HttpAnswer,
  notFound,
  Problem,
  ReadGate,
  RecordEndpoints,
  RouteAction,
  uuidOf,
  WEB_PROBLEMS,
} from '#web';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DuplicateRecords, pairView } from './duplicate-records.js';
import type { DuplicateCommand } from './duplicate.js';
import { duplicateDecider } from './duplicate.js';
import { DUPLICATE_TRAITS } from './duplicate-traits.projection.js';
import { DuplicatesQuery, JudgeDto } from './duplicates.dto.js';
import { DUPLICATE_PROBLEMS } from './duplicates.problems.js';
import { Duplicates, MOST_COMPARED } from './duplicates.js';

const ACCESS: CommandAccess = { action: 'duplicate.judge', roles: ['coordinator'] };

const SEEN =
  'A pair is shown to whoever sees both records (of a need its body). `needs`: open needs of one State that share a kind and look alike in ' +
  'title, text or lines, and whose periods share a day where both state one. `promises`: offers earmarked to the State by name, and commitments for it, that ' +
  'share a kind and a day and come from different donors, but for commitments on one need. ' +
  `Of a State with more than ${MOST_COMPARED} such records that the caller sees, those that changed last are compared. ` +
  'A pair that was judged is never a fresh candidate again, whatever becomes of its records: it is shown with its verdict, and with the evidence it was ' +
  'judged on. Values of evidence go from 0 to 1.';

const PAIR = {
  id: '019b8d00-0000-8000-8000-00000000000d',
  about: 'needs',
  records: [
    { kind: 'need', id: '019b8d00-0000-7000-8000-00000000000a' },
    { kind: 'need', id: '019b8d00-0000-7000-8000-00000000000b' },
  ],
  state: 'VUT',
  states: ['VUT'],
  kinds: ['legal'],
  evidence: [
    { name: 'title', value: '0.80', because: 'The titles share 4 of 6 words, whatever their case and accents.' },
  ],
  verdict: { verdict: 'same', by: 'agency:secretariat', at: '2026-11-22T10:00:00.000Z', note: 'Filed by two offices' },
  revision: 0,
};

@ApiTags('duplicates')
@Controller('v1/duplicates')
export class DuplicatesController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: DuplicateRecords,
    private readonly duplicates: Duplicates,
    private readonly transactor: Transactor,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /** Pairs of needs that may be one, and of promises that may get in each other's way, with what speaks for it. */
  @Get()
  @RouteAction({ action: 'duplicate.list', says: SEEN, example: { items: [PAIR], next: null } })
  async list(@Ctx() ctx: RequestContext, @Query() query: DuplicatesQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : this.cursors.decode(ctx, filter, cursor);
    await this.gate.ready(ctx, DUPLICATE_TRAITS);
    const rows = await this.duplicates.list(
      ctx.caller,
      filter,
      limit + 1,
      after === undefined ? undefined : { state: String(after[0]), strength: Number(after[1]), id: String(after[2]) },
    );
    const { page, next } = this.cursors.page(ctx, filter, rows, limit, ({ place }) => [
      place.state,
      place.strength,
      place.id,
    ]);
    const items = page.map(({ id, candidate, judged, revision }) => ({
      ...pairView(id, candidate, judged),
      ...(revision === undefined ? {} : { revision }),
    }));
    return this.endpoints.list(ctx, { items, next });
  }

  /** One pair: as it is found now or, once judged, as it was judged. */
  @Get(':id')
  @RouteAction({
    action: 'duplicate.read',
    says: 'An ETag and a `revision` it has once it was judged.',
    example: PAIR,
  })
  async one(@Ctx() ctx: RequestContext, @Param('id') given: string): Promise<HttpAnswer> {
    const id = uuidOf(given);
    if (await this.isJudged(id)) return this.endpoints.one(ctx, this.records, id);
    await this.gate.ready(ctx, DUPLICATE_TRAITS);
    const candidate = await this.duplicates.find(ctx.caller, id);
    if (candidate === undefined) throw notFound();
    return new HttpAnswer(200, {}, pairView(id, candidate));
  }

  /** Says what a pair is: the same, different, or complementary. */
  @Post(':id/judge')
  @HttpCode(200)
  @RouteAction({
    ...ACCESS,
    problems: { ...DUPLICATE_PROBLEMS, 'if-match-required': WEB_PROBLEMS['if-match-required'] },
    ifMatch: 'optional',
    says:
      'Before its first verdict nothing stands there that has a revision: If-Match is not asked then, and any is stale (412). Afterwards it is ' +
      'required as for every record (428). `same` tells the States on their desks that merging is suggested; merging is theirs to do.',
  })
  async judge(@Ctx() ctx: RequestContext, @Param('id') given: string, @Body() body: JudgeDto): Promise<HttpAnswer> {
    const id = uuidOf(given);
    const { verdict, note } = body;
    const word = { type: 'JudgeDuplicate', verdict, ...(note === undefined ? {} : { note }) } as const;
    if (await this.isJudged(id)) {
      return this.endpoints.command(ctx, this.records, id, {
        access: ACCESS,
        type: 'JudgeDuplicate',
        ifMatch: 'required',
        prepare:
          () =>
          (by): DuplicateCommand => ({ ...word, by }),
      });
    }
    const { headers, body: shown } = await this.endpoints.create(ctx, this.records, {
      access: ACCESS,
      id,
      prepare: async () => {
        await this.gate.ready(ctx, DUPLICATE_TRAITS);
        const candidate = await this.duplicates.find(ctx.caller, id);
        if (candidate === undefined) throw notFound();
        if (candidate.parties.includes(ctx.caller.party)) {
          throw forbidden('A coordinator does not judge records of its own party.');
        }
        if (ctx.ifMatch !== undefined) {
          throw Problem.of('stale-revision', 'Nobody has judged the pair yet: leave If-Match out.');
        }
        return (by): DuplicateCommand => ({ ...word, by, candidate });
      },
    });
    // To the caller the pair was there before: a verdict is a command to it.
    const { location: _, ...rest } = headers;
    return new HttpAnswer(200, rest, shown);
  }

  private async isJudged(id: string): Promise<boolean> {
    return (await this.transactor.load(duplicateDecider, id)).state.judged !== undefined;
  }
}
