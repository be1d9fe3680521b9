import type { Quantity } from '#vocabulary';
import { isRival, minorUnits, quantityOf } from '#vocabulary';
import type { CoverageKey, NeedEvent, NeedLine } from './need.contract.js';

/** One tranche as the need heard of it. What counts as delivered is `quantity` − `returned`. */
export interface CoveredDelivery {
  readonly delivery: number;
  readonly quantity: Quantity;
  readonly returned?: Quantity;
  /** Less what of it was returned. */
  readonly confirmed?: Quantity;
}

/** One reservation of coverage, through to what became of it. */
export interface Reservation extends CoverageKey {
  readonly line: number;
  /** Undetermined where a scope in words was credited: it holds the line and adds nothing to its figures. */
  readonly reserved: Quantity;
  readonly bound: boolean;
  /** What releases gave back. */
  readonly freed?: Quantity;
  /** Released: nothing more is to come, but for answers to what was delivered. */
  readonly over: boolean;
  /** Tranches of the whole leg are kept with the reservation that brought it. */
  readonly deliveries: readonly CoveredDelivery[];
  /** Returns, corrections and reductions that were answered: each once. */
  readonly answered?: readonly string[];
  /** What went back was too little for a figure in the need's measure: its leg is not whole, though the figures say so. */
  readonly short?: boolean;
}

/** Everything reserved on a need. */
export interface CoverageBook {
  /** By `commitment/leg/amendment`. */
  readonly reservations: Readonly<Record<string, Reservation>>;
  /** Keys of the reservations of each commitment, oldest first. */
  readonly keysOf: Readonly<Record<string, readonly string[]>>;
  /** Keys whose release came before their reservation: the release wins. */
  readonly overtaken: readonly string[];
  /** Acceptances answered by a refusal, by `commitment/amendment`: the newest of each. */
  readonly refusals: Readonly<Record<string, string>>;
}

/** Figures of one line in minor units: `accepted` is reserved and not yet binding; binding ≥ delivered ≥ confirmed. */
export interface LineFigures {
  readonly accepted: bigint;
  readonly binding: bigint;
  readonly delivered: bigint;
  readonly confirmed: bigint;
}

export const keyText = ({ commitment, leg, amendment }: CoverageKey): string => `${commitment}/${leg}/${amendment}`;

export const returnMark = (n: number): string => `return ${n}`;
export const reductionMark = (amendment: number): string => `amendment ${amendment}`;
/** One event may correct several tranches of a leg. */
export const correctionMark = (asked: string, delivery: number): string => `${asked} ${delivery}`;

/** A scope in words has no figure and adds none. */
const minor = (quantity: Quantity | undefined): bigint =>
  quantity === undefined || !isRival(quantity) ? 0n : minorUnits(quantity);

/** What is reserved and not given back. */
export const standing = ({ reserved, freed }: Reservation): bigint => minor(reserved) - minor(freed);

/** What counts of a tranche. */
export const arrivedOf = ({ quantity, returned }: CoveredDelivery): bigint => minor(quantity) - minor(returned);

export const deliveredOf = ({ deliveries }: Reservation): bigint =>
  deliveries.reduce((sum, tranche) => sum + arrivedOf(tranche), 0n);

/** The reservations of one leg, oldest amendment first. */
export const legOf = ({ reservations, keysOf }: CoverageBook, commitment: string, leg: number): Reservation[] =>
  (keysOf[commitment] ?? [])
    .map((key) => reservations[key])
    .filter((each) => each?.leg === leg)
    .filter((each) => each !== undefined)
    .sort((a, b) => a.amendment - b.amendment);

export const ofCommitment = ({ reservations, keysOf }: CoverageBook, commitment: string): Reservation[] =>
  (keysOf[commitment] ?? []).map((key) => reservations[key]).filter((each) => each !== undefined);

const isNothing = (quantity: Quantity): boolean => isRival(quantity) && minorUnits(quantity) === 0n;

const isMeasured = ({ reserved }: Reservation): boolean => isRival(reserved);

/** Something of the reservation stands: an amount, or a scope that was not released. */
const holds = (reservation: Reservation): boolean =>
  isMeasured(reservation) ? standing(reservation) > 0n : !reservation.over;

/** A tranche too small for a figure in the need's measure waits for its answer like any other, until something of it is sent back. */
const isUnanswered = (tranche: CoveredDelivery): boolean =>
  tranche.confirmed === undefined &&
  (!isRival(tranche.quantity) || arrivedOf(tranche) > 0n || tranche.returned === undefined);

/** Live: accepted, binding or delivered, not yet confirmed, closed or left. A scope in words is live until its commitment ends. */
export const isLiveLeg = (leg: readonly Reservation[]): boolean => {
  const open = leg.filter(({ over }) => !over);
  if (open.length === 0) return false;
  if (open.some((each) => !each.bound && holds(each)) || !leg.some(isMeasured)) return true;
  const stands = leg.reduce((sum, each) => sum + (each.bound ? standing(each) : 0n), 0n);
  const arrived = leg.reduce((sum, each) => sum + deliveredOf(each), 0n);
  return arrived !== stands || leg.some(({ deliveries, short }) => short === true || deliveries.some(isUnanswered));
};

export const hasLive = (book: CoverageBook): boolean =>
  Object.keys(book.keysOf).some((commitment) => {
    const legs = new Set(ofCommitment(book, commitment).map(({ leg }) => leg));
    return [...legs].some((leg) => isLiveLeg(legOf(book, commitment, leg)));
  });

/** True where something stands on the line, be it a scope without a figure. */
export const isInUse = ({ reservations }: CoverageBook, line: number): boolean =>
  Object.values(reservations).some((each) => each.line === line && holds(each));

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
    confirmed += reservation.deliveries.reduce((sum, tranche) => sum + minor(tranche.confirmed), 0n);
  }
  return { accepted, binding, delivered, confirmed };
};

/** What is asked and not binding yet, in minor units; nothing where more is binding than asked. */
export const outstandingOf = (asked: bigint, binding: bigint): bigint => (asked > binding ? asked - binding : 0n);

export type CoverageGrade = 'none' | 'partial' | 'full' | 'not-measurable';

/** A need's lines with what is reserved on them. */
export interface Covered {
  readonly lines: readonly NeedLine[];
  readonly reservations: Readonly<Record<string, Reservation>>;
}

/** How far needs are covered together, by what is binding. An undetermined line is never full, so neither is its need. */
export const groupGradeOf = (needs: readonly Covered[]): CoverageGrade => {
  const asked = needs.flatMap(({ lines, reservations }) => lines.map((line) => ({ ...line, reservations })));
  const measurable = asked.filter(({ quantity }) => isRival(quantity));
  if (measurable.length === 0) return 'not-measurable';
  const shares = measurable.map(({ line, quantity, reservations }) => {
    const { binding } = figuresOf(reservations, line);
    return binding === 0n ? 'none' : binding >= minorUnits(quantity) ? 'full' : 'partial';
  });
  if (shares.every((share) => share === 'none')) return 'none';
  return measurable.length === asked.length && shares.every((share) => share === 'full') ? 'full' : 'partial';
};

export const gradeOf = (
  lines: readonly NeedLine[],
  reservations: Readonly<Record<string, Reservation>>,
): CoverageGrade => groupGradeOf([{ lines, reservations }]);

export type CoverageEvent = Extract<NeedEvent, { type: `Coverage${string}` }>;

const changed = <B extends CoverageBook>(
  book: B,
  key: CoverageKey,
  change: (reservation: Reservation) => Reservation,
): B => {
  const text = keyText(key);
  const reservation = book.reservations[text];
  if (reservation === undefined) return book;
  return { ...book, reservations: { ...book.reservations, [text]: change(reservation) } };
};

const withMark = ({ answered = [], ...rest }: Reservation, mark: string): Reservation => ({
  ...rest,
  answered: [...answered, mark],
});

const withTranche = (
  reservation: Reservation,
  delivery: number,
  change: (tranche: CoveredDelivery) => CoveredDelivery,
): Reservation => ({
  ...reservation,
  deliveries: reservation.deliveries.map((each) => (each.delivery === delivery ? change(each) : each)),
});

const sum = (before: Quantity | undefined, more: Quantity): Quantity =>
  before === undefined || !isRival(more) ? more : quantityOf(more, minor(before) + minorUnits(more));

const less = (before: Quantity, back: Quantity): Quantity =>
  isRival(back) ? quantityOf(back, minor(before) - minorUnits(back)) : before;

/** What one coverage event makes of what is reserved. */
export const foldCoverage = <B extends CoverageBook>(book: B, event: CoverageEvent): B => {
  switch (event.type) {
    case 'CoverageReserved': {
      const { commitment, leg, amendment, line, quantity } = event.data;
      const key = keyText(event.data);
      const reservation = { commitment, leg, amendment, line, reserved: quantity };
      return {
        ...book,
        reservations: { ...book.reservations, [key]: { ...reservation, bound: false, over: false, deliveries: [] } },
        keysOf: { ...book.keysOf, [commitment]: [...(book.keysOf[commitment] ?? []), key] },
      };
    }
    case 'CoverageBound':
      return changed(book, event.data, (reservation) => ({ ...reservation, bound: true }));
    case 'CoverageDelivered': {
      const { delivery, quantity } = event.data;
      return changed(book, event.data, ({ short: _short, ...reservation }) => ({
        ...reservation,
        deliveries: [...reservation.deliveries, { delivery, quantity }],
      }));
    }
    case 'CoverageConfirmed': {
      const { delivery, quantity } = event.data;
      return changed(book, event.data, (reservation) =>
        withTranche(reservation, delivery, (tranche) => ({ ...tranche, confirmed: quantity })),
      );
    }
    case 'CoverageReturned': {
      const { delivery, quantity, confirmed } = event.data;
      return changed(book, event.data, (reservation) =>
        withMark(
          withTranche(isNothing(quantity) ? { ...reservation, short: true } : reservation, delivery, (tranche) => ({
            ...tranche,
            returned: sum(tranche.returned, quantity),
            ...(confirmed === undefined || tranche.confirmed === undefined
              ? {}
              : { confirmed: less(tranche.confirmed, confirmed) }),
          })),
          returnMark(event.data.return),
        ),
      );
    }
    case 'CoverageDeliveryCorrected': {
      const { delivery, quantity, asked } = event.data;
      return changed(book, event.data, (reservation) =>
        withMark(
          // Reported anew: what was confirmed of the earlier figure is said again, or is open again.
          withTranche(reservation, delivery, ({ confirmed: _earlier, ...tranche }) => ({ ...tranche, quantity })),
          correctionMark(asked, delivery),
        ),
      );
    }
    case 'CoverageReleased': {
      const { line, quantity, by } = event.data;
      if (line === undefined) return { ...book, overtaken: [...book.overtaken, keyText(event.data)] };
      return changed(book, event.data, (reservation) => {
        const after = {
          ...reservation,
          // A reduction leaves the rest standing; of a scope in words there is no rest.
          over: reservation.over || by === undefined || quantity === undefined,
          ...(quantity === undefined ? {} : { freed: sum(reservation.freed, quantity) }),
        };
        return by === undefined ? after : withMark(after, reductionMark(by));
      });
    }
    case 'CoverageReopened':
      return changed(book, event.data, (reservation) => ({ ...reservation, over: false }));
    case 'CoverageRefused': {
      const { commitment, amendment, asked } = event.data;
      return { ...book, refusals: { ...book.refusals, [`${commitment}/${amendment}`]: asked } };
    }
  }
};
