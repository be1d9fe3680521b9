import { describe, expect, it } from '@jest/globals';
import { accept, SYSTEM_PROCESS } from '#kernel';
import { counter } from './counter.js';
import { askedBy, frozen, recordedEvent, recordedHistory, stateAfter, throughJson } from './records.js';
import { specFor } from './spec-for.js';

const counterWith = (change: Partial<typeof counter>): typeof counter => ({ ...counter, ...change });

const raised = (by: number) => ({ type: 'Raised', data: { by } }) as const;

describe('given, when, then', () => {
  const spec = specFor(counter, { idempotent: ['RaiseTo'] });

  it('accepts what the rule says', () => {
    expect(spec.given(raised(1)).when({ type: 'Raise', amount: 2 }).then(raised(2))).toEqual({ value: 3 });
    expect(
      spec
        .given()
        .when({ type: 'RaiseTwice', amount: 2 })
        .then([raised(2), raised(2)]),
    ).toEqual({ value: 4 });
    expect(spec.given([raised(1), raised(2)], raised(3)).state).toEqual({ value: 6 });
    expect(spec.given([raised(1), { at: '2026-02-01T00:00:00.000Z' }]).state).toEqual({ value: 1 });
    expect(spec.given().when({ type: 'Raise', amount: 2 }).accepted()).toEqual({
      events: [raised(2)],
      state: { value: 2 },
    });
    spec.given(raised(5)).when({ type: 'RaiseTo', to: 5 }).then();
    spec.given(raised(1)).when({ type: 'RaiseTo', to: 5 }).then(raised(4));
  });

  it('refuses what the rule refuses', () => {
    const refusal = spec.given(raised(99)).when({ type: 'Raise', amount: 2 }).refused('too-high', 'by');
    expect(refusal.detail).toBe('The counter ends at 100: ask for less.');
    spec.given(raised(99)).when({ type: 'Raise', amount: 2 }).refused('too-high');
  });

  it('fails where events, code or field differ from what was expected', () => {
    const given = spec.given(raised(99));
    expect(() => given.when({ type: 'Raise', amount: 1 }).then(raised(2))).toThrow();
    expect(() => given.when({ type: 'Raise', amount: 2 }).then(raised(2))).toThrow('refused with too-high');
    expect(() => given.when({ type: 'Raise', amount: 1 }).refused('too-high')).toThrow('accepted with [Raised]');
    expect(() => given.when({ type: 'Raise', amount: 2 }).refused('nothing-to-note')).toThrow();
    expect(() => given.when({ type: 'Raise', amount: 2 }).refused('too-high', 'to')).toThrow();
  });

  it('fails where a command said to be idempotent writes again: flagged, by name, or of a process', () => {
    const raise = { type: 'Raise', amount: 1 } as const;
    spec.given().when(raise).then(raised(1));
    expect(() => spec.given().when(raise, { idempotent: true }).then(raised(1))).toThrow('asks for what holds already');
    expect(() => spec.given().when(raise, { actor: SYSTEM_PROCESS }).then(raised(1))).toThrow(
      'asks for what holds already',
    );
    spec.given().when(raise, { actor: SYSTEM_PROCESS, idempotent: false }).then(raised(1));
    expect(() =>
      specFor(counter, { idempotent: ['Raise'] })
        .given()
        .when(raise)
        .then(raised(1)),
    ).toThrow('asks for');
  });

  it('passes on who asks when, and the record', () => {
    const curious = specFor(
      counterWith({
        decide: ({ by }) => accept({ type: 'Noted', data: { text: `${by.actor.party} ${by.at} ${by.effectiveAt}` } }),
      }),
      { id: 'x' },
    );
    curious
      .given()
      .when(
        { type: 'Note', text: '' },
        { actor: { party: 'donor:japan', role: 'donor-desk' }, at: '2026-02-01', effectiveAt: '2025' },
      )
      .then({ type: 'Noted', data: { text: 'donor:japan 2026-02-01 2025' } });
  });

  it('fails where a rule mutates, forgets a schema, or keeps what JSON loses', () => {
    const mutating = specFor(
      counterWith({
        evolve: (state) => Object.assign(state, { value: 1 }),
      }),
    );
    expect(() => mutating.given(raised(1))).toThrow(TypeError);
    const forgetful = specFor(counterWith({ schemas: { Noted: 1 } as unknown as typeof counter.schemas }));
    expect(() => forgetful.given(raised(1))).toThrow('missing in the schemas');
    const lossy = specFor(
      counterWith({
        decide: () => accept({ type: 'Raised', data: { by: undefined as unknown as number } }),
      }),
    );
    expect(() => lossy.given().when({ type: 'Raise', amount: 1 }).accepted()).toThrow('holds what JSON loses');
    const silent = specFor(
      counterWith({
        decide: () => ({ kind: 'refused', rejection: { code: 'too-high', detail: ' ' } }),
      }),
    );
    expect(() => silent.given().when({ type: 'Raise', amount: 1 }).refused('too-high')).toThrow(
      'says nothing to people',
    );
  });
});

describe('records of tests', () => {
  it('are complete, equal for equal inputs, and frozen on demand', () => {
    expect(recordedEvent('counter-1', 2, raised(1))).toEqual(recordedEvent('counter-1', 2, raised(1)));
    expect(recordedEvent('counter-1', 2, raised(1)).position).toBe(3n);
    const [event] = recordedHistory(counter, [[raised(1), { at: '2026-02-01', actor: SYSTEM_PROCESS }]], 'x');
    expect(event).toMatchObject({
      stream: 'counter-x',
      metadata: { recordedAt: '2026-02-01', effectiveAt: '2026-02-01', actor: SYSTEM_PROCESS, schema: 1 },
    });
    expect(stateAfter(counter, [raised(1), raised(2)])).toEqual({ value: 3 });
    // Asked again it goes on from there: with more of them, fewer, others in between, and of another record.
    const events = [raised(1), raised(2)];
    const asked = [[...events, raised(4)], [...events, raised(4)], [raised(1)], [], [raised(8), ...events], events];
    for (const id of ['r1', 'r2'])
      for (const given of asked)
        expect(stateAfter(counter, given, id)).toEqual({ value: given.reduce((sum, { data }) => sum + data.by, 0) });
    expect(askedBy({ at: '2026-02-01' }).effectiveAt).toBe('2026-02-01');
    expect(throughJson({ a: undefined, b: 1 })).toEqual({ b: 1 });
    const value = frozen({ inner: [{ deep: 1 }], nothing: null });
    expect(() => Object.assign(value.inner[0]!, { deep: 2 })).toThrow(TypeError);
    expect(frozen(value)).toBe(value);
  });
});
