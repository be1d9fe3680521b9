import type { AllocationEvent } from './allocation/allocation.contract.js';
import type { DuplicateEvent } from './duplicates/duplicate.contract.js';

export type { DuplicateEvent, PairedRecord } from './duplicates/duplicate.contract.js';

/** Stream `ruleset-<version>`: what the coordinator set of a ruleset. */
export type RulesetEvent = {
  readonly type: 'WeightsSet';
  readonly data: {
    /** A weight for each part of the ruleset, decimal text; together exactly 1. */
    readonly weights: Readonly<Record<string, string>>;
    readonly reason: string;
  };
};

/** Everything that matching writes. */
export type MatchingEvent = RulesetEvent | AllocationEvent | DuplicateEvent;
