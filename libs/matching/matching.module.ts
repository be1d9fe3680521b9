import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { SuggestedPairs } from '#commitments/contract';
import { EligibleProviders } from '#needs/contract';
import { EligibleOffers } from '#offers/contract';
import type { Context } from '#web';
import { historyController, RecordKinds, registerProblems, uuidOf } from '#web';
import { Admission } from './admission.js';
import { ALLOCATION_BOARD, allocationBoard, lostRuns } from './allocation/allocation-board.projection.js';
import { AllocationJobs } from './allocation/allocation-jobs.js';
import { AllocationProblems } from './allocation/allocation-problems.js';
import { AllocationRecords } from './allocation/allocation-records.js';
import { AllocationSharing } from './allocation/allocation-sharing.js';
import { AllocationTables } from './allocation/allocation-tables.js';
import { AllocationSolver, SolverThread, ThreadSolver } from './allocation/allocation-solver.js';
import { ALLOCATION_PROBLEMS, SHARING_PROBLEMS } from './allocation/allocation.problems.js';
import { allocationDecider } from './allocation/allocation.js';
import { AllocationsController } from './allocation/allocations.controller.js';
import { Desk } from './desk.js';
import { desk } from './desk.projection.js';
import { DuplicateRecords } from './duplicates/duplicate-records.js';
import { DUPLICATE_TRAITS, duplicateTraits } from './duplicates/duplicate-traits.projection.js';
import { duplicateDecider } from './duplicates/duplicate.js';
import { DuplicatesController } from './duplicates/duplicates.controller.js';
import { Duplicates } from './duplicates/duplicates.js';
import { Eligibility, IndexedEligibleOffers, IndexedEligibleProviders } from './eligibility.js';
import { FeedStreams } from './feed/feed-streams.js';
import { MatchFeedController } from './feed/match-feed.controller.js';
import { MatchFeed } from './feed/match-feed.js';
import { WatchedMatches } from './feed/watched-matches.js';
import { GapsController } from './gaps/gaps.controller.js';
import { Gaps } from './gaps/gaps.js';
import { LineHistory } from './gaps/line-history.js';
import { LINE_HISTORY, lineHistory } from './gaps/line-history.projection.js';
import { LiveIndex } from './live-index.js';
import { MatchIndex } from './match-index.js';
import { MATCH_INDEX, matchIndex } from './match-index.projection.js';
import { Matches } from './matches.js';
import { Offices } from './offices.js';
import { MatchingController } from './matching.controller.js';
import { Standings } from './standings.js';
import { RulesetRecords } from './rules/ruleset-records.js';
import { rulesetDecider } from './rules/ruleset-weights.js';
import { RulesetsController, rulesetVersionOf } from './rules/rulesets.controller.js';
import { VisibleSuggestions } from './suggestions/suggested-pairs.js';
import { SuggestionsController } from './suggestions/suggestions.controller.js';
import { Suggestions } from './suggestions/suggestions.js';
import { suggestions, SUGGESTIONS } from './suggestions/suggestions.projection.js';

import { WhatIfController } from './what-if/what-if.controller.js';
import { WhatIf } from './what-if/what-if.js';
import { WHAT_IF_PROBLEMS } from './what-if/what-if.problems.js';

registerProblems({ ...ALLOCATION_PROBLEMS, ...SHARING_PROBLEMS, ...WHAT_IF_PROBLEMS });

/** Global, because needs and offers ask who is eligible, and commitments what is suggested, through their ports. */
@Global()
@Module({
  providers: [
    MatchIndex,
    Eligibility,
    RulesetRecords,
    LineHistory,
    Gaps,
    AllocationRecords,
    AllocationTables,
    Duplicates,
    DuplicateRecords,
    VisibleSuggestions,
    { provide: SuggestedPairs, useExisting: VisibleSuggestions },
    { provide: EligibleProviders, useClass: IndexedEligibleProviders },
    { provide: EligibleOffers, useClass: IndexedEligibleOffers },
  ],
  exports: [EligibleProviders, EligibleOffers, DuplicateRecords, SuggestedPairs],
})
class MatchingModule implements OnModuleInit {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly rulesets: RulesetRecords,
    private readonly allocations: AllocationRecords,
    private readonly duplicates: DuplicateRecords,
  ) {}

  onModuleInit(): void {
    this.kinds.add(this.rulesets);
    this.kinds.add(this.allocations);
    this.kinds.add(this.duplicates);
  }
}

/**
 * Matches, the rules they are judged by, what would be, the desk, the gap view and duplicates: reads other contexts' events; of its own it writes
 * the weights of its rules, what coordinators asked the solver, it answered and they shared, and what was found of pairs that look alike.
 */
export const matchingContext: Context = {
  name: 'matching',
  module: MatchingModule,
  controllers: [
    ...[MatchingController, MatchFeedController, WhatIfController, RulesetsController, GapsController],
    ...[AllocationsController, SuggestionsController, DuplicatesController],
  ],
  forRoutes: [
    ...[LiveIndex, Standings, Offices, Matches, Suggestions, Desk, WhatIf],
    ...[WatchedMatches, MatchFeed, FeedStreams],
    ...[Admission, AllocationProblems, AllocationJobs, AllocationSharing],
    {
      provide: AllocationSolver,
      inject: [{ token: SolverThread, optional: true }],
      useFactory: (thread?: SolverThread) => new ThreadSolver(thread),
    },
  ],
  history: [
    historyController('RulesetsController', {
      path: 'v1/rulesets',
      tag: 'matches',
      action: 'ruleset.history',
      records: RulesetRecords,
      idOf: rulesetVersionOf,
      isKnown: () => true,
    }),
    historyController('AllocationsController', {
      path: 'v1/allocations',
      tag: 'allocations',
      action: 'allocation.history',
      records: AllocationRecords,
      idOf: uuidOf,
    }),
    historyController('DuplicatesController', {
      path: 'v1/duplicates',
      tag: 'duplicates',
      action: 'duplicate.history',
      records: DuplicateRecords,
      idOf: uuidOf,
    }),
  ],
  streams: {
    [rulesetDecider.category]: rulesetDecider.schemas,
    [allocationDecider.category]: allocationDecider.schemas,
    [duplicateDecider.category]: duplicateDecider.schemas,
  },
  reads: {
    eligibility: [MATCH_INDEX, 'directory.networks'],
    suggestions: [SUGGESTIONS, 'needs.sight', 'offers.sight'],
    history: ['needs.sight', 'offers.sight', 'commitments.sight'],
    routes: [
      MATCH_INDEX,
      'desk',
      LINE_HISTORY,
      ALLOCATION_BOARD,
      DUPLICATE_TRAITS,
      'matching.suggestions',
      'directory.networks',
      'needs.sight',
      'offers.sight',
      'commitments.sight',
      'audit.sight',
    ],
  },
  projections: () => [matchIndex, desk, lineHistory, allocationBoard, duplicateTraits, suggestions],
  deadlines: (deps) => [lostRuns(() => deps.reads(ALLOCATION_BOARD))],
};
