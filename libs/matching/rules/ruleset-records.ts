import { Injectable } from '@nestjs/common';
import type { Folded, RecordedEvent } from '#kernel';
import type { RecordKind } from '#web';
import type { RulesetEvent } from '../matching.contract.js';
import { HARD_RULES } from './hard-rules.js';
import type { RulesetRejection, RulesetState, SetWeights } from './ruleset-weights.js';
import { rulesetDecider } from './ruleset-weights.js';
import { isRulesetVersion, NEWEST, RULESETS } from './rulesets.js';
import { PARTS, WEIGHTED_PARTS } from './weighted-parts.js';

/** How rulesets are served: to everyone, because whoever is matched may know by what. */
@Injectable()
export class RulesetRecords implements RecordKind<RulesetState, SetWeights, RulesetEvent, RulesetRejection> {
  readonly decider = rulesetDecider;
  readonly path = '/v1/rulesets';

  /** The versions are in the code, whether or not anybody set their weights. */
  exists(): boolean {
    return true;
  }

  sees(): boolean {
    return true;
  }

  permits(): boolean {
    return true;
  }

  view(_caller: unknown, id: string, { state }: Folded<RulesetState>): object {
    return isRulesetVersion(id) ? rulesetView(id, state) : {};
  }

  maskEvent(_caller: unknown, _state: RulesetState, { data }: RecordedEvent<RulesetEvent>): object {
    return data;
  }
}

/** A ruleset as a table: what has to hold, and what is weighed. The first versions are told in a sentence. */
export const rulesetView = (id: keyof typeof RULESETS, { weights }: RulesetState): object => {
  const { brought, weighted } = RULESETS[id];
  return {
    id,
    newest: id === NEWEST,
    brought,
    ...(weighted
      ? {
          rules: HARD_RULES.map(({ codes, asks, looksAt }) => ({ codes, asks, ...looksAt })),
          parts: PARTS.map((name) => ({ name, weight: weights[name], says: WEIGHTED_PARTS[name].says })),
        }
      : {}),
  };
};
