import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  HttpAnswer,
  notFound,
  ReadGate,
  RecordEndpoints,
  RouteAction,
  uuidOf,
} from '#web';
import { MATCH_INDEX } from '../match-index.projection.js';
import { SuggestionsQuery } from './suggestions.dto.js';
import { SUGGESTIONS } from './suggestions.projection.js';
import type { SuggestionView } from './suggestions.js';
import { Suggestions } from './suggestions.js';

const SUGGESTION = {
  id: '019b8d00-0000-8000-8000-00000000000e',
  needId: '019b8d00-0000-7000-8000-00000000000a',
  needLine: 1,
  offerId: '019b8d00-0000-7000-8000-00000000000b',
  offerLine: 1,
  quantity: { measure: 'money', currency: 'USD', amount: '60000.00' },
  status: 'open',
  because: 'score 0.82; kind legal is offered; the need is urgent',
  servable: { measure: 'money', currency: 'USD', amount: '60000.00' },
  allocationId: '019b8d00-0000-7000-8000-00000000000f',
  ranAt: '2026-11-22T09:00:00.000Z',
  sharedBy: 'agency:secretariat',
  sharedAt: '2026-11-22T10:00:00.000Z',
  note: 'For your next committee',
  actions: ['propose'],
};

const SAYS =
  'Lines of a run of the solver that its coordinator shared with the caller’s party: a proposal to propose, which binds nobody. Need, offer and ' +
  '`quantity` are as the run had them (`ranAt`); `quantity` follows from all that the coordinator saw. `because`, and `servable` (what of the two ' +
  'lines could be bound now), are as of now and reckoned from what the caller sees. `stale`: it could not be bound now, and why. `proposed`: it ' +
  'became `commitmentId`. Shown as long as the caller sees the need’s lines and gives of the offer.';

@ApiTags('suggestions')
@Controller('v1/suggestions')
export class SuggestionsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly suggestions: Suggestions,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  /** Lines that a coordinator shared with the caller's party, newest first. */
  @Get()
  @RouteAction({ action: 'suggestion.list', says: SAYS, example: { items: [SUGGESTION], next: null } })
  async list(@Ctx() ctx: RequestContext, @Query() query: SuggestionsQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : this.cursors.decode(ctx, filter, cursor);
    await this.gate.ready(ctx, SUGGESTIONS, MATCH_INDEX);
    const shown = await this.suggestions.list(
      ctx.caller,
      filter,
      limit + 1,
      after === undefined ? undefined : { position: Number(after[0]), at: Number(after[1]) },
    );
    const { page, next } = this.cursors.page(ctx, filter, shown, limit, ({ place }) => [place.position, place.at]);
    const items = page.map(({ view }) => view);
    for (const each of items) this.note(ctx, each);
    return this.endpoints.list(ctx, { items, next });
  }

  /** One of them. */
  @Get(':id')
  @RouteAction({
    action: 'suggestion.read',
    says: 'It has no revision: nothing is ever changed in it.',
    example: SUGGESTION,
  })
  async one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    await this.gate.ready(ctx, SUGGESTIONS, MATCH_INDEX);
    const view = await this.suggestions.one(ctx.caller, uuidOf(id));
    if (view === undefined) throw notFound();
    this.note(ctx, view);
    return new HttpAnswer(200, {}, view);
  }

  private note(ctx: RequestContext, { needId, offerId }: SuggestionView): void {
    this.endpoints.noteRead(ctx, 'need', [needId]);
    this.endpoints.noteRead(ctx, 'offer', [offerId]);
  }
}
