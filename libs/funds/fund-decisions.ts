import { Transactor } from '#kernel';
import type { Quantity } from '#vocabulary';
import { Injectable } from '@nestjs/common';
import { FundDecisions } from './fund.contract.js';
import { decidedFor, fundDecider } from './fund.js';

/** Answers from the fund's own stream: never behind. */
@Injectable()
export class StreamFundDecisions extends FundDecisions {
  constructor(private readonly transactor: Transactor) {
    super();
  }

  override async keepsBook(party: string): Promise<boolean> {
    return party.startsWith('fund:') && (await this.transactor.load(fundDecider, party)).state.book !== undefined;
  }

  override async decidedFor(fund: string, needId: string, commitment: string): Promise<Quantity | undefined> {
    const { book } = (await this.transactor.load(fundDecider, fund)).state;
    return book === undefined ? undefined : decidedFor(book, needId, commitment);
  }
}
