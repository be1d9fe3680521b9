import { describe, expect, it, test } from '@jest/globals';
import { specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import type { CallContent } from './call.js';
import { callDecider, callStatusAt, mayBeApproved } from './call.js';
import type { CallEvent } from './fund.contract.js';
import { coordinator, desk, fiji, FUND, japan, money, process, TERMS, vanuatu } from './fund.fixture.js';

const spec = specFor(callDecider);
const given: typeof spec.given = (...events) => spec.given(...events);

const CONTENT: CallContent = {
  fund: FUND,
  title: 'Call 2026',
  opens: '2026-01-01',
  closes: '2026-01-31',
  ceiling: money(50),
  criteria: [],
  visibility: 'members',
};
const announced: CallEvent = { type: 'CallAnnounced', data: CONTENT };
const closed: CallEvent = { type: 'CallClosed', data: {} };
const filed: CallEvent = {
  type: 'ApplicationFiled',
  data: { n: 1, party: 'state:VUT', needId: 'n1', amount: money(40) },
};
const screened = (eligible: boolean): CallEvent => ({ type: 'ApplicationScreened', data: { n: 1, eligible } });
const withdrawn: CallEvent = { type: 'ApplicationWithdrawn', data: { n: 1, party: 'state:VUT' } };
const approved: CallEvent = { type: 'ApplicationDecided', data: { n: 1, outcome: 'approved', decision: 3 } };
const reason = { code: 'budget' } as const;
const declined: CallEvent = { type: 'ApplicationDecided', data: { n: 1, outcome: 'declined', reason } };

describe('a call', () => {
  it('is announced by the desk of a fund that keeps a book', () => {
    const announce = { type: 'AnnounceCall', content: CONTENT, terms: TERMS } as const;
    given().when(announce, { actor: desk }).then(announced);
    given()
      .when({ ...announce, content: { ...CONTENT, window: 'pacific' } }, { actor: desk })
      .accepted();
    given().when(announce, { actor: japan }).refused('forbidden');
    given()
      .when(announce, { actor: { ...desk, role: 'coordinator' } })
      .refused('forbidden');
    given(announced).when(announce, { actor: desk }).refused('already-exists');
    given().when({ type: 'AnnounceCall', content: CONTENT }, { actor: desk }).refused('fund-keeps-no-book', 'fund');
    given()
      .when({ ...announce, content: { ...CONTENT, window: 'africa' } }, { actor: desk })
      .refused('unknown-window', 'window');
    given()
      .when({ ...announce, content: { ...CONTENT, ceiling: money(1, 'EUR') } }, { actor: desk })
      .refused('currency-mismatch', 'ceiling');
    const { ceiling: _, ...unbounded } = CONTENT;
    given()
      .when({ ...announce, content: unbounded }, { actor: desk })
      .accepted();
  });

  test.each([
    ['2025-12-31T23:59:59.999Z', 'announced'],
    ['2026-01-01T00:00:00.000Z', 'open'],
    ['2026-01-31T23:59:59.999Z', 'open'],
    ['2026-02-01T00:00:00.000Z', 'over'],
  ])('stands at %s as %s', (at, status) => {
    expect(callStatusAt({ content: CONTENT, closed: false }, at)).toBe(status);
    expect(callStatusAt({ content: CONTENT, closed: true }, at)).toBe('closed');
  });

  it('is closed by the desk once', () => {
    given(announced).when({ type: 'CloseCall' }, { actor: desk }).then(closed);
    given(announced, closed).when({ type: 'CloseCall' }, { actor: desk }).refused('call-closed');
    given(announced).when({ type: 'CloseCall' }, { actor: coordinator }).refused('forbidden');
    given().when({ type: 'CloseCall' }, { actor: desk }).refused('not-found');
  });

  it('is not moved by what it does not know', () => {
    const unknown = { type: 'Unknown', data: {} } as never;
    expect(callDecider.evolve({}, unknown)).toEqual({});
    expect(callDecider.evolve(given(announced).state, unknown)).toEqual(given(announced).state);
  });
});

describe('an application', () => {
  const file = {
    type: 'FileApplication',
    needId: 'n1',
    amount: money(40),
    need: { open: true, filer: 'state:VUT', beneficiaries: ['state:VUT', 'state:FJI'] },
    currency: 'USD',
  } as const;

  it('is filed for an open need by its State or host, while the call is open and under its ceiling', () => {
    given(announced).when(file, { actor: vanuatu }).then(filed);
    given(announced).when(file, { actor: fiji }).accepted();
    given(announced).when(file, { actor: desk }).refused('forbidden');
    given(announced)
      .when({ ...file, need: { ...file.need, filer: 'state:PNG', beneficiaries: [] } }, { actor: vanuatu })
      .refused('forbidden');
    given(announced).when(file, { actor: vanuatu, at: '2026-02-01T00:00:00.000Z' }).refused('call-not-open');
    given(announced, closed).when(file, { actor: vanuatu }).refused('call-not-open');
    given(announced)
      .when({ ...file, need: { ...file.need, open: false } }, { actor: vanuatu })
      .refused('need-not-open', 'needId');
    given(announced)
      .when({ ...file, amount: money(40, 'EUR') }, { actor: vanuatu })
      .refused('currency-mismatch', 'amount');
    given(announced)
      .when({ ...file, amount: money(51) }, { actor: vanuatu })
      .refused('over-ceiling', 'amount');
    const { ceiling: _, ...unbounded } = CONTENT;
    given({ type: 'CallAnnounced', data: unbounded })
      .when({ ...file, amount: money(51) }, { actor: vanuatu })
      .accepted();
  });

  it('is filed once per need, again after it was withdrawn', () => {
    given(announced, filed).when(file, { actor: fiji }).refused('already-applied', 'needId');
    given(announced, filed)
      .when({ ...file, needId: 'n2' }, { actor: vanuatu })
      .accepted();
    given(announced, filed, withdrawn).when(file, { actor: vanuatu }).accepted();
  });

  it('is withdrawn by who filed it, before it is decided', () => {
    const withdraw = { type: 'WithdrawApplication', n: 1 } as const;
    given(announced, filed).when(withdraw, { actor: vanuatu }).then(withdrawn);
    given(announced, filed).when(withdraw, { actor: fiji }).refused('forbidden');
    given(announced, filed, withdrawn).when(withdraw, { actor: vanuatu }).refused('application-withdrawn');
    given(announced, filed, approved).when(withdraw, { actor: vanuatu }).refused('application-decided');
    given(announced, filed)
      .when({ ...withdraw, n: 2 }, { actor: vanuatu })
      .refused('unknown-application');
  });

  it('is screened, then ranked, by the desk', () => {
    given(announced, filed)
      .when({ type: 'ScreenApplication', n: 1, eligible: true }, { actor: desk })
      .then(screened(true));
    given(announced, filed)
      .when({ type: 'ScreenApplication', n: 1, eligible: false, reason: 'late' }, { actor: desk })
      .accepted();
    given(announced, filed)
      .when({ type: 'ScreenApplication', n: 1, eligible: true }, { actor: vanuatu })
      .refused('forbidden');
    const rank = { type: 'RankApplication', n: 1, rank: 2 } as const;
    given(announced, filed).when(rank, { actor: desk }).refused('not-eligible');
    given(announced, filed, screened(false)).when(rank, { actor: desk }).refused('not-eligible');
    const { state } = given(announced, filed, screened(true)).when(rank, { actor: desk }).accepted();
    expect(state.call?.applications[0]).toMatchObject({ ranking: { rank: 2 }, filedAt: TEST_TIME });
    given(announced, filed, screened(true))
      .when({ ...rank, note: 'good' }, { actor: desk })
      .accepted();
  });

  it('is approved by a decision that allocates to its need, or declined with a reason', () => {
    const decide = { type: 'DecideApplication', n: 1, outcome: 'approved', decision: 3, stands: true } as const;
    given(announced, filed).when(decide, { actor: desk }).then(approved);
    given(announced, filed, screened(true)).when(decide, { actor: desk }).then(approved);
    given(announced, filed, screened(false)).when(decide, { actor: desk }).refused('not-eligible');
    given(announced, filed)
      .when({ ...decide, stands: false }, { actor: desk })
      .refused('unknown-decision', 'decision');
    given(announced, filed)
      .when({ type: 'DecideApplication', n: 1, outcome: 'approved' }, { actor: desk })
      .refused('unknown-decision');
    given(announced, filed)
      .when({ type: 'DecideApplication', n: 1, outcome: 'declined', reason }, { actor: desk })
      .then(declined);
    given(announced, filed).when({ type: 'DecideApplication', n: 1, outcome: 'declined' }, { actor: desk }).accepted();
    given(announced, filed, approved).when(decide, { actor: desk }).then();
    given(announced, filed, approved)
      .when({ ...decide, decision: 4 }, { actor: desk })
      .refused('application-decided');
    given(announced, filed, declined).when(decide, { actor: desk }).refused('application-decided');
  });

  it('follows the decision that names it, as far as it can', () => {
    const approve = { type: 'ApproveApplication', n: 1, decision: 3 } as const;
    given(announced, filed).when(approve, { actor: process }).then(approved);
    given(announced, filed, declined).when(approve, { actor: process }).then();
    given(announced, filed, withdrawn).when(approve, { actor: process }).then();
    given(announced, filed, screened(false)).when(approve, { actor: process }).then();
    given(announced).when(approve, { actor: process }).then();
    given().when(approve, { actor: process }).then();
    given(announced, filed).when(approve, { actor: desk }).refused('forbidden');
    given(announced).when({ type: 'CloseCall' }, { actor: process }).refused('forbidden');
  });

  it('is named by a decision only while it may be approved', () => {
    const may = (...events: readonly CallEvent[]): boolean[] =>
      (stateAfter(callDecider, [announced, filed, ...events]).call?.applications ?? []).map(mayBeApproved);
    for (const standing of [[], [screened(true)], [screened(false), screened(true)], [approved]]) {
      expect(may(...standing)).toEqual([true]);
    }
    for (const out of [withdrawn, screened(false), declined]) expect(may(out)).toEqual([false]);
  });

  it('leaves the others as they are', () => {
    const other: CallEvent = {
      type: 'ApplicationFiled',
      data: { n: 2, party: 'state:FJI', needId: 'n2', amount: money(10) },
    };
    const { state } = given(announced, filed, other)
      .when({ type: 'ScreenApplication', n: 2, eligible: true }, { actor: desk })
      .accepted();
    expect(state.call?.applications.map(({ screening }) => screening?.eligible)).toEqual([undefined, true]);
  });
});
