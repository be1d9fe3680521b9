import type { Caller } from '#directory/contract';
import type { Decision, Rejection } from '#kernel';
import { supposed } from '#kernel';
import type { NeedEvent } from '#needs/contract';
import type { NeedChanges, SupposedNeed } from '#needs/filing';
import type { OfferEvent } from '#offers/contract';
import type { OfferChanges, SupposedOffer } from '#offers/posting';
import type { Quantity } from '#vocabulary';
import { formatQuantity, isRival, measureKey, minorUnits, quantityOf, sameMeasure } from '#vocabulary';
import { Problem } from '#web';
import type { IndexedNeed, IndexedOffer } from '../match-index.projection.js';
import { evolveNeed, evolveOffer, providersOf } from '../match-index.projection.js';
import type { Change } from '../rules/changes.js';
import { applied } from '../rules/changes.js';
import { HARD_RULES } from '../rules/hard-rules.js';
import type { Pairing } from '../rules/sides.js';
import { smallestUnlock } from '../rules/smallest-unlock.js';
import type { Standing } from '../standing.js';
import { needSide, offerSide } from '../standing.js';
import { needChangesOf, offerChangesOf } from './unlock-changes.js';

/** More of one line: of its only one, or of its only one in that measure, unless told which. */
interface More {
  readonly line?: number;
  readonly add?: Quantity;
}

/** A change of the smallest unlock, as a list of matches words it. */
export interface Hint {
  readonly side?: 'need' | 'offer';
  readonly code: string;
  readonly change: string;
}

/** One change that is supposed, as it was asked; what it says is done in this order. */
export type SupposedChange =
  | ({ readonly needId: string; readonly set?: NeedChanges; readonly newLines?: NeedChanges['lines'] } & More)
  | ({ readonly offerId: string; readonly set?: OfferChanges; readonly newLines?: OfferChanges['lines'] } & More)
  | { readonly needId: string; readonly offerId: string; readonly unlock: readonly Hint[] };

/** What is supposed beside what stands. */
export interface Supposition {
  /** Needs as they would be, those that nobody filed too, by id or reference. */
  readonly needs: ReadonlyMap<string, IndexedNeed>;
  readonly offers: ReadonlyMap<string, IndexedOffer>;
  /** References of records that there are not. */
  readonly created: ReadonlySet<string>;
  /** Parties that would see a record which they may not see now, by its id. */
  readonly shownTo: ReadonlyMap<string, ReadonlySet<string>>;
}

export const NOTHING_SUPPOSED: Supposition = {
  needs: new Map(),
  offers: new Map(),
  created: new Set(),
  shownTo: new Map(),
};

/** Records of which something is supposed, as their own rules judge amendments of them. */
export interface Amendable {
  readonly needs: ReadonlyMap<string, SupposedNeed>;
  readonly offers: ReadonlyMap<string, SupposedOffer>;
}

/**
 * Lays changes over how things stand, one on the other, each as far as the record's own rules allow an amendment by its owner.
 * Nothing is written.
 */
export class Supposing implements Supposition {
  readonly needs: Map<string, IndexedNeed>;
  readonly offers: Map<string, IndexedOffer>;
  readonly created: ReadonlySet<string>;
  readonly shownTo = new Map<string, Set<string>>();

  constructor(
    private readonly standing: Standing,
    private readonly amendable: Amendable,
    private readonly caller: Caller,
    /** RFC 3339 UTC. */
    private readonly at: string,
    created: Pick<Supposition, 'needs' | 'offers'>,
  ) {
    this.needs = new Map(created.needs);
    this.offers = new Map(created.offers);
    this.created = new Set([...created.needs.keys(), ...created.offers.keys()]);
  }

  /** @param field of the request, for whoever is refused @throws {Problem} 409 `change-refused` */
  suppose(change: SupposedChange, field: string): void {
    if ('unlock' in change) {
      this.unlock(change, field);
      return;
    }
    if ('needId' in change) {
      const { needId, set, newLines, line, add } = change;
      if (set !== undefined) this.amendNeed(needId, set, `${field}.set`);
      const lines = (): NonNullable<NeedChanges['lines']> => this.need(needId, field).content.lines;
      if (add !== undefined) {
        const of = lineOf(
          lines().map((each) => ({ line: each.line ?? 0, quantity: each.quantity })),
          add,
          line,
          field,
        );
        const more = lines().map((each) => (each.line === of ? { ...each, quantity: sum(each.quantity, add) } : each));
        this.amendNeed(needId, { lines: more }, `${field}.add`);
      }
      if (newLines !== undefined) {
        this.amendNeed(needId, { lines: [...lines(), ...newLines] }, `${field}.newLines`);
      }
      return;
    }
    const { offerId, set, newLines, line, add } = change;
    if (set !== undefined) this.amendOffer(offerId, set, `${field}.set`);
    const lines = () => this.offer(offerId, field).content.lines;
    if (add !== undefined) {
      const of = lineOf(
        lines().map((each) => ({ line: each.line, quantity: each.capacity })),
        add,
        line,
        field,
      );
      const more = lines().map((each) => (each.line === of ? { ...each, capacity: sum(each.capacity, add) } : each));
      this.amendOffer(offerId, { lines: more }, `${field}.add`);
    }
    if (newLines !== undefined) this.amendOffer(offerId, { lines: [...lines(), ...newLines] }, `${field}.newLines`);
  }

  /** What the hints of one blocked pairing would change, found again among the changes that its failing rules name. */
  private unlock(
    { needId, offerId, unlock }: Extract<SupposedChange, { readonly unlock: readonly Hint[] }>,
    field: string,
  ): void {
    const [need, offer] = [this.need(needId, field), this.offer(offerId, field)];
    const pairing = this.pairing(needId, need, offerId, offer);
    const owner =
      need.filer === this.caller.party ||
      need.beneficiaries.includes(this.caller.party) ||
      providersOf(offer).includes(this.caller.party);
    const failing = HARD_RULES.filter(({ codes, test }) =>
      // Only the two owners are told that the other side may not see their record.
      codes.includes('visibility') ? owner : test(pairing).length > 0,
    );
    const lifting = failing.flatMap(({ changes, test }) =>
      changes(pairing).filter((change) => test(applied(pairing, [change])).length === 0),
    );
    // Two changes may have the same words ("ask line 1 in seats", for two lines of the offer): what unlocks comes first.
    const known = [
      ...(smallestUnlock(pairing) ?? []),
      ...lifting,
      ...failing.flatMap(({ changes }) => changes(pairing)),
    ];
    const chosen = unlock.map(({ side, code, change }, place): Change => {
      const found = known.find(
        (each) => each.change === change && each.code === code && (side === undefined || each.side === side),
      );
      if (found !== undefined) return found;
      throw refused(
        `${field}.unlock[${place}]`,
        'is none of the changes that would unlock this pairing now: take it from a fresh list of matches, or say the change with set',
      );
    });
    const [sights, changes] = [chosen.filter(isOfSight), chosen.filter((each) => !isOfSight(each))];
    const after = applied(pairing, changes);
    if (after.need !== pairing.need) {
      const year = Number(this.standing.today.slice(0, 4));
      this.amendNeed(needId, needChangesOf(need, pairing.need, after.need, year), field);
    }
    if (after.offer !== pairing.offer) {
      this.amendOffer(offerId, offerChangesOf(offer, pairing.offer, after.offer), field);
      if (pairing.offer.suspended && !after.offer.suspended) this.resume(offerId, field);
    }
    for (const { side } of sights) {
      if (side === 'need') this.show(needId, providersOf(offer));
      else this.show(offerId, [need.filer]);
    }
  }

  private pairing(needId: string, need: IndexedNeed, offerId: string, offer: IndexedOffer): Pairing {
    return {
      need: needSide(needId, need, this.standing),
      // Sovereigns and sight are nothing that a change of the two records is about.
      offer: offerSide(offerId, offer, []),
      circumstances: {
        ...{ now: this.standing.today, providerSeesNeed: true, recipientSeesOffer: true, earmarkReasons: [] },
      },
    };
  }

  private show(id: string, parties: readonly string[]): void {
    this.shownTo.set(id, new Set([...(this.shownTo.get(id) ?? []), ...parties]));
  }

  private need(id: string, field: string): IndexedNeed {
    const doc = this.needs.get(id) ?? this.standing.need(id);
    if (doc === undefined) throw refused(field, 'names a need that matches do not show yet: ask again in a moment');
    return doc;
  }

  private offer(id: string, field: string): IndexedOffer {
    const doc = this.offers.get(id) ?? this.standing.offer(id);
    if (doc === undefined) throw refused(field, 'names an offer that matches do not show yet: ask again in a moment');
    return doc;
  }

  private amendNeed(id: string, changes: NeedChanges, field: string): void {
    const before = this.need(id, field);
    const decision = this.amendable.needs.get(id)?.amend(changes, this.at);
    const after = eventsOf<NeedEvent>(decision, field).reduce<IndexedNeed | undefined>(
      (doc, event) => evolveNeed(doc, supposed(event, this.at)),
      before,
    );
    this.needs.set(id, after ?? before);
  }

  private amendOffer(id: string, changes: OfferChanges, field: string): void {
    this.evolveOffer(id, this.amendable.offers.get(id)?.amend(changes, this.at), field);
  }

  private resume(id: string, field: string): void {
    this.evolveOffer(id, this.amendable.offers.get(id)?.resume(this.at), field);
  }

  private evolveOffer(id: string, decision: Decision<OfferEvent, Rejection> | undefined, field: string): void {
    const before = this.offer(id, field);
    const after = eventsOf<OfferEvent>(decision, field).reduce<IndexedOffer | undefined>(
      (doc, event) => evolveOffer(doc, supposed(event, this.at)),
      before,
    );
    this.offers.set(id, after ?? before);
  }
}

const isOfSight = ({ code }: Change): boolean => code === 'visibility';

const refused = (field: string, message: string): Problem =>
  Problem.of('change-refused', `${field}: ${message}`, { errors: [{ field, message }] });

const eventsOf = <E extends NeedEvent | OfferEvent>(
  decision: Decision<E, Rejection> | undefined,
  field: string,
): readonly E[] => {
  if (decision === undefined) return [];
  if (decision.kind === 'accepted') return decision.events;
  const { code, detail } = decision.rejection;
  throw refused(field, `${detail} (${code})`);
};

/** Which line is meant. */
const lineOf = (
  lines: readonly { readonly line: number; readonly quantity: Quantity }[],
  add: Quantity,
  told: number | undefined,
  field: string,
): number => {
  const alike = lines.filter(({ quantity }) => isRival(quantity) && sameMeasure(quantity, add));
  if (told === undefined) {
    const [only, ...others] = alike;
    if (only !== undefined && others.length === 0) return only.line;
    const which = alike.length === 0 ? 'no line is' : `lines ${alike.map(({ line }) => line).join(', ')} are`;
    throw refused(`${field}.line`, `must say which line: ${which} in ${measureKey(add)}`);
  }
  const line = lines.find((each) => each.line === told);
  if (line === undefined) throw refused(`${field}.line`, `there is no line ${told}`);
  if (alike.includes(line)) return told;
  throw refused(
    `${field}.add`,
    `cannot be added to line ${told}, which is ${formatQuantity(line.quantity)}: state it in the line's measure, or give a new line`,
  );
};

const sum = (to: Quantity, add: Quantity): Quantity =>
  isRival(to) ? quantityOf(to, minorUnits(to) + minorUnits(add)) : to;
