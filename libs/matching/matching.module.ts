import { Global, Module } from '@nestjs/common';
import { EligibleProviders } from '#needs/contract';
import { EligibleOffers } from '#offers/contract';
import type { Context } from '#web';
import { Desk } from './desk.js';
import { desk } from './desk.projection.js';
import { Eligibility, IndexedEligibleOffers, IndexedEligibleProviders } from './eligibility.js';
import { MatchIndex } from './match-index.js';
import { matchIndex } from './match-index.projection.js';
import { Matches } from './matches.js';
import { MatchingController } from './matching.controller.js';

/** Global, because needs and offers ask who is eligible through their ports. */
@Global()
@Module({
  providers: [
    MatchIndex,
    Matches,
    Desk,
    Eligibility,
    { provide: EligibleProviders, useClass: IndexedEligibleProviders },
    { provide: EligibleOffers, useClass: IndexedEligibleOffers },
  ],
  exports: [EligibleProviders, EligibleOffers],
})
class MatchingModule {}

/** Matches and the desk: reads other contexts' events, writes none. */
export const matchingContext: Context = {
  name: 'matching',
  module: MatchingModule,
  controllers: [MatchingController],
  streams: {},
  reads: {
    eligibility: ['match-index', 'directory.networks'],
    routes: ['match-index', 'desk', 'directory.networks', 'needs.sight', 'offers.sight'],
  },
  projections: () => [matchIndex, desk],
};
