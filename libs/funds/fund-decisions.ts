import { setTimeout } from 'node:timers/promises';
import { Transactor } from '#kernel';
import type { Quantity } from '#vocabulary';
import { Injectable } from '@nestjs/common';
import { FundDecisions } from './fund.contract.js';
import { decidedFor, fundDecider } from './fund.js';

/** How long a signature may take to show in the book before the next one is judged without it. */
const DRAWN_WITHIN_MS = 2_000;
const EVERY_MS = 5;

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

  override async untilDrawn(fund: string, commitment: string): Promise<void> {
    for (let tries = 0; tries < DRAWN_WITHIN_MS / EVERY_MS; tries += 1) {
      const { book } = (await this.transactor.load(fundDecider, fund)).state;
      if (book === undefined || book.draws[commitment] !== undefined) return;
      await setTimeout(EVERY_MS, undefined, { ref: false });
    }
  }
}
