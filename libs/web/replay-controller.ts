import { Controller, Get, Inject, Param, Query, type Type } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Command, DomainEvent, RecordedEvent, Rejection } from '#kernel';
import { Clock, EventStore, streamOf, Upcasting } from '#kernel';
import type { Moment } from './as-of.js';
import { AsOfQuery, countsAt, momentOf } from './as-of.js';
import { HttpAnswer } from './http-answer.js';
import type { HistoryRoute } from './history-controller.js';
import { lookingBack } from './looking-back.js';
import { RecordEndpoints } from './record-endpoints.js';
import type { RecordKind } from './record-kind.js';
import { replayOf } from './replay.js';
import { Ctx, type RequestContext } from './request-context.js';
import { RouteAction } from './route-action.js';

const READ = 500;

/** Follows `Controller` in the class's name, as `History` does: whoever serves histories serves it. */
const REPLAY = 'Replay';

/** The moment for which what depends on time is said: the one asked for, else that of the last event that counts. */
export const shownAt = ({ place }: Moment, last: RecordedEvent | undefined, now: string): string => {
  if (place === undefined) return now;
  return 'time' in place ? place.time : (last?.metadata.recordedAt ?? now);
};

/**
 * The controller of `…/replay` for one kind of record, apart from its other routes.
 * @param name of the controller whose route it would be; its operations in the interface's document are named after it
 */
export const replayController = (name: string, route: Omit<HistoryRoute, 'isKnown'>): Type => {
  const { path, tag, action, records, idOf } = route;

  @Controller(path)
  class Replay {
    constructor(
      private readonly endpoints: RecordEndpoints,
      @Inject(records) private readonly kind: RecordKind<unknown, Command, DomainEvent, Rejection>,
      private readonly store: EventStore,
      private readonly upcasting: Upcasting,
      private readonly clock: Clock,
    ) {}

    /** The record as it stood at a position or time on either clock, with what each event until then changed, and what allowed it. */
    @Get(':id/replay')
    @RouteAction({ action, anonymous: true })
    async replay(
      @Ctx() ctx: RequestContext,
      @Param('id') given: string,
      @Query() query: AsOfQuery,
    ): Promise<HttpAnswer> {
      const { at, clock = 'recorded' } = query;
      const { kind } = this;
      const { caller } = ctx;
      const id = idOf(given);
      const moment = momentOf(at, clock);
      const { state: now, revision } = await this.endpoints.seen(ctx, kind, id);
      const all = await this.eventsOf(streamOf(kind.decider.category, id), revision);
      const events = all.filter((event) => countsAt(event, moment));
      const asOf = shownAt(moment, events.at(-1), this.clock.now().toISOString());
      const { state, steps } = await replayOf(events, {
        decider: kind.decider,
        caller,
        past: await lookingBack(kind, caller, id, now, asOf),
        mask: (event) => kind.maskEvent(caller, now, event),
        ruleOf: kind.ruleOf?.bind(kind),
      });
      return new HttpAnswer(200, {}, { state, steps, at: at ?? String(all.at(-1)?.position ?? 0n), clock });
    }

    /** Up to the revision that sight was judged on. */
    private async eventsOf(stream: string, revision: number): Promise<readonly RecordedEvent[]> {
      const events: RecordedEvent[] = [];
      while (events.length <= revision) {
        const page = await this.store.readStream(stream, events.length, READ);
        events.push(...page.map((event) => this.upcasting.lift(event)));
        if (page.length < READ) break;
      }
      return events.slice(0, revision + 1);
    }
  }
  Object.defineProperty(Replay, 'name', { value: `${name}${REPLAY}` });
  if (tag !== undefined) ApiTags(tag)(Replay);
  return Replay;
};
