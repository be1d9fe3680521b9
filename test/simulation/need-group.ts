import type { NeedState } from '#needs';
import { hasLiveCommitments } from '#needs';

/** Whether a commitment on a need that was merged into one of these, through however many, is live: the survivor then does not fall dormant. */
export const isGroupLive = (
  absorbed: readonly string[],
  stateOf: (id: string) => NeedState | undefined,
  known = new Set<string>(),
): boolean =>
  absorbed.some((id) => {
    const state = stateOf(id);
    if (state === undefined || known.has(id)) return false;
    known.add(id);
    return hasLiveCommitments(state) || isGroupLive(state.absorbed, stateOf, known);
  });
