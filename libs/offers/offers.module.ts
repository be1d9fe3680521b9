import type { Context } from '#web';
import { historyController, RecordKinds, replayController, uuidOf } from '#web';
import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { capacityHolding } from './capacity-holding.process.js';
import { OfferReader } from './offer.contract.js';
import { offerDecider } from './offer.js';
import { OFFER_BOARD, offerBoard, offerExpiry } from './offer-board.projection.js';
import { OfferBoard } from './offer-board.js';
import { StreamOfferReader } from './offer-reading.js';
import { OfferRecords } from './offer-records.js';
import { OffersController } from './offers.controller.js';
import { Providing } from './providing.js';

/** Global, because matching and commitments read offers through the port `OfferReader`. */
@Global()
@Module({
  providers: [
    OfferBoard,
    OfferRecords,
    Providing,
    StreamOfferReader,
    { provide: OfferReader, useExisting: StreamOfferReader },
  ],
  exports: [OfferReader, OfferRecords],
})
class OffersModule implements OnModuleInit {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly records: OfferRecords,
  ) {}

  onModuleInit(): void {
    this.kinds.add(this.records);
  }
}

export const offersContext: Context = {
  name: 'offers',
  module: OffersModule,
  controllers: [OffersController],
  history: [
    historyController('OffersController', {
      path: 'v1/offers',
      tag: 'offers',
      action: 'offer.history',
      records: OfferRecords,
      idOf: uuidOf,
    }),
    replayController('OffersController', {
      path: 'v1/offers',
      tag: 'offers',
      action: 'offer.replay',
      records: OfferRecords,
      idOf: uuidOf,
    }),
  ],
  streams: { [offerDecider.category]: offerDecider.schemas },
  reads: {
    sight: [OFFER_BOARD, 'matching.eligibility'],
    history: ['offers.sight', 'commitments.sight'],
    routes: ['offers.sight'],
    work: [OFFER_BOARD],
  },
  projections: () => [offerBoard],
  processes: () => [capacityHolding],
  deadlines: (deps) => [offerExpiry(() => deps.reads(OFFER_BOARD))],
};
