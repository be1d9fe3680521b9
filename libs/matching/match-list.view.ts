import type { BlockedPairing, Match, MatchList } from './matches.js';
import { RULESETS } from './rules/rulesets.js';

/** The list as API.md shows it: pairings name the other record by its kind of id. */
export const matchListView = (
  name: 'offerId' | 'needId',
  { items, blocked, opening, ruleset, asOf, on }: MatchList,
): object => ({
  items: items.map(({ id, ...match }: Match) => ({ [name]: id, ...match })),
  blocked: blocked.map(({ id, ...pairing }: BlockedPairing) => ({ [name]: id, ...blockedView(pairing) })),
  ...(opening === undefined ? {} : { opening }),
  ruleset,
  asOf,
  // The first versions answer what they always answered.
  ...(RULESETS[ruleset].weighted ? { on } : {}),
});

const blockedView = ({ blocks, unlock }: Omit<BlockedPairing, 'id'>): object =>
  unlock === undefined
    ? {
        reasons: blocks.map(({ code, because }) => ({ code, because })),
        unlock: blocks.map(({ code, change }) => ({ code, change })),
      }
    : {
        reasons: blocks.map(({ code, because, need, offer }) => ({ code, because, need, offer })),
        unlock: (unlock ?? []).map(({ side, code, change }) => ({ side, code, change })),
        // An empty list alone would read as if nothing were in the way.
        unlockable: unlock !== null,
      };
