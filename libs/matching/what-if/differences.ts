import type { Match, MatchList } from '../matches.js';

interface Scored {
  readonly id: string;
  readonly score: number;
}

interface Moved {
  readonly id: string;
  /** Its score before and after. */
  readonly from: number;
  readonly to: number;
}

/** What a change does to the matches of one record. */
export interface Differences {
  /** Matches that were none before, the best first. */
  readonly appeared: readonly Scored[];
  /** Matches whose score rose, by how much it did. */
  readonly improved: readonly Moved[];
  readonly worsened: readonly Moved[];
  /** Matches that are none any more, the best first. */
  readonly vanished: readonly Scored[];
}

/** Of whole lists; a record that there was not had none. */
export const differencesOf = (before: MatchList | undefined, after: MatchList): Differences => {
  const was = new Map((before?.items ?? []).map((match) => [match.id, match.score]));
  const is = new Map(after.items.map((match) => [match.id, match.score]));
  const moved = after.items.flatMap(({ id, score }): readonly Moved[] => {
    const from = was.get(id);
    return from === undefined || from === score ? [] : [{ id, from, to: score }];
  });
  const byChange = (a: Moved, b: Moved): number =>
    Math.abs(b.to - b.from) - Math.abs(a.to - a.from) || (a.id < b.id ? -1 : 1);
  return {
    appeared: after.items.filter(({ id }) => !was.has(id)).map(scored),
    improved: moved.filter(({ from, to }) => to > from).sort(byChange),
    worsened: moved.filter(({ from, to }) => to < from).sort(byChange),
    vanished: (before?.items ?? []).filter(({ id }) => !is.has(id)).map(scored),
  };
};

const scored = ({ id, score }: Match): Scored => ({ id, score });
