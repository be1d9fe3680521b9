import { describe, expect, it } from '@jest/globals';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import { emptyFold, foldOnto } from '#kernel';
import { recordedHistory } from '#kernel-testing';
import type { Role } from '#vocabulary';
import { contributionDecider } from './contribution.js';
import { contributionEventFor, contributionView } from './contribution.view.js';
import type { ContributionEvent, FundReason } from './fund.contract.js';
import { FUND, money } from './fund.fixture.js';

const caller = (party: string, role: Role, more: Partial<Caller> = {}): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  registered: true,
  party,
  roles: [role],
  ...more,
});

/** The reason as the caller reads it in the record, after it was held against that of the history. */
const reasonSeen = (reader: Caller, reason: FundReason, insider = false): unknown => {
  const events: readonly ContributionEvent[] = [
    {
      type: 'ContributionPledged',
      data: { fund: FUND, amount: money(100), date: '2026-01-04', visibility: 'public', donor: 'donor:japan' },
    },
    { type: 'ContributionCancelled', data: { party: 'donor:japan', reason } },
  ];
  const recorded = recordedHistory(contributionDecider, events);
  const { contribution } = foldOnto(contributionDecider, emptyFold(contributionDecider.initial), recorded).state;
  const last = recorded.at(-1);
  if (contribution === undefined || last === undefined) throw new Error('no contribution');
  const shown = (contributionView(reader, 'k1', contribution, { insider }) as { readonly reason?: unknown }).reason;
  expect(contributionEventFor(reader, 'k1', contribution, last, insider)).toEqual({
    party: 'donor:japan',
    reason: shown,
  });
  return shown;
};

describe('why a public contribution was cancelled', () => {
  const japan = caller('donor:japan', 'donor-desk');
  const fund = caller(FUND, 'donor-desk');
  const coordinator = caller('agency:secretariat', 'coordinator');
  const note = 'budget cut after the election';

  it('is for anyone as a code, with its note for the other side alone', () => {
    const reason = { code: 'budget', note } as const;
    const whole = { ...reason, noteFor: 'other-side' };
    for (const reader of [japan, fund]) expect(reasonSeen(reader, reason)).toEqual(whole);
    expect(reasonSeen(caller('agency:undp', 'fiscal-agent'), reason, true)).toEqual(whole);
    for (const reader of [ANONYMOUS, caller('donor:norway', 'donor-desk'), coordinator])
      expect(reasonSeen(reader, reason)).toEqual({ code: 'budget' });
  });

  it('has a note for the coordinator that the other side does not read', () => {
    const reason = { code: 'budget', note, noteFor: 'coordinator' } as const;
    for (const reader of [japan, coordinator]) expect(reasonSeen(reader, reason)).toEqual(reason);
    for (const reader of [ANONYMOUS, fund]) expect(reasonSeen(reader, reason)).toEqual({ code: 'budget' });
  });
});
