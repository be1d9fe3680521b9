import { Transactor } from '#kernel';
import { isPartyId } from '#vocabulary';
import type { RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  HttpAnswer,
  invalid,
  notFound,
  ReadGate,
  RecordEndpoints,
  RouteAction,
} from '#web';
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { PartyContent } from './party.contract.js';
import { AmendPartyDto, contentOf, partyFaults, PartyListQuery, RegisterPartyDto } from './directory.dto.js';
import { PARTY_PROBLEMS } from './directory.problems.js';
import { DirectoryRecords } from './directory-records.js';
import { PARTIES } from './parties.projection.js';
import type { PartyCommand } from './party.js';
import { partyDecider } from './party.js';
import { PartyBoard } from './party-board.js';
import { accessTo, knownName, partyView } from './party.view.js';

/** @throws {Problem} 404 */
export const partyIdOf = (id: string): string => {
  if (!isPartyId(id)) throw notFound();
  return id;
};

@Controller('v1/parties')
export class PartiesController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: DirectoryRecords,
    private readonly board: PartyBoard,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly transactor: Transactor,
  ) {}

  /** Registers a party: before that only States, coordinators and operators act. */
  @Post()
  @RouteAction({ ...accessTo('RegisterParty', false), problems: PARTY_PROBLEMS })
  async register(@Ctx() ctx: RequestContext, @Body() body: RegisterPartyDto): Promise<HttpAnswer> {
    const { id } = body;
    const faults = partyFaults(id, body, true);
    if (faults.length > 0) throw invalid(faults);
    const content = contentOf(body) as PartyContent;
    return this.endpoints.create(ctx, this.records, {
      access: accessTo('RegisterParty', false),
      id,
      prepare:
        () =>
        (by): PartyCommand => ({ type: 'RegisterParty', by, id, content }),
    });
  }

  @Get()
  @RouteAction({ action: 'party.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: PartyListQuery): Promise<HttpAnswer> {
    const { limit = DEFAULT_LIMIT, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, filter, cursor)[0]);
    await this.gate.ready(ctx, PARTIES);
    const rows = this.board.list(filter, limit + 1, after);
    const { page, next } = this.cursors.page(ctx, filter, rows, limit, ({ seq }) => [seq]);
    const items = page.map(({ id, revision, state }) => ({ ...partyView(ctx.caller, id, state), revision }));
    return this.endpoints.list(ctx, { items, next });
  }

  /** A State or known organisation is answered also where nobody registered it: `registered` is false then. */
  @Get(':id')
  @RouteAction({ action: 'party.read', anonymous: true })
  async one(@Ctx() ctx: RequestContext, @Param('id') given: string): Promise<HttpAnswer> {
    const id = partyIdOf(given);
    const { state } = await this.transactor.load(partyDecider, id);
    if (this.records.exists(state) || knownName(id) === undefined) return this.endpoints.one(ctx, this.records, id);
    // Nothing is written of it: there is no revision to name.
    return new HttpAnswer(200, {}, { ...partyView(ctx.caller, id, state), revision: null });
  }

  @Post(':id/amend')
  @RouteAction({ ...accessTo('AmendParty', false), problems: PARTY_PROBLEMS, ifMatch: 'required' })
  async amend(
    @Ctx() ctx: RequestContext,
    @Param('id') given: string,
    @Body() body: AmendPartyDto,
  ): Promise<HttpAnswer> {
    const id = partyIdOf(given);
    const faults = partyFaults(id, body, false);
    if (faults.length > 0) throw invalid(faults);
    return this.endpoints.command(ctx, this.records, id, {
      access: accessTo('AmendParty', false),
      type: 'AmendParty',
      ifMatch: 'required',
      prepare:
        () =>
        (by): PartyCommand => ({ type: 'AmendParty', by, changes: contentOf(body) }),
    });
  }

  @Post(':id/retire')
  @RouteAction({ ...accessTo('RetireParty', false), problems: PARTY_PROBLEMS, ifMatch: 'required' })
  async retire(@Ctx() ctx: RequestContext, @Param('id') given: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.endpoints.command(ctx, this.records, partyIdOf(given), {
      access: accessTo('RetireParty', false),
      type: 'RetireParty',
      ifMatch: 'required',
      prepare:
        () =>
        (by): PartyCommand => ({ type: 'RetireParty', by }),
    });
  }
}
