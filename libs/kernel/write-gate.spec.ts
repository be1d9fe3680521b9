import { beforeEach, describe, expect, it } from '@jest/globals';
import { InMemoryEventStore } from '#kernel-testing';
import { ManualClock } from './clock.js';
import { DeadlineTicker } from './deadline-ticker.js';
import { accept, type CommandContext, type Decider } from './decider.js';
import { newId } from './ids.js';
import { type CommandMeta, Transactor } from './transact.js';
import { SharedWriteGate, WriteGate, WRITES_STREAM, WritesRefusedError } from './write-gate.js';

type Noted = { readonly type: 'Noted'; readonly data: { readonly text: string } };
type Note = { readonly type: 'Note'; readonly by: CommandContext; readonly text: string };
/** Notes a text once. */
const notes: Decider<{ readonly text?: string }, Note, Noted, never> = {
  category: 'note',
  initial: {},
  schemas: { Noted: 1 },
  decide: ({ text }, state) => (state.text === text ? accept() : accept<Noted>({ type: 'Noted', data: { text } })),
  evolve: (_state, { data }) => data,
};

const meta = (commandId = newId()): CommandMeta => ({
  commandId,
  ...{ correlationId: commandId, causationId: null, actor: { party: 'state:VUT', role: 'npc' } },
});

let store: InMemoryEventStore;
let clock: ManualClock;
beforeEach(() => {
  store = new InMemoryEventStore();
  clock = new ManualClock('2026-11-29T09:00:00.000Z');
});

const shared = (): SharedWriteGate => new SharedWriteGate(new WriteGate(), store, clock, { everyMs: 'manual' });
const writing = (gate: WriteGate): ((text: string, commandId?: string) => Promise<string>) => {
  const transactor = new Transactor(store, clock, undefined, 100, gate);
  return async (text, commandId) =>
    (await transactor.transact(notes, '1', (by) => ({ type: 'Note', by, text }), meta(commandId))).kind;
};

describe('the gate of writes', () => {
  it('refuses what would be written, and nothing else: repeats and what holds already are answered', async () => {
    const gate = new WriteGate();
    const write = writing(gate);
    const commandId = newId();
    expect(await write('a', commandId)).toBe('written');
    gate.refuse('it was put back in time');
    await expect(write('b')).rejects.toThrow(new WritesRefusedError('it was put back in time'));
    expect([await write('a'), await write('a', commandId)]).toEqual(['unchanged', 'repeated']);
    gate.allow();
    expect(await write('b')).toBe('written');
    expect(await store.readStream('note-1', 0, 10)).toHaveLength(2);
  });

  it('has writes wait for a check, and refuses them where that says so', async () => {
    const gate = new WriteGate();
    let settle: () => void = () => undefined;
    gate.hold(new Promise<void>((resolve) => (settle = resolve)));
    const waiting = writing(gate)('a');
    gate.refuse('found');
    settle();
    await expect(waiting).rejects.toThrow('found');
    gate.allow();
    gate.hold(Promise.reject(new Error('the check broke')));
    expect(await writing(gate)('a')).toBe('written');
    expect(gate.isOpen).toBe(true);
  });

  it('keeps deadlines from being tried: each would be told as one that failed', async () => {
    const gate = new WriteGate();
    const transactor = new Transactor(store, clock, undefined, 100, gate);
    const asked: Date[] = [];
    const source = { name: 'notes', due: (now: Date) => (asked.push(now), []) };
    const ticker = new DeadlineTicker([source], transactor, clock);
    gate.refuse('found');
    await ticker.tickNow();
    expect(asked).toEqual([]);
    gate.allow();
    await ticker.tickNow();
    expect(asked).toHaveLength(1);
  });
});

describe('the gate that services share', () => {
  it('is closed for all by one, at once where it is and with their next look elsewhere, also for those who start later', async () => {
    const [one, other] = [shared(), shared()];
    await Promise.all([one.start(), other.start()]);
    await one.refuse('found');
    await one.refuse('found');
    expect([one.gate.refusal, other.gate.refusal]).toEqual(['found', undefined]);
    await other.look();
    const late = shared();
    await late.start();
    expect([other.gate.refusal, late.gate.refusal]).toEqual(['found', 'found']);
    await other.allow();
    await Promise.all([one.look(), late.look()]);
    expect([one, other, late].map(({ gate }) => gate.isOpen)).toEqual([true, true, true]);
    const told = await store.readStream(WRITES_STREAM, 0, 10);
    expect(told.map(({ type, data }) => [type, data])).toEqual([
      ['WritesRefused', { reason: 'found' }],
      ['WritesAllowed', {}],
    ]);
  });

  it('closes where several find something at once, and says nothing of a log that nobody ever refused', async () => {
    const gates = [shared(), shared(), shared()];
    await gates[0]?.allow();
    expect(await store.readStream(WRITES_STREAM, 0, 10)).toEqual([]);
    await Promise.all(gates.map((each, at) => each.refuse(`found ${at}`)));
    await Promise.all(gates.map((each) => each.look()));
    expect(gates.every(({ gate }) => gate.refusal?.startsWith('found') === true)).toBe(true);
  });
});
