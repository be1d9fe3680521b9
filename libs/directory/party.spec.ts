import fc from 'fast-check';
import type { Actor, Sealed } from '#kernel';
import { recordedEvent, specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import type { MandateScope, PartyContent, PartyEvent } from './party.contract.js';
import type { PartyCommand, PartyRejectionCode } from './party.js';
import { designationsOf, keepsDesignations, mandateHolds, mayBeParty, partyDecider, standstillMs } from './party.js';

const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator' };
const DESK: Actor = { party: 'donor:japan', role: 'donor-desk', sovereign: 'JPN', subject: 'subject-1' };
const MISSION: Actor = { party: 'state:VUT', role: 'mission', sovereign: 'VUT', subject: 'subject-1' };
const AUDITOR: Actor = { party: 'auditor:court', role: 'auditor' };

const JAPAN: PartyContent = { name: 'Japan, donor desk', category: 'bilateral', ofState: 'JPN' };
const registered: PartyEvent = { type: 'PartyRegistered', data: { id: 'donor:japan', ...JAPAN } };
const retired: PartyEvent = { type: 'PartyRetired', data: {} };

type Recorded = Extract<PartyEvent, { type: 'DesignationRecorded' }>;
const designation = (data: Partial<Recorded['data']> = {}): Recorded => ({
  type: 'DesignationRecorded',
  data: {
    designation: 'd1',
    office: 'donor-desk',
    powers: ['designate', 'offer'],
    holder: 'subject-1',
    authorityRef: 'Note 3/2026',
    from: '2026-01-01',
    to: '2026-12-31',
    ...data,
  },
});
type Given = Extract<PartyEvent, { type: 'MandateGiven' }>;
const mandate = (data: Partial<Given['data']> = {}): Given => ({
  type: 'MandateGiven',
  data: {
    mandate: 'm1',
    scope: { everything: true },
    sealed: false,
    from: '2026-01-01',
    to: '2026-12-31',
    appointedBy: 'agency:secretariat',
    reference: 'Letter 9',
    ...data,
  },
});

type Body = PartyCommand extends infer C ? (C extends PartyCommand ? Omit<C, 'by'> : never) : never;
const record = (data: Partial<Recorded['data']> = {}, party = 'donor:japan'): Body => ({
  type: 'RecordDesignation',
  party,
  ...designation(data).data,
});
const revoke = (id = 'd1'): Body => ({ type: 'RevokeDesignation', designation: id });
const give = (data: { scope?: MandateScope; sealed?: boolean } = {}): Body => {
  const { appointedBy: _by, ...rest } = mandate(data).data;
  return { type: 'GiveMandate', auditor: 'auditor:court', ...rest };
};
const end = (id = 'm1'): Body => ({ type: 'EndMandate', mandate: id });

const japan = specFor(partyDecider, {
  id: 'donor:japan',
  idempotent: ['RevokeDesignation', 'EndMandate', 'AmendParty', 'SetContactPoint', 'RemoveContactPoint'],
});
const vanuatu = specFor(partyDecider, { id: 'state:VUT' });
const court = specFor(partyDecider, { id: 'auditor:court', idempotent: ['EndMandate'] });
const as = (actor: Actor, at = TEST_TIME, effectiveAt = at): { actor: Actor; at: string; effectiveAt: string } => ({
  actor,
  at,
  effectiveAt,
});

const sealed = (ct: string): Sealed => ({ alg: 'A256GCM', subject: 'subject-1', iv: 'i', ct, tag: 't' });
const contact = (ct = 'a', id = 'd1'): Extract<PartyEvent, { type: 'ContactPointSet' }> => ({
  type: 'ContactPointSet',
  data: { designation: id, contact: { mailbox: sealed(ct) } },
});
const setContact = (ct = 'a'): Body => ({ type: 'SetContactPoint', ...contact(ct).data });
const removeContact: Body = { type: 'RemoveContactPoint', designation: 'd1' };

describe('a contact point', () => {
  // Without the power to designate: it is the holder's own.
  const HOLDER = designation({ powers: ['offer'] });
  const NOBODY: Actor = { ...DESK, subject: 'subject-2' };
  const ELSEWHERE: Actor = { party: 'donor:norway', role: 'donor-desk', subject: 'subject-1' };
  const given = (...events: readonly PartyEvent[]) => japan.given(registered, HOLDER, ...events);

  it('is set, replaced and removed by its holder and by the coordinator, and each asked twice writes once', () => {
    for (const actor of [DESK, COORDINATOR]) {
      given().when(setContact(), as(actor)).then(contact());
      given(contact()).when(setContact('b'), as(actor)).then(contact('b'));
      given(contact()).when(setContact(), as(actor)).then();
      given(contact())
        .when(removeContact, as(actor))
        .then({ type: 'ContactPointRemoved', data: { designation: 'd1' } });
      given().when(removeContact, as(actor)).then();
    }
    const { state } = given(contact()).when(setContact('b'), as(DESK)).accepted();
    expect(state.designations).toMatchObject([{ contact: { mailbox: sealed('b') } }]);
    expect(given(contact()).when(removeContact, as(DESK)).accepted().state.designations[0]).not.toHaveProperty(
      'contact',
    );
  });

  it('is not for others of the party without the power to designate, nor for the same person at another party', () => {
    for (const actor of [NOBODY, ELSEWHERE, AUDITOR])
      for (const command of [setContact(), removeContact])
        given(contact()).when(command, as(actor)).refused('forbidden');
    const office = designation({ designation: 'd2', holder: 'subject-2' });
    given(office).when(setContact(), as(NOBODY)).then(contact());
    given()
      .when({ ...setContact(), designation: 'd9' } as Body, as(DESK))
      .refused('not-found');
  });

  it('is removed from a designation that was revoked, but not set on it', () => {
    const revoked: PartyEvent = { type: 'DesignationRevoked', data: { designation: 'd1' } };
    given(contact(), revoked).when(setContact('b'), as(COORDINATOR)).refused('designation-revoked');
    given(contact(), revoked)
      .when(removeContact, as(COORDINATOR))
      .then({ type: 'ContactPointRemoved', data: { designation: 'd1' } });
  });
});

describe('a party', () => {
  const register: Body = { type: 'RegisterParty', id: 'donor:japan', content: JAPAN };

  it('is registered by a coordinator, once', () => {
    japan.given().when(register, as(COORDINATOR)).then(registered);
    japan.given(registered).when(register, as(COORDINATOR)).refused('already-registered', 'id');
    japan.given(registered, retired).when(register, as(COORDINATOR)).refused('party-retired');
    japan.given().when(register, as(DESK)).refused('forbidden');
  });

  it('is amended in what differs, and retired, by a coordinator', () => {
    const { state } = japan
      .given(registered)
      .when(
        { type: 'AmendParty', changes: { name: 'Japan', category: 'bilateral', contact: { office: 'Aid desk' } } },
        as(COORDINATOR),
      )
      .accepted();
    expect(state.content).toEqual({ ...JAPAN, name: 'Japan', contact: { office: 'Aid desk' } });
    japan
      .given(registered)
      .when({ type: 'AmendParty', changes: { name: JAPAN.name } }, as(COORDINATOR))
      .then();
    const gone = japan.given(registered).when({ type: 'RetireParty' }, as(COORDINATOR)).then(retired);
    expect(mayBeParty(gone, 'donor:japan')).toBe(false);
  });

  it.each<[string, readonly PartyEvent[], Actor, PartyRejectionCode]>([
    ['unregistered', [], COORDINATOR, 'not-found'],
    ['retired', [registered, retired], COORDINATOR, 'party-retired'],
    ['somebody else’s to keep', [registered], DESK, 'forbidden'],
  ])('is not changed when %s', (_why, history, actor, code) => {
    japan
      .given(history)
      .when({ type: 'AmendParty', changes: { name: 'x' } }, as(actor))
      .refused(code);
    japan.given(history).when({ type: 'RetireParty' }, as(actor)).refused(code);
  });

  it('needs registration unless it is a State', () => {
    expect(mayBeParty(partyDecider.initial, 'state:VUT')).toBe(true);
    expect(mayBeParty(partyDecider.initial, 'donor:japan')).toBe(false);
    expect(mayBeParty(partyDecider.initial, 'authority:flnks')).toBe(false);
  });

  it('keeps to what it knows: amendments of nothing and newer events are passed by', () => {
    expect(stateAfter(partyDecider, [{ type: 'PartyAmended', data: { name: 'x' } }], 'donor:japan')).toEqual(
      partyDecider.initial,
    );
    const newer = recordedEvent('party-donor:japan', 3, { type: 'PartyDreamt', data: {} } as unknown as PartyEvent);
    expect(partyDecider.evolve(partyDecider.initial, newer)).toBe(partyDecider.initial);
  });
});

describe('a designation', () => {
  it('is recorded by the party’s own desk or mission, or by a coordinator', () => {
    japan.given(registered).when(record(), as(DESK)).then(designation());
    japan.given(registered).when(record(), as(COORDINATOR)).then(designation());
    const state = vanuatu
      .given()
      .when(record({ office: 'mission' }, 'state:VUT'), as(MISSION))
      .then(designation({ office: 'mission' }));
    expect(state).toMatchObject({ id: 'state:VUT', designations: [{ recordedBy: 'state:VUT' }] });
  });

  it.each<[string, readonly PartyEvent[], Body, Actor, PartyRejectionCode]>([
    ['by another party', [registered], record(), MISSION, 'forbidden'],
    ['by an office that does not designate', [], record({}, 'state:VUT'), { ...MISSION, role: 'npc' }, 'forbidden'],
    ['for an unregistered party', [], record(), COORDINATOR, 'unknown-party'],
    ['for a retired party', [registered, retired], record(), COORDINATOR, 'unknown-party'],
    ['under an id in use', [registered, designation()], record(), COORDINATOR, 'already-exists'],
    [
      'by nobody in particular',
      [registered, designation()],
      record({ designation: 'd2' }),
      { party: 'donor:japan', role: 'donor-desk' },
      'forbidden',
    ],
  ])('is not recorded %s', (_why, history, command, actor, code) => {
    japan.given(history).when(command, as(actor)).refused(code);
  });

  it('is revoked by whoever may record it, once, and holds no longer from then on', () => {
    const at = '2026-02-01T00:00:00.000Z';
    const state = japan
      .given(registered, designation())
      .when(revoke(), { ...as(DESK, at), idempotent: false })
      .then({
        type: 'DesignationRevoked',
        data: { designation: 'd1' },
      });
    expect(designationsOf(state, 'subject-1', [at])).toEqual([]);
    expect(designationsOf(state, 'subject-1', ['2026-01-31T23:59:59.999Z'])).toHaveLength(1);
    expect(keepsDesignations(state)).toBe(true);
    japan
      .given(registered, designation(), [{ type: 'DesignationRevoked', data: { designation: 'd1' } }, {}])
      .when(revoke(), as(COORDINATOR))
      .then();
    japan
      .given(registered, designation(), designation({ designation: 'd2' }))
      .when(revoke('d2'), as(COORDINATOR))
      .accepted();
    japan.given(registered).when(revoke(), as(COORDINATOR)).refused('not-found');
    japan.given(registered, designation()).when(revoke(), as(MISSION)).refused('forbidden');
  });

  it('without an end holds until revoked', () => {
    const { to: _to, ...data } = designation().data;
    const state = stateAfter(partyDecider, [registered, { type: 'DesignationRecorded', data }], 'donor:japan');
    expect(designationsOf(state, 'subject-1', ['2999-01-01T00:00:00.000Z'])).toHaveLength(1);
  });

  // I5. Fails when `designationsOf` looks at one of the two instants only, or not at revocations. Each seen.
  it('allows an act only within its powers and dates, when signed and when recorded (I5)', () => {
    const day = fc.integer({ min: 1, max: 28 }).map((n) => `2026-01-${String(n).padStart(2, '0')}`);
    const noon = day.map((each) => `${each}T12:00:00.000Z`);
    const recordedOne = fc.record({
      from: day,
      to: day,
      holder: fc.constantFrom('subject-1', 'subject-2'),
      powers: fc.subarray(['designate', 'offer'] as const, { minLength: 1 }),
      revokedAt: fc.option(noon, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(recordedOne, { maxLength: 4 }), noon, noon, (kept, at, effectiveAt) => {
        const state = stateAfter(
          partyDecider,
          [
            registered,
            ...kept.map(({ revokedAt: _at, ...data }, n) => designation({ ...data, designation: `d${n}` })),
            ...kept.flatMap(({ revokedAt }, n) =>
              revokedAt === undefined
                ? []
                : [[{ type: 'DesignationRevoked', data: { designation: `d${n}` } }, { at: revokedAt }] as const],
            ),
          ] as Parameters<typeof stateAfter<typeof partyDecider.initial, PartyCommand, PartyEvent, never>>[1],
          'donor:japan',
        );
        const command = { ...record({ designation: 'new' }), by: { actor: DESK, at, effectiveAt } } as PartyCommand;
        const holds = ({ from, to, revokedAt }: (typeof kept)[number], instant: string): boolean =>
          from <= instant.slice(0, 10) &&
          instant.slice(0, 10) <= to &&
          (revokedAt === undefined || instant < revokedAt);
        const allowed =
          kept.length === 0 ||
          kept.some(
            (each) =>
              each.holder === 'subject-1' &&
              each.powers.includes('designate') &&
              holds(each, at) &&
              holds(each, effectiveAt),
          );
        expect(partyDecider.decide(command, state).kind).toBe(allowed ? 'accepted' : 'refused');
      }),
    );
  });
});

describe('the time nobody could act for a party', () => {
  const still = (
    events: Parameters<typeof stateAfter<typeof partyDecider.initial, PartyCommand, PartyEvent, never>>[1],
    from: string,
    to: string,
  ): number =>
    standstillMs(stateAfter(partyDecider, events, 'state:VUT'), `${from}T00:00:00.000Z`, `${to}T00:00:00.000Z`) /
    86_400_000;
  const held = [designation({ from: '2026-01-10', to: '2026-01-19' }), { at: '2026-01-05T00:00:00.000Z' }] as const;

  it('is none while it keeps no designations', () => {
    expect(still([], '2026-01-01', '2026-02-01')).toBe(0);
  });

  it('is what lies outside its designations, from when it first recorded one', () => {
    expect(still([held], '2026-01-01', '2026-02-01')).toBe(5 + 12);
    expect(still([held], '2026-01-12', '2026-01-15')).toBe(0);
    expect(still([held], '2026-02-02', '2026-02-01')).toBe(0);
  });

  it('begins with a revocation and ends with the next designation', () => {
    const { to: _to, ...open } = designation({ designation: 'd2', from: '2026-01-16' }).data;
    const revoked = { type: 'DesignationRevoked', data: { designation: 'd1' } } as const;
    expect(
      still(
        [
          held,
          [revoked, { at: '2026-01-12T00:00:00.000Z' }],
          [{ type: 'DesignationRecorded', data: open }, { at: '2026-01-15T00:00:00.000Z' }],
        ],
        '2026-01-10',
        '2026-02-01',
      ),
    ).toBe(4);
  });
});

describe('an audit mandate', () => {
  it('is given by a coordinator, and over sealed parts only by the owner for what is its own', () => {
    court.given().when(give(), as(COORDINATOR)).then(mandate());
    const scope = { parties: ['state:VUT'] };
    court
      .given()
      .when(give({ scope, sealed: true }), as(MISSION))
      .then(mandate({ scope, sealed: true, appointedBy: 'state:VUT' }));
    const records = { records: ['n1'] };
    court
      .given()
      .when(give({ scope: records, sealed: true }), as(MISSION))
      .accepted();
  });

  it.each<[string, readonly PartyEvent[], Body, Actor, PartyRejectionCode]>([
    ['by an owner without sealed', [], give({ scope: { parties: ['state:VUT'] } }), MISSION, 'forbidden'],
    [
      'over sealed parts by a coordinator',
      [],
      give({ scope: { parties: ['agency:secretariat'] }, sealed: true }),
      COORDINATOR,
      'forbidden',
    ],
    ['over sealed parts of everything', [], give({ sealed: true }), MISSION, 'forbidden'],
    [
      'over another party’s sealed parts',
      [],
      give({ scope: { parties: ['state:VUT', 'state:FJI'] }, sealed: true }),
      MISSION,
      'forbidden',
    ],
    ['by an auditor', [], give(), AUDITOR, 'forbidden'],
    ['under an id in use', [mandate()], give(), COORDINATOR, 'already-exists'],
    ['to a retired auditor', [retired], give(), COORDINATOR, 'unknown-party'],
  ])('is not given %s', (_why, history, command, actor, code) => {
    court.given(history).when(command, as(actor)).refused(code);
  });

  it('is ended by whoever may give it, once', () => {
    const at = '2026-02-01T00:00:00.000Z';
    const state = court
      .given(mandate(), mandate({ mandate: 'm2' }))
      .when(end(), as(COORDINATOR, at))
      .then({
        type: 'MandateEnded',
        data: { mandate: 'm1' },
      });
    expect(state.mandates.map((each) => mandateHolds(each, at))).toEqual([false, true]);
    court
      .given(mandate(), { type: 'MandateEnded', data: { mandate: 'm1' } })
      .when(end(), as(COORDINATOR))
      .then();
    court.given(mandate()).when(end(), as(MISSION)).refused('forbidden');
    court.given().when(end(), as(COORDINATOR)).refused('not-found');
    const sealed = mandate({ sealed: true, appointedBy: 'state:VUT' });
    court.given(sealed).when(end(), as(MISSION)).accepted();
    court.given(sealed).when(end(), as(COORDINATOR)).refused('forbidden');
    court.given(sealed).when(end(), as(AUDITOR)).refused('forbidden');
    court
      .given(sealed)
      .when(end(), as({ ...MISSION, role: 'operator' }))
      .refused('forbidden');
  });
});
