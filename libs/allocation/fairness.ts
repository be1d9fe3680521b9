import { at } from './canonical-model.js';
import type { EqualShare, Fairness, Pair, ServedGroup, ServedLine } from './outcome.js';
import type { NeedLine, Problem } from './problem.js';
import { decimalOf } from './words.js';

const LEAST_SERVED = 20;

/** Who got how much: `reached` are the need lines of parts that were solved. */
export const fairnessOf = (
  problem: Problem,
  pairs: readonly Pair[],
  reached: Iterable<number>,
  equalShares: readonly EqualShare[],
): Fairness => {
  const served = new Map<string, bigint>();
  for (const { needId, needLine, quantity } of pairs) {
    const key = keyOf(needId, needLine);
    served.set(key, (served.get(key) ?? 0n) + quantity);
  }
  const servedOf = ({ needId, line }: NeedLine): bigint => served.get(keyOf(needId, line)) ?? 0n;
  const lines = [...reached].map((need): ServedLine => {
    const line = at(problem.needs, need);
    const { needId, measure, outstanding } = line;
    const got = servedOf(line);
    return { needId, needLine: line.line, measure, outstanding, served: got, share: decimalOf(got, outstanding) };
  });
  return {
    equalShares: [...equalShares].sort((a, b) => Number(a.reached) - Number(b.reached) || a.part - b.part),
    leastServed: lines
      .sort((a, b) => byShare(a, b) || compare(a.needId, b.needId) || a.needLine - b.needLine)
      .slice(0, LEAST_SERVED),
    states: groupsOf(problem, servedOf, ({ states }) => states),
    regions: groupsOf(problem, servedOf, ({ regions }) => regions),
  };
};

const groupsOf = (
  problem: Problem,
  servedOf: (need: NeedLine) => bigint,
  codesOf: (need: NeedLine) => readonly string[],
): readonly ServedGroup[] => {
  const groups = new Map<
    string,
    { code: string; measure: string; lines: number; outstanding: bigint; served: bigint }
  >();
  for (const need of problem.needs) {
    if (need.outstanding === 0n) continue;
    for (const code of new Set(codesOf(need))) {
      const key = `${code} ${need.measure}`;
      const group = groups.get(key) ?? { code, measure: need.measure, lines: 0, outstanding: 0n, served: 0n };
      groups.set(key, group);
      group.lines += 1;
      group.outstanding += need.outstanding;
      group.served += servedOf(need);
    }
  }
  return [...groups.values()]
    .sort((a, b) => byShare(a, b) || compare(a.code, b.code) || compare(a.measure, b.measure))
    .map((group) => ({ ...group, share: decimalOf(group.served, group.outstanding) }));
};

interface Served {
  readonly outstanding: bigint;
  readonly served: bigint;
}

/** The least share first, exactly. */
const byShare = (a: Served, b: Served): number => {
  const [one, other] = [a.served * b.outstanding, b.served * a.outstanding];
  return one < other ? -1 : one > other ? 1 : 0;
};

const keyOf = (needId: string, line: number): string => `${needId} ${line}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
