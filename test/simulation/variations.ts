import type { BusSubscription, Clock, EventStore, EventToAppend, RecordedEvent } from '#kernel';
import { accept, MessageBus, pause, Transactor } from '#kernel';
import { offerDecider } from '#offers';
import type { OfferCommand, OfferState } from '#offers';
import { Random } from '../extra/random.js';

type Handler = (event: RecordedEvent) => Promise<void>;

/** A change of what is simulated: a fault planted on purpose, to see it found. Nothing of it stands in the product. */
export interface Variation {
  readonly name: string;
  /** What a subscription hands events to. */
  readonly handler?: (handle: Handler) => Handler;
  readonly transactor?: (store: EventStore, clock: Clock, cachedStreams: number) => Transactor;
  /** What is appended. */
  readonly onTheWay?: (seed: number) => (events: readonly EventToAppend[]) => readonly EventToAppend[];
}

/** Says that an event is handled before it is: what was in hand when the node died is never taken up again. */
const checkpointBeforeEffect: Variation = {
  name: 'checkpoint-before-effect',
  handler: (handle) => {
    const tails = new Map<string, Promise<void>>();
    const insist = async (event: RecordedEvent): Promise<void> => {
      for (;;) {
        try {
          await handle(event);
          return;
        } catch {
          await pause(100);
        }
      }
    };
    return async (event) => {
      const before = tails.get(event.stream) ?? Promise.resolve();
      tails.set(
        event.stream,
        before.then(() => insist(event)),
      );
    };
  },
};

/** Passes over a release of capacity that nothing was reserved for, instead of remembering it. */
const forgetful = {
  ...offerDecider,
  decide: (command: OfferCommand, state: OfferState) => {
    const decision = offerDecider.decide(command, state);
    if (command.type !== 'ReleaseCapacity' || decision.kind === 'refused') return decision;
    return accept(...decision.events.filter((event) => 'quantity' in event.data));
  },
};

class ForgetfulTransactor extends Transactor {
  override transact: Transactor['transact'] = (decider, ...rest) =>
    super.transact((decider as unknown) === offerDecider ? (forgetful as unknown as typeof decider) : decider, ...rest);
}

const earlyReleaseIgnored: Variation = {
  name: 'early-release-ignored',
  transactor: (store, clock, cachedStreams) => new ForgetfulTransactor(store, clock, undefined, cachedStreams),
};

/** Gives every append event ids of its own, also where it repeats one. */
const randomEventIds: Variation = {
  name: 'random-event-ids',
  onTheWay: (seed) => {
    const random = new Random(seed);
    const hex = (length: number): string => Array.from({ length }, () => random.between(0, 15).toString(16)).join('');
    return (events) =>
      events.map((event) => ({ ...event, id: `${hex(8)}-${hex(4)}-8${hex(3)}-8${hex(3)}-${hex(12)}` }));
  },
};

export const VARIATIONS: readonly Variation[] = [checkpointBeforeEffect, earlyReleaseIgnored, randomEventIds];

/** The bus, with what a variation puts between it and its subscribers. */
export const varied = (bus: MessageBus, vary: ((handle: Handler) => Handler) | undefined): MessageBus =>
  vary === undefined ? bus : new VariedBus(bus, vary);

class VariedBus extends MessageBus {
  constructor(
    private readonly bus: MessageBus,
    private readonly vary: (handle: Handler) => Handler,
  ) {
    super();
  }

  override subscribe(name: string, handles: readonly string[], handler: Handler): BusSubscription {
    return this.bus.subscribe(name, handles, this.vary(handler));
  }

  override close(): Promise<void> {
    return this.bus.close();
  }
}
