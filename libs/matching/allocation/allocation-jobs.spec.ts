import type { Answer, Outcome, Problem, SolveOptions } from '#allocation';
import { ANONYMOUS } from '#directory/contract';
import type { Actor, RecordedEvent } from '#kernel';
import { ManualClock, StoreUnavailableError, Transactor } from '#kernel';
import { InMemoryEventStore } from '#kernel-testing';
import type { AllocationEvent, AllocationOrder } from './allocation.contract.js';
import { AllocationJobs } from './allocation-jobs.js';
import { MOST_PIECE_BYTES } from './in-pieces.js';
import type { AllocationProblems, Posed } from './allocation-problems.js';
import { AllocationSolver } from './allocation-solver.js';
import { allocationDecider } from './allocation.js';

const COORDINATOR: Actor = { party: 'agency:secretariat', role: 'coordinator', subject: 's' };
const order: AllocationOrder = { scope: {}, objective: 'max-value', floors: [], budgets: [], seed: 0 };
const EMPTY: Problem = { needs: [], offers: [], arcs: [], budgets: [], floors: [], objective: 'max-value', seed: 0 };

const answer = (pairs: number): Answer => ({
  pairs: Array.from({ length: pairs }, (_, n) => ({
    ...{ needId: `n${n}`, needLine: 1, offerId: 'o1', offerLine: 1, measure: 'money:USD', quantity: 150n },
    because: 'x'.repeat(100),
  })),
  unmet: [],
  prices: [],
  fairness: { equalShares: [], leastServed: [], states: [], regions: [] },
  ...{ leftOut: [], floors: [], notes: [], value: '1.5', bound: '2' },
  certificate: ['{"a":1}', '\n'],
  certificateSha256: 'ab',
});

type Solve = (options: Pick<SolveOptions, 'signal' | 'onProgress'>) => Promise<Outcome>;

class Rig {
  readonly clock = new ManualClock('2026-11-01T00:00:00.000Z');
  readonly store: InMemoryEventStore;
  readonly transactor: Transactor;
  readonly jobs: AllocationJobs;

  constructor(solve: Solve, store = new InMemoryEventStore()) {
    this.store = store;
    this.transactor = new Transactor(store, this.clock);
    const posed: Posed = {
      started: { ruleset: '3', needLines: 0, offerLines: 0, pairs: 0 },
      problem: EMPTY,
    };
    const problems = { posed: () => Promise.resolve(posed) } as unknown as AllocationProblems;
    const solver = new (class extends AllocationSolver {
      override solve(_problem: Problem, options: Pick<SolveOptions, 'signal' | 'onProgress'>): Promise<Outcome> {
        return solve(options);
      }
    })();
    this.jobs = new AllocationJobs(this.transactor, problems, solver);
  }

  async ask(id: string): Promise<void> {
    await this.command(id, 'RequestAllocation');
    this.jobs.enqueue({ id, order, caller: ANONYMOUS, correlationId: 'c' });
  }

  command(id: string, type: 'RequestAllocation' | 'CancelAllocation'): Promise<unknown> {
    const meta = { commandId: `${type} ${id}`, correlationId: 'c', causationId: null, actor: COORDINATOR };
    return this.transactor.transact(allocationDecider, id, (by) => ({ type, by, order }), meta);
  }

  async told(id: string): Promise<readonly AllocationEvent[]> {
    const events = await this.store.readStream(`allocation-${id}`, 0, 1_000);
    return events.map(({ type, data }) => ({ type, data }) as AllocationEvent);
  }

  /** The types of a run's events, once it has come to `last`. */
  async until(id: string, last: AllocationEvent['type']): Promise<readonly string[]> {
    await new Promise<void>((resolve) => {
      const subscription = this.store.subscribeToAll(0n, async (batch: readonly RecordedEvent[]) => {
        if (batch.some(({ stream, type }) => stream === `allocation-${id}` && type === last)) {
          void subscription.stop();
          resolve();
        }
      });
    });
    return (await this.told(id)).map(({ type }) => type);
  }
}

const done =
  (pairs: number): Solve =>
  () =>
    Promise.resolve({ status: 'done', answer: answer(pairs) });

/** Solves until it is told to stop. */
const forEver: Solve = ({ signal }) =>
  new Promise((resolve) => {
    signal?.addEventListener('abort', () => resolve({ status: 'cancelled', answer: undefined }));
  });

describe('the runs of a process', () => {
  it('record what they read, their answer in pieces of at most 256 KiB, and their end', async () => {
    const rig = new Rig(done(3_000));
    await rig.ask('1');
    const types = await rig.until('1', 'AllocationEnded');
    expect(types.slice(0, 2)).toEqual(['AllocationRequested', 'AllocationStarted']);
    const pieces = (await rig.told('1')).flatMap((event) =>
      event.type === 'AllocationPieceRecorded' ? [event.data] : [],
    );
    expect(pieces.map(({ n, piece: { part } }) => `${part} ${n}`)).toEqual([
      ...['pairs 0', 'pairs 1', 'pairs 2'],
      ...['certificate 0', 'certificate 1'],
    ]);
    for (const piece of pieces) expect(Buffer.byteLength(JSON.stringify(piece))).toBeLessThanOrEqual(MOST_PIECE_BYTES);
    const items = pieces.flatMap(({ piece }) => ('items' in piece ? [...piece.items] : []));
    expect(items).toHaveLength(3_000);
    expect(items[0]).toMatchObject({ needId: 'n0', quantity: { measure: 'money', currency: 'USD', amount: '1.50' } });
    expect((await rig.told('1')).at(-1)).toMatchObject({
      data: { outcome: 'done', summary: { value: '1.5', bound: '2', certificateSha256: 'ab' } },
    });
  });

  it('go one after the other', async () => {
    let running = 0;
    let most = 0;
    const rig = new Rig(async () => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      return { status: 'failed', because: 'no number', answer: undefined };
    });
    for (const id of ['1', '2', '3']) await rig.ask(id);
    expect(await rig.until('3', 'AllocationEnded')).not.toContain('AllocationPieceRecorded');
    expect(most).toBe(1);
    expect((await rig.told('2')).at(-1)).toMatchObject({ data: { outcome: 'failed', because: 'no number' } });
  });

  it('tell which bounds conflict, and that a limit was reached', async () => {
    const conflict = { kind: 'floor', of: 'VUT', measure: 'money:USD', quantity: 100n, because: 'too much' } as const;
    const outcomes: Outcome[] = [
      { status: 'infeasible', because: 'two floors', conflicts: [[conflict]], answer: answer(0) },
      { status: 'limit', because: 'nodes', answer: answer(0) },
    ];
    const rig = new Rig(() => Promise.resolve(outcomes.shift() ?? { status: 'cancelled', answer: undefined }));
    await rig.ask('1');
    await rig.ask('2');
    await rig.until('2', 'AllocationEnded');
    expect((await rig.told('1')).at(-1)).toMatchObject({
      data: {
        outcome: 'infeasible',
        conflicts: [[{ of: 'VUT', quantity: { measure: 'money', currency: 'USD', amount: '1.00' } }]],
      },
    });
    expect((await rig.told('2')).at(-1)).toMatchObject({ data: { outcome: 'done', because: 'nodes' } });
  });

  it('stop when they are cancelled, running or waiting, and record nothing more', async () => {
    const rig = new Rig(forEver);
    await rig.ask('1');
    await rig.ask('2');
    await rig.until('1', 'AllocationStarted');
    for (const id of ['2', '1']) {
      await rig.command(id, 'CancelAllocation');
      rig.jobs.cancel(id);
    }
    await rig.jobs.onModuleDestroy();
    expect((await rig.told('1')).map(({ type }) => type)).toEqual([
      ...['AllocationRequested', 'AllocationStarted', 'AllocationCancelled'],
    ]);
    expect((await rig.told('2')).map(({ type }) => type)).toEqual(['AllocationRequested', 'AllocationCancelled']);
  });

  it('leave a run to the process that began it, where a repeated request reached two', async () => {
    const store = new InMemoryEventStore();
    const first = new Rig(forEver, store);
    await first.ask('1');
    await first.until('1', 'AllocationStarted');
    let solved = 0;
    const second = new Rig(() => {
      solved += 1;
      return Promise.resolve({ status: 'done', answer: answer(1) });
    }, store);
    second.jobs.enqueue({ id: '1', order, caller: ANONYMOUS, correlationId: 'c' });
    await second.ask('2');
    await second.until('2', 'AllocationEnded');
    expect(solved).toBe(1);
    expect((await second.told('1')).map(({ type }) => type)).toEqual(['AllocationRequested', 'AllocationStarted']);
    await first.jobs.onModuleDestroy();
  });

  it('stop when they were cancelled by another process, at the next they have to say', async () => {
    const rig = new Rig(async () => {
      await rig.command('1', 'CancelAllocation');
      return { status: 'done', answer: answer(1) };
    });
    await rig.ask('1');
    expect(await rig.until('1', 'AllocationCancelled')).not.toContain('AllocationEnded');
    await rig.jobs.onModuleDestroy();
    expect((await rig.told('1')).at(-1)?.type).toBe('AllocationCancelled');
  });

  it('that cannot go on end as failed, without the text of the fault', async () => {
    const rig = new Rig(() => Promise.reject(new TypeError('secret figures')));
    await rig.ask('1');
    await rig.until('1', 'AllocationEnded');
    expect((await rig.told('1')).at(-1)).toEqual({
      type: 'AllocationEnded',
      data: { outcome: 'failed', because: 'the run could not go on (TypeError): ask for it again' },
    });
  });

  it('wait for a log that is out of reach for a moment', async () => {
    let failures = 2;
    const store = new (class extends InMemoryEventStore {
      override async append(...args: Parameters<InMemoryEventStore['append']>) {
        if (args[2][0]?.type === 'AllocationPieceRecorded' && failures > 0) {
          failures -= 1;
          throw new StoreUnavailableError('the log is out of reach');
        }
        return super.append(...args);
      }
    })();
    const rig = new Rig(done(1), store);
    await rig.ask('1');
    expect(await rig.until('1', 'AllocationEnded')).toEqual([
      ...['AllocationRequested', 'AllocationStarted'],
      ...['AllocationPieceRecorded', 'AllocationPieceRecorded', 'AllocationPieceRecorded', 'AllocationEnded'],
    ]);
    expect(failures).toBe(0);
  });

  it('of a program that is stopped are left for the timer to give up', async () => {
    const rig = new Rig(forEver);
    await rig.ask('1');
    await rig.until('1', 'AllocationStarted');
    await rig.jobs.onModuleDestroy();
    rig.jobs.enqueue({ id: '1', order, caller: ANONYMOUS, correlationId: 'c' });
    expect((await rig.told('1')).map(({ type }) => type)).toEqual(['AllocationRequested', 'AllocationStarted']);
  });
});
