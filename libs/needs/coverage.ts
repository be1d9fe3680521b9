import type { Quantity } from '#vocabulary';
import { isRival, minorUnits } from '#vocabulary';
import type { CoverageKey, NeedLine } from './need.contract.js';

/** One tranche as the need heard of it. */
export interface CoveredDelivery {
  readonly delivery: number;
  readonly quantity: Quantity;
  readonly confirmed?: Quantity;
}

/** One reservation of coverage, through to what became of it. */
export interface Reservation extends CoverageKey {
  readonly line: number;
  readonly reserved: Quantity;
  readonly bound: boolean;
  /** What a release gave back. */
  readonly freed?: Quantity;
  /** Released: nothing more is to come, but for answers to what was delivered. */
  readonly over: boolean;
  readonly deliveries: readonly CoveredDelivery[];
}

/** Figures of one line in minor units: `accepted` is reserved and not yet binding; binding ≥ delivered ≥ confirmed. */
export interface LineFigures {
  readonly accepted: bigint;
  readonly binding: bigint;
  readonly delivered: bigint;
  readonly confirmed: bigint;
}

export const keyText = ({ commitment, leg, amendment }: CoverageKey): string => `${commitment}/${leg}/${amendment}`;

const minor = (quantity: Quantity | undefined): bigint => (quantity === undefined ? 0n : minorUnits(quantity));

const total = (quantities: readonly (Quantity | undefined)[]): bigint =>
  quantities.reduce((sum, quantity) => sum + minor(quantity), 0n);

/** What is reserved and not given back. */
export const standing = ({ reserved, freed }: Reservation): bigint => minor(reserved) - minor(freed);

export const deliveredOf = ({ deliveries }: Reservation): bigint => total(deliveries.map(({ quantity }) => quantity));

/** Live: accepted, binding or delivered, not yet confirmed, closed or left. */
export const isLive = (reservation: Reservation): boolean => {
  if (reservation.over) return false;
  const arrived = reservation.bound && deliveredOf(reservation) === standing(reservation);
  return !arrived || reservation.deliveries.some(({ confirmed }) => confirmed === undefined);
};

/** The figures of line number `line` from all its reservations. */
export const figuresOf = (reservations: Readonly<Record<string, Reservation>>, line: number): LineFigures => {
  let accepted = 0n;
  let binding = 0n;
  let delivered = 0n;
  let confirmed = 0n;
  for (const reservation of Object.values(reservations)) {
    if (reservation.line !== line) continue;
    if (reservation.bound) binding += standing(reservation);
    else accepted += standing(reservation);
    delivered += deliveredOf(reservation);
    confirmed += total(reservation.deliveries.map((delivery) => delivery.confirmed));
  }
  return { accepted, binding, delivered, confirmed };
};

/** What is asked and not binding yet, in minor units; nothing where more is binding than asked. */
export const outstandingOf = (asked: bigint, binding: bigint): bigint => (asked > binding ? asked - binding : 0n);

export type CoverageGrade = 'none' | 'partial' | 'full' | 'not-measurable';

/** How far a need is covered, by what is binding. An undetermined line is never full, so neither is its need. */
export const gradeOf = (
  lines: readonly NeedLine[],
  reservations: Readonly<Record<string, Reservation>>,
): CoverageGrade => {
  const measurable = lines.filter(({ quantity }) => isRival(quantity));
  if (measurable.length === 0) return 'not-measurable';
  const shares = measurable.map(({ line, quantity }) => {
    const { binding } = figuresOf(reservations, line);
    return binding === 0n ? 'none' : binding >= minorUnits(quantity) ? 'full' : 'partial';
  });
  if (shares.every((share) => share === 'none')) return 'none';
  return measurable.length === lines.length && shares.every((share) => share === 'full') ? 'full' : 'partial';
};
