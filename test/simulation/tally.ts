import type { Report } from './simulation.js';

/** A seed that found something. */
export interface Finding {
  readonly seed: number;
  readonly failure: string;
  readonly digest: string;
}

/** What many runs came to: plain data, so that workers can hand it over. */
export interface Tally {
  runs: number;
  steps: number;
  events: number;
  readonly reached: Map<string, number>;
  readonly findings: Finding[];
}

export const noRuns = (): Tally => ({ runs: 0, steps: 0, events: 0, reached: new Map(), findings: [] });

export const counted = (tally: Tally, { seed, failure, digest, steps, events, reached }: Report): void => {
  tally.runs += 1;
  tally.steps += steps;
  tally.events += events;
  addReached(tally, reached);
  if (failure !== undefined) tally.findings.push({ seed, failure, digest });
};

export const addTo = (sum: Tally, more: Tally): void => {
  sum.runs += more.runs;
  sum.steps += more.steps;
  sum.events += more.events;
  addReached(sum, more.reached);
  sum.findings.push(...more.findings);
};

const addReached = (tally: Tally, reached: ReadonlyMap<string, number>): void => {
  for (const [what, count] of reached) tally.reached.set(what, (tally.reached.get(what) ?? 0) + count);
};
