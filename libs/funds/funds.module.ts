import type { Context } from '#web';
import { historyController, RecordKinds, uuidOf } from '#web';
import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { allocationUsing } from './allocation-using.process.js';
import { applicationDeciding } from './application-deciding.process.js';
import { CALL_BOARD, callBoard } from './call-board.projection.js';
import { callDecider } from './call.js';
import { CallRecords } from './call-records.js';
import { CallsController } from './calls.controller.js';
import { CONTRIBUTION_BOARD, contributionBoard } from './contribution-board.projection.js';
import { contributionDecider } from './contribution.js';
import { ContributionRecords } from './contribution-records.js';
import { ContributionsController } from './contributions.controller.js';
import { FundDecisions } from './fund.contract.js';
import { FUND_BOARD, fundBoard } from './fund-board.projection.js';
import { FundBoards } from './fund-boards.js';
import { fundCrediting } from './fund-crediting.process.js';
import { StreamFundDecisions } from './fund-decisions.js';
import { fundDecider } from './fund.js';
import { FundRecords } from './fund-records.js';
import { fundOf, FundsController } from './funds.controller.js';
import { RegisteredParties } from './registered-parties.js';

/** Global, because commitments ask through the port `FundDecisions` whether a fund may sign. */
@Global()
@Module({
  providers: [
    FundBoards,
    FundRecords,
    ContributionRecords,
    CallRecords,
    RegisteredParties,
    StreamFundDecisions,
    { provide: FundDecisions, useExisting: StreamFundDecisions },
  ],
  exports: [FundDecisions],
})
class FundsModule implements OnModuleInit {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly funds: FundRecords,
    private readonly contributions: ContributionRecords,
    private readonly calls: CallRecords,
  ) {}

  onModuleInit(): void {
    this.kinds.add(this.funds);
    this.kinds.add(this.contributions);
    this.kinds.add(this.calls);
  }
}

export const fundsContext: Context = {
  name: 'funds',
  module: FundsModule,
  controllers: [FundsController, ContributionsController, CallsController],
  history: [
    historyController('FundsController', {
      path: 'v1/funds',
      tag: 'funds',
      action: 'fund.history',
      records: FundRecords,
      idOf: fundOf,
    }),
    historyController('ContributionsController', {
      path: 'v1/contributions',
      tag: 'funds',
      action: 'contribution.history',
      records: ContributionRecords,
      idOf: uuidOf,
    }),
    historyController('CallsController', {
      path: 'v1/calls',
      tag: 'funds',
      action: 'call.history',
      records: CallRecords,
      idOf: uuidOf,
    }),
  ],
  streams: {
    [fundDecider.category]: fundDecider.schemas,
    [contributionDecider.category]: contributionDecider.schemas,
    [callDecider.category]: callDecider.schemas,
  },
  reads: {
    view: [CONTRIBUTION_BOARD, 'needs.sight'],
    history: ['needs.sight', 'commitments.sight'],
    routes: [FUND_BOARD, CONTRIBUTION_BOARD, CALL_BOARD, 'needs.sight', 'needs.facts'],
  },
  projections: () => [fundBoard, contributionBoard, callBoard],
  processes: () => [fundCrediting, allocationUsing, applicationDeciding],
};
