import { LocalMessageBus } from '#bus-local';
import type { CounterCommand } from '#kernel-testing';
import { ANYONE, counter, InMemoryEventStore, sampleEvent } from '#kernel-testing';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { ManualClock } from './clock.js';
import type { RecordedEvent } from './events.js';
import { SYSTEM_PROCESS } from './events.js';
import { newId } from './ids.js';
import type { Process, ProcessCommand } from './process.js';
import { processCommand, UnansweredRefusalError } from './process.js';
import type { ProcessAlarm, ProcessRunnerOptions } from './process-runner.js';
import { describeProcessAlarm, ProcessRunner } from './process-runner.js';
import { Transactor } from './transact.js';
import { Upcasting } from './upcasting.js';

const KNOWN = { counter: counter.schemas, meter: { Read: 1 } };

const by = (event: RecordedEvent): number => (event.data as { by: number }).by;

const raise = (id: string, key: string, amount: number, refused?: ProcessCommand['refused']): ProcessCommand =>
  processCommand({
    decider: counter,
    id,
    key,
    command: (asked) => ({ type: 'Raise', amount, by: asked }),
    ...(refused === undefined ? {} : { refused }),
  });

/** Whatever counter `from` counts, counter `to` counts as well. */
const echo = (from: string, to: string, react?: Process['react']): Process => ({
  name: `echo-${from}-${to}`,
  handles: ['Raised'],
  react: react ?? ((event) => (event.stream === `counter-${from}` ? [raise(to, 'echo', by(event))] : [])),
});

class Rig {
  readonly store = new InMemoryEventStore();
  readonly transactor = new Transactor(this.store, new ManualClock('2026-01-05T09:00:00.000Z'));
  readonly bus = new LocalMessageBus(this.store, ':memory:', { firstBackoffMs: 1, maxBackoffMs: 2 });
  readonly alarms: ProcessAlarm[] = [];
  readonly runner: ProcessRunner;

  constructor(processes: readonly Process[], options: ProcessRunnerOptions = {}) {
    this.runner = new ProcessRunner(this.bus, this.transactor, processes, {
      alarm: (alarm) => this.alarms.push(alarm),
      ...options,
    });
    this.runner.start();
  }

  async raise(id: string, amount: number, effectiveAt?: string): Promise<bigint> {
    const outcome = await this.transactor.transact(
      counter,
      id,
      (asked): CounterCommand => ({ type: 'Raise', amount, by: asked }),
      {
        commandId: newId(),
        correlationId: 'the-correlation',
        causationId: null,
        actor: ANYONE,
        ...(effectiveAt === undefined ? {} : { effectiveAt }),
      },
    );
    return outcome.kind === 'written' ? outcome.position : 0n;
  }

  /** Waits until nothing follows any more. */
  async rest(): Promise<void> {
    for (let head = await this.store.head(); ;) {
      await this.runner.reached(head);
      const now = await this.store.head();
      if (now === head) return;
      head = now;
    }
  }

  async value(id: string): Promise<number> {
    return (await this.transactor.load(counter, id)).state.value;
  }

  async close(): Promise<void> {
    await this.runner.stop();
    await this.bus.close();
    await this.store.close();
  }
}

describe('process runner', () => {
  it('answers an event with commands of the process, under the same correlation and claimed moment', async () => {
    const rig = new Rig([echo('1', '2')]);
    await rig.raise('1', 7, '2025-11');
    await rig.rest();
    const [cause] = await rig.store.readStream('counter-1', 0, 1);
    const [effect] = await rig.store.readStream('counter-2', 0, 2);
    expect(effect).toMatchObject({
      data: { by: 7 },
      metadata: {
        actor: SYSTEM_PROCESS,
        correlationId: 'the-correlation',
        causationId: cause?.id,
        effectiveAt: '2025-11',
        recordedAt: '2026-01-05T09:00:00.000Z',
      },
    });
    expect(rig.runner.statuses()).toMatchObject([{ name: 'echo-1-2', stuck: 0 }]);
    expect(rig.runner.stuck).toEqual([]);
    await rig.close();
  });

  it('writes once however often an event is delivered', async () => {
    const first = new Rig([echo('1', '2')]);
    await first.raise('1', 7);
    await first.rest();
    await first.runner.stop();
    const again = new ProcessRunner(
      new LocalMessageBus(first.store, ':memory:'),
      new Transactor(first.store, new ManualClock('2026-02-01')),
      [echo('1', '2')],
    );
    again.start();
    await again.reached(await first.store.head());
    expect(await first.value('2')).toBe(7);
    await again.stop();
    await first.close();
  });

  it('tells several commands of one event apart by their key, and runs them in their order', async () => {
    const both = echo('1', 'x', (event) =>
      event.stream === 'counter-1' ? [raise('2', 'a', 1), raise('2', 'b', 2), raise('3', 'c', 4)] : [],
    );
    const rig = new Rig([both]);
    await rig.raise('1', 1);
    await rig.rest();
    expect((await rig.store.readStream('counter-2', 0, 9)).map(by)).toEqual([1, 2]);
    expect(await rig.value('3')).toBe(4);
    await rig.close();
  });

  it('carries a refusal on where the command says how', async () => {
    const careful = echo('1', '2', (event) =>
      event.stream === 'counter-1'
        ? [raise('2', 'raise', by(event), ({ code }) => (code === 'too-high' ? [raise('3', 'overflow', 1)] : []))]
        : [],
    );
    const rig = new Rig([careful]);
    await rig.raise('1', 60);
    await rig.raise('1', 40);
    await rig.transactor.transact(counter, '2', (asked): CounterCommand => ({ type: 'Raise', amount: 30, by: asked }), {
      commandId: 'c',
      correlationId: 'c',
      causationId: null,
      actor: ANYONE,
    });
    await rig.rest();
    expect((await rig.value('2')) + (await rig.value('3'))).toBeLessThanOrEqual(101);
    expect(await rig.value('3')).toBe(1);
    expect(rig.alarms).toEqual([]);
    await rig.close();
  });

  it('an unanswered refusal is an alarm: the event stays and is tried again until it passes', async () => {
    let amount = 101;
    const stubborn = echo('1', '2', (event) => (event.stream === 'counter-1' ? [raise('2', 'k', amount)] : []));
    const rig = new Rig([stubborn]);
    const position = await rig.raise('1', 1);
    while (rig.runner.stuck.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(rig.runner.stuck[0]).toMatchObject({ process: 'echo-1-2', position, type: 'Raised' });
    expect(rig.alarms[0]?.error).toBeInstanceOf(UnansweredRefusalError);
    expect(rig.alarms.map(describeProcessAlarm)[0]).toBe(
      `process echo-1-2 fails on Raised at ${position}: ` + 'echo-1-2: counter 2 refused k: too-high',
    );
    amount = 5;
    await rig.rest();
    expect(await rig.value('2')).toBe(5);
    expect(rig.runner.stuck).toEqual([]);
    await rig.close();
  });

  it('never gives up on a conflict: everything that came side by side is counted', async () => {
    const rig = new Rig([
      echo('x', 'sum', (event) => (event.stream === 'counter-sum' ? [] : [raise('sum', 'k', by(event))])),
    ]);
    await Promise.all(Array.from({ length: 50 }, (_, index) => rig.raise(`c${index}`, 1)));
    await rig.rest();
    expect(await rig.value('sum')).toBe(50);
    await rig.close();
  });

  it('lifts old events before a process sees them', async () => {
    const upcasting = new Upcasting([{ type: 'Raised', from: 1, up: () => ({ by: 9 }) }]);
    const rig = new Rig([echo('1', '2')], { upcasting });
    await rig.raise('1', 1);
    await rig.rest();
    expect(await rig.value('2')).toBe(9);
    await rig.close();
  });

  it('refuses two processes of one name, which would share a checkpoint', () => {
    const bus = new LocalMessageBus(new InMemoryEventStore(), ':memory:');
    const transactor = new Transactor(new InMemoryEventStore(), new ManualClock('2026-01-01'));
    expect(() => new ProcessRunner(bus, transactor, [echo('1', '2'), echo('1', '2')])).toThrow('one name');
  });

  it('runs with nobody to alarm', async () => {
    const store = new InMemoryEventStore();
    const transactor = new Transactor(store, new ManualClock('2026-01-01'));
    const bus = new LocalMessageBus(store, ':memory:', { firstBackoffMs: 1 });
    let failures = 0;
    const runner = new ProcessRunner(bus, transactor, [
      echo('1', '2', () => {
        failures += 1;
        if (failures === 1) throw new Error('once');
        return [];
      }),
    ]);
    runner.start();
    await transactor.transact(counter, '1', (asked): CounterCommand => ({ type: 'Raise', amount: 1, by: asked }), {
      commandId: 'c',
      correlationId: 'c',
      causationId: null,
      actor: ANYONE,
    });
    await runner.reached(1n);
    expect(failures).toBe(2);
    await runner.stop();
    await bus.close();
    await store.close();
  });

  it('waits before what a newer version wrote into a stream it follows, and passes over it in others', async () => {
    const rig = new Rig([echo('1', '2')], { upcasting: new Upcasting([], KNOWN) });
    const write = (stream: string, type: string): Promise<unknown> => {
      const { id: _id, ...event } = { ...sampleEvent({ by: 1 }), type };
      return rig.store
        .readStream(stream, 0, 100)
        .then(({ length }) => rig.store.append(stream, length - 1, [{ ...event, id: newId() }]));
    };
    await write('meter-1', 'Calibrated');
    await rig.raise('1', 3);
    await rig.runner.reached(await rig.store.head());
    expect(rig.runner.stuck).toEqual([]);
    await write('counter-1', 'Halved');
    await write('counter-1', 'Raised');
    const waiting = async (): Promise<readonly string[]> => {
      while (rig.alarms.length === 0) await nextTurn();
      return rig.runner.stuck.map(({ type, error }) => `${type}: ${error}`);
    };
    expect(await waiting()).toEqual([
      'Halved: stream counter-1 holds Halved in schema 1, which is newer than this version knows',
    ]);
    const { state } = await rig.transactor.load(counter, '2');
    expect(state).toEqual({ value: 3 });
    await rig.close();
  });
});
