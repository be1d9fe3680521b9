import type { Process, RecordedEvent, BusSubscription } from '#kernel';
import { ManualClock, MessageBus, ProcessRunner, Transactor } from '#kernel';
import { BrokenRuleError } from './inspector.js';
import type { SimulatedLog } from './simulated-log.js';

/** Hands every event of the log to every process that handles it, once more and in order. */
class ReplayBus extends MessageBus {
  private readonly subscribers: {
    readonly handles: ReadonlySet<string>;
    readonly handler: (event: RecordedEvent) => Promise<void>;
  }[] = [];

  override subscribe(
    name: string,
    handles: readonly string[],
    handler: (event: RecordedEvent) => Promise<void>,
  ): BusSubscription {
    this.subscribers.push({ handles: new Set(handles), handler });
    return { name, position: 0n, stuck: [], reached: () => Promise.resolve(), stop: () => Promise.resolve() };
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }

  async deliver(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) {
      for (const { handles, handler } of this.subscribers) if (handles.has(event.type)) await handler(event);
    }
  }
}

/** Delivers everything again to processes that know nothing yet. @throws {BrokenRuleError} where that writes anything */
export const replayed = async (log: SimulatedLog, processes: readonly Process[]): Promise<void> => {
  const before = log.events.length;
  const bus = new ReplayBus();
  const runner = new ProcessRunner(bus, new Transactor(log, new ManualClock(new Date()), undefined, 100), processes);
  runner.start();
  await bus.deliver([...log.events]);
  const [written] = log.events.slice(before);
  if (written !== undefined) {
    throw new BrokenRuleError(
      `delivered again, ${written.metadata.causationId ?? 'nothing'} leads to ${written.stream}@${written.revision} ${written.type}`,
    );
  }
};
