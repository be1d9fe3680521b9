import type { RecordedEvent } from '#kernel';
import { EventStore, streamOf, Upcasting } from '#kernel';
import type { RequestContext } from '#web';
import { Ctx, HttpAnswer, invalid, RecordEndpoints, RouteAction, uuidOf } from '#web';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { CommitmentRecords } from './commitment-records.js';
import { eventsAt, readReplayQuery, replayOf } from './commitment-replay.js';
import type { CommitmentEvent } from './commitment.contract.js';
import { ReplayParameters } from './commitment.dto.js';
import { commitmentDecider } from './commitment.js';

const READ = 500;

/** The replay, apart from the other routes of commitments: whoever serves histories serves it. */
@ApiTags('commitments')
@Controller('v1/commitments')
export class CommitmentsControllerReplay {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: CommitmentRecords,
    private readonly store: EventStore,
    private readonly upcasting: Upcasting,
  ) {}

  /** The commitment as it stood at a position or time, with what each event until then changed. */
  @Get(':id/replay')
  @ApiQuery({
    name: 'at',
    required: false,
    description: 'A position (digits), a full RFC 3339 time, or a date (its end); now unless told',
  })
  @ApiQuery({ name: 'clock', required: false, enum: ['recorded', 'effective'], description: 'recorded unless told' })
  @RouteAction({ action: 'commitment.replay', anonymous: true })
  async replay(
    @Ctx() ctx: RequestContext,
    @Param('id') id: string,
    @Query() _parameters: ReplayParameters,
  ): Promise<HttpAnswer> {
    const read = readReplayQuery(ctx.query);
    if ('errors' in read) throw invalid(read.errors);
    const folded = await this.endpoints.seen(ctx, this.records, uuidOf(id));
    const events: RecordedEvent<CommitmentEvent>[] = [];
    const stream = streamOf(commitmentDecider.category, id);
    while (events.length <= folded.revision) {
      const page = await this.store.readStream(stream, events.length, READ);
      events.push(...page.map((event) => this.upcasting.lift(event) as RecordedEvent<CommitmentEvent>));
      if (page.length < READ) break;
    }
    const label = await this.records.label(folded.state);
    const { state, steps } = replayOf(eventsAt(events, read.query), (then, revision) => ({
      ...this.records.show(ctx.caller, id, then, label),
      revision,
    }));
    const { at, clock } = read.query;
    return new HttpAnswer(200, {}, { state, steps, at: at ?? String(events.at(-1)?.position ?? 0n), clock });
  }
}
