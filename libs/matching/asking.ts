import type { Caller } from '#directory/contract';
import type { RecordSight } from '#web';
import type { IndexedOffer } from './match-index.projection.js';
import type { Offices } from './offices.js';
import { RULESETS, type RulesetVersion } from './rules/rulesets.js';
import type { Standing } from './standing.js';

/** Commitments looked at for prior work: more are worth no more (see `WEIGHTED_PARTS`). */
const WORK_LOOKED_FOR = 3;

/** One question, and what is found once for all of its pairings. */
export class Asking {
  private readonly worked = new Map<string, Promise<number>>();
  private readonly seen = new Map<string, Promise<boolean>>();
  private readonly desks = new Map<string, Promise<readonly Caller[]>>();
  readonly weights;

  constructor(
    private readonly sight: RecordSight,
    private readonly caller: Caller,
    readonly standing: Standing,
    readonly ruleset: RulesetVersion,
  ) {
    this.weights = standing.weights(ruleset);
  }

  /** The desks of an offer's providers, found once. */
  providers(offices: Offices, offer: IndexedOffer): Promise<readonly Caller[]> {
    const key = offices.desksOf(offer);
    const known = this.desks.get(key) ?? offices.providers(offer);
    this.desks.set(key, known);
    return known;
  }

  /** Commitments that bound the two, as far as whoever asks may see them: a hidden one counts for nothing. */
  priorWork(providers: readonly string[], beneficiaries: readonly string[]): Promise<number> {
    if (!RULESETS[this.ruleset].weighted) return Promise.resolve(0);
    const key = JSON.stringify([providers, beneficiaries]);
    const known = this.worked.get(key) ?? this.seenOf(this.standing.work(providers, beneficiaries));
    this.worked.set(key, known);
    return known;
  }

  private async seenOf(commitments: readonly string[]): Promise<number> {
    let count = 0;
    for (const commitment of commitments) {
      if (count === WORK_LOOKED_FOR) break;
      const seen = this.seen.get(commitment) ?? this.sight.sees(this.caller, 'commitment', commitment);
      this.seen.set(commitment, seen);
      if (await seen) count += 1;
    }
    return count;
  }
}
