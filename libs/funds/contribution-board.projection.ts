import type { Projection } from '#kernel';
import { boardOf } from '#kernel';
import { contributionDecider, statusOf } from './contribution.js';

export const CONTRIBUTION_BOARD = 'contribution-board';

/** What donors gave to which fund, and how far it came. */
export const contributionBoard: Projection = boardOf({
  name: CONTRIBUTION_BOARD,
  version: 1,
  decider: contributionDecider,
  columns: {
    fund: ({ contribution }) => contribution?.pledge.fund ?? null,
    donor: ({ contribution }) => contribution?.pledge.donor ?? null,
    visibility: ({ contribution }) => contribution?.pledge.visibility ?? null,
    status: ({ contribution }) => (contribution === undefined ? null : statusOf(contribution)),
    day: ({ contribution }) => contribution?.pledge.date ?? null,
  },
});
