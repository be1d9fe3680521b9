import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ReadModel, RecordedEvent } from '#kernel';
import { applyToModel } from '#kernel';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import { currenciesOf, fundInformation } from '../statements/statement.js';
import { holderLedger } from './holder-ledger.projection.js';
import { ACTIONS, cash, dayAt, DONOR, FUND, playedOut } from './ledger.fixture.js';
import { advancesOf, balanceOf, linesOf, sumsUntil } from './ledger.js';

const LAST = '9999-12-31';
const ALWAYS = { from: '0001-01-01', to: LAST };

const withModel = (test: (model: ReadModel, play: (events: readonly RecordedEvent[]) => void) => void): void => {
  const database = new MemoryReadDatabase();
  try {
    const model = database.open(holderLedger);
    test(model, (events) => {
      applyToModel(holderLedger, model, events, (event) => event);
    });
  } finally {
    database.close();
  }
};

const holdersIn = (model: ReadModel): string[] =>
  model.all('SELECT DISTINCT holder FROM entry ORDER BY holder').map(({ holder }) => holder as string);

const balancesIn = (model: ReadModel): ReadonlyMap<string, bigint> => {
  const sums = new Map<string, bigint>();
  for (const { holder, currency, minor } of model.all('SELECT holder, currency, minor FROM entry')) {
    const key = `${holder as string} ${currency as string}`;
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(minor as string));
  }
  return new Map([...sums].filter(([, minor]) => minor !== 0n));
};

const sorted = (balances: ReadonlyMap<string, bigint>): readonly (readonly [string, bigint])[] =>
  [...balances].sort(([a], [b]) => (a < b ? -1 : 1));

describe('holder ledger', () => {
  it('says at every position what each holder has of each currency, and nobody holds less than nothing (I9)', () => {
    fc.assert(
      fc.property(ACTIONS, (actions) => {
        const { events, balances } = playedOut(actions);
        withModel((model, play) => {
          events.forEach((event, index) => {
            play([event]);
            const now = balancesIn(model);
            expect(sorted(now)).toEqual(sorted(balances[index] ?? new Map<string, bigint>()));
            for (const [holder, minor] of now) assert.ok(holder.startsWith(DONOR) || minor >= 0n);
          });
        });
      }),
      { numRuns: 40 },
    );
  });

  it('reconciles over any two periods: what one closes with the next opens with', () => {
    fc.assert(
      fc.property(ACTIONS, fc.nat(120), fc.nat(120), (actions, one, other) => {
        const [first, second] = [Math.min(one, other), Math.max(one, other)];
        const { events, balances } = playedOut(actions);
        withModel((model, play) => {
          play(events);
          for (const holder of holdersIn(model)) {
            const spans = [
              { from: '0001-01-01', to: dayAt(first) },
              { from: dayAt(first + 1), to: dayAt(second + 1) },
              { from: dayAt(second + 2), to: LAST },
            ];
            const closings = new Map<string, string>();
            for (const span of spans) {
              const currencies = currenciesOf(model, { holder }, span, false);
              for (const { currency, opening, closing, difference, reconciles } of currencies) {
                assert.deepEqual([Number(difference), reconciles], [0, true]);
                assert.equal(Number(opening), Number(closings.get(currency) ?? 0));
                closings.set(currency, closing);
              }
            }
            for (const [currency, classes] of sumsUntil(model, { holder }, LAST)) {
              assert.equal(balanceOf(classes), balances.at(-1)?.get(`${holder} ${currency}`) ?? 0n);
            }
          }
        });
      }),
      { numRuns: 40 },
    );
  });

  it('turns what was corrected exactly: of every figure that no longer stands nothing is left', () => {
    fc.assert(
      fc.property(ACTIONS, (actions) => {
        withModel((model, play) => {
          play(playedOut(actions).events);
          const left = new Map<string, bigint>();
          const rows = model.all('SELECT origin, holder, currency, day, class, minor FROM entry WHERE standing = 0');
          for (const { minor, ...place } of rows) {
            const key = JSON.stringify(place);
            left.set(key, (left.get(key) ?? 0n) + BigInt(minor as string));
          }
          expect([...left].filter(([, minor]) => minor !== 0n)).toEqual([]);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('is the same whatever the batch size and after every restart (I13)', () => {
    fc.assert(
      fc.property(ACTIONS, (actions) => {
        projectionScenario(holderLedger, playedOut(actions).events, { tries: 5 });
      }),
      { numRuns: 4 },
    );
  });

  it('keeps in hand exactly what the balance says, whatever its age', () => {
    fc.assert(
      fc.property(ACTIONS, fc.nat(150), (actions, day) => {
        withModel((model, play) => {
          play(playedOut(actions).events);
          const on = dayAt(day);
          for (const holder of holdersIn(model)) {
            const balances = sumsUntil(model, { holder }, on);
            const advances = new Map(advancesOf(model, { holder }, on).map((each) => [each.currency, each]));
            for (const [currency, classes] of balances) {
              const balance = balanceOf(classes);
              const advance = advances.get(currency);
              assert.equal(advance?.outstanding ?? 0n, balance > 0n ? balance : 0n);
              assert.ok(advance?.lots.every((lot) => lot.day <= on) ?? true);
              assert.equal(
                advance?.lots.reduce((sum, { minor }) => sum + minor, 0n) ?? 0n,
                balance > 0n ? balance : 0n,
              );
            }
          }
        });
      }),
      { numRuns: 40 },
    );
  });

  const commitment = (revision: number, type: string, data: object): RecordedEvent =>
    recordedEvent('commitment-c1', revision, { type, data }, {}, BigInt(10 + revision));
  const proposed = commitment(0, 'CommitmentProposed', {
    providers: [FUND],
    beneficiaries: ['state:VUT'],
    filer: 'state:VUT',
    legs: [],
  });
  const transfer = (revision: number, n: number, date: string): RecordedEvent =>
    commitment(revision, 'TransferReported', {
      n,
      kind: 'disbursement',
      from: FUND,
      to: 'agency:cavr',
      amount: cash('USD', 10_000),
      date,
    });
  const periodClosed = recordedEvent(
    `fund-${FUND}`,
    0,
    { type: 'PeriodClosed', data: { period: { from: '2026-01-01', to: '2026-01-31' }, party: FUND } },
    {},
    50n,
  );

  it('counts what was sent as received until the holder says what arrived, in its own currency', () => {
    withModel((model, play) => {
      play([proposed, transfer(1, 1, '2026-01-10')]);
      const lines = (): object[] =>
        linesOf(model, { holder: 'agency:cavr' }, ALWAYS, undefined, 10).map(
          ({ place, currency, minor, unreceipted, events, note }) => ({
            day: place.day,
            figure: `${minor} ${currency}`,
            unreceipted,
            events: events.map(({ type }) => type),
            ...(note === undefined ? {} : { note }),
          }),
        );
      expect(lines()).toEqual([
        { day: '2026-01-10', figure: '10000 USD', unreceipted: true, events: ['TransferReported'] },
      ]);
      play([
        commitment(2, 'ReceiptReported', {
          n: 1,
          transfer: 1,
          party: 'agency:cavr',
          amount: cash('USD', 9_900),
          credited: cash('EUR', 9_000),
          rate: '0.909091',
          charges: cash('USD', 100),
          date: '2026-01-12',
        }),
      ]);
      expect(lines()).toEqual([
        {
          day: '2026-01-12',
          figure: '9000 EUR',
          unreceipted: false,
          events: ['TransferReported', 'ReceiptReported'],
          note: { transfer: 1, arrived: cash('USD', 9_900), rate: '0.909091', charges: cash('USD', 100) },
        },
      ]);
      // Of dollars nothing is left to state. Seen failing with every currency stated that has sums.
      expect(currenciesOf(model, { holder: 'agency:cavr' }, ALWAYS, false)).toMatchObject([{ currency: 'EUR' }]);
    });
  });

  it('books a day known to the month or year on its last day, in every statement that reaches it', () => {
    withModel((model, play) => {
      play([proposed, transfer(1, 1, '2026-03'), transfer(2, 2, '2025')]);
      const holder = 'agency:cavr';
      const lines = linesOf(model, { holder }, ALWAYS, undefined, 10);
      expect(lines.map(({ place }) => place.day)).toEqual(['2025-12-31', '2026-03-31']);
      for (const [from, to, opening, closing] of [
        ['2025-12-01', '2025-12-31', '0.00', '100.00'],
        ['2026-01-01', '2026-03-30', '100.00', '100.00'],
        ['2026-03-01', '2026-03-31', '100.00', '200.00'],
        ['2026-04-01', '2026-04-30', '200.00', '200.00'],
      ] as const) {
        expect(currenciesOf(model, { holder }, { from, to }, false)).toMatchObject([
          { opening, closing, reconciles: true },
        ]);
      }
      play([
        commitment(3, 'ReceiptReported', {
          ...{ n: 1, transfer: 1, party: holder, amount: cash('USD', 10_000), date: '2026-03' },
        }),
      ]);
      expect(linesOf(model, { holder }, ALWAYS, undefined, 10).map(({ place }) => place.day)).toEqual([
        '2025-12-31',
        '2026-03-31',
      ]);
    });
  });

  // Seen failing with what was passed on alone: totals count a fee and a charge that a provider pays, too.
  it('states what a donor paid out net of refunds, whatever it paid it as', () => {
    withModel((model, play) => {
      const moved = (n: number, kind: string, from: string, to: string, minor: number): RecordedEvent =>
        commitment(n, 'TransferReported', { n, kind, from, to, amount: cash('USD', minor), date: '2026-01-10' });
      play([
        proposed,
        moved(1, 'disbursement', FUND, 'agency:cavr', 10_000),
        moved(2, 'fee', FUND, 'agency:cavr', 700),
        moved(3, 'bank-charge', FUND, 'agency:cavr', 100),
        moved(4, 'refund', 'agency:cavr', FUND, 1_000),
        moved(5, 'interest', FUND, FUND, 50),
      ]);
      expect(currenciesOf(model, { holder: FUND }, ALWAYS, true)).toMatchObject([
        { uses: { passedOn: '100.00', fees: '7.00', charges: '1.00' }, netPaid: '98.00' },
      ]);
    });
  });

  // Seen failing with all that was released taken from what was used: that fell below nothing, and more stood open than was decided.
  it('says of a fund what commitments use of its decisions, what was taken back and what stands open', async () => {
    const database = new MemoryReadDatabase();
    const model = database.open(holderLedger);
    let position = 100n;
    const after = async (type: string, data: object): Promise<unknown> => {
      position += 1n;
      applyToModel(
        holderLedger,
        model,
        [recordedEvent(`fund-${FUND}`, Number(position) - 101, { type, data }, {}, position)],
        (event) => event,
      );
      const told = await fundInformation(model, FUND, () => Promise.resolve(true));
      return (told as { readonly allocations: unknown }).allocations;
    };
    const of = (needId: string, minor: number): object => ({ decision: 1, needId, quantity: cash('USD', minor) });
    const allocations = (decided: number, used: number, released: number, open: number): object =>
      Object.fromEntries(
        Object.entries({ decided, used, released, open }).map(([name, minor]) => [
          name,
          minor === 0 ? [] : [cash('USD', minor)],
        ]),
      );
    await after('AllocationDecided', {
      n: 1,
      allocations: [
        { needId: 'n1', amount: cash('USD', 300) },
        { needId: 'n2', amount: cash('USD', 200) },
      ],
    });
    const use = { ...of('n1', 250), commitment: 'c1' };
    expect(await after('AllocationUsed', use)).toEqual(allocations(500, 250, 0, 250));
    expect(await after('AllocationReleased', of('n2', 200))).toEqual(allocations(500, 250, 200, 50));
    // What was drawn beyond a decision is no part of it, and does not come back to it.
    expect(await after('AllocationUsed', { ...of('n1', 60), commitment: 'c2' })).toEqual(allocations(500, 310, 200, 0));
    expect(await after('AllocationReleased', use)).toEqual(allocations(500, 60, 440, 0));
    database.close();
  });

  it('counts a contribution once, whoever tells first that it was paid', () => {
    const contribution = (revision: number, type: string, data: object): RecordedEvent =>
      recordedEvent('contribution-k1', revision, { type, data }, {}, BigInt(10 + revision));
    const moved = { amount: cash('USD', 10_000), date: '2026-01-10' };
    withModel((model, play) => {
      play([
        contribution(0, 'ContributionPledged', { fund: FUND, donor: DONOR, ...moved, visibility: 'members' }),
        contribution(1, 'ContributionReceived', { n: 1, amount: cash('USD', 9_900), date: '2026-01-11' }),
        contribution(2, 'ContributionPaid', { n: 1, ...moved }),
      ]);
      expect(sorted(balancesIn(model))).toEqual([
        [`${DONOR} USD`, -10_000n],
        [`${FUND} USD`, 9_900n],
      ]);
      play([contribution(3, 'ContributionPaid', { n: 2, ...moved })]);
      expect(balancesIn(model).get(`${FUND} USD`)).toBe(19_900n);
    });
  });

  it('marks what is dated in a closed period and recorded later, and there turns what it would otherwise replace', () => {
    withModel((model, play) => {
      play([proposed, transfer(1, 1, '2026-01-10'), periodClosed]);
      const after = (event: RecordedEvent): RecordedEvent => ({ ...event, position: event.position + 100n });
      play([after(transfer(2, 2, '2026-01-20')), after(transfer(3, 3, '2026-02-01'))]);
      play([
        after(
          commitment(4, 'ReceiptReported', {
            n: 1,
            transfer: 1,
            party: 'agency:cavr',
            amount: cash('USD', 10_000),
            date: '2026-02-02',
          }),
        ),
      ]);
      const lines = linesOf(model, { holder: 'agency:cavr' }, ALWAYS, undefined, 10);
      expect(lines.map(({ place, minor, prior, reversal }) => [place.day, minor, prior, reversal])).toEqual([
        ['2026-01-10', 10_000n, false, false],
        ['2026-01-10', -10_000n, true, true],
        ['2026-01-20', 10_000n, true, false],
        ['2026-02-01', 10_000n, false, false],
        ['2026-02-02', 10_000n, false, false],
      ]);
      // A day on which one line undoes the other did move.
      const day = { from: '2026-01-10', to: '2026-01-10' };
      expect(currenciesOf(model, { holder: 'agency:cavr' }, day, false)).toMatchObject([{ currency: 'USD' }]);
    });
  });

  it('pages lines in order without gap or repetition, for one currency or for all', () => {
    fc.assert(
      fc.property(
        ACTIONS,
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(undefined, 'USD'),
        (actions, limit, currency) => {
          withModel((model, play) => {
            play(playedOut(actions).events);
            const scope = { holder: 'agency:cavr', ...(currency === undefined ? {} : { currency }) };
            const whole = linesOf(model, scope, ALWAYS, undefined, 1_000);
            const paged: (typeof whole)[number][] = [];
            for (;;) {
              const page = linesOf(model, scope, ALWAYS, paged.at(-1)?.place, limit);
              paged.push(...page);
              if (page.length < limit) break;
            }
            expect(paged).toEqual(whole);
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});
