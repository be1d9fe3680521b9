import { Body, Controller, Get, Module, Param, Post, Query } from '@nestjs/common';

import type { Command, Decider, Folded, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse, rowByRow } from '#kernel';
import type { Role } from '#vocabulary';
import { isRole, ROLE_POWERS, stateOfParty } from '#vocabulary';
import type { CallerClaims, CommandAccess, Context, HttpAnswer, ProblemInfo, RecordKind, RequestContext } from '#web';
import {
  CallerDirectory,
  CodeList,
  Ctx,
  Cursors,
  DEFAULT_LIMIT,
  EmptyBody,
  ListQuery,
  Nested,
  Parses,
  QuantityField,
  ReadGate,
  RecordEndpoints,
  registerProblems,
  RouteAction,
  Text,
  Title,
  WholeNumber,
} from '#web';
import type { Caller } from '#directory/contract';
import { ProjectionRunner } from '#kernel';
import { parsePeriod } from '#vocabulary';

/**
 * The smallest record that meets every rule of the pipeline: a note that its author writes, may close to strangers, and others may
 * not touch.
 */
export type NoteEvent =
  | {
      readonly type: 'NoteWritten';
      readonly data: { readonly id: string; readonly title: string; readonly hidden: boolean; readonly by: string };
    }
  | { readonly type: 'NoteStamped'; readonly data: { readonly times: number } };

type NoteCommand = Command &
  (
    | { readonly type: 'write'; readonly id: string; readonly title: string; readonly hidden: boolean }
    | { readonly type: 'stamp' }
  );

interface Note {
  readonly title: string;
  readonly by: string;
  readonly hidden: boolean;
  readonly stamps: number;
}

type NoteRefusal = Rejection<'forbidden' | 'full'>;

const note: Decider<Note | undefined, NoteCommand, NoteEvent, NoteRefusal> = {
  category: 'note',
  initial: undefined,
  schemas: { NoteWritten: 1, NoteStamped: 1 },
  decide: (command, state) => {
    if (command.type === 'write') {
      const { id, title, hidden, by } = command;
      return accept({ type: 'NoteWritten', data: { id, title, hidden, by: by.actor.party } });
    }
    if (state?.by !== command.by.actor.party) return refuse('forbidden', 'Only its author stamps a note.');
    return state.stamps >= 2
      ? refuse('full', 'Two stamps fill a note.')
      : accept({ type: 'NoteStamped', data: { times: state.stamps + 1 } });
  },
  evolve: (state, event) => {
    if (event.type === 'NoteWritten') {
      const { title, hidden, by } = event.data as { title: string; hidden: boolean; by: string };
      return { title, hidden, by, stamps: 0 };
    }
    return state === undefined ? state : { ...state, stamps: state.stamps + 1 };
  },
};

const NOTE_PROBLEMS = registerProblems({
  forbidden: { status: 403, title: 'Not yours to do' },
  full: { status: 409, title: 'The note is full' },
} satisfies Record<NoteRefusal['code'], ProblemInfo>);

const notes: RecordKind<Note | undefined, NoteCommand, NoteEvent, NoteRefusal> = {
  decider: note,
  path: '/v1/notes',
  exists: (state) => state !== undefined,
  sees: (caller, _id, state) =>
    (state?.hidden !== true || state.by === caller.party) && !(state?.title === 'vanishes' && state.stamps > 0),
  permits: (caller, _command, state) => state?.by === caller.party,
  view: (_caller, id, { state }: Folded<Note | undefined>) => ({ id, ...state }),
  maskEvent: (_caller, _state, event: RecordedEvent<NoteEvent>) =>
    event.type === 'NoteStamped' ? undefined : event.data,
};

class Line {
  @CodeList(['red', 'green'])
  colour!: string;

  @QuantityField()
  quantity!: object;
}

class NoteDto {
  @Title({ example: 'Stockpile survey' })
  title!: string;

  @CodeList(['yes', 'no'], { required: false })
  hidden?: string;

  @Text({ required: false })
  text?: string;

  @CodeList(['a', 'b'], { array: true, required: false })
  codes?: string[];

  @Nested(() => Line, { array: true, min: 1, required: false })
  lines?: Line[];

  @Nested(() => Line, { array: true, or: ['none'], required: false })
  either?: Line[] | 'none';

  @Parses('period', parsePeriod, { type: 'object' }, { required: false })
  period?: object;

  @WholeNumber({ min: 1, max: 9, required: false })
  rank?: number;
}

class NotesQuery extends ListQuery {
  @CodeList(['red', 'green'], { required: false })
  colour?: string;
}

const WRITERS: readonly Role[] = ['npc', 'mission', 'donor-desk'];
const WRITE: CommandAccess = { action: 'note.write', roles: WRITERS };
const STAMP: CommandAccess = { action: 'note.stamp', roles: WRITERS, power: 'sign' };

@Controller('v1/notes')
class NotesController {
  constructor(
    private readonly records: RecordEndpoints,
    private readonly gate: ReadGate,
    private readonly cursors: Cursors,
    private readonly projections: ProjectionRunner,
  ) {}

  @Post()
  @RouteAction({ ...WRITE, problems: NOTE_PROBLEMS })
  write(@Ctx() ctx: RequestContext, @Body() { title, hidden }: NoteDto): Promise<HttpAnswer> {
    return this.records.create(ctx, notes, {
      access: WRITE,
      prepare: (id) => (by) => ({ type: 'write' as const, id, title, hidden: hidden === 'yes', by }),
      settle: () =>
        Promise.resolve(title === 'refused later' ? { code: 'full', detail: 'The refusal was recorded.' } : undefined),
    });
  }

  @Post(':id/stamp')
  @RouteAction({ ...STAMP, problems: NOTE_PROBLEMS, ifMatch: 'required' })
  stamp(@Ctx() ctx: RequestContext, @Param('id') id: string, @Body() _body: EmptyBody): Promise<HttpAnswer> {
    return this.records.command(ctx, notes, id, {
      access: STAMP,
      type: 'stamp',
      ifMatch: 'required',
      prepare: () => (by) => ({ type: 'stamp' as const, by }),
    });
  }

  @Get()
  @RouteAction({ action: 'note.list', anonymous: true })
  async list(@Ctx() ctx: RequestContext, @Query() query: NotesQuery): Promise<HttpAnswer> {
    await this.gate.ready(ctx, 'note-titles');
    const { limit = DEFAULT_LIMIT, cursor } = query;
    const [after = 0] = cursor === undefined ? [] : this.cursors.decode(ctx, query, cursor);
    const rows = this.projections
      .model('note-titles')
      .all('SELECT rowid AS seq, title FROM note WHERE rowid > ? ORDER BY rowid LIMIT ?', after, limit + 1);
    const items = rows.slice(0, limit);
    const last = items.at(-1)?.seq;
    const next = rows.length > limit ? this.cursors.encode(ctx, query, [Number(last)]) : null;
    return this.records.list(ctx, { items: items.map(({ title }) => ({ title })), next });
  }

  @Get(':id')
  @RouteAction({ action: 'note.read', anonymous: true })
  one(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.records.one(ctx, notes, id);
  }

  @Get(':id/history')
  @RouteAction({ action: 'note.history', anonymous: true })
  history(@Ctx() ctx: RequestContext, @Param('id') id: string): Promise<HttpAnswer> {
    return this.records.history(ctx, notes, id);
  }

  @Get(':id/broken')
  @RouteAction({ action: 'note.break', roles: ['operator'] })
  broken(): never {
    throw new Error('a secret of the inside');
  }
}

@Module({})
class NotesModule {}

/** Trusts what tokens say, but for `donor:unregistered`; `donor:designates` keeps one designation, of 2026 alone. */
class ClaimedCallers extends CallerDirectory {
  override resolve({ party, roles, issuer, subject }: CallerClaims, at: Date, signedAt: Date = at): Promise<Caller> {
    const keepsDesignations = party === 'donor:designates';
    const inForce = at.getUTCFullYear() === 2026 && signedAt.getUTCFullYear() === 2026;
    const powers = roles.filter(isRole).flatMap((role) => ROLE_POWERS[role]);
    const sovereign = stateOfParty(party);
    return Promise.resolve({
      anonymous: false,
      party,
      roles,
      issuer,
      subject,
      ...(sovereign === undefined ? {} : { sovereign }),
      registered: party !== 'donor:unregistered',
      keepsDesignations,
      powers: keepsDesignations && !inForce ? new Set() : new Set(powers),
      designations: keepsDesignations && inForce ? new Map([['sign', 'designation-1']]) : new Map(),
      mandates: [],
    });
  }
}

/** Set to park the probe's projection at its next event. */
export const poison = { armed: false };

export const probeContext: Context = {
  name: 'probe',
  module: NotesModule,
  controllers: [NotesController],
  streams: { note: note.schemas },
  callers: () => new ClaimedCallers(),
  projections: () => [
    {
      name: 'note-titles',
      version: 1,
      handles: ['NoteWritten'],
      schema: 'CREATE TABLE note (title TEXT NOT NULL)',
      begin: rowByRow((tx, event) => {
        if (poison.armed) throw new Error('poison');
        tx.run('INSERT INTO note (title) VALUES (?)', (event.data as { title: string }).title);
      }),
    },
  ],
};
