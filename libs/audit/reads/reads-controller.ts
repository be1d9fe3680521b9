import { Controller, Get, Inject, Param, Query, type Type } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { hasRole } from '#directory/contract';
import { ProjectionRunner, streamOf } from '#kernel';
import type { RequestContext } from '#web';
import {
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  forbidden,
  HttpAnswer,
  ListQuery,
  ReadGate,
  RecordEndpoints,
  RecordKinds,
  RouteAction,
  uuidOf,
} from '#web';
import { reaches } from '../findings/grounds.js';
import { isOfficeOf } from '../findings/owners-sight.js';
import { READ_BOARD, readingsOf } from './read-board.projection.js';

const SAYS =
  'Shown to the parties whose record it is, and to auditors with a mandate in force that covers it. A reading is logged where the record, or the part of it ' +
  'that was shown, is not for every party to see; not that of a party whose record it is. It shows within two minutes of the read. `subject`, the reader’s pseudonym, is for its own party and auditors.';

const READING = {
  minute: '2026-11-29T10:05Z',
  party: 'auditor:court',
  role: 'auditor',
  ways: ['history', 'record'],
  purposes: ['Audit plan 2026, item 4'],
};

/** Who read records of one kind: `GET <path>/:id/reads`. @param name of the class, after which its operation is named */
export const readsController = (
  name: string,
  { path, tag, category }: { readonly path: string; readonly tag: string; readonly category: string },
): Type => {
  @ApiTags(tag)
  @Controller(path)
  class Reads {
    constructor(
      @Inject(RecordEndpoints) private readonly endpoints: RecordEndpoints,
      @Inject(RecordKinds) private readonly kinds: RecordKinds,
      @Inject(ProjectionRunner) private readonly runner: ProjectionRunner,
      @Inject(ReadGate) private readonly gate: ReadGate,
      @Inject(Cursors) private readonly cursors: Cursors,
    ) {}

    @Get(':id/reads')
    @RouteAction({ action: `${category}.reads`, says: SAYS, example: { items: [READING], next: null } })
    async reads(
      @Ctx() ctx: RequestContext,
      @Param('id') given: string,
      @Query() { limit = DEFAULT_LIMIT, cursor }: ListQuery,
    ): Promise<HttpAnswer> {
      const id = uuidOf(given);
      const kind = this.kinds.of(category);
      if (kind === undefined) throw new Error(`no kind of record has streams ${category}-…`);
      const { state } = await this.endpoints.seen(ctx, kind, id);
      const { caller } = ctx;
      const reach = kind.mandated?.(id, state) ?? { owners: [], ids: [id] };
      const isOwner = reach.owners.some((owner) => isOfficeOf(caller, owner));
      const audits = hasRole(caller, 'auditor') && caller.mandates.some((mandate) => reaches(mandate, reach));
      if (!isOwner && !audits) throw forbidden('Who read a record is for the parties whose it is, and for auditors.');
      const page = { reads: id };
      const before = cursor === undefined ? undefined : Number(this.cursors.decode(ctx, page, cursor)[0]);
      await this.gate.ready(ctx, READ_BOARD);
      const rows = readingsOf(this.runner.model(READ_BOARD), streamOf(category, id), limit + 1, before);
      const { page: shown, next } = this.cursors.page(ctx, page, rows, limit, ({ position }) => [position]);
      const items = shown.map(({ position: _position, subject, ...reading }) =>
        audits || reading.party === caller.party ? { ...reading, subject } : reading,
      );
      return this.endpoints.list(ctx, { items, next });
    }
  }
  Object.defineProperty(Reads, 'name', { value: name });
  return Reads;
};
