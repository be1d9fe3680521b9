import type { CounterCommand } from '#kernel-testing';
import { ANYONE, counter, InMemoryEventStore } from '#kernel-testing';
import { describe, expect, it } from '@jest/globals';
import { ManualClock } from './clock.js';
import type { DeadlineAlarm } from './deadline-ticker.js';
import { DeadlineTicker } from './deadline-ticker.js';
import type { DeadlineSource, DueDeadline } from './deadlines.js';
import { SYSTEM_TIMER } from './events.js';
import { newId } from './ids.js';
import { processCommand } from './process.js';
import { Transactor } from './transact.js';

const START = '2026-01-05T09:00:00.000Z';
const LATER = '2026-01-05T10:00:00.000Z';

const deadline = (id: string, due: string, amount = 1, key = 'raise'): DueDeadline => ({
  due,
  command: processCommand({ decider: counter, id, key, command: (by) => ({ type: 'Raise', amount, by }) }),
});

/** A source that is slow to notice: it never drops what has fired. */
class Rows implements DeadlineSource {
  readonly name = 'rows';
  asked = 0;
  constructor(public rows: readonly DueDeadline[]) {}
  due(now: Date, limit: number): readonly DueDeadline[] {
    this.asked += 1;
    return this.rows.filter(({ due }) => new Date(due) <= now).slice(0, limit);
  }
}

class CountingTransactor extends Transactor {
  transacted = 0;
  override transact: Transactor['transact'] = (...parameters) => {
    this.transacted += 1;
    return super.transact(...parameters);
  };
}

class Rig {
  readonly store = new InMemoryEventStore();
  readonly clock = new ManualClock(START);
  readonly transactor = new CountingTransactor(this.store, this.clock);
  readonly alarms: DeadlineAlarm[] = [];
  readonly ticker: DeadlineTicker;
  readonly rows: Rows;

  constructor(rows: readonly DueDeadline[], others: readonly DeadlineSource[] = [], intervalMs = 5) {
    this.rows = new Rows(rows);
    this.ticker = new DeadlineTicker([this.rows, ...others], this.transactor, this.clock, {
      intervalMs,
      alarm: (alarm) => this.alarms.push(alarm),
    });
  }

  async value(id: string): Promise<number> {
    return (await this.transactor.load(counter, id)).state.value;
  }

  async raise(id: string, amount: number): Promise<void> {
    await new Transactor(this.store, this.clock).transact(
      counter,
      id,
      (by): CounterCommand => ({ type: 'Raise', amount, by }),
      {
        commandId: newId(),
        correlationId: 'c',
        causationId: null,
        actor: ANYONE,
      },
    );
  }
}

describe('deadline ticker', () => {
  it('fires what is due, as the timer, at the moment it was due', async () => {
    const rig = new Rig([deadline('1', START), deadline('2', LATER)]);
    await rig.ticker.tickNow();
    const [fired] = await rig.store.readStream('counter-1', 0, 9);
    expect(fired?.metadata).toMatchObject({
      actor: SYSTEM_TIMER,
      effectiveAt: START,
      recordedAt: START,
      causationId: null,
      correlationId: fired?.metadata.commandId,
    });
    expect(await rig.value('2')).toBe(0);
    rig.clock.set('2026-01-05T10:00:30.000Z');
    await rig.ticker.tickNow();
    const [late] = await rig.store.readStream('counter-2', 0, 9);
    expect(late?.metadata).toMatchObject({ effectiveAt: LATER, recordedAt: '2026-01-05T10:00:30.000Z' });
  });

  it('fires once, however long the source takes to notice and however often the ticker starts', async () => {
    const rig = new Rig([deadline('1', START)]);
    await rig.ticker.tickNow();
    await rig.ticker.tickNow();
    expect(rig.transactor.transacted).toBe(1);
    await new DeadlineTicker([rig.rows], rig.transactor, rig.clock).tickNow();
    expect(rig.transactor.transacted).toBe(2);
    expect(await rig.value('1')).toBe(1);
  });

  it('tells deadlines of one record apart by key and moment', async () => {
    const rig = new Rig([
      deadline('1', START),
      deadline('1', START, 2, 'other'),
      deadline('1', '2026-01-05T08:00:00.000Z', 4),
    ]);
    await rig.ticker.tickNow();
    expect(await rig.value('1')).toBe(7);
  });

  it('catches up on everything missed in one tick', async () => {
    const rig = new Rig(Array.from({ length: 1_100 }, (_, index) => deadline(`c${index}`, START)));
    await rig.ticker.tickNow();
    expect(await rig.store.head()).toBe(1_100n);
    expect(rig.transactor.transacted).toBe(1_100);
  });

  it('leaves a refused deadline alone until its record changes', async () => {
    const rig = new Rig([deadline('1', START, 50)]);
    await rig.raise('1', 60);
    await rig.ticker.tickNow();
    await rig.ticker.tickNow();
    await rig.ticker.tickNow();
    expect(rig.transactor.transacted).toBe(1);
    await rig.raise('1', 1);
    await rig.ticker.tickNow();
    await rig.ticker.tickNow();
    expect(rig.transactor.transacted).toBe(2);
    expect(await rig.value('1')).toBe(61);
    expect(rig.alarms).toEqual([]);
  });

  it('decides a refused deadline again after a minute: facts of other streams may count', async () => {
    const rig = new Rig([deadline('1', START, 101)]);
    await rig.ticker.tickNow();
    rig.clock.advance(59_999);
    await rig.ticker.tickNow();
    expect(rig.transactor.transacted).toBe(1);
    rig.clock.advance(1);
    await rig.ticker.tickNow();
    expect(rig.transactor.transacted).toBe(2);
  });

  it('refused deadlines that the source never drops do not hide others', async () => {
    const refused = Array.from({ length: 700 }, (_, index) => deadline(`r${index}`, START, 101));
    const rig = new Rig([...refused, deadline('last', START)]);
    await rig.ticker.tickNow();
    expect(await rig.value('last')).toBe(1);
  });

  it('forgets what the source has dropped', async () => {
    const rig = new Rig([deadline('1', START, 101)]);
    await rig.ticker.tickNow();
    const { rows } = rig.rows;
    rig.rows.rows = [];
    await rig.ticker.tickNow();
    rig.rows.rows = rows;
    await rig.ticker.tickNow();
    expect(rig.transactor.transacted).toBe(2);
  });

  it('a source that fails is an alarm and keeps no other from firing; the next tick asks again', async () => {
    let broken = true;
    const row = deadline('2', START);
    const moody: DeadlineSource = {
      name: 'moody',
      due: () => (broken ? Promise.reject(new Error('not now')) : Promise.resolve([row])),
    };
    const rig = new Rig([deadline('1', START)], [moody]);
    await rig.ticker.tickNow();
    expect(await rig.value('1')).toBe(1);
    expect(rig.alarms).toMatchObject([{ source: 'moody', error: { message: 'not now' } }]);
    broken = false;
    await rig.ticker.tickNow();
    expect(await rig.value('2')).toBe(1);
    expect(rig.transactor.transacted).toBe(2);
  });

  it('a command that cannot be tried is an alarm, and tried again with the next tick', async () => {
    const rig = new Rig([deadline('1', START)]);
    const append = rig.store.append.bind(rig.store);
    rig.store.append = () => Promise.reject(new Error('disk full'));
    await rig.ticker.tickNow();
    expect(rig.alarms).toMatchObject([
      { source: 'rows', stream: 'counter-1', due: START, error: { message: 'disk full' } },
    ]);
    rig.store.append = append;
    await rig.ticker.tickNow();
    expect(await rig.value('1')).toBe(1);
  });

  it('ticks by itself from the start on, never two ticks at once, until it stops', async () => {
    const rig = new Rig([deadline('1', START)]);
    let running = 0;
    let most = 0;
    let asked = 0;
    const ticks: (() => void)[] = [];
    const third = new Promise<void>((resolve) => ticks.push(resolve));
    const slow: DeadlineSource = {
      name: 'slow',
      due: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        asked += 1;
        if (asked === 3) ticks[0]?.();
        return [];
      },
    };
    const ticker = new DeadlineTicker([slow], rig.transactor, rig.clock, { intervalMs: 1 });
    ticker.start();
    ticker.start();
    await Promise.all([ticker.tickNow(), third]);
    await ticker.stop();
    const before = asked;
    expect(most).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(asked).toBe(before);
  });

  it('stops at once while a tick is under way, after it', async () => {
    const rig = new Rig([deadline('1', START)]);
    rig.ticker.start();
    await rig.ticker.stop();
    expect(await rig.value('1')).toBe(1);
  });

  it('alarms nobody where nobody listens', async () => {
    const rig = new Rig([]);
    const ticker = new DeadlineTicker(
      [
        {
          name: 'broken',
          due: () => {
            throw new Error('no');
          },
        },
      ],
      rig.transactor,
      rig.clock,
    );
    await expect(ticker.tickNow()).resolves.toBeUndefined();
  });
});

describe('what is done alongside', () => {
  it('is done with every tick, and a last time without a moment when ticking stops; where it throws the alarm is told', async () => {
    const rig = new Rig([]);
    const done: (Date | undefined)[] = [];
    rig.ticker.alongside('chore', (now) => {
      done.push(now);
      return done.length === 2 ? Promise.reject(new Error('no')) : Promise.resolve();
    });
    await rig.ticker.tickNow();
    await rig.ticker.tickNow();
    await rig.ticker.stop();
    expect(done).toEqual([rig.clock.now(), rig.clock.now(), undefined]);
    expect(rig.alarms).toMatchObject([{ source: 'chore', error: new Error('no') }]);
  });
});
