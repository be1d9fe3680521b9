import { Transactor } from '#kernel';
import { compare, formatQuantity, sameMeasure } from '#vocabulary';
import type { HttpAnswer, RequestContext } from '#web';
import { Ctx, notFound, Problem, RouteAction, uuidOf } from '#web';
import { Body, Controller, Optional, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { optional } from './commitment-commands.js';
import type { ProposedLines } from './commitment-proposals.js';
import { CommitmentProposals } from './commitment-proposals.js';
import { SuggestedPairs, suggestedCommitmentId } from './commitment.contract.js';
import { ProposeSuggestionDto } from './commitment.dto.js';
import { ANSWER_PROBLEMS, COMMITMENT_PROBLEMS, SUGGESTION_PROBLEMS } from './commitment.problems.js';
import { commitmentDecider } from './commitment.js';
import { COMMITMENT_ACCESS } from './commitment.view.js';

/** Suggestions are shown elsewhere; what becomes of one that is proposed is a commitment. */
@ApiTags('suggestions')
@Controller('v1/suggestions')
export class CommitmentSuggestionsController {
  constructor(
    private readonly proposals: CommitmentProposals,
    private readonly transactor: Transactor,
    @Optional() private readonly suggested?: SuggestedPairs,
  ) {}

  /** Proposes what was suggested: the commitment that `POST /v1/commitments` would make of it, by the same checks. */
  @Post(':id/propose')
  @RouteAction({
    ...COMMITMENT_ACCESS.ProposeCommitment,
    problems: { ...COMMITMENT_PROBLEMS, ...ANSWER_PROBLEMS, ...SUGGESTION_PROBLEMS },
    status: 201,
    says:
      'Answers the commitment, with its `Location`. A suggestion is proposed once, whoever of several providers does: afterwards it is 409 ' +
      '`suggestion-proposed`, with the commitment as `Location`. It has no revision, so that no If-Match is asked.',
  })
  propose(
    @Ctx() ctx: RequestContext,
    @Param('id') given: string,
    @Body() body: ProposeSuggestionDto,
  ): Promise<HttpAnswer> {
    const id = uuidOf(given);
    const commitment = suggestedCommitmentId(id);
    return this.proposals.send(ctx, body, () => this.linesOf(ctx, id, commitment, body), commitment);
  }

  private async linesOf(
    { caller }: RequestContext,
    id: string,
    commitment: string,
    body: ProposeSuggestionDto,
  ): Promise<ProposedLines> {
    const pair = await this.suggested?.find(caller, id);
    if (pair === undefined) throw notFound();
    const { state } = await this.transactor.load(commitmentDecider, commitment);
    if (state.status !== undefined) {
      throw Problem.of(
        'suggestion-proposed',
        'It was proposed already: read the commitment, or propose another one at /v1/commitments.',
        { headers: { location: `/v1/commitments/${commitment}` } },
      );
    }
    const { needId, needLine, offerId, offerLine, quantity } = pair;
    const drawn = optional(body.quantity) ?? quantity;
    if (!sameMeasure(drawn, quantity) || compare(drawn, quantity) > 0) {
      const message = `must be ${formatQuantity(quantity)} or less, as is suggested: propose anything else at /v1/commitments`;
      throw Problem.of('over-suggestion', `quantity ${message}.`, { errors: [{ field: 'quantity', message }] });
    }
    return { needId, offerId, legs: [{ offerLine, needLine, drawn }] };
  }
}
