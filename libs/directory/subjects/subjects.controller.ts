import { Clock, Transactor } from '#kernel';
import type { RequestContext } from '#web';
import {
  Ctx,
  HttpAnswer,
  invalid,
  notFound,
  ReadGate,
  RecordEndpoints,
  RouteAction,
  SubjectRegister,
  uuidOf,
} from '#web';
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Caller } from '../caller.js';
import { hasRole } from '../caller.js';
import { EraseSubjectDto } from '../directory.dto.js';
import { SUBJECT_PROBLEMS } from '../directory.problems.js';
import { PARTIES } from '../parties.projection.js';
import { DESIGNATING_ROLES } from '../party.js';
import { PartyBoard } from '../party-board.js';
import type { SubjectCommand } from './subject.js';
import { subjectDecider } from './subject.js';
import { erasureAccess, SubjectRecords } from './subject-records.js';

/** The order behind an erasure. @throws {Problem} 400 where the operator names none, or a party another than itself */
const orderOf = (
  caller: Caller,
  { orderedBy, reference }: EraseSubjectDto,
): Pick<SubjectCommand, 'orderedBy' | 'reference'> => {
  if (hasRole(caller, 'operator')) {
    const faults = [
      ...(orderedBy === undefined ? [{ field: 'orderedBy', message: 'is required: the party that ordered it' }] : []),
      ...(reference === undefined ? [{ field: 'reference', message: 'is required: the paper of the order' }] : []),
    ];
    if (orderedBy === undefined || reference === undefined) throw invalid(faults);
    return { orderedBy, reference };
  }
  if (orderedBy !== undefined && orderedBy !== caller.party) {
    throw invalid([
      { field: 'orderedBy', message: `must be ${caller.party} or left out: a party erases its own people` },
    ]);
  }
  return { orderedBy: caller.party, ...(reference === undefined ? {} : { reference }) };
};

@ApiTags('subjects')
@Controller('v1/subjects')
export class SubjectsController {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: SubjectRecords,
    private readonly board: PartyBoard,
    private readonly gate: ReadGate,
    private readonly transactor: Transactor,
    private readonly keys: SubjectRegister,
    private readonly clock: Clock,
  ) {}

  /** Nothing is written of a subject before it is erased: there is no revision to name. */
  @Get(':id')
  @RouteAction({
    action: 'subject.read',
    anonymous: true,
    readers: 'Parties that designated the person, coordinators, and operators.',
  })
  async one(@Ctx() ctx: RequestContext, @Param('id') given: string): Promise<HttpAnswer> {
    const id = uuidOf(given);
    await this.gate.ready(ctx, PARTIES);
    await this.board.atTheEndOfTheLog();
    const folded = await this.transactor.load(subjectDecider, id);
    if (folded.revision >= 0) return this.endpoints.one(ctx, this.records, id);
    if (!(await this.records.sees(ctx.caller, id, folded.state))) throw notFound();
    return new HttpAnswer(200, {}, { ...this.records.view(ctx.caller, id, folded), revision: null });
  }

  /** Ends the designations of that party that name the person, and answers once the key is destroyed. Without a way back. */
  @Post(':id/erase')
  @RouteAction({
    action: 'subject.erase',
    roles: [...DESIGNATING_ROLES, 'operator'],
    problems: SUBJECT_PROBLEMS,
    ifMatch: 'optional',
  })
  async erase(
    @Ctx() ctx: RequestContext,
    @Param('id') given: string,
    @Body() body: EraseSubjectDto,
  ): Promise<HttpAnswer> {
    const id = uuidOf(given);
    const order = orderOf(ctx.caller, body);
    await this.board.atTheEndOfTheLog();
    const answer = await this.endpoints.command(ctx, this.records, id, {
      access: erasureAccess(ctx.caller),
      type: 'EraseSubject',
      ifMatch: 'optional',
      prepare: () => {
        const offices = this.records.officesOf(id, this.clock.now().toISOString());
        return (by): SubjectCommand => ({ type: 'EraseSubject', by, ...order, offices });
      },
    });
    // The process does the same where this breaks off: what stands in the log is carried out, and then again to no effect.
    await this.keys.erase([id]);
    return answer;
  }
}
