import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ManualClock, SystemClock } from './clock.js';

describe('clocks', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it("never go back, even where the machine's does", () => {
    const clock = new SystemClock();
    const machine = jest.spyOn(Date, 'now');
    const answers = [5_000, 3_000, 6_000].map((now) => {
      machine.mockReturnValue(now);
      return clock.now().getTime();
    });
    expect(answers).toEqual([5_000, 5_000, 6_000]);
  });

  it('stand still in tests until moved, and refuse to be moved back', () => {
    const clock = new ManualClock('2026-01-05T09:00:00.000Z');
    expect(clock.now()).toEqual(clock.now());
    clock.advance(1_500);
    expect(clock.now().toISOString()).toBe('2026-01-05T09:00:01.500Z');
    clock.set(new Date('2026-01-06'));
    expect(clock.now().toISOString()).toBe('2026-01-06T00:00:00.000Z');
    expect(() => {
      clock.set('2026-01-05');
    }).toThrow(RangeError);
    expect(new ManualClock(new Date(7)).now().getTime()).toBe(7);
  });
});
