import { hash } from 'node:crypto';
import { canonicalJson } from '#kernel';
import type { CanonicalPart, StageClaim } from './certificate.js';
import { LINEAR_GAP, SHARE_DIGITS, VALUE_DIGITS, WHOLE_GAP } from './certificate.js';

export const VALUE_UNIT = 10n ** BigInt(VALUE_DIGITS);
export const SHARE_UNIT = 10n ** BigInt(SHARE_DIGITS);
/** weight × score is in millionths of millionths. */
const MICRO_SQUARED = 10n ** 12n;
/** What the second stage of max-min gives up of the share reached in the first: one millionth, in units of `SHARE_DIGITS`. */
export const SHARE_SLACK = 1_000_000n;
/** Of a line of at most so many units not one is given up: a millionth of it is less than a hundredth of a unit. */
const FEW_UNITS = 10_000n;
/** Shares nearer than a thousand-millionth are alike. */
const SHARE_RESOLUTION = 10n ** 9n;
/** What the share may lie below the true one by its arithmetic, in units of `SHARE_DIGITS`. */
const SHARE_NOISE = 100n;

/**
 * maximise Σ cost × value, 0 ≤ value ≤ upper, each row at most or at least its bound. All integers: nothing of it is rounded, so that
 * whoever reckons it again gets the same numbers.
 */
export interface LinearModel {
  readonly costs: readonly bigint[];
  readonly uppers: readonly bigint[];
  readonly rows: readonly Row[];
  /** Pairs come first among the columns. */
  readonly arcs: number;
  /** Of each pair the column that says whether it is chosen, or −1 where the pair is free. */
  readonly choices: readonly number[];
  /** Of each pair the least it carries once chosen. */
  readonly lots: readonly bigint[];
  /** Of each pair the most that the rows let it carry. No column is bounded by it, or prices of offers would fall to those bounds. */
  readonly caps: readonly bigint[];
}

export type RowKind = 'need' | 'least-share' | 'offer' | 'budget' | 'floor' | 'choice' | 'lot' | 'single-source';

export interface Row {
  readonly kind: RowKind;
  /** Place of the need, offer, budget, floor or pair it is of. */
  readonly of: number;
  readonly sense: 'at-most' | 'at-least';
  readonly bound: bigint;
  readonly columns: readonly number[];
  /** All 1 where absent. */
  readonly coefficients?: readonly bigint[];
}

/** What a whole unit of share demands of a line: minor units, rounded down. `leastShare` in units of `SHARE_DIGITS`. */
export const demandOf = (outstanding: bigint, leastShare: bigint): bigint => {
  const share = outstanding <= FEW_UNITS && leastShare > 0n ? leastShare + SHARE_SLACK + SHARE_NOISE : leastShare;
  const demand = (outstanding * share) / SHARE_UNIT;
  return demand < outstanding ? demand : outstanding;
};

/** The linear model of one stage of a part. */
export const modelOf = (
  part: CanonicalPart,
  { stage, leastShare }: Pick<StageClaim, 'stage' | 'leastShare'>,
): LinearModel => {
  const { need: needOf, offer: offerOf, score } = part.arcs;
  const count = needOf.length;
  const outstanding = part.needs.map((need) => BigInt(need.outstanding));
  const available = part.offers.map((offer) => (offer.available === 'unlimited' ? undefined : BigInt(offer.available)));
  const smallest = part.offers.map((offer) => BigInt(offer.minimumLot));
  const ofNeed = grouped(needOf, part.needs.length);
  const ofOffer = grouped(offerOf, part.offers.length);
  const caps = capsOf(part, outstanding, available);
  const uppers = needOf.map((need) => at(outstanding, need));
  const valued = stage === 'value';
  const share = BigInt(leastShare);
  const choices: number[] = new Array<number>(count).fill(-1);
  const lots: bigint[] = new Array<bigint>(count).fill(0n);
  const costs: bigint[] = new Array<bigint>(count).fill(0n);
  let columns = count;
  if (valued) {
    const weights = part.needs.map(({ weight }) => BigInt(weight) * (VALUE_UNIT / MICRO_SQUARED));
    for (let arc = 0; arc < count; arc += 1) {
      const place = at(needOf, arc);
      const need = at(part.needs, place);
      costs[arc] = (at(weights, place) * BigInt(at(score, arc))) / at(outstanding, place);
      const lot = at(smallest, at(offerOf, arc));
      lots[arc] = lot;
      if (lot > 0n || need.singleSource) {
        choices[arc] = columns;
        columns += 1;
        costs.push(0n);
        uppers.push(1n);
      }
    }
  } else {
    costs.push(VALUE_UNIT);
    uppers.push(1n);
  }

  const rows: Row[] = [];
  part.needs.forEach((_need, of) => {
    rows.push({ kind: 'need', of, sense: 'at-most', bound: at(outstanding, of), columns: at(ofNeed, of) });
  });
  part.needs.forEach((_need, of) => {
    const arcs = at(ofNeed, of);
    if (!valued) {
      const coefficients = [...arcs.map(() => 1n), -at(outstanding, of)];
      rows.push({ kind: 'least-share', of, sense: 'at-least', bound: 0n, columns: [...arcs, count], coefficients });
    } else if (share > 0n) {
      const bound = demandOf(at(outstanding, of), share);
      if (bound > 0n) rows.push({ kind: 'least-share', of, sense: 'at-least', bound, columns: arcs });
    }
  });
  available.forEach((bound, of) => {
    if (bound !== undefined) rows.push({ kind: 'offer', of, sense: 'at-most', bound, columns: at(ofOffer, of) });
  });
  part.budgets.forEach(({ side, quantity, members }, of) => {
    const columns = joined(members, side === 'offer' ? ofOffer : ofNeed);
    rows.push({ kind: 'budget', of, sense: 'at-most', bound: BigInt(quantity), columns });
  });
  part.floors.forEach(({ quantity, members }, of) => {
    rows.push({ kind: 'floor', of, sense: 'at-least', bound: BigInt(quantity), columns: joined(members, ofNeed) });
  });
  for (let arc = 0; arc < count && columns > count && valued; arc += 1) {
    const choice = at(choices, arc);
    if (choice < 0) continue;
    const pair = [arc, choice];
    const most = [1n, -at(caps, arc)];
    rows.push({ kind: 'choice', of: arc, sense: 'at-most', bound: 0n, columns: pair, coefficients: most });
    const lot = at(lots, arc);
    if (lot > 0n) {
      const least = [1n, -lot];
      rows.push({ kind: 'lot', of: arc, sense: 'at-least', bound: 0n, columns: pair, coefficients: least });
    }
  }
  if (valued) {
    part.needs.forEach(({ singleSource }, of) => {
      if (!singleSource) return;
      const chosen = at(ofNeed, of).map((arc) => at(choices, arc));
      rows.push({ kind: 'single-source', of, sense: 'at-most', bound: 1n, columns: chosen });
    });
  }
  return { costs, uppers, rows, arcs: count, choices, lots, caps };
};

/** The most that each pair could carry: no more than is asked, is left, and fits each budget. */
const capsOf = (
  part: CanonicalPart,
  outstanding: readonly bigint[],
  available: readonly (bigint | undefined)[],
): bigint[] => {
  const ofNeeds = [...outstanding];
  const ofOffers = [...available];
  for (const { side, quantity, members } of part.budgets) {
    const bound = BigInt(quantity);
    for (const member of members) {
      if (side === 'need') ofNeeds[member] = least(ofNeeds[member], bound);
      else ofOffers[member] = least(ofOffers[member], bound);
    }
  }
  return part.arcs.need.map((need, arc) => least(ofOffers[at(part.arcs.offer, arc)], at(ofNeeds, need)));
};

const least = (a: bigint | undefined, b: bigint): bigint => (a !== undefined && a < b ? a : b);

const grouped = (places: readonly number[], groups: number): readonly (readonly number[])[] => {
  const members: number[][] = Array.from({ length: groups }, () => []);
  places.forEach((place, arc) => {
    members[place]?.push(arc);
  });
  return members;
};

const joined = (members: readonly number[], groups: readonly (readonly number[])[]): number[] =>
  members.flatMap((member) => at(groups, member)).sort((a, b) => a - b);

/** The element at a place known to be there. @throws RangeError where it is not */
export const at = <T>(list: readonly T[], place: number): T => {
  const found = list[place];
  if (found === undefined) throw new RangeError(`there is no place ${place} in a list of ${list.length}`);
  return found;
};

/** Canonical JSON of ASCII characters alone, so that characters are bytes wherever the text is cut. */
export const canonicalText = (value: unknown): string => {
  const text = canonicalJson(value);
  return BEYOND_ASCII.test(text) ? escaped(text) : text;
};

const BEYOND_ASCII = /[\u007f-\uffff]/;

const escaped = (text: string): string =>
  text.replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** SHA-256 of a text, hexadecimal. */
export const sha256Of = (text: string): string => hash('sha256', text, 'hex');

/** What a list of duals proves of a model, all in units of value: reduced costs and the bound that no solution passes. */
export interface DualProof {
  readonly reducedCosts: readonly bigint[];
  readonly bound: bigint;
}

/** Weak duality, exactly: for duals ≥ 0, Σ bound × dual over the rows + Σ upper × max(0, reduced cost) is at least every objective. */
export const proofOf = (model: LinearModel, duals: readonly bigint[]): DualProof => {
  const reducedCosts = [...model.costs];
  let bound = 0n;
  model.rows.forEach((row, place) => {
    const dual = at(duals, place);
    if (dual === 0n) return;
    const signed = row.sense === 'at-most' ? dual : -dual;
    bound += row.bound * signed;
    row.columns.forEach((column, term) => {
      const coefficient = row.coefficients === undefined ? 1n : at(row.coefficients, term);
      reducedCosts[column] = at(reducedCosts, column) - coefficient * signed;
    });
  });
  reducedCosts.forEach((cost, column) => {
    if (cost > 0n) bound += at(model.uppers, column) * cost;
  });
  return { reducedCosts, bound };
};

/**
 * The gap that a stage may leave: a millionth of its bound (of a share also what the digits of shares cannot tell apart); a thousandth of
 * it where choices are whole.
 */
export const gapLimitOf = (stage: StageClaim['stage'], bound: bigint, of: 'linear' | 'whole'): bigint =>
  bound / (of === 'linear' ? LINEAR_GAP : WHOLE_GAP) + (stage === 'share' ? VALUE_UNIT / SHARE_RESOLUTION : 0n);

/** Σ cost × value ÷ denominator, or undefined where that is no whole number. */
export const objectiveOf = (model: LinearModel, values: readonly bigint[], denominator: bigint): bigint | undefined => {
  let sum = 0n;
  model.costs.forEach((cost, column) => {
    if (cost !== 0n) sum += cost * at(values, column);
  });
  return sum % denominator === 0n ? sum / denominator : undefined;
};

/** Σ coefficient × value of a row. */
export const activityOf = (row: Row, values: readonly bigint[]): bigint => {
  let sum = 0n;
  row.columns.forEach((column, term) => {
    const value = at(values, column);
    sum += row.coefficients === undefined ? value : at(row.coefficients, term) * value;
  });
  return sum;
};
