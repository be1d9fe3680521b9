import { accept, refuse } from '#kernel';
import type { Quantity } from '#vocabulary';
import { compare, isDeterminate, isRival, minorUnits, quantityOf, sameMeasure } from '#vocabulary';
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
  asParty,
  BOUND,
  hostOf,
  isComplete,
  isCoordinatorInCharge,
  isInMeasureOf,
  isProvider,
  isRecipient,
  isSide,
  minus,
  noneOf,
  otherSide,
  plus,
  proRata,
  recipientsOf,
  refused,
  rejection,
  replaced,
  sameSide,
} from './commitment-state.js';
import { suspensionFault } from './commitment-terms.js';
import type { CommitmentEvent, DocumentLink, Leg, Recredit } from './commitment.contract.js';

export type DeliveriesRejectionCode =
  | 'unknown-leg'
  | 'unknown-beneficiary'
  | 'unknown-delivery'
  | 'own-delivery'
  | 'already-confirmed'
  | 'already-disputed'
  | 'already-answered'
  | 'already-returned'
  | 'already-stated'
  | 'not-disputed'
  | 'own-verification'
  | 'over-delivery'
  | 'over-confirmation'
  | 'over-return'
  | 'over-settlement'
  | 'over-verification';

/** What of a tranche, in the measure of the offer's and of the need's line. */
export interface Portion {
  readonly drawn: Quantity;
  readonly credited: Quantity;
}

export interface DeliveryState extends Portion {
  readonly n: number;
  readonly leg: number;
  /** As stated; `drawn` and `credited` say it in both measures, with what was sent back since. */
  readonly quantity: Quantity;
  readonly party: string;
  /** Sovereign of who reported it: never confirmed by the same one. */
  readonly sovereign?: string;
  readonly beneficiary?: string;
  readonly date: string;
  readonly evidence?: readonly { readonly title: string; readonly uri: string; readonly sha256: string }[];
  readonly status: 'reported' | 'confirmed' | 'disputed';
  /** Another figure stood here once: the stream has it. */
  readonly corrected?: boolean;
  /** Sent back so far; absent where nothing was. */
  readonly returned?: Portion;
  readonly confirmed?: Portion & {
    readonly party: string;
    /** As stated. */
    readonly quantity: Quantity;
    readonly condition: 'usable' | 'in-use-later' | 'not-usable';
    readonly note?: string;
    readonly at: string;
    /** What of it was sent back since. */
    readonly returned?: Portion;
  };
  readonly dispute?: { readonly party: string; readonly reason: string; readonly at: string };
  /** What the sides and a mediator said of the newest dispute, one word each. */
  readonly settlements?: readonly (Omit<EventData<'SettlementStated'>, 'n'> & { readonly at: string })[];
  readonly settled?: { readonly outcome: 'stands' | 'reduced'; readonly quantity: Quantity; readonly at: string };
  readonly verifications?: readonly (Omit<EventData<'DeliveryVerified'>, 'n'> & { readonly at: string })[];
}

export interface ReturnState {
  readonly n: number;
  readonly delivery: number;
  readonly leg: number;
  readonly party: string;
  readonly quantity: Quantity;
  readonly reason: string;
  readonly date: string;
}

/** What a commitment keeps of what arrived. */
export interface DeliveriesState {
  readonly deliveries: readonly DeliveryState[];
  readonly returns: readonly ReturnState[];
  /** Server time of the last tranche, or of the act that reopened an unconfirmed closing: silence counts from here. */
  readonly silentSince?: string;
}

export const NO_DELIVERIES: DeliveriesState = { deliveries: [], returns: [] };

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
  | { readonly type: 'DisputeDelivery'; readonly n: number; readonly reason: string }
  | {
      readonly type: 'VerifyDelivery';
      readonly n: number;
      readonly quantity: Quantity;
      readonly note?: string;
      readonly document?: DocumentLink;
    }
  | {
      readonly type: 'StateSettlement';
      readonly n: number;
      readonly outcome: 'stands' | 'reduced';
      /** With `reduced`: what stands of the tranche. */
      readonly quantity?: Quantity;
    }
  | {
      readonly type: 'ReportReturn';
      readonly delivery: number;
      readonly quantity: Quantity;
      readonly reason: string;
      readonly date: string;
    }
  | {
      readonly type: 'CorrectDelivery';
      readonly n: number;
      readonly reason: string;
      /** What is left out stays. */
      readonly quantity?: Quantity;
      readonly beneficiary?: string;
      readonly date?: string;
      readonly evidence?: DeliveryState['evidence'];
    };

type CommandOf<T extends DeliveriesCommand['type']> = Extract<DeliveriesCommand, { type: T }>;

const delivers = (state: CommitmentState, who: Who): boolean =>
  state.implementer === who.party || state.providers.includes(who.party);

/** Statuses in which tranches are still moved about: a cancellation stops further ones, not what is said of those that came. */
const MOVING = ['binding', 'delivered', 'confirmed', 'cancelled'] as const;

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
  VerifyDelivery: {
    segment: 'verify',
    from: MOVING,
    otherwise: 'not-binding',
    who: (state, who) => state.terms.verifier === who.party,
  },
  StateSettlement: {
    segment: 'settle',
    from: MOVING,
    otherwise: 'not-binding',
    who: (state, who) => isSide(state, who) || isCoordinatorInCharge(state, who),
  },
  ReportReturn: {
    segment: 'returns',
    from: MOVING,
    otherwise: 'not-binding',
    who: (state, who) => isRecipient(state, who) || state.implementer === who.party,
  },
  CorrectDelivery: {
    segment: 'correct-delivery',
    from: MOVING,
    otherwise: 'not-binding',
    who: (state, who) => state.deliveries.some(({ party }) => party === who.party),
  },
} as const satisfies Readonly<Record<DeliveriesCommand['type'], Rule>>;

/** Whether there is something to do for a command that its row allows. */
export const hasDeliveryTask = (type: DeliveriesCommand['type'], state: CommitmentState, who: Who): boolean => {
  const has = (which: (delivery: DeliveryState) => boolean): boolean => state.deliveries.some(which);
  switch (type) {
    case 'ReportDelivery':
      return state.legs.some((leg) => !isComplete(leg));
    case 'ConfirmDelivery':
      return hasToAnswer(
        state,
        who,
        (delivery) =>
          delivery.status !== 'confirmed' && (!sameSide(who, delivery) || verifiedOf(delivery) !== undefined),
      );
    case 'DisputeDelivery':
      return hasToAnswer(state, who, ({ status }) => status === 'reported');
    case 'VerifyDelivery':
      return has((delivery) => !isReturned(delivery) && !isOwnTo(state, delivery, who));
    case 'StateSettlement':
      return has((delivery) => isContested(delivery) && speakerOf(state, delivery, who) !== undefined);
    case 'ReportReturn':
      return has((delivery) => !isReturned(delivery) && mayReturn(state, delivery, who));
    case 'CorrectDelivery':
      return has((delivery) => delivery.party === who.party && !isAnswered(delivery));
  }
};

const hasToAnswer = (state: CommitmentState, who: Who, which: (delivery: DeliveryState) => boolean): boolean =>
  isDeliveryAnswerable(state) &&
  state.deliveries.some((delivery) => which(delivery) && !isReturned(delivery) && answersFor(state, delivery, who));

/** Tranches are answered while the commitment lives, after a cancellation, and late, after an unconfirmed closing. */
const isDeliveryAnswerable = ({ status, closedAs }: CommitmentState): boolean =>
  status !== 'closed' || closedAs === 'unconfirmed';

const less = (whole: Portion, part: Portion | undefined): Portion =>
  part === undefined
    ? whole
    : { drawn: minus(whole.drawn, part.drawn), credited: minus(whole.credited, part.credited) };

const together = (a: Portion | undefined, b: Portion): Portion =>
  a === undefined ? b : { drawn: plus(a.drawn, b.drawn), credited: plus(a.credited, b.credited) };

/** What of a tranche is there: what came less what went back. */
const remaining = (delivery: DeliveryState): Portion => less(delivery, delivery.returned);

/** What of it is confirmed and was not sent back. */
const confirmedOf = ({ confirmed }: DeliveryState): Portion | undefined =>
  confirmed === undefined ? undefined : less(confirmed, confirmed.returned);

/** Sent back whole: there is nothing left to confirm, dispute or settle. */
const isReturned = (delivery: DeliveryState): boolean => {
  const { drawn, credited } = remaining(delivery);
  // A small tranche may be too little for a figure in one of the two measures.
  return [drawn, credited].every((left) => !isDeterminate(left) || minorUnits(left) === 0n);
};

/** The other side, or something that came of the tranche, speaks to its figure: it stands as it was reported. */
const isAnswered = ({ status, dispute, returned }: DeliveryState): boolean =>
  status !== 'reported' || dispute !== undefined || returned !== undefined;

/** A tranche for one State is that State's to answer; a shared one the host's, or any recipient's where the host delivered it. */
const answersFor = (state: CommitmentState, delivery: DeliveryState, who: Who): boolean => {
  if (delivery.beneficiary !== undefined) return delivery.beneficiary === who.party;
  const host = hostOf(state);
  return host === undefined || sameSide({ party: host }, delivery) ? isRecipient(state, who) : host === who.party;
};

const isContested = (delivery: DeliveryState): boolean => delivery.status === 'disputed' && !isReturned(delivery);

export const isDisputed = (state: CommitmentState): boolean => state.deliveries.some(isContested);

export const decideDelivery = (command: DeliveriesCommand, state: CommitmentState, who: Who): Outcome => {
  switch (command.type) {
    case 'ReportDelivery':
      return reportDelivery(command, state, who.party);
    case 'ConfirmDelivery':
      return confirmDelivery(command, state, who);
    case 'DisputeDelivery':
      return disputeDelivery(command, state, who);
    case 'VerifyDelivery':
      return verifyDelivery(command, state, who);
    case 'StateSettlement':
      return stateSettlement(command, state, who);
    case 'ReportReturn':
      return reportReturn(command, state, who);
    case 'CorrectDelivery':
      return correctDelivery(command, state, who);
  }
};

/** The state after an event of deliveries; undefined where it is another's. */
export const afterDelivery = (
  state: CommitmentState,
  event: CommitmentEvent,
  { actor, effectiveAt, recordedAt }: EventContext,
): CommitmentState | undefined => {
  const became = (
    n: number,
    from: CommitmentState,
    change: (delivery: DeliveryState) => DeliveryState,
  ): CommitmentState => tallied({ ...from, deliveries: replaced(from.deliveries, n, change) });
  switch (event.type) {
    case 'DeliveryReported':
      return tallied({
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
      });
    case 'DeliveryConfirmed': {
      const { n, ...confirmed } = event.data;
      return became(n, reopened(state, recordedAt), (delivery) => ({
        ...delivery,
        status: 'confirmed',
        confirmed: { ...confirmed, at: effectiveAt },
      }));
    }
    case 'DeliveryDisputed': {
      const { n, party, reason } = event.data;
      return became(
        n,
        reopened(state, recordedAt),
        ({ settlements: _settlements, settled: _settled, ...delivery }) => ({
          ...delivery,
          status: 'disputed',
          dispute: { party, reason, at: effectiveAt },
        }),
      );
    }
    case 'DeliveryVerified': {
      const { n, ...verification } = event.data;
      return became(n, state, (delivery) => ({
        ...delivery,
        verifications: [...(delivery.verifications ?? []), { ...verification, at: effectiveAt }],
      }));
    }
    case 'SettlementStated': {
      const { n, ...statement } = event.data;
      return became(n, state, (delivery) => ({
        ...delivery,
        settlements: [
          ...(delivery.settlements ?? []).filter(({ as }) => as !== statement.as),
          { ...statement, at: effectiveAt },
        ],
      }));
    }
    case 'DisputeSettled': {
      const { n, outcome, ...tranche } = event.data;
      // It is reported again: the State has the time to answer.
      return became(n, { ...state, silentSince: recordedAt }, (delivery) => ({
        ...delivery,
        ...tranche,
        status: 'reported',
        settled: { outcome, quantity: tranche.quantity, at: effectiveAt },
      }));
    }
    case 'DeliveryCorrected': {
      const { n, party: _party, leg: _leg, reason: _reason, ...tranche } = event.data;
      return became(n, { ...state, silentSince: recordedAt }, (delivery) => ({
        ...delivery,
        ...tranche,
        corrected: true,
      }));
    }
    case 'ReturnReported': {
      const { drawn, credited, confirmed: back, ...data } = event.data;
      const returns = [...state.returns, data];
      return became(data.delivery, { ...state, returns }, ({ confirmed, ...delivery }) => ({
        ...delivery,
        returned: together(delivery.returned, { drawn, credited }),
        ...(confirmed === undefined
          ? {}
          : {
              confirmed: {
                ...confirmed,
                ...(back === undefined ? {} : { returned: together(confirmed.returned, back) }),
              },
            }),
      }));
    }
    default:
      return undefined;
  }
};

/** Part of a whole that is known in two measures, from the part in one of them: rounded down, and all of it takes all of both. */
const partOf = (whole: Portion, quantity: Quantity): Portion => {
  const inDrawn = sameMeasure(quantity, whole.drawn);
  const [measured, other] = inDrawn ? [whole.drawn, whole.credited] : [whole.credited, whole.drawn];
  const [part, all] = [minorUnits(quantity), minorUnits(measured)];
  const stated = quantityOf(quantity, part);
  // Of nothing there is nothing; what is credited in words has no figure.
  const rest =
    isDeterminate(other) && all > 0n ? quantityOf(other, proRata(part, all, minorUnits(other))) : noneOf(other);
  return inDrawn ? { drawn: stated, credited: rest } : { drawn: rest, credited: stated };
};

/** The same; undefined where it is more than the whole. */
const portionOf = (whole: Portion, quantity: Quantity): Portion | undefined =>
  isBeyond(quantity, whole) ? undefined : partOf(whole, quantity);

/**
 * A tranche in both measures of its leg, as part of what is still to be delivered; undefined where it passes what was committed.
 * What an amendment changed of the rate between the measures holds for what is still to come: earlier tranches keep their credit.
 */
export const trancheOf = (
  leg: Pick<LegState, 'drawn' | 'credited' | 'deliveredDrawn' | 'deliveredCredited'>,
  quantity: Quantity,
): Portion | undefined =>
  portionOf(
    { drawn: minus(leg.drawn, leg.deliveredDrawn), credited: minus(leg.credited, leg.deliveredCredited) },
    quantity,
  );

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
  const suspended = suspensionFault(state, date);
  if (suspended !== undefined) return refused(suspended);
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
  if (isReturned(delivery)) return { refusal: goneBack(n) };
  return { delivery };
};

const confirmDelivery = (command: CommandOf<'ConfirmDelivery'>, state: CommitmentState, who: Who): Outcome => {
  const found = answerable(state, command.n, who);
  if ('refusal' in found) return refused(found.refusal);
  const { delivery } = found;
  const verified = verifiedOf(delivery);
  const isOwn = sameSide(who, delivery);
  if (isOwn && verified === undefined) {
    return refuse(
      'own-delivery',
      'A delivery is never confirmed by its deliverer, nor by a party of its sovereign, unless a third party verified it.',
    );
  }
  const whole = remaining(delivery);
  const quantity =
    command.quantity ??
    (isOwn && verified !== undefined ? inMeasureOf(delivery, lesser(whole, verified)) : stated(delivery));
  if (!isInMeasureOf(quantity, delivery)) {
    return refuse('measure-mismatch', 'A confirmation is in the measure drawn or the measure credited.', 'quantity');
  }
  const portion = portionOf(whole, quantity);
  if (portion === undefined) {
    return refuse('over-confirmation', `Delivery ${command.n} reported less, or less of it is left.`, 'quantity');
  }
  if (isOwn && verified !== undefined && isBeyond(quantity, verified)) {
    return refuse('over-confirmation', `Less of delivery ${command.n} was verified.`, 'quantity');
  }
  return accept({
    type: 'DeliveryConfirmed',
    data: {
      n: command.n,
      party: who.party,
      quantity,
      ...portion,
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

const goneBack = (n: number): CommitmentRejection =>
  rejection('already-returned', `Delivery ${n} was sent back whole: nothing of it is left.`);

/** What is left of a tranche, in the measure it was stated in. */
const stated = (delivery: DeliveryState): Quantity =>
  delivery.returned === undefined ? delivery.quantity : inMeasureOf(delivery, remaining(delivery));

const inMeasureOf = ({ quantity, drawn }: DeliveryState, portion: Portion): Quantity =>
  sameMeasure(quantity, drawn) ? portion.drawn : portion.credited;

/** What a third party found of the tranche, at its newest word. */
const verifiedOf = (delivery: DeliveryState): Portion | undefined => {
  const newest = delivery.verifications?.at(-1);
  // A tranche that was settled for less since then is verified as far as it stands.
  return newest === undefined ? undefined : (portionOf(delivery, newest.quantity) ?? delivery);
};

const smaller = (a: Quantity, b: Quantity): Quantity => (sameMeasure(a, b) && compare(b, a) < 0 ? b : a);
const lesser = (a: Portion, b: Portion): Portion => ({
  drawn: smaller(a.drawn, b.drawn),
  credited: smaller(a.credited, b.credited),
});

const isBeyond = (quantity: Quantity, { drawn, credited }: Portion): boolean =>
  compare(quantity, sameMeasure(quantity, drawn) ? drawn : credited) > 0;

/** A verifier is a third party: of the sovereign of neither the deliverer nor a provider nor a beneficiary. */
const isOwnTo = (state: CommitmentState, delivery: DeliveryState, who: Who): boolean =>
  [delivery, ...[...state.providers, ...recipientsOf(state)].map((party) => asParty(state, party))].some((party) =>
    sameSide(who, party),
  );

const verifyDelivery = (command: CommandOf<'VerifyDelivery'>, state: CommitmentState, who: Who): Outcome => {
  const { n, quantity, note, document } = command;
  const delivery = state.deliveries.find((known) => known.n === n);
  if (delivery === undefined) return refuse('not-found', `There is no delivery ${n}.`);
  if (isOwnTo(state, delivery, who)) {
    return refuse('own-verification', 'A verifier is a third party: of neither side’s sovereign, nor the deliverer’s.');
  }
  if (isReturned(delivery)) return refused(goneBack(n));
  if (!isInMeasureOf(quantity, delivery)) {
    return refuse('measure-mismatch', 'A verification is in the measure drawn or the measure credited.', 'quantity');
  }
  if (isBeyond(quantity, delivery)) return refuse('over-verification', `Delivery ${n} reported less.`, 'quantity');
  return accept({
    type: 'DeliveryVerified',
    data: {
      n,
      party: who.party,
      quantity,
      ...(note === undefined ? {} : { note }),
      ...(document === undefined ? {} : { document }),
    },
  });
};

/** As whom this party speaks to a dispute: the State that answers for the tranche, a provider, or the coordinator as mediator. */
const speakerOf = (
  state: CommitmentState,
  delivery: DeliveryState,
  who: Who,
): 'provider' | 'recipient' | 'mediator' | undefined => {
  if (isRecipient(state, who) && answersFor(state, delivery, who)) return 'recipient';
  if (isProvider(state, who)) return 'provider';
  return isCoordinatorInCharge(state, who) ? 'mediator' : undefined;
};

const stateSettlement = (command: CommandOf<'StateSettlement'>, state: CommitmentState, who: Who): Outcome => {
  const { n, outcome, quantity } = command;
  const delivery = state.deliveries.find((known) => known.n === n);
  if (delivery === undefined) return refuse('not-found', `There is no delivery ${n}.`);
  const as = speakerOf(state, delivery, who);
  if (as === undefined) return refuse('forbidden', `Delivery ${n} is for another State to answer.`);
  if (delivery.status !== 'disputed') return refuse('not-disputed', `Delivery ${n} is ${delivery.status}.`);
  if (isReturned(delivery)) return refused(goneBack(n));
  const tranche = settledTranche(delivery, quantity);
  if ('code' in tranche) return refused(tranche);
  const { settlements = [] } = delivery;
  const said = { outcome, ...(quantity === undefined ? {} : { quantity }) };
  const says = (side: string): boolean => settlements.some((other) => other.as === side && isSame(other, said));
  if (says(as)) return refuse('already-stated', 'This was stated already: the other side has to state the same.');
  const statement: CommitmentEvent = { type: 'SettlementStated', data: { n, party: who.party, as, ...said } };
  const agreed = as !== 'mediator' && says(otherSide(as));
  return agreed
    ? accept<CommitmentEvent>(statement, { type: 'DisputeSettled', data: { n, outcome, ...tranche } })
    : accept(statement);
};

type Settling = Pick<EventData<'SettlementStated'>, 'outcome' | 'quantity'>;

const isSame = (a: Settling, b: Settling): boolean => {
  if (a.outcome !== b.outcome) return false;
  if (a.quantity === undefined || b.quantity === undefined) return a.quantity === b.quantity;
  return sameMeasure(a.quantity, b.quantity) && compare(a.quantity, b.quantity) === 0;
};

/** The tranche as a settlement leaves it, with what was sent back since: nothing of that stands twice. */
const settledTranche = (
  delivery: DeliveryState,
  quantity: Quantity | undefined,
): (Portion & { readonly quantity: Quantity }) | CommitmentRejection => {
  const { drawn, credited, returned } = delivery;
  if (quantity === undefined) return { quantity: delivery.quantity, drawn, credited };
  if (!isInMeasureOf(quantity, delivery)) {
    return rejection('measure-mismatch', 'What stands is in the measure drawn or the measure credited.', 'quantity');
  }
  const portion = portionOf(delivery, quantity);
  const back = returned === undefined ? undefined : inMeasureOf({ ...delivery, quantity }, returned);
  const isTooMuch =
    portion === undefined || !isBeyond(inMeasureOf({ ...delivery, quantity }, delivery), { ...portion });
  if (isTooMuch || (back !== undefined && compare(quantity, back) < 0)) {
    return rejection(
      'over-settlement',
      'What stands is less than was reported, and no less than was sent back.',
      'quantity',
    );
  }
  return {
    quantity,
    drawn: returned === undefined ? portion.drawn : greater(portion.drawn, returned.drawn),
    credited: returned === undefined ? portion.credited : greater(portion.credited, returned.credited),
  };
};

const greater = (a: Quantity, b: Quantity): Quantity => (sameMeasure(a, b) && compare(b, a) > 0 ? b : a);

const mayReturn = (state: CommitmentState, delivery: DeliveryState, who: Who): boolean =>
  state.implementer === who.party ||
  (delivery.beneficiary === undefined ? isRecipient(state, who) : delivery.beneficiary === who.party);

const reportReturn = (command: CommandOf<'ReportReturn'>, state: CommitmentState, who: Who): Outcome => {
  const { delivery: n, quantity, reason, date } = command;
  const delivery = state.deliveries.find((known) => known.n === n);
  if (delivery === undefined) return refuse('unknown-delivery', `There is no delivery ${n}.`, 'delivery');
  if (!mayReturn(state, delivery, who)) return refuse('forbidden', `Delivery ${n} is another State’s to send back.`);
  if (!isInMeasureOf(quantity, delivery)) {
    return refuse('measure-mismatch', 'A return is in the measure drawn or the measure credited.', 'quantity');
  }
  const portion = portionOf(remaining(delivery), quantity);
  if (portion === undefined) return refuse('over-return', `Less of delivery ${n} is there.`, 'quantity');
  const confirmed = confirmedOf(delivery);
  return accept({
    type: 'ReturnReported',
    data: {
      n: state.returns.length + 1,
      delivery: n,
      party: who.party,
      leg: delivery.leg,
      quantity,
      ...portion,
      // What is sent back had arrived: it comes off what was confirmed first.
      ...(confirmed === undefined ? {} : { confirmed: lesser(portion, confirmed) }),
      reason,
      date,
    },
  });
};

const correctDelivery = (command: CommandOf<'CorrectDelivery'>, state: CommitmentState, who: Who): Outcome => {
  const { n, reason } = command;
  const delivery = state.deliveries.find((known) => known.n === n);
  if (delivery === undefined) return refuse('not-found', `There is no delivery ${n}.`);
  if (delivery.party !== who.party) return refuse('forbidden', `Delivery ${n} is corrected by who reported it.`);
  if (isAnswered(delivery)) {
    return refuse('already-answered', `Delivery ${n} has been answered: a difference is settled with the other side.`);
  }
  const { quantity = delivery.quantity, beneficiary = delivery.beneficiary, date = delivery.date } = command;
  const evidence = command.evidence ?? delivery.evidence;
  if (beneficiary !== undefined && !state.beneficiaries.includes(beneficiary)) {
    return refuse('unknown-beneficiary', `${beneficiary} is no beneficiary of this commitment.`, 'beneficiary');
  }
  if (!isInMeasureOf(quantity, delivery)) {
    return refuse('measure-mismatch', 'A tranche is in the measure drawn or the measure credited.', 'quantity');
  }
  // What was reported of an earlier day stays correctable; no tranche is moved into the suspension.
  const suspended = date === delivery.date ? undefined : suspensionFault(state, date);
  if (suspended !== undefined) return refused(suspended);
  const tranche = command.quantity === undefined ? delivery : correctedTranche(state, delivery, quantity);
  if (tranche === undefined) {
    return refuse('over-delivery', `With this more would be delivered than leg ${delivery.leg} commits.`, 'quantity');
  }
  return accept({
    type: 'DeliveryCorrected',
    data: {
      n,
      party: who.party,
      leg: delivery.leg,
      quantity,
      drawn: tranche.drawn,
      credited: tranche.credited,
      ...(beneficiary === undefined ? {} : { beneficiary }),
      date,
      ...(evidence === undefined ? {} : { evidence }),
      reason,
    },
  });
};

/** The tranche at its new size, as if the old one had not been reported; after a cancellation nothing grows, for the rest was released. */
const correctedTranche = (state: CommitmentState, delivery: DeliveryState, quantity: Quantity): Portion | undefined => {
  if (state.status === 'cancelled') return portionOf(delivery, quantity);
  const [tranche] = state.legs
    .filter(({ leg }) => leg === delivery.leg)
    .map((leg) =>
      trancheOf(
        {
          ...leg,
          deliveredDrawn: minus(leg.deliveredDrawn, delivery.drawn),
          deliveredCredited: minus(leg.deliveredCredited, delivery.credited),
        },
        quantity,
      ),
    );
  return tranche;
};

/** Figures of stored quantities, read once: a commitment of many tranches is summed after each of them. */
const READ = new WeakMap<Quantity, bigint>();

const minorOf = (quantity: Quantity): bigint => {
  const known = READ.get(quantity);
  if (known !== undefined) return known;
  const minor = minorUnits(quantity);
  READ.set(quantity, minor);
  return minor;
};

/** The sum in the measure of `like` of those that have it: a scope in words adds no figure. */
const sumIn = (like: Quantity, quantities: readonly Quantity[]): Quantity =>
  isRival(like)
    ? quantityOf(
        like,
        quantities.reduce((sum, quantity) => (sameMeasure(like, quantity) ? sum + minorOf(quantity) : sum), 0n),
      )
    : quantities.reduce(plus, noneOf(like));

/** The figures of every leg from its tranches, and from binding on the status from them: after every event. */
export const tallied = (state: CommitmentState): CommitmentState => {
  const legs = state.legs.map((leg) => {
    const mine = state.deliveries.filter((delivery) => delivery.leg === leg.leg);
    const delivered = mine.map(remaining);
    const confirmed = mine.map(confirmedOf).filter((portion) => portion !== undefined);
    return {
      ...leg,
      deliveredDrawn: sumIn(
        leg.drawn,
        delivered.map(({ drawn }) => drawn),
      ),
      deliveredCredited: sumIn(
        leg.credited,
        delivered.map(({ credited }) => credited),
      ),
      confirmedDrawn: sumIn(
        leg.drawn,
        confirmed.map(({ drawn }) => drawn),
      ),
      confirmedCredited: sumIn(
        leg.credited,
        confirmed.map(({ credited }) => credited),
      ),
    };
  });
  return derived({ ...state, legs });
};

/** From binding on the status follows from the deliveries after every event. */
const derived = (state: CommitmentState): CommitmentState => {
  if (state.status !== 'binding' && state.status !== 'delivered' && state.status !== 'confirmed') return state;
  const complete = state.legs.every(isComplete);
  const confirmed = state.deliveries.every((delivery) => delivery.status === 'confirmed' || isReturned(delivery));
  if (complete && confirmed) return { ...state, status: 'confirmed' };
  // What was said of closing was said of a commitment that had all come.
  const { closeProposed: _closeProposed, ...open } = state;
  return { ...open, status: complete ? 'delivered' : 'binding' };
};

/** The credit of tranches that had only words for it, where their leg has a figure now: pro rata of what is there. */
export const recreditsOf = (state: CommitmentState, legs: readonly Leg[]): Recredit[] =>
  legs.flatMap((leg) => {
    const before = state.legs.find((known) => known.leg === leg.leg);
    if (before === undefined || isDeterminate(before.credited) || !isDeterminate(leg.credited)) return [];
    let sum: Portion = { drawn: noneOf(leg.drawn), credited: noneOf(leg.credited) };
    return state.deliveries
      .filter((delivery) => delivery.leg === leg.leg && !isReturned(delivery))
      .map((delivery): Recredit => {
        const there = remaining(delivery).drawn;
        const portion = partOf(less(leg, sum), there);
        sum = together(sum, portion);
        const confirmed = confirmedOf(delivery);
        const confirmedPart = confirmed === undefined ? undefined : partOf(portion, confirmed.drawn);
        return {
          leg: leg.leg,
          delivery: delivery.n,
          credited: portion.credited,
          ...(confirmedPart === undefined ? {} : { confirmed: confirmedPart.credited }),
        };
      });
  });

/** Tranches with the credit an amendment gave them; what was sent back before never had one. */
export const recredited = (
  deliveries: readonly DeliveryState[],
  credits: readonly Recredit[],
): readonly DeliveryState[] =>
  deliveries.map((delivery) => {
    const credit = credits.find(({ delivery: n }) => n === delivery.n);
    if (credit === undefined) return delivery;
    const { credited, confirmed: part } = credit;
    const { returned, confirmed } = delivery;
    const nothing = noneOf(credited);
    return {
      ...delivery,
      credited,
      ...(returned === undefined ? {} : { returned: { ...returned, credited: nothing } }),
      ...(confirmed === undefined || part === undefined
        ? {}
        : {
            confirmed: {
              ...confirmed,
              credited: part,
              ...(confirmed.returned === undefined ? {} : { returned: { ...confirmed.returned, credited: nothing } }),
            },
          }),
    };
  });

/** A late answer takes an unconfirmed closing back; silence counts anew from it. */
const reopened = (state: CommitmentState, recordedAt: string): CommitmentState => {
  if (state.status !== 'closed' || state.closedAs !== 'unconfirmed') return state;
  const { closedAs: _closedAs, ...open } = state;
  return { ...open, status: 'delivered', silentSince: recordedAt };
};
