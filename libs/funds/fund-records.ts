import type { Caller } from '#directory/contract';
import type { Folded, RecordedEvent } from '#kernel';
import { NeedReader } from '#needs/contract';
import type { MandateReach, RecordKind } from '#web';
import { RecordSight } from '#web';
import { Injectable } from '@nestjs/common';
import type { FundEvent } from './fund.contract.js';
import { FundBoards } from './fund-boards.js';
import { seesFund } from './fund-sight.js';
import type { FundBook, FundCommand, FundCommandType, FundRejection, FundState } from './fund.js';
import { fundDecider } from './fund.js';
import type { KnowsNeed } from './fund.view.js';
import { fundEventFor, fundView, mayFund } from './fund.view.js';

/** How funds' books are served: who sees them, who may act on them, and what they look like to whom. */
@Injectable()
export class FundRecords implements RecordKind<FundState, FundCommand, FundEvent, FundRejection> {
  readonly decider = fundDecider;
  readonly path = '/v1/funds';

  constructor(
    private readonly boards: FundBoards,
    private readonly needs: NeedReader,
    private readonly sight: RecordSight,
  ) {}

  exists({ book }: FundState): boolean {
    return book !== undefined;
  }

  sees(caller: Caller, id: string): boolean {
    return seesFund(caller, id);
  }

  mandated(fund: string): MandateReach {
    return { owners: [fund], ids: [fund] };
  }

  permits(caller: Caller, command: FundCommand['type'], { book }: FundState): boolean {
    return book !== undefined && mayFund(caller, command as FundCommandType, book);
  }

  async view(caller: Caller, _id: string, { state: { book } }: Folded<FundState>): Promise<object> {
    return book === undefined ? {} : this.shown(caller, book);
  }

  /** The book of a board row as `GET` shows it, without `revision`. */
  async shown(caller: Caller, book: FundBook): Promise<object> {
    const named = book.decisions.flatMap(({ allocations }) => allocations.map(({ needId }) => needId));
    return fundView(caller, book, this.boards.summaryOf(book.fund), await this.knows(caller, named));
  }

  async maskEvent(caller: Caller, { book }: FundState, event: RecordedEvent<FundEvent>): Promise<object | undefined> {
    if (book === undefined) return undefined;
    const {
      contribution,
      commitment,
      needId,
      allocations = [],
    } = event.data as {
      readonly contribution?: string;
      readonly commitment?: string;
      readonly needId?: string;
      readonly allocations?: readonly { readonly needId: string }[];
    };
    const named = [...allocations.map((each) => each.needId), ...(needId === undefined ? [] : [needId])];
    const sees = async (category: string, id: string | undefined): Promise<boolean> =>
      id !== undefined && (await this.sight.sees(caller, category, id));
    return fundEventFor(caller, book, event, {
      need: await this.knows(caller, named),
      contribution: await sees('contribution', contribution),
      commitment: await sees('commitment', commitment),
    });
  }

  private async knows(caller: Caller, needIds: readonly string[]): Promise<KnowsNeed> {
    const ids = [...new Set(needIds)];
    const sights = await Promise.all(ids.map((id) => this.needs.sight(id, caller)));
    const seen = new Set(ids.filter((_, index) => sights[index]?.summary === true));
    return (needId) => seen.has(needId);
  }
}
