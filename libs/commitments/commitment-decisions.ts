import { FundDecisions } from '#funds/contract';
import { Injectable, Optional } from '@nestjs/common';
import type { FundDecision } from './commitment-money.js';

/** Asks funds that keep their books what they decided. */
@Injectable()
export class Decisions {
  constructor(@Optional() private readonly funds?: FundDecisions) {}

  /**
   * A fund that keeps its book signs, and agrees to more, under a decision for this need; one without a book, and everybody else, as they are.
   * @param commitment id of the commitment: what it drew already counts as left for it
   */
  async of(party: string, needId: string, commitment: string): Promise<{ readonly decision?: FundDecision }> {
    if (this.funds === undefined || !party.startsWith('fund:') || !(await this.funds.keepsBook(party))) return {};
    const decided = await this.funds.decidedFor(party, needId, commitment);
    return { decision: decided === undefined ? {} : { decided } };
  }
}
