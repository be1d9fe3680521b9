import { derivedId, newId, Transactor } from '#kernel';
import type { CommandAccess, CommandBuilder, FieldError, RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  hasAuthority,
  HttpAnswer,
  invalid,
  notFound,
  Problem,
  ReadGate,
  RecordEndpoints,
  RecordSight,
  RouteAction,
  uuidOf,
} from '#web';
import { Body, Controller, Get, Injectable, Param, Post, Query } from '@nestjs/common';
import type { Caller } from './caller.js';
import { hasRole } from './caller.js';
import type { ContactPoint } from './contact-points.js';
import { ContactPoints } from './contact-points.js';
import { ContactPointDto, DesignationDto, MandateDto, PaperListQuery } from './directory.dto.js';
import { CONTACT_PROBLEMS, PARTY_PROBLEMS } from './directory.problems.js';
import type { PartyKindOfRecord } from './directory-records.js';
import { DirectoryRecords } from './directory-records.js';
import { PARTIES } from './parties.projection.js';
import type { SealedContact } from './party.contract.js';
import type { Designation, PartyCommand } from './party.js';
import { DESIGNATING_ROLES, OWNING_ROLES, partyDecider } from './party.js';
import { PartyBoard } from './party-board.js';
import { accessTo, contactAccess, seesDesignations } from './party.view.js';

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
    protected readonly gate: ReadGate,
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
    const party = await this.placeOf(id);
    return this.endpoints.command(ctx, this.kindOf(id), party, {
      access: accessTo(type, own(party)),
      type,
      ifMatch: 'required',
      prepare: () => (by) => command(id, by),
    });
  }

  /** A paper that is not there is looked for where none can be: what comes before 404 is the same for one that is hidden. */
  protected async placeOf(id: string): Promise<string> {
    return (await this.board.find(id)) ?? id;
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

  constructor(
    endpoints: RecordEndpoints,
    records: DirectoryRecords,
    board: PartyBoard,
    gate: ReadGate,
    cursors: Cursors,
    private readonly contacts: ContactPoints,
    private readonly transactor: Transactor,
  ) {
    super(endpoints, records, board, gate, cursors);
  }

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
  async designate(@Ctx() ctx: RequestContext, @Body() body: DesignationDto): Promise<HttpAnswer> {
    const { party, office, powers, authorityRef, from, to } = body;
    const own = !hasRole(ctx.caller, 'coordinator');
    // Whoever may not designate is refused before anything rests on it.
    const holder = hasAuthority(ctx.caller, accessTo('RecordDesignation', own))
      ? await this.records.referenceOf(ctx.caller.issuer, body.holder)
      : '';
    // The hash of the request goes into the log: a name that others could guess must not be in it.
    const asRecorded = { ...ctx, body: { ...(ctx.body as object), holder } };
    return this.record(asRecorded, party, own, 'RecordDesignation', (designation) => (by) => ({
      type: 'RecordDesignation',
      by,
      party,
      designation,
      office,
      powers,
      holder,
      authorityRef,
      from,
      ...(to === undefined ? {} : { to }),
    }));
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

  /** Replaces the contact point as a whole. Shown to the party and the coordinator; sealed wherever it is kept. */
  @Post(':id/contact')
  @RouteAction({
    action: 'designation.set-contact',
    roles: [...OWNING_ROLES, 'coordinator'],
    problems: CONTACT_PROBLEMS,
    ifMatch: 'required',
  })
  async setContact(
    @Ctx() ctx: RequestContext,
    @Param('id') given: string,
    @Body() { name, mailbox, telephone }: ContactPointDto,
  ): Promise<HttpAnswer> {
    if (name === undefined && mailbox === undefined && telephone === undefined) {
      throw invalid([{ field: 'mailbox', message: 'give a name, a mailbox or a telephone, or send remove-contact' }]);
    }
    return this.keepContact(ctx, given, 'SetContactPoint', {
      ...(name === undefined ? {} : { name }),
      ...(mailbox === undefined ? {} : { mailbox }),
      ...(telephone === undefined ? {} : { telephone }),
    });
  }

  @Post(':id/remove-contact')
  @RouteAction({
    action: 'designation.remove-contact',
    roles: [...OWNING_ROLES, 'coordinator'],
    problems: CONTACT_PROBLEMS,
    ifMatch: 'required',
  })
  removeContact(@Ctx() ctx: RequestContext, @Param('id') given: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.keepContact(ctx, given, 'RemoveContactPoint', {});
  }

  private async keepContact(
    ctx: RequestContext,
    given: string,
    type: 'SetContactPoint' | 'RemoveContactPoint',
    contact: ContactPoint,
  ): Promise<HttpAnswer> {
    const id = uuidOf(given);
    await this.gate.ready(ctx, PARTIES);
    const party = await this.placeOf(id);
    const { state } = await this.transactor.load(partyDecider, party);
    const found = state.designations.find(({ designation }) => designation === id);
    const access = contactAccess(type, ctx.caller, party, found?.holder);
    const sealed = type === 'SetContactPoint' ? await this.sealedFor(ctx, access, party, found, contact) : {};
    // The hash of the request goes into the log: it covers what is sealed, not what could be guessed.
    return this.endpoints.command({ ...ctx, body: sealed ?? {} }, this.kindOf(id), party, {
      access,
      type,
      ifMatch: 'required',
      prepare: () => {
        if (sealed === undefined) {
          throw Problem.of('holder-erased', 'The holder of this designation was erased: nothing is kept of them.');
        }
        return (by): PartyCommand =>
          type === 'SetContactPoint' ? { type, by, designation: id, contact: sealed } : { type, by, designation: id };
      },
    });
  }

  /** Undefined where the holder was erased; nothing is sealed for who may not set it, or where there is nothing to set it on. */
  private async sealedFor(
    { caller }: RequestContext,
    access: CommandAccess,
    party: string,
    found: Designation | undefined,
    contact: ContactPoint,
  ): Promise<SealedContact | undefined> {
    return found === undefined || !hasAuthority(caller, access) || !seesDesignations(caller, party)
      ? {}
      : this.contacts.seal(party, found, contact);
  }
}

@Controller('v1/mandates')
export class MandatesController extends Papers {
  protected override readonly kind = 'mandate';

  constructor(
    endpoints: RecordEndpoints,
    records: DirectoryRecords,
    board: PartyBoard,
    gate: ReadGate,
    cursors: Cursors,
    private readonly sight: RecordSight,
  ) {
    super(endpoints, records, board, gate, cursors);
  }

  protected override kindOf(id: string): PartyKindOfRecord {
    return this.records.mandate(id);
  }

  /** Lets an auditor read what is in scope; sealed parts only by their owner. */
  @Post()
  @RouteAction({ action: 'mandate.give', roles: [...OWNING_ROLES, 'coordinator'], problems: PARTY_PROBLEMS })
  give(@Ctx() ctx: RequestContext, @Body() body: MandateDto): Promise<HttpAnswer> {
    const { auditor, scope, sealed = false, from, to, reference } = body;
    return this.record(ctx, auditor, sealed, 'GiveMandate', async (mandate) => {
      if (sealed && 'records' in scope) await this.requireOwn(ctx.caller, scope.records);
      return (by) => ({
        type: 'GiveMandate',
        by,
        auditor,
        mandate,
        scope,
        sealed,
        from,
        ...(to === undefined ? {} : { to }),
        reference,
      });
    });
  }

  /** @throws {Problem} 403 naming each that is not: alike for another's, a hidden one and none at all */
  private async requireOwn(caller: Caller, records: readonly string[]): Promise<void> {
    const errors: FieldError[] = [];
    for (const [index, id] of records.entries()) {
      if (!(await this.sight.owns(caller, id)))
        errors.push({ field: `scope.records[${index}]`, message: 'names no record of your party' });
    }
    if (errors.length === 0) return;
    throw Problem.of('forbidden', 'A mandate with sealed: true is given by an owner, for its own records.', { errors });
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
