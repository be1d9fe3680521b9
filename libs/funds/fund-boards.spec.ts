import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Caller, MandateInForce } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { DomainEvent, RecordedEvent } from '#kernel';
import { applyToModel, type ReadModel, rowsOf, where } from '#kernel';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import type { Role, Visibility } from '#vocabulary';
import { callBoard } from './call-board.projection.js';
import { contributionBoard } from './contribution-board.projection.js';
import type { ContributionEvent } from './fund.contract.js';
import { fundBoard } from './fund-board.projection.js';
import { credited, decided, established, money, released, used } from './fund.fixture.js';
import { isInsider, seenFunds, seenLabelled, seesFund, seesLabelled } from './fund-sight.js';

const FUNDS = ['fund:unscar', 'fund:att'];
const PARTIES = [...FUNDS, 'donor:japan', 'donor:norway', 'agency:undp', 'state:FJI', 'auditor:court'];
const IDS = ['c0', 'c1', 'c2'];

const mandate: fc.Arbitrary<MandateInForce> = fc.record({
  mandate: fc.constant('m1'),
  everything: fc.boolean(),
  parties: fc.subarray(PARTIES).map((ids) => new Set(ids)),
  records: fc.subarray([...IDS, ...FUNDS]).map((ids) => new Set(ids)),
  sealed: fc.boolean(),
  appointedBy: fc.constantFrom(...PARTIES),
});
const who: fc.Arbitrary<Caller> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(ANONYMOUS) },
  {
    weight: 9,
    arbitrary: fc
      .record({
        party: fc.constantFrom(...PARTIES),
        roles: fc.subarray<Role>(['donor-desk', 'npc', 'auditor', 'operator', 'coordinator', 'fiscal-agent']),
        mandates: fc.array(mandate, { maxLength: 2 }),
      })
      .map((given) => ({ ...ANONYMOUS, anonymous: false, registered: true, ...given })),
  },
);
const contributions = fc.array(
  fc.record({
    fund: fc.constantFrom(...FUNDS),
    donor: fc.constantFrom('donor:japan', 'donor:norway'),
    visibility: fc.constantFrom<Visibility>('public', 'members', 'named', 'sealed'),
  }),
  { minLength: IDS.length, maxLength: IDS.length },
);

const numbered = (events: readonly (readonly [stream: string, event: DomainEvent])[]): readonly RecordedEvent[] =>
  events.map(([stream, event], index) => {
    const revision = events.slice(0, index).filter(([other]) => other === stream).length;
    return recordedEvent(stream, revision, event, {}, BigInt(index + 1));
  });

const modelOf = (
  projection: typeof fundBoard,
  events: readonly (readonly [string, DomainEvent])[],
): { readonly model: ReadModel; readonly close: () => void } => {
  const database = new MemoryReadDatabase();
  const model = database.open(projection);
  applyToModel(projection, model, numbered(events), (event) => event);
  return {
    model,
    close: () => {
      model.close();
      database.close();
    },
  };
};

const pledged = (fund: string, donor: string, visibility: Visibility): ContributionEvent => ({
  type: 'ContributionPledged',
  data: { fund, donor, amount: money(10), date: '2026-01-04', visibility },
});
const inFund = (fund: string, event: DomainEvent): readonly [string, DomainEvent] => [`fund-${fund}`, event];
const CALL = {
  type: 'CallAnnounced',
  data: {
    fund: 'fund:unscar',
    title: 'Call',
    opens: '2026-01-01',
    closes: '2026-01-31',
    criteria: [],
    visibility: 'members',
  },
} as const;

describe('the boards of funds', () => {
  test('I19: rows of contributions are those that the pure rule lets the caller see', () => {
    fc.assert(
      fc.property(who, contributions, (caller, drawn) => {
        const { model, close } = modelOf(
          contributionBoard,
          drawn.map(({ fund, donor, visibility }, index) => [
            `contribution-c${index}`,
            pledged(fund, donor, visibility),
          ]),
        );
        // agency:undp and state:FJI keep and steer UNSCAR; nobody beside itself the other fund.
        const terms = { administrator: 'agency:undp', decidingBody: { name: 'Committee', members: ['state:FJI'] } };
        const insiderOf = isInsider(caller, terms) ? ['fund:unscar'] : [];
        const expected = drawn
          .map((given, index) => ({ id: `c${index}`, ...given }))
          .filter((label) => seesLabelled(caller, label, insiderOf.includes(label.fund)))
          .map(({ id }) => id);
        const rows = rowsOf(model, [seenLabelled(caller, insiderOf)]);
        close();
        expect(rows.map(({ id }) => id).reverse()).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('I19: rows of funds are those that the pure rule lets the caller see', () => {
    fc.assert(
      fc.property(who, (caller) => {
        const { model, close } = modelOf(
          fundBoard,
          FUNDS.map((fund) => inFund(fund, established())),
        );
        const rows = rowsOf(model, [seenFunds(caller)]);
        close();
        expect(rows.map(({ id }) => id).reverse()).toEqual(FUNDS.filter((fund) => seesFund(caller, fund)));
      }),
      { numRuns: 200 },
    );
  });

  test('I13: fold the same in any batches, and survive JSON', () => {
    const events: readonly (readonly [string, DomainEvent])[] = [
      inFund('fund:unscar', established()),
      inFund('fund:unscar', credited('received', 100, 'c0', 1)),
      ['contribution-c0', pledged('fund:unscar', 'donor:japan', 'public')],
      ['call-k0', CALL],
      inFund('fund:unscar', decided(1, ['n1', 60])),
      ['contribution-c0', { type: 'ContributionSigned', data: { party: 'donor:japan', date: '2026-01-04' } }],
      ['call-k0', { type: 'ApplicationFiled', data: { n: 1, party: 'state:FJI', needId: 'n1', amount: money(60) } }],
      inFund('fund:unscar', used(1, 'n1', 'k1', 50)),
      ['call-k0', { type: 'CallClosed', data: {} }],
      inFund('fund:unscar', released(1, 'n1', 20, 'k1')),
      ['contribution-c0', { type: 'ContributionClosed', data: { party: 'fund:unscar' } }],
    ];
    const recorded = numbered(events);
    for (const board of [fundBoard, contributionBoard, callBoard]) {
      const handled = recorded.filter(({ type }) => board.handles.includes(type));
      projectionScenario(board, handled);
    }
  });

  test('page newest first by what is asked', () => {
    const { model, close } = modelOf(
      contributionBoard,
      IDS.map((id, index) => [`contribution-${id}`, pledged(FUNDS[index % 2] ?? '', 'donor:japan', 'public')]),
    );
    const ids = (rows: readonly { readonly id: string }[]): readonly string[] => rows.map(({ id }) => id);
    expect(ids(rowsOf(model, []))).toEqual(['c2', 'c1', 'c0']);
    expect(ids(rowsOf(model, where('r.fund = ?', 'fund:unscar')))).toEqual(['c2', 'c0']);
    expect(ids(rowsOf(model, where('r.fund = ?', undefined), { limit: 2 }))).toEqual(['c2', 'c1']);
    expect(ids(rowsOf(model, [], { limit: 2, after: 2 }))).toEqual(['c0']);
    close();
  });
});
