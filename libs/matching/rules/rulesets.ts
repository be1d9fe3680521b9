import { judge1, judge2 } from './first-rulesets.js';
import { HARD_RULES } from './hard-rules.js';
import { servable } from './lines.js';
import type { Judgement, Pairing } from './sides.js';
import type { Weights } from './weighted-parts.js';
import { componentsOf } from './weighted-parts.js';

/**
 * The rules a pairing of a need and an offer is judged by. A change of any rule or sentence is a new version, and old ones stay callable,
 * so that the same inputs, version and weights always give the same ranking (I16; `shipped.spec.ts` holds the shipped ones).
 */
export interface Ruleset {
  readonly version: RulesetVersion;
  /** What it brought, in a sentence. */
  readonly brought: string;
  /** Judges one pairing. Pure: equal inputs give an equal answer. */
  readonly judge: (pairing: Pairing, weights: Weights) => Judgement;
  /** Whether `judge` finds a match; where many pairings are asked about, without a word of why not. */
  readonly admits: (pairing: Pairing) => boolean;
  /** Its weights are set by the coordinator; those of the first versions are fixed. */
  readonly weighted: boolean;
}

export const RULESET_VERSIONS = ['1', '2', '3'] as const;
export type RulesetVersion = (typeof RULESET_VERSIONS)[number];
export const NEWEST: RulesetVersion = '3';

const judge3 = (pairing: Pairing, weights: Weights): Judgement => {
  const blocks = HARD_RULES.flatMap(({ test }) => test(pairing));
  if (blocks.length > 0) return { kind: 'blocked', blocks };
  const service = servable(pairing.need, pairing.offer);
  const components = componentsOf(pairing, service, weights);
  return {
    kind: 'match',
    score: components.reduce((sum, { weight, value }) => sum + weight * value, 0),
    components,
    coverage: service.coverage,
  };
};

export const RULESETS: Readonly<Record<RulesetVersion, Ruleset>> = {
  '1': {
    version: '1',
    brought: 'The first: lines without a quantity block, smallest lots are not looked at.',
    judge: ({ need, offer, circumstances }) => judge1(need, offer, circumstances),
    admits: ({ need, offer, circumstances }) => judge1(need, offer, circumstances).kind === 'match',
    weighted: false,
  },
  '2': {
    version: '2',
    brought:
      'Lines without a quantity are served with a scope in words; smallest lots block; lines of access are served.',
    judge: ({ need, offer, circumstances }) => judge2(need, offer, circumstances),
    admits: ({ need, offer, circumstances }) => judge2(need, offer, circumstances).kind === 'match',
    weighted: false,
  },
  '3': {
    version: '3',
    brought:
      'A table of rules with the facts on both sides and the smallest unlock; the national report is a rule; parts weighted by the coordinator.',
    judge: judge3,
    admits: (pairing) => HARD_RULES.every(({ test }) => test(pairing).length === 0),
    weighted: true,
  },
};

export const isRulesetVersion = (value: string): value is RulesetVersion =>
  (RULESET_VERSIONS as readonly string[]).includes(value);
