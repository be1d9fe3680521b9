import type { Command, CommandContext, Decider, Decision, RecordedEvent, Rejection } from '#kernel';
import { accept, refuse } from '#kernel';
import { addDecimals, compareDecimals, decimal } from '#vocabulary';
import type { RulesetEvent } from '../matching.contract.js';
import type { Part, Weights } from './weighted-parts.js';
import { DEFAULT_WEIGHTS, PARTS } from './weighted-parts.js';

export type RulesetRejectionCode = 'forbidden' | 'weights-not-one';
export type RulesetRejection = Rejection<RulesetRejectionCode>;

export interface SetWeights extends Command {
  readonly type: 'SetWeights';
  readonly by: CommandContext;
  readonly weights: Weights;
  readonly reason: string;
}

export interface RulesetState {
  readonly weights: Weights;
  /** False while the weights are those of the code: saying so is a fact, too. */
  readonly set: boolean;
}

const ONE = decimal('1');

/** What is wrong with weights as a whole; undefined where they sum to exactly 1. */
export const weightsFault = (weights: Weights): string | undefined => {
  const sum = PARTS.map((part) => decimal(weights[part])).reduce(addDecimals);
  const order = compareDecimals(sum, ONE);
  return order === 0 ? undefined : `must sum to exactly 1: they come to ${order < 0 ? 'less' : 'more'}`;
};

const same = (a: Weights, b: Weights): boolean =>
  PARTS.every((part) => compareDecimals(decimal(a[part]), decimal(b[part])) === 0);

const decide = ({ by, weights, reason }: SetWeights, state: RulesetState): Decision<RulesetEvent, RulesetRejection> => {
  if (by.actor.role !== 'coordinator') return refuse('forbidden', 'The coordinator sets the weights of a ruleset.');
  const fault = weightsFault(weights);
  if (fault !== undefined) return refuse('weights-not-one', `The weights ${fault}.`, 'weights');
  return state.set && same(weights, state.weights)
    ? accept()
    : accept({ type: 'WeightsSet', data: { weights, reason } });
};

/** Weights as an event has them; a part it does not know, of an older release, keeps what it had. */
export const weightsIn = ({ weights }: RulesetEvent['data'], before: Weights): Weights =>
  Object.fromEntries(PARTS.map((part: Part) => [part, weights[part] ?? before[part]])) as unknown as Weights;

const evolve = (state: RulesetState, { type, data }: RecordedEvent<RulesetEvent>): RulesetState =>
  (type as string) === 'WeightsSet' ? { weights: weightsIn(data, state.weights), set: true } : state;

/** The weights of one version of the rules. */
export const rulesetDecider: Decider<RulesetState, SetWeights, RulesetEvent, RulesetRejection> = {
  category: 'ruleset',
  initial: { weights: DEFAULT_WEIGHTS, set: false },
  schemas: { WeightsSet: 1 },
  decide,
  evolve,
};
