import assert from 'node:assert/strict';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CommandContext, RecordedEvent } from '#kernel';
import type { CommandBody } from '#kernel-testing';
import { frozen, recordedEvent, TEST_TIME } from '#kernel-testing';
import type { Quantity } from '#vocabulary';
import { minorUnits, quantityOf } from '#vocabulary';
import { apportion, attribute } from './attribution.js';
import type { BookingKind, FundEvent, FundTerms } from './fund.contract.js';
import { desk, established, FUND, money, process } from './fund.fixture.js';
import type { Allotted, Credit, FundCommand, FundFigures, FundState } from './fund.js';
import { decidedFor, figuresOf, fundDecider } from './fund.js';

const NEEDS = ['n1', 'n2'];
const COMMITMENTS = ['k1', 'k2', 'k3'];
/** Few enough cents that stories meet at the edge. */
const cents = (min: number, max: number): fc.Arbitrary<Quantity> =>
  fc.integer({ min, max }).map((value) => quantityOf(money(0), BigInt(value)));
const amount = cents(1, 60);
const need = fc.constantFrom(...NEEDS);

const credit: fc.Arbitrary<CommandBody<FundCommand>> = fc
  .record({
    source: fc.constantFrom<Credit['source']>(
      'signed',
      'received',
      'received',
      'received',
      'unsigned',
      'repaid',
      'refund',
    ),
    contribution: fc.constantFrom('c1', 'c2'),
    n: fc.constantFrom(1, 2, 3),
    quantity: cents(0, 100),
  })
  .map((given) => ({ type: 'CreditFund', ...given }));
const booking: fc.Arbitrary<CommandBody<FundCommand>> = fc
  .record({
    kind: fc.constantFrom<BookingKind>('interest', 'fee', 'bank-charge', 'exchange-difference', 'programme-income'),
    gain: fc.boolean(),
    amount,
  })
  .map(({ kind, gain, ...given }) => ({
    type: 'BookFund',
    kind,
    effect:
      kind === 'exchange-difference'
        ? gain
          ? 'gain'
          : 'loss'
        : kind === 'fee' || kind === 'bank-charge'
          ? 'loss'
          : 'gain',
    date: '2026-01-04',
    ...given,
  }));
const decision: fc.Arbitrary<CommandBody<FundCommand>> = fc
  .record({ needs: fc.subarray(NEEDS, { minLength: 1 }), amount })
  .map(({ needs, amount: each }) => ({
    type: 'DecideAllocations',
    body: 'Committee',
    date: '2026-01-04',
    reference: 'Minutes',
    allocations: needs.map((needId) => ({ needId, amount: each })),
    interests: [],
    unknown: { needs: [], applications: [] },
  }));
const others: fc.Arbitrary<CommandBody<FundCommand>> = fc.oneof(
  fc
    .record({ n: fc.constantFrom(1, 2, 3), needId: fc.option(need, { nil: undefined }) })
    .map(({ n, needId }) => ({ type: 'ReleaseDecision' as const, n, ...(needId === undefined ? {} : { needId }) })),
  fc
    .record({
      reserve: cents(0, 30),
      basis: fc.constantFrom('received' as const, 'signed' as const),
    })
    .map(({ reserve, basis }) => ({
      type: 'AmendFundTerms' as const,
      changes: { reserve, capacityBasis: basis },
      unregistered: [],
    })),
);
/** What a commitment draws from now on; the sums of its rises and falls are added up as the story goes. */
const use: fc.Arbitrary<CommandBody<FundCommand>> = fc
  .record({ index: fc.nat(COMMITMENTS.length - 1), used: cents(0, 60) })
  .map(({ index, used }) => ({
    type: 'SettleUse',
    commitment: COMMITMENTS[index] ?? 'k1',
    // A commitment is on one need for ever, and of one provider or of several.
    needId: NEEDS[index % 2] ?? 'n1',
    used,
    released: quantityOf(used, 0n),
    shared: index === 2,
    through: 1_000,
  }));
const story = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: credit },
    { weight: 2, arbitrary: booking },
    { weight: 3, arbitrary: decision },
    { weight: 3, arbitrary: use },
    { weight: 1, arbitrary: others },
  ),
  { minLength: 5, maxLength: 60 },
);

const PROCESS = new Set(['CreditFund', 'SettleUse']);

interface Step {
  readonly command: FundCommand;
  readonly accepted: boolean;
  readonly events: readonly FundEvent[];
  readonly before: FundState;
  readonly after: FundState;
  /** Everything recorded so far. */
  readonly log: readonly FundEvent[];
}

const recorded = (revision: number, event: FundEvent): RecordedEvent<FundEvent> =>
  recordedEvent<FundEvent>(`fund-${FUND}`, revision, event);

const summed = (
  sums: Map<string, { readonly used: bigint; readonly released: bigint }>,
  body: Extract<CommandBody<FundCommand>, { type: 'SettleUse' }>,
): CommandBody<FundCommand> => {
  const before = sums.get(body.commitment) ?? { used: 0n, released: 0n };
  const change = minorUnits(body.used) - (before.used - before.released);
  const after =
    change > 0n ? { ...before, used: before.used + change } : { ...before, released: before.released - change };
  sums.set(body.commitment, after);
  return { ...body, used: quantityOf(body.used, after.used), released: quantityOf(body.used, after.released) };
};

const run = (bodies: readonly CommandBody<FundCommand>[], look: (step: Step) => void): void => {
  const log: FundEvent[] = [established({ reserve: quantityOf(money(0), 5n) })];
  const evolved = (state: FundState, event: FundEvent): FundState =>
    frozen(fundDecider.evolve(state, recorded(log.length, event)));
  let state = log.reduce(evolved, fundDecider.initial);
  const sums = new Map<string, { readonly used: bigint; readonly released: bigint }>();
  for (const given of bodies) {
    const body = given.type === 'SettleUse' ? summed(sums, given) : given;
    const by: CommandContext = {
      actor: PROCESS.has(body.type) ? process : desk,
      at: TEST_TIME,
      effectiveAt: TEST_TIME,
    };
    const command = { ...body, by } as unknown as FundCommand;
    const decided = fundDecider.decide(command, state);
    const before = state;
    const events = decided.kind === 'accepted' ? decided.events : [];
    for (const event of events) {
      log.push(event);
      state = evolved(state, event);
    }
    look({ command, accepted: decided.kind === 'accepted', events, before, after: state, log });
  }
};

const figures = ({ book }: FundState): FundFigures => {
  assert(book !== undefined);
  return figuresOf(book);
};

type EventOf<T extends FundEvent['type']> = Extract<FundEvent, { type: T }>;

/** The position as an auditor adds it up from the events alone. */
const recount = (log: readonly FundEvent[]): bigint => {
  const of = <T extends FundEvent['type']>(type: T): readonly EventOf<T>['data'][] =>
    log.filter((event) => event.type === type).map((event) => event.data as EventOf<T>['data']);
  const last = new Map(
    of('FundCredited').map((data) => [`${data.source} ${data.contribution ?? ''} ${data.n ?? ''}`, data] as const),
  );
  const credits = [...last.values()];
  const total = (source: Credit['source'], contribution?: string): bigint =>
    credits
      .filter((each) => each.source === source && (contribution === undefined || each.contribution === contribution))
      .reduce((sum, { quantity }) => sum + minorUnits(quantity), 0n);
  const terms: Partial<FundTerms> = of('FundTermsAmended').reduce<Partial<FundTerms>>(
    (so, { changes }) => ({ ...so, ...changes }),
    of('FundEstablished')[0]?.terms ?? {},
  );
  const signed = ['c1', 'c2'].map((id) => {
    const [promised, come] = [total('signed', id) - total('unsigned', id), total('received', id)];
    return promised > come ? promised : come;
  });
  const contributed = terms.capacityBasis === 'signed' ? signed.reduce((a, b) => a + b, 0n) : total('received');
  const booked = of('FundBooked').reduce(
    (sum, { effect, amount: moved }) => sum + (effect === 'gain' ? minorUnits(moved) : -minorUnits(moved)),
    0n,
  );
  const reserve = terms.reserve === undefined ? 0n : minorUnits(terms.reserve);
  return contributed - total('repaid') + total('refund') + booked - reserve;
};

const beyond = (each: Allotted): bigint => minorUnits(each.used) - minorUnits(each.amount) + minorUnits(each.released);

/** How far one allocation is drawn beyond what stands of it. */
const overdraft = (
  { book }: FundState,
  { decision, needId }: { readonly decision: number; readonly needId: string },
): bigint => {
  const found = book?.decisions.find(({ n }) => n === decision)?.allocations.find((each) => each.needId === needId);
  return found === undefined || beyond(found) < 0n ? 0n : beyond(found);
};

const isOverdrawn = ({ book }: FundState): boolean =>
  book?.decisions.some(({ allocations }) => allocations.some((each) => beyond(each) > 0n)) === true;

describe('a fund under any order of credits, bookings, decisions, draws and cancellations', () => {
  test('allocates what it has: no decision, fee, charge or release leaves it short', () => {
    fc.assert(
      fc.property(story, (bodies) => {
        run(bodies, ({ command, accepted, events, before, after }) => {
          if (!accepted || events.length === 0) return;
          const [was, is] = [figures(before), figures(after)];
          if (command.type === 'DecideAllocations') assert(is.available >= 0n, 'allocated more than there was');
          if (command.type === 'BookFund' && command.effect === 'loss') {
            assert(
              (command.kind === 'fee' ? is.available : is.available + is.reserve) >= 0n,
              'booked what was allocated',
            );
          }
          // A reserve may precede its money as long as nothing is allocated.
          if (command.type === 'AmendFundTerms') {
            assert(is.allocated === 0n || is.available >= 0n || is.available >= was.available);
          }
          if (command.type === 'ReleaseDecision') assert(is.available > was.available, 'a release frees something');
        });
      }),
      { numRuns: 400 },
    );
  });

  test('conserves every part: what came = what is allocated, kept and available, as the events alone add up', () => {
    fc.assert(
      fc.property(story, (bodies) => {
        run(bodies, ({ after, log }) => {
          const is = figures(after);
          assert.equal(is.available + is.allocated, recount(log));
          const moved = (type: FundEvent['type']): bigint =>
            log
              .filter((event) => event.type === type)
              .reduce((sum, { data }) => sum + minorUnits((data as { readonly quantity: Quantity }).quantity), 0n);
          const decided = log
            .filter((event): event is EventOf<'AllocationDecided'> => event.type === 'AllocationDecided')
            .flatMap(({ data }) => data.allocations)
            .reduce((sum, each) => sum + minorUnits(each.amount), 0n);
          const given = log
            .filter((event): event is EventOf<'AllocationReleased'> => event.type === 'AllocationReleased')
            .filter(({ data }) => data.commitment !== undefined)
            .reduce((sum, { data }) => sum + minorUnits(data.quantity), 0n);
          assert.equal(is.used, moved('AllocationUsed') - given);
          assert(is.used <= is.allocated, 'what is drawn is taken');
          if (!overdrew(log)) assert.equal(is.allocated, decided - moved('AllocationReleased'));
        });
      }),
      { numRuns: 400 },
    );
  });

  test('draws for a commitment what it asks, whatever was asked before, and tells what is left', () => {
    fc.assert(
      fc.property(story, (bodies) => {
        run(bodies, ({ command, events, before, after }) => {
          const { book } = after;
          if (command.type !== 'SettleUse' || book === undefined) return;
          const drawn = (book.draws[command.commitment]?.parts ?? []).reduce(
            (sum, { quantity }) => sum + minorUnits(quantity),
            0n,
          );
          const asked = minorUnits(command.used) - minorUnits(command.released);
          const has = book.decisions.some(({ allocations }) =>
            allocations.some(({ needId }) => needId === command.needId),
          );
          if (command.shared || !has) assert(drawn <= asked);
          else assert.equal(drawn, asked);
          const left = decidedFor(book, command.needId, command.commitment);
          if (drawn > 0n) assert(left !== undefined && minorUnits(left) >= drawn);
          for (const event of events) {
            if (event.type !== 'AllocationReleased') continue;
            // What rose and fell in one telling is drawn before it is given back.
            if (events.some(({ type }) => type === 'AllocationUsed')) continue;
            const [was, is] = [overdraft(before, event.data), overdraft(after, event.data)];
            const rest = was - minorUnits(event.data.quantity);
            assert.equal(is, rest > 0n ? rest : 0n, 'what was never allocated is given back first');
          }
        });
      }),
      { numRuns: 400 },
    );
  });
});

/** True where some draw went beyond its decision on the way. */
const overdrew = (log: readonly FundEvent[]): boolean => {
  let state: FundState = fundDecider.initial;
  return log.some((event, index) => {
    state = fundDecider.evolve(state, recorded(index, event));
    return isOverdrawn(state);
  });
};

describe('attribution', () => {
  const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 12 });

  test('divides exactly, each part within one unit of its proportion', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), weights, (whole, given) => {
        const total = given.reduce((sum, weight) => sum + weight, 0n);
        fc.pre(total > 0n);
        const parts = apportion(whole, given);
        assert.equal(
          parts.reduce((sum, part) => sum + part, 0n),
          whole,
        );
        for (const [index, part] of parts.entries()) {
          const exact = whole * (given[index] ?? 0n);
          assert(part * total - exact < total && exact - part * total < total);
        }
      }),
    );
  });

  test('lays what was allocated to donors who gave, and to nobody where none did', () => {
    const rows = attribute(
      new Map([
        ['donor:b', 100n],
        ['donor:a', 200n],
        ['donor:c', 0n],
      ]),
      100n,
    );
    expect(rows).toEqual([
      { donor: 'donor:a', received: 200n, share: 666_667n, allocated: 67n },
      { donor: 'donor:b', received: 100n, share: 333_333n, allocated: 33n },
    ]);
    expect(attribute(new Map([['donor:a', 0n]]), 5n)).toEqual([]);
    expect(apportion(1n, [1n, 1n])).toEqual([1n, 0n]);
  });
});
