import { ManualClock, SYSTEM_PROCESS, Transactor } from '#kernel';
import { InMemoryEventStore, TEST_TIME } from '#kernel-testing';
import type { Actor } from '#kernel';
import { CommitmentOutcomes } from './commitment-outcomes.js';
import type { CommitmentCommand } from './commitment.js';
import { commitmentDecider } from './commitment.js';
import { CAVR, facts, JAPAN, SEAT_LEG, VANUATU } from './commitment.fixture.js';

const ID = '019b8d00-0000-7000-8000-000000000001';
/** Longer than any of these tests: only an answer ends the wait. */
const PATIENT = 60_000;

describe('waiting for the answer of offer or need', () => {
  const store = new InMemoryEventStore();
  const transactor = new Transactor(store, new ManualClock(TEST_TIME));
  const outcomes = new CommitmentOutcomes(store, transactor);
  let commands = 0;
  const send = async (id: string, command: object, actor: Actor): Promise<void> => {
    commands += 1;
    const outcome = await transactor.transact(
      commitmentDecider,
      id,
      (by) => ({ ...command, by }) as CommitmentCommand,
      { commandId: `c${commands}`, correlationId: 'c', causationId: null, actor },
    );
    expect(outcome.kind).toBe('written');
  };
  const propose = (id: string): Promise<void> =>
    send(id, { type: 'ProposeCommitment', facts: facts(), legs: [SEAT_LEG] }, JAPAN);
  const fresh = (n: number): string => ID.replace(/1$/, String(n));
  afterAll(async () => {
    await outcomes.onModuleDestroy();
    await store.close();
  });

  it('ends with the answer, for everyone who waits', async () => {
    await propose(fresh(1));
    const waiting = [outcomes.hold(fresh(1), PATIENT, 0n), outcomes.hold(fresh(1), PATIENT, 0n)];
    await send(fresh(1), { type: 'RecordHold' }, SYSTEM_PROCESS);
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    expect(await outcomes.hold(fresh(1), PATIENT, 0n)).toBeUndefined();
  });
  it('tells the refusal of the hold', async () => {
    await propose(fresh(2));
    const waiting = outcomes.hold(fresh(2), PATIENT, 0n);
    await send(fresh(2), { type: 'RecordHoldRefusal', code: 'earmark', detail: 'Not for you.' }, SYSTEM_PROCESS);
    expect(await waiting).toMatchObject({ code: 'earmark', detail: 'Not for you.' });
  });
  it('tells the refusal of the acceptance, and its grant', async () => {
    await propose(fresh(3));
    await send(fresh(3), { type: 'RecordHold' }, SYSTEM_PROCESS);
    await send(fresh(3), { type: 'AcceptCommitment' }, VANUATU);
    const first = await store.head();
    const refused = outcomes.acceptance(fresh(3), PATIENT, first);
    const answer = { type: 'RecordAcceptanceRefusal', code: 'insufficient-coverage', detail: 'Less is needed.' };
    await send(fresh(3), answer, SYSTEM_PROCESS);
    expect(await refused).toMatchObject({ code: 'insufficient-coverage' });
    await send(fresh(3), { type: 'AcceptCommitment' }, VANUATU);
    const second = await store.head();
    const granted = outcomes.acceptance(fresh(3), PATIENT, second);
    await send(fresh(3), { type: 'RecordAcceptance' }, SYSTEM_PROCESS);
    expect(await granted).toBeUndefined();
    expect(await outcomes.acceptance(fresh(3), PATIENT, first)).toMatchObject({ code: 'insufficient-coverage' });
    expect(await outcomes.acceptance(fresh(3), PATIENT, await store.head())).toBeUndefined();
  });
  it('tells that need or offer closed meanwhile', async () => {
    for (const [n, code] of [
      [4, 'need-closed'],
      [5, 'offer-closed'],
    ] as const) {
      await propose(fresh(n));
      const waiting = outcomes.hold(fresh(n), PATIENT, 0n);
      await send(fresh(n), { type: 'DeclineForClosure', code }, SYSTEM_PROCESS);
      expect(await waiting).toMatchObject({ code });
    }
  });
  it('tells a repeat what the first was told, whatever happened to the proposal later', async () => {
    await propose(fresh(7));
    const since = await store.head();
    await send(fresh(7), { type: 'RecordHold' }, SYSTEM_PROCESS);
    await send(fresh(7), { type: 'DeclineForClosure', code: 'need-closed' }, SYSTEM_PROCESS);
    expect(await outcomes.hold(fresh(7), PATIENT, since)).toBeUndefined();
  });
  it('goes on waiting when something else happens to the proposal', async () => {
    const proposal = { type: 'ProposeCommitment', facts: facts(), legs: [SEAT_LEG], implementer: 'agency:cavr' };
    await send(fresh(8), proposal, JAPAN);
    await send(fresh(8), { type: 'RecordHold' }, SYSTEM_PROCESS);
    await send(fresh(8), { type: 'AcceptCommitment' }, VANUATU);
    const waiting = outcomes.acceptance(fresh(8), PATIENT, await store.head());
    const refused = { type: 'RecordAcceptanceRefusal', code: 'insufficient-coverage', detail: 'Less is needed.' };
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await send(fresh(8), { type: 'ConsentTask' }, CAVR);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await send(fresh(8), refused, SYSTEM_PROCESS);
    expect(await waiting).toMatchObject({ code: 'insufficient-coverage' });
  });
  it('answers with the pending record where the time runs out', async () => {
    await propose(fresh(6));
    expect(await outcomes.hold(fresh(6), 0, 0n)).toBeUndefined();
    expect(await outcomes.hold(fresh(6), 20, 0n)).toBeUndefined();
  });
  it('answers with the pending record when the service stops', async () => {
    const waiting = outcomes.hold(fresh(6), PATIENT, 0n);
    await outcomes.onModuleDestroy();
    expect(await waiting).toBeUndefined();
    expect(await outcomes.hold(fresh(6), PATIENT, 0n)).toBeUndefined();
  });
});
