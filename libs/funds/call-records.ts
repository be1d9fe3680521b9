import type { Caller } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { Clock, idOfStream, Transactor } from '#kernel';
import { NeedReader } from '#needs/contract';
import type { MandateReach, RecordKind } from '#web';
import { Injectable } from '@nestjs/common';
import type { Call, CallCommand, CallCommandType, CallRejection, CallState } from './call.js';
import { callDecider } from './call.js';
import { callEventFor, callView, mayCall } from './call.view.js';
import type { KnowsNeed } from './fund.view.js';
import type { CallEvent } from './fund.contract.js';
import { isInsider, seesLabelled } from './fund-sight.js';
import { fundDecider } from './fund.js';

/** How calls are served: who sees them, who may act on them, and whose applications are shown to whom. */
@Injectable()
export class CallRecords implements RecordKind<CallState, CallCommand, CallEvent, CallRejection> {
  readonly decider = callDecider;
  readonly path = '/v1/calls';

  constructor(
    private readonly transactor: Transactor,
    private readonly clock: Clock,
    private readonly needs: NeedReader,
  ) {}

  exists({ call }: CallState): boolean {
    return call !== undefined;
  }

  async sees(caller: Caller, id: string, { call }: CallState): Promise<boolean> {
    if (call === undefined) return false;
    const { fund, visibility } = call.content;
    return (
      seesLabelled(caller, { id, fund, visibility }, false) ||
      seesLabelled(caller, { id, fund, visibility }, await this.isInsider(caller, call))
    );
  }

  mandated(id: string, { call }: CallState): MandateReach {
    const owners = call === undefined ? [] : [call.content.fund];
    return { owners, ids: [id, ...owners] };
  }

  permits(caller: Caller, command: CallCommand['type'], { call }: CallState): boolean {
    return call !== undefined && mayCall(caller, command as CallCommandType, call);
  }

  async view(caller: Caller, id: string, { state: { call } }: Folded<CallState>): Promise<object> {
    return call === undefined ? {} : this.shown(caller, id, call);
  }

  /** The call of a board row as `GET` shows it, without `revision`. */
  async shown(caller: Caller, id: string, call: Call): Promise<object> {
    return callView(
      caller,
      id,
      call,
      this.clock.now().toISOString(),
      await this.isInsider(caller, call),
      await this.knows(caller, call),
    );
  }

  async maskEvent(caller: Caller, { call }: CallState, event: RecordedEvent<CallEvent>): Promise<object | undefined> {
    if (call === undefined) return undefined;
    const insider = await this.isInsider(caller, call);
    return callEventFor(caller, idOfStream(event.stream), call, event, insider, await this.knows(caller, call));
  }

  private async knows(caller: Caller, { applications }: Call): Promise<KnowsNeed> {
    const ids = [...new Set(applications.map(({ needId }) => needId))];
    const sights = await Promise.all(ids.map((id) => this.needs.sight(id, caller)));
    const seen = new Set(ids.filter((_, index) => sights[index]?.summary === true));
    return (needId) => seen.has(needId);
  }

  private async isInsider(caller: Caller, { content: { fund } }: Call): Promise<boolean> {
    const { book } = (await this.transactor.load(fundDecider, fund)).state;
    return book !== undefined && isInsider(caller, book.terms);
  }
}
