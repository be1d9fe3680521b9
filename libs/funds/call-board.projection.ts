import type { Projection } from '#kernel';
import { boardOf } from '#kernel';
import { callDecider } from './call.js';

export const CALL_BOARD = 'call-board';

/** Which calls there are, of which fund, open on which days. */
export const callBoard: Projection = boardOf({
  name: CALL_BOARD,
  version: 1,
  decider: callDecider,
  columns: {
    fund: ({ call }) => call?.content.fund ?? null,
    // A call has no donor; the column lets one rule of sight serve both boards.
    donor: ({ call }) => call?.content.fund ?? null,
    visibility: ({ call }) => call?.content.visibility ?? null,
    closed: ({ call }) => (call?.closed === true ? '1' : '0'),
    opens: ({ call }) => call?.content.opens ?? null,
    closes: ({ call }) => call?.content.closes ?? null,
  },
});
