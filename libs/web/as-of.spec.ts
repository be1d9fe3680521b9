import { validate } from 'class-validator';
import { recordedEvent } from '#kernel-testing';
import { AsOfQuery, countsAt, momentOf } from './as-of.js';

const faults = async (query: object): Promise<readonly string[]> =>
  (await validate(Object.assign(new AsOfQuery(), query))).map(({ property }) => property);

describe('what `at` and `clock` may be', () => {
  it.each([
    ['12', 'recorded', { position: 12n }],
    ['2026-01-20', 'recorded', { time: '2026-01-20T23:59:59.999Z' }],
    ['2026-01-20', 'effective', { time: '2026-01-20T23:59:59.999Z' }],
    ['2026-01-20T12:00:00+02:00', 'effective', { time: '2026-01-20T10:00:00.000Z' }],
  ] as const)('%s on the %s clock', async (at, clock, place) => {
    expect(momentOf(at, clock)).toEqual({ clock, place });
    expect(await faults({ at, clock })).toEqual([]);
  });
  it('is everything on record where nothing is said', async () => {
    expect(momentOf(undefined)).toEqual({ clock: 'recorded', place: undefined });
    expect(await faults({})).toEqual([]);
  });
  it.each([
    [{ at: '12', clock: 'effective' }, ['at']],
    [{ at: '2026-13-01' }, ['at']],
    [{ at: '2026-01' }, ['at']],
    [{ at: '-1' }, ['at']],
    [{ at: '1e3' }, ['at']],
    [{ at: '' }, ['at']],
    [{ at: '2026-01-20 12:00' }, ['at']],
    [{ at: '9223372036854775808' }, ['at']],
    [{ at: '99999999999999999999' }, ['at']],
    [{ at: 'x', clock: 'wall' }, ['at', 'clock']],
  ])('%j is 400', async (asked, fields) => {
    expect(await faults(asked)).toEqual(fields);
  });
});

describe('what counts at a moment', () => {
  const claimed = (effectiveAt: string): boolean[] =>
    ['2026-01-19', '2026-01-20T12:00:00Z', '2026-01-20', '2026-01-31'].map((at) =>
      countsAt(
        recordedEvent('need-1', 0, { type: 'NeedOpened', data: {} }, { effectiveAt }, 7n),
        momentOf(at, 'effective'),
      ),
    );
  it('is known to the day or the month from its last instant', () => {
    expect(claimed('2026-01-20T12:00:00.000Z')).toEqual([false, true, true, true]);
    expect(claimed('2026-01-20')).toEqual([false, false, true, true]);
    expect(claimed('2026-01')).toEqual([false, false, false, true]);
  });
  it('is every event up to a position, which is one of them', () => {
    const event = recordedEvent('need-1', 0, { type: 'NeedOpened', data: {} }, {}, 7n);
    expect(['6', '7', '8'].map((at) => countsAt(event, momentOf(at)))).toEqual([false, true, true]);
  });
});
