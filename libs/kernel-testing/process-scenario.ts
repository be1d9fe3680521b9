import assert from 'node:assert/strict';
import type {
  Actor,
  BusSubscription,
  Command,
  CommandContext,
  Decider,
  DomainEvent,
  Process,
  RecordedEvent,
  Rejection,
  StuckMessage,
} from '#kernel';
import {
  categoryOfStream,
  emptyFold,
  foldOnto,
  ManualClock,
  MessageBus,
  ProcessRunner,
  Transactor,
  Upcasting,
} from '#kernel';
import { InMemoryEventStore } from './in-memory-event-store.js';
import { ANYONE, TEST_TIME } from './records.js';

/** What somebody does in a scenario. Processes have come to rest before the next step, unless it is `atOnce`. */
export interface ScenarioStep {
  readonly decider: Decider<unknown, Command, DomainEvent, Rejection>;
  readonly id: string;
  readonly command: (by: CommandContext) => Command;
  readonly actor?: Actor;
  readonly effectiveAt?: string;
  /** The next step follows while processes are still at work. */
  readonly atOnce?: boolean;
}

/** A step with the decider's types checked. */
export const step = <S, C extends Command, E extends DomainEvent, R extends Rejection>(of: {
  readonly decider: Decider<S, C, E, R>;
  readonly id: string;
  // Naming the type's type keeps the literal: callers write `{ type: 'Raise', … }` without an annotation.
  readonly command: (by: CommandContext) => C & { readonly type: C['type'] };
  readonly actor?: Actor;
  readonly effectiveAt?: string;
  readonly atOnce?: boolean;
}): ScenarioStep => of;

export interface ProcessScenarioOptions {
  /** Seeds of the disturbed runs. */
  readonly seeds?: readonly number[];
  /** What must be equal of the final states; all of it unless told. */
  readonly compare?: (states: ScenarioStates) => unknown;
  readonly upcasting?: Upcasting;
}

/** Final state by stream name. */
export type ScenarioStates = Readonly<Record<string, unknown>>;

/**
 * Runs the steps with these processes over the in-memory store: once in order, then once per seed with events delivered twice, late, and
 * out of order across streams, and asserts that every stream ends in the same state. Answers the states of the calm run.
 */
export const processScenario = async (
  processes: readonly Process[],
  deciders: readonly { readonly category: string }[],
  steps: readonly ScenarioStep[],
  {
    seeds = [1, 2, 3, 4, 5, 6, 7, 8],
    compare = (states) => states,
    upcasting = new Upcasting(),
  }: ProcessScenarioOptions = {},
): Promise<ScenarioStates> => {
  const known = deciders as readonly unknown[] as readonly Decider<unknown, Command, DomainEvent, Rejection>[];
  const calm = await run(processes, known, steps, undefined, upcasting);
  for (const seed of seeds) {
    const disturbed = await run(processes, known, steps, seed, upcasting);
    assert.deepEqual(
      compare(disturbed),
      compare(calm),
      `seed ${seed}: events delivered twice or late change the outcome`,
    );
  }
  return calm;
};

const run = async (
  processes: readonly Process[],
  deciders: readonly Decider<unknown, Command, DomainEvent, Rejection>[],
  steps: readonly ScenarioStep[],
  seed: number | undefined,
  upcasting: Upcasting,
): Promise<ScenarioStates> => {
  const store = new InMemoryEventStore();
  const clock = new ManualClock(TEST_TIME);
  const transactor = new Transactor(store, clock, upcasting);
  const bus = new DisturbedBus(store, seed === undefined ? undefined : randomFrom(seed));
  const failures: unknown[] = [];
  const runner = new ProcessRunner(bus, transactor, processes, {
    upcasting,
    alarm: ({ error }) => {
      failures.push(error);
    },
  });
  runner.start();
  for (const [index, { decider, id, command, actor = ANYONE, effectiveAt, atOnce = false }] of steps.entries()) {
    clock.advance(60_000);
    const outcome = await transactor.transact(decider, id, command, {
      commandId: `step-${index}`,
      correlationId: `step-${index}`,
      causationId: null,
      actor,
      ...(effectiveAt === undefined ? {} : { effectiveAt }),
    });
    if (outcome.kind === 'refused') {
      assert.fail(`step ${index} was refused with ${outcome.rejection.code}: ${outcome.rejection.detail}`);
    }
    if (!atOnce) await bus.settle();
    assert.deepEqual(failures, [], 'a process failed');
  }
  await bus.settle();
  assert.deepEqual(failures, [], 'a process failed');
  const states = await finalStates(store, deciders, upcasting);
  await runner.stop();
  await store.close();
  return states;
};

const finalStates = async (
  store: InMemoryEventStore,
  deciders: readonly Decider<unknown, Command, DomainEvent, Rejection>[],
  upcasting: Upcasting,
): Promise<ScenarioStates> => {
  const byStream = new Map<string, RecordedEvent[]>();
  for (const event of await store.readAll(0n, Number.MAX_SAFE_INTEGER)) {
    byStream.set(event.stream, [...(byStream.get(event.stream) ?? []), event]);
  }
  const states: Record<string, unknown> = {};
  for (const [stream, events] of [...byStream].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const decider = deciders.find(({ category }) => category === categoryOfStream(stream));
    if (decider === undefined) assert.fail(`no decider is given for ${stream}`);
    states[stream] = foldOnto(decider, emptyFold(decider.initial), events, upcasting).state;
  }
  return states;
};

interface Delivery {
  readonly handles: ReadonlySet<string>;
  readonly handler: (event: RecordedEvent) => Promise<void>;
  /** Per stream: what has come and how far it was handled. */
  readonly streams: Map<string, { readonly events: RecordedEvent[]; next: number }>;
}

/** Delivers when told to: in order without randomness; with it late, repeated, and in any order that keeps each stream's own. */
class DisturbedBus extends MessageBus {
  private readonly deliveries: Delivery[] = [];
  private read = 0n;

  constructor(
    private readonly store: InMemoryEventStore,
    private readonly random: (() => number) | undefined,
  ) {
    super();
  }

  override subscribe(
    name: string,
    handles: readonly string[],
    handler: (event: RecordedEvent) => Promise<void>,
  ): BusSubscription {
    this.deliveries.push({ handles: new Set(handles), handler, streams: new Map() });
    const stuck: readonly StuckMessage[] = [];
    return { name, position: 0n, stuck, reached: () => this.settle(), stop: () => Promise.resolve() };
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  /** Delivers until nothing is left to deliver, counting what the handlers write meanwhile. */
  async settle(): Promise<void> {
    for (;;) {
      await this.takeIn();
      const waiting = this.deliveries.flatMap((delivery) =>
        [...delivery.streams.values()]
          .filter(({ events, next }) => next < events.length)
          .map((stream) => ({ delivery, stream, position: stream.events[stream.next]?.position ?? 0n })),
      );
      const [oldest] = waiting.sort((a, b) => (a.position < b.position ? -1 : 1));
      if (oldest === undefined) return;
      const chosen =
        this.random === undefined ? oldest : (waiting[Math.floor(this.random() * waiting.length)] ?? oldest);
      const { delivery, stream } = chosen;
      const event = stream.events[stream.next];
      stream.next += 1;
      if (event !== undefined) await delivery.handler(event);
      // Redelivery starts again anywhere before: a checkpoint that was not saved in time.
      if (this.random !== undefined && this.random() < 0.3) {
        const again = stream.events.slice(Math.floor(this.random() * stream.next), stream.next);
        for (const old of again) await delivery.handler(old);
      }
    }
  }

  private async takeIn(): Promise<void> {
    const page = await this.store.readAll(this.read, Number.MAX_SAFE_INTEGER);
    this.read = page.at(-1)?.position ?? this.read;
    for (const event of page) {
      for (const { handles, streams } of this.deliveries) {
        if (!handles.has(event.type)) continue;
        const stream = streams.get(event.stream) ?? { events: [], next: 0 };
        stream.events.push(event);
        streams.set(event.stream, stream);
      }
    }
  }
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
const randomFrom = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
