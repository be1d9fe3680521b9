import { Module, type OnModuleInit } from '@nestjs/common';
import type { Context } from '#web';
import { historyController, RecordKinds, registerProblems, uuidOf } from '#web';
import { claimDrafting } from './claim-drafting.process.js';
import { DraftFactories } from './draft-factories.js';
import { REPORTED_BOARD, reportedBoard } from './reported-board.projection.js';
import type { DraftFactory } from './reported.contract.js';
import { ReportedController } from './reported.controller.js';
import { REPORTED_PROBLEMS } from './reported.problems.js';
import { reportedDecider } from './reported.js';
import { ReportedRecords } from './reported-records.js';

registerProblems(REPORTED_PROBLEMS);

@Module({})
class ReportedModule implements OnModuleInit {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly records: ReportedRecords,
  ) {}

  onModuleInit(): void {
    this.kinds.add(this.records);
  }
}

/** Reported records; `drafts` are the contexts' ways to draft what is claimed, one for needs and one for offers. */
export const reportedContext = (drafts: readonly DraftFactory[]): Context => ({
  name: 'reported',
  module: {
    module: ReportedModule,
    providers: [ReportedRecords, { provide: DraftFactories, useValue: new DraftFactories(drafts) }],
  },
  controllers: [ReportedController],
  history: [
    historyController('ReportedController', {
      path: 'v1/reported',
      tag: 'reported',
      action: 'reported.history',
      records: ReportedRecords,
      idOf: uuidOf,
    }),
  ],
  streams: { [reportedDecider.category]: reportedDecider.schemas },
  reads: {
    view: ['needs.sight', 'offers.sight'],
    history: ['needs.sight', 'offers.sight'],
    routes: [REPORTED_BOARD, 'reported.view'],
  },
  projections: () => [reportedBoard],
  processes: () => [claimDrafting(drafts)],
});
