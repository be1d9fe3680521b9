import { messageOf } from '#kernel';
import { shareFault } from '#vocabulary';
import { MICRO } from './certificate.js';
import type { Budget, Floor, Problem } from './problem.js';
import { GREATEST_FIGURE, GREATEST_WEIGHT } from './problem.js';
import { minorPerUnit } from './words.js';

/** The first thing wrong with a problem, naming the line or field; undefined where it can be solved. */
export const problemFault = (problem: Problem): string | undefined => {
  const { needs, offers, arcs, budgets, floors, objective, seed, limits } = problem;
  const measures = new Map<string, string | undefined>();
  const measureFault = (measure: string): string | undefined => {
    if (!measures.has(measure)) measures.set(measure, faultOfMeasure(measure));
    return measures.get(measure);
  };
  // Callers in plain JavaScript, and JSON, hold texts that no type keeps out.
  if (!(['max-value', 'max-min'] as readonly string[]).includes(objective))
    return 'objective must be max-value or max-min';
  if (!isWhole(seed, 2 ** 31 - 1)) return 'seed must be a whole number from 0 to 2147483647';
  for (const name of ['nodes', 'iterations'] as const) {
    const limit = limits?.[name];
    if (limit !== undefined && (!isWhole(limit, 2 ** 31 - 1) || limit === 0)) {
      return `limits.${name} must be a whole number from 1 to 2147483647`;
    }
  }
  const seen = new Set<string>();
  for (const need of needs) {
    const name = needName(need);
    if (seen.has(name)) return `${name} stands in the problem twice`;
    seen.add(name);
    const fault =
      measureFault(need.measure) ??
      figureFault('outstanding', need.outstanding) ??
      (Number.isFinite(need.weight) && Math.round(need.weight * MICRO) >= 1 && need.weight <= GREATEST_WEIGHT
        ? undefined
        : `weight must be a number from 0.000001 to ${GREATEST_WEIGHT}, it is ${need.weight}`);
    if (fault !== undefined) return `${name}: ${fault}`;
  }
  for (const offer of offers) {
    const name = offerName(offer);
    if (seen.has(name)) return `${name} stands in the problem twice`;
    seen.add(name);
    const fault =
      measureFault(offer.measure) ??
      (offer.available === 'unlimited' ? undefined : figureFault('available', offer.available)) ??
      (offer.minimumLot === undefined ? undefined : figureFault('minimumLot', offer.minimumLot));
    if (fault !== undefined) return `${name}: ${fault}`;
  }
  const pairs = new Set<number>();
  for (const { need, offer, score } of arcs) {
    const needLine = needs[need];
    const offerLine = offers[offer];
    if (needLine === undefined || offerLine === undefined)
      return `a pair names need ${need} and offer ${offer}: there is no such place`;
    const key = need * offers.length + offer;
    const fault =
      needLine.measure === offerLine.measure
        ? Number.isFinite(score) && score >= 0 && score <= 1
          ? pairs.has(key)
            ? ' stands in the problem twice'
            : undefined
          : `: score must be a number from 0 to 1, it is ${score}`
        : ` joins ${needLine.measure} and ${offerLine.measure}: unlike measures are never exchanged`;
    if (fault !== undefined) return `the pair of ${needName(needLine)} and ${offerName(offerLine)}${fault}`;
    pairs.add(key);
  }
  for (const budget of budgets) {
    const fault = measureFault(budget.measure) ?? figureFault('quantity', budget.quantity);
    if (fault !== undefined) return `${budgetName(budget)}: ${fault}`;
  }
  for (const floor of floors) {
    const fault = shareFault(floor.share);
    if (fault !== undefined) return `${floorName(floor)}: share ${fault}`;
  }
  return undefined;
};

export const needName = ({ needId, line }: { readonly needId: string; readonly line: number }): string =>
  `need ${needId} line ${line}`;
export const offerName = ({ offerId, line }: { readonly offerId: string; readonly line: number }): string =>
  `offer ${offerId} line ${line}`;
export const budgetName = (budget: Budget): string => `the budget of ${budgetOf(budget)}`;
export const budgetOf = (budget: Budget): string => ('donor' in budget ? budget.donor : budget.kind);
export const floorName = (floor: Floor): string => `the floor for ${floorOf(floor)}`;
export const floorOf = (floor: Floor): string => ('state' in floor ? floor.state : floor.region);

const figureFault = (field: string, figure: bigint): string | undefined => {
  if (typeof figure !== 'bigint') return `${field} must be a bigint of minor units`;
  if (figure < 0n) return `${field} must not be below 0, it is ${figure}`;
  return figure <= GREATEST_FIGURE
    ? undefined
    : `${field} must be at most ${GREATEST_FIGURE} minor units, it is ${figure}`;
};

const faultOfMeasure = (measure: string): string | undefined => {
  try {
    minorPerUnit(measure);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
};

const isWhole = (value: number, most: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= most;
