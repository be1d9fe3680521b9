import { Problem, requireForward } from './problem.js';

describe('a period', () => {
  it.each([
    ['2026-01-02', '2026-01-01'],
    ['2026-11', '2026-10-31'],
    ['2026-01-01T10:00:00Z', '2026-01-01T12:00:00+03:00'],
    ['2027', '2026-12-31T23:59:59Z'],
  ])('from %s to %s runs backwards, which names its end', (from, to) => {
    let thrown: unknown;
    try {
      requireForward({ from, to }, 'filter.to');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Problem);
    const errors = [{ field: 'filter.to', message: `must not be before from (${from})` }];
    expect(thrown).toMatchObject({ status: 400, code: 'invalid-request', errors });
  });

  it.each([
    ['2026-01-01', '2026-01-01'],
    ['0001-01-01', '2026-01-01'],
    ['2026-11-15', '2026-11'],
    [undefined, '2026-01-01'],
    ['2026-01-01', undefined],
  ])('from %s to %s does not', (from, to) => {
    expect(() => requireForward({ from, to })).not.toThrow();
  });
});
