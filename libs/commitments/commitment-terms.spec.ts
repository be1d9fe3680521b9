import fc from 'fast-check';
import type { Actor } from '#kernel';
import { SYSTEM_TIMER } from '#kernel';
import type { Asked, CommandBody, Given } from '#kernel-testing';
import { specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import { addDays } from '#vocabulary';
import type { Extension, ProposedTerms } from './commitment-terms.js';
import {
  amendedTerms,
  extensionOf,
  numberedChanges,
  openReports,
  proposedTerms,
  suspensionFault,
  termsFault,
  termsView,
} from './commitment-terms.js';
import type { CommitmentEvent, Terms } from './commitment.contract.js';
import type { Deal } from './commitment.fixture.js';
import {
  accepted,
  bound,
  CAVR,
  COORDINATOR,
  confirmed,
  delivered,
  delivery,
  eur,
  facts,
  JAPAN,
  JAPAN_MISSION,
  NGO,
  SEAT_LEG,
  seats,
  transfer,
  usd,
  VANUATU,
  VANUATU_POLICE,
} from './commitment.fixture.js';
import type { CommitmentCommand, CommitmentRejectionCode, CommitmentState } from './commitment.js';
import { actionsOf, commitmentDecider } from './commitment.js';

const commitments = specFor(commitmentDecider);
type Body = CommandBody<CommitmentCommand>;
type Events = readonly Given<CommitmentEvent>[];
const asked = (actor: Actor, when: string = TEST_TIME): Asked => ({ actor, at: when });
const at = (history: Events): CommitmentState => stateAfter(commitmentDecider, history);
const REASON = { code: 'budget' } as const;

const after = (history: Events, ...steps: readonly (readonly [Body, Actor])[]): Events =>
  steps.reduce<Events>(
    (events, [body, actor]) => [
      ...events,
      ...commitments
        .given(...events)
        .when(body, asked(actor))
        .accepted()
        .events.map((event): Given<CommitmentEvent> => [event, { actor }]),
    ],
    history,
  );
const expectRefused = (
  history: Events,
  body: Body,
  actor: Actor,
  code: CommitmentRejectionCode,
  field?: string,
): void => {
  commitments
    .given(...history)
    .when(body, asked(actor))
    .refused(code, field);
};
interface Shown {
  readonly conditions: readonly object[];
  readonly exceptions: readonly object[];
  readonly terms: {
    readonly schedule: readonly object[];
    readonly reports: readonly { readonly late: boolean }[];
  } & Record<string, unknown>;
}
const shown = (history: Events, when: string = TEST_TIME): Shown => termsView(at(history), when) as Shown;

const REPORT = { kind: 'financial', by: 'agency:cavr', due: '2026-06-30' } as const;
const MONEY = { legs: [{ offerLine: 1, needLine: 1, drawn: usd('1000.00') }], implementer: 'agency:cavr' };
const withTerms = (terms: Terms, over: Deal = {}): Deal => ({ ...MONEY, ...over, terms });

describe('terms in a proposal', () => {
  const propose = (terms: ProposedTerms, over: Partial<Extract<Body, { type: 'ProposeCommitment' }>> = {}): Body => ({
    type: 'ProposeCommitment',
    facts: facts({ offer: { conditions: [{ code: 'reporting' }] } }),
    legs: [{ offerLine: 1, needLine: 1, drawn: usd('1000.00') }],
    implementer: 'agency:cavr',
    terms,
    ...over,
  });
  const termsOf = (terms: ProposedTerms, over: Partial<Extract<Body, { type: 'ProposeCommitment' }>> = {}): unknown => {
    const { events } = commitments.given().when(propose(terms, over), asked(JAPAN)).accepted();
    return (events[0] as Extract<CommitmentEvent, { type: 'CommitmentProposed' }>).data.terms;
  };
  it('are numbered by their place, conditions after the offer’s', () => {
    expect(
      termsOf({
        schedule: [
          { amount: usd('400.00'), on: 'condition', condition: 2 },
          { amount: usd('600.00'), on: 'report', report: 1, leg: 1 },
        ],
        conditions: [{ code: 'ownership', on: 'provider' }],
        reports: [REPORT],
        verifier: 'agency:ngo',
      }),
    ).toEqual({
      schedule: [
        { n: 1, amount: usd('400.00'), on: 'condition', condition: 2 },
        { n: 2, amount: usd('600.00'), on: 'report', report: 1, leg: 1 },
      ],
      conditions: [
        { n: 1, code: 'reporting', on: 'recipient' },
        { n: 2, code: 'ownership', on: 'provider' },
      ],
      reports: [{ n: 1, ...REPORT }],
      verifier: 'agency:ngo',
    });
    expect(termsOf({ period: { to: '2026-12-31' } })).toEqual({ period: { to: '2026-12-31' } });
  });
  it('without terms still carry the offer’s conditions', () => {
    const { terms: _terms, ...bare } = propose({}) as Extract<Body, { type: 'ProposeCommitment' }>;
    const { state } = commitments.given().when(bare, asked(JAPAN)).accepted();
    expect(state.terms.conditions).toEqual([{ n: 1, code: 'reporting', on: 'recipient', status: 'open' }]);
  });
  it.each<[string, ProposedTerms, CommitmentRejectionCode, string]>([
    [
      'more planned than bound',
      { schedule: [{ amount: usd('1000.01'), on: 'signature' }] },
      'over-schedule',
      'terms.schedule',
    ],
    [
      'more planned together than bound',
      {
        schedule: [
          { amount: usd('600.00'), on: 'signature' },
          { amount: usd('600.00'), on: 'signature' },
        ],
      },
      'over-schedule',
      'terms.schedule',
    ],
    [
      'a currency of no leg',
      { schedule: [{ amount: eur('1.00'), on: 'signature' }] },
      'over-schedule',
      'terms.schedule',
    ],
    [
      'a report that is not there',
      { schedule: [{ amount: usd('1.00'), on: 'report', report: 2 }], reports: [REPORT] },
      'unknown-report',
      'terms.schedule[0].report',
    ],
    [
      'a condition that is not there',
      { schedule: [{ amount: usd('1.00'), on: 'condition', condition: 2 }] },
      'unknown-condition',
      'terms.schedule[0].condition',
    ],
    [
      'a leg that is not there',
      { schedule: [{ amount: usd('1.00'), on: 'signature', leg: 2 }] },
      'terms-mismatch',
      'terms.schedule[0].leg',
    ],
    [
      'a leg of another currency',
      { schedule: [{ amount: eur('1.00'), on: 'signature', leg: 1 }] },
      'terms-mismatch',
      'terms.schedule[0].amount.currency',
    ],
    ['a report of a stranger', { reports: [{ ...REPORT, by: 'agency:ngo' }] }, 'terms-mismatch', 'terms.reports[0].by'],
    ['a verifier that is no third party', { verifier: 'state:JPN' }, 'ok' as never, ''],
    ['a verifier of a side', { verifier: 'state:VUT' }, 'terms-mismatch', 'terms.verifier'],
  ])('%s', (_what, terms, code, field) => {
    if ((code as string) === 'ok') {
      // The decider knows a party's sovereign by its id alone: a State's own.
      commitments.given().when(propose(terms), asked(JAPAN)).accepted();
      return;
    }
    commitments.given().when(propose(terms), asked(JAPAN)).refused(code, field);
  });
  it('plan any money where no leg is money, and any leg of another measure', () => {
    termsOf({ schedule: [{ amount: eur('1.00'), on: 'signature', leg: 1 }] }, { legs: [SEAT_LEG] });
  });
});

describe('an amendment of terms', () => {
  const deal = {
    providers: ['donor:japan'],
    beneficiaries: ['state:VUT'],
    filer: 'state:VUT',
    implementer: 'agency:cavr',
    legs: [{ leg: 1, drawn: usd('1000.00') }],
  };
  const before = at(
    after(
      [
        ...bound(
          withTerms({
            schedule: [
              { n: 1, amount: usd('400.00'), on: 'signature' },
              { n: 2, amount: usd('600.00'), on: 'report', report: 1 },
            ],
            conditions: [
              { n: 1, code: 'ownership', on: 'recipient' },
              { n: 2, code: 'other', on: 'recipient' },
            ],
            reports: [
              { n: 1, ...REPORT },
              { n: 2, ...REPORT, kind: 'completion' },
            ],
          }),
        ),
        transfer(1, usd('300.00'), { instalment: 1 }),
      ],
      [{ type: 'FileReport', n: 1, date: '2026-01-05' }, CAVR],
      [{ type: 'MeetCondition', n: 1 }, JAPAN],
    ),
  ).terms;
  const change = (terms: ProposedTerms): ReturnType<typeof termsFault> =>
    termsFault(numberedChanges(terms, before), deal, before);
  const [first, second] = [
    { n: 1, amount: usd('400.00'), on: 'signature' },
    { n: 2, amount: usd('600.00'), on: 'report', report: 1 },
  ] as const;

  it('keeps the state of what it keeps, and never uses a number twice', () => {
    const terms: ProposedTerms = {
      agreements: [
        { kind: 'mou', parties: ['donor:japan'], reference: 'M 1', date: '2026-01-01', legallyBinding: false },
      ],
      period: { to: '2027-01-01' },
      schedule: [
        { ...first, amount: usd('300.00') },
        { amount: usd('700.00'), on: 'report', report: 3 },
      ],
      conditions: [{ n: 1, code: 'ownership', on: 'recipient' }],
      reports: [
        { n: 1, ...REPORT, due: '2026-07-31' },
        { ...REPORT, kind: 'audit' },
      ],
      verifier: 'agency:ngo',
    };
    expect(change(terms)).toBeUndefined();
    const now = amendedTerms(before, numberedChanges(terms, before));
    expect(now).toMatchObject({
      period: { to: '2027-01-01' },
      schedule: [
        { n: 1, paid: usd('300.00') },
        { n: 3, paid: usd('0.00') },
      ],
      conditions: [{ n: 1, status: 'met' }],
      reports: [
        { n: 1, status: 'filed', due: '2026-07-31' },
        { n: 3, status: 'owed' },
      ],
      numbered: { schedule: 3, conditions: 2, reports: 3 },
      verifier: 'agency:ngo',
    });
    expect(amendedTerms(now, {})).toEqual(now);
    expect(numberedChanges({ conditions: [{ code: 'other', on: 'provider' }] }, now).conditions).toMatchObject([
      { n: 3 },
    ]);
    expect(termsFault({ schedule: [{ ...first, n: 2 }] }, deal, now)).toMatchObject({ code: 'unknown-instalment' });
  });
  it.each<[string, ProposedTerms, string, string]>([
    ['lets go what was paid', { schedule: [second] }, 'terms-in-use', 'terms.schedule'],
    ['plans less than was paid', { schedule: [{ ...first, amount: usd('299.99') }] }, 'terms-in-use', 'terms.schedule'],
    [
      'plans it in another currency',
      { schedule: [{ ...first, amount: eur('400.00') }] },
      'terms-in-use',
      'terms.schedule',
    ],
    ['names a number twice', { schedule: [first, first] }, 'terms-mismatch', 'terms.schedule[1].n'],
    [
      'lets go a condition that was met',
      { conditions: [{ n: 2, code: 'other', on: 'recipient' }] },
      'terms-in-use',
      'terms.conditions',
    ],
    [
      'has a condition that was met say something else',
      { conditions: [{ n: 1, code: 'ownership', text: 'Of the building only', on: 'recipient' }] },
      'terms-in-use',
      'terms.conditions',
    ],
    [
      'makes a report that was filed one of another kind',
      { reports: [{ n: 1, ...REPORT, kind: 'audit' }] },
      'terms-in-use',
      'terms.reports',
    ],
    ['lets go a report that was filed', { reports: [{ n: 2, ...REPORT }] }, 'terms-in-use', 'terms.reports'],
    ['gives it to another party', { reports: [{ n: 1, ...REPORT, by: 'state:VUT' }] }, 'terms-in-use', 'terms.reports'],
    [
      'lets go what an instalment waits for',
      { schedule: [first, { ...second, report: 2 }], reports: [{ n: 1, ...REPORT }] },
      'unknown-report',
      'terms.schedule[1].report',
    ],
    [
      'plans more than the legs bind',
      { schedule: [first, { ...second, amount: usd('600.01') }] },
      'over-schedule',
      'terms.schedule',
    ],
  ])('that %s is refused', (_what, terms, code, field) => {
    expect(change(terms)).toMatchObject({ code, field });
  });
  // Seen failing with the planned amount compared to what was paid alone: not even a date could move any more.
  it('leaves an instalment as it is that was paid beyond its amount, and takes nothing from it', () => {
    const over = { ...before, schedule: before.schedule.map((each) => ({ ...each, paid: usd('700.00') })) };
    const plan = (one: string): ReturnType<typeof termsFault> =>
      termsFault(
        {
          schedule: [
            { ...first, amount: usd(one) },
            { ...second, due: '2026-12-31' },
          ],
        },
        deal,
        over,
      );
    expect(plan('400.00')).toBeUndefined();
    expect(plan('399.99')).toMatchObject({ code: 'terms-in-use', field: 'terms.schedule' });
  });
  it('keeps what was said of a report that it keeps', () => {
    const returned = {
      ...before,
      reports: before.reports.map((report) => ({
        ...report,
        status: 'returned' as const,
        answer: { party: 'donor:japan', at: TEST_TIME, note: 'No vouchers.' },
      })),
    };
    expect(amendedTerms(returned, { reports: [{ n: 1, ...REPORT }] }).reports).toMatchObject([
      { status: 'returned', filed: { date: '2026-01-05' }, answer: { note: 'No vouchers.' } },
    ]);
  });
  it('names numbers that stand', () => {
    const later = amendedTerms(before, numberedChanges({ schedule: [first] }, before));
    for (const [part, code] of [
      ['schedule', 'unknown-instalment'],
      ['conditions', 'unknown-condition'],
      ['reports', 'unknown-report'],
    ] as const) {
      const gone = { ...before, [part]: before[part].slice(0, 1) };
      expect(termsFault({ [part]: [{ ...before[part][1] }] }, deal, gone)).toMatchObject({
        code,
        field: `terms.${part}[0].n`,
      });
    }
    expect(later.schedule).toHaveLength(1);
  });
  it('leaves the offer’s conditions standing', () => {
    const offered = proposedTerms([{ code: 'reporting' }], {});
    expect(termsFault({ conditions: [] }, deal, offered)).toMatchObject({ code: 'terms-in-use' });
    const agreed = [{ n: 1, code: 'reporting', text: 'Once a year', on: 'recipient' as const, due: '2027-01-01' }];
    expect(termsFault({ conditions: agreed }, deal, offered)).toBeUndefined();
    const met = { ...offered, conditions: offered.conditions.map((each) => ({ ...each, status: 'met' as const })) };
    expect(termsFault({ conditions: agreed }, deal, met)).toMatchObject({ code: 'terms-in-use' });
    expect(termsFault({ conditions: offered.conditions }, deal, offered)).toBeUndefined();
  });
  it('leaves a report of an agency that left, once filed', () => {
    expect(termsFault({}, { ...deal, implementer: undefined }, before)).toMatchObject({
      code: 'terms-mismatch',
      field: 'terms.reports[1].by',
    });
    const filedOnly = { ...before, reports: before.reports.slice(0, 1) };
    expect(termsFault({}, { ...deal, implementer: undefined }, filedOnly)).toBeUndefined();
  });
});

describe('an extension', () => {
  const terms = proposedTerms([], {
    period: { from: '2026-01-01', to: '2026-06-30' },
    schedule: [
      { n: 1, amount: usd('1.00'), on: 'date', due: '2026-03-01' },
      { n: 2, amount: usd('1.00'), on: 'signature' },
    ],
    reports: [{ n: 1, ...REPORT }],
  });
  it('moves dates to later days, and nothing else', () => {
    const asked: Extension = {
      period: { to: '2026-12-31' },
      schedule: [{ n: 1, due: '2026-04-01' }],
      reports: [{ n: 1, due: '2026-07-31' }],
    };
    const extended = extensionOf(terms, asked);
    expect(extended).toEqual({
      terms: {
        period: { from: '2026-01-01', to: '2026-12-31' },
        schedule: [
          { n: 1, amount: usd('1.00'), on: 'date', due: '2026-04-01' },
          { n: 2, amount: usd('1.00'), on: 'signature' },
        ],
        reports: [{ n: 1, ...REPORT, due: '2026-07-31' }],
      },
    });
    expect(extensionOf(terms, { reports: [{ n: 1, due: '2026-07-31' }] })).toEqual({
      terms: { reports: [{ n: 1, ...REPORT, due: '2026-07-31' }] },
    });
    expect(extensionOf(terms, { period: { to: '2026-12-31' } })).toEqual({
      terms: { period: { from: '2026-01-01', to: '2026-12-31' } },
    });
  });
  it.each<[string, Extension, string]>([
    ['nothing', {}, 'not-an-extension'],
    ['the end to an earlier day', { period: { to: '2026-06-29' } }, 'not-an-extension'],
    ['the end to the same day', { period: { to: '2026-06-30' } }, 'not-an-extension'],
    ['an instalment to an earlier day', { schedule: [{ n: 1, due: '2026-02-01' }] }, 'not-an-extension'],
    ['an instalment without a date', { schedule: [{ n: 2, due: '2026-04-01' }] }, 'not-an-extension'],
    ['an instalment that is not there', { schedule: [{ n: 3, due: '2026-04-01' }] }, 'unknown-instalment'],
    ['a report to an earlier day', { reports: [{ n: 1, due: '2026-06-30' }] }, 'not-an-extension'],
    ['a report that is not there', { reports: [{ n: 2, due: '2026-07-31' }] }, 'unknown-report'],
  ])('does not move %s', (_what, asked, code) => {
    expect(extensionOf(terms, asked)).toMatchObject({ refusal: { code } });
  });
  it('does not end what had no end', () => {
    expect(extensionOf(proposedTerms([], {}), { period: { to: '2026-12-31' } })).toMatchObject({
      refusal: { code: 'not-an-extension', field: 'period.to' },
    });
  });
});

describe('suspension', () => {
  const suspend = { type: 'SuspendCommitment', reason: REASON } as const;
  const resume = { type: 'ResumeCommitment' } as const;
  const pay = (date: string, over: Partial<Extract<Body, { type: 'ReportTransfer' }>> = {}): Body => ({
    type: 'ReportTransfer',
    kind: 'disbursement',
    from: 'donor:japan',
    to: 'agency:cavr',
    amount: usd('1.00'),
    date,
    ...over,
  });
  const history = bound({ implementer: 'agency:cavr' });
  const day = TEST_TIME.slice(0, 10);
  it('stands while any side has not lifted its own', () => {
    const both = after(history, [suspend, JAPAN], [suspend, VANUATU]);
    expect(at(both).suspensions).toMatchObject([{ side: 'provider' }, { side: 'recipient', party: 'state:VUT' }]);
    expectRefused(both, suspend, JAPAN, 'already-suspended');
    const one = after(both, [resume, JAPAN]);
    expect(at(one).suspensions).toHaveLength(1);
    expectRefused(one, resume, JAPAN, 'not-suspended');
    expect(at(after(one, [resume, VANUATU])).suspensions).toEqual([]);
  });
  it('stops what is paid or delivered from its day on, but no refund, booking, receipt or report', () => {
    const paid = [...history, transfer(1, usd('5.00'))];
    const stopped = after(paid, [suspend, VANUATU]);
    expectRefused(stopped, pay(day), JAPAN, 'suspended', 'date');
    expectRefused(stopped, pay(day.slice(0, 7)), JAPAN, 'suspended', 'date');
    expectRefused(
      stopped,
      { type: 'ReportDelivery', leg: 1, quantity: seats(1), date: day },
      CAVR,
      'suspended',
      'date',
    );
    after(
      stopped,
      [pay(addDays(day, -1)), JAPAN],
      [pay(day, { kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of: 1 }), CAVR],
      [pay(day, { kind: 'bank-charge', from: 'agency:cavr' }), CAVR],
      [{ type: 'ReportReceipt', transfer: 1, amount: usd('5.00'), date: day }, CAVR],
      [{ type: 'ReportDelivery', leg: 1, quantity: seats(1), date: addDays(day, -1) }, CAVR],
    );
    expect(suspensionFault(at(history), day)).toBeUndefined();
    // A moment known to the month counts from its last instant.
    const vague = at(stopped).suspensions.map((suspension) => ({ ...suspension, at: '2026-03' }));
    const since = { ...at(stopped), suspensions: vague };
    expect(suspensionFault(since, '2026-03-30')).toBeUndefined();
    expect(suspensionFault(since, '2026-03-31')).toMatchObject({ code: 'suspended' });
  });
});

describe('conditions', () => {
  const history = accepted(
    withTerms({
      conditions: [
        { n: 1, code: 'ownership', on: 'recipient' },
        { n: 2, code: 'co-financing', percent: '10', on: 'provider', due: '2026-05-01' },
      ],
    }),
  );
  it('are found met or waived by the side they do not lie on', () => {
    const note = { note: 'Seen.', document: { kind: 'letter', title: 'Letter', sha256: 'a'.repeat(64) } };
    commitments
      .given(...history)
      .when({ type: 'MeetCondition', n: 1, ...note }, asked(JAPAN))
      .then({ type: 'ConditionMet', data: { n: 1, party: 'donor:japan', ...note } });
    const answered = after(
      history,
      [{ type: 'MeetCondition', n: 1 }, JAPAN],
      [{ type: 'WaiveCondition', n: 2 }, VANUATU],
    );
    expect(shown(answered).conditions).toMatchObject([
      { n: 1, status: 'met', by: 'donor:japan', at: TEST_TIME },
      { n: 2, status: 'waived', by: 'state:VUT', due: '2026-05-01' },
    ]);
    expectRefused(history, { type: 'MeetCondition', n: 2 }, JAPAN, 'own-condition');
    expectRefused(history, { type: 'WaiveCondition', n: 1 }, VANUATU, 'own-condition');
    expectRefused(history, { type: 'MeetCondition', n: 3 }, JAPAN, 'not-found');
    expectRefused(answered, { type: 'WaiveCondition', n: 1 }, JAPAN, 'already-answered');
  });
  it('are offered to whoever may answer one', () => {
    const actions = (actor: Actor, events: Events): string[] =>
      actionsOf(at(events), { ...actor, coordinator: false }, TEST_TIME);
    const met = after(history, [{ type: 'MeetCondition', n: 1 }, JAPAN]);
    expect(actions(JAPAN, history)).toEqual(expect.arrayContaining(['meet-condition', 'waive-condition']));
    expect(actions(JAPAN, met)).not.toContain('meet-condition');
    expect(actions(VANUATU, met)).toContain('waive-condition');
  });
});

describe('reports', () => {
  const history = bound(
    withTerms({
      reports: [
        { n: 1, ...REPORT },
        { n: 2, ...REPORT, by: 'donor:japan', kind: 'audit' },
        { n: 3, ...REPORT, by: 'state:VUT', kind: 'end-use', due: '2026-01-04' },
      ],
    }),
  );
  const file = (n: number, over: object = {}): Body => ({ type: 'FileReport', n, date: '2026-01-05', ...over });
  const answer = (type: 'AcceptReport' | 'ReturnReport' | 'WaiveReport', n: number, note?: string): Body => ({
    type,
    n,
    ...(note === undefined ? {} : { note }),
  });

  it('are filed by who owes them, and accepted or returned by another side', () => {
    const papers = { reference: 'FR 1', document: { kind: 'report', title: 'FR', sha256: 'a'.repeat(64) } };
    commitments
      .given(...history)
      .when(file(1, papers), asked(CAVR))
      .then({ type: 'ReportFiled', data: { n: 1, party: 'agency:cavr', date: '2026-01-05', ...papers } });
    expectRefused(history, file(2), CAVR, 'forbidden');
    expectRefused(history, file(4), CAVR, 'not-found');
    expectRefused(history, file(1), NGO, 'forbidden');
    const filed = after(history, [file(1), CAVR]);
    expectRefused(filed, file(1), CAVR, 'already-answered');
    const returned = after(filed, [answer('ReturnReport', 1, 'No vouchers.'), VANUATU]);
    expect(at(returned).terms.reports[0]).toMatchObject({ status: 'returned', answer: { note: 'No vouchers.' } });
    expectRefused(returned, answer('AcceptReport', 1), JAPAN, 'not-filed');
    const done = after(returned, [file(1), CAVR], [answer('AcceptReport', 1), JAPAN]);
    expect(at(done).terms.reports[0]).toMatchObject({ status: 'accepted', answer: { party: 'donor:japan' } });
    for (const type of ['AcceptReport', 'ReturnReport', 'WaiveReport'] as const) {
      expectRefused(done, answer(type, 1), JAPAN, 'already-answered');
    }
    expectRefused(
      after(history, [answer('WaiveReport', 1), JAPAN]),
      answer('WaiveReport', 1),
      JAPAN,
      'already-answered',
    );
    expectRefused(done, answer('AcceptReport', 9), JAPAN, 'not-found');
  });
  it('are never answered by their author, its sovereign or its side', () => {
    const filed = after(history, [file(1), CAVR], [file(2), JAPAN], [file(3), VANUATU]);
    for (const type of ['AcceptReport', 'ReturnReport', 'WaiveReport'] as const) {
      expectRefused(filed, answer(type, 1), CAVR, 'own-report');
      expectRefused(filed, answer(type, 2), JAPAN, 'own-report');
      expectRefused(filed, answer(type, 3), VANUATU, 'own-report');
      expectRefused(filed, answer(type, 3), CAVR, 'forbidden');
      expectRefused(filed, answer(type, 3), JAPAN_MISSION, 'forbidden');
    }
    after(
      filed,
      [answer('AcceptReport', 1), VANUATU],
      [answer('AcceptReport', 2), VANUATU],
      [answer('AcceptReport', 3), JAPAN],
    );
    // The police of Vanuatu report: their own State does not accept.
    const deal: Deal = {
      implementer: 'agency:vanuatu-police',
      terms: { reports: [{ n: 1, ...REPORT, by: 'agency:vanuatu-police' }] },
    };
    const police = bound(deal);
    const theirs = after(police, [file(1), VANUATU_POLICE]);
    expectRefused(theirs, answer('AcceptReport', 1), VANUATU, 'own-report');
    after(theirs, [answer('AcceptReport', 1), JAPAN]);
    // Nor does it waive what they owe, as soon as the record knows whose they are.
    const itself = after(accepted(deal), [{ type: 'ConsentTask' }, VANUATU_POLICE]);
    const known = [...itself, ...police.slice(-3)];
    expectRefused(known, answer('WaiveReport', 1), VANUATU, 'own-report');
    after(known, [answer('WaiveReport', 1), JAPAN]);
  });
  it('are late when filed after their day, or not filed when it is over', () => {
    expect(shown(history).terms.reports.map(({ late }) => late)).toEqual([false, false, true]);
    expect(shown(history, '2026-07-01T00:00:00.000Z').terms.reports.map(({ late }) => late)).toEqual([
      true,
      true,
      true,
    ]);
    const filed = after(history, [file(1), CAVR], [file(3), VANUATU]);
    expect(shown(filed, '2026-07-01T00:00:00.000Z').terms.reports.map(({ late }) => late)).toEqual([false, true, true]);
    const sometime = after(history, [{ type: 'FileReport', n: 1, date: '2026' }, CAVR]);
    expect(shown(sometime).terms.reports[0]?.late).toBe(true);
    const waived = after(history, [answer('WaiveReport', 3), JAPAN]);
    expect(shown(waived, '2026-07-01T00:00:00.000Z').terms.reports.map(({ late }) => late)).toEqual([
      true,
      true,
      false,
    ]);
  });
  it('are offered to whoever has something to do with one', () => {
    const actions = (actor: Actor, events: Events): string[] =>
      actionsOf(at(events), { ...actor, coordinator: false }, TEST_TIME).filter((action) => action.endsWith('-report'));
    expect(actions(CAVR, history)).toEqual(['file-report']);
    expect(actions(JAPAN, history)).toEqual(['file-report', 'waive-report']);
    const filed = after(history, [file(1), CAVR], [file(2), JAPAN]);
    expect(actions(CAVR, filed)).toEqual([]);
    expect(actions(JAPAN, filed)).toEqual(['accept-report', 'return-report', 'waive-report']);
  });
  it('hold the closing until each is filed or waived; the timer does not ask', () => {
    const close = { type: 'CloseCommitment' } as const;
    const whole = delivered(withTerms({ reports: [{ n: 1, ...REPORT }] }, { legs: [SEAT_LEG] }));
    const done = [...whole, confirmed(1, seats(10))];
    expectRefused(done, close, COORDINATOR, 'open-reports');
    const filed = after(done, [file(1), CAVR]);
    after(filed, [close, COORDINATOR]);
    expectRefused(after(filed, [answer('ReturnReport', 1), JAPAN]), close, COORDINATOR, 'open-reports');
    after(done, [answer('WaiveReport', 1), JAPAN], [close, COORDINATOR]);
    commitments
      .given(...whole)
      .when({ type: 'CloseUnconfirmed' }, asked(SYSTEM_TIMER, addDays(TEST_TIME, 200)))
      .accepted();
  });
  // Seen failing with `isOwed` made to look at `owed` alone: a returned report let the commitment close.
  it('stand in the way of a closing exactly while one is owed or returned (close guard)', () => {
    const step = fc.record({
      n: fc.integer({ min: 1, max: 3 }),
      type: fc.constantFrom('FileReport', 'AcceptReport', 'ReturnReport', 'WaiveReport', 'CloseCommitment'),
    });
    const BY: readonly Actor[] = [CAVR, JAPAN, VANUATU];
    const OTHER: readonly Actor[] = [JAPAN, VANUATU, JAPAN];
    const base = [...delivered(withTerms(at(history).terms, { legs: [SEAT_LEG] })), confirmed(1, seats(10))];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
        const events: Given<CommitmentEvent>[] = [...base];
        const status = new Map([1, 2, 3].map((n) => [n, 'owed']));
        for (const { n, type } of steps) {
          const actor = type === 'CloseCommitment' ? COORDINATOR : (type === 'FileReport' ? BY : OTHER)[n - 1];
          const body = type === 'FileReport' ? file(n) : type === 'CloseCommitment' ? { type } : { type, n };
          const decision = commitmentDecider.decide(
            { ...body, by: { actor: actor ?? JAPAN, at: TEST_TIME, effectiveAt: TEST_TIME } },
            at(events),
          );
          if (type === 'CloseCommitment') {
            const open = [...status.values()].some((one) => one === 'owed' || one === 'returned');
            const closed = at(events).status === 'closed';
            expect(decision.kind === 'accepted').toBe(!open && !closed);
          }
          if (decision.kind === 'refused') continue;
          events.push(...decision.events);
          if (type !== 'CloseCommitment') {
            status.set(
              n,
              { FileReport: 'filed', AcceptReport: 'accepted', ReturnReport: 'returned', WaiveReport: 'waived' }[type],
            );
          }
          expect(openReports(at(events).terms)).toEqual(
            [...status].filter(([, one]) => one === 'owed' || one === 'returned').map(([number]) => number),
          );
        }
      }),
    );
  });
});

describe('instalments', () => {
  const history = bound(
    withTerms({
      schedule: [
        { n: 1, amount: usd('100.00'), on: 'signature' },
        { n: 2, amount: usd('100.00'), on: 'date', due: '2026-01-04' },
        { n: 3, amount: usd('100.00'), on: 'report', report: 1 },
        { n: 4, amount: usd('100.00'), on: 'condition', condition: 1 },
      ],
      conditions: [{ n: 1, code: 'ownership', on: 'recipient' }],
      reports: [{ n: 1, ...REPORT }],
    }),
  );
  const pay = (instalment: number, date: string, amount = usd('100.00')): Body => ({
    type: 'ReportTransfer',
    kind: 'disbursement',
    from: 'donor:japan',
    to: 'agency:cavr',
    amount,
    instalment,
    date,
  });
  const exceptions = (events: Events): readonly object[] => shown(events).exceptions;
  const today = TEST_TIME.slice(0, 10);

  it('are paid by transfers that name them, and open again by refunds', () => {
    expectRefused(history, pay(5, today), JAPAN, 'unknown-instalment', 'instalment');
    expectRefused(history, pay(1, today, eur('1.00')), JAPAN, 'currency-mismatch', 'amount.currency');
    const part = after(history, [pay(1, today, usd('40.00')), JAPAN]);
    expect(shown(part).terms.schedule[0]).toMatchObject({ paid: usd('40.00'), status: 'part-paid' });
    const whole = after(part, [pay(1, today, usd('60.00')), JAPAN]);
    expect(shown(whole).terms.schedule[0]).toMatchObject({ paid: usd('100.00'), status: 'paid' });
    const refund = {
      ...pay(1, today, usd('40.00')),
      kind: 'refund',
      from: 'agency:cavr',
      to: 'donor:japan',
      of: 1,
    } as const;
    const { instalment: _instalment, ...bare } = refund as Extract<Body, { type: 'ReportTransfer' }>;
    const back = after(whole, [bare, CAVR]);
    expect(shown(back).terms.schedule[0]).toMatchObject({ paid: usd('60.00'), status: 'part-paid' });
    const lower: Body = { type: 'CorrectTransfer', n: 3, amount: usd('10.00'), reason: 'x' };
    expect(shown(after(back, [lower, CAVR])).terms.schedule[0]).toMatchObject({ paid: usd('90.00') });
    const anew: Body = { ...bare, from: 'donor:japan', to: 'agency:cavr', of: 3, amount: usd('15.00') };
    expect(shown(after(back, [anew, JAPAN])).terms.schedule[0]).toMatchObject({ paid: usd('75.00') });
  });
  it('paid before their trigger are an exception on view, not an error', () => {
    expect(exceptions(after(history, [pay(1, today), JAPAN]))).toEqual([]);
    expect(exceptions(after(history, [pay(1, '2020-01-01'), JAPAN]))).toEqual([
      { transfer: 1, instalment: 1, code: 'before-trigger', because: 'it is dated before the last signature' },
    ]);
    expect(exceptions(after(history, [pay(2, '2026-01-04'), JAPAN]))).toEqual([]);
    expect(exceptions(after(history, [pay(2, '2026-01-03'), JAPAN]))).toMatchObject([
      { because: 'it was due on 2026-01-04' },
    ]);
    const filed = after(history, [{ type: 'FileReport', n: 1, date: '2026-01-02' }, CAVR]);
    expect(exceptions(after(filed, [pay(3, today), JAPAN]))).toMatchObject([
      { because: 'report 1 was not accepted then' },
    ]);
    const reported = after(filed, [{ type: 'AcceptReport', n: 1 }, VANUATU]);
    expect(exceptions(after(reported, [pay(3, today), JAPAN]))).toEqual([]);
    expect(exceptions(after(reported, [pay(3, '2020-01-01'), JAPAN]))).toHaveLength(1);
    const waived = after(history, [{ type: 'WaiveReport', n: 1 }, VANUATU]);
    expect(exceptions(after(waived, [pay(3, today), JAPAN]))).toEqual([]);
    expect(exceptions(after(history, [pay(4, today), JAPAN]))).toMatchObject([
      { because: 'condition 1 was neither met nor waived then' },
    ]);
    const met = after(history, [{ type: 'MeetCondition', n: 1 }, JAPAN]);
    expect(exceptions(after(met, [pay(4, today), JAPAN]))).toEqual([]);
    expect(exceptions(after(met, [pay(4, '2020-01-01'), JAPAN]))).toHaveLength(1);
  });
  it('keep the exception when the trigger comes later, and lose it with a correction', () => {
    const early = after(history, [pay(2, '2026-01-03'), JAPAN]);
    const fixed: Body = { type: 'CorrectTransfer', n: 1, date: '2026-01-04', reason: 'Wrong day.' };
    expect(exceptions(after(early, [fixed, JAPAN]))).toEqual([]);
    const moved: Body = { type: 'CorrectTransfer', n: 1, instalment: 1, reason: 'The first one.' };
    expect(shown(after(early, [moved, JAPAN])).terms.schedule).toMatchObject([
      { n: 1, status: 'paid' },
      { n: 2, status: 'open' },
      {},
      {},
    ]);
    const unpaid = after(history, [pay(3, today), JAPAN]);
    const later = after(
      unpaid,
      [{ type: 'FileReport', n: 1, date: '2026-01-02' }, CAVR],
      [{ type: 'AcceptReport', n: 1 }, VANUATU],
    );
    expect(exceptions(later)).toHaveLength(1);
  });
  // Seen failing with the whole transfer taken off its old instalment, which then stood below nothing.
  it('take what came back with them when a correction moves the payment to another one', () => {
    const back = { kind: 'refund', from: 'agency:cavr', to: 'donor:japan' } as const;
    const paid = [
      ...history,
      transfer(1, usd('100.00'), { instalment: 1 }),
      transfer(2, usd('60.00'), { ...back, of: 1 }),
      transfer(3, usd('20.00'), { kind: 'refund', of: 2 }),
    ];
    expect(shown(paid).terms.schedule).toMatchObject([{ paid: usd('60.00') }, { paid: usd('0.00') }, {}, {}]);
    const moved: Body = { type: 'CorrectTransfer', n: 1, instalment: 2, reason: 'It was the second one.' };
    expect(shown(after(paid, [moved, JAPAN])).terms.schedule).toMatchObject([
      { paid: usd('0.00'), status: 'open' },
      { paid: usd('60.00'), status: 'part-paid' },
      {},
      {},
    ]);
  });
  it('that an amendment took away leave their payments alone', () => {
    const gone = [...history, transfer(1, usd('5.00'), { instalment: 9 })];
    expect(exceptions(gone)).toEqual([]);
    expect(
      exceptions([
        ...gone,
        transfer(2, usd('5.00'), { kind: 'refund', from: 'agency:cavr', to: 'donor:japan', of: 1 }),
      ]),
    ).toEqual([]);
  });
  it('on money that is delivered too, stay apart from deliveries', () => {
    expect(shown([...history, delivery(1, usd('100.00'))]).terms.schedule[0]).toMatchObject({ status: 'open' });
  });
});
