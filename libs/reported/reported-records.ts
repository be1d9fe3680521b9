import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { hasRole } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { EventStore, idOfStream, streamOf, Transactor } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { Power } from '#vocabulary';
import type { MandateReach, RecordKind } from '#web';
import type { ClaimedDraft, ReportedEvent } from './reported.contract.js';
import { mayCommand, reportedDecider } from './reported.js';
import type { RecordedState, ReportedCommand, ReportedRejection, ReportedState } from './reported.js';
import type { LineageSight } from './reported.view.js';
import { maskedContent, namedParties, recordedStateOf, reportedView, seesReported } from './reported.view.js';

/** How reported records are served: who sees them, and what of their lineage. */
@Injectable()
export class ReportedRecords
  implements RecordKind<ReportedState, ReportedCommand, ReportedEvent, ReportedRejection>, LineageSight
{
  readonly decider = reportedDecider;
  readonly path = '/v1/reported';

  constructor(
    private readonly transactor: Transactor,
    private readonly store: EventStore,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
  ) {}

  exists(state: ReportedState): boolean {
    return state.exists;
  }

  sees(caller: Caller, id: string, state: ReportedState): boolean {
    return seesReported(caller, id, state);
  }

  mandated(id: string, state: ReportedState): MandateReach {
    return { owners: state.exists ? [state.recordedBy, ...namedParties(state.content)] : [], ids: [id] };
  }

  permits(caller: Caller, command: ReportedCommand['type'], state: ReportedState): boolean {
    return (
      state.exists &&
      command !== 'record' &&
      mayCommand(command, state.content, caller, (powers: readonly Power[]) =>
        powers.some((power) => caller.powers.has(power)),
      )
    );
  }

  view(caller: Caller, id: string, folded: Folded<ReportedState>): Promise<object> {
    return this.shown(caller, id, recordedStateOf(folded));
  }

  /** The record of a board row as `GET` shows it, without `revision`. */
  shown(caller: Caller, id: string, state: RecordedState): Promise<object> {
    return reportedView(caller, id, state, this);
  }

  async maskEvent(
    caller: Caller,
    state: ReportedState,
    { stream, type, data }: RecordedEvent<ReportedEvent>,
  ): Promise<object | undefined> {
    if (!state.exists) return undefined;
    // The event's type and data belong together; the envelope's type lost that.
    const fact = { type, data } as ReportedEvent;
    switch (fact.type) {
      case 'ReportedRecorded': {
        const { partOf, ...content } = maskedContent(caller, idOfStream(stream), state);
        const parent = partOf !== undefined && (await this.parent(caller, partOf)) ? { partOf } : {};
        return { ...fact.data, content: { ...content, ...parent } };
      }
      case 'ReportedClaimed': {
        const { party, draft } = fact.data;
        const shown = draft !== undefined && (party === caller.party || (await this.draft(caller, draft)));
        return shown ? fact.data : { party };
      }
      case 'ReportedDisowned':
        return fact.data;
    }
  }

  async draft(caller: Caller, { kind, id }: ClaimedDraft): Promise<boolean> {
    return kind === 'need' ? (await this.needs.sight(id, caller)).summary : this.offers.sees(id, caller);
  }

  async parent(caller: Caller, id: string): Promise<boolean> {
    const { state } = await this.transactor.load(reportedDecider, id);
    if (state.exists) return seesReported(caller, id, state);
    // A commitment's parties know it from their side; here only those who see every commitment are told of it.
    if (!hasRole(caller, 'coordinator') && !caller.mandates.some(({ everything }) => everything)) return false;
    return (await this.store.readStream(streamOf('commitment', id), 0, 1)).length > 0;
  }
}
