import type { Caller } from '#directory/contract';
import type { Clock } from '#kernel';
import type { NeedSight } from '#needs/contract';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import type { CallerDirectory } from '#web';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import { Offices } from '../offices.js';
import type { Supposition } from './supposing.js';

const SEEN: NeedSight = { summary: true, body: true, annex: false };

const isShown = ({ created, shownTo }: Supposition, id: string, { party }: Caller): boolean =>
  created.has(id) || shownTo.get(id)?.has(party) === true;

/** Needs as they are seen, and beside them those that nobody filed, which both sides of any pairing see. */
export class SupposedNeeds extends NeedReader {
  constructor(
    private readonly needs: NeedReader,
    private readonly supposition: Supposition,
  ) {
    super();
  }

  override facts(needId: string): ReturnType<NeedReader['facts']> {
    return this.needs.facts(needId);
  }

  override async sight(needId: string, caller: Caller): Promise<NeedSight> {
    return isShown(this.supposition, needId, caller) ? SEEN : this.needs.sight(needId, caller);
  }

  override async bodiesSeenBy(caller: Caller): ReturnType<NeedReader['bodiesSeenBy']> {
    const seen = await this.needs.bodiesSeenBy(caller);
    return (ids) => withShown(this.supposition, caller, ids, seen(ids));
  }
}

/** Offers as they are seen, and beside them those that nobody posted, which both sides of any pairing see. */
export class SupposedOffers extends OfferReader {
  constructor(
    private readonly offers: OfferReader,
    private readonly supposition: Supposition,
  ) {
    super();
  }

  override facts(offerId: string): ReturnType<OfferReader['facts']> {
    return this.offers.facts(offerId);
  }

  override async sees(offerId: string, caller: Caller): Promise<boolean> {
    return isShown(this.supposition, offerId, caller) || this.offers.sees(offerId, caller);
  }

  override async seenBy(caller: Caller): ReturnType<OfferReader['seenBy']> {
    const seen = await this.offers.seenBy(caller);
    return (ids) => withShown(this.supposition, caller, ids, seen(ids));
  }
}

const withShown = (
  supposition: Supposition,
  caller: Caller,
  ids: readonly string[],
  seen: ReadonlySet<string>,
): ReadonlySet<string> => {
  const shown = ids.filter((id) => isShown(supposition, id, caller));
  return shown.length === 0 ? seen : new Set([...seen, ...shown]);
};

/**
 * Behind a record that there is not stands whoever asks: its side sees what the asker sees. Judged by what the named party sees, answers would
 * tell whom a label names.
 */
export class SupposedOffices extends Offices {
  constructor(
    directory: CallerDirectory,
    clock: Clock,
    private readonly supposition: Supposition,
    private readonly asker: Caller,
  ) {
    super(directory, clock);
  }

  override desksOf(offer: IndexedOffer): string {
    return this.isCreated(offer) ? `supposed ${super.desksOf(offer)}` : super.desksOf(offer);
  }

  override async providers(offer: IndexedOffer): Promise<readonly Caller[]> {
    const desks = await super.providers(offer);
    if (!this.isCreated(offer)) return desks;
    const { sovereign: _, ...asker } = this.asker;
    return desks.map(({ sovereign }) => ({ ...asker, ...(sovereign === undefined ? {} : { sovereign }) }));
  }

  override async recipient(need: IndexedNeed): Promise<Caller> {
    return this.isCreated(need) ? this.asker : super.recipient(need);
  }

  private isCreated(doc: IndexedNeed | IndexedOffer): boolean {
    const { created, needs, offers } = this.supposition;
    return [...created].some((ref) => needs.get(ref) === doc || offers.get(ref) === doc);
  }
}
