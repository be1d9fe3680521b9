import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { EligibleProviders } from '#needs/contract';
import { EligibleOffers } from '#offers/contract';
import type { Context } from '#web';
import { historyController, RecordKinds } from '#web';
import { Desk } from './desk.js';
import { desk } from './desk.projection.js';
import { Eligibility, IndexedEligibleOffers, IndexedEligibleProviders } from './eligibility.js';
import { GapsController } from './gaps/gaps.controller.js';
import { Gaps } from './gaps/gaps.js';
import { LineHistory } from './gaps/line-history.js';
import { LINE_HISTORY, lineHistory } from './gaps/line-history.projection.js';
import { MatchIndex } from './match-index.js';
import { MATCH_INDEX, matchIndex } from './match-index.projection.js';
import { Matches } from './matches.js';
import { MatchingController } from './matching.controller.js';
import { RulesetRecords } from './rules/ruleset-records.js';
import { rulesetDecider } from './rules/ruleset-weights.js';
import { RulesetsController, rulesetVersionOf } from './rules/rulesets.controller.js';

/** Global, because needs and offers ask who is eligible through their ports. */
@Global()
@Module({
  providers: [
    MatchIndex,
    Matches,
    Desk,
    Eligibility,
    RulesetRecords,
    LineHistory,
    Gaps,
    { provide: EligibleProviders, useClass: IndexedEligibleProviders },
    { provide: EligibleOffers, useClass: IndexedEligibleOffers },
  ],
  exports: [EligibleProviders, EligibleOffers],
})
class MatchingModule implements OnModuleInit {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly rulesets: RulesetRecords,
  ) {}

  onModuleInit(): void {
    this.kinds.add(this.rulesets);
  }
}

/** Matches, the rules they are judged by, the desk and the gap view: reads other contexts' events, writes the weights of its rules. */
export const matchingContext: Context = {
  name: 'matching',
  module: MatchingModule,
  controllers: [MatchingController, RulesetsController, GapsController],
  history: [
    historyController('RulesetsController', {
      path: 'v1/rulesets',
      tag: 'matches',
      action: 'ruleset.history',
      records: RulesetRecords,
      idOf: rulesetVersionOf,
      isKnown: () => true,
    }),
  ],
  streams: { [rulesetDecider.category]: rulesetDecider.schemas },
  reads: {
    eligibility: [MATCH_INDEX, 'directory.networks'],
    history: [],
    routes: [
      MATCH_INDEX,
      'desk',
      LINE_HISTORY,
      'directory.networks',
      'needs.sight',
      'offers.sight',
      'commitments.sight',
    ],
  },
  projections: () => [matchIndex, desk, lineHistory],
};
