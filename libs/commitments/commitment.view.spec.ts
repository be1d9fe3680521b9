import type { Caller, MandateInForce } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { Given } from '#kernel-testing';
import { recordedHistory, stateAfter, TEST_TIME } from '#kernel-testing';
import type { Power, Role, Visibility } from '#vocabulary';
import { ROLE_POWERS } from '#vocabulary';
import type { CommitmentEvent, Reason } from './commitment.contract.js';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';
import {
  allConfirmed,
  bound,
  CANCELLED,
  delivered,
  EXPIRES,
  HELD,
  held,
  proposed,
  signed,
  transfer,
  usd,
  accepted,
} from './commitment.fixture.js';
import type { Labels } from './commitment.view.js';
import { commitmentEventFor, commitmentView, labelOf, mayEver, seesCommitment } from './commitment.view.js';

const ID = '019b8d00-0000-7000-8000-000000000001';
const deal = { implementer: 'agency:cavr' };

const caller = (party: string, role: Role, over: Partial<Caller> = {}): Caller => ({
  ...ANONYMOUS,
  anonymous: false,
  party,
  roles: [role],
  registered: true,
  powers: new Set(ROLE_POWERS[role]),
  ...over,
});
const mandate = (over: Partial<MandateInForce>): MandateInForce => ({
  mandate: 'm1',
  everything: false,
  parties: new Set(),
  records: new Set(),
  sealed: false,
  appointedBy: 'agency:secretariat',
  ...over,
});
const auditor = (...mandates: readonly Partial<MandateInForce>[]): Caller =>
  caller('auditor:court', 'auditor', { mandates: mandates.map(mandate) });

const JAPAN = caller('donor:japan', 'donor-desk');
const VANUATU = caller('state:VUT', 'npc', { sovereign: 'VUT' });
const CAVR = caller('agency:cavr', 'implementer');
const NORWAY = caller('donor:norway', 'donor-desk');
const COORDINATOR = caller('agency:secretariat', 'coordinator');

const labels = (need: Visibility | undefined, offer: Visibility | undefined, body = true, sees = true): Labels => ({
  needs: {
    facts: () => Promise.resolve(need === undefined ? undefined : ({ visibility: need } as never)),
    sight: () => Promise.resolve({ summary: true, body, annex: false }),
  },
  offers: {
    facts: () => Promise.resolve(offer === undefined ? undefined : ({ visibility: offer } as never)),
    sees: () => Promise.resolve(sees),
  },
});

const at = (history: readonly Given<CommitmentEvent>[]): CommitmentState => stateAfter(commitmentDecider, history);
const view = (who: Caller, history: readonly Given<CommitmentEvent>[], now = TEST_TIME): Record<string, unknown> =>
  commitmentView({ caller: who, at: now, label: 'public' }, ID, at(history)) as Record<string, unknown>;
const sees = (who: Caller, history: readonly Given<CommitmentEvent>[], of = labels('public', 'public')) =>
  seesCommitment(of, who, ID, at(history));

describe('who sees a commitment', () => {
  it('until it binds: its parties, the coordinator and mandated auditors, whatever the labels', async () => {
    for (const history of [
      held(deal),
      accepted(deal),
      [...held(deal), { type: 'CommitmentLapsed', data: {} } as const],
    ]) {
      for (const who of [JAPAN, VANUATU, CAVR, COORDINATOR, auditor({ everything: true })]) {
        expect(await sees(who, history)).toBe(true);
      }
      for (const who of [NORWAY, ANONYMOUS, auditor()]) expect(await sees(who, history)).toBe(false);
    }
  });
  it('once bound: whoever sees the body of the need and the offer', async () => {
    for (const history of [bound(deal), delivered(deal), [...bound(deal), CANCELLED]]) {
      expect(await sees(NORWAY, history)).toBe(true);
      expect(await sees(NORWAY, history, labels('named', 'public', false, true))).toBe(false);
      expect(await sees(NORWAY, history, labels('public', 'named', true, false))).toBe(false);
    }
  });
  it('whoever a transfer reached', async () => {
    const history = [...bound(deal), transfer(1, usd('5.00'), { to: 'agency:ngo' })];
    expect(await sees(caller('agency:ngo', 'implementer'), history, labels('sealed', 'sealed', false, false))).toBe(
      true,
    );
  });
  it('hosting staff and auditors by what their role opens, not by their party', async () => {
    expect(await sees(caller('state:VUT', 'operator'), held(deal))).toBe(false);
    expect(await sees(caller('agency:cavr', 'auditor'), held(deal))).toBe(false);
  });
  it('an auditor within its mandate, and sealed ones by a mandate of a party', async () => {
    expect(await sees(auditor({ parties: new Set(['donor:japan']) }), held(deal))).toBe(true);
    expect(await sees(auditor({ parties: new Set(['donor:norway']) }), held(deal))).toBe(false);
    expect(await sees(auditor({ records: new Set([ID]) }), held(deal))).toBe(true);
    const sealed = labels('sealed', 'public', false, true);
    expect(await sees(auditor({ everything: true }), held(deal), sealed)).toBe(false);
    expect(await sees(auditor({ everything: true, sealed: true, appointedBy: 'state:VUT' }), held(deal), sealed)).toBe(
      true,
    );
    expect(await sees(auditor({ everything: true, sealed: true, appointedBy: 'state:FJI' }), held(deal), sealed)).toBe(
      false,
    );
  });
  it('carries the stricter label, and the strictest where need or offer say none', async () => {
    expect(await labelOf(labels('public', 'members'), at(bound()))).toBe('members');
    expect(await labelOf(labels('named', 'members'), at(bound()))).toBe('named');
    expect(await labelOf(labels(undefined, 'public'), at(bound()))).toBe('sealed');
    expect(await labelOf(labels('public', undefined), at(bound()))).toBe('sealed');
    expect(view(JAPAN, held()).visibility).toBe('named');
    expect(view(JAPAN, bound()).visibility).toBe('public');
  });
});

describe('reasons', () => {
  const declined = (reason: Reason): Given<CommitmentEvent>[] => [
    proposed(deal),
    HELD,
    { type: 'CommitmentDeclined', data: { party: 'state:VUT', reason } },
  ];
  const toCoordinator = declined({ code: 'security', note: 'secret', noteFor: 'coordinator' });
  const toSide = declined({ code: 'budget', note: 'next year' });
  it('are for the sides, the coordinator and auditors; a note for whom it is addressed to', () => {
    const reason = (who: Caller, history: readonly Given<CommitmentEvent>[]): unknown => view(who, history).reason;
    const bare = { party: 'state:VUT', code: 'security' };
    const noted = { ...bare, note: 'secret', noteFor: 'coordinator' };
    expect(reason(VANUATU, toCoordinator)).toEqual(noted);
    expect(reason(COORDINATOR, toCoordinator)).toEqual(noted);
    expect(reason(auditor({ everything: true }), toCoordinator)).toEqual(noted);
    expect(reason(JAPAN, toCoordinator)).toEqual(bare);
    expect(reason(CAVR, toCoordinator)).toBeUndefined();
    expect(reason(auditor({ parties: new Set(['donor:norway']) }), toCoordinator)).toBeUndefined();
    expect(reason(JAPAN, toSide)).toMatchObject({ note: 'next year' });
    expect(reason(COORDINATOR, toSide)).toEqual({ party: 'state:VUT', code: 'budget' });
  });
  it('of a task declined are for the sides and the agency itself', () => {
    const history: Given<CommitmentEvent>[] = [
      ...held(deal),
      { type: 'TaskDeclined', data: { agency: 'agency:cavr', reason: { code: 'timing', note: 'booked' } } },
    ];
    const declines = (who: Caller): unknown => view(who, history).taskDeclines;
    const own = {
      party: 'agency:cavr',
      reason: { party: 'agency:cavr', code: 'timing', note: 'booked', noteFor: 'other-side' },
    };
    expect(declines(CAVR)).toMatchObject([own]);
    expect(declines(JAPAN)).toMatchObject([own]);
    expect(declines(NORWAY)).toEqual([{ party: 'agency:cavr', at: TEST_TIME }]);
  });
});

describe('the history', () => {
  const shown = (who: Caller, history: readonly Given<CommitmentEvent>[], index: number): object | undefined => {
    const event = recordedHistory(commitmentDecider, history)[index];
    if (event === undefined) throw new Error('no such event');
    return commitmentEventFor(who, ID, at(history), event);
  };
  it('keeps what the earmark was judged on to the recipients, the coordinator and auditors', () => {
    for (const who of [VANUATU, COORDINATOR, auditor({ everything: true })]) {
      expect(shown(who, bound(deal), 0)).toHaveProperty('earmarkFacts');
    }
    for (const who of [JAPAN, CAVR, NORWAY]) expect(shown(who, bound(deal), 0)).not.toHaveProperty('earmarkFacts');
  });
  it('tells others no more of a refusal than its code', () => {
    const refused: Given<CommitmentEvent>[] = [
      proposed(deal),
      { type: 'HoldRefused', data: { code: 'insufficient-capacity', detail: 'Only 3 are left.' } },
    ];
    expect(shown(JAPAN, refused, 1)).toHaveProperty('detail');
    expect(shown(NORWAY, refused, 1)).toEqual({ code: 'insufficient-capacity' });
    expect(view(JAPAN, refused).refusal).toMatchObject({ by: 'offer' });
    expect(view(NORWAY, refused).refusal).toBeUndefined();
  });
  it('tells nobody else that a change was proposed, and what became of it', () => {
    const [proposal] = proposed(deal) as [CommitmentEvent, object];
    const legs = (proposal as Extract<CommitmentEvent, { type: 'CommitmentProposed' }>).data.legs;
    const proposals: Given<CommitmentEvent>[] = [
      {
        type: 'AmendmentProposed',
        data: {
          n: 1,
          side: 'recipient',
          party: 'state:VUT',
          changes: { legs },
          reason: 'Fewer came.',
          expiresAt: '2026-12-22T10:00:00.000Z',
        },
      },
      { type: 'AmendmentDeclined', data: { n: 1, party: 'donor:japan', reason: { code: 'timing' } } },
    ];
    const history = [...bound(deal), ...proposals];
    for (const index of [history.length - 2, history.length - 1]) {
      for (const who of [JAPAN, VANUATU, CAVR, COORDINATOR, auditor({ everything: true })]) {
        expect(shown(who, history, index)).toMatchObject({ n: 1 });
      }
      expect(shown(NORWAY, history, index)).toBeUndefined();
    }
    expect(shown(NORWAY, [...bound(deal), { type: 'AmendmentLapsed', data: { n: 1 } }], bound(deal).length)).toBe(
      undefined,
    );
  });
  it('masks notes as the record does', () => {
    const left: Given<CommitmentEvent>[] = [
      ...held(deal),
      {
        type: 'TaskDeclined',
        data: { agency: 'agency:cavr', reason: { code: 'timing', note: 'n', noteFor: 'coordinator' } },
      },
      { type: 'CommitmentDeclined', data: { reason: { code: 'offer-closed' } } },
    ];
    expect(shown(JAPAN, left, 2)).toEqual({ agency: 'agency:cavr', reason: { code: 'timing' } });
    expect(shown(COORDINATOR, left, 2)).toEqual({
      agency: 'agency:cavr',
      reason: { code: 'timing', note: 'n', noteFor: 'coordinator' },
    });
    expect(shown(NORWAY, left, 2)).toEqual({ agency: 'agency:cavr' });
    expect(shown(JAPAN, left, 3)).toEqual({ reason: { code: 'offer-closed' } });
    const cancelled = [...bound(deal), CANCELLED];
    expect(shown(JAPAN, cancelled, cancelled.length - 1)).toEqual({ party: 'state:VUT', reason: { code: 'budget' } });
    expect(shown(NORWAY, cancelled, cancelled.length - 1)).toEqual({ party: 'state:VUT' });
    expect(shown(NORWAY, cancelled, 1)).toEqual({});
  });
});

describe('actions', () => {
  const actions = (who: Caller, history: readonly Given<CommitmentEvent>[], now?: string): unknown =>
    view(who, history, now).actions;
  it('are the caller’s by rule, role and power', () => {
    expect(actions(VANUATU, held())).toEqual(['accept', 'decline']);
    expect(actions(caller('state:VUT', 'npc', { powers: new Set(['sign']) }), held())).toEqual([]);
    expect(actions(caller('state:VUT', 'donor-desk'), held())).toEqual([]);
    expect(actions(caller('state:VUT', 'npc', { registered: false }), held())).toEqual([]);
    expect(actions(VANUATU, held(), EXPIRES)).toEqual([]);
    expect(actions(VANUATU, [...accepted(), signed('state:VUT')])).toEqual(['amend']);
    expect(actions(ANONYMOUS, bound())).toEqual([]);
  });
  it('name an extension where there is a date to put off', () => {
    expect(actions(JAPAN, bound())).not.toContain('extend');
    expect(actions(JAPAN, bound({ terms: { period: { from: '2026-01-01', to: '2026-06-30' } } }))).toEqual(
      expect.arrayContaining(['amend', 'extend']),
    );
    const report = { n: 1, kind: 'narrative', by: 'donor:japan', due: '2026-06-30' } as const;
    expect(actions(VANUATU, bound({ terms: { reports: [report] } }))).toContain('extend');
    const instalment = { n: 1, amount: usd('1.00'), on: 'date', due: '2026-06-30' } as const;
    expect(actions(VANUATU, bound({ terms: { schedule: [instalment] } }))).toContain('extend');
  });
  it('let a side close with the power to sign, and the coordinator by its role', () => {
    expect(actions(JAPAN, allConfirmed())).toEqual(['transfers', 'suspend', 'close']);
    expect(actions(caller('donor:japan', 'donor-desk', { powers: new Set(['pay']) }), allConfirmed())).toEqual([
      'transfers',
    ]);
    expect(actions(COORDINATOR, allConfirmed())).toEqual(['close']);
    const state = stateAfter(commitmentDecider, allConfirmed());
    expect(mayEver(COORDINATOR, 'CloseCommitment', state)).toBe(true);
    expect(mayEver(ANONYMOUS, 'CloseCommitment', state)).toBe(false);
    const both = caller('donor:japan', 'donor-desk', {
      roles: ['donor-desk', 'coordinator'],
      powers: new Set(['pay']),
    });
    expect(mayEver(both, 'CloseCommitment', state)).toBe(false);
  });
  it('ask each side’s own power over what a settlement, a report or a verification is about', () => {
    const state = stateAfter(commitmentDecider, delivered());
    const may = (type: 'StateSettlement' | 'FileReport' | 'VerifyDelivery', party: string, ...powers: Power[]) =>
      mayEver(
        caller(party, party.startsWith('state:') ? 'npc' : 'donor-desk', { powers: new Set(powers) }),
        type,
        state,
      );
    expect(may('StateSettlement', 'state:VUT', 'deliver')).toBe(false);
    expect(may('StateSettlement', 'state:VUT', 'confirm')).toBe(true);
    expect(may('StateSettlement', 'donor:japan', 'confirm')).toBe(false);
    expect(may('StateSettlement', 'donor:japan', 'deliver')).toBe(true);
    expect(mayEver(COORDINATOR, 'StateSettlement', state)).toBe(true);
    expect(may('FileReport', 'donor:japan', 'offer', 'propose')).toBe(false);
    expect(may('FileReport', 'donor:japan', 'pay')).toBe(true);
    expect(may('VerifyDelivery', 'donor:japan', 'offer', 'pay')).toBe(false);
    expect(may('VerifyDelivery', 'donor:japan', 'deliver')).toBe(true);
    expect(mayEver(caller('auditor:court', 'auditor'), 'VerifyDelivery', state)).toBe(true);
  });
});

describe('the record', () => {
  it('shows disputes and the answer to each tranche', () => {
    const history: Given<CommitmentEvent>[] = [
      ...delivered(),
      { type: 'DeliveryDisputed', data: { n: 1, party: 'state:VUT', reason: 'Not here.' } },
    ];
    expect(view(JAPAN, history)).toMatchObject({
      flags: ['disputed'],
      deliveries: [
        { status: 'disputed', dispute: { reason: 'Not here.' }, confirmedQuantity: { amount: '0' }, evidence: [] },
      ],
    });
    expect(view(JAPAN, history).deliveries).not.toHaveProperty('0.sovereign');
    expect(view(JAPAN, allConfirmed()).deliveries).toMatchObject([{ confirmation: { party: 'state:VUT' } }]);
  });
  it('shows who proposed the closing, and a discrepancy accepted with its reason', () => {
    const history: Given<CommitmentEvent>[] = [
      ...allConfirmed(),
      transfer(1, usd('5.00')),
      {
        type: 'ReceiptReported',
        data: {
          n: 1,
          transfer: 1,
          party: 'agency:cavr',
          amount: usd('3.00'),
          charges: usd('1.00'),
          date: '2026-01-05',
          discrepancy: { n: 1, quantity: usd('1.00'), sign: 'short' },
        },
      },
      { type: 'DiscrepancyAccepted', data: { n: 1, reason: 'Lost.' } },
      { type: 'CloseProposed', data: { side: 'provider', party: 'donor:japan' } },
    ];
    expect(view(JAPAN, history)).toMatchObject({
      closeProposed: { side: 'provider' },
      discrepancies: [
        {
          n: 1,
          about: { transfer: 1, receipts: [1] },
          provider: usd('5.00'),
          recipient: usd('3.00'),
          charges: usd('1.00'),
          difference: usd('1.00'),
          status: 'accepted',
          reason: 'Lost.',
        },
      ],
    });
  });
  it('names a State by its code and an authority by none', () => {
    expect(view(JAPAN, held()).state).toBe('VUT');
    const [event, metadata] = proposed() as [Extract<CommitmentEvent, { type: 'CommitmentProposed' }>, object];
    const other = { ...event, data: { ...event.data, beneficiaries: ['authority:x'], partOf: 'programme' } };
    expect(view(JAPAN, [[other, metadata]])).toMatchObject({ state: null, partOf: 'programme' });
  });
});
