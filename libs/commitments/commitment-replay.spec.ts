import fc from 'fast-check';
import type { RecordedEvent } from '#kernel';
import { recordedHistory } from '#kernel-testing';
import type { CommitmentEvent } from './commitment.contract.js';
import { differences, eventsAt, readReplayQuery, replayOf } from './commitment-replay.js';
import type { ReplayClock, ReplayQuery } from './commitment-replay.js';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';
import {
  BOUND,
  confirmed,
  delivery,
  GIVEN_BY_VANUATU,
  HELD,
  ACCEPTED,
  proposed,
  seats,
  signed,
} from './commitment.fixture.js';
import type { Given } from '#kernel-testing';

const on = (day: string, event: Given<CommitmentEvent>, effectiveAt?: string): Given<CommitmentEvent> => {
  const [fact, metadata] = (Array.isArray(event) ? event : [event, {}]) as [CommitmentEvent, object];
  const at = `2026-${day}T09:00:00.000Z`;
  return [fact, { ...metadata, at, ...(effectiveAt === undefined ? {} : { effectiveAt }) }];
};

/** Ten seats, proposed to confirmed; the delivery was claimed for an earlier month than it was reported in. */
const HISTORY = recordedHistory(commitmentDecider, [
  on('01-05', proposed()),
  on('01-05', HELD),
  on('01-06', GIVEN_BY_VANUATU),
  on('01-06', ACCEPTED),
  on('01-07', signed('donor:japan')),
  on('01-08', signed('state:VUT')),
  on('01-08', BOUND),
  on('03-01', delivery(1, seats(4)), '2026-01-20'),
  on('03-02', delivery(2, seats(6)), '2026-02'),
  on('03-03', confirmed(1, seats(4))),
]);

const query = (at: string, clock: ReplayClock = 'recorded'): ReplayQuery => {
  const read = readReplayQuery({ at, clock });
  if ('errors' in read) throw new Error(JSON.stringify(read.errors));
  return read.query;
};
const revisions = (at: string, clock?: ReplayClock): number[] =>
  eventsAt(HISTORY, query(at, clock)).map(({ revision }) => revision);
const show = (state: CommitmentState): object => ({ ...state });
const stateAt = (at: string, clock?: ReplayClock): Partial<CommitmentState> | null =>
  replayOf(eventsAt(HISTORY, query(at, clock)), show).state;

describe('what `at` and `clock` may be', () => {
  it.each([
    ['12', 'recorded', { position: 12n }],
    ['2026-01-20', 'recorded', { time: '2026-01-20T23:59:59.999Z' }],
    ['2026-01-20', 'effective', { time: '2026-01-20T23:59:59.999Z' }],
    ['2026-01-20T12:00:00+02:00', 'effective', { time: '2026-01-20T10:00:00.000Z' }],
  ])('%s on the %s clock', (at, clock, moment) => {
    expect(readReplayQuery({ at, clock })).toEqual({ query: { at, clock, moment } });
  });
  it('is now on the recorded clock where nothing is said', () => {
    expect(readReplayQuery({})).toEqual({ query: { at: undefined, clock: 'recorded', moment: undefined } });
    expect(eventsAt(HISTORY, { at: undefined, clock: 'recorded', moment: undefined })).toHaveLength(10);
  });
  it.each([
    [{ at: '12', clock: 'effective' }, ['at']],
    [{ at: '2026-13-01' }, ['at']],
    [{ at: '2026-01' }, ['at']],
    [{ at: '-1' }, ['at']],
    [{ at: '1e3' }, ['at']],
    [{ at: '' }, ['at']],
    [{ at: '2026-01-20 12:00' }, ['at']],
    [{ at: '9223372036854775808' }, ['at']],
    [{ at: '99999999999999999999' }, ['at']],
    [{ at: 'x', clock: 'wall', when: 'now' }, ['when', 'clock', 'at']],
  ] as [Record<string, string>, string[]][])('%j is 400', (asked, fields) => {
    const read = readReplayQuery(asked);
    expect('errors' in read ? read.errors.map(({ field }) => field) : []).toEqual(fields);
  });
});

describe('the state at a moment', () => {
  it('by position counts every event up to it, also within one append', () => {
    expect(revisions('0')).toEqual([]);
    expect(revisions('6')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(stateAt('6')?.status).toBe('accepted');
    expect(stateAt('7')?.status).toBe('binding');
    expect(stateAt('9999')?.status).toBe('delivered');
  });
  it('by recorded time counts what was on record then', () => {
    expect(stateAt('2026-01-06T08:59:59Z')?.acceptance).toBe('none');
    expect(stateAt('2026-01-06')?.status).toBe('accepted');
    expect(stateAt('2026-02-15')?.deliveries).toEqual([]);
  });
  it('by effective time counts what had happened then, in revision order', () => {
    expect(revisions('2026-01-19', 'effective')).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // Known to the day: it counts from the day's last instant.
    expect(revisions('2026-01-20T12:00:00Z', 'effective')).not.toContain(7);
    expect(revisions('2026-01-20', 'effective')).toContain(7);
    // Known to the month: from the month's.
    expect(revisions('2026-02-27', 'effective')).not.toContain(8);
    expect(revisions('2026-02-28', 'effective')).toContain(8);
    expect(stateAt('2026-02-28', 'effective')?.status).toBe('delivered');
  });
  it('before the proposal is none at all', () => {
    expect(replayOf(eventsAt(HISTORY, query('2026-01-04')), show)).toEqual({ state: null, steps: [] });
  });
  it('is none where only later events reach back before the proposal', () => {
    const early = recordedHistory(commitmentDecider, [
      on('01-05', proposed()),
      on('03-01', delivery(1, seats(4)), '2025'),
    ]);
    const { state, steps } = replayOf(eventsAt(early, query('2025-12-31', 'effective')), show);
    expect(state).toBeNull();
    expect(steps).toEqual([
      { revision: 1, type: 'DeliveryReported', actor: { party: 'donor:japan', role: 'donor-desk' }, changes: [] },
    ]);
  });
  // Seen failing with `position <= moment.position` turned into `<`.
  it('at every position is the fold of the events up to it', () => {
    fc.assert(
      fc.property(fc.nat(12), (position) => {
        const events = HISTORY.filter((event) => event.position <= BigInt(position));
        const expected = events.reduce<CommitmentState>(
          (state, event) => commitmentDecider.evolve(state, event),
          commitmentDecider.initial,
        );
        expect(stateAt(String(position))).toEqual(expected.status === undefined ? null : expected);
      }),
    );
  });
});

describe('the steps of a replay', () => {
  const steps = replayOf(HISTORY, show).steps;
  it('name each event, its actor and what it changed', () => {
    expect(steps).toHaveLength(HISTORY.length);
    expect(steps[1]).toMatchObject({ revision: 1, type: 'CommitmentHeld' });
    expect(steps[1]?.changes).toEqual([{ path: 'hold', from: 'pending', to: 'held' }]);
    expect(steps[0]?.changes).toContainEqual({ path: 'status', from: null, to: 'proposed' });
    expect(steps[0]?.actor).toEqual({ party: 'donor:japan', role: 'donor-desk' });
    expect(steps[7]?.changes).toContainEqual({ path: 'legs[0].deliveredDrawn.amount', from: '0', to: '4' });
  });
  it('leave out a proposed change where it changes nothing in what is shown', () => {
    const declined: Given<CommitmentEvent> = { type: 'AmendmentDeclined', data: { n: 1, party: 'donor:japan' } };
    const events = recordedHistory(commitmentDecider, [proposed(), HELD, declined]);
    expect(replayOf(events, () => ({ status: 'proposed' })).steps.map(({ type }) => type)).toEqual([
      'CommitmentProposed',
      'CommitmentHeld',
    ]);
    const told = replayOf(events, (_state, revision) => ({ told: revision })).steps;
    expect(told.map(({ type }) => type)).toEqual(['CommitmentProposed', 'CommitmentHeld', 'AmendmentDeclined']);
  });
  it('never show what depends on who asks', () => {
    const asked = replayOf(HISTORY, (state, revision) => ({ status: state.status, revision, actions: [revision] }));
    expect(asked.steps.flatMap(({ changes }) => changes.map(({ path }) => path))).toEqual([
      'status',
      'status',
      'status',
      'status',
    ]);
  });
});

describe('differences', () => {
  it('are the leaves that differ', () => {
    expect(differences({ a: 1, b: { c: [1, 2] } }, { a: 1, b: { c: [1, 3, 4] }, d: null })).toEqual([
      { path: 'b.c[1]', from: 2, to: 3 },
      { path: 'b.c[2]', to: 4 },
      { path: 'd', to: null },
    ]);
    expect(differences({ a: null }, { a: { b: 1 } })).toEqual([{ path: 'a', from: null, to: { b: 1 } }]);
    expect(differences({ a: { b: 1 } }, {})).toEqual([{ path: 'a', from: { b: 1 } }]);
    expect(differences([], {})).toEqual([]);
  });
  it('applied to the first value give the second', () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.boolean());
    const value = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(leaf, fc.dictionary(fc.constantFrom('x', 'y'), leaf)),
    );
    fc.assert(
      fc.property(value, value, (from, to) => {
        const target: Record<string, unknown> = structuredClone(from);
        for (const change of differences(from, to)) {
          const keys = change.path.split('.');
          const last = keys.pop() ?? '';
          const holder = keys.reduce<Record<string, unknown>>(
            (object, key) => object[key] as Record<string, unknown>,
            target,
          );
          if ('to' in change) holder[last] = change.to;
          else Reflect.deleteProperty(holder, last);
        }
        expect(target).toEqual({ ...to });
      }),
    );
  });
});

it('keeps the events of the replay in revision order', () => {
  const events: readonly RecordedEvent<CommitmentEvent>[] = eventsAt(HISTORY, query('2026-12-31', 'effective'));
  expect(events.map(({ revision }) => revision)).toEqual([...HISTORY.keys()]);
});
