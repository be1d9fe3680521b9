import type { Quantity, Valuation } from '#vocabulary';
import { compare, isDeterminate, isRival, minorUnits, quantityOf, rateHolds, sameMeasure } from '#vocabulary';
import type { CommitmentRejection } from './commitment-state.js';
import { rejection } from './commitment-state.js';

/** A leg as asked for: `credited` left out where it equals `drawn`, or a scope in words where the need's line has no quantity yet. */
export interface ProposedLeg {
  readonly offerLine: number;
  readonly needLine: number;
  readonly drawn: Quantity;
  readonly credited?: Quantity;
  readonly scope?: string;
  readonly valuation?: Valuation;
}

/** The lines of offer and need that legs may bind. */
export interface LineFacts {
  readonly offer: {
    readonly lines: readonly {
      readonly line: number;
      readonly capacity: Quantity;
      /** The least that one commitment may draw, in the measure of the capacity. */
      readonly minimumLot?: string;
    }[];
  };
  readonly need: { readonly lines: readonly { readonly line: number; readonly quantity: Quantity }[] };
}

/** Checks legs against the lines they bind. Capacity and coverage are not looked at: those are the offer's and the need's answers. */
export const legFault = (legs: readonly ProposedLeg[], { offer, need }: LineFacts): CommitmentRejection | undefined => {
  for (const [index, leg] of legs.entries()) {
    const at = `legs[${index}]`;
    const offered = offer.lines.find(({ line }) => line === leg.offerLine);
    if (offered === undefined) {
      return rejection('unknown-line', `The offer has no line ${leg.offerLine}.`, `${at}.offerLine`);
    }
    const asked = need.lines.find(({ line }) => line === leg.needLine);
    if (asked === undefined) {
      return rejection('unknown-line', `The need has no line ${leg.needLine}.`, `${at}.needLine`);
    }
    if (!isRival(leg.drawn) || !sameMeasure(leg.drawn, offered.capacity)) {
      return rejection('measure-mismatch', 'What is drawn is in the measure of the offer’s line.', `${at}.drawn`);
    }
    const fault = isDeterminate(asked.quantity) ? creditFault(leg, asked.quantity, at) : scopeFault(leg, at);
    if (fault !== undefined) return fault;
  }
  return undefined;
};

/** A line without a quantity is credited with words until it is assessed. */
const scopeFault = ({ needLine, scope }: ProposedLeg, at: string): CommitmentRejection | undefined =>
  scope === undefined
    ? rejection(
        'undetermined-line',
        `Line ${needLine} of the need has no quantity yet: credit a scope in words, such as {"scope":"…"}.`,
        `${at}.needLine`,
      )
    : undefined;

const creditFault = (
  { needLine, drawn, scope, credited = drawn, valuation }: ProposedLeg,
  asked: Quantity,
  at: string,
): CommitmentRejection | undefined => {
  if (scope !== undefined) {
    return rejection(
      'measure-mismatch',
      `Line ${needLine} of the need has a quantity: credit in its measure, not a scope in words.`,
      `${at}.credited`,
    );
  }
  if (!isRival(credited) || !sameMeasure(credited, asked)) {
    return rejection('measure-mismatch', 'What is credited is in the measure of the need’s line.', `${at}.credited`);
  }
  return valuationFault(drawn, credited, valuation, at);
};

const valuationFault = (
  drawn: Quantity,
  credited: Quantity,
  valuation: Valuation | undefined,
  at: string,
): CommitmentRejection | undefined => {
  if (sameMeasure(drawn, credited)) {
    return compare(drawn, credited) === 0
      ? undefined
      : rejection('valuation-mismatch', 'In one measure as much is credited as is drawn.', `${at}.credited`);
  }
  if (valuation === undefined) {
    return rejection('valuation-required', 'Measures differ: say how one became the other.', `${at}.valuation`);
  }
  return 'rate' in valuation && !rateHolds(drawn, valuation.rate, credited)
    ? rejection('valuation-mismatch', 'drawn × rate is not what is credited.', `${at}.valuation.rate`)
    : undefined;
};

/**
 * Whether the legs together draw less of a line than its minimum lot. What draws more the offer decides again; it is never asked for less.
 * Legs without fault.
 * @param before legs as they are: what keeps to what it drew of a line is left alone, for the lot may have come later
 */
export const lotFault = (
  legs: readonly ProposedLeg[],
  { offer }: LineFacts,
  before: readonly Pick<ProposedLeg, 'offerLine' | 'drawn'>[] = [],
): CommitmentRejection | undefined => {
  const drawnOf = (of: typeof before, line: number): bigint =>
    of.filter(({ offerLine }) => offerLine === line).reduce((sum, { drawn }) => sum + minorUnits(drawn), 0n);
  for (const [index, { offerLine }] of legs.entries()) {
    const line = offer.lines.find((known) => known.line === offerLine);
    if (line?.minimumLot === undefined || !isDeterminate(line.capacity)) continue;
    const lot: Quantity = { ...line.capacity, amount: line.minimumLot };
    const drawn = drawnOf(legs, offerLine);
    if (drawn < minorUnits(lot) && drawn !== drawnOf(before, offerLine)) {
      return rejection(
        'below-minimum-lot',
        `Line ${offerLine} of the offer is drawn from ${quantityOf(lot, minorUnits(lot)).amount} on.`,
        `legs[${index}].drawn`,
      );
    }
  }
  return undefined;
};

/** What a leg credits, as events hold it. Legs without fault. */
export const creditOf = (
  { needLine, drawn, credited = drawn, scope }: ProposedLeg,
  { need }: LineFacts,
): { readonly credited: Quantity; readonly scope?: string } => {
  if (scope === undefined) return { credited };
  const [asked = credited] = need.lines.filter(({ line }) => line === needLine).map(({ quantity }) => quantity);
  return { credited: asked, scope };
};
