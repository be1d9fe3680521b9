import type { Actor } from '#kernel';
import type { ScenarioStep } from '#kernel-testing';
import { processScenario, specFor, step } from '#kernel-testing';
import { SqliteSubjectRegister } from '#web';
import type { PartyState } from '../party.js';
import { partyDecider } from '../party.js';
import type { SubjectEvent } from './subject.contract.js';
import { subjectDecider } from './subject.js';
import { subjectErasing } from './subject-erasing.process.js';

const MISSION: Actor = { party: 'state:VUT', role: 'mission', subject: 'subject-9' };
const OPERATOR: Actor = { party: 'agency:hosting', role: 'operator' };
const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator' };

const erased = (data: Partial<SubjectEvent['data']> = {}): SubjectEvent => ({
  type: 'SubjectErased',
  data: { orderedBy: 'state:VUT', designations: ['d1'], ...data },
});
const own = { party: 'state:VUT', designation: 'd1' };
const erase = { type: 'EraseSubject', orderedBy: 'state:VUT', offices: [own] } as const;
const ruth = specFor(subjectDecider, { id: 'subject-1', idempotent: ['EraseSubject'] });

describe('a subject', () => {
  it('is erased by its party, or by the operator on its order, once', () => {
    ruth.given().when(erase, { actor: MISSION }).then(erased());
    ruth
      .given()
      .when({ ...erase, reference: 'Note 7' }, { actor: OPERATOR })
      .then(erased({ reference: 'Note 7' }));
    ruth
      .given()
      .when({ ...erase, offices: [] }, { actor: MISSION })
      .then(erased({ designations: [] }));
    ruth
      .given(erased())
      .when({ ...erase, reference: 'Note 7' }, { actor: OPERATOR })
      .then();
  });

  it('is no other party’s to erase, and nobody’s while it holds an office elsewhere', () => {
    ruth
      .given()
      .when({ ...erase, orderedBy: 'state:FJI' }, { actor: MISSION })
      .refused('forbidden', 'orderedBy');
    const offices = [own, { party: 'state:FJI', designation: 'd2' }];
    for (const actor of [MISSION, OPERATOR])
      ruth
        .given()
        .when({ ...erase, offices }, { actor })
        .refused('held-elsewhere');
  });
});

describe('erasing', () => {
  const designate = (designation: string, holder = 'subject-1', atOnce = false): ScenarioStep =>
    step({
      decider: partyDecider,
      id: 'state:VUT',
      actor: COORDINATOR,
      atOnce,
      command: (by) => ({
        type: 'RecordDesignation',
        by,
        party: 'state:VUT',
        designation,
        holder,
        office: 'npc',
        powers: ['file' as const],
        authorityRef: 'Note 3',
        from: '2026-01-01',
      }),
    });
  const eraseNow = (offices: readonly string[], atOnce = false): ScenarioStep =>
    step({
      decider: subjectDecider,
      id: 'subject-1',
      actor: MISSION,
      atOnce,
      command: (by) => ({
        ...erase,
        by,
        offices: offices.map((designation) => ({ party: 'state:VUT', designation })),
      }),
    });
  const keys = SqliteSubjectRegister.inMemory();
  const standing = (states: Readonly<Record<string, unknown>>): unknown =>
    Object.fromEntries(
      ((states['party-state:VUT'] as PartyState | undefined)?.designations ?? []).map((each) => [
        each.designation,
        each.revokedAt === undefined ? each.holder : 'revoked',
      ]),
    );
  const run = (...steps: readonly ScenarioStep[]): Promise<Readonly<Record<string, unknown>>> =>
    processScenario([subjectErasing(keys)], [partyDecider, subjectDecider], steps, { compare: standing });

  it('destroys the key and ends the offices of that person alone, however often it is told', async () => {
    const states = await run(designate('d1'), designate('d2', 'subject-2'), eraseNow(['d1']));
    expect(standing(states)).toEqual({ d1: 'revoked', d2: 'subject-2' });
    expect(await keys.seal('subject-1', [{ place: ['x'], text: 'Ruth' }])).toBeUndefined();
    expect(await keys.seal('subject-2', [{ place: ['x'], text: 'Mere' }])).toHaveLength(1);
  });

  it('ends an office that was recorded at the same moment, which the erasure knew nothing of', async () => {
    expect(standing(await run(designate('d1'), eraseNow(['d1'], true), designate('d2')))).toEqual({
      d1: 'revoked',
      d2: 'revoked',
    });
  });
});
