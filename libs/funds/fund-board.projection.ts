import type { Projection } from '#kernel';
import { boardOf } from '#kernel';
import { fundDecider } from './fund.js';

export const FUND_BOARD = 'fund-board';

/** Which funds keep a book here, and who keeps and steers each. */
export const fundBoard: Projection = boardOf({
  name: FUND_BOARD,
  version: 1,
  decider: fundDecider,
  columns: {
    administrator: ({ book }) => book?.terms.administrator ?? null,
    members: ({ book }) => JSON.stringify(book?.terms.decidingBody.members ?? []),
    currency: ({ book }) => book?.terms.currency ?? null,
  },
});
