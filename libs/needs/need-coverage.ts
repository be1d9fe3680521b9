import type { Command, Decision } from '#kernel';
import { accept, refuse } from '#kernel';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits, quantityOf, sameMeasure } from '#vocabulary';
import type { CoverageEvent, CoveredDelivery, LineFigures, Reservation } from './coverage.js';
import {
  arrivedOf,
  correctionMark,
  deliveredOf,
  figuresOf,
  foldCoverage,
  isLiveLeg,
  keyText,
  legOf,
  ofCommitment,
  reductionMark,
  returnMark,
  standing,
} from './coverage.js';
import type { CoverageKey, CoverageRefusalCode, NeedEvent } from './need.contract.js';
import type { NeedRejection, NeedState } from './need.js';

export interface AskedLeg {
  readonly leg: number;
  readonly line: number;
  /** In the need line's measure; undetermined for a scope in words. */
  readonly quantity: Quantity;
}

/** A tranche with the figures it has from now on. */
export interface RecreditedTranche {
  readonly leg: number;
  readonly delivery: number;
  readonly quantity: Quantity;
  readonly confirmed?: Quantity;
}

/** What the process asks as commitments go. Each asks for a state of affairs: asked again, it writes nothing. */
export type CoverageCommand = Command &
  /** Every leg of a commitment (or amendment) at once: all are reserved or none is. */
  (
    | {
        readonly type: 'ReserveCoverage';
        readonly commitment: string;
        readonly amendment: number;
        readonly legs: readonly AskedLeg[];
        /** Event id of the acceptance: the answer to it is given once, another acceptance is another question. */
        readonly asked: string;
      }
    /** `amendments`: those in effect; all that is reserved where it is left out. */
    | { readonly type: 'BindCoverage'; readonly commitment: string; readonly amendments?: readonly number[] }
    /** An amendment took effect: what it added binds, tranches are credited anew, what it takes back is free. */
    | {
        readonly type: 'AmendCoverage';
        readonly commitment: string;
        readonly amendment: number;
        readonly bind: boolean;
        readonly recredited: readonly RecreditedTranche[];
        readonly reductions: readonly { readonly leg: number; readonly quantity: Quantity }[];
        readonly asked: string;
      }
    | ({ readonly type: 'DeliverCoverage'; readonly delivery: number; readonly quantity: Quantity } & CoverageKey)
    | ({ readonly type: 'ConfirmCoverage'; readonly delivery: number; readonly quantity: Quantity } & CoverageKey)
    | ({
        readonly type: 'ReturnCoverage';
        readonly delivery: number;
        readonly return: number;
        readonly quantity: Quantity;
        readonly confirmed?: Quantity;
      } & CoverageKey)
    | ({
        readonly type: 'CorrectCoverage';
        readonly delivery: number;
        readonly quantity: Quantity;
        readonly asked: string;
      } & CoverageKey)
    /** Gives back what is not delivered of each leg; sent with every exit and every close of a commitment, and for amendments that fail. */
    | {
        readonly type: 'ReleaseCoverage';
        readonly commitment: string;
        readonly legs: readonly { readonly leg: number; readonly amendment: number }[];
      }
    /** Sent where a late answer takes an unconfirmed closing back. */
    | { readonly type: 'ReopenCoverage'; readonly commitment: string }
  );

type Asked<T extends CoverageCommand['type']> = Omit<Extract<CoverageCommand, { type: T }>, 'by' | 'type'>;
type Answer = Decision<NeedEvent, NeedRejection>;

export const figuresOfLine = ({ reservations }: NeedState, line: number): LineFigures => figuresOf(reservations, line);

/** Accepted + binding on a line, in minor units. */
export const committedOn = (state: NeedState, line: number): bigint => {
  const { accepted, binding } = figuresOfLine(state, line);
  return accepted + binding;
};

const keyOf = ({ commitment, leg, amendment }: CoverageKey): CoverageKey => ({ commitment, leg, amendment });

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

const standingOf = (leg: readonly Reservation[]): bigint => leg.reduce((sum, each) => sum + standing(each), 0n);
/** What is binding and not delivered. */
const spareOf = (leg: readonly Reservation[]): bigint =>
  standingOf(leg.filter((each) => each.bound)) - deliveredOfLeg(leg);
const deliveredOfLeg = (leg: readonly Reservation[]): bigint => leg.reduce((sum, each) => sum + deliveredOf(each), 0n);

/** An absorbed need goes on with the proposals it has; new ones are made to its survivor. */
const takesCoverage = ({ status, supersededBy }: NeedState): boolean =>
  status === 'open' || (status === 'closed' && supersededBy !== undefined);

const measureRefusal = (line: number, asked: Quantity, quantity: Quantity): string | undefined => {
  if (asked.measure === 'undetermined') {
    return quantity.measure === 'undetermined'
      ? undefined
      : `line ${line} has no measured quantity yet: credit a scope in words until the State sets one`;
  }
  return sameMeasure(asked, quantity) ? undefined : `line ${line} is asked in another measure, currency or unit`;
};

const coverageRefusal = (
  state: NeedState,
  legs: readonly AskedLeg[],
): { readonly code: CoverageRefusalCode; readonly detail: string } | undefined => {
  if (!takesCoverage(state)) return { code: 'need-not-open', detail: 'the need is not open' };
  const asked = new Map<number, bigint>();
  for (const { line: number, quantity } of legs) {
    const line = state.content.lines.find((each) => each.line === number);
    if (line === undefined) return { code: 'unknown-line', detail: `the need has no line ${number}` };
    const mismatch = measureRefusal(number, line.quantity, quantity);
    if (mismatch !== undefined) return { code: 'measure-mismatch', detail: mismatch };
    if (!isRival(line.quantity)) continue;
    const sum = (asked.get(number) ?? 0n) + minorUnits(quantity);
    asked.set(number, sum);
    if (!state.content.oversubscription && committedOn(state, number) + sum > minorUnits(line.quantity)) {
      // Without the figure: what others have accepted is not for the asking side to know.
      return { code: 'insufficient-coverage', detail: `line ${number} needs less than that` };
    }
  }
  return undefined;
};

const reserve = (state: NeedState, { commitment, amendment, legs, asked }: Asked<'ReserveCoverage'>): Answer => {
  const keys = legs.map(({ leg }) => keyText({ commitment, leg, amendment }));
  if (keys.some((key) => state.reservations[key] !== undefined || state.overtaken.includes(key))) return accept();
  if (state.refusals[`${commitment}/${amendment}`] === asked) return accept();
  const refusal = coverageRefusal(state, legs);
  if (refusal !== undefined)
    return accept({ type: 'CoverageRefused', data: { commitment, amendment, ...refusal, asked } });
  return accept(
    ...legs.map(({ leg, line, quantity }): NeedEvent => ({
      type: 'CoverageReserved',
      data: { commitment, leg, amendment, line, quantity },
    })),
  );
};

const bound = (state: NeedState, { commitment, amendments }: Asked<'BindCoverage'>): readonly CoverageEvent[] =>
  ofCommitment(state, commitment)
    .filter((each) => !each.bound && !each.over && (amendments?.includes(each.amendment) ?? true))
    .map(({ leg, amendment, line, reserved, freed }) => ({
      type: 'CoverageBound',
      data: {
        commitment,
        leg,
        amendment,
        line,
        quantity: freed === undefined ? reserved : quantityOf(reserved, minorUnits(reserved) - minorUnits(freed)),
      },
    }));

const notBound = (): Answer => refuse('not-bound', 'this leg is not binding on this need');
const notDelivered = (): Answer => refuse('not-bound', 'this delivery is not recorded on this need');

const deliver = (state: NeedState, command: Asked<'DeliverCoverage'>): Answer => {
  const { commitment, delivery, quantity } = command;
  const leg = legOf(state, commitment, command.leg).filter((each) => each.bound);
  const reservation = leg.find(({ amendment }) => amendment === command.amendment);
  if (reservation === undefined) return notBound();
  if (reservation.deliveries.some((each) => each.delivery === delivery)) return accept();
  if (isRival(quantity) && deliveredOfLeg(leg) + minorUnits(quantity) > standingOf(leg)) {
    return refuse('beyond-bound', 'more would be delivered than is binding');
  }
  const { line } = reservation;
  return accept({ type: 'CoverageDelivered', data: { ...keyOf(command), delivery, line, quantity } });
};

const confirm = (state: NeedState, command: Asked<'ConfirmCoverage'>): Answer => {
  const { delivery, quantity } = command;
  const reservation = state.reservations[keyText(command)];
  const delivered = reservation?.deliveries.find((each) => each.delivery === delivery);
  if (reservation === undefined || delivered === undefined) return notDelivered();
  if (delivered.confirmed !== undefined) return accept();
  if (isRival(quantity) && minorUnits(quantity) > arrivedOf(delivered)) {
    return refuse('beyond-bound', 'more would be confirmed than was delivered');
  }
  const { line } = reservation;
  return accept({ type: 'CoverageConfirmed', data: { ...keyOf(command), delivery, line, quantity } });
};

const figureOf = (quantity: Quantity | undefined): bigint =>
  quantity === undefined || !isRival(quantity) ? 0n : minorUnits(quantity);

const confirmedAfter = ({ confirmed }: CoveredDelivery, back: Quantity | undefined): bigint =>
  confirmed === undefined ? 0n : figureOf(confirmed) - figureOf(back);

const giveBack = (state: NeedState, command: Asked<'ReturnCoverage'>): Answer => {
  const { delivery, quantity, confirmed } = command;
  const reservation = state.reservations[keyText(command)];
  const delivered = reservation?.deliveries.find((each) => each.delivery === delivery);
  if (reservation === undefined || delivered === undefined) return notDelivered();
  if (reservation.answered?.includes(returnMark(command.return)) === true) return accept();
  if (isRival(quantity) && minorUnits(quantity) > arrivedOf(delivered)) {
    return refuse('beyond-bound', 'more would be returned than was delivered');
  }
  const sure = confirmedAfter(delivered, confirmed);
  if (sure < 0n || sure > arrivedOf(delivered) - figureOf(quantity)) {
    return refuse('beyond-bound', 'more would stay confirmed than delivered, or less than nothing');
  }
  const { line } = reservation;
  const data = { ...keyOf(command), delivery, return: command.return, line, quantity };
  return accept({ type: 'CoverageReturned', data: { ...data, ...(confirmed === undefined ? {} : { confirmed }) } });
};

/** The tranche as it is from now on; undefined where that is more than is binding. Nothing where it was answered before. */
const corrected = (
  state: NeedState,
  commitment: string,
  { leg: number, delivery, quantity, confirmed }: RecreditedTranche,
  asked: string,
): readonly CoverageEvent[] | NeedRejection => {
  const leg = legOf(state, commitment, number);
  const reservation = leg.find(({ deliveries }) => deliveries.some((each) => each.delivery === delivery));
  const tranche = reservation?.deliveries.find((each) => each.delivery === delivery);
  if (reservation === undefined || tranche === undefined) {
    return { code: 'not-bound', detail: 'this delivery is not recorded on this need' };
  }
  if (reservation.answered?.includes(correctionMark(asked, delivery)) === true) return [];
  const after = isRival(quantity) ? arrivedOf({ ...tranche, quantity }) : 0n;
  const others = deliveredOfLeg(leg) - arrivedOf(tranche);
  const confirms = confirmed !== undefined && isRival(confirmed) && minorUnits(confirmed) > after;
  if (after < 0n || confirms || others + after > standingOf(leg.filter((each) => each.bound))) {
    return { code: 'beyond-bound', detail: 'more would be delivered than is binding, or less than came back' };
  }
  const data = { ...keyOf(reservation), delivery, line: reservation.line, quantity };
  return [
    { type: 'CoverageDeliveryCorrected', data: { ...data, asked } },
    ...(confirmed === undefined
      ? []
      : [{ type: 'CoverageConfirmed' as const, data: { ...data, quantity: confirmed } }]),
  ];
};

/** Takes `quantity` back from the newest reservations of the leg on, never below what is delivered of it. */
const reduced = (
  state: NeedState,
  commitment: string,
  amendment: number,
  { leg: number, quantity }: { readonly leg: number; readonly quantity: Quantity },
): readonly CoverageEvent[] => {
  const leg = legOf(state, commitment, number);
  const mark = reductionMark(amendment);
  if (leg.some(({ answered }) => answered?.includes(mark) === true)) return [];
  if (!isRival(quantity)) {
    return leg
      .filter(({ reserved, over }) => !isRival(reserved) && !over)
      .map((each) => ({ type: 'CoverageReleased', data: { ...keyOf(each), line: each.line, by: amendment } }));
  }
  let rest = minorUnits(quantity);
  let spare = spareOf(leg);
  const events: CoverageEvent[] = [];
  for (const each of leg.reverse()) {
    const taken = least(each.bound ? least(standing(each), spare) : standing(each), rest);
    if (taken === 0n) continue;
    rest -= taken;
    if (each.bound) spare -= taken;
    const data = { ...keyOf(each), line: each.line, quantity: quantityOf(quantity, taken), by: amendment };
    events.push({ type: 'CoverageReleased', data });
  }
  return events;
};

const amend = (state: NeedState, command: Asked<'AmendCoverage'>): Answer => {
  const { commitment, amendment, bind, recredited, reductions, asked } = command;
  const events: CoverageEvent[] = [];
  let now = state;
  const take = (more: readonly CoverageEvent[]): void => {
    events.push(...more);
    now = more.reduce<NeedState>(foldCoverage, now);
  };
  if (bind) take(bound(now, { commitment, amendments: [amendment] }));
  // Before anything is taken back: what is delivered never exceeds what stands, at no revision.
  for (const tranche of recredited) {
    const answer = corrected(now, commitment, tranche, asked);
    if ('code' in answer) return { kind: 'refused', rejection: answer };
    take(answer);
  }
  for (const reduction of reductions) take(reduced(now, commitment, amendment, reduction));
  return accept(...events);
};

/** What of the named reservations is not delivered. Deliveries count against the leg as a whole, its oldest reservations first. */
const released = (leg: readonly Reservation[], named: readonly number[]): readonly CoverageEvent[] => {
  const events: CoverageEvent[] = [];
  const live = isLiveLeg(leg);
  let spare = spareOf(leg);
  for (const each of [...leg].reverse()) {
    if (!named.includes(each.amendment)) continue;
    const free = each.bound ? least(standing(each), spare) : standing(each);
    if (each.bound) spare -= free;
    // What is over, or confirmed to the last tranche, has nothing to give back and holds nothing open.
    if (free === 0n && (each.over || !live)) continue;
    const quantity = free > 0n ? { quantity: quantityOf(each.reserved, free) } : {};
    events.push({ type: 'CoverageReleased', data: { ...keyOf(each), line: each.line, ...quantity } });
  }
  return events;
};

const release = (state: NeedState, { commitment, legs }: Asked<'ReleaseCoverage'>): Answer => {
  const events: CoverageEvent[] = [];
  for (const number of new Set(legs.map(({ leg }) => leg))) {
    const named = legs.filter(({ leg }) => leg === number).map(({ amendment }) => amendment);
    for (const amendment of named) {
      const key: CoverageKey = { commitment, leg: number, amendment };
      const known = state.reservations[keyText(key)] !== undefined || state.overtaken.includes(keyText(key));
      if (!known) events.push({ type: 'CoverageReleased', data: key });
    }
    events.push(...released(legOf(state, commitment, number), named));
  }
  return accept(...events);
};

const reopen = (state: NeedState, commitment: string): Answer =>
  accept(
    ...ofCommitment(state, commitment)
      .filter((each) => each.bound && each.over)
      .map(({ leg, amendment, line }): NeedEvent => ({
        type: 'CoverageReopened',
        data: { commitment, leg, amendment, line },
      })),
  );

/** Decides what the process asks about coverage. */
export const decideCoverage = (command: CoverageCommand, state: NeedState): Answer => {
  switch (command.type) {
    case 'ReserveCoverage':
      return reserve(state, command);
    case 'BindCoverage':
      return accept(...bound(state, command));
    case 'AmendCoverage':
      return amend(state, command);
    case 'DeliverCoverage':
      return deliver(state, command);
    case 'ConfirmCoverage':
      return confirm(state, command);
    case 'ReturnCoverage':
      return giveBack(state, command);
    case 'CorrectCoverage': {
      const { commitment, leg, delivery, quantity, asked } = command;
      const answer = corrected(state, commitment, { leg, delivery, quantity }, asked);
      return 'code' in answer ? { kind: 'refused', rejection: answer } : accept(...answer);
    }
    case 'ReleaseCoverage':
      return release(state, command);
    case 'ReopenCoverage':
      return reopen(state, command.commitment);
  }
};
