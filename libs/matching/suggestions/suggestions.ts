import { Injectable } from '@nestjs/common';
import { givesThroughDesk, PROPOSE } from '#commitments/contract';
import type { Caller } from '#directory/contract';
import { ProjectionRunner, Turns } from '#kernel';
import { hasAuthority } from '#web';
import { Matches } from '../matches.js';
import { Standings } from '../standings.js';
import { VisibleSuggestions } from './suggested-pairs.js';
import { standingOf } from './suggestion-standing.js';
import type { SuggestionFilter, SuggestionPlace, SuggestionRow } from './suggestions.projection.js';
import { suggestionRows, SUGGESTIONS } from './suggestions.projection.js';

export const SUGGESTION_STATUSES = ['open', 'proposed', 'stale'] as const;
export type SuggestionStatus = (typeof SUGGESTION_STATUSES)[number];

/** A suggestion as its party is shown it, with more that this part does not look at. */
export interface SuggestionView {
  readonly id: string;
  readonly needId: string;
  readonly offerId: string;
  readonly status: SuggestionStatus;
  readonly sharedAt: string;
}

export interface ShownSuggestion {
  readonly place: SuggestionPlace;
  readonly view: SuggestionView;
}

/** Rows read at once. */
const BATCH = 200;

/**
 * What was suggested to the caller's party, as it may see it now. But for the pair, its quantity, and when and by whom it was made,
 * all that is shown is reckoned anew from what the caller sees.
 */
@Injectable()
export class Suggestions {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly visible: VisibleSuggestions,
    private readonly matches: Matches,
    private readonly standings: Standings,
  ) {}

  /** undefined where there is none, it is another party's, or need or offer is hidden from the caller by now. */
  async one(caller: Caller, id: string): Promise<SuggestionView | undefined> {
    const row = this.visible.row(caller, id);
    if (row === undefined || !(await this.visible.sees(caller, row))) return undefined;
    return (await this.viewer(caller))(row);
  }

  /** Newest first, `limit` of them at the most. */
  async list(
    caller: Caller,
    { status, ...filter }: Omit<SuggestionFilter, 'proposed'> & { readonly status?: SuggestionStatus },
    limit: number,
    after: SuggestionPlace | undefined,
  ): Promise<readonly ShownSuggestion[]> {
    const found: ShownSuggestion[] = [];
    const narrowed = { ...filter, ...(status === undefined ? {} : { proposed: status === 'proposed' }) };
    for await (const shown of this.shown(caller, narrowed, { ...(after === undefined ? {} : { after }) })) {
      if (status !== undefined && shown.view.status !== status) continue;
      found.push(shown);
      if (found.length === limit) break;
    }
    return found;
  }

  /** The one that has waited longest for the caller's party to propose it; undefined where none does, or the caller may not propose. */
  async longestOpen(caller: Caller): Promise<ShownSuggestion['view'] | undefined> {
    if (!mayPropose(caller)) return undefined;
    for await (const { view } of this.shown(caller, { proposed: false }, { oldestFirst: true })) {
      if (view.status === 'open') return view;
    }
    return undefined;
  }

  private async *shown(
    caller: Caller,
    filter: SuggestionFilter,
    order: { readonly after?: SuggestionPlace; readonly oldestFirst?: boolean },
  ): AsyncGenerator<ShownSuggestion> {
    // Most desks have none: nothing is got ready for them.
    let view: Awaited<ReturnType<Suggestions['viewer']>> | undefined;
    const turns = new Turns();
    for (let page = { limit: BATCH, ...order }; ;) {
      const rows = suggestionRows(this.runner.model(SUGGESTIONS), caller.party, filter, page);
      for (const row of rows) {
        await turns.pass();
        if (!(await this.visible.sees(caller, row))) continue;
        view ??= await this.viewer(caller);
        yield { place: row.place, view: await view(row) };
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < BATCH) return;
      page = { ...page, after: last.place };
    }
  }

  private async viewer(caller: Caller): Promise<(row: SuggestionRow) => Promise<ShownSuggestion['view']>> {
    const judged = this.matches.oneByOne(caller, await this.standings.current());
    return async (row) => {
      const { id, needId, needLine, offerId, offerLine, quantity } = row;
      const { allocationId, ranAt, sharedBy, sharedAt, note, commitmentId } = row;
      const standing =
        commitmentId === undefined
          ? standingOf(row, await judged(needId, offerId))
          : ({ status: 'proposed', commitmentId } as const);
      return {
        ...{ id, needId, needLine, offerId, offerLine, quantity },
        ...standing,
        ...{ allocationId, ranAt, sharedBy, sharedAt },
        ...(note === undefined ? {} : { note }),
        actions: standing.status === 'open' && mayPropose(caller) ? ['propose'] : [],
      };
    };
  }
}

const mayPropose = (caller: Caller): boolean => hasAuthority(caller, PROPOSE) && givesThroughDesk(caller);
