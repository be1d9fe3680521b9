import { createHash } from 'node:crypto';
import type { Match } from '../matches.js';
import type { Component } from '../rules/sides.js';

export const CHANGES = ['appeared', 'improved', 'worsened', 'vanished'] as const;
export type Change = (typeof CHANGES)[number];

/** A match as it is told of; parts of the score by their names. */
export interface ToldMatch {
  readonly needId: string;
  readonly offerId: string;
  readonly score: number;
  readonly parts: Readonly<Record<string, Pick<Component, 'weight' | 'value'>>>;
}

/** Matches by their key. */
export type MatchSet = ReadonlyMap<string, ToldMatch>;

/** What became of one match between two sets. */
export interface Step {
  readonly key: string;
  readonly change: Change;
  readonly before: ToldMatch | undefined;
  readonly after: ToldMatch | undefined;
}

/** Steps are in the order of these. */
export const keyOf = (needId: string, offerId: string): string => `${needId} ${offerId}`;

export const toldMatch = (needId: string, offerId: string, { score, components }: Match): ToldMatch => ({
  needId,
  offerId,
  score,
  parts: Object.fromEntries(components.map(({ name, weight, value }) => [name, { weight, value }])),
});

/** What leads from one set to the other, of the matches behind `after` (all where it is empty), in their order. */
export const stepsBetween = (told: MatchSet, now: MatchSet, after: string): readonly Step[] =>
  [...new Set([...told.keys(), ...now.keys()])]
    .filter((key) => key > after)
    .sort()
    .flatMap((key) => {
      const step = { key, before: told.get(key), after: now.get(key) };
      const change = changeOf(step);
      return change === undefined ? [] : [{ ...step, change }];
    });

const changeOf = ({ before, after }: Pick<Step, 'before' | 'after'>): Change | undefined => {
  if (before === undefined) return 'appeared';
  if (after === undefined) return 'vanished';
  if (after.score === before.score) return undefined;
  return after.score > before.score ? 'improved' : 'worsened';
};

/** The set after these steps. */
export const stepped = (told: MatchSet, steps: readonly Step[]): MatchSet => {
  const set = new Map(told);
  for (const { key, after } of steps) {
    if (after === undefined) set.delete(key);
    else set.set(key, after);
  }
  return set;
};

/** Of the one set what comes up to the key, of the other what comes behind it. */
export const joinedAt = (key: string, upTo: MatchSet, behind: MatchSet): MatchSet =>
  new Map([...[...upTo].filter(([each]) => each <= key), ...[...behind].filter(([each]) => each > key)]);

/** Alike for sets of the same matches with the same scores, and for no others. */
export const digestOf = (set: MatchSet): string => {
  const hash = createHash('sha256');
  for (const key of [...set.keys()].sort()) hash.update(`${key} ${set.get(key)?.score}\n`);
  return hash.digest('base64url');
};
