import type { Quantity } from '#vocabulary';
import { minorUnits } from '#vocabulary';
import type { OfferEvent } from './offer.contract.js';

/** Minor units of the line's measure. `committed` includes what was delivered. */
export interface LineFigures {
  readonly held: bigint;
  readonly committed: bigint;
  readonly delivered: bigint;
}

/** What one amendment (0: the proposal) took of a line for a leg, in minor units. */
export interface Take {
  readonly amendment: number;
  readonly phase: 'held' | 'committed';
  /** Reserved and not given back; what was delivered of the leg is part of it. */
  readonly taken: bigint;
  /** Given back as a whole, but for what was delivered: nothing is committed under it any more. */
  readonly over: boolean;
}

/** One tranche of a leg; what counts is `reported` − `returned`. */
export interface Tranche {
  readonly reported: bigint;
  readonly returned: bigint;
}

/**
 * What one leg took of its line. Several amendments may have added to it: deliveries count against all of it. A release that
 * overtook its reservation stands as a take of nothing that is over.
 */
export interface LegAccount {
  /** 0 where nothing was ever reserved. */
  readonly line: number;
  /** A quantity of the measure it is reckoned in; undetermined where nothing was reserved. */
  readonly like: Quantity;
  /** Oldest amendment first. */
  readonly takes: readonly Take[];
  readonly tranches: Readonly<Record<string, Tranche>>;
  /** Uses of an access line that went back to it after they were delivered. */
  readonly freed: bigint;
  /** What was answered once: returns, corrections, amendments that took back. */
  readonly answered: readonly string[];
}

/** The legs of one commitment, by number. */
export type Account = Readonly<Record<string, LegAccount>>;

export type CapacityEvent = Extract<
  OfferEvent,
  {
    type:
      | 'CapacityReserved'
      | 'CapacityCommitted'
      | 'CapacityDelivered'
      | 'CapacityReturned'
      | 'CapacityDeliveryCorrected'
      | 'CapacityReleased'
      | 'AccessFreed';
  }
>;

const CAPACITY_EVENTS: ReadonlySet<string> = new Set<CapacityEvent['type']>([
  'CapacityReserved',
  'CapacityCommitted',
  'CapacityDelivered',
  'CapacityReturned',
  'CapacityDeliveryCorrected',
  'CapacityReleased',
  'AccessFreed',
]);

/** True for the types that move what stands on a line. */
export const isCapacityType = (type: string): boolean => CAPACITY_EVENTS.has(type);

export const NOTHING: LineFigures = { held: 0n, committed: 0n, delivered: 0n };
const UNKNOWN: Quantity = { measure: 'undetermined', why: 'not-stated' };
const EMPTY: LegAccount = { line: 0, like: UNKNOWN, takes: [], tranches: {}, freed: 0n, answered: [] };

export const takeOf = (leg: LegAccount | undefined, amendment: number): Take | undefined =>
  leg?.takes.find((take) => take.amendment === amendment);

/** What the leg has of its line, in minor units. */
export const takenOf = ({ takes }: LegAccount): bigint => takes.reduce((sum, { taken }) => sum + taken, 0n);

/** What of it stands committed. */
export const committedOf = ({ takes }: LegAccount): bigint =>
  takes.reduce((sum, { phase, taken }) => (phase === 'committed' ? sum + taken : sum), 0n);

/** What counts as delivered on the line: without what came back and what was freed. */
export const deliveredOf = ({ tranches, freed }: LegAccount): bigint =>
  Object.values(tranches).reduce((sum, { reported, returned }) => sum + reported - returned, 0n) - freed;

/** What a commitment has of a line, in minor units. */
export const drawnOn = (account: Account, line: number): bigint =>
  Object.values(account).reduce((sum, leg) => (leg.line === line ? sum + takenOf(leg) : sum), 0n);

export const returnMark = (n: number): string => `return ${n}`;
export const amendmentMark = (n: number): string => `amendment ${n}`;

const withTake = (leg: LegAccount, take: Take): LegAccount => ({
  ...leg,
  takes: [...leg.takes.filter(({ amendment }) => amendment !== take.amendment), take].sort(
    (a, b) => a.amendment - b.amendment,
  ),
});

const withTranche = (leg: LegAccount, delivery: number, tranche: Tranche, mark?: string): LegAccount => ({
  ...leg,
  tranches: { ...leg.tranches, [delivery]: tranche },
  answered: mark === undefined ? leg.answered : [...leg.answered, mark],
});

/** What one capacity event makes of a leg, and adds to its line's figures. */
export const takeCapacity = (
  before: LegAccount | undefined,
  event: CapacityEvent,
): { readonly leg: LegAccount; readonly change: LineFigures } => {
  // A release that overtook its reservation names neither line nor quantity.
  const { quantity, line = 0, amendment } = event.data;
  const known = before ?? EMPTY;
  const leg = known.line === 0 && quantity !== undefined ? { ...known, line, like: quantity } : known;
  const amount = quantity === undefined ? 0n : minorUnits(quantity);
  const take = takeOf(leg, amendment) ?? { amendment, phase: 'held' as const, taken: 0n, over: false };
  const less = take.phase === 'committed' ? { committed: -amount } : { held: -amount };
  switch (event.type) {
    case 'CapacityReserved':
      return { leg: withTake(leg, { ...take, taken: take.taken + amount }), change: { ...NOTHING, held: amount } };
    case 'CapacityCommitted':
      return {
        leg: withTake(leg, { ...take, phase: 'committed' }),
        change: { ...NOTHING, held: -amount, committed: amount },
      };
    case 'CapacityDelivered':
      return {
        leg: withTranche(leg, event.data.delivery, { reported: amount, returned: 0n }),
        change: { ...NOTHING, delivered: amount },
      };
    case 'CapacityReturned': {
      const tranche = trancheOf(leg, event.data.delivery);
      const returned = { ...tranche, returned: tranche.returned + amount };
      return {
        leg: withTranche(leg, event.data.delivery, returned, returnMark(event.data.return)),
        change: { ...NOTHING, delivered: -amount },
      };
    }
    case 'CapacityDeliveryCorrected': {
      const tranche = trancheOf(leg, event.data.delivery);
      return {
        leg: withTranche(leg, event.data.delivery, { ...tranche, reported: amount }, event.data.asked),
        change: { ...NOTHING, delivered: amount - tranche.reported },
      };
    }
    case 'CapacityReleased': {
      const { by } = event.data;
      const rest = withTake(leg, { ...take, taken: take.taken - amount, over: take.over || by === undefined });
      return {
        leg: by === undefined ? rest : { ...rest, answered: [...rest.answered, amendmentMark(by)] },
        change: { ...NOTHING, ...less },
      };
    }
    case 'AccessFreed': {
      const rest = withTake(leg, { ...take, taken: take.taken - amount, over: true });
      return {
        leg: { ...rest, freed: rest.freed + amount },
        change: { ...NOTHING, ...less, delivered: -amount },
      };
    }
  }
};

export const trancheOf = (leg: LegAccount, delivery: number): Tranche =>
  leg.tranches[delivery] ?? { reported: 0n, returned: 0n };

/**
 * Values kept per commitment. Spread over buckets by the id's last two characters, so that one more reservation on a popular offer
 * copies a small part of the whole.
 */
export type Ledger<V> = ReadonlyMap<string, ReadonlyMap<string, V>>;

const bucketOf = (commitment: string): string => commitment.slice(-2);

export const entryOf = <V>(ledger: Ledger<V>, commitment: string): V | undefined =>
  ledger.get(bucketOf(commitment))?.get(commitment);

export const withEntry = <V>(ledger: Ledger<V>, commitment: string, value: V): Ledger<V> => {
  const bucket = bucketOf(commitment);
  return new Map(ledger).set(bucket, new Map(ledger.get(bucket)).set(commitment, value));
};
