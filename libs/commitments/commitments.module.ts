import type { ReadQueries } from '#kernel';
import { ProjectionRunner } from '#kernel';
import type { Context } from '#web';
import { historyController, RecordKinds, replayController, uuidOf } from '#web';
import { Global, Module, type OnModuleInit } from '@nestjs/common';
import { Agencies } from './agencies.js';
import {
  BoardOpenProposals,
  BoardProposalFigures,
  COMMITMENT_BOARD,
  commitmentBoard,
  commitmentDeadlines,
} from './commitment-board.projection.js';
import { CommitmentBoard } from './commitment-board.js';
import { CommitmentAmendingController } from './commitment-amending.controller.js';
import { CommitmentCommands } from './commitment-commands.js';
import { Decisions } from './commitment-decisions.js';
import { CommitmentDeliveriesController } from './commitment-deliveries.controller.js';
import { CommitmentDocumentsController } from './commitment-documents.controller.js';
import { CommitmentMoneyController } from './commitment-money.controller.js';
import { CommitmentSuggestionsController } from './commitment-suggestions.controller.js';
import { CommitmentTermsController } from './commitment-terms.controller.js';
import { CommitmentOutcomes } from './commitment-outcomes.js';
import { commitmentProgress } from './commitment-progress.process.js';
import { CommitmentProposals } from './commitment-proposals.js';
import { Proposing } from './commitment-proposing.js';
import { CommitmentRecords } from './commitment-records.js';
import { ProposalFigures, TotalsReader } from './commitment.contract.js';
import { commitmentDecider } from './commitment.js';
import { CommitmentsController } from './commitments.controller.js';
import { TotalsController } from './totals.controller.js';
import { BoardTotalsReader, Totals } from './totals.js';

/** Global, because needs read the figures of proposals, and auditors totals, through ports of the contract. */
@Global()
@Module({
  providers: [
    Agencies,
    CommitmentBoard,
    CommitmentCommands,
    CommitmentOutcomes,
    CommitmentProposals,
    CommitmentRecords,
    Decisions,
    Proposing,
    Totals,
    BoardTotalsReader,
    { provide: TotalsReader, useExisting: BoardTotalsReader },
    {
      provide: ProposalFigures,
      useFactory: (runner: ProjectionRunner) =>
        new BoardProposalFigures((): ReadQueries => runner.model(COMMITMENT_BOARD)),
      inject: [ProjectionRunner],
    },
  ],
  exports: [CommitmentRecords, ProposalFigures, TotalsReader],
})
class CommitmentsModule implements OnModuleInit {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly records: CommitmentRecords,
  ) {}

  onModuleInit(): void {
    this.kinds.add(this.records);
  }
}

export const commitmentsContext: Context = {
  name: 'commitments',
  module: CommitmentsModule,
  controllers: [
    CommitmentsController,
    CommitmentAmendingController,
    CommitmentDeliveriesController,
    CommitmentDocumentsController,
    CommitmentMoneyController,
    CommitmentSuggestionsController,
    CommitmentTermsController,
    TotalsController,
  ],
  history: [
    historyController('CommitmentsController', {
      path: 'v1/commitments',
      tag: 'commitments',
      action: 'commitment.history',
      records: CommitmentRecords,
      idOf: uuidOf,
    }),
    replayController('CommitmentsController', {
      path: 'v1/commitments',
      tag: 'commitments',
      action: 'commitment.replay',
      records: CommitmentRecords,
      idOf: uuidOf,
    }),
  ],
  streams: { [commitmentDecider.category]: commitmentDecider.schemas },
  reads: {
    proposals: [COMMITMENT_BOARD],
    totals: [COMMITMENT_BOARD, 'commitments.sight', 'funds.history'],
    sight: ['needs.sight', 'needs.facts', 'offers.sight'],
    history: ['commitments.sight'],
    routes: [COMMITMENT_BOARD, 'commitments.sight', 'matching.suggestions'],
    work: [COMMITMENT_BOARD],
  },
  projections: () => [commitmentBoard],
  processes: (deps) => [commitmentProgress(new BoardOpenProposals(() => deps.reads(COMMITMENT_BOARD)))],
  deadlines: (deps) => [commitmentDeadlines(() => deps.reads(COMMITMENT_BOARD))],
};
