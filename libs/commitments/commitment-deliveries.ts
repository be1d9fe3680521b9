import { accept, refuse } from '#kernel';
import type { Quantity } from '#vocabulary';
import { add, compare, minorUnits, quantityOf, sameMeasure } from '#vocabulary';
import type {
  CommitmentRejection,
  CommitmentState,
  EventContext,
  EventData,
  LegState,
  Outcome,
  Rule,
  Who,
} from './commitment-state.js';
import {
  BOUND,
  isComplete,
  isInMeasureOf,
  isRecipient,
  proRata,
  refused,
  rejection,
  replaced,
  sameSide,
} from './commitment-state.js';
import type { CommitmentEvent } from './commitment.contract.js';

export type DeliveriesRejectionCode =
  | 'unknown-leg'
  | 'unknown-beneficiary'
  | 'own-delivery'
  | 'already-confirmed'
  | 'already-disputed'
  | 'over-delivery'
  | 'over-confirmation';

export interface DeliveryState {
  readonly n: number;
  readonly leg: number;
  readonly quantity: Quantity;
  readonly drawn: Quantity;
  readonly credited: Quantity;
  readonly party: string;
  /** Sovereign of who reported it: never confirmed by the same one. */
  readonly sovereign?: string;
  readonly beneficiary?: string;
  readonly date: string;
  readonly evidence?: readonly { readonly title: string; readonly uri: string; readonly sha256: string }[];
  readonly status: 'reported' | 'confirmed' | 'disputed';
  readonly confirmed?: {
    readonly party: string;
    readonly quantity: Quantity;
    readonly condition: 'usable' | 'in-use-later' | 'not-usable';
    readonly note?: string;
    readonly at: string;
  };
  readonly dispute?: { readonly party: string; readonly reason: string; readonly at: string };
}

/** What a commitment keeps of what arrived. */
export interface DeliveriesState {
  readonly deliveries: readonly DeliveryState[];
  /** Server time of the last tranche, or of the act that reopened an unconfirmed closing: silence counts from here. */
  readonly silentSince?: string;
}

export const NO_DELIVERIES: DeliveriesState = { deliveries: [] };

export type DeliveriesCommand =
  | {
      readonly type: 'ReportDelivery';
      readonly leg: number;
      readonly quantity: Quantity;
      readonly beneficiary?: string;
      readonly date: string;
      readonly evidence?: readonly { readonly title: string; readonly uri: string; readonly sha256: string }[];
    }
  | {
      readonly type: 'ConfirmDelivery';
      readonly n: number;
      /** All of the tranche where absent. */
      readonly quantity?: Quantity;
      readonly condition: 'usable' | 'in-use-later' | 'not-usable';
      readonly note?: string;
    }
  | { readonly type: 'DisputeDelivery'; readonly n: number; readonly reason: string };

type CommandOf<T extends DeliveriesCommand['type']> = Extract<DeliveriesCommand, { type: T }>;

const delivers = (state: CommitmentState, who: Who): boolean =>
  state.implementer === who.party || state.providers.includes(who.party);

/** Rows of COMMITMENT_RULES. */
export const DELIVERIES_RULES = {
  ReportDelivery: {
    segment: 'deliveries',
    // Delivered and confirmed: nothing is left to deliver, which the quantity rule says better than the status.
    from: ['binding', 'delivered', 'confirmed'],
    otherwise: 'not-binding',
    who: delivers,
  },
  ConfirmDelivery: {
    segment: 'confirm',
    from: BOUND,
    otherwise: 'not-binding',
    who: isRecipient,
  },
  DisputeDelivery: {
    segment: 'dispute',
    from: BOUND,
    otherwise: 'not-binding',
    who: isRecipient,
  },
} as const satisfies Readonly<Record<DeliveriesCommand['type'], Rule>>;

/** Whether there is something to do for a command that its row allows. */
export const hasDeliveryTask = (type: DeliveriesCommand['type'], state: CommitmentState, who: Who): boolean => {
  switch (type) {
    case 'ReportDelivery':
      return state.legs.some((leg) => !isComplete(leg));
    case 'ConfirmDelivery':
      return hasToAnswer(state, who, (delivery) => delivery.status !== 'confirmed' && !sameSide(who, delivery));
    case 'DisputeDelivery':
      return hasToAnswer(state, who, ({ status }) => status === 'reported');
  }
};

const hasToAnswer = (state: CommitmentState, who: Who, which: (delivery: DeliveryState) => boolean): boolean =>
  isDeliveryAnswerable(state) &&
  state.deliveries.some((delivery) => which(delivery) && answersFor(state, delivery, who));

/** Tranches are answered while the commitment lives, after a cancellation, and late, after an unconfirmed closing. */
const isDeliveryAnswerable = ({ status, closedAs }: CommitmentState): boolean =>
  status !== 'closed' || closedAs === 'unconfirmed';

/** A tranche for one State is that State's to answer; a shared one any recipient's, so the host's too. */
const answersFor = (state: CommitmentState, delivery: DeliveryState, who: Who): boolean =>
  delivery.beneficiary === undefined ? isRecipient(state, who) : delivery.beneficiary === who.party;

export const isDisputed = (state: CommitmentState): boolean =>
  state.deliveries.some(({ status }) => status === 'disputed');

export const decideDelivery = (command: DeliveriesCommand, state: CommitmentState, who: Who): Outcome => {
  switch (command.type) {
    case 'ReportDelivery':
      return reportDelivery(command, state, who.party);
    case 'ConfirmDelivery':
      return confirmDelivery(command, state, who);
    case 'DisputeDelivery':
      return disputeDelivery(command, state, who);
  }
};

/** The state after an event of deliveries; undefined where it is another's. */
export const afterDelivery = (
  state: CommitmentState,
  event: CommitmentEvent,
  { actor, effectiveAt, recordedAt }: EventContext,
): CommitmentState | undefined => {
  switch (event.type) {
    case 'DeliveryReported': {
      const { drawn, credited, leg: number } = event.data;
      return derived({
        ...state,
        silentSince: recordedAt,
        deliveries: [
          ...state.deliveries,
          {
            ...event.data,
            ...(actor.sovereign === undefined ? {} : { sovereign: actor.sovereign }),
            status: 'reported',
          },
        ],
        legs: state.legs.map((leg) =>
          leg.leg === number
            ? {
                ...leg,
                deliveredDrawn: add(leg.deliveredDrawn, drawn),
                deliveredCredited: add(leg.deliveredCredited, credited),
              }
            : leg,
        ),
      });
    }
    case 'DeliveryConfirmed':
      return derived(afterConfirmation(reopened(state, recordedAt), event.data, effectiveAt));
    case 'DeliveryDisputed': {
      const { n, party, reason } = event.data;
      const open = reopened(state, recordedAt);
      return derived({
        ...open,
        deliveries: replaced(open.deliveries, n, (delivery) => ({
          ...delivery,
          status: 'disputed',
          dispute: { party, reason, at: effectiveAt },
        })),
      });
    }
    default:
      return undefined;
  }
};

/** A tranche in both measures of its leg, from what was delivered so far; undefined where it passes what was committed. */
export const trancheOf = (
  leg: Pick<LegState, 'drawn' | 'credited' | 'deliveredDrawn' | 'deliveredCredited'>,
  quantity: Quantity,
): { readonly drawn: Quantity; readonly credited: Quantity } | undefined => {
  const inDrawn = sameMeasure(quantity, leg.drawn);
  const [whole, before, other, otherBefore] = inDrawn
    ? [leg.drawn, leg.deliveredDrawn, leg.credited, leg.deliveredCredited]
    : [leg.credited, leg.deliveredCredited, leg.drawn, leg.deliveredDrawn];
  const after = minorUnits(before) + minorUnits(quantity);
  if (after > minorUnits(whole)) return undefined;
  const stated = quantityOf(quantity, minorUnits(quantity));
  const rest = quantityOf(other, proRata(after, minorUnits(whole), minorUnits(other)) - minorUnits(otherBefore));
  return inDrawn ? { drawn: stated, credited: rest } : { drawn: rest, credited: stated };
};

const reportDelivery = (
  { leg: number, quantity, beneficiary, date, evidence }: CommandOf<'ReportDelivery'>,
  state: CommitmentState,
  party: string,
): Outcome => {
  const leg = state.legs.find((known) => known.leg === number);
  if (leg === undefined) return refuse('unknown-leg', `The commitment has no leg ${number}.`, 'leg');
  if (beneficiary !== undefined && !state.beneficiaries.includes(beneficiary)) {
    return refuse('unknown-beneficiary', `${beneficiary} is no beneficiary of this commitment.`, 'beneficiary');
  }
  if (!isInMeasureOf(quantity, leg)) {
    return refuse('measure-mismatch', 'A tranche is in the measure drawn or the measure credited.', 'quantity');
  }
  const tranche = trancheOf(leg, quantity);
  if (tranche === undefined) {
    return refuse('over-delivery', `With this tranche more would be delivered than leg ${number} commits.`, 'quantity');
  }
  return accept({
    type: 'DeliveryReported',
    data: {
      n: state.deliveries.length + 1,
      party,
      leg: number,
      quantity,
      ...tranche,
      ...(beneficiary === undefined ? {} : { beneficiary }),
      date,
      ...(evidence === undefined ? {} : { evidence }),
    },
  });
};

const answerable = (
  state: CommitmentState,
  n: number,
  who: Who,
): { readonly delivery: DeliveryState } | { readonly refusal: CommitmentRejection } => {
  const delivery = state.deliveries.find((known) => known.n === n);
  if (delivery === undefined) return { refusal: rejection('not-found', `There is no delivery ${n}.`) };
  if (!answersFor(state, delivery, who)) {
    return { refusal: rejection('forbidden', `Delivery ${n} is for another State to answer.`) };
  }
  if (!isDeliveryAnswerable(state)) return { refusal: rejection('not-binding', 'The commitment is closed.') };
  if (delivery.status === 'confirmed') {
    return { refusal: rejection('already-confirmed', `Delivery ${n} is confirmed.`) };
  }
  return { delivery };
};

const confirmDelivery = (command: CommandOf<'ConfirmDelivery'>, state: CommitmentState, who: Who): Outcome => {
  const found = answerable(state, command.n, who);
  if ('refusal' in found) return refused(found.refusal);
  const { delivery } = found;
  if (sameSide(who, delivery)) {
    return refuse('own-delivery', 'A delivery is never confirmed by its deliverer, nor by a party of its sovereign.');
  }
  const quantity = command.quantity ?? delivery.quantity;
  if (!isInMeasureOf(quantity, delivery)) {
    return refuse('measure-mismatch', 'A confirmation is in the measure drawn or the measure credited.', 'quantity');
  }
  const inDrawn = sameMeasure(quantity, delivery.drawn);
  const [whole, other] = inDrawn ? [delivery.drawn, delivery.credited] : [delivery.credited, delivery.drawn];
  if (compare(quantity, whole) > 0) {
    return refuse('over-confirmation', `Delivery ${command.n} reported less.`, 'quantity');
  }
  const stated = quantityOf(quantity, minorUnits(quantity));
  const rest = quantityOf(other, proRata(minorUnits(quantity), minorUnits(whole), minorUnits(other)));
  return accept({
    type: 'DeliveryConfirmed',
    data: {
      n: command.n,
      party: who.party,
      quantity,
      ...(inDrawn ? { drawn: stated, credited: rest } : { drawn: rest, credited: stated }),
      condition: command.condition,
      ...(command.note === undefined ? {} : { note: command.note }),
    },
  });
};

const disputeDelivery = (command: CommandOf<'DisputeDelivery'>, state: CommitmentState, who: Who): Outcome => {
  const found = answerable(state, command.n, who);
  if ('refusal' in found) return refused(found.refusal);
  if (found.delivery.status === 'disputed') {
    return refuse('already-disputed', `Delivery ${command.n} is disputed already.`);
  }
  return accept({
    type: 'DeliveryDisputed',
    data: { n: command.n, party: who.party, reason: command.reason },
  });
};

/** From binding on the status follows from the deliveries after every event. */
const derived = (state: CommitmentState): CommitmentState => {
  if (state.status !== 'binding' && state.status !== 'delivered' && state.status !== 'confirmed') return state;
  const complete = state.legs.every(isComplete);
  const confirmed = state.deliveries.every(({ status }) => status === 'confirmed');
  return { ...state, status: !complete ? 'binding' : confirmed ? 'confirmed' : 'delivered' };
};

/** A late answer takes an unconfirmed closing back; silence counts anew from it. */
const reopened = (state: CommitmentState, recordedAt: string): CommitmentState => {
  if (state.status !== 'closed' || state.closedAs !== 'unconfirmed') return state;
  const { closedAs: _closedAs, ...open } = state;
  return { ...open, status: 'delivered', silentSince: recordedAt };
};

const afterConfirmation = (
  state: CommitmentState,
  { n, party, quantity, drawn, credited, condition, note }: EventData<'DeliveryConfirmed'>,
  at: string,
): CommitmentState => {
  const confirmed = state.deliveries.find((delivery) => delivery.n === n);
  return {
    ...state,
    deliveries: replaced(state.deliveries, n, (delivery) => ({
      ...delivery,
      status: 'confirmed',
      confirmed: { party, quantity, condition, ...(note === undefined ? {} : { note }), at },
    })),
    legs: state.legs.map((leg) =>
      leg.leg === confirmed?.leg
        ? {
            ...leg,
            confirmedDrawn: add(leg.confirmedDrawn, drawn),
            confirmedCredited: add(leg.confirmedCredited, credited),
          }
        : leg,
    ),
  };
};
