import { Module, type OnModuleInit } from '@nestjs/common';
import type { Context } from '#web';
import { historyController, RecordKinds } from '#web';
import { HOLDER_LEDGER, holderLedger } from './ledger/holder-ledger.projection.js';
import { ratesDecider } from './rates/published-rates.js';
import { RateRecords } from './rates/rate-records.js';
import { RATES_REGISTER, ratesRegister } from './rates/rates-register.projection.js';
import { RatesController, ratesRecordIdOf } from './rates/rates.controller.js';
import { StatementsController } from './statements/statements.controller.js';

@Module({ providers: [RateRecords] })
class AccountsModule implements OnModuleInit {
  constructor(
    private readonly kinds: RecordKinds,
    private readonly records: RateRecords,
  ) {}

  onModuleInit(): void {
    this.kinds.add(this.records);
  }
}

/** Rates, and the accounts of everyone who holds money: reads commitments' and funds' events, writes rates alone. */
export const accountsContext: Context = {
  name: 'accounts',
  module: AccountsModule,
  controllers: [RatesController, StatementsController],
  history: [
    historyController('RatesController', {
      path: 'v1/rates',
      tag: 'rates',
      action: 'rates.history',
      records: RateRecords,
      idOf: ratesRecordIdOf,
    }),
  ],
  streams: { [ratesDecider.category]: ratesDecider.schemas },
  reads: { history: [], routes: [RATES_REGISTER, HOLDER_LEDGER, 'commitments.sight'] },
  projections: () => [ratesRegister, holderLedger],
};
