import type { Actor } from '#kernel';
import type { Given } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { add, minorUnits, quantityOf } from '#vocabulary';
import type { CommitmentEvent, Terms } from './commitment.contract.js';
import type { ProposalFacts, ProposedLeg } from './commitment.js';

export const usd = (amount: string): Quantity => ({ measure: 'money', currency: 'USD', amount });
export const eur = (amount: string): Quantity => ({ measure: 'money', currency: 'EUR', amount });
export const seats = (amount: number): Quantity => ({ measure: 'seats', amount: String(amount) });
export const machines = (amount: number): Quantity => ({
  measure: 'items',
  unit: 'marking-machine',
  amount: String(amount),
});

export const JAPAN: Actor = { party: 'donor:japan', role: 'donor-desk', sovereign: 'JPN' };
export const JAPAN_MISSION: Actor = { party: 'state:JPN', role: 'mission', sovereign: 'JPN' };
export const VANUATU: Actor = { party: 'state:VUT', role: 'npc', sovereign: 'VUT' };
export const CAVR: Actor = { party: 'agency:cavr', role: 'implementer' };
export const PAYMASTER: Actor = { party: 'agency:paymaster', role: 'fiscal-agent' };
export const NGO: Actor = { party: 'agency:ngo', role: 'implementer' };
export const VANUATU_POLICE: Actor = { party: 'agency:vanuatu-police', role: 'implementer', sovereign: 'VUT' };
export const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator' };
export const STRANGER: Actor = { party: 'donor:norway', role: 'donor-desk', sovereign: 'NOR' };

export const OFFER_ID = '019b8d00-0000-7000-8000-00000000000a';
export const NEED_ID = '019b8d00-0000-7000-8000-00000000000b';

/** Everything a proposal is judged on: one line each of money, seats and machines on both sides. */
export const facts = (
  over: {
    readonly offer?: Partial<ProposalFacts['offer']>;
    readonly need?: Partial<ProposalFacts['need']>;
    readonly earmarkFault?: string;
    readonly unknownAgencies?: readonly string[];
  } = {},
): ProposalFacts => ({
  offer: {
    offerId: OFFER_ID,
    open: true,
    providers: ['donor:japan'],
    lines: [
      { line: 1, capacity: usd('100000.00') },
      { line: 2, capacity: seats(20) },
      { line: 3, capacity: machines(10) },
    ],
    conditions: [],
    ...over.offer,
  },
  need: {
    needId: NEED_ID,
    open: true,
    filer: 'state:VUT',
    beneficiaries: ['state:VUT'],
    lines: [
      { line: 1, quantity: usd('50000.00') },
      { line: 2, quantity: seats(10) },
      { line: 3, quantity: { measure: 'undetermined', why: 'to-be-assessed' } },
    ],
    ...over.need,
  },
  earmarkFacts: {
    beneficiaries: ['state:VUT'],
    networks: [],
    regions: [],
    instruments: ['ATT'],
    traffickingNexus: false,
    needLineKinds: { '1': 'financial', '2': 'training', '3': 'technical' },
  },
  ...(over.earmarkFault === undefined ? {} : { earmarkFault: over.earmarkFault }),
  unknownAgencies: over.unknownAgencies ?? [],
});

export const SEAT_LEG: ProposedLeg = { offerLine: 2, needLine: 2, drawn: seats(10) };

export const EXPIRES = '2026-03-06T09:00:00.000Z';

export interface Deal {
  readonly by?: Actor;
  readonly legs?: readonly ProposedLeg[];
  readonly implementer?: string;
  readonly fiscalAgent?: string;
  readonly terms?: Terms;
}

/** The proposal's event: Japan proposes ten seats unless told otherwise. */
export const proposed = ({
  by = JAPAN,
  legs = [SEAT_LEG],
  implementer,
  fiscalAgent,
  terms,
}: Deal = {}): Given<CommitmentEvent> => {
  const { offer, need, earmarkFacts } = facts();
  return [
    {
      type: 'CommitmentProposed',
      data: {
        offerId: offer.offerId,
        needId: need.needId,
        side: by === VANUATU ? 'recipient' : 'provider',
        proposedBy: by.party,
        providers: offer.providers,
        beneficiaries: need.beneficiaries,
        filer: need.filer,
        legs: legs.map((leg, index) => ({ leg: index + 1, amendment: 0, credited: leg.drawn, ...leg })),
        ...(implementer === undefined ? {} : { implementer }),
        ...(fiscalAgent === undefined ? {} : { fiscalAgent }),
        signatories: ['donor:japan', 'state:VUT'],
        expiresAt: EXPIRES,
        conditions: [],
        earmarkFacts,
        ...(terms === undefined ? {} : { terms }),
      },
    },
    { actor: by },
  ];
};

export const HELD: Given<CommitmentEvent> = { type: 'CommitmentHeld', data: {} };
export const GIVEN_BY_VANUATU: Given<CommitmentEvent> = { type: 'AcceptanceGiven', data: { party: 'state:VUT' } };
export const ACCEPTED: Given<CommitmentEvent> = { type: 'CommitmentAccepted', data: {} };
export const signed = (party: string): Given<CommitmentEvent> => ({ type: 'CommitmentSigned', data: { party } });
export const consented = (agency: string, as: readonly ('implementer' | 'fiscal-agent')[]): Given<CommitmentEvent> => ({
  type: 'TaskConsented',
  data: { agency, as },
});
export const BOUND: Given<CommitmentEvent> = { type: 'CommitmentBound', data: {} };

export const held = (deal: Deal = {}): Given<CommitmentEvent>[] => [proposed(deal), HELD];
export const accepted = (deal: Deal = {}): Given<CommitmentEvent>[] => [...held(deal), GIVEN_BY_VANUATU, ACCEPTED];

export const bound = (deal: Deal = {}): Given<CommitmentEvent>[] => [
  ...accepted(deal),
  ...(deal.implementer === undefined ? [] : [consented(deal.implementer, ['implementer'])]),
  signed('donor:japan'),
  signed('state:VUT'),
  BOUND,
];

export const delivery = (
  n: number,
  quantity: Quantity,
  { by = JAPAN, at, leg = 1 }: { readonly by?: Actor; readonly at?: string; readonly leg?: number } = {},
): Given<CommitmentEvent> => [
  {
    type: 'DeliveryReported',
    data: { n, party: by.party, leg, quantity, drawn: quantity, credited: quantity, date: '2026-01-04' },
  },
  { actor: by, ...(at === undefined ? {} : { at }) },
];

export const confirmed = (n: number, quantity: Quantity): Given<CommitmentEvent> => ({
  type: 'DeliveryConfirmed',
  data: { n, party: 'state:VUT', quantity, drawn: quantity, credited: quantity, condition: 'usable' },
});

export const disputed = (n: number): Given<CommitmentEvent> => ({
  type: 'DeliveryDisputed',
  data: { n, party: 'state:VUT', reason: 'Never arrived.' },
});

export const delivered = (deal: Deal = {}): Given<CommitmentEvent>[] => [...bound(deal), delivery(1, seats(10))];
export const allConfirmed = (): Given<CommitmentEvent>[] => [...delivered(), confirmed(1, seats(10))];
export const CANCELLED: Given<CommitmentEvent> = {
  type: 'CommitmentCancelled',
  data: { party: 'state:VUT', reason: { code: 'budget' } },
};
export const closed = (as: 'confirmed' | 'unconfirmed' | 'cancelled'): Given<CommitmentEvent> => ({
  type: 'CommitmentClosed',
  data: { as, openDiscrepancies: [] },
});

export const transfer = (
  n: number,
  amount: Quantity,
  over: Partial<Extract<CommitmentEvent, { type: 'TransferReported' }>['data']> = {},
): Given<CommitmentEvent> => ({
  type: 'TransferReported',
  data: { n, kind: 'disbursement', from: 'donor:japan', to: 'agency:cavr', amount, date: '2026-01-02', ...over },
});

/** Σ of like quantities. */
export const total = (like: Quantity, quantities: readonly Quantity[]): bigint =>
  minorUnits(quantities.reduce<Quantity>((sum, quantity) => add(sum, quantity), quantityOf(like, 0n)));
