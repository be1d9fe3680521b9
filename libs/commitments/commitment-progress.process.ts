import type { Decider, Process, ProcessCommand, ProcessReads, RecordedEvent } from '#kernel';
import { idOfStream, processCommand } from '#kernel';
import type { NeedEvent } from '#needs/contract';
import type { OfferEvent } from '#offers/contract';
import type { CommitmentCommand } from './commitment.js';
import { commitmentDecider } from './commitment.js';

/** Which proposals stand open; an index, so it is asked for a moment of the log it must have seen. */
export abstract class OpenProposals {
  /** Ids of the commitments still proposed on this need (offer), as of `position` or later. */
  abstract of(
    record: { readonly needId: string } | { readonly offerId: string },
    position: bigint,
  ): Promise<readonly string[]>;
}

type Closing = Extract<
  NeedEvent | OfferEvent,
  { type: 'NeedClosed' | 'NeedWithdrawn' | 'OfferWithdrawn' | 'OfferCompleted' | 'OfferExpired' }
>;

/** Events by which a need or an offer closes. */
export const CLOSINGS = [
  'NeedClosed',
  'NeedWithdrawn',
  'OfferWithdrawn',
  'OfferCompleted',
  'OfferExpired',
] as const satisfies readonly Closing['type'][];

/** Only whether the record is closed: read from its stream, never from a view. */
const closing = (
  category: 'need' | 'offer',
  types: readonly Closing['type'][],
): Decider<boolean, never, Closing, never> => ({
  category,
  initial: false,
  schemas: Object.fromEntries(types.map((type) => [type, 1])) as Record<Closing['type'], number>,
  decide: () => {
    throw new Error(`a ${category} is not decided here`);
  },
  evolve: () => true,
});

const needClosing = closing('need', ['NeedClosed', 'NeedWithdrawn']);
const offerClosing = closing('offer', ['OfferWithdrawn', 'OfferCompleted', 'OfferExpired']);

type Unasked = CommitmentCommand extends infer C ? (C extends CommitmentCommand ? Omit<C, 'by'> : never) : never;

const to = (id: string, key: string, command: Unasked): ProcessCommand =>
  processCommand({
    decider: commitmentDecider,
    id,
    key,
    command: (by) => ({ ...command, by }),
  });

type Answer = Extract<
  NeedEvent | OfferEvent,
  { type: 'CapacityReserved' | 'CapacityRefused' | 'CoverageReserved' | 'CoverageRefused' }
>;

/**
 * Guarantees that a commitment hears the answers of its offer and need, and that no proposal outlives either.
 * A closing that comes before the hold is seen when the hold is recorded; one that comes after finds the proposal in the index.
 */
export const commitmentProgress = (proposals: OpenProposals): Process => ({
  name: 'commitment-progress',
  handles: [
    'CapacityReserved',
    'CapacityRefused',
    'CoverageReserved',
    'CoverageRefused',
    'CommitmentHeld',
    ...CLOSINGS,
  ],
  async react(event, reads) {
    if (event.type === 'CommitmentHeld') return afterHold(event, reads);
    if ((CLOSINGS as readonly string[]).includes(event.type)) {
      const id = idOfStream(event.stream);
      const ofNeed = event.stream.startsWith('need-');
      const open = await proposals.of(ofNeed ? { needId: id } : { offerId: id }, event.position);
      const code = ofNeed ? 'need-closed' : 'offer-closed';
      return open.map((commitment) => to(commitment, `decline ${commitment}`, { type: 'DeclineForClosure', code }));
    }
    // The envelope keeps type and data apart; together they are one of these events.
    return answer(event as unknown as Answer);
  },
});

// One append reserves every leg, so each of its events says the same.
const answer = (event: Answer): readonly ProcessCommand[] => {
  const { commitment, amendment } = event.data;
  return amendment === 0 ? toProposal(commitment, event) : toAmendment(commitment, amendment, event);
};

const toProposal = (commitment: string, event: Answer): readonly ProcessCommand[] => {
  switch (event.type) {
    case 'CapacityReserved':
      return [to(commitment, 'hold', { type: 'RecordHold' })];
    case 'CapacityRefused': {
      const { code, detail } = event.data;
      return [to(commitment, 'refuse hold', { type: 'RecordHoldRefusal', code, detail })];
    }
    case 'CoverageReserved':
      return [to(commitment, 'accept', { type: 'RecordAcceptance' })];
    case 'CoverageRefused': {
      const { code, detail } = event.data;
      return [to(commitment, 'refuse acceptance', { type: 'RecordAcceptanceRefusal', code, detail })];
    }
  }
};

const toAmendment = (commitment: string, n: number, event: Answer): readonly ProcessCommand[] => {
  switch (event.type) {
    case 'CapacityReserved':
      return [to(commitment, `hold amendment ${n}`, { type: 'RecordAmendmentHold', n })];
    case 'CoverageReserved':
      return [to(commitment, `cover amendment ${n}`, { type: 'RecordAmendmentCoverage', n })];
    case 'CapacityRefused':
    case 'CoverageRefused': {
      const { code, detail } = event.data;
      const answered = event.type === 'CapacityRefused' ? 'offer' : 'need';
      return [to(commitment, `refuse amendment ${n}`, { type: 'RecordAmendmentRefusal', n, answered, code, detail })];
    }
  }
};

const afterHold = async (event: RecordedEvent, reads: ProcessReads): Promise<readonly ProcessCommand[]> => {
  const id = idOfStream(event.stream);
  const { needId, offerId } = (await reads.load(commitmentDecider, id)).state;
  const [need, offer] = await Promise.all([reads.load(needClosing, needId), reads.load(offerClosing, offerId)]);
  if (need.state) return [to(id, 'decline', { type: 'DeclineForClosure', code: 'need-closed' })];
  if (offer.state) return [to(id, 'decline', { type: 'DeclineForClosure', code: 'offer-closed' })];
  return [];
};
