import fc from 'fast-check';
import type { Actor } from '#kernel';
import { SYSTEM_PROCESS } from '#kernel';
import { recordedEvent, specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import type { DocumentRef, NeedContent, NeedEvent } from './need.contract.js';
import { bound, CONTENT, key, line, opened, reserved, submitted, usd } from './need.fixture.js';
import type { NeedCommand, NeedState } from './need.js';
import { mayAct, needDecider, nextDeadline, participationOf, principalOf } from './need.js';
import { figuresOfLine } from './need-coverage.js';

const office = (state: string): Actor => ({ party: `state:${state}`, role: 'npc', sovereign: state });
const [VANUATU, FIJI, SOLOMONS] = [office('VUT'), office('FJI'), office('SLB')] as const;
const HOST: Actor = { party: 'network:msg', role: 'network-host' };
const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator' };
const OTHERS: Actor = { party: 'agency:reviewers', role: 'coordinator' };
const REPORT: DocumentRef = { kind: 'assessment', title: 'What was found', sha256: 'a'.repeat(64) };

type Body = NeedCommand extends infer C ? (C extends NeedCommand ? Omit<C, 'by'> : never) : never;
const spec = specFor(needDecider, { idempotent: ['ConsentParticipation', 'WithdrawParticipation', 'RatifyNeed'] });
const as = (actor: Actor): { actor: Actor; at: string } => ({ actor, at: TEST_TIME });

const joint = (beneficiaries = ['state:VUT', 'state:FJI'], filer = 'network:msg'): NeedEvent => ({
  type: 'NeedDrafted',
  data: { filer, beneficiaries, content: CONTENT },
});
const consented = (party: string): NeedEvent => ({ type: 'ParticipationConsented', data: { party } });
const withdrawn = (party: string): NeedEvent => ({ type: 'ParticipationWithdrawn', data: { party } });
const OPEN = [joint(), consented('state:VUT'), submitted(), opened];

const draft = (filer: string, beneficiaries: readonly string[], more: object = {}): Body => ({
  ...{ type: 'DraftNeed', filer, beneficiaries, content: CONTENT },
  ...more,
});

describe('a joint need', () => {
  it('is filed by a host for States, or by a State that is among them', () => {
    const { state } = spec
      .given()
      .when(draft('network:msg', ['state:VUT', 'state:FJI']), as(HOST))
      .accepted();
    expect(state.beneficiaries).toEqual([]);
    expect(state.participants).toEqual([
      { party: 'state:VUT', status: 'invited' },
      { party: 'state:FJI', status: 'invited' },
    ]);
    const own = spec
      .given()
      .when(draft('state:VUT', ['state:FJI', 'state:VUT']), as(VANUATU))
      .accepted();
    expect(own.state.beneficiaries).toEqual(['state:VUT']);
    spec.given().when(draft('network:msg', []), as(HOST)).refused('forbidden');
    spec
      .given()
      .when(draft('state:VUT', ['state:FJI']), as(VANUATU))
      .refused('forbidden');
  });

  it('counts each State from its own consent to its own word that it leaves, in the order of filing', () => {
    const given = spec.given(joint(), consented('state:FJI'));
    const both = given.when({ type: 'ConsentParticipation' }, as(VANUATU)).then(consented('state:VUT'));
    expect(both.beneficiaries).toEqual(['state:VUT', 'state:FJI']);
    expect(participationOf(both, 'state:VUT')).toEqual({ party: 'state:VUT', status: 'consented', at: TEST_TIME });
    given.when({ type: 'ConsentParticipation' }, as(FIJI)).then();
    const none = given.when({ type: 'WithdrawParticipation' }, as(FIJI)).then(withdrawn('state:FJI'));
    expect(none.beneficiaries).toEqual([]);
    spec.given(joint(), withdrawn('state:VUT')).when({ type: 'WithdrawParticipation' }, as(VANUATU)).then();
    spec
      .given(joint(), withdrawn('state:VUT'))
      .when({ type: 'ConsentParticipation' }, as(VANUATU))
      .then(consented('state:VUT'));
  });

  it.each<[string, Actor]>([
    ['its filer', HOST],
    ['a State it does not name', SOLOMONS],
    ['a donor desk of a State it names', { ...VANUATU, role: 'donor-desk' }],
  ])('is not consented to by %s', (_who, actor) => {
    spec.given(joint()).when({ type: 'ConsentParticipation' }, as(actor)).refused('forbidden');
  });

  it('has no participation of the State that filed it', () => {
    const given = spec.given(joint(['state:VUT', 'state:FJI'], 'state:VUT'));
    given.when({ type: 'WithdrawParticipation' }, as(VANUATU)).refused('forbidden');
  });

  it('opens once somebody takes part, by the timer too', () => {
    const waiting = spec.given(joint(), submitted());
    waiting.when({ type: 'OpenNeed' }, as(OTHERS)).refused('no-beneficiary');
    expect(nextDeadline(waiting.state)).toBeUndefined();
    const ready = spec.given(joint(), submitted(), consented('state:FJI'));
    expect(nextDeadline(ready.state)).toMatchObject({ command: 'OpenNeed' });
    ready.when({ type: 'OpenNeed' }, as(OTHERS)).accepted();
  });

  it('is never opened on the side of anyone it names (I4)', () => {
    const given = spec.given(joint(), consented('state:VUT'), submitted());
    given.when({ type: 'OpenNeed' }, as({ ...OTHERS, sovereign: 'FJI' })).refused('forbidden');
  });

  it('is not left by the last one while it is open', () => {
    spec.given(OPEN).when({ type: 'WithdrawParticipation' }, as(VANUATU)).refused('last-participant');
    spec.given(OPEN).when({ type: 'WithdrawParticipation' }, as(FIJI)).accepted();
    spec.given(OPEN, consented('state:FJI')).when({ type: 'WithdrawParticipation' }, as(VANUATU)).accepted();
  });

  it('is objected to by its filer and by those who take part, and written by its filer alone', () => {
    const object: Body = { type: 'ObjectNeed', to: 'publication' };
    for (const actor of [HOST, VANUATU]) spec.given(OPEN).when(object, as(actor)).accepted();
    spec.given(OPEN).when(object, as(FIJI)).refused('forbidden');
    for (const actor of [VANUATU, FIJI]) {
      spec
        .given(OPEN)
        .when({ type: 'AmendNeed', changes: { title: 'x' } }, as(actor))
        .refused('forbidden');
      spec.given(OPEN).when({ type: 'WithdrawNeed' }, as(actor)).refused('forbidden');
    }
  });

  const naming = (...beneficiaries: readonly string[]): Body => ({ type: 'AmendNeed', changes: { beneficiaries } });

  it('names others by amendment, and leaves out who did not consent', () => {
    const state = spec
      .given(OPEN)
      .when(naming('state:VUT', 'state:SLB'), as(HOST))
      .then({ type: 'NeedAmended', data: { changes: {}, beneficiaries: ['state:VUT', 'state:SLB'] } });
    expect(state.participants).toMatchObject([
      { party: 'state:VUT', status: 'consented', at: TEST_TIME },
      { party: 'state:SLB', status: 'invited' },
    ]);
    spec.given(OPEN).when(naming('state:VUT', 'state:FJI'), as(HOST)).then();
  });

  it.each<[string, readonly NeedEvent[], Body, Actor, string]>([
    ['who consented', OPEN, naming('state:FJI'), HOST, 'participant-consented'],
    ['its own State', [joint(undefined, 'state:VUT')], naming('state:FJI'), VANUATU, 'forbidden'],
    [
      'a network that is the only one left',
      [joint(['network:msg', 'state:FJI']), submitted(), opened],
      naming('state:FJI'),
      HOST,
      'last-participant',
    ],
  ])('does not leave out %s', (_what, events, body, actor, code) => {
    spec
      .given(events)
      .when(body, as(actor))
      .refused(code as 'forbidden', 'beneficiaries');
  });
});

describe('a need on behalf of a State', () => {
  const content: NeedContent = { ...CONTENT, documents: [REPORT] };
  const behalf = { onBehalfOf: 'state:VUT', content };
  const transcript: NeedEvent = {
    type: 'NeedDrafted',
    data: { filer: 'agency:secretariat', beneficiaries: ['state:VUT'], onBehalfOf: 'state:VUT', content },
  };
  const ratified: NeedEvent = { type: 'NeedRatified', data: {} };

  it('is transcribed by a coordinator with the note and its reference', () => {
    const filed = spec.given().when(draft('agency:secretariat', ['state:VUT'], behalf), as(COORDINATOR));
    expect(filed.then(transcript)).toMatchObject({ transcribed: true, beneficiaries: ['state:VUT'] });
    const { authorityRef: _none, ...unreferenced } = content;
    const without = (bare: NeedContent): Body =>
      draft('agency:secretariat', ['state:VUT'], { ...behalf, content: bare });
    spec.given().when(without(unreferenced), as(COORDINATOR)).refused('incomplete', 'authorityRef');
    spec
      .given()
      .when(without({ ...content, documents: [] }), as(COORDINATOR))
      .refused('incomplete', 'documents');
    spec.given().when(without(CONTENT), as(COORDINATOR)).refused('incomplete', 'documents');
  });

  it.each<[string, Body, Actor]>([
    ['without the State among the beneficiaries', draft('agency:secretariat', ['state:FJI'], behalf), COORDINATOR],
    ['by another office', draft('state:FJI', ['state:VUT'], behalf), FIJI],
    ['in another’s name', draft('agency:secretariat', ['state:VUT'], behalf), OTHERS],
    ['for nobody', draft('agency:secretariat', ['state:VUT']), COORDINATOR],
  ])('is not filed %s', (_how, body, actor) => {
    spec.given().when(body, as(actor)).refused('forbidden');
  });

  it('is written by its coordinator until the State has taken it over, and by the State from then on', () => {
    const amend: Body = { type: 'AmendNeed', changes: { title: 'Better' } };
    const submit: Body = { type: 'SubmitNeed', consent: { circulate: 'yes', publish: 'yes' } };
    for (const body of [amend, submit]) {
      spec.given(transcript).when(body, as(COORDINATOR)).accepted();
      spec.given(transcript).when(body, as(VANUATU)).refused('forbidden');
      spec.given(transcript).when(body, as(OTHERS)).refused('forbidden');
      spec.given(transcript, ratified).when(body, as(COORDINATOR)).refused('forbidden');
      spec.given(transcript, ratified).when(body, as(VANUATU)).accepted();
    }
    const bare: Body = { type: 'AmendNeed', changes: { documents: [] } };
    spec.given(transcript).when(bare, as(COORDINATOR)).refused('incomplete', 'documents');
    spec.given(transcript, ratified).when(bare, as(VANUATU)).accepted();
  });

  it('is ratified by the State in any status, once, or taken over by its objection', () => {
    const closed: NeedEvent = { type: 'NeedWithdrawn', data: {} };
    for (const events of [[], [submitted()], [submitted(), opened], [submitted(), opened, closed]]) {
      spec.given(transcript, events).when({ type: 'RatifyNeed' }, as(VANUATU)).then(ratified);
    }
    spec.given(transcript, ratified).when({ type: 'RatifyNeed' }, as(VANUATU)).then();
    for (const actor of [COORDINATOR, FIJI]) {
      spec.given(transcript).when({ type: 'RatifyNeed' }, as(actor)).refused('forbidden');
    }
    const objected: NeedEvent = { type: 'NeedObjected', data: { to: 'publication' } };
    expect(stateAfter(needDecider, [transcript, submitted(), objected]).transcribed).toBe(false);
    expect(principalOf(stateAfter(needDecider, [transcript]))).toBe('state:VUT');
  });

  it('is opened by another coordinator, and withdrawn by the State', () => {
    spec.given(transcript, submitted()).when({ type: 'OpenNeed' }, as(COORDINATOR)).refused('forbidden');
    spec.given(transcript, submitted()).when({ type: 'OpenNeed' }, as(OTHERS)).accepted();
    spec.given(transcript).when({ type: 'WithdrawNeed' }, as(COORDINATOR)).refused('forbidden');
    spec.given(transcript).when({ type: 'WithdrawNeed' }, as(VANUATU)).accepted();
  });

  it('may name other States, each of which speaks for itself, and is amended in whom it names', () => {
    const shared: NeedEvent = {
      type: 'NeedDrafted',
      data: { filer: 'agency:secretariat', beneficiaries: ['state:VUT', 'state:FJI'], ...behalf },
    };
    expect(stateAfter(needDecider, [shared]).beneficiaries).toEqual(['state:VUT']);
    const narrowed = spec
      .given(shared)
      .when({ type: 'AmendNeed', changes: { beneficiaries: ['state:VUT'] } }, as(COORDINATOR))
      .accepted();
    expect(narrowed.state.participants).toMatchObject([{ party: 'state:VUT', status: 'consented' }]);
  });
});

const own = (lines = CONTENT.lines): NeedEvent => ({
  type: 'NeedDrafted',
  data: { filer: 'state:VUT', beneficiaries: ['state:VUT'], content: { ...CONTENT, lines } },
});
const live = (lines = CONTENT.lines): readonly NeedEvent[] => [own(lines), submitted(), opened];

describe('assessing', () => {
  const UNKNOWN = { measure: 'undetermined', why: 'to-be-assessed' } as const;
  const lines = [line(1, UNKNOWN), line(2, usd('5.00'))];
  const assess = (n: number): Body => ({
    type: 'AssessNeed',
    lines: [{ line: n, quantity: usd('900.00') }],
    report: REPORT,
  });

  it('sets the quantity of an undetermined line, and of no other', () => {
    const state = spec
      .given(live(lines))
      .when(assess(1), as(VANUATU))
      .then({ type: 'NeedAssessed', data: { lines: [{ line: 1, quantity: usd('900.00') }], report: REPORT } });
    expect(state.content.lines).toEqual([line(1, usd('900.00')), line(2, usd('5.00'))]);
    expect(state.assessments).toEqual([{ lines: [1], report: REPORT }]);
    spec.given(live(lines)).when(assess(2), as(VANUATU)).refused('not-undetermined', 'lines[0].line');
    spec.given(live(lines)).when(assess(9), as(VANUATU)).refused('unknown-line', 'lines[0].line');
    spec.given(own(lines)).when(assess(1), as(VANUATU)).refused('wrong-status');
    spec.given(live(lines)).when(assess(1), as(FIJI)).refused('forbidden');
  });

  it('leaves alone what a scope in words holds: the line stays, and open', () => {
    const scoped = spec.given(live(lines), reserved(UNKNOWN));
    const asking = (first: object): Body =>
      ({ type: 'AmendNeed', changes: { lines: [{ ...lines[0], ...first }, lines[1]] } }) as Body;
    scoped.when(asking({ quantity: usd('1.00') }), as(VANUATU)).refused('line-in-use', 'lines');
    scoped.when({ type: 'AmendNeed', changes: { lines: [lines[1]!] } }, as(VANUATU)).refused('line-in-use', 'lines');
    scoped.when(asking({ description: 'A course' }), as(VANUATU)).accepted();
    scoped.when(assess(1), as(VANUATU)).accepted();
  });
});

describe('merging', () => {
  const survivor = { status: 'open', beneficiaries: ['state:VUT'], principal: 'state:VUT' } as const;
  const merge = (more: object = {}): Body => ({ type: 'MergeNeed', into: 'n2', survivor: { ...survivor, ...more } });
  const superseded: NeedEvent = { type: 'NeedSuperseded', data: { into: 'n2' } };
  const parted: NeedEvent = { type: 'NeedUnmerged', data: { other: 'n2', as: 'absorbed' } };
  const merged: NeedEvent = { type: 'NeedsMerged', data: { absorbed: 'n1' } };
  const process = as(SYSTEM_PROCESS);

  it('closes the absorbed need into the survivor, and opens it again', () => {
    const state = spec.given(live()).when(merge(), as(VANUATU)).then(superseded);
    expect(state).toMatchObject({ status: 'closed', closedAs: 'superseded', supersededBy: 'n2' });
    spec.given(live(), { type: 'NeedFellDormant', data: {} }).when(merge(), as(VANUATU)).accepted();
    const again = spec.given(live(), superseded).when({ type: 'UnmergeNeed' }, as(VANUATU)).then(parted);
    expect(again).toEqual(stateAfter(needDecider, live()));
  });

  it.each<[string, Body, Actor, string]>([
    ['a survivor that is not open', merge({ status: 'dormant' }), VANUATU, 'survivor-not-open'],
    ['a survivor of others', merge({ beneficiaries: ['state:FJI'] }), VANUATU, 'other-beneficiaries'],
    ['a survivor of more', merge({ beneficiaries: ['state:VUT', 'state:FJI'] }), VANUATU, 'other-beneficiaries'],
    ['a survivor that others file for', merge({ principal: 'network:msg' }), VANUATU, 'forbidden'],
    ['a need that others file for', merge({ principal: 'state:FJI' }), FIJI, 'forbidden'],
  ])('is refused for %s', (_what, body, actor, code) => {
    spec
      .given(live())
      .when(body, as(actor))
      .refused(code as 'forbidden');
  });

  it('is not undone where there was none', () => {
    const closed: NeedEvent = { type: 'NeedWithdrawn', data: {} };
    spec.given(live(), closed).when({ type: 'UnmergeNeed' }, as(VANUATU)).refused('wrong-status');
    spec.given(live()).when({ type: 'UnmergeNeed' }, as(VANUATU)).refused('wrong-status');
  });

  it('is told to the survivor once, and to none that has closed', () => {
    const record: Body = { type: 'RecordMerge', absorbed: 'n1' };
    expect(spec.given(live()).when(record, process).then(merged).absorbed).toEqual(['n1']);
    spec.given(live(), { type: 'NeedFellDormant', data: {} }).when(record, process).then(merged);
    spec.given(live(), superseded).when(record, process).refused('survivor-not-open');
    const forget: Body = { type: 'RecordUnmerge', absorbed: 'n1' };
    const end: NeedEvent = { type: 'NeedUnmerged', data: { other: 'n1', as: 'survivor' } };
    expect(spec.given(live(), merged).when(forget, process).then(end).absorbed).toEqual([]);
    spec.given(live()).when(forget, process).then();
    spec.given(live(), superseded).when({ type: 'UndoMerge', into: 'n2' }, process).then(parted);
    spec.given(live(), superseded).when({ type: 'UndoMerge', into: 'n3' }, process).then();
    spec.given(live()).when({ type: 'UndoMerge', into: 'n2' }, process).then();
  });

  it('holds the survivor open while a commitment on what it absorbed is live', () => {
    const closing: Body = { type: 'CloseNeed', outcome: 'partly-met', waivers: [], groupLive: true };
    spec.given(live(), merged).when(closing, as(VANUATU)).refused('live-commitments');
    spec.given(live(), merged).when({ type: 'WithdrawNeed', groupLive: true }, as(VANUATU)).refused('live-commitments');
  });

  it('lets what was proposed before go on, with acceptances and facts', () => {
    const reserve: Body = {
      ...{ type: 'ReserveCoverage', commitment: 'c2', amendment: 0, asked: 'a1' },
      legs: [{ leg: 1, line: 1, quantity: usd('5.00') }],
    };
    spec
      .given(live(), superseded)
      .when(reserve, process)
      .then(reserved(usd('5.00'), 'c2'));
    const deliver: Body = { type: 'DeliverCoverage', ...key(), delivery: 1, quantity: usd('5.00') };
    spec
      .given(live(), reserved(usd('9.00')), bound(usd('9.00')), superseded)
      .when(deliver, process)
      .accepted();
  });

  // I7. Fails when `takesCoverage` asks for an open need only, and when NeedUnmerged keeps `supersededBy`. Both seen.
  it('then parting leaves every figure as it would be without (I7)', () => {
    const amounts = fc.integer({ min: 1, max: 600 }).map((n) => usd(`${n}.00`));
    const commitment = fc.constantFrom('c1', 'c2', 'c3');
    const told = fc.oneof(
      fc.record({ commitment, quantity: amounts, asked: fc.uuid() }).map(({ quantity, ...rest }): Body => ({
        ...{ type: 'ReserveCoverage', amendment: 0, ...rest },
        legs: [{ leg: 1, line: 1, quantity }],
      })),
      commitment.map((each): Body => ({ type: 'BindCoverage', commitment: each })),
      fc
        .record({ commitment, quantity: amounts, delivery: fc.integer({ min: 1, max: 2 }) })
        .map((each): Body => ({ type: 'DeliverCoverage', leg: 1, amendment: 0, ...each })),
      fc
        .record({ commitment, quantity: amounts, delivery: fc.integer({ min: 1, max: 2 }) })
        .map((each): Body => ({ type: 'ConfirmCoverage', leg: 1, amendment: 0, ...each })),
      commitment.map((each): Body => ({
        ...{ type: 'ReleaseCoverage', commitment: each },
        legs: [{ leg: 1, amendment: 0 }],
      })),
    );
    const on = (state: NeedState, body: Body, actor: Actor): NeedState => {
      const decision = needDecider.decide({ ...body, by: { actor, at: TEST_TIME, effectiveAt: TEST_TIME } }, state);
      if (decision.kind === 'refused') return state;
      return decision.events.reduce((now, each) => needDecider.evolve(now, recordedEvent('need-n1', 9, each)), state);
    };
    const walk = fc.array(told, { maxLength: 15 });
    fc.assert(
      fc.property(walk, walk, walk, (before, between, after) => {
        const tell = (state: NeedState, bodies: readonly Body[]): NeedState =>
          bodies.reduce((now, body) => on(now, body, SYSTEM_PROCESS), state);
        const start = tell(stateAfter(needDecider, live()), before);
        const alone = tell(tell(start, between), after);
        const absorbed = on(start, merge(), VANUATU);
        expect(absorbed).toMatchObject({ status: 'closed', supersededBy: 'n2' });
        expect(figuresOfLine(absorbed, 1)).toEqual(figuresOfLine(start, 1));
        const together = tell(on(tell(absorbed, between), { type: 'UnmergeNeed' }, VANUATU), after);
        expect(together).toEqual(alone);
      }),
    );
  });
});

describe('who may act', () => {
  it('on a need filed by an office is that office alone', () => {
    const state = stateAfter(needDecider, live());
    for (const who of ['filer', 'state', 'member'] as const) {
      expect([mayAct(who, state, VANUATU), mayAct(who, state, FIJI)]).toEqual([true, false]);
    }
    for (const who of ['participant', 'represented'] as const) expect(mayAct(who, state, VANUATU)).toBe(false);
  });
});
