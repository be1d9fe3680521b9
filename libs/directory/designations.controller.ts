import { derivedId, newId } from '#kernel';
import type { CommandBuilder, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  HttpAnswer,
  notFound,
  Problem,
  ReadGate,
  RecordEndpoints,
  RouteAction,
  uuidOf,
} from '#web';
import { Body, Controller, Get, Injectable, Param, Post, Query } from '@nestjs/common';
import { hasRole } from './caller.js';
import { DesignationDto, MandateDto, PaperListQuery } from './directory.dto.js';
import { PARTY_PROBLEMS } from './directory.problems.js';
import type { PartyKindOfRecord } from './directory-records.js';
import { DirectoryRecords } from './directory-records.js';
import { PARTIES } from './parties.projection.js';
import type { PartyCommand } from './party.js';
import { DESIGNATING_ROLES, OWNING_ROLES } from './party.js';
import { PartyBoard } from './party-board.js';
import { accessTo } from './party.view.js';

/** The id of a paper that a request creates: the same for the same key, as for every other creation. */
const paperIdOf = ({ caller, method, path, idempotencyKey }: RequestContext): string =>
  idempotencyKey === undefined
    ? newId()
    : derivedId('record', caller.issuer, caller.party, method, path, idempotencyKey);

/** What designations and mandates have in common: records of their own that stand in a party's stream. */
@Injectable()
abstract class Papers {
  constructor(
    protected readonly endpoints: RecordEndpoints,
    protected readonly records: DirectoryRecords,
    protected readonly board: PartyBoard,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
  ) {}

  protected abstract readonly kind: 'designation' | 'mandate';
  protected abstract kindOf(id: string): PartyKindOfRecord;

  protected async record(
    ctx: RequestContext,
    party: string,
    own: boolean,
    type: 'RecordDesignation' | 'GiveMandate',
    prepare: (id: string) => Promise<CommandBuilder<PartyCommand>> | CommandBuilder<PartyCommand>,
  ): Promise<HttpAnswer> {
    const id = paperIdOf(ctx);
    const before = ctx.idempotencyKey === undefined ? undefined : await this.board.find(id);
    if (before !== undefined && before !== party) {
      throw Problem.of(
        'idempotency-key-reused',
        'This Idempotency-Key was used here for another request: choose a new key.',
      );
    }
    const kind = this.kindOf(id);
    const { status, headers, body } = await this.endpoints.create(ctx, kind, {
      access: accessTo(type, own),
      id: party,
      prepare: () => prepare(id),
    });
    this.board.recorded(id, party);
    return new HttpAnswer(status, { ...headers, location: `${kind.path}/${id}` }, body);
  }

  protected async shown(ctx: RequestContext, given: string): Promise<HttpAnswer> {
    const id = uuidOf(given);
    await this.gate.ready(ctx, PARTIES);
    return this.endpoints.one(ctx, this.kindOf(id), await this.partyOf(id));
  }

  protected async ended(
    ctx: RequestContext,
    given: string,
    type: 'RevokeDesignation' | 'EndMandate',
    own: (party: string) => boolean,
    command: (id: string, by: PartyCommand['by']) => PartyCommand,
  ): Promise<HttpAnswer> {
    const id = uuidOf(given);
    await this.gate.ready(ctx, PARTIES);
    // A paper that is not there is looked for where none can be: what comes before 404 is the same for one that is hidden.
    const party = (await this.board.find(id)) ?? id;
    return this.endpoints.command(ctx, this.kindOf(id), party, {
      access: accessTo(type, own(party)),
      type,
      ifMatch: 'required',
      prepare: () => (by) => command(id, by),
    });
  }

  protected async page(
    ctx: RequestContext,
    { limit = DEFAULT_LIMIT, cursor, party }: PaperListQuery,
  ): Promise<HttpAnswer> {
    const filter = { party };
    const after = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, filter, cursor)[0]);
    await this.gate.ready(ctx, PARTIES);
    const rows = this.board.papers(this.kind, ctx.caller, party, limit + 1, after);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const next = rows.length > limit && last !== undefined ? this.cursors.encode(ctx, filter, [last.n]) : null;
    const items = await Promise.all(
      page.map(async ({ id, party: of, revision, state }) => ({
        ...(await this.kindOf(id).view(ctx.caller, of, {
          state,
          revision,
          position: 0n,
          settledRevision: revision,
          commands: new Map(),
        })),
        revision,
      })),
    );
    return this.endpoints.list(ctx, { items, next });
  }

  private async partyOf(id: string): Promise<string> {
    const party = await this.board.find(id);
    if (party === undefined) throw notFound();
    return party;
  }
}

@Controller('v1/designations')
export class DesignationsController extends Papers {
  protected override readonly kind = 'designation';

  protected override kindOf(id: string): PartyKindOfRecord {
    return this.records.designation(id);
  }

  /** From its first designation on, only designated persons act for a party. */
  @Post()
  @RouteAction({
    action: 'designation.record',
    roles: [...DESIGNATING_ROLES, 'coordinator'],
    problems: PARTY_PROBLEMS,
  })
  designate(@Ctx() ctx: RequestContext, @Body() body: DesignationDto): Promise<HttpAnswer> {
    const { party, office, powers, holder, authorityRef, from, to } = body;
    return this.record(ctx, party, !hasRole(ctx.caller, 'coordinator'), 'RecordDesignation', async (designation) => {
      const reference = await this.records.referenceOf(ctx.caller.issuer, holder);
      return (by) => ({
        type: 'RecordDesignation',
        by,
        party,
        designation,
        office,
        powers,
        holder: reference,
        authorityRef,
        from,
        ...(to === undefined ? {} : { to }),
      });
    });
  }

  @Get()
  @RouteAction({ action: 'designation.list', anonymous: true })
  list(@Ctx() ctx: RequestContext, @Query() query: PaperListQuery): Promise<HttpAnswer> {
    return this.page(ctx, query);
  }

  @Get(':id')
  @RouteAction({ action: 'designation.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.shown(ctx, id);
  }

  @Post(':id/revoke')
  @RouteAction({
    action: 'designation.revoke',
    roles: [...DESIGNATING_ROLES, 'coordinator'],
    problems: PARTY_PROBLEMS,
    ifMatch: 'required',
  })
  revoke(@Ctx() ctx: RequestContext, @Param('id') given: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    const own = (): boolean => !hasRole(ctx.caller, 'coordinator');
    return this.ended(ctx, given, 'RevokeDesignation', own, (designation, by) => ({
      type: 'RevokeDesignation',
      by,
      designation,
    }));
  }
}

@Controller('v1/mandates')
export class MandatesController extends Papers {
  protected override readonly kind = 'mandate';

  protected override kindOf(id: string): PartyKindOfRecord {
    return this.records.mandate(id);
  }

  /** Lets an auditor read what is in scope; sealed parts only by their owner. */
  @Post()
  @RouteAction({ action: 'mandate.give', roles: [...OWNING_ROLES, 'coordinator'], problems: PARTY_PROBLEMS })
  give(@Ctx() ctx: RequestContext, @Body() body: MandateDto): Promise<HttpAnswer> {
    const { auditor, scope, sealed = false, from, to, reference } = body;
    return this.record(ctx, auditor, sealed, 'GiveMandate', (mandate) => (by) => ({
      type: 'GiveMandate',
      by,
      auditor,
      mandate,
      scope,
      sealed,
      from,
      ...(to === undefined ? {} : { to }),
      reference,
    }));
  }

  @Get()
  @RouteAction({ action: 'mandate.list', anonymous: true })
  list(@Ctx() ctx: RequestContext, @Query() query: PaperListQuery): Promise<HttpAnswer> {
    return this.page(ctx, query);
  }

  @Get(':id')
  @RouteAction({ action: 'mandate.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.shown(ctx, id);
  }

  @Post(':id/end')
  @RouteAction({
    action: 'mandate.end',
    roles: [...OWNING_ROLES, 'coordinator'],
    problems: PARTY_PROBLEMS,
    ifMatch: 'required',
  })
  end(@Ctx() ctx: RequestContext, @Param('id') given: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    const own = (): boolean => !hasRole(ctx.caller, 'coordinator');
    return this.ended(ctx, given, 'EndMandate', own, (mandate, by) => ({ type: 'EndMandate', by, mandate }));
  }
}
