import type { CommitmentEvent, LegShift } from '#commitments/contract';
import type { Decider, Process, ProcessCommand, RecordedEvent } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { CoverageKey } from './need.contract.js';
import { needDecider } from './need.js';
import type { CoverageCommand } from './need-coverage.js';

const TOLD = [
  'CommitmentProposed',
  'AcceptanceGiven',
  'AcceptanceRefused',
  'CommitmentBound',
  'DeliveryReported',
  'DeliveryConfirmed',
  'DeliveryDisputed',
  'DeliveryCorrected',
  'AmendmentHeld',
  'AmendmentRefused',
  'CommitmentAmended',
  'CommitmentDeclined',
  'CommitmentLapsed',
  'CommitmentWithdrawn',
  'CommitmentCancelled',
  'CommitmentClosed',
] as const satisfies readonly CommitmentEvent['type'][];
type Told = Extract<CommitmentEvent, { type: (typeof TOLD)[number] }>;

interface LegKey {
  readonly leg: number;
  readonly amendment: number;
}

interface CreditedLeg {
  readonly leg: number;
  readonly needLine: number;
  readonly credited: Extract<CommitmentEvent, { type: 'CommitmentProposed' }>['data']['legs'][number]['credited'];
}

/** What of a commitment says where its coverage is: later events name neither the need nor all legs. */
interface Crediting {
  readonly needId?: string;
  /** As proposed: what an acceptance asks for. */
  readonly legs: readonly CreditedLeg[];
  /** The amendment that brought each leg there ever was. */
  readonly broughtBy: Readonly<Record<string, number>>;
  /** What the acceptance and each held amendment ask the need for, unless the need refused it. */
  readonly asked: Readonly<Record<string, readonly LegKey[]>>;
  /** The proposal and the amendments that took effect. */
  readonly inEffect: readonly number[];
  readonly bound: boolean;
  /** Revision at which it was cancelled, or left before it bound. */
  readonly leftAt?: number;
  /** Leg of each tranche, by its number. */
  readonly tranches: Readonly<Record<string, number>>;
  /** Closed by silence, and not answered since. */
  readonly silent: boolean;
  /** Closed, in whatever way, and not taken back since. */
  readonly over: boolean;
  /** Ids of the late answers that took such a closing back. */
  readonly reopenings: readonly string[];
}

const NOTHING: Crediting = {
  legs: [],
  broughtBy: {},
  asked: {},
  inEffect: [0],
  bound: false,
  tranches: {},
  silent: false,
  over: false,
  reopenings: [],
};

const grown = (increases: readonly LegShift[], amendment: number): readonly LegKey[] =>
  increases.flatMap(({ leg, credited }) => (credited === undefined ? [] : [{ leg, amendment }]));

const evolve = (so: Crediting, recorded: RecordedEvent): Crediting => {
  // The envelope keeps type and data apart; together they are one of the commitment's events.
  const event = recorded as unknown as Told;
  switch (event.type) {
    case 'CommitmentProposed': {
      const { needId, legs } = event.data;
      return { ...so, needId, legs, broughtBy: Object.fromEntries(legs.map(({ leg, amendment }) => [leg, amendment])) };
    }
    case 'AcceptanceGiven':
      return {
        ...so,
        asked: { ...so.asked, 0: so.legs.map(({ leg }) => ({ leg, amendment: so.broughtBy[leg] ?? 0 })) },
      };
    case 'AcceptanceRefused':
      return { ...so, asked: { ...so.asked, 0: [] } };
    case 'CommitmentBound':
      return { ...so, bound: true };
    case 'AmendmentHeld': {
      const { n, increases } = event.data;
      return { ...so, asked: { ...so.asked, [n]: grown(increases, n) } };
    }
    case 'AmendmentRefused':
      return event.data.by === 'need' ? { ...so, asked: { ...so.asked, [event.data.n]: [] } } : so;
    case 'CommitmentAmended': {
      const { n, legs } = event.data;
      const brought = legs.filter(({ leg }) => so.broughtBy[leg] === undefined).map(({ leg }) => [leg, n] as const);
      return {
        ...so,
        broughtBy: { ...so.broughtBy, ...Object.fromEntries(brought) },
        inEffect: [...so.inEffect, n],
      };
    }
    case 'DeliveryReported':
    case 'DeliveryCorrected':
      return { ...so, tranches: { ...so.tranches, [event.data.n]: event.data.leg } };
    case 'DeliveryConfirmed':
    case 'DeliveryDisputed':
      return so.silent ? { ...so, silent: false, over: false, reopenings: [...so.reopenings, recorded.id] } : so;
    case 'CommitmentClosed':
      return { ...so, silent: event.data.as === 'unconfirmed', over: true };
    case 'CommitmentDeclined':
    case 'CommitmentLapsed':
    case 'CommitmentWithdrawn':
    case 'CommitmentCancelled':
      return { ...so, leftAt: recorded.revision };
  }
};

const crediting: Decider<Crediting, never, Told, never> = {
  category: 'commitment',
  initial: NOTHING,
  schemas: Object.fromEntries(TOLD.map((type) => [type, 1])) as Readonly<Record<Told['type'], number>>,
  decide: () => {
    throw new Error('a commitment is not decided here');
  },
  evolve,
};

type Unasked = CoverageCommand extends infer C ? (C extends CoverageCommand ? Omit<C, 'by'> : never) : never;

/** What came back, or turned out smaller, after the commitment was left is no longer promised to it; before that it may come again. */
const unlessLeft = (so: Crediting, commitment: string, { revision }: RecordedEvent): readonly Unasked[] =>
  so.leftAt !== undefined && so.leftAt < revision ? everything(so, commitment) : [];

// A proposal nobody accepted holds nothing here, and the need is not told that it existed.
const everything = ({ asked }: Crediting, commitment: string): readonly Unasked[] =>
  free(Object.values(asked).flat(), commitment);

const free = (legs: readonly LegKey[], commitment: string): readonly Unasked[] =>
  legs.length === 0 ? [] : [{ type: 'ReleaseCoverage', commitment, legs }];

const reserving = (
  commitment: string,
  amendment: number,
  legs: readonly Extract<CoverageCommand, { type: 'ReserveCoverage' }>['legs'][number][],
  asked: string,
): readonly Unasked[] => (legs.length === 0 ? [] : [{ type: 'ReserveCoverage', commitment, amendment, legs, asked }]);

const commandsFor = (commitment: string, event: RecordedEvent, so: Crediting): readonly Unasked[] => {
  // The envelope keeps type and data apart; together they are one of the commitment's events.
  const fact = event as unknown as CommitmentEvent;
  const keyOf = (leg: number): CoverageKey => ({ commitment, leg, amendment: so.broughtBy[leg] ?? 0 });
  const trancheKey = (n: number): CoverageKey => keyOf(so.tranches[n] ?? 0);
  switch (fact.type) {
    case 'AcceptanceGiven': {
      const legs = so.legs.map(({ leg, needLine, credited }) => ({ leg, line: needLine, quantity: credited }));
      return reserving(commitment, 0, legs, event.id);
    }
    case 'AmendmentHeld': {
      const legs = fact.data.increases.flatMap(({ leg, needLine, credited }) =>
        credited === undefined ? [] : [{ leg, line: needLine, quantity: credited }],
      );
      return reserving(commitment, fact.data.n, legs, event.id);
    }
    case 'AmendmentRefused':
    case 'AmendmentDeclined':
    case 'AmendmentLapsed':
      return free(so.asked[fact.data.n] ?? [], commitment);
    case 'CommitmentAmended': {
      const { n: amendment, increases, decreases, recredited } = fact.data;
      const reductions = decreases.flatMap(({ leg, credited }) =>
        credited === undefined ? [] : [{ leg, quantity: credited }],
      );
      const bind = so.bound && grown(increases, amendment).length > 0;
      const tranches = recredited.map(({ credited, ...tranche }) => ({ ...tranche, quantity: credited }));
      return bind || reductions.length > 0 || tranches.length > 0
        ? [{ type: 'AmendCoverage', commitment, amendment, bind, recredited: tranches, reductions, asked: event.id }]
        : [];
    }
    case 'CommitmentBound':
      return [{ type: 'BindCoverage', commitment, amendments: so.inEffect }];
    case 'DeliveryReported': {
      const { leg, n, credited } = fact.data;
      return [{ type: 'DeliverCoverage', ...keyOf(leg), delivery: n, quantity: credited }];
    }
    case 'DeliveryConfirmed': {
      const { n, credited } = fact.data;
      return [{ type: 'ConfirmCoverage', ...trancheKey(n), delivery: n, quantity: credited }];
    }
    case 'DeliveryCorrected':
    case 'DisputeSettled': {
      const { n, credited } = fact.data;
      const corrected = { ...trancheKey(n), delivery: n, quantity: credited, asked: event.id };
      return [{ type: 'CorrectCoverage', ...corrected }, ...unlessLeft(so, commitment, event)];
    }
    case 'ReturnReported': {
      const { leg, delivery, n, credited, confirmed } = fact.data;
      const returned = { ...keyOf(leg), delivery, return: n, quantity: credited };
      return [
        { type: 'ReturnCoverage', ...returned, ...(confirmed === undefined ? {} : { confirmed: confirmed.credited }) },
        ...unlessLeft(so, commitment, event),
      ];
    }
    case 'DeliveryDisputed':
      return [];
    case 'CommitmentClosed':
      // One that a late answer took back is over no more: told again it would free what came back since.
      return fact.data.as === 'unconfirmed' && !so.silent ? [] : everything(so, commitment);
    default:
      return everything(so, commitment);
  }
};

/**
 * Guarantees that a need's coverage is reserved, bound, delivered, confirmed, returned, released and reopened as the commitments on it go,
 * and as their amendments and corrections change them.
 */
export const coverageReserving: Process = {
  name: 'coverage-reserving',
  handles: [
    'AcceptanceGiven',
    'CommitmentBound',
    'DeliveryReported',
    'DeliveryConfirmed',
    'DeliveryDisputed',
    'DeliveryCorrected',
    'DisputeSettled',
    'ReturnReported',
    'AmendmentHeld',
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
  async react(event, reads): Promise<readonly ProcessCommand[]> {
    const commitment = idOfStream(event.stream);
    const { state } = await reads.load(crediting, commitment);
    const { needId } = state;
    if (needId === undefined) throw new Error(`commitment ${commitment} was never proposed`);
    // What closed anew or was cancelled since is not open, whenever this is told.
    const isOpen = state.reopenings.includes(event.id) && !state.over && state.leftAt === undefined;
    const reopening: readonly Unasked[] = isOpen ? [{ type: 'ReopenCoverage', commitment }] : [];
    return [...reopening, ...commandsFor(commitment, event, state)].map((each) =>
      processCommand({
        decider: needDecider,
        id: needId,
        key: each.type,
        command: (by) => ({ ...each, by }),
      }),
    );
  },
};
