import { Injectable } from '@nestjs/common';
import type { Caller } from '#directory/contract';
import { yieldToLoop } from '#kernel';
import { NeedReader } from '#needs/contract';
import { OfferReader } from '#offers/contract';
import { RecordSight } from '#web';
import { Asking } from './asking.js';
import type { IndexedNeed, IndexedOffer } from './match-index.projection.js';
import { providersOf } from './match-index.projection.js';
import { reasonsAgainst } from './match-index.js';
import { Offices } from './offices.js';
import { linePairs } from './rules/lines.js';
import { RULESETS, type RulesetVersion } from './rules/rulesets.js';
import type { Component, NeedSide, OfferSide, Pairing } from './rules/sides.js';
import type { Standing } from './standing.js';
import { needSide, offerSide } from './standing.js';

type Listed<Doc> = readonly (readonly [id: string, doc: Doc])[];

/** Which needs are to be judged with which offers, as they stand. */
export interface AdmissionRequest {
  readonly standing: Standing;
  readonly ruleset: RulesetVersion;
  readonly needs: Listed<IndexedNeed>;
  readonly offers: Listed<IndexedOffer>;
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

/** Time that is worked for before others have their turn. */
const TURN_MS = 8;

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
    const { standing, ruleset } = request;
    const asking = new Asking(this.sight, caller, standing, ruleset);
    const needIds = request.needs.map(([id]) => id);
    const offerIds = request.offers.map(([id]) => id);
    const needsSeen = (await this.needs.bodiesSeenBy(caller))(needIds);
    const offersSeen = (await this.offers.seenBy(caller))(offerIds);
    const turn = new Turn();
    const sides = await this.sides(standing, request.offers, offersSeen, needIds, turn);
    const received = new Map<string, ReadonlySet<string>>();
    for (const [id, doc] of request.needs) {
      if (signal.aborted) return;
      if (!needsSeen.has(id)) continue;
      const need = needSide(id, doc, standing);
      yield { kind: 'need', need };
      const seen = received.get(doc.filer) ?? (await this.offers.seenBy(await this.offices.recipient(doc)))(offerIds);
      received.set(doc.filer, seen);
      for (const offerId of standing.offersFor(need, false)) {
        await turn.pass();
        const offer = sides.get(offerId);
        // What cannot be drawn now, or is hidden from one of the two, is no match: asked first, being cheap.
        if (offer === undefined || !canDraw(need, offer.side) || !seen.has(offer.side.id) || !offer.sees(id)) continue;
        const pairing = pairingOf(standing.today, need, offer);
        const first = RULESETS[ruleset].judge(pairing, asking.weights);
        if (first.kind === 'blocked') continue;
        const priorWork = await asking.priorWork(offer.providers, need.beneficiaries);
        const judged =
          priorWork === 0
            ? first
            : RULESETS[ruleset].judge(
                { ...pairing, circumstances: { ...pairing.circumstances, priorWork } },
                asking.weights,
              );
        if (judged.kind === 'blocked') continue;
        yield { kind: 'pairing', need, offer: offer.side, score: judged.score, components: judged.components };
      }
    }
  }

  private async sides(
    standing: Standing,
    offers: Listed<IndexedOffer>,
    seen: ReadonlySet<string>,
    needIds: readonly string[],
    turn: Turn,
  ): Promise<ReadonlyMap<string, Side>> {
    const seenBy = new Map<string, ReadonlySet<string>>();
    const sides = new Map<string, Side>();
    for (const [id, doc] of offers) {
      await turn.pass();
      if (!seen.has(id)) continue;
      const providers = await this.offices.providers(doc);
      for (const provider of providers) {
        if (!seenBy.has(provider.party)) {
          seenBy.set(provider.party, (await this.needs.bodiesSeenBy(provider))(needIds));
        }
      }
      const sovereigns = providers.map(({ party, sovereign }) =>
        standing.sovereignOf === undefined ? sovereign : standing.sovereignOf(party),
      );
      sides.set(id, {
        doc,
        side: offerSide(id, doc, sovereigns),
        providers: providersOf(doc),
        // Any provider may propose: what one of them sees is enough.
        sees: (needId) => providers.some(({ party }) => seenBy.get(party)?.has(needId) === true),
      });
    }
    return sides;
  }
}

const canDraw = (need: NeedSide, offer: OfferSide): boolean =>
  linePairs(need, offer).some(
    ({ alike, needLine, offerLine }) => alike && needLine.outstanding > 0n && offerLine.available !== 0n,
  );

const pairingOf = (now: string, need: NeedSide, { doc, side }: Side): Pairing => ({
  need,
  offer: side,
  circumstances: {
    now,
    providerSeesNeed: true,
    recipientSeesOffer: true,
    earmarkReasons: reasonsAgainst(doc, need),
    priorWork: 0,
  },
});

/** Lets others have their turn now and then. */
class Turn {
  private begun = performance.now();

  async pass(): Promise<void> {
    if (performance.now() - this.begun < TURN_MS) return;
    await yieldToLoop();
    this.begun = performance.now();
  }
}
