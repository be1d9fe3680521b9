import { describe, expect, it } from '@jest/globals';
import { backoffMs, messageOf, pause, TURN_MS, Turns } from './backoff.js';

describe('backoff', () => {
  it('doubles up to its cap and stays there', () => {
    expect([1, 2, 3, 8, 9, 10, 1_000_000].map((attempt) => backoffMs(attempt))).toEqual([
      100, 200, 400, 12_800, 25_600, 30_000, 30_000,
    ]);
    expect([1, 2, 3].map((attempt) => backoffMs(attempt, 1, 2))).toEqual([1, 2, 2]);
  });

  it('a pause ends early when aborted, and at once where aborted already', async () => {
    const ending = new AbortController();
    const long = pause(3_600_000, ending.signal);
    ending.abort();
    await long;
    await pause(3_600_000, ending.signal);
    await pause(1);
    await pause(1, new AbortController().signal);
  });

  it('tells what was thrown, whatever it was', () => {
    expect([messageOf(new Error('a')), messageOf('b'), messageOf(undefined)]).toEqual(['a', 'b', 'undefined']);
  });
});

describe('long work in turns', () => {
  test('lets others go on once a turn was worked for, and not before', async () => {
    const turns = new Turns();
    let others = 0;
    setImmediate(() => (others += 1));
    await turns.pass();
    expect(others).toBe(0);
    const until = performance.now() + TURN_MS;
    while (performance.now() < until);
    await turns.pass();
    expect(others).toBe(1);
  });
});
