import type { Caller } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { idOfStream, Transactor } from '#kernel';
import type { MandateReach, RecordKind } from '#web';
import { Injectable } from '@nestjs/common';
import type {
  Contribution,
  ContributionCommand,
  ContributionCommandType,
  ContributionRejection,
  ContributionState,
  FundFacts,
} from './contribution.js';
import { contributionDecider } from './contribution.js';
import type { FundKeepers } from './contribution.view.js';
import { contributionEventFor, contributionView, labelOfContribution, mayContribution } from './contribution.view.js';
import type { ContributionEvent } from './fund.contract.js';
import { isInsider, seesLabelled } from './fund-sight.js';
import { figuresOf, fundDecider, moneyOf } from './fund.js';

type Kind = RecordKind<ContributionState, ContributionCommand, ContributionEvent, ContributionRejection>;

/** How contributions are served: who sees them, who may act on them, and what they look like to whom. */
@Injectable()
export class ContributionRecords implements Kind {
  readonly decider = contributionDecider;
  readonly path = '/v1/contributions';

  constructor(private readonly transactor: Transactor) {}

  exists({ contribution }: ContributionState): boolean {
    return contribution !== undefined;
  }

  async sees(caller: Caller, id: string, { contribution }: ContributionState): Promise<boolean> {
    if (contribution === undefined) return false;
    const label = labelOfContribution(id, contribution);
    // Most are the caller's own or members': the fund is asked only where it counts.
    return (
      seesLabelled(caller, label, false) ||
      seesLabelled(caller, label, (await this.keepers(caller, contribution)).insider)
    );
  }

  mandated(id: string, { contribution }: ContributionState): MandateReach {
    if (contribution === undefined) return { owners: [], ids: [id] };
    const { fund, donor } = contribution.pledge;
    return { owners: [fund, donor], ids: [id, fund] };
  }

  /** Without its fund at hand; `of` knows the administrator. */
  permits(caller: Caller, command: ContributionCommand['type'], state: ContributionState): boolean {
    return this.of(undefined).permits(caller, command, state);
  }

  /** The same kind of record, where the fund's administrator is known. */
  of(administrator: string | undefined): Kind {
    return {
      decider: this.decider,
      path: this.path,
      exists: (state) => this.exists(state),
      sees: (caller, id, state) => this.sees(caller, id, state),
      permits: (caller, command, { contribution }) =>
        contribution !== undefined &&
        mayContribution(caller, command as ContributionCommandType, contribution, administrator),
      view: (caller, id, folded) => this.view(caller, id, folded),
      maskEvent: (caller, state, event) => this.maskEvent(caller, state, event),
    };
  }

  async view(caller: Caller, id: string, { state: { contribution } }: Folded<ContributionState>): Promise<object> {
    return contribution === undefined ? {} : this.shown(caller, id, contribution);
  }

  /** The contribution of a board row as `GET` shows it, without `revision`. */
  async shown(caller: Caller, id: string, contribution: Contribution): Promise<object> {
    return contributionView(caller, id, contribution, await this.keepers(caller, contribution));
  }

  async maskEvent(
    caller: Caller,
    { contribution }: ContributionState,
    event: RecordedEvent<ContributionEvent>,
  ): Promise<object | undefined> {
    if (contribution === undefined) return undefined;
    const { insider } = await this.keepers(caller, contribution);
    return contributionEventFor(caller, idOfStream(event.stream), contribution, event, insider);
  }

  /** What the fund's book says of itself now; undefined where it keeps none. */
  async fundFacts(fund: string): Promise<FundFacts | undefined> {
    const { book } = (await this.transactor.load(fundDecider, fund)).state;
    if (book === undefined) return undefined;
    const { administrator, currency, windows } = book.terms;
    return {
      currency,
      windows,
      available: moneyOf(book.terms, figuresOf(book).available),
      ...(administrator === undefined ? {} : { administrator }),
    };
  }

  private async keepers(caller: Caller, { pledge: { fund } }: Contribution): Promise<FundKeepers> {
    const { book } = (await this.transactor.load(fundDecider, fund)).state;
    if (book === undefined) return { insider: false };
    const { administrator } = book.terms;
    return { insider: isInsider(caller, book.terms), ...(administrator === undefined ? {} : { administrator }) };
  }
}
