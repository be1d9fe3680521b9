import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Networks } from '#directory/contract';
import { Clock, ProjectionRunner, yieldToLoop } from '#kernel';
import { dateOf } from '#vocabulary';
import { needsSoughtBy } from './facets/need-facets.js';
import { offersSoughtBy } from './facets/offer-facets.js';
import { HeldStanding } from './held-standing.js';
import { LiveIndex } from './live-index.js';
import { MATCH_INDEX } from './match-index.projection.js';
import { MatchIndex } from './match-index.js';
import type { Standing } from './standing.js';
import { PastStanding, weightsAt, workAt } from './standing.js';

/** How needs and offers stand, now and at any position of the log. */
@Injectable()
export class Standings implements OnApplicationBootstrap {
  constructor(
    private readonly runner: ProjectionRunner,
    private readonly index: MatchIndex,
    private readonly live: LiveIndex,
    private readonly networks: Networks,
    private readonly clock: Clock,
  ) {}

  /** Loads what stands open, so that the first to ask does not wait for it; what keeps it from that is told to whoever asks. */
  onApplicationBootstrap(): void {
    this.current().catch(() => undefined);
  }

  /** How things stand now, once the index in memory has come to its read model. */
  async current(): Promise<Standing> {
    while (!this.live.catchUp()) await yieldToLoop();
    return this.now();
  }

  /**
   * How things stood at a position of the log, judged for `on` (today unless told: the day of a position would say that something
   * happened on it, perhaps to a hidden record). Undefined for a position that the index has not come to.
   */
  at(position: bigint, on?: string): Standing | undefined {
    if (position > BigInt(this.index.asOf())) return undefined;
    return new PastStanding(this.runner.model(MATCH_INDEX), position, on ?? this.today());
  }

  /**
   * The same, to be asked for long while the log moves on: with candidates of the index in memory, all of one position and day.
   * Undefined for a position that the index has not come to.
   */
  async held(position: bigint, on: string): Promise<HeldStanding | undefined> {
    while (!this.live.catchUp()) await yieldToLoop();
    if (position > BigInt(this.index.asOf())) return undefined;
    return HeldStanding.at(this.runner.model(MATCH_INDEX), position, on, this.index, this.live);
  }

  /** Id of the newest event that matches took account of; undefined while there is none. */
  newestEvent(): string | undefined {
    return this.index.readUpTo()?.eventId;
  }

  /** The UTC day that matches are judged for. */
  today(): string {
    return dateOf(this.clock.now());
  }

  /** Position of the log that matches stand at, as decimal text. */
  position(): string {
    return this.index.asOf();
  }

  private now(): Standing {
    const model = this.runner.model(MATCH_INDEX);
    const asOf = this.index.asOf();
    const today = this.today();
    const past = new PastStanding(model, BigInt(asOf), today);
    const { networksOf } = this.index.memberships();
    return {
      asOf,
      today,
      // What moved meanwhile is read as it was: an answer is of one position.
      need: (id) => this.index.needUpTo(id, BigInt(asOf)) ?? past.need(id),
      offer: (id) => this.index.offerUpTo(id, BigInt(asOf)) ?? past.offer(id),
      needIds: () => this.live.needIds(),
      offerIds: () => this.live.offerIds(),
      needsFor: (offer, anonymous) =>
        this.live.needIds(
          needsSoughtBy(offer, today, (network) => this.networks.countedMembers(network, today), anonymous),
        ),
      offersFor: (need, anonymous) => this.live.offerIds(offersSoughtBy(need, today, anonymous)),
      weights: (version) => weightsAt(model, version, BigInt(asOf)),
      networksOf,
      work: (providers, beneficiaries) => workAt(model, providers, beneficiaries, BigInt(asOf)),
    };
  }
}
