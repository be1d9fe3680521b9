import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { Given } from '#kernel-testing';
import { recordedHistory } from '#kernel-testing';
import type { RecordedEvent } from '#kernel';
import { countsAt, momentOf, replayOf } from '#web';
import type { ClockName } from '#web';
import type { CommitmentEvent } from './commitment.contract.js';
import { commitmentEventFor, commitmentView } from './commitment.view.js';
import type { CommitmentState } from './commitment.js';
import { commitmentDecider } from './commitment.js';
import {
  ACCEPTED,
  BOUND,
  confirmed,
  delivery,
  GIVEN_BY_VANUATU,
  HELD,
  proposed,
  seats,
  signed,
} from './commitment.fixture.js';

const JAPAN: Caller = { ...ANONYMOUS, anonymous: false, party: 'donor:japan', roles: ['donor-desk'] };
const NORWAY: Caller = { ...JAPAN, party: 'donor:norway' };

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

const lastOf = (events: readonly RecordedEvent<CommitmentEvent>[]): CommitmentState =>
  events.reduce<CommitmentState>((state, event) => commitmentDecider.evolve(state, event), commitmentDecider.initial);

const replayed = (
  events: readonly RecordedEvent<CommitmentEvent>[],
  caller: Caller = JAPAN,
): ReturnType<typeof replayOf> => {
  const now = lastOf(events);
  return replayOf(events, {
    decider: commitmentDecider,
    caller,
    past: {
      of: (state) =>
        state.status === undefined
          ? null
          : commitmentView({ caller, at: '2026-03-04T00:00:00.000Z', label: 'public' }, 'r1', state),
    },
    mask: (event) => commitmentEventFor(caller, 'r1', now, event),
  });
};
const at = (moment: string, clock?: ClockName): readonly RecordedEvent<CommitmentEvent>[] =>
  HISTORY.filter((event) => countsAt(event, momentOf(moment, clock)));
const statusAt = async (moment: string, clock?: ClockName): Promise<unknown> =>
  ((await replayed(at(moment, clock))).state as { status: string } | null)?.status;

describe('the state at a moment', () => {
  it('by position counts every event up to it, also within one append', async () => {
    expect((await replayed(at('0'))).state).toBeNull();
    expect([await statusAt('6'), await statusAt('7'), await statusAt('9999')]).toEqual([
      'accepted',
      'binding',
      'delivered',
    ]);
  });
  it('by recorded time counts what was on record then', async () => {
    expect(await statusAt('2026-01-06T08:59:59Z')).toBe('proposed');
    expect(await statusAt('2026-01-06')).toBe('accepted');
    expect(await statusAt('2026-02-15')).toBe('binding');
  });
  it('by effective time counts what had happened then, in revision order', async () => {
    expect(at('2026-01-19', 'effective').map(({ revision }) => revision)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // Known to the month: it counts from its last instant.
    expect(await statusAt('2026-02-27', 'effective')).toBe('binding');
    expect(await statusAt('2026-02-28', 'effective')).toBe('delivered');
  });
  it('before the proposal is none at all', async () => {
    expect(await replayed(at('2026-01-04'))).toEqual({ state: null, steps: [] });
  });
  it('is none where only later events reach back before the proposal', async () => {
    const early = recordedHistory(commitmentDecider, [
      on('01-05', proposed()),
      on('03-01', delivery(1, seats(4)), '2025'),
    ]).filter((event) => countsAt(event, momentOf('2025-12-31', 'effective')));
    const { state, steps } = await replayed(early);
    expect(state).toBeNull();
    expect(steps).toMatchObject([{ revision: 1, type: 'DeliveryReported', changes: [] }]);
  });
});

describe('the steps of a replay', () => {
  it('name each event, who acted and under what, what it changed, and the rule that allowed it', async () => {
    const { steps } = await replayed(HISTORY);
    expect(steps).toHaveLength(HISTORY.length);
    expect(steps[1]).toMatchObject({ revision: 1, type: 'CommitmentHeld', position: '2' });
    expect(steps[1]?.changes).toEqual([{ path: 'hold', from: 'pending', to: 'held' }]);
    expect(steps[0]?.changes).toContainEqual({ path: 'status', from: null, to: 'proposed' });
    expect(steps[0]).toMatchObject({ actor: { party: 'donor:japan', role: 'donor-desk' } });
    expect(steps[7]).toMatchObject({ effectiveAt: '2026-01-20', recordedAt: '2026-03-01T09:00:00.000Z' });
    expect(steps[7]?.changes).toContainEqual({ path: 'legs[0].delivered.amount', from: '0', to: '4' });
  });
  // Seen failing with masked events told of where they change nothing.
  it('leave out a proposed change to whom it is nobody’s business', async () => {
    const declined: Given<CommitmentEvent> = { type: 'AmendmentDeclined', data: { n: 1, party: 'donor:japan' } };
    const events = recordedHistory(commitmentDecider, [proposed(), HELD, declined]);
    const typesFor = async (caller: Caller): Promise<unknown[]> =>
      (await replayed(events, caller)).steps.map((step) => ('type' in step ? step.type : 'masked'));
    expect(await typesFor(NORWAY)).toEqual(['CommitmentProposed', 'CommitmentHeld']);
    expect(await typesFor(JAPAN)).toEqual(['CommitmentProposed', 'CommitmentHeld', 'AmendmentDeclined']);
  });
  it('never show what depends on who asks', async () => {
    const { steps } = await replayed(HISTORY);
    const paths = steps.flatMap(({ changes }) => changes.map(({ path }) => path));
    expect(paths.filter((path) => path.startsWith('actions') || path === 'revision')).toEqual([]);
  });
});
