import type { Actor } from '#kernel';
import { specFor, stateAfter } from '#kernel-testing';
import type { ReportedContent, ReportedEvent } from './reported.contract.js';
import { readReported } from './reported-content.js';
import { reportedDecider } from './reported.js';

const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator', subject: 's' };
const GEORGIA: Actor = { party: 'state:GEO', role: 'npc', subject: 's', sovereign: 'GEO' };
const GEORGIAN_DESK: Actor = { ...GEORGIA, role: 'donor-desk' };
const GERMANY: Actor = { party: 'state:DEU', role: 'donor-desk', subject: 's', sovereign: 'DEU' };
const GERMAN_DESK: Actor = { party: 'donor:germany', role: 'donor-desk', subject: 's', sovereign: 'DEU' };
const GERMAN_AGENCY: Actor = { party: 'agency:giz', role: 'implementer', subject: 's', sovereign: 'DEU' };
const OSCE: Actor = { party: 'agency:osce', role: 'implementer', subject: 's' };
const JAPAN: Actor = { party: 'donor:japan', role: 'donor-desk', subject: 's', sovereign: 'JPN' };

const content = (over: object = {}): ReportedContent => {
  const read = readReported({
    kind: 'need',
    title: 'Dispose of surplus ammunition',
    beneficiaries: ['GEO', { name: 'others' }],
    donors: ['DEU', 'fund:unscar'],
    what: { implementers: ['agency:osce'] },
    source: { kind: 'published', url: 'https://example.org/a' },
    ...over,
  });
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.value;
};

const recorded = (over: object = {}): ReportedEvent => ({
  type: 'ReportedRecorded',
  data: { recordedBy: 'agency:secretariat', content: content(over) },
});

const spec = specFor(reportedDecider, { idempotent: ['record', 'claim', 'disown'] });
const claim = { type: 'claim', draftId: 'd1' } as const;

describe('a reported record', () => {
  it('is written by a coordinator, once', () => {
    spec.given().when({ type: 'record', content: content() }, { actor: COORDINATOR }).then(recorded());
    spec
      .given(recorded())
      .when({ type: 'record', content: content({ title: 'Another' }) }, { actor: COORDINATOR })
      .refused('already-reported');
  });

  it.each([GEORGIA, GERMANY, OSCE])('is never written by those it names: $party', (actor) => {
    spec.given().when({ type: 'record', content: content() }, { actor }).refused('forbidden');
  });

  it('is claimed as a need by a beneficiary named by its State code, which makes a draft', () => {
    spec
      .given(recorded())
      .when(claim, { actor: GEORGIA })
      .then({ type: 'ReportedClaimed', data: { party: 'state:GEO', draft: { kind: 'need', id: 'd1' } } });
  });

  it.each([
    ['a donor', GERMANY],
    ['an implementer', OSCE],
    ['a party it does not name', JAPAN],
    ['the desk of the State, which offers and does not file', GEORGIAN_DESK],
    ['the coordinator', COORDINATOR],
  ])('is not claimed as a need by %s', (_who, actor) => {
    spec.given(recorded()).when(claim, { actor }).refused('forbidden');
  });

  it.each([GERMANY, GERMAN_DESK, { ...GERMANY, party: 'fund:unscar' }])(
    'is claimed as an offer by a named donor, also by the donor desk of a named State: $party',
    (actor) => {
      spec
        .given(recorded({ kind: 'offer' }))
        .when(claim, { actor })
        .then({ type: 'ReportedClaimed', data: { party: actor.party, draft: { kind: 'offer', id: 'd1' } } });
    },
  );

  it.each([GERMAN_AGENCY, GEORGIA, OSCE, JAPAN, { ...GERMANY, role: 'npc' }])(
    'is not claimed as an offer by anybody else: $party as $role',
    (actor) => {
      spec
        .given(recorded({ kind: 'offer' }))
        .when(claim, { actor })
        .refused('forbidden');
    },
  );

  it.each(['contribution', 'commitment'])('as a %s is claimed by any named party, without a draft', (kind) => {
    for (const actor of [GEORGIA, GERMANY, OSCE]) {
      spec
        .given(recorded({ kind }))
        .when(claim, { actor })
        .then({ type: 'ReportedClaimed', data: { party: actor.party } });
    }
    spec.given(recorded({ kind })).when(claim, { actor: JAPAN }).refused('forbidden');
  });

  it('means nobody by published words', () => {
    const words = recorded({ kind: 'commitment', donors: [{ name: 'donor:japan' }] });
    spec.given(words).when(claim, { actor: JAPAN }).refused('forbidden');
  });

  it('may be claimed by two parties; by the same party twice nothing new is written', () => {
    const fact = recorded({ kind: 'commitment' });
    const claimed: ReportedEvent = { type: 'ReportedClaimed', data: { party: 'state:GEO' } };
    spec.given(fact, claimed).when(claim, { actor: GEORGIA }).then();
    spec
      .given(fact, claimed)
      .when(claim, { actor: GERMANY })
      .then({ type: 'ReportedClaimed', data: { party: 'state:DEU' } });
  });

  it('is disowned by any named party, with its note', () => {
    for (const actor of [GEORGIA, GERMANY, OSCE]) {
      spec
        .given(recorded())
        .when({ type: 'disown', note: 'Not ours.' }, { actor })
        .then({ type: 'ReportedDisowned', data: { party: actor.party, note: 'Not ours.' } });
    }
    spec.given(recorded()).when({ type: 'disown' }, { actor: JAPAN }).refused('forbidden');
  });

  it('lets a party change its mind, and keeps the one draft it made', () => {
    const draft = { kind: 'need', id: 'd1' } as const;
    const state = spec
      .given(
        recorded(),
        { type: 'ReportedClaimed', data: { party: 'state:GEO', draft } },
        { type: 'ReportedDisowned', data: { party: 'state:GEO', note: 'Claimed by mistake.' } },
      )
      .when(claim, { actor: GEORGIA })
      .then({ type: 'ReportedClaimed', data: { party: 'state:GEO', draft } });
    expect(state).toMatchObject({ stances: [{ party: 'state:GEO', as: 'claimed', draft }] });
    expect(state).not.toMatchObject({ stances: [{ note: expect.anything() as unknown }] });
  });

  it('may be disowned without a word, and one party changing its mind leaves the other as it was', () => {
    spec
      .given(recorded({ what: {} }))
      .when({ type: 'disown' }, { actor: GEORGIA })
      .then({ type: 'ReportedDisowned', data: { party: 'state:GEO' } });
    const state = stateAfter(reportedDecider, [
      recorded({ kind: 'commitment' }),
      { type: 'ReportedClaimed', data: { party: 'state:GEO' } },
      { type: 'ReportedClaimed', data: { party: 'state:DEU' } },
      { type: 'ReportedDisowned', data: { party: 'state:GEO' } },
    ]);
    expect(state).toMatchObject({
      stances: [
        { party: 'state:GEO', as: 'disowned' },
        { party: 'state:DEU', as: 'claimed' },
      ],
    });
  });

  it('does not stumble over an event it does not know, nor over a claim before its record', () => {
    const later = { type: 'ReportedTranslated', data: {} } as unknown as ReportedEvent;
    expect(stateAfter(reportedDecider, [later])).toEqual(reportedDecider.initial);
    expect(stateAfter(reportedDecider, [{ type: 'ReportedClaimed', data: { party: 'state:GEO' } }])).toEqual(
      reportedDecider.initial,
    );
    expect(stateAfter(reportedDecider, [{ type: 'ReportedDisowned', data: { party: 'state:GEO' } }])).toEqual(
      reportedDecider.initial,
    );
  });

  it('that is absent is neither claimed nor disowned', () => {
    spec.given().when(claim, { actor: GEORGIA }).refused('not-found');
    spec.given().when({ type: 'disown' }, { actor: GEORGIA }).refused('not-found');
  });
});
