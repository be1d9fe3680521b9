import type { Caller } from '#directory/contract';
import type { NeedReader } from '#needs/contract';
import type { OfferReader } from '#offers/contract';

/** Who sees what of the two sides of pairings. */
export interface Sights {
  /** Whether the caller sees the body of the need. */
  seesNeed(needId: string, caller: Caller): Promise<boolean>;
  seesOffer(offerId: string, caller: Caller): Promise<boolean>;
}

/** Each record asked of its own stream whenever it is asked for. */
export class StreamSights implements Sights {
  constructor(
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
  ) {}

  async seesNeed(needId: string, caller: Caller): Promise<boolean> {
    return (await this.needs.sight(needId, caller)).body;
  }

  seesOffer(offerId: string, caller: Caller): Promise<boolean> {
    return this.offers.sees(offerId, caller);
  }
}

type Seen = (ids: readonly string[]) => ReadonlySet<string>;

/** For one long question: asked of the boards, each caller and record once. */
export class BoardSights implements Sights {
  private readonly boards = new Map<string, Promise<Seen>>();
  private readonly known = new Map<string, boolean>();

  constructor(
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
  ) {}

  seesNeed(needId: string, caller: Caller): Promise<boolean> {
    return this.sees('need', needId, caller, () => this.needs.bodiesSeenBy(caller));
  }

  seesOffer(offerId: string, caller: Caller): Promise<boolean> {
    return this.sees('offer', offerId, caller, () => this.offers.seenBy(caller));
  }

  private async sees(kind: string, id: string, caller: Caller, board: () => Promise<Seen>): Promise<boolean> {
    // Offices have no mandates; of callers one alone is asked for.
    const who = `${kind} ${caller.party} ${caller.roles.join(' ')}`;
    const known = this.known.get(`${id} ${who}`);
    if (known !== undefined) return known;
    const seen = this.boards.get(who) ?? board();
    this.boards.set(who, seen);
    const sees = (await seen)([id]).has(id);
    this.known.set(`${id} ${who}`, sees);
    return sees;
  }
}
