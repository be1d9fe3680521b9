import { ProjectionRunner } from '#kernel';
import type { Context } from '#web';
import { historyController } from '#web';
import { Global, Module } from '@nestjs/common';
import { DesignationsController, MandatesController } from './designations.controller.js';
import { FoldedCallers } from './directory-callers.js';
import { ContactPoints } from './contact-points.js';
import { DirectoryRecords } from './directory-records.js';
import { Networks } from './networks.js';
import { PARTIES, partiesProjection, RegisteredNetworks } from './parties.projection.js';
import { PartiesController, partyIdOf } from './parties.controller.js';
import { partyDecider } from './party.js';
import { knownName } from './party.view.js';
import { PartyBoard } from './party-board.js';

/** Global, because other contexts ask for `Networks`, and subjects for who holds designations. */
@Global()
@Module({
  providers: [
    ContactPoints,
    DirectoryRecords,
    PartyBoard,
    {
      provide: Networks,
      useFactory: (runner: ProjectionRunner) => new RegisteredNetworks(() => runner.model(PARTIES)),
      inject: [ProjectionRunner],
    },
  ],
  exports: [Networks, DirectoryRecords, PartyBoard],
})
class DirectoryModule {}

export const directoryContext: Context = {
  name: 'directory',
  module: DirectoryModule,
  controllers: [PartiesController, DesignationsController, MandatesController],
  history: [
    historyController('PartiesController', {
      path: 'v1/parties',
      tag: 'Parties',
      action: 'party.history',
      records: DirectoryRecords,
      idOf: partyIdOf,
      isKnown: (id) => knownName(id) !== undefined,
    }),
  ],
  streams: { [partyDecider.category]: partyDecider.schemas },
  callers: ({ transactor }) => new FoldedCallers(transactor),
  reads: { networks: [PARTIES], routes: [PARTIES], history: [] },
  projections: () => [partiesProjection],
};
