import type { CommitmentEvent, LegShift } from '#commitments/contract';
import type { CommandContext, Decider, Process, ProcessCommand, RecordedEvent } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { Quantity } from '#vocabulary';
import { isRival, minorUnits, quantityOf } from '#vocabulary';
import type { CapacityKey } from './offer.contract.js';
import type { LegKey, OfferCommand } from './offer.js';
import { offerDecider } from './offer.js';

interface DrawnLeg {
  readonly leg: number;
  readonly offerLine: number;
  readonly drawn: Quantity;
  readonly credited: Quantity;
}

/** A tranche as it is now, in the offer's measure and in the need's. */
interface Tranche {
  readonly leg: number;
  readonly reported: bigint;
  readonly returned: bigint;
  readonly credited: bigint;
  readonly creditReturned: bigint;
  readonly confirmed: boolean;
}

/** What of a commitment says where its capacity is: later events name neither the offer nor all legs. */
interface Drawing {
  readonly offerId?: string;
  /** The legs as they are now. */
  readonly legs: readonly DrawnLeg[];
  /** The amendment that brought each leg there ever was. */
  readonly broughtBy: Readonly<Record<string, number>>;
  /** Legs that each proposed amendment asks for. */
  readonly proposed: Readonly<Record<string, readonly DrawnLeg[]>>;
  /** What the proposal and each agreed amendment reserve, whatever became of it. */
  readonly asked: Readonly<Record<string, readonly LegKey[]>>;
  /** The proposal and the amendments that took effect. */
  readonly inEffect: readonly number[];
  /** Revision of its binding, and what was in effect then. */
  readonly bound?: { readonly at: number; readonly amendments: readonly number[] };
  /** Revision at which it was cancelled, or left before it bound. */
  readonly leftAt?: number;
  readonly closed: boolean;
  /** Revisions of the events after which it held access no more, and what was in effect then. */
  readonly rested: readonly { readonly at: number; readonly amendments: readonly number[] }[];
  readonly tranches: Readonly<Record<string, Tranche>>;
}

type Told = Extract<
  CommitmentEvent,
  {
    type:
      | 'CommitmentProposed'
      | 'CommitmentBound'
      | 'AmendmentProposed'
      | 'AmendmentAgreed'
      | 'CommitmentAmended'
      | 'DeliveryReported'
      | 'DeliveryConfirmed'
      | 'DeliveryDisputed'
      | 'DeliveryCorrected'
      | 'DisputeSettled'
      | 'ReturnReported'
      | 'CommitmentDeclined'
      | 'CommitmentLapsed'
      | 'CommitmentWithdrawn'
      | 'CommitmentCancelled'
      | 'CommitmentClosed';
  }
>;

const NO_TRANCHE: Tranche = {
  ...{ leg: 0, reported: 0n, returned: 0n, credited: 0n, creditReturned: 0n },
  confirmed: false,
};

/** A scope in words has no figure. */
const figureOf = (credited: Quantity): bigint => (isRival(credited) ? minorUnits(credited) : 0n);

const grown = (increases: readonly LegShift[], n: number): readonly LegKey[] =>
  increases.flatMap(({ leg, drawn }) => (drawn === undefined ? [] : [{ leg, amendment: n }]));

/** The fold is of the whole stream, what an event asks for is of its own moment: hence the revisions. */
const after = (so: Drawing, event: RecordedEvent): Drawing => {
  // The envelope keeps type and data apart; together they are one of the commitment's events.
  const fact = event as unknown as Told;
  const tranche = (n: number, changes: Partial<Tranche>): Drawing => ({
    ...so,
    tranches: { ...so.tranches, [n]: { ...(so.tranches[n] ?? NO_TRANCHE), ...changes } },
  });
  switch (fact.type) {
    case 'CommitmentProposed': {
      const { offerId, legs } = fact.data;
      return {
        ...so,
        offerId,
        legs,
        broughtBy: Object.fromEntries(legs.map(({ leg, amendment }) => [leg, amendment])),
        asked: { 0: legs.map(({ leg, amendment }) => ({ leg, amendment })) },
      };
    }
    case 'CommitmentBound':
      return { ...so, bound: { at: event.revision, amendments: so.inEffect } };
    case 'AmendmentProposed': {
      const { n, changes } = fact.data;
      return changes.legs === undefined ? so : { ...so, proposed: { ...so.proposed, [n]: changes.legs } };
    }
    case 'AmendmentAgreed': {
      const { n, increases } = fact.data;
      return { ...so, asked: { ...so.asked, [n]: grown(increases, n) } };
    }
    case 'CommitmentAmended': {
      const { n, legs, recredited } = fact.data;
      const brought = legs.filter(({ leg }) => so.broughtBy[leg] === undefined).map(({ leg }) => [leg, n] as const);
      const credits = recredited.map(({ delivery, credited }): readonly [number, Tranche] => [
        delivery,
        // What was sent back before never had a credit.
        { ...(so.tranches[delivery] ?? NO_TRANCHE), credited: figureOf(credited), creditReturned: 0n },
      ]);
      return {
        ...so,
        legs,
        broughtBy: { ...so.broughtBy, ...Object.fromEntries(brought) },
        inEffect: [...so.inEffect, n],
        tranches: { ...so.tranches, ...Object.fromEntries(credits) },
      };
    }
    case 'DeliveryReported':
    case 'DeliveryCorrected': {
      const { n, leg, drawn, credited } = fact.data;
      return tranche(n, { leg, reported: minorUnits(drawn), credited: figureOf(credited) });
    }
    case 'DisputeSettled': {
      const { n, drawn, credited } = fact.data;
      return tranche(n, { reported: minorUnits(drawn), credited: figureOf(credited) });
    }
    case 'DeliveryConfirmed':
      return tranche(fact.data.n, { confirmed: true });
    case 'DeliveryDisputed':
      return tranche(fact.data.n, { confirmed: false });
    case 'ReturnReported': {
      const { delivery, drawn, credited } = fact.data;
      const { returned, creditReturned } = so.tranches[delivery] ?? NO_TRANCHE;
      return tranche(delivery, {
        returned: returned + minorUnits(drawn),
        creditReturned: creditReturned + figureOf(credited),
      });
    }
    case 'CommitmentDeclined':
    case 'CommitmentLapsed':
    case 'CommitmentWithdrawn':
    case 'CommitmentCancelled':
      return { ...so, leftAt: event.revision };
    case 'CommitmentClosed':
      return { ...so, closed: true };
  }
};

/** Every leg has arrived, in both measures, and every tranche is confirmed or came back whole: the commitment's own word for confirmed. */
const isConfirmed = ({ legs, tranches }: Drawing): boolean => {
  const all = Object.values(tranches);
  const sumOf = (leg: number, part: (tranche: Tranche) => bigint): bigint =>
    all.reduce((sum, one) => (one.leg === leg ? sum + part(one) : sum), 0n);
  return (
    legs.every(
      ({ leg, drawn, credited }) =>
        sumOf(leg, ({ reported, returned }) => reported - returned) >= minorUnits(drawn) &&
        sumOf(leg, ({ credited: come, creditReturned }) => come - creditReturned) >= figureOf(credited),
    ) && all.every(({ confirmed, reported, returned }) => confirmed || reported === returned)
  );
};

const isAccess = ({ drawn: { measure } }: DrawnLeg): boolean => measure === 'access';

/** Uses of access lines are held until the commitment is confirmed or left. */
const restsAccess = (so: Drawing): boolean =>
  so.legs.some(isAccess) && (so.leftAt !== undefined || so.closed || (so.bound !== undefined && isConfirmed(so)));

const drawing: Decider<Drawing, never, Told, never> = {
  category: 'commitment',
  initial: {
    legs: [],
    broughtBy: {},
    proposed: {},
    asked: {},
    inEffect: [0],
    closed: false,
    rested: [],
    tranches: {},
  },
  schemas: {
    CommitmentProposed: 1,
    CommitmentBound: 1,
    AmendmentProposed: 1,
    AmendmentAgreed: 1,
    CommitmentAmended: 1,
    DeliveryReported: 1,
    DeliveryConfirmed: 1,
    DeliveryDisputed: 1,
    DeliveryCorrected: 1,
    DisputeSettled: 1,
    ReturnReported: 1,
    CommitmentDeclined: 1,
    CommitmentLapsed: 1,
    CommitmentWithdrawn: 1,
    CommitmentCancelled: 1,
    CommitmentClosed: 1,
  },
  decide: () => {
    throw new Error('a commitment is not decided here');
  },
  evolve: (before, event) => {
    const so = after(before, event);
    if (!restsAccess(so)) return so;
    return { ...so, rested: [...so.rested, { at: event.revision, amendments: so.inEffect }] };
  },
};

/**
 * Guarantees that an offer's capacity is held, committed, delivered and released as the commitments on it go, and as their
 * amendments, returns and corrections change them. Every command asks for a state of affairs: told twice, nothing is written twice.
 */
export const capacityHolding: Process = {
  name: 'capacity-holding',
  handles: [
    'CommitmentProposed',
    'CommitmentBound',
    'DeliveryReported',
    'DeliveryConfirmed',
    'DeliveryCorrected',
    'DisputeSettled',
    'ReturnReported',
    'AmendmentAgreed',
    'AmendmentRefused',
    'AmendmentDeclined',
    'AmendmentLapsed',
    'CommitmentAmended',
    'CommitmentDeclined',
    'CommitmentLapsed',
    'CommitmentWithdrawn',
    'CommitmentCancelled',
    'CommitmentClosed',
  ],
  async react(event, reads) {
    const commitment = idOfStream(event.stream);
    // The envelope keeps type and data apart; together they are one of the commitment's events.
    const fact = event as unknown as CommitmentEvent;
    if (fact.type === 'CommitmentProposed') return [proposal(commitment, fact.data)];
    const so = (await reads.load(drawing, commitment)).state;
    const { offerId } = so;
    if (offerId === undefined) throw new Error(`commitment ${commitment} was never proposed`);
    const to = (key: string, command: (by: CommandContext) => OfferCommand): ProcessCommand =>
      processCommand({ decider: offerDecider, id: offerId, key, command });
    const keyOf = (leg: number): CapacityKey => ({ commitment, leg, amendment: so.broughtBy[leg] ?? 0 });
    const free = (keys: readonly LegKey[]): readonly ProcessCommand[] =>
      keys.length === 0 ? [] : [to('release', (by) => ({ type: 'ReleaseCapacity', by, commitment, legs: keys }))];
    const everything = (): readonly ProcessCommand[] => free(Object.values(so.asked).flat());
    // What comes back or turns out smaller after the commitment was left is no longer promised to it.
    const unlessLeft = (): readonly ProcessCommand[] =>
      so.leftAt !== undefined && so.leftAt < event.revision ? everything() : [];
    // Told again later, an event still frees only what was in effect at its own moment: an amendment may have added uses since.
    const access = (): readonly ProcessCommand[] =>
      so.rested
        .filter(({ at }) => at === event.revision)
        .map(({ amendments }) => {
          const legs = amendments.flatMap((n) => so.asked[n] ?? []);
          return to('free-access', (by) => ({ type: 'FreeAccess', by, commitment, legs }));
        });
    const corrected = (leg: number, delivery: number, quantity: Quantity): ProcessCommand =>
      to('correct', (by) => ({
        type: 'CorrectCapacity',
        ...{ by, key: keyOf(leg), delivery, quantity, asked: event.id },
      }));
    switch (fact.type) {
      case 'CommitmentBound': {
        const legs = (so.bound?.amendments ?? []).flatMap((n) => so.asked[n] ?? []);
        return [to('commit', (by) => ({ type: 'CommitCapacity', by, commitment, legs }))];
      }
      case 'DeliveryReported': {
        const { leg, n: delivery, drawn: quantity } = fact.data;
        return [to('deliver', (by) => ({ type: 'DeliverCapacity', by, key: keyOf(leg), delivery, quantity }))];
      }
      case 'DeliveryCorrected': {
        const { leg, n, drawn } = fact.data;
        return [corrected(leg, n, drawn), ...unlessLeft()];
      }
      case 'DisputeSettled': {
        const { n, drawn } = fact.data;
        return [corrected(so.tranches[n]?.leg ?? 0, n, drawn), ...unlessLeft()];
      }
      case 'ReturnReported': {
        const { leg, delivery, n, drawn: quantity } = fact.data;
        const given = to('return', (by) => ({
          type: 'ReturnCapacity',
          ...{ by, key: keyOf(leg), delivery, return: n, quantity },
        }));
        return [given, ...unlessLeft()];
      }
      case 'AmendmentAgreed':
        return increase(to, commitment, so, fact.data);
      case 'AmendmentRefused':
      case 'AmendmentDeclined':
      case 'AmendmentLapsed':
        return free(so.asked[fact.data.n] ?? []);
      case 'CommitmentAmended': {
        const { n, increases, decreases } = fact.data;
        const added = so.bound !== undefined && so.bound.at < event.revision ? grown(increases, n) : [];
        const less = decreases.flatMap(({ leg, drawn }) => (drawn === undefined ? [] : [{ leg, quantity: drawn }]));
        return [
          ...(added.length === 0
            ? []
            : [to('commit', (by) => ({ type: 'CommitCapacity', by, commitment, legs: added }))]),
          ...(less.length === 0
            ? []
            : [to('reduce', (by) => ({ type: 'ReduceCapacity', by, commitment, amendment: n, legs: less }))]),
          ...access(),
        ];
      }
      case 'DeliveryConfirmed':
      case 'CommitmentClosed':
        return access();
      default:
        // Declined, lapsed, withdrawn: all of it. Cancelled: what was not delivered, which is what the offer frees.
        return [...everything(), ...access()];
    }
  },
};

const proposal = (
  commitment: string,
  { offerId, legs, earmarkFacts }: Extract<CommitmentEvent, { type: 'CommitmentProposed' }>['data'],
): ProcessCommand =>
  processCommand({
    decider: offerDecider,
    id: offerId,
    key: 'reserve',
    command: (by): OfferCommand => ({
      type: 'ReserveCapacity',
      by,
      commitment,
      amendment: 0,
      legs: legs.map(({ leg, offerLine, needLine, drawn }) => ({ leg, line: offerLine, needLine, quantity: drawn })),
      facts: earmarkFacts,
    }),
  });

/** Asks the offer for what an agreed amendment adds; nothing where it draws no more. */
const increase = (
  to: (key: string, command: (by: CommandContext) => OfferCommand) => ProcessCommand,
  commitment: string,
  { proposed }: Drawing,
  { n, increases, earmarkFacts }: Extract<CommitmentEvent, { type: 'AmendmentAgreed' }>['data'],
): readonly ProcessCommand[] => {
  const legs = increases.flatMap(({ leg, offerLine, needLine, drawn }) =>
    drawn === undefined ? [] : [{ leg, line: offerLine, needLine, quantity: drawn }],
  );
  if (legs.length === 0) return [];
  const draws = totals(proposed[n] ?? []);
  return [
    to('reserve', (by) => ({
      type: 'ReserveCapacity',
      ...{ by, commitment, amendment: n, legs, facts: earmarkFacts, draws },
    })),
  ];
};

/** What these legs draw on each line. */
const totals = (legs: readonly DrawnLeg[]): readonly { readonly line: number; readonly quantity: Quantity }[] => {
  const sums = new Map<number, { readonly like: Quantity; readonly sum: bigint }>();
  for (const { offerLine, drawn } of legs) {
    const { like, sum } = sums.get(offerLine) ?? { like: drawn, sum: 0n };
    sums.set(offerLine, { like, sum: sum + minorUnits(drawn) });
  }
  return [...sums].map(([line, { like, sum }]) => ({ line, quantity: quantityOf(like, sum) }));
};
