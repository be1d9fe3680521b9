import { describe, expect, it } from '@jest/globals';
import type { Actor } from '#kernel';
import { SYSTEM_TIMER } from '#kernel';
import { specFor } from '#kernel-testing';
import type { FindingContent, FindingEvent } from './finding.contract.js';
import type { FindingCommand, NewFinding } from './finding.js';
import { findingDecider, nextToPass, overdueOf } from './finding.js';

const spec = specFor(findingDecider, {
  idempotent: ['AmendFinding', 'AnswerFinding', 'ClaimImplementation', 'CloseFinding', 'FallOverdue'],
});
const given: typeof spec.given = (...events) => spec.given(...events);

const AUDITOR: Actor = { party: 'auditor:court', role: 'auditor' };
const OTHER: Actor = { party: 'auditor:firm', role: 'auditor' };
const OWNER: Actor = { party: 'agency:cavr', role: 'implementer' };
const [BY_AUDITOR, BY_OWNER] = [{ actor: AUDITOR }, { actor: OWNER }];

const RECORD = { kind: 'commitment', id: 'c1' } as const;
const CONTENT: FindingContent = {
  severity: 'high',
  title: 'No receipt',
  text: 'The second instalment has no receipt.',
  recommendation: 'Report it.',
};
const NEW: NewFinding = {
  mandate: 'm1',
  owner: OWNER.party,
  records: [RECORD],
  events: [{ ...RECORD, eventId: 'e1', revision: 4 }],
  content: CONTENT,
  due: '2026-06-30',
};
const written: FindingEvent = {
  type: 'FindingWritten',
  data: { ...NEW, auditor: AUDITOR.party, answerBy: '2026-02-04' },
};
const ACTION = { text: 'The bank is asked.', by: '2026-03-31' };
type Command<T extends FindingCommand['type']> = Omit<Extract<FindingCommand, { type: T }>, 'by'>;
const AGREE: Command<'AnswerFinding'> = {
  type: 'AnswerFinding',
  response: 'agreed',
  text: 'It was forgotten.',
  action: ACTION,
};
const agreed: FindingEvent = {
  type: 'FindingAnswered',
  data: { party: OWNER.party, response: 'agreed', text: 'It was forgotten.', action: ACTION },
};
const disagreed = (acceptsRisk?: true): FindingEvent => ({
  type: 'FindingAnswered',
  data: {
    party: OWNER.party,
    response: 'disagreed',
    text: 'It is there.',
    ...(acceptsRisk === undefined ? {} : { acceptsRisk }),
  },
});
const EVIDENCE = [{ title: 'Confirmation of the bank', sha256: 'a'.repeat(64) }];
const CLAIM: Command<'ClaimImplementation'> = { type: 'ClaimImplementation', text: 'Reported.', evidence: EVIDENCE };
const claimed: FindingEvent = {
  type: 'ImplementationClaimed',
  data: { party: OWNER.party, text: 'Reported.', evidence: EVIDENCE },
};
const verify = (outcome: 'implemented' | 'not-implemented', due?: string): Command<'VerifyImplementation'> => ({
  type: 'VerifyImplementation',
  outcome,
  mandate: 'm1',
  note: 'The statement was read.',
  ...(due === undefined ? {} : { due }),
});
const FOUND = { auditor: AUDITOR.party, mandate: 'm1', note: 'The statement was read.' };
const verified: FindingEvent = { type: 'ImplementationVerified', data: FOUND };
const rejected = (due?: string): FindingEvent => ({
  type: 'ImplementationRejected',
  data: { ...FOUND, ...(due === undefined ? {} : { due }) },
});
const close = (as: 'implemented' | 'risk-accepted' | 'withdrawn', reason?: string): Command<'CloseFinding'> => ({
  type: 'CloseFinding',
  as,
  mandate: 'm1',
  ...(reason === undefined ? {} : { reason }),
});
const closed = (as: 'implemented' | 'risk-accepted' | 'withdrawn', auditor = AUDITOR.party): FindingEvent => ({
  type: 'FindingClosed',
  data: { as, auditor, mandate: 'm1' },
});
const amend = (changes: object, days: { answerBy?: string; due?: string } = {}): Command<'AmendFinding'> => ({
  type: 'AmendFinding',
  mandate: 'm1',
  changes,
  ...days,
  reason: 'Put better',
});
const amended = (changes: object, days: object = {}): FindingEvent => ({
  type: 'FindingAmended',
  data: { mandate: 'm1', changes, ...days, reason: 'Put better' },
});
const overdue = (owed: 'answer' | 'implementation', due: string): FindingEvent => ({
  type: 'FindingFellOverdue',
  data: { owed, due },
});
const fall = (owed: 'answer' | 'implementation'): Command<'FallOverdue'> => ({ type: 'FallOverdue', owed });
const timer = (at: string): { readonly actor: Actor; readonly at: string } => ({ actor: SYSTEM_TIMER, at });

describe('a finding', () => {
  const WRITE: Command<'WriteFinding'> = { type: 'WriteFinding', finding: NEW };

  it('is written by an auditor; the owner has 30 days to answer, or until all is due', () => {
    given().when(WRITE, BY_AUDITOR).then(written);
    const soon = { ...NEW, due: '2026-01-20' };
    given()
      .when({ ...WRITE, finding: soon }, BY_AUDITOR)
      .then({ type: 'FindingWritten', data: { ...soon, auditor: AUDITOR.party, answerBy: '2026-01-20' } });
    const named = { ...NEW, answerBy: '2026-05-01' };
    given()
      .when({ ...WRITE, finding: named }, BY_AUDITOR)
      .then({ type: 'FindingWritten', data: { ...named, auditor: AUDITOR.party } });
  });

  it('is written by nobody else, not against the auditor’s own party, and not with days that do not fit', () => {
    given().when(WRITE, BY_OWNER).refused('forbidden');
    given()
      .when({ ...WRITE, finding: { ...NEW, owner: AUDITOR.party } }, BY_AUDITOR)
      .refused('forbidden');
    const dated = (days: object): Command<'WriteFinding'> => ({ ...WRITE, finding: { ...NEW, ...days } });
    given()
      .when(dated({ due: '2026-01-04' }), BY_AUDITOR)
      .refused('dates-do-not-fit', 'due');
    given()
      .when(dated({ answerBy: '2026-01-04' }), BY_AUDITOR)
      .refused('dates-do-not-fit', 'answerBy');
    given()
      .when(dated({ answerBy: '2026-07-01' }), BY_AUDITOR)
      .refused('dates-do-not-fit', 'answerBy');
  });

  it('is written once', () => {
    given(written).when(WRITE, BY_AUDITOR).then();
    given(written)
      .when({ ...WRITE, finding: { ...NEW, due: '2026-07-01' } }, BY_AUDITOR)
      .refused('already-written');
    for (const command of [AGREE, CLAIM, close('withdrawn'), fall('answer')]) {
      given().when(command, BY_OWNER).refused('not-found');
    }
  });

  it('is answered by the office that speaks for its owner, who may think again', () => {
    given(written).when(AGREE, BY_OWNER).then(agreed);
    given(written)
      .when({ type: 'AnswerFinding', response: 'disagreed', text: 'It is there.', acceptsRisk: true }, BY_OWNER)
      .then(disagreed(true));
    const { state } = given(written, disagreed(true), agreed);
    expect(state.finding?.answer).toMatchObject({ response: 'agreed', action: ACTION });
    expect(state.finding?.answer).not.toHaveProperty('acceptsRisk');
    for (const actor of [
      AUDITOR,
      { ...OWNER, party: 'agency:ngo' },
      { ...OWNER, role: 'operator' },
      { ...OWNER, role: 'nothing' },
    ]) {
      given(written).when(AGREE, { actor }).refused('forbidden');
    }
    const secretariat = { party: 'agency:secretariat', role: 'coordinator' };
    const ofSecretariat: FindingEvent = {
      type: 'FindingWritten',
      data: { ...written.data, owner: secretariat.party },
    };
    given(ofSecretariat)
      .when(AGREE, { actor: secretariat })
      .then({ ...agreed, data: { ...agreed.data, party: secretariat.party } });
  });

  it('has no implementation before an answer that agrees, and one claim at a time', () => {
    given(written).when(CLAIM, BY_OWNER).refused('not-answered');
    given(written, disagreed()).when(CLAIM, BY_OWNER).refused('not-agreed');
    given(written, agreed).when(CLAIM, BY_OWNER).then(claimed);
    given(written, agreed, claimed).when(CLAIM, BY_OWNER).then();
    given(written, agreed, claimed)
      .when({ ...CLAIM, text: 'Reported twice.' }, BY_OWNER)
      .refused('claim-pending');
    given(written, agreed).when(CLAIM, BY_AUDITOR).refused('forbidden');
    for (const history of [
      [written, agreed, claimed],
      [written, agreed, claimed, verified],
    ]) {
      given(...history)
        .when({ ...AGREE, text: 'Something else' }, BY_OWNER)
        .refused('claim-pending');
      given(...history)
        .when(amend({ title: 'Other' }), BY_AUDITOR)
        .refused('claim-pending');
    }
  });

  it('is verified by an auditor, never by its owner, or sent back with another day', () => {
    given(written, agreed, claimed).when(verify('implemented'), BY_AUDITOR).then(verified);
    given(written, agreed, claimed)
      .when(verify('implemented'), { actor: OTHER })
      .then({ ...verified, data: { ...FOUND, auditor: OTHER.party } });
    given(written, agreed, claimed, verified).when(verify('implemented'), BY_AUDITOR).then();
    given(written, agreed, claimed, verified).when(verify('not-implemented'), BY_AUDITOR).refused('not-claimed');
    given(written, agreed).when(verify('implemented'), BY_AUDITOR).refused('not-claimed');
    for (const actor of [OWNER, { party: OWNER.party, role: 'auditor' }]) {
      given(written, agreed, claimed).when(verify('implemented'), { actor }).refused('forbidden');
    }
    given(written, agreed, claimed)
      .when(verify('not-implemented', '2026-01-04'), BY_AUDITOR)
      .refused('dates-do-not-fit', 'due');
    given(written, agreed, claimed).when(verify('not-implemented', NEW.due), BY_AUDITOR).then(rejected());
    const sentBack = given(written, agreed, claimed)
      .when(verify('not-implemented', '2026-09-30'), BY_AUDITOR)
      .then(rejected('2026-09-30'));
    expect(sentBack.finding).toMatchObject({
      status: 'answered',
      due: '2026-09-30',
      verification: { outcome: 'not-implemented', note: 'The statement was read.' },
    });
    const again = given(written, agreed, claimed, rejected(), claimed).state.finding;
    expect([again?.status, again?.verification, again?.due]).toEqual(['claimed', undefined, NEW.due]);
  });

  it('closes as implemented when verified, at the owner’s risk when the owner said so, or withdrawn by its author', () => {
    given(written, agreed, claimed, verified).when(close('implemented'), BY_AUDITOR).then(closed('implemented'));
    for (const history of [[written], [written, agreed], [written, agreed, claimed]]) {
      given(...history)
        .when(close('implemented'), BY_AUDITOR)
        .refused('not-verified');
    }
    given(written, disagreed(true))
      .when(close('risk-accepted', 'Noted'), { actor: OTHER })
      .then({
        type: 'FindingClosed',
        data: { ...closed('risk-accepted', OTHER.party).data, reason: 'Noted' },
      } as FindingEvent);
    for (const history of [[written], [written, disagreed()], [written, agreed, claimed]]) {
      given(...history)
        .when(close('risk-accepted', 'Noted'), BY_AUDITOR)
        .refused('risk-not-accepted');
    }
    given(written).when(close('withdrawn'), BY_AUDITOR).then(closed('withdrawn'));
    given(written).when(close('withdrawn'), { actor: OTHER }).refused('forbidden');
    given(written, agreed, claimed, verified).when(close('implemented'), BY_OWNER).refused('forbidden');
  });

  it('is over once closed', () => {
    const end = { type: 'FindingClosed', data: { ...closed('withdrawn').data, reason: 'An error' } } as FindingEvent;
    const over = given(written, end);
    expect(over.state.finding?.closing).toMatchObject({ as: 'withdrawn', reason: 'An error', auditor: AUDITOR.party });
    over.when(close('withdrawn'), BY_AUDITOR).then();
    over.when(close('implemented'), BY_AUDITOR).refused('finding-closed');
    over.when(AGREE, BY_OWNER).refused('finding-closed');
    over.when(amend({ title: 'Other' }), BY_AUDITOR).refused('finding-closed');
  });

  it('is amended by its author, and an answer to other words stands no longer', () => {
    given(written)
      .when(amend({ title: 'Other' }), { actor: OTHER })
      .refused('forbidden');
    given(written)
      .when(amend({ title: CONTENT.title }), BY_AUDITOR)
      .then();
    given(written)
      .when(amend({ title: 'Other', text: CONTENT.text }), BY_AUDITOR)
      .then(amended({ title: 'Other' }));
    const reworded = given(written, agreed)
      .when(amend({ recommendation: 'Pay it back.' }), BY_AUDITOR)
      .then(amended({ recommendation: 'Pay it back.' }));
    expect(reworded.finding).toMatchObject({ status: 'open', content: { recommendation: 'Pay it back.' } });
    expect(reworded.finding).not.toHaveProperty('answer');
    given(written, agreed)
      .when(amend({ severity: 'low' }), { ...BY_AUDITOR, at: '2026-03-01T00:00:00.000Z' })
      .then(amended({ severity: 'low' }, { answerBy: '2026-03-31' }));
    const moved = given(written, agreed)
      .when(amend({}, { due: '2026-12-31' }), BY_AUDITOR)
      .then(amended({}, { due: '2026-12-31' }));
    expect(moved.finding).toMatchObject({ status: 'answered', due: '2026-12-31', answer: { response: 'agreed' } });
    given(written)
      .when(amend({}, { answerBy: '2026-02-20' }), BY_AUDITOR)
      .then(amended({}, { answerBy: '2026-02-20' }));
    given(written)
      .when(amend({}, { answerBy: '2026-01-01' }), BY_AUDITOR)
      .refused('dates-do-not-fit', 'answerBy');
    given(written)
      .when(amend({}, { due: '2026-02-01' }), BY_AUDITOR)
      .refused('dates-do-not-fit', 'due');
  });

  it('is told to have fallen due by the timer, each day once, and never while nothing is owed', () => {
    const after = timer('2026-02-05T00:00:00.000Z');
    given(written).when(fall('answer'), after).then(overdue('answer', '2026-02-04'));
    given(written).when(fall('answer'), timer('2026-02-04T23:59:59.999Z')).refused('not-due');
    given(written)
      .when(fall('answer'), { ...after, actor: AUDITOR })
      .refused('forbidden');
    given(written, overdue('answer', '2026-02-04')).when(fall('answer'), after).then();
    given(written, agreed).when(fall('answer'), after).refused('not-due');
    const late = timer('2026-07-01T00:00:00.000Z');
    for (const history of [[written], [written, agreed]]) {
      given(...history)
        .when(fall('implementation'), late)
        .then(overdue('implementation', '2026-06-30'));
    }
    for (const history of [
      [written, disagreed()],
      [written, agreed, claimed],
      [written, closed('withdrawn')],
    ]) {
      given(...history)
        .when(fall('implementation'), late)
        .refused('not-due');
    }
  });

  it('owes its answer first, then what is recommended; a day that was moved passes anew', () => {
    const finding = given(written).state.finding;
    const late = given(written, overdue('answer', '2026-02-04')).state.finding;
    const moved = given(written, overdue('answer', '2026-02-04'), amended({}, { answerBy: '2026-02-20' })).state
      .finding;
    if (finding === undefined || late === undefined || moved === undefined) throw new Error('no finding');
    expect(nextToPass(finding)).toEqual({ owed: 'answer', due: '2026-02-04' });
    expect(nextToPass(late)).toEqual({ owed: 'implementation', due: '2026-06-30' });
    expect(nextToPass(moved)).toEqual({ owed: 'answer', due: '2026-02-20' });
    expect(['2026-02-04', '2026-02-05'].map((today) => overdueOf(finding, today))).toEqual([undefined, 'answer']);
  });

  it('says nothing of what a later version wrote', () => {
    const event = { type: 'FindingForgotten', data: {}, metadata: {} };
    expect(findingDecider.evolve(findingDecider.initial, event as never)).toBe(findingDecider.initial);
    const { state } = given(written);
    expect(findingDecider.evolve(state, event as never)).toBe(state);
  });
});
