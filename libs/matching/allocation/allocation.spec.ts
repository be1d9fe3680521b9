import type { Actor } from '#kernel';
import { SYSTEM_PROCESS, SYSTEM_TIMER } from '#kernel';
import { specFor, stateAfter, TEST_TIME } from '#kernel-testing';
import type {
  AllocationEvent,
  AllocationOrder,
  AllocationPiece,
  AllocationSummary,
  SharedLine,
} from './allocation.contract.js';
import type { AllocationCommand } from './allocation.js';
import { allocationDecider, hasEnded } from './allocation.js';
import { MOST_PIECE_BYTES } from './in-pieces.js';

const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator', subject: 's' };
const OTHER: Actor = { ...COORDINATOR, party: 'agency:other' };
const DESK: Actor = { party: 'donor:japan', role: 'donor-desk', subject: 's' };

const order: AllocationOrder = { scope: { region: '009' }, objective: 'max-value', floors: [], budgets: [], seed: 0 };
const requested: AllocationEvent = {
  type: 'AllocationRequested',
  data: { requestedBy: 'agency:secretariat', order },
};
const counts = { ruleset: '3', needLines: 4, offerLines: 3, pairs: 7 };
const started: AllocationEvent = {
  type: 'AllocationStarted',
  data: { ...counts, readUpTo: { stream: 'need-1', revision: 2, eventId: 'e' } },
};
const ended: AllocationEvent = { type: 'AllocationEnded', data: { outcome: 'done' } };
const cancelled: AllocationEvent = { type: 'AllocationCancelled', data: { by: 'agency:secretariat' } };
const piece: AllocationPiece = { part: 'certificate', text: 'x' };
const recorded = (n: number): AllocationEvent => ({ type: 'AllocationPieceRecorded', data: { n, piece } });

type Unasked = AllocationCommand extends infer C ? (C extends AllocationCommand ? Omit<C, 'by'> : never) : never;
const OF_THE_RUN: readonly Unasked[] = [
  { type: 'StartRun', started: started.data },
  { type: 'RecordProgress', progress: { parts: 1, ofParts: 2, pairs: 3, ofPairs: 7 } },
  { type: 'RecordPiece', n: 0, piece },
  { type: 'EndRun', end: { outcome: 'done' } },
];

const summary: AllocationSummary = {
  ...{ value: '1', bound: '1', floors: [], notes: [], certificateSha256: 'ab' },
  fairness: { equalShares: [], leastServed: [], states: [], regions: [] },
};
const answered: AllocationEvent = { type: 'AllocationEnded', data: { outcome: 'infeasible', summary } };
const line = (n: number): SharedLine => ({
  ...{ n, needId: `n${n}`, needLine: 1, offerId: 'o1', offerLine: 1, quantity: { measure: 'seats', amount: '2' } },
});
const shared = (party: string, ...lines: readonly SharedLine[]): AllocationEvent => ({
  type: 'AllocationShared',
  data: { party, lines },
});

const contextAt = (at: string) => ({ actor: SYSTEM_PROCESS, at, effectiveAt: at });

const spec = specFor(allocationDecider, {
  idempotent: ['RequestAllocation', 'CancelAllocation', 'GiveUpRun', 'ShareLines'],
});

describe('an allocation', () => {
  it('is asked for by a coordinator, under one id once', () => {
    const ask = { type: 'RequestAllocation', order } as const;
    spec.given().when(ask, { actor: COORDINATOR }).then(requested);
    spec.given().when(ask, { actor: DESK }).refused('forbidden');
    spec.given(requested).when(ask, { actor: COORDINATOR }).then();
    spec
      .given(requested)
      .when({ ...ask, order: { ...order, seed: 1 } }, { actor: COORDINATOR })
      .refused('already-requested');
  });

  it('is not there before it was asked for', () => {
    spec.given().when({ type: 'CancelAllocation' }, { actor: COORDINATOR }).refused('not-found');
  });

  it.each(OF_THE_RUN)('lets only the run say what it found: $type', (command) => {
    spec.given(requested).when(command, { actor: COORDINATOR }).refused('forbidden');
    spec.given(requested).when(command, { actor: SYSTEM_TIMER }).refused('forbidden');
  });

  it('takes what the run found, piece by piece', () => {
    const by = { actor: SYSTEM_PROCESS };
    const progressed: AllocationEvent = { type: 'AllocationProgressed', data: { parts: 1 } };
    spec.given(requested).when({ type: 'StartRun', started: started.data }, by).then(started);
    spec
      .given(requested)
      .when({ type: 'RecordProgress', progress: { parts: 1 } }, by)
      .then(progressed);
    spec.given(requested, started, recorded(0)).when({ type: 'RecordPiece', n: 1, piece }, by).then(recorded(1));
    const pairs: AllocationPiece = { part: 'pairs', items: [] };
    spec
      .given(requested, started, recorded(0))
      .when({ type: 'RecordPiece', n: 0, piece: pairs }, by)
      .then({ type: 'AllocationPieceRecorded', data: { n: 0, piece: pairs } });
    spec.given(requested, started).when({ type: 'EndRun', end: ended.data }, by).then(ended);
  });

  it('that is no further says so again only after a minute, so that it is known to go on', () => {
    const progressed: AllocationEvent = { type: 'AllocationProgressed', data: { parts: 1 } };
    const decided = (seconds: number) =>
      allocationDecider.decide(
        {
          type: 'RecordProgress',
          progress: { parts: 1 },
          by: contextAt(new Date(Date.parse(TEST_TIME) + seconds * 1000).toISOString()),
        },
        stateAfter(allocationDecider, [requested, started, progressed]),
      );
    expect(decided(59)).toEqual({ kind: 'accepted', events: [] });
    expect(decided(60)).toEqual({ kind: 'accepted', events: [progressed] });
  });

  it.each(OF_THE_RUN)('takes nothing more once it has ended or was cancelled: $type', (command) => {
    const otherEnd: AllocationEvent = { type: 'AllocationEnded', data: { outcome: 'failed', because: 'lost' } };
    spec.given(requested, started, otherEnd).when(command, { actor: SYSTEM_PROCESS }).refused('run-ended');
    spec.given(requested, cancelled).when(command, { actor: SYSTEM_PROCESS }).refused('run-ended');
  });

  it('is cancelled by a coordinator of the party that asked, until it has ended', () => {
    const cancel = { type: 'CancelAllocation' } as const;
    spec.given(requested, started).when(cancel, { actor: COORDINATOR }).then(cancelled);
    spec.given(requested, cancelled).when(cancel, { actor: COORDINATOR }).then();
    spec.given(requested, ended).when(cancel, { actor: COORDINATOR }).refused('run-ended');
    spec.given(requested).when(cancel, { actor: OTHER }).refused('forbidden');
    spec.given(requested).when(cancel, { actor: DESK }).refused('forbidden');
  });

  it('is shared by a coordinator of the party that asked, once it has an answer, with whom there is something for', () => {
    const share = { type: 'ShareLines', party: 'donor:japan', lines: [line(0), line(2)] } as const;
    const by = { actor: COORDINATOR };
    spec
      .given(requested, started, answered)
      .when(share, by)
      .then(shared('donor:japan', line(0), line(2)));
    spec
      .given(requested, answered)
      .when({ ...share, lines: [] }, by)
      .refused('nothing-to-share');
    for (const before of [[], [started], [started, cancelled], [started, ended]]) {
      spec
        .given(requested, ...before)
        .when(share, by)
        .refused('no-answer');
    }
    for (const actor of [OTHER, DESK, SYSTEM_PROCESS]) {
      spec.given(requested, answered).when(share, { actor }).refused('forbidden');
    }
  });

  it('tells each party each line once', () => {
    const share = { type: 'ShareLines', party: 'donor:japan', lines: [line(0), line(2)], note: 'See' } as const;
    const by = { actor: COORDINATOR };
    spec
      .given(requested, answered, shared('donor:norway', line(0), line(2)), shared('donor:japan', line(2)))
      .when(share, by)
      .then({ type: 'AllocationShared', data: { party: 'donor:japan', lines: [line(0)], note: 'See' } });
    const both = [shared('donor:japan', line(2)), shared('donor:japan', line(0))];
    spec
      .given(requested, answered, ...both)
      .when(share, by)
      .then();
    const { run } = stateAfter(allocationDecider, [requested, answered, ...both]);
    expect(run?.shared).toEqual({ 'donor:japan': { at: TEST_TIME, lines: [2, 0] } });
  });

  it('tells many lines in events of at most 256 KiB, and no more at once than one append of any store takes', () => {
    const note = '\u0001'.repeat(1_000);
    const lines = Array.from({ length: 9_000 }, (_, n) => line(n));
    const told: number[] = [];
    const events: AllocationEvent[] = [requested, answered];
    for (let calls = 0; told.length < lines.length; calls += 1) {
      expect(calls).toBeLessThan(lines.length);
      const decision = allocationDecider.decide(
        { type: 'ShareLines', party: 'donor:japan', lines, note, by: { ...contextAt(TEST_TIME), actor: COORDINATOR } },
        stateAfter(allocationDecider, events),
      );
      const written = decision.kind === 'accepted' ? decision.events : [];
      const sizes = written.map((event) => Buffer.byteLength(JSON.stringify(event)));
      for (const size of sizes) expect(size).toBeLessThanOrEqual(MOST_PIECE_BYTES);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_000_000);
      for (const { data } of written) told.push(...(data as { lines: SharedLine[] }).lines.map(({ n }) => n));
      events.push(...written);
    }
    expect(told).toEqual(lines.map(({ n }) => n));
  });

  it('is given up by the timer alone, where nothing was heard of it', () => {
    const giveUp = { type: 'GiveUpRun' } as const;
    spec
      .given(requested, started)
      .when(giveUp, { actor: SYSTEM_TIMER })
      .then({
        type: 'AllocationEnded',
        data: {
          outcome: 'failed',
          because: 'nothing was heard of the run for long: the program that ran it was stopped. Ask for it again',
        },
      });
    spec.given(requested, ended).when(giveUp, { actor: SYSTEM_TIMER }).then();
    spec.given(requested).when(giveUp, { actor: SYSTEM_PROCESS }).refused('forbidden');
  });

  it('knows where its pieces stand, and how far it is', () => {
    const progressed: AllocationEvent = { type: 'AllocationProgressed', data: { parts: 1, ofParts: 2 } };
    const { run } = stateAfter(allocationDecider, [requested, started, progressed, recorded(0), recorded(1)]);
    expect(run).toMatchObject({
      ...{ status: 'running', requestedBy: 'agency:secretariat', order, started: counts },
      ...{ progress: { parts: 1, ofParts: 2 }, readUpTo: { stream: 'need-1', revision: 2, eventId: 'e' } },
      pieces: { certificate: [3, 4], pairs: [] },
    });
    const empty = stateAfter(allocationDecider, [requested, { type: 'AllocationStarted', data: counts }, ended]).run;
    expect(empty).toMatchObject({ status: 'done', end: { outcome: 'done' } });
    expect(empty).not.toHaveProperty('readUpTo');
    expect(run !== undefined && hasEnded(run)).toBe(false);
    expect(empty !== undefined && hasEnded(empty)).toBe(true);
  });

  it('ignores what it does not know, and everything before it was asked for', () => {
    const unknown = { type: 'AllocationPondered', data: {} } as unknown as AllocationEvent;
    expect(stateAfter(allocationDecider, [started])).toEqual({});
    expect(stateAfter(allocationDecider, [requested, unknown])).toEqual(stateAfter(allocationDecider, [requested]));
  });
});
