import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { Turns } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import { sameMeasure } from '#vocabulary';
import { RecordSight } from '#web';
import { Asking } from './asking.js';
import type { IndexedOffer } from './match-index.projection.js';
import { providersOf } from './match-index.projection.js';
import { reasonsAgainst } from './match-index.js';
import { Offices } from './offices.js';
import { admits } from './rules/lines.js';
import { RULESETS, type RulesetVersion } from './rules/rulesets.js';
import type { Component, NeedSide, OfferSide, Pairing } from './rules/sides.js';
import type { Standing } from './standing.js';
import { needSide, offerSide, sovereignsOf } from './standing.js';

/** Which needs are to be judged with which offers, as they stand. */
export interface AdmissionRequest {
  readonly standing: Standing;
  readonly ruleset: RulesetVersion;
  readonly needIds: readonly string[];
  readonly offerIds: readonly string[];
  /** Which of the needs take part. */
  readonly takesPart: (need: NeedSide) => boolean;
}

/** A need that the caller sees, followed by the offers that it sees and the ruleset admits to it. */
export type Admitted =
  | { readonly kind: 'need'; readonly need: NeedSide }
  | {
      readonly kind: 'pairing';
      readonly need: NeedSide;
      readonly offer: OfferSide;
      readonly score: number;
      readonly components: readonly Component[];
    };

interface Side {
  readonly doc: IndexedOffer;
  readonly side: OfferSide;
  readonly providers: readonly string[];
  /** Needs that some provider sees. */
  readonly sees: (needId: string) => boolean;
}

/** Many needs judged with many offers at once, for one caller; the same answers as `Matches` gives for each of them. */
@Injectable()
export class Admission {
  constructor(
    private readonly needs: NeedReader,
    private readonly offers: OfferReader,
    private readonly offices: Offices,
    private readonly sight: RecordSight,
  ) {}

  /** Every need that `caller` sees, in order of the request, each followed by its matches. Ends early where `signal` aborts. */
  async *admitted(caller: Caller, request: AdmissionRequest, signal: AbortSignal): AsyncGenerator<Admitted> {
    const { standing, ruleset, needIds, offerIds, takesPart } = request;
    const asking = new Asking(this.sight, caller, standing, ruleset);
    const needsSeen = (await this.needs.bodiesSeenBy(caller))(needIds);
    const offersSeen = (await this.offers.seenBy(caller))(offerIds);
    const turns = new Turns();
    const sides = await this.sides(request, offersSeen, turns);
    const received = new Map<string, ReadonlySet<string>>();
    for (const id of needIds) {
      if (signal.aborted) return;
      await turns.pass();
      const doc = needsSeen.has(id) ? standing.need(id) : undefined;
      if (doc === undefined) continue;
      const need = needSide(id, doc, standing);
      if (!takesPart(need)) continue;
      yield { kind: 'need', need };
      const seen = received.get(doc.filer) ?? (await this.offers.seenBy(await this.offices.recipient(doc)))(offerIds);
      received.set(doc.filer, seen);
      // Not by the index in memory: it moves on meanwhile, and all of this is of one position.
      for (const offer of sides) {
        // What cannot be drawn now, or is hidden from one of the two, is no match: asked first, being cheap.
        if (!canDraw(need, offer.side) || !seen.has(offer.side.id) || !offer.sees(id)) continue;
        await turns.pass();
        const pairing = pairingOf(standing.today, need, offer);
        // Most are not: that they are not is all that is asked of them.
        if (!RULESETS[ruleset].admits(pairing)) continue;
        const priorWork = await asking.priorWork(offer.providers, need.beneficiaries);
        const circumstances = { ...pairing.circumstances, priorWork };
        const judged = RULESETS[ruleset].judge({ ...pairing, circumstances }, asking.weights);
        if (judged.kind === 'blocked') continue;
        yield { kind: 'pairing', need, offer: offer.side, score: judged.score, components: judged.components };
      }
    }
  }

  private async sides(
    { standing, needIds, offerIds }: AdmissionRequest,
    seen: ReadonlySet<string>,
    turns: Turns,
  ): Promise<readonly Side[]> {
    const seenBy = new Map<string, ReadonlySet<string>>();
    const sides: Side[] = [];
    for (const id of offerIds) {
      await turns.pass();
      const doc = seen.has(id) ? standing.offer(id) : undefined;
      if (doc === undefined) continue;
      const providers = await this.offices.providers(doc);
      for (const provider of providers) {
        if (!seenBy.has(deskOf(provider))) {
          seenBy.set(deskOf(provider), (await this.needs.bodiesSeenBy(provider))(needIds));
        }
      }
      sides.push({
        doc,
        side: offerSide(id, doc, sovereignsOf(providers, standing)),
        providers: providersOf(doc),
        // Any provider may propose: what one of them sees is enough.
        sees: (needId) => providers.some((provider) => seenBy.get(deskOf(provider))?.has(needId) === true),
      });
    }
    return sides;
  }
}

/** What a caller sees goes by its party and roles. */
const deskOf = ({ party, roles }: Caller): string => [party, ...roles].join(' ');

/** Whether any of `linePairs` could carry something now; of every need it is asked with every offer, and so makes no list. */
const canDraw = (need: NeedSide, offer: OfferSide): boolean =>
  need.lines.some(
    (asked) =>
      asked.outstanding > 0n &&
      offer.lines.some(
        (given) => given.available !== 0n && sameMeasure(asked.quantity, given.capacity) && admits(offer, given, asked),
      ),
  );

const pairingOf = (now: string, need: NeedSide, { doc, side }: Side): Pairing => ({
  need,
  offer: side,
  circumstances: {
    now,
    providerSeesNeed: true,
    recipientSeesOffer: true,
    // Only the first two rulesets ask.
    get earmarkReasons() {
      return reasonsAgainst(doc, need);
    },
    priorWork: 0,
  },
});
