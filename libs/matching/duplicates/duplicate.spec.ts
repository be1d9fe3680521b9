import { describe, expect, it } from '@jest/globals';
import { specFor } from '#kernel-testing';
import type { Candidate, DuplicateEvent } from './duplicate.contract.js';
import { duplicateDecider, duplicateIdOf, inOrder } from './duplicate.js';

const spec = specFor(duplicateDecider, { idempotent: ['JudgeDuplicate'] });
const given: typeof spec.given = (...events) => spec.given(...events);

const coordinator = { party: 'agency:secretariat', role: 'coordinator', basis: 'role-claim' } as const;
const [A, B] = [
  { kind: 'need', id: 'a' },
  { kind: 'need', id: 'b' },
] as const;
const CANDIDATE: Candidate = {
  about: 'needs',
  records: [A, B],
  states: ['VUT'],
  kinds: ['legal'],
  evidence: [{ name: 'title', value: '0.80', because: 'The titles share 4 of 6 words.' }],
  parties: ['state:VUT'],
};
const judged = (verdict: 'same' | 'different' | 'complementary', note?: string): DuplicateEvent => ({
  type: 'DuplicateJudged',
  data: { ...CANDIDATE, verdict, ...(note === undefined ? {} : { note }) },
});
const judge = { type: 'JudgeDuplicate', verdict: 'same' } as const;

describe('a pair of records that look alike', () => {
  it('is judged by the coordinator, with what it was judged on', () => {
    const state = given()
      .when({ ...judge, candidate: CANDIDATE, note: 'Filed twice' }, { actor: coordinator, idempotent: false })
      .then(judged('same', 'Filed twice'));
    expect(state.judged).toMatchObject({
      candidate: CANDIDATE,
      verdict: 'same',
      note: 'Filed twice',
      by: coordinator.party,
    });
    given()
      .when({ ...judge, candidate: CANDIDATE }, { actor: coordinator, idempotent: false })
      .then(judged('same'));
  });

  it('is judged by nobody else, and by no coordinator whose own record it is', () => {
    given()
      .when({ ...judge, candidate: CANDIDATE }, { actor: { ...coordinator, role: 'npc' } })
      .refused('forbidden');
    given()
      .when({ ...judge, candidate: { ...CANDIDATE, parties: [coordinator.party] } }, { actor: coordinator })
      .refused('forbidden');
  });

  it('keeps its verdict: another is a word of its own, and the same one said again is none', () => {
    given(judged('same'))
      .when({ ...judge, verdict: 'different' }, { actor: coordinator })
      .then(judged('different'));
    given(judged('same'))
      .when({ ...judge, note: 'After all' }, { actor: coordinator })
      .then(judged('same', 'After all'));
    given(judged('same')).when(judge, { actor: coordinator }).then();
  });

  it('is not judged for the first time twice, nor without being there', () => {
    given(judged('different'))
      .when({ ...judge, candidate: CANDIDATE }, { actor: coordinator })
      .refused('already-judged');
    given().when(judge, { actor: coordinator }).refused('not-found');
  });

  it('keeps the evidence it was first judged on', () => {
    const { state } = given(judged('same'), judged('complementary', 'Two depots'));
    expect(state.judged).toMatchObject({ candidate: CANDIDATE, verdict: 'complementary', note: 'Two depots' });
  });

  it('says nothing of what a later version wrote', () => {
    const event = { type: 'DuplicateForgotten', data: {}, metadata: {} };
    expect(duplicateDecider.evolve(duplicateDecider.initial, event as never)).toEqual({});
  });

  it('has one id, whichever of the two is named first', () => {
    expect(duplicateIdOf(A, B)).toBe(duplicateIdOf(B, A));
    expect(inOrder(B, A)).toEqual([A, B]);
    expect(duplicateIdOf(A, B)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8/);
    expect(duplicateIdOf(A, B)).not.toBe(duplicateIdOf(A, { kind: 'offer', id: 'b' }));
  });
});
