import type { CommitmentEvent, Leg } from '#commitments/contract';
import type { CommandContext, Decider, Process, ProcessCommand } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { LegKey, OfferCommand } from './offer.js';
import { offerDecider } from './offer.js';

type Proposal = Extract<CommitmentEvent, { type: 'CommitmentProposed' }>;

/** What of a commitment says where its capacity is: later events name neither the offer nor all legs. */
interface Drawing {
  readonly offerId?: string;
  readonly legs: readonly Leg[];
}

const drawing: Decider<Drawing, never, Proposal, never> = {
  category: 'commitment',
  initial: { legs: [] },
  schemas: { CommitmentProposed: 1 },
  decide: () => {
    throw new Error('a commitment is not decided here');
  },
  evolve: (_, { data: { offerId, legs } }) => ({ offerId, legs }),
};

/** Guarantees that an offer's capacity is held, committed, delivered and released as the commitments on it go. */
export const capacityHolding: Process = {
  name: 'capacity-holding',
  handles: [
    'CommitmentProposed',
    'CommitmentBound',
    'DeliveryReported',
    'CommitmentDeclined',
    'CommitmentLapsed',
    'CommitmentWithdrawn',
    'CommitmentCancelled',
  ],
  async react(event, reads) {
    const commitment = idOfStream(event.stream);
    // The envelope keeps type and data apart; together they are one of the commitment's events.
    const fact = event as unknown as CommitmentEvent;
    if (fact.type === 'CommitmentProposed') return [reservation(commitment, fact.data)];
    const { offerId, legs } = (await reads.load(drawing, commitment)).state;
    if (offerId === undefined) throw new Error(`commitment ${commitment} was never proposed`);
    const to = (key: string, command: (by: CommandContext) => OfferCommand): ProcessCommand =>
      processCommand({ decider: offerDecider, id: offerId, key, command });
    const keys = legs.map(({ leg, amendment }): LegKey => ({ leg, amendment }));
    switch (fact.type) {
      case 'CommitmentBound':
        return [to('commit', (by) => ({ type: 'CommitCapacity', by, commitment, legs: keys }))];
      case 'DeliveryReported': {
        const { leg, n: delivery, drawn: quantity } = fact.data;
        const amendment = legs.find((other) => other.leg === leg)?.amendment ?? 0;
        const key = { commitment, leg, amendment };
        return [to('deliver', (by) => ({ type: 'DeliverCapacity', by, key, delivery, quantity }))];
      }
      default:
        // Declined, lapsed, withdrawn: all of it. Cancelled: what was not delivered, which is what the offer frees.
        return [to('release', (by) => ({ type: 'ReleaseCapacity', by, commitment, legs: keys }))];
    }
  },
};

const reservation = (commitment: string, { offerId, legs, earmarkFacts }: Proposal['data']): ProcessCommand =>
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
