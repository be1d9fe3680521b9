import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { RecordedEvent } from '#kernel';
import { applyToModel } from '#kernel';
import { projectionScenario, recordedEvent, specFor } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import { addDays, decimal } from '#vocabulary';
import type { AccountsEvent } from '../accounts.contract.js';
import { holderLedger } from '../ledger/holder-ledger.projection.js';
import { ACTIONS, playedOut } from '../ledger/ledger.fixture.js';
import type { Conversion } from './conversion.js';
import { converted, rateText } from './conversion.js';
import { readEcbFile } from './ecb-file.js';
import type { RatesState } from './published-rates.js';
import { ratesDecider } from './published-rates.js';
import { conversionsOn, ratesRegister } from './rates-register.projection.js';

const COORDINATOR = { actor: { party: 'agency:secretariat', role: 'coordinator' } };
const spec = specFor(ratesDecider, { idempotent: ['RecordRates'], id: 'ecb-2025' });
const SHARED = { source: 'ecb', reference: 'ECB', base: 'EUR' };
const day = (on: string, ...rates: readonly (readonly [string, string])[]): AccountsEvent['data'] => ({
  ...SHARED,
  on,
  rates: rates.map(([currency, rate]) => ({ currency, rate })),
});
const recorded = (data: AccountsEvent['data']): AccountsEvent => ({ type: 'RatesRecorded', data });
const command = (...days: readonly AccountsEvent['data'][]): Parameters<ReturnType<typeof spec.given>['when']>[0] => ({
  type: 'RecordRates',
  ...SHARED,
  days: days.map(({ on, rates }) => ({ on, rates })),
});

describe('published rates', () => {
  it('are recorded, days at once, and only those that are new', () => {
    const first = day('2025-01-24', ['USD', '1.0472'], ['JPY', '163.9']);
    spec.given().when(command(first), COORDINATOR).then(recorded(first));
    spec
      .given(recorded(first))
      .when(
        command(day('2025-01-24', ['USD', '1.04720'], ['CHF', '0.9494']), day('2025-01-23', ['USD', '1.0404'])),
        COORDINATOR,
      )
      .then(recorded(day('2025-01-24', ['CHF', '0.9494'])), recorded(day('2025-01-23', ['USD', '1.0404'])));
    spec.given(recorded(first)).when(command(first), COORDINATOR).then();
  });

  it('never change, and are for the coordinator and the operator to record', () => {
    const first = recorded(day('2025-01-24', ['USD', '1.0472']));
    spec
      .given(first)
      .when(command(day('2025-01-24', ['USD', '1.0473'])), COORDINATOR)
      .refused('rate-recorded', 'rates');
    spec
      .given()
      .when(command(first.data), { actor: { party: 'donor:japan', role: 'donor-desk' } })
      .refused('forbidden');
    spec
      .given()
      .when(command(first.data), { actor: { party: 'agency:hosting', role: 'operator' } })
      .accepted();
  });

  it('fold past what they do not know, and keep the first of two', () => {
    const fold = (...events: readonly RecordedEvent[]): RatesState =>
      events.reduce<RatesState>((state, event) => ratesDecider.evolve(state, event as never), ratesDecider.initial);
    const one = recordedEvent('rates-ecb-2025', 0, recorded(day('2025-01-24', ['USD', '1'])));
    const other = recordedEvent('rates-ecb-2025', 1, recorded(day('2025-01-24', ['USD', '2'])));
    expect([...fold(one, recordedEvent('rates-ecb-2025', 1, { type: 'Unknown', data: {} }), other).figures]).toEqual([
      ['EUR USD 2025-01-24', '1'],
    ]);
  });
});

const CURRENCIES = ['USD', 'JPY', 'CHF'] as const;
/** Requests to record, in any order, also again and with other figures. */
const REQUESTS = fc.array(
  fc.record({ currency: fc.constantFrom(...CURRENCIES), day: fc.nat(12), rate: fc.integer({ min: 1, max: 5 }) }),
  { minLength: 1, maxLength: 40 },
);
const ON = '2025-01-01';

/** The events that the decider lets these requests write. */
const written = (requests: readonly { currency: string; day: number; rate: number }[]): readonly RecordedEvent[] => {
  let state = ratesDecider.initial;
  const events: RecordedEvent[] = [];
  for (const { currency, day: n, rate } of requests) {
    const by = { ...COORDINATOR, at: `${ON}T00:00:00.000Z`, effectiveAt: `${ON}T00:00:00.000Z` };
    const asked = { ...SHARED, type: 'RecordRates' as const, by };
    const days = [{ on: addDays(ON, n), rates: [{ currency, rate: `1.${rate}` }] }];
    const decision = ratesDecider.decide({ ...asked, days }, state);
    for (const event of decision.kind === 'accepted' ? decision.events : []) {
      const next = recordedEvent('rates-ecb-2025', events.length, event);
      events.push(next);
      state = ratesDecider.evolve(state, next);
    }
  }
  return events;
};

describe('stored conversions (I12)', () => {
  // Seen failing with a higher rate recorded beside the one there was.
  it('a rate once answered for its day is the answer for ever, whatever is loaded later', () => {
    fc.assert(
      fc.property(REQUESTS, (requests) => {
        const database = new MemoryReadDatabase();
        const model = database.open(ratesRegister);
        const answered = new Map<string, string>();
        const recordedAs = new Map<string, string>();
        for (const event of written(requests)) {
          const { on: day, rates } = event.data as AccountsEvent['data'];
          for (const { currency, rate } of rates) {
            expect([day, currency, recordedAs.get(`${currency} ${day}`) ?? rate]).toEqual([day, currency, rate]);
            recordedAs.set(`${currency} ${day}`, rate);
          }
          applyToModel(ratesRegister, model, [event], (same) => same);
          for (const to of CURRENCIES) {
            for (let n = 0; n <= 12; n += 1) {
              const on = addDays(ON, n);
              const [conversion] = conversionsOn(model, { from: 'EUR', to, on });
              // A rate of an earlier day in force gives way to that of the day itself; that one never does.
              if (conversion?.asOf !== on) continue;
              const key = `${to} ${on}`;
              const before = answered.get(key) ?? rateText(conversion);
              expect(rateText(conversion)).toBe(before);
              answered.set(key, before);
            }
          }
        }
        database.close();
      }),
      { numRuns: 40 },
    );
  });

  it('what a ledger booked at a rate stays, however often rates are loaded', () => {
    fc.assert(
      fc.property(ACTIONS, REQUESTS, fc.array(fc.nat(30)), (actions, requests, places) => {
        const money = playedOut(actions).events;
        const rates = written(requests);
        // The same events with loadings in between, positions anew.
        const mixed: RecordedEvent[] = [...money];
        rates.forEach((event, index) => mixed.splice((places[index] ?? 0) % (mixed.length + 1), 0, event));
        const figures = (events: readonly RecordedEvent[]): readonly unknown[] => {
          const database = new MemoryReadDatabase();
          const model = database.open(holderLedger);
          applyToModel(
            holderLedger,
            model,
            events.map((event, index) => ({ ...event, position: BigInt(index + 1) })),
            (same) => same,
          );
          const rows = model.all('SELECT holder, day, currency, class, minor, note FROM entry ORDER BY position, nth');
          database.close();
          return rows;
        };
        expect(figures(mixed)).toEqual(figures(money));
      }),
      { numRuns: 30 },
    );
  });

  it('the register is the same whatever the batch size (I13)', () => {
    fc.assert(
      fc.property(REQUESTS, (requests) => {
        const events = written(requests).map((event, index) => ({ ...event, position: BigInt(index + 1) }));
        projectionScenario(ratesRegister, events, { tries: 4 });
      }),
      { numRuns: 5 },
    );
  });
});

describe('conversion', () => {
  const through = (above: string, below: string): Conversion => ({
    source: 'ecb',
    reference: 'ECB',
    base: 'EUR',
    asOf: ON,
    used: [],
    above: decimal(above),
    below: decimal(below),
  });

  it('is exact where the rate is, and rounds once, half up, to the minor unit', () => {
    expect(rateText(through('1.0472', '1'))).toBe('1.0472');
    expect(converted(decimal('0.05'), through('0.1', '1'), 'USD')).toBe('0.01');
    expect(converted(decimal('0.04'), through('0.1', '1'), 'USD')).toBe('0.00');
    expect(converted(decimal('1000'), through('163.9', '1.0472'), 'JPY')).toBe('156513');
    expect(rateText(through('1', '3'))).toBe('0.333333333333333');
  });

  it('is within half a minor unit of the exact product, for any amount and any rates', () => {
    const figure = fc
      .integer({ min: 1, max: 999_999 })
      .map((n) => `${Math.trunc(n / 1000)}.${String(n % 1000).padStart(3, '0')}`);
    fc.assert(
      fc.property(figure, figure, figure, (amount, above, below) => {
        const cents = BigInt(converted(decimal(amount), through(above, below), 'USD').replace('.', ''));
        const milli = (text: string): bigint => decimal(text).digits;
        // amount × above ÷ below in cents, all three in thousandths: |cents × below × 10 − amount × above| × 2 ≤ below × 10
        const error = cents * milli(below) * 10n - milli(amount) * milli(above);
        expect((error < 0n ? -error : error) * 2n <= milli(below) * 10n).toBe(true);
      }),
    );
  });
});

describe('a file of the European Central Bank', () => {
  it('is read by day, oldest first, no batch across years, what was not quoted left out', () => {
    const batches = readEcbFile(readFileSync('test/data/reference-rates/ecb-eurofxref-extract.csv', 'utf8'));
    for (const batch of batches) {
      expect(new Set(batch.map(({ on }) => on.slice(0, 4))).size).toBe(1);
      expect(batch.length).toBeLessThanOrEqual(60);
    }
    const days = batches.flat();
    expect(days.map(({ on }) => on)).toEqual([...days.map(({ on }) => on)].sort());
    const last = days.at(-1);
    expect(last?.on).toBe('2025-01-24');
    expect(last?.rates).toContainEqual({ currency: 'USD', rate: '1.0472' });
    expect(last?.rates.some(({ currency }) => currency === 'RUB')).toBe(false);
  });

  it.each([
    ['another first column', 'Day,USD\n2025-01-24,1.05\n'],
    ['a row without a day', 'Date,USD\nsoon,1.05\n'],
  ])('is refused with %s', (_what, text) => {
    expect(() => readEcbFile(text)).toThrow(RangeError);
  });
});
