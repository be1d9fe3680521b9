import { Clock } from '#kernel';
import { firstInstant } from '#vocabulary';
import type { HttpAnswer, RequestContext } from '#web';
import { invalid, RecordEndpoints } from '#web';
import { Injectable } from '@nestjs/common';
import { asked } from './commitment-commands.js';
import { CommitmentOutcomes } from './commitment-outcomes.js';
import type { Proposal } from './commitment-proposing.js';
import { Proposing } from './commitment-proposing.js';
import { CommitmentRecords } from './commitment-records.js';
import { termsOf } from './commitment-terms.dto.js';
import type { ProposalDto } from './commitment.dto.js';
import { COMMITMENT_ACCESS } from './commitment.view.js';

/** The lines that a proposal binds. */
export type ProposedLines = Pick<Proposal, 'offerId' | 'needId' | 'legs'>;

/** How the controllers propose commitments: the same checks, wherever the lines come from. */
@Injectable()
export class CommitmentProposals {
  constructor(
    private readonly endpoints: RecordEndpoints,
    private readonly records: CommitmentRecords,
    private readonly proposing: Proposing,
    private readonly outcomes: CommitmentOutcomes,
    private readonly clock: Clock,
  ) {}

  /**
   * @param lines asked for after the checks of role and idempotency; may throw problems
   * @param id of the commitment, where it follows from what is proposed; chosen otherwise
   */
  send(
    ctx: RequestContext,
    body: ProposalDto,
    lines: () => Promise<ProposedLines> | ProposedLines,
    id?: string,
  ): Promise<HttpAnswer> {
    const expiresAt = body.expiresAt === undefined ? undefined : firstInstant(body.expiresAt);
    if (expiresAt !== undefined && expiresAt <= this.clock.now().toISOString()) {
      throw invalid([{ field: 'expiresAt', message: 'must lie in the future' }]);
    }
    const { implementer, fiscalAgent, partOf, signatories } = body;
    const terms = body.terms === undefined ? undefined : termsOf(body.terms);
    return this.endpoints.create(ctx, this.records, {
      access: COMMITMENT_ACCESS.ProposeCommitment,
      ...(id === undefined ? {} : { id }),
      prepare: async () => {
        const { offerId, needId, legs } = await lines();
        const named = agencies(implementer, fiscalAgent);
        const facts = await this.proposing.factsOf(ctx.caller, { offerId, needId, legs, ...named });
        return asked({
          type: 'ProposeCommitment',
          facts,
          legs,
          ...named,
          ...(signatories === undefined ? {} : { signatories }),
          ...(partOf === undefined ? {} : { partOf }),
          ...(expiresAt === undefined ? {} : { expiresAt }),
          ...(terms === undefined ? {} : { terms }),
        });
      },
      settle: (commitment, waitMs, since) => this.outcomes.hold(commitment, waitMs, since),
    });
  }
}

const agencies = (
  implementer: string | undefined,
  fiscalAgent: string | undefined,
): { readonly implementer?: string; readonly fiscalAgent?: string } => ({
  ...(implementer === undefined ? {} : { implementer }),
  ...(fiscalAgent === undefined ? {} : { fiscalAgent }),
});
