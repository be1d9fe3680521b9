import type { CommitmentEvent, Leg } from '#commitments/contract';
import type { Decider, Process, ProcessCommand, RecordedEvent } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { NeedCommand } from './need.js';
import { needDecider } from './need.js';

type Told = Extract<
  CommitmentEvent,
  {
    type:
      | 'CommitmentProposed'
      | 'AcceptanceGiven'
      | 'AcceptanceRefused'
      | 'DeliveryReported'
      | 'DeliveryConfirmed'
      | 'DeliveryDisputed'
      | 'CommitmentClosed';
  }
>;

/** What of a commitment says where its coverage is: later events name neither the need nor the legs. */
interface Crediting {
  readonly needId?: string;
  readonly legs: readonly Leg[];
  /** An acceptance stands, answered or not: there is something to release. */
  readonly asked: boolean;
  /** Leg of each tranche, by its number. */
  readonly tranches: Readonly<Record<number, number>>;
  /** Closed by silence, and not answered since. */
  readonly silent: boolean;
  /** Ids of the late answers that took such a closing back. */
  readonly reopenings: readonly string[];
}

const crediting: Decider<Crediting, never, Told, never> = {
  category: 'commitment',
  initial: { legs: [], asked: false, tranches: {}, silent: false, reopenings: [] },
  schemas: {
    CommitmentProposed: 1,
    AcceptanceGiven: 1,
    AcceptanceRefused: 1,
    DeliveryReported: 1,
    DeliveryConfirmed: 1,
    DeliveryDisputed: 1,
    CommitmentClosed: 1,
  },
  decide: () => {
    throw new Error('a commitment is not decided here');
  },
  evolve: (state, recorded) => {
    const event = recorded as unknown as Told;
    switch (event.type) {
      case 'CommitmentProposed':
        return { ...state, needId: event.data.needId, legs: event.data.legs };
      case 'AcceptanceGiven':
        return { ...state, asked: true };
      case 'AcceptanceRefused':
        return { ...state, asked: false };
      case 'DeliveryReported':
        return { ...state, tranches: { ...state.tranches, [event.data.n]: event.data.leg } };
      case 'DeliveryConfirmed':
      case 'DeliveryDisputed':
        return state.silent ? { ...state, silent: false, reopenings: [...state.reopenings, recorded.id] } : state;
      case 'CommitmentClosed':
        return { ...state, silent: event.data.as === 'unconfirmed' };
    }
  },
};

type Unasked = NeedCommand extends infer C ? (C extends NeedCommand ? Omit<C, 'by'> : never) : never;

const EXITS = [
  'CommitmentDeclined',
  'CommitmentLapsed',
  'CommitmentWithdrawn',
  'CommitmentCancelled',
  'CommitmentClosed',
] as const;

const commandFor = (
  commitment: string,
  event: RecordedEvent,
  { legs, asked, tranches }: Crediting,
): Exclude<Unasked, { readonly type: 'ReopenCoverage' }> | undefined => {
  // The envelope keeps type and data apart; together they are one of the commitment's events.
  const fact = event as unknown as CommitmentEvent;
  const keyOf = (leg: number): { commitment: string; leg: number; amendment: number } => ({
    commitment,
    leg,
    amendment: legs.find((each) => each.leg === leg)?.amendment ?? 0,
  });
  switch (fact.type) {
    case 'AcceptanceGiven':
      return {
        type: 'ReserveCoverage',
        commitment,
        amendment: 0,
        asked: event.id,
        legs: legs.map(({ leg, needLine, credited }) => ({ leg, line: needLine, quantity: credited })),
      };
    case 'CommitmentBound':
      return { type: 'BindCoverage', commitment };
    case 'DeliveryReported': {
      const { leg, n, credited } = fact.data;
      return { type: 'DeliverCoverage', ...keyOf(leg), delivery: n, quantity: credited };
    }
    case 'DeliveryConfirmed': {
      const { n, credited } = fact.data;
      return { type: 'ConfirmCoverage', ...keyOf(tranches[n] ?? 0), delivery: n, quantity: credited };
    }
    case 'DeliveryDisputed':
      return undefined;
    default:
      // A proposal nobody accepted holds nothing here, and the need is not told that it existed.
      return asked
        ? { type: 'ReleaseCoverage', commitment, legs: legs.map(({ leg, amendment }) => ({ leg, amendment })) }
        : undefined;
  }
};

/** Guarantees that a need's coverage is reserved, bound, delivered, confirmed, released and reopened as the commitments on it go. */
export const coverageReserving: Process = {
  name: 'coverage-reserving',
  handles: [
    'AcceptanceGiven',
    'CommitmentBound',
    'DeliveryReported',
    'DeliveryConfirmed',
    'DeliveryDisputed',
    ...EXITS,
  ],
  async react(event, reads): Promise<readonly ProcessCommand[]> {
    const commitment = idOfStream(event.stream);
    const { state } = await reads.load(crediting, commitment);
    const { needId } = state;
    if (needId === undefined) throw new Error(`commitment ${commitment} was never proposed`);
    const reopening: Unasked[] = state.reopenings.includes(event.id) ? [{ type: 'ReopenCoverage', commitment }] : [];
    const command = commandFor(commitment, event, state);
    return [...reopening, ...(command === undefined ? [] : [command])].map((each) =>
      processCommand({
        decider: needDecider,
        id: needId,
        key: each.type,
        command: (by) => ({ ...each, by }),
      }),
    );
  },
};
