import { Injectable } from '@nestjs/common';
import type { SuggestedPair } from '#commitments/contract';
import { SuggestedPairs } from '#commitments/contract';
import type { Caller } from '#directory/contract';
import { EventStore, ProjectionRunner } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { SuggestionRow } from './suggestions.projection.js';
import { suggestionRow, SUGGESTIONS } from './suggestions.projection.js';

/** How long a suggestion is waited for that another app may have shown before it came here. */
const BEHIND_MS = 2_000;

/** Suggestions as far as their party still sees what they name. */
@Injectable()
export class VisibleSuggestions extends SuggestedPairs {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly store: EventStore,
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
  ) {
    super();
  }

  override async find(caller: Caller, id: string): Promise<SuggestedPair | undefined> {
    const row = this.row(caller, id);
    if (row !== undefined) return (await this.sees(caller, row)) ? row : undefined;
    await this.runner.waitFor(await this.store.head(), BEHIND_MS, [SUGGESTIONS]);
    const later = this.row(caller, id);
    return later !== undefined && (await this.sees(caller, later)) ? later : undefined;
  }

  /** Made to the caller's party, whatever it may see of it now. */
  row(caller: Caller, id: string): SuggestionRow | undefined {
    return suggestionRow(this.runner.model(SUGGESTIONS), caller.party, id);
  }

  /** The lines of the need, and the offer as one of its providers. */
  async sees(caller: Caller, { needId, offerId }: SuggestedPair): Promise<boolean> {
    const offer = await this.offers.facts(offerId);
    return (
      offer?.providers.includes(caller.party) === true &&
      (await this.offers.sees(offerId, caller)) &&
      (await this.needs.sight(needId, caller)).body
    );
  }
}
