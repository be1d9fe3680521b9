import { Module } from '@nestjs/common';
import type { Context } from '#web';
import { AuditChecks } from './audit-checks.js';
import { CHECK_FACTS, checkFacts } from './check-facts.projection.js';
import { ChecksController } from './checks.controller.js';

@Module({ providers: [AuditChecks] })
class ChecksModule {}

/** The checks an auditor runs: reads other contexts' events, writes none. */
export const checksContext: Context = {
  name: 'checks',
  module: ChecksModule,
  controllers: [ChecksController],
  streams: {},
  reads: { routes: [CHECK_FACTS, 'commitments.sight', 'needs.sight', 'offers.sight'] },
  projections: () => [checkFacts],
};
