import fc from 'fast-check';
import { RateLimit } from './rate-limit.js';

describe('the rate limit', () => {
  it('lets a burst of one second pass and then says how long to wait', () => {
    const limit = new RateLimit(3, () => 0);
    expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([0, 0, 0, 1]);
  });

  it('counts each caller alone', () => {
    const limit = new RateLimit(1, () => 0);
    expect([limit.take('a'), limit.take('b'), limit.take('a')]).toEqual([0, 0, 1]);
  });

  it('never lets more pass in any stretch of time than the rate and one burst', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), steps, (rate, waits) => {
        let now = 0;
        const limit = new RateLimit(rate, () => now);
        const passed = waits.map((wait) => {
          now += wait;
          return limit.take('a') === 0 ? now : undefined;
        });
        const times = passed.filter((time) => time !== undefined);
        const within = (from: number, to: number): number => times.filter((time) => time >= from && time <= to).length;
        return times.every((from) =>
          times.every((to) => to < from || within(from, to) <= rate + ((to - from) / 1000) * rate + 1e-6),
        );
      }),
    );
  });

  it('fills again while nobody asks', () => {
    let now = 0;
    const limit = new RateLimit(2, () => now);
    limit.take('a');
    limit.take('a');
    expect(limit.take('a')).toBe(1);
    now = 500;
    expect([limit.take('a'), limit.take('a')]).toEqual([0, 1]);
  });
});
