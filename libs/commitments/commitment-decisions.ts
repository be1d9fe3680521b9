import { FundDecisions } from '#funds/contract';
import { Injectable, Optional } from '@nestjs/common';
import type { FundDecision } from './commitment-money.js';

/** Asks funds that keep their books what they decided. */
@Injectable()
export class Decisions {
  /** Per fund, the end of the signature that is being given. */
  private readonly turns = new Map<string, Promise<void>>();

  constructor(@Optional() private readonly funds?: FundDecisions) {}

  /**
   * One signature of a fund at a time: the next is judged when the book shows what the last one drew, so that two given at once do not
   * stand on the same decided money. Everybody else waits for nobody.
   */
  async inTurn<T>(party: string, commitment: string, sign: () => Promise<T>): Promise<T> {
    const { funds } = this;
    if (funds === undefined || !party.startsWith('fund:') || !(await funds.keepsBook(party))) return sign();
    const signed = (this.turns.get(party) ?? Promise.resolve()).then(sign);
    const turn = signed.then(() => funds.untilDrawn(party, commitment)).catch(() => undefined);
    this.turns.set(party, turn);
    void turn.then(() => {
      if (this.turns.get(party) === turn) this.turns.delete(party);
    });
    return signed;
  }

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
