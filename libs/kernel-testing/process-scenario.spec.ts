import { describe, expect, it } from '@jest/globals';
import type { Process } from '#kernel';
import { processCommand, Upcasting } from '#kernel';
import { counter } from './counter.js';
import { processScenario, step } from './process-scenario.js';

const other = { ...counter, category: 'other' };
const raise = (id: string, amount: number, more: { atOnce?: boolean; effectiveAt?: string } = {}) =>
  step({ decider: counter, id, command: (by) => ({ type: 'Raise', amount, by }), ...more });

/** Every raise of a counter raises one other counter by as much. */
const echo = (command: 'Raise' | 'RaiseTo'): Process => ({
  name: 'echo',
  handles: ['Raised'],
  react: (event) => {
    const { by: amount } = event.data as { by: number };
    if (!event.stream.startsWith('counter-')) return [];
    return [
      processCommand({
        decider: other,
        id: 'sum',
        key: 'echo',
        command: (by) =>
          command === 'Raise' ? { type: 'Raise', amount, by } : { type: 'RaiseTo', to: amount * 10, by },
      }),
    ];
  },
});

describe('process scenario', () => {
  it('answers the state of every stream, the same however events are delivered', async () => {
    const steps = [raise('1', 5, { atOnce: true }), raise('2', 6, { effectiveAt: '2025' }), raise('1', 7)];
    expect(await processScenario([echo('Raise')], [counter, other], steps)).toEqual({
      'counter-1': { value: 12 },
      'counter-2': { value: 6 },
      'other-sum': { value: 18 },
    });
    expect(await processScenario([echo('RaiseTo')], [counter, other], steps, { seeds: [1] })).toMatchObject({
      'other-sum': { value: 70 },
    });
  });

  it('finds a process whose outcome depends on how often an event comes', async () => {
    let times = 0;
    const counting: Process = {
      ...echo('Raise'),
      react: (event) => {
        times += 1;
        return event.stream === 'other-sum'
          ? []
          : [
              processCommand({
                decider: other,
                id: 'sum',
                key: String(times),
                command: (by) => ({ type: 'Raise', amount: 1, by }),
              }),
            ];
      },
    };
    const steps = [1, 2, 3, 4, 5, 6].map((amount) => raise(String(amount), amount));
    await expect(processScenario([counting], [counter, other], steps)).rejects.toThrow('twice or late');
  });

  it('compares only what it is asked to', async () => {
    const order: Process = {
      ...echo('Raise'),
      react: (event) =>
        event.stream === 'other-sum'
          ? []
          : [
              processCommand({
                decider: other,
                id: 'sum',
                key: 'k',
                command: (by) => ({ type: 'RaiseTo', to: (event.data as { by: number }).by, by }),
              }),
            ],
    };
    const states = await processScenario([order], [counter, other], [raise('1', 1, { atOnce: true }), raise('2', 2)], {
      compare: ({ 'counter-1': first }) => first,
      upcasting: new Upcasting(),
    });
    expect(states['other-sum']).toEqual({ value: 2 });
  });

  it('fails where a step is refused, a process fails, or a decider is missing', async () => {
    await expect(processScenario([], [counter], [raise('1', 101)])).rejects.toThrow('step 0 was refused with too-high');
    await expect(processScenario([echo('Raise')], [counter], [raise('1', 1)])).rejects.toThrow(
      'no decider is given for other-sum',
    );
    const failing: Process = { ...echo('Raise'), react: () => Promise.reject(new Error('broken')) };
    await expect(processScenario([failing], [counter], [raise('1', 1)])).rejects.toThrow('broken');
  });
});
