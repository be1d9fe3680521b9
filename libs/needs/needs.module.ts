import { DesignationClock } from '#directory/contract';
import type { Context } from '#web';
import { historyController, replayController, uuidOf } from '#web';
import { Global, Module } from '@nestjs/common';
import { coverageReserving } from './coverage-reserving.process.js';
import { NeedReader } from './need.contract.js';
import { needDecider } from './need.js';
import { NEED_BOARD, needBoard, needDeadlines } from './need-board.projection.js';
import { NeedBoard } from './need-board.js';
import { needMerging } from './need-merging.process.js';
import { StreamNeedReader } from './need-reading.js';
import { NeedRecords } from './need-records.js';
import { NeedsController } from './needs.controller.js';

/** Global, because matching and commitments read needs through the port `NeedReader`. */
@Global()
@Module({
  providers: [NeedBoard, NeedRecords, StreamNeedReader, { provide: NeedReader, useExisting: StreamNeedReader }],
  exports: [NeedReader, NeedRecords],
})
class NeedsModule {}

export const needsContext: Context = {
  name: 'needs',
  module: NeedsModule,
  controllers: [NeedsController],
  history: [
    historyController('NeedsController', {
      path: 'v1/needs',
      tag: 'Needs',
      action: 'need.history',
      records: NeedRecords,
      idOf: uuidOf,
    }),
    replayController('NeedsController', {
      path: 'v1/needs',
      tag: 'Needs',
      action: 'need.replay',
      records: NeedRecords,
      idOf: uuidOf,
    }),
  ],
  streams: { [needDecider.category]: needDecider.schemas },
  reads: {
    sight: [NEED_BOARD, 'matching.eligibility'],
    facts: ['directory.networks'],
    view: ['needs.sight', 'commitments.proposals'],
    history: ['needs.sight', 'commitments.sight'],
    routes: ['needs.view', 'directory.networks'],
    work: [NEED_BOARD],
  },
  projections: () => [needBoard],
  processes: () => [coverageReserving, needMerging],
  deadlines: (deps) => [needDeadlines(() => deps.reads(NEED_BOARD), new DesignationClock(deps.transactor))],
};
