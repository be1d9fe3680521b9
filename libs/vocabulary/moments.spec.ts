import fc from 'fast-check';
import {
  addDays,
  addWorkingDays,
  dateOf,
  firstInstant,
  isFuture,
  isInstant,
  isRealDate,
  lastInstant,
  latestDateAnywhere,
  momentFault,
  parsePeriod,
  periodEnd,
  periodHolds,
  periodsOverlap,
  periodStart,
  readMoment,
} from './index.js';

const instants = fc
  .date({ min: new Date('1900-01-01T00:00:00Z'), max: new Date('2200-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

describe('moments', () => {
  it.each([
    ['2016', 'year', '2016-12-31T23:59:59.999Z'],
    ['2016-02', 'month', '2016-02-29T23:59:59.999Z'],
    ['2017-12', 'month', '2017-12-31T23:59:59.999Z'],
    ['2017-11-14', 'day', '2017-11-14T23:59:59.999Z'],
    ['2017-11-14T10:00:00Z', 'instant', '2017-11-14T10:00:00.000Z'],
    ['2017-11-14t10:00:00.1234567+11:00', 'instant', '2017-11-13T23:00:00.123Z'],
    ['9999', 'year', '9999-12-31T23:59:59.999Z'],
    ['0001-01-01', 'day', '0001-01-01T23:59:59.999Z'],
  ])('%s is known to the %s and counts from %s', (text, precision, last) => {
    expect(readMoment(text)).toMatchObject({ text, precision, last });
    expect(lastInstant(text)).toBe(last);
  });

  it.each([
    '2026-02-29',
    '2026-13',
    '2026-00',
    '2026-1',
    '2026-01-00',
    '2026-04-31',
    '0000',
    '26',
    '20261122',
    '2026-11-22T10:00:00',
    '2026-11-22T24:00:00Z',
    '2026-11-22T10:60:00Z',
    '2026-11-22 10:00:00Z',
    '2026-11-22T10:00Z',
    '2026-11-22T10:00:00+24:00',
    '2026-02-30T10:00:00Z',
    '0001-01-01T00:00:00+14:00',
    '9999-12-31T23:59:59-14:00',
    ' 2026',
    '2026\n',
    '',
    '+002026',
    2026,
    null,
  ])('%p is no moment', (text) => {
    expect(momentFault(text)).toContain('must be an existing moment');
  });

  it('known to the day hold every instant of that day, and the next day begins one millisecond after', () => {
    fc.assert(
      fc.property(instants, (at) => {
        const day = dateOf(at);
        expect(isRealDate(day)).toBe(true);
        expect(firstInstant(day) <= at && at <= lastInstant(day)).toBe(true);
        expect(
          firstInstant(at.slice(0, 7)) <= firstInstant(day) && lastInstant(day) <= lastInstant(at.slice(0, 7)),
        ).toBe(true);
        expect(Date.parse(periodEnd(day)) - 1).toBe(Date.parse(lastInstant(day)));
        expect(periodEnd(day)).toBe(periodStart(addDays(day, 1)));
        expect(isInstant(at) && lastInstant(at) === at).toBe(true);
      }),
    );
  });

  it('written with another offset are the same instant', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: -14 * 60, max: 14 * 60 }), (at, minutes) => {
        const local = new Date(Date.parse(at) + minutes * 60_000).toISOString().slice(0, -1);
        const size = Math.abs(minutes);
        const two = (n: number): string => String(n).padStart(2, '0');
        expect(lastInstant(`${local}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`)).toBe(
          at,
        );
      }),
    );
  });

  it('lie in the future only when no place on Earth has reached them', () => {
    const now = '2026-11-22T10:00:00Z';
    expect(latestDateAnywhere(now)).toBe('2026-11-23');
    expect(latestDateAnywhere(new Date('2026-11-22T09:59:59Z'))).toBe('2026-11-22');
    expect(['2026', '2026-11', '2026-11-23', '2026-11-22T10:00:00Z'].map((moment) => isFuture(moment, now))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(
      ['2027', '2026-12', '2026-11-24', '2026-11-23T00:00:00.001Z'].map((moment) => isFuture(moment, now)),
    ).toEqual([true, true, true, true]);
  });

  it('do not leave the years that four digits can write', () => {
    expect(() => addDays('9999-12-31', 1)).toThrow(RangeError);
    expect(periodEnd('9999-12-31')).toBe('9999-12-31T23:59:59.999Z');
    expect(() => lastInstant('2026-02-30')).toThrow(RangeError);
  });
});

describe('working days', () => {
  it.each([
    ['2026-11-20T10:00:00.000Z', 5, '2026-11-27T10:00:00.000Z'], // Friday to Friday
    ['2026-11-21T10:00:00.000Z', 5, '2026-11-27T10:00:00.000Z'], // Saturday
    ['2026-11-22T10:00:00.000Z', 1, '2026-11-23T10:00:00.000Z'], // Sunday
    ['2026-11-23T00:00:00.000Z', 5, '2026-11-30T00:00:00.000Z'], // Monday
    ['2026-11-23T00:00:00.000Z', 0, '2026-11-23T00:00:00.000Z'],
  ])('from %s, %i of them end %s', (from, days, to) => {
    expect(addWorkingDays(from, days)).toBe(to);
  });

  it('end on a working day at the same time of day, with exactly that many between', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: 1, max: 60 }), (at, days) => {
        const end = addWorkingDays(at, days);
        expect([0, 6]).not.toContain(new Date(end).getUTCDay());
        expect(end.slice(10)).toBe(at.slice(10));
        let count = 0;
        for (let day = addDays(at, 1); day <= end; day = addDays(day, 1)) {
          if (![0, 6].includes(new Date(day).getUTCDay())) count += 1;
        }
        expect(count).toBe(days);
      }),
    );
  });

  it('five of them last a week from any weekday, and adding up is adding once', () => {
    fc.assert(
      fc.property(instants, fc.nat(20), fc.nat(20), (at, m, n) => {
        expect(addWorkingDays(addWorkingDays(at, m), n)).toBe(addWorkingDays(at, m + n));
        fc.pre(![0, 6].includes(new Date(at).getUTCDay()));
        expect(addWorkingDays(at, 5)).toBe(addDays(at, 7));
      }),
    );
  });
});

describe('periods', () => {
  const paths = (input: unknown, rule?: { open: boolean }): string[] => {
    const parsed = parsePeriod(input, rule);
    return parsed.ok ? [] : parsed.faults.map(({ path }) => path);
  };

  it('are existing days in order, one day being enough', () => {
    expect(parsePeriod({ from: '2026-01-01', to: '2026-01-01' })).toEqual({
      ok: true,
      value: { from: '2026-01-01', to: '2026-01-01' },
    });
    expect(paths({ from: '2026-01-02', to: '2026-01-01' })).toEqual(['to']);
    expect(paths({ from: '2026-02-30', until: 'x' })).toEqual(['until', 'from', 'to']);
    expect(paths(['2026-01-01'])).toEqual(['']);
  });

  it('may lack a bound only where that is allowed, and never both', () => {
    expect(paths({ from: '2026-01-01' })).toEqual(['to']);
    expect(paths({ from: '2026-01-01' }, { open: true })).toEqual([]);
    expect(paths({}, { open: true })).toEqual(['']);
  });

  it('overlap exactly when some day is in both', () => {
    const days = fc.integer({ min: 0, max: 40 }).map((n) => addDays('2026-01-01', n));
    const periods = fc.tuple(days, days).map((pair) => {
      const [from, to] = [...pair].sort();
      return { from: from ?? '', to: to ?? '' };
    });
    fc.assert(
      fc.property(periods, periods, (a, b) => {
        const all = Array.from({ length: 41 }, (_, n) => addDays('2026-01-01', n));
        expect(periodsOverlap(a, b)).toBe(all.some((day) => periodHolds(a, day) && periodHolds(b, day)));
      }),
    );
    expect(periodsOverlap({ from: '2026-01-01' }, { to: '2025-12-31' })).toBe(false);
    expect(periodsOverlap({}, { to: '2025-12-31' })).toBe(true);
  });
});
