import { ANONYMOUS } from '#directory/contract';
import type { Caller } from '#directory/contract';
import { recordedEvent, stateAfter } from '#kernel-testing';
import { qualityOf } from './coach.js';
import type { NeedContent, NeedEvent } from './need.contract.js';
import { bound, caller, CONTENT, drafted, key, opened, REAFFIRM_BY, reserved, submitted, usd } from './need.fixture.js';
import { needDecider } from './need.js';
import type { NeedBonds } from './need-sight.js';
import { labelOf, NO_BONDS, sightOf } from './need-sight.js';
import { needEventFor, needView, permitsNeed } from './need.view.js';

const NOW = '2026-01-20T00:00:00.000Z';
const VANUATU = caller('state:VUT', 'npc');
const COORDINATOR = caller('agency:secretariat', 'coordinator');
const JAPAN = caller('donor:japan', 'donor-desk');
const AUDITOR = caller('auditor:court', 'auditor', {
  mandates: [
    {
      mandate: 'm1',
      everything: true,
      parties: new Set(),
      records: new Set(),
      sealed: false,
      appointedBy: 'agency:secretariat',
    },
  ],
});

const RICH: Partial<NeedContent> = {
  problem: 'Thefts',
  named: ['donor:japan'],
  annex: { sites: ['Depot 4'] },
  visibility: { summary: 'public', body: 'members', annex: 'named' },
  priorAid: [{ text: 'A course' }, { commitmentId: '01900000-0000-7000-8000-000000000001' }],
  documents: [
    { kind: 'map', title: 'Open', sha256: '00' },
    { kind: 'map', title: 'Closed', sha256: '01', label: 'sealed' },
  ],
};

const seen = (
  who: Caller,
  events: readonly NeedEvent[],
  bonds: NeedBonds = NO_BONDS,
  now = NOW,
): Readonly<Record<string, unknown>> => {
  const state = stateAfter(needDecider, events);
  return needView(
    who,
    'n1',
    state,
    sightOf(who, labelOf('n1', state), bonds, now),
    now,
    new Map([[1, [usd('5.00')]]]),
  ) as Record<string, unknown>;
};
const OPEN = [drafted(RICH), submitted(), opened];

describe('a need as its readers see it', () => {
  it('shows the public its summary and derived coverage, and nothing of body or annex', () => {
    const view = seen(ANONYMOUS, OPEN);
    expect(view).toMatchObject({
      id: 'n1',
      state: 'VUT',
      title: CONTENT.title,
      coverage: 'none',
      actions: [],
      merged: [],
    });
    for (const field of ['problem', 'lines', 'annex', 'named', 'quality', 'consent', 'priorAid', 'documents']) {
      expect(view).not.toHaveProperty(field);
    }
  });

  it('shows members the body, with outstanding amounts and without what is accepted', () => {
    const view = seen(caller('donor:norway', 'donor-desk'), [
      ...OPEN,
      reserved(usd('300.00')),
      bound(usd('200.00'), 'c2'),
    ]);
    expect(view).toMatchObject({ problem: 'Thefts', priorAid: [{ text: 'A course' }], documents: [{ title: 'Open' }] });
    expect(view).not.toHaveProperty('annex');
    expect((view.lines as { coverage: object }[])[0]!.coverage).toEqual({
      binding: usd('0.00'),
      delivered: usd('0.00'),
      confirmed: usd('0.00'),
      outstanding: usd('1000.00'),
    });
  });

  it('shows the annex to whom it names, and a sealed document to its owner', () => {
    expect(seen(JAPAN, OPEN)).toMatchObject({ annex: { sites: ['Depot 4'] }, documents: [{ title: 'Open' }] });
    expect(seen(VANUATU, OPEN)).toMatchObject({
      named: ['donor:japan'],
      priorAid: [{}, { commitmentId: expect.any(String) }],
      documents: [{}, { title: 'Closed' }],
    });
  });

  it('shows figures of what is proposed and accepted to the State, the coordinator, auditors and the parties', () => {
    const events = [...OPEN, reserved(usd('300.00'))];
    for (const who of [VANUATU, COORDINATOR, AUDITOR]) {
      expect(seen(who, events).lines).toMatchObject([
        { coverage: { indicative: usd('5.00'), accepted: usd('300.00') } },
        {},
      ]);
    }
    const party = seen(JAPAN, events, { lines: [2], eligible: false });
    expect(party.lines).toMatchObject([{}, { line: 2, coverage: { indicative: { amount: '0' } } }]);
  });

  it('discloses to the parties of a proposal the lines it names, whatever the labels', () => {
    const sealed = [
      drafted({ ...RICH, visibility: { summary: 'sealed', body: 'sealed', annex: 'sealed' } }),
      submitted(),
      opened,
    ];
    expect(seen(JAPAN, sealed, { lines: [2], eligible: false })).toMatchObject({
      title: CONTENT.title,
      lines: [{ line: 2 }],
    });
    expect(seen(JAPAN, sealed, { lines: [2], eligible: false })).not.toHaveProperty('problem');
  });

  it('calls an undetermined line not measurable', () => {
    const line = { line: 1, kind: 'training', quantity: { measure: 'undetermined', why: 'not-stated' } } as const;
    expect(seen(VANUATU, [drafted({ lines: [line] })])).toMatchObject({
      coverage: 'not-measurable',
      lines: [{ coverage: 'not-measurable' }],
    });
  });

  it.each([
    ['2026-06-01T00:00:00.000Z', 'fresh'],
    [REAFFIRM_BY, 'due'],
    ['2027-04-05T08:59:59.999Z', 'due'],
    ['2027-04-05T09:00:00.000Z', 'stale'],
  ])('at %s is %s', (now, state) => {
    expect(seen(VANUATU, OPEN, NO_BONDS, now).freshness).toEqual({ reaffirmBy: REAFFIRM_BY, state });
  });

  it('has no freshness before it opened and when it is closed', () => {
    expect(seen(VANUATU, [drafted()])).toMatchObject({ freshness: null, closedAs: null });
    expect(seen(VANUATU, [...OPEN, { type: 'NeedWithdrawn', data: {} }])).toMatchObject({ freshness: null });
  });

  it('tells each caller what it may do now', () => {
    expect(seen(VANUATU, [drafted()]).actions).toEqual(['submit', 'amend', 'withdraw']);
    expect(seen(COORDINATOR, [drafted(), submitted()]).actions).toEqual(['return', 'set-aside', 'open']);
    expect(seen(VANUATU, OPEN).actions).toEqual(['object', 'amend', 'merge', 'reaffirm', 'withdraw', 'close']);
    expect(seen(VANUATU, [...OPEN, reserved(usd('1.00'))]).actions).toEqual(['object', 'amend', 'merge', 'reaffirm']);
    expect(seen({ ...VANUATU, powers: new Set(['consent']) }, OPEN).actions).toEqual(['object']);
    expect(seen(JAPAN, OPEN).actions).toEqual([]);
    expect(permitsNeed(VANUATU, 'DraftNeed', stateAfter(needDecider, OPEN))).toBe(false);
  });

  it('shows a note beside a reason only to whom it is addressed', () => {
    const withdrawn = (noteFor?: 'other-side' | 'coordinator'): readonly NeedEvent[] => [
      ...OPEN,
      {
        type: 'NeedWithdrawn',
        data: { reason: { code: 'budget', note: 'No money', ...(noteFor === undefined ? {} : { noteFor }) } },
      },
    ];
    const noted = (who: Caller, events: readonly NeedEvent[], bonds = NO_BONDS): boolean =>
      'note' in (seen(who, events, bonds).reason as object);
    const party: NeedBonds = { lines: [1], eligible: false };
    expect([VANUATU, COORDINATOR, JAPAN].map((who) => noted(who, withdrawn()))).toEqual([true, true, false]);
    expect(noted(COORDINATOR, withdrawn('coordinator'))).toBe(true);
    expect(noted(JAPAN, withdrawn('other-side'), party)).toBe(true);
    expect([COORDINATOR, ANONYMOUS].map((who) => noted(who, withdrawn('other-side')))).toEqual([false, false]);
    expect(seen(ANONYMOUS, withdrawn()).reason).toEqual({ code: 'budget' });
  });

  it('shows what the review said to the State and the coordinator', () => {
    const returned: readonly NeedEvent[] = [
      drafted({}),
      submitted(),
      { type: 'NeedReturned', data: { reasons: ['other'] } },
    ];
    expect(seen(VANUATU, returned)).toMatchObject({ review: { as: 'returned' }, consent: { publish: 'yes' } });
    const objected: readonly NeedEvent[] = [...OPEN, { type: 'NeedObjected', data: { to: 'publication' } }];
    expect(seen(COORDINATOR, objected)).toMatchObject({ objections: ['publication'] });
    expect(seen(JAPAN, objected)).not.toHaveProperty('objections');
  });

  it('shows waivers with the body, and where a claimed draft came from to its State', () => {
    const waivers = [{ line: 1, reason: 'Done otherwise' }];
    const closed: readonly NeedEvent[] = [...OPEN, { type: 'NeedClosed', data: { outcome: 'met', waivers } }];
    expect(seen(JAPAN, closed)).toMatchObject({ status: 'closed', closedAs: 'met', waivers });
    expect(seen(ANONYMOUS, closed)).not.toHaveProperty('waivers');
    const claimed: NeedEvent = {
      type: 'NeedDrafted',
      data: {
        ...(drafted().data as { filer: string; beneficiaries: string[]; content: NeedContent }),
        claimedFrom: 'r1',
      },
    };
    expect(seen(VANUATU, [claimed])).toMatchObject({ claimedFrom: 'r1' });
  });

  it('of a network has no State', () => {
    const host = caller('network:msg', 'network-host');
    expect(seen(host, [drafted({}, 'network:msg')])).toMatchObject({ state: null });
  });
});

describe('the history of a need', () => {
  const events: readonly NeedEvent[] = [
    ...OPEN,
    { type: 'NeedAmended', data: { changes: { problem: 'Losses' } } },
    { type: 'NeedAmended', data: { changes: { title: 'New title' } } },
    reserved(usd('300.00')),
    bound(usd('300.00')),
    { type: 'CoverageReleased', data: { ...key(), line: 1, quantity: usd('300.00') } },
    { type: 'CoverageReopened', data: { ...key(), line: 1 } },
    reserved(usd('100.00'), 'c2'),
    { type: 'CoverageReleased', data: { ...key('c2'), line: 1, quantity: usd('100.00') } },
    {
      type: 'CoverageRefused',
      data: { commitment: 'c3', amendment: 0, code: 'insufficient-coverage', detail: 'less', asked: 'a' },
    },
    { type: 'NeedObjected', data: { to: 'publication' } },
    { type: 'NeedReaffirmed', data: { reaffirmBy: REAFFIRM_BY } },
    { type: 'NeedClosed', data: { outcome: 'partly-met', waivers: [] } },
  ];
  const history = (who: Caller, bonds = NO_BONDS, knows = false): readonly unknown[] => {
    const state = stateAfter(needDecider, events);
    const parts = sightOf(who, labelOf('need', state), bonds, NOW);
    return events.map((event, revision) =>
      needEventFor(who, state, parts, recordedEvent('need-n1', revision, event), () => knows),
    );
  };
  const shownTypes = (who: Caller, bonds = NO_BONDS, knows = false): readonly string[] =>
    history(who, bonds, knows).flatMap((data, index) => (data === undefined ? [] : [events[index]!.type]));

  it('is whole for the State and the coordinator', () => {
    expect(history(VANUATU, NO_BONDS, true)).toEqual(events.map(({ data }) => data));
    expect(shownTypes(COORDINATOR, NO_BONDS, true)).toHaveLength(events.length);
  });

  it('says to others nothing of drafts and reviews, and shows binding coverage without the commitment', () => {
    // The objection to publication leaves it to members.
    expect(history(JAPAN).slice(0, 2)).toEqual([{ filer: 'state:VUT', beneficiaries: ['state:VUT'] }, {}]);
    expect(shownTypes(JAPAN)).toEqual([
      'NeedDrafted',
      'NeedSubmitted',
      'NeedOpened',
      'NeedAmended',
      'NeedAmended',
      'CoverageBound',
      'CoverageReleased',
      'CoverageReopened',
      'NeedReaffirmed',
      'NeedClosed',
    ]);
    // Neither its id nor which of its legs, tranches and amendments it was.
    const told = history(JAPAN).filter((_data, index) => events[index]!.type.startsWith('Coverage'));
    expect(told.filter((data) => data !== undefined)).toEqual([
      { line: 1, quantity: usd('300.00') },
      { line: 1, quantity: usd('300.00') },
      { line: 1 },
    ]);
  });

  it('shows the parties what was accepted, and auditors all but who refused whom', () => {
    expect(shownTypes(JAPAN, { lines: [1], eligible: false }, true)).toContain('CoverageReserved');
    expect(shownTypes(AUDITOR)).toEqual(expect.arrayContaining(['NeedDrafted', 'CoverageReserved']));
    expect(shownTypes(AUDITOR)).not.toContain('CoverageRefused');
  });

  it('hides from who sees the summary alone what changed in the body', () => {
    const member = caller('donor:norway', 'donor-desk');
    const narrow = events.map((event): NeedEvent =>
      event.type === 'NeedDrafted'
        ? drafted({ ...RICH, visibility: { summary: 'members', body: 'sealed', annex: 'sealed' } })
        : event,
    );
    const state = stateAfter(needDecider, narrow);
    const parts = sightOf(member, labelOf('n1', state), NO_BONDS, NOW);
    const shown = narrow.flatMap((event, revision) => {
      const data = needEventFor(member, state, parts, recordedEvent('need-n1', revision, event), () => false);
      return data === undefined ? [] : [[event.type, data]];
    });
    expect(shown).toEqual([
      ['NeedDrafted', { filer: 'state:VUT', beneficiaries: ['state:VUT'] }],
      ['NeedSubmitted', {}],
      ['NeedOpened', { reaffirmBy: REAFFIRM_BY }],
      ['NeedAmended', { changes: { title: 'New title' } }],
      ['NeedReaffirmed', { reaffirmBy: REAFFIRM_BY }],
      ['NeedClosed', { outcome: 'partly-met' }],
    ]);
  });
});

describe('the quality coach', () => {
  it('says what is missing and why it matters', () => {
    const { score, missing } = qualityOf(CONTENT);
    expect(score).toBe(32);
    expect(missing.map(({ field }) => field)).toContain('problem');
    expect(missing.every(({ why }) => why.length > 20)).toBe(true);
  });

  it('gives 100 for a need with nothing missing, and 0 for one with nothing', () => {
    const { authorityRef: _ref, ...bare } = CONTENT;
    expect(qualityOf({ ...bare, title: '', kinds: [], instruments: [], lines: [] }).score).toBe(0);
    const whole: NeedContent = {
      ...CONTENT,
      lines: [{ ...CONTENT.lines[0]!, description: 'Machines' }],
      problem: 'p',
      outcome: 'o',
      period: { from: '2026-01-01', to: '2026-12-31' },
      reportRefs: [{ instrument: 'UNPoA', year: 2025 }],
      priorAid: 'none',
      ownContribution: 'none',
      planLink: 'none',
      languages: ['en'],
      contactOffice: 'NCP',
      requestingAuthority: 'Police',
    };
    expect(qualityOf(whole)).toEqual({ score: 100, missing: [] });
  });
});
