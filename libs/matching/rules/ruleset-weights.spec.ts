import type { RecordedEvent } from '#kernel';
import { recordedEvent, specFor } from '#kernel-testing';
import type { RulesetEvent } from '../matching.contract.js';
import { rulesetDecider } from './ruleset-weights.js';
import { RULESETS } from './rulesets.js';
import { pairingFrom } from './small-worlds.fixture.js';
import type { Weights } from './weighted-parts.js';
import { DEFAULT_WEIGHTS, PARTS } from './weighted-parts.js';

const COORDINATOR = { actor: { party: 'agency:secretariat', role: 'coordinator' } };
const spec = specFor(rulesetDecider, { idempotent: ['SetWeights'], id: '3' });
const URGENT: Weights = { ...DEFAULT_WEIGHTS, priority: '0.2', coverage: '0.2000' };
const set = (weights: Weights): RulesetEvent => ({ type: 'WeightsSet', data: { weights, reason: 'As agreed.' } });
const asked = (weights: Weights) => ({ type: 'SetWeights', weights, reason: 'As agreed.' }) as const;

describe('the weights of a ruleset', () => {
  it('are set by the coordinator, all of them at once, and once', () => {
    spec.given().when(asked(DEFAULT_WEIGHTS), COORDINATOR).then(set(DEFAULT_WEIGHTS));
    spec.given().when(asked(URGENT), COORDINATOR).then(set(URGENT));
    spec
      .given(set(URGENT))
      .when(asked({ ...URGENT, coverage: '0.2' }), COORDINATOR)
      .then();
    spec.given(set(URGENT)).when(asked(DEFAULT_WEIGHTS), COORDINATOR).then(set(DEFAULT_WEIGHTS));
  });

  it('are for nobody else to set', () => {
    for (const role of ['donor-desk', 'npc', 'auditor', 'operator']) {
      spec
        .given()
        .when(asked(URGENT), { actor: { party: 'agency:other', role } })
        .refused('forbidden');
    }
  });

  it('sum to exactly one', () => {
    for (const priority of ['0.1499', '0.1501']) {
      spec
        .given()
        .when(asked({ ...DEFAULT_WEIGHTS, priority }), COORDINATOR)
        .refused('weights-not-one', 'weights');
    }
  });

  it('fold past what they do not know, and keep a part that an older event does not name', () => {
    const { fit: _, ...older } = URGENT;
    const events: readonly RecordedEvent[] = [
      recordedEvent('ruleset-3', 0, set(URGENT)),
      recordedEvent('ruleset-3', 1, { type: 'Unknown', data: {} }),
      recordedEvent('ruleset-3', 2, { type: 'WeightsSet', data: { weights: older, reason: 'x' } }),
    ];
    const state = events.reduce(
      (before, event) => rulesetDecider.evolve(before, event as never),
      rulesetDecider.initial,
    );
    expect(state).toEqual({ weights: URGENT, set: true });
  });

  it('change the score, which is the sum of the parts, each within 0 and 1 and with its reason', () => {
    let matches = 0;
    for (let seed = 1; seed <= 3_000; seed += 1) {
      const pairing = pairingFrom(seed);
      const [plain, urgent] = [DEFAULT_WEIGHTS, URGENT].map((weights) => RULESETS['3'].judge(pairing, weights));
      if (plain?.kind !== 'match' || urgent?.kind !== 'match') continue;
      matches += 1;
      expect(plain.components.map(({ name }) => name)).toEqual([...PARTS]);
      for (const judgement of [plain, urgent]) {
        const { score, components } = judgement;
        expect(score).toBe(components.reduce((sum, { weight, value }) => sum + weight * value, 0));
        expect(components.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
        const fits = ({ value, because }: (typeof components)[number]): boolean =>
          value >= 0 && value <= 1 && /\d/.test(because);
        expect(components.filter((each) => !fits(each))).toEqual([]);
      }
      const value = (name: string): number => plain.components.find((each) => each.name === name)?.value ?? 0;
      expect(urgent.score - plain.score).toBeCloseTo(0.05 * (value('priority') - value('coverage')), 9);
    }
    expect(matches).toBeGreaterThan(100);
  });
});
