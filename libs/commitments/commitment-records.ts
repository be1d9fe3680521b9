import type { Caller } from '#directory/contract';
import { ANY_PARTY } from '#directory/contract';
import type { Folded, LifeCycleRule, RecordedEvent } from '#kernel';
import { Clock, idOfStream } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { Visibility } from '#vocabulary';
import type { MandateReach, RecordKind, PastView } from '#web';
import { Injectable } from '@nestjs/common';
import type { CommitmentEvent } from './commitment.contract.js';
import { commitmentRuleOf } from './commitment-rules.js';
import { partiesOf } from './commitment-state.js';
import type { CommitmentCommand, CommitmentRejection, CommitmentState, PartyCommandType } from './commitment.js';
import { COMMITMENT_RULES, commitmentDecider, mayCommand } from './commitment.js';
import {
  commitmentEventFor,
  commitmentView,
  pastCommitments,
  labelOf,
  mayEver,
  seesCommitment,
  whoIs,
} from './commitment.view.js';

const isPartyCommand = (type: CommitmentCommand['type']): type is PartyCommandType => type in COMMITMENT_RULES;

/** How commitments are served: who sees them, who may act on them, and what they look like to whom. */
@Injectable()
export class CommitmentRecords implements RecordKind<
  CommitmentState,
  CommitmentCommand,
  CommitmentEvent,
  CommitmentRejection
> {
  readonly decider = commitmentDecider;
  readonly path = '/v1/commitments';

  constructor(
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly clock: Clock,
  ) {}

  exists({ status }: CommitmentState): boolean {
    return status !== undefined;
  }

  sees(caller: Caller, id: string, state: CommitmentState): Promise<boolean> {
    return seesCommitment(this.labels, caller, id, state);
  }

  isBeforehand({ boundAt }: CommitmentState): boolean {
    return boundAt === undefined;
  }

  under({ needId, offerId }: CommitmentState): readonly string[] {
    return [`need-${needId}`, `offer-${offerId}`];
  }

  mandated(id: string, state: CommitmentState): MandateReach {
    return { owners: [...partiesOf(state)], ids: [id] };
  }

  async isRestricted(_caller: Caller, id: string, state: CommitmentState): Promise<boolean> {
    return !(await this.sees(ANY_PARTY, id, state));
  }

  permits(caller: Caller, command: CommitmentCommand['type'], state: CommitmentState): boolean {
    if (!isPartyCommand(command)) return false;
    return mayEver(caller, command, state) && mayCommand(command, state, whoIs(caller));
  }

  async view(caller: Caller, id: string, { state }: Folded<CommitmentState>): Promise<object> {
    return this.show(caller, id, state, await this.label(state));
  }

  /** Under the label of now, as its history is. */
  async lookBack(caller: Caller, id: string, now: CommitmentState, at: string): Promise<PastView<CommitmentState>> {
    return pastCommitments({ caller, at, label: await this.label(now) }, id);
  }

  ruleOf(event: RecordedEvent<CommitmentEvent>): LifeCycleRule {
    return commitmentRuleOf(event);
  }

  maskEvent(caller: Caller, state: CommitmentState, event: RecordedEvent<CommitmentEvent>): object | undefined {
    return commitmentEventFor(caller, idOfStream(event.stream), state, event);
  }

  /** The record as it stands in `state`, under a label already known. */
  show(caller: Caller, id: string, state: CommitmentState, label: Visibility): object {
    return commitmentView({ caller, at: this.clock.now().toISOString(), label }, id, state);
  }

  /** The stricter label of need body and offer; not asked before the commitment binds, when it counts for nothing. */
  label(state: CommitmentState): Promise<Visibility> {
    return state.boundAt === undefined ? Promise.resolve('named') : labelOf(this.labels, state);
  }

  private get labels(): { readonly needs: NeedReader; readonly offers: OfferReader } {
    return { needs: this.needs, offers: this.offers };
  }
}
