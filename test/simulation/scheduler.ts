import { Random } from '../extra/random.js';

/** Whoever acts in a simulation and can be killed as a whole: what waits for it then never happens. */
export interface Owner {
  readonly name: string;
  readonly alive: boolean;
}

/** What befalls a request: it never arrives; it takes effect and the answer is lost; or it takes effect after its sender gave up on it. */
export type Trouble = 'refused' | 'lost' | 'late';

/** How often things go wrong, per request, as probabilities. */
export interface Disturbance {
  readonly refused: number;
  readonly lost: number;
  readonly late: number;
  /** Something that could happen now waits for a while of virtual time instead. */
  readonly delayed: number;
  /** Time moves on to the next timer although something could happen now. */
  readonly leap: number;
}

export const CALM: Disturbance = { refused: 0, lost: 0, late: 0, delayed: 0, leap: 0 };

/** A request to something outside of its sender. */
export interface Request<T> {
  readonly what: string;
  /** What it is about: a stream, a partition. Whole subjects fall behind at times. */
  readonly on: string;
  readonly effect: () => T;
  /** Where there is nothing to answer yet: calls back once there may be. Undefined where there is. */
  readonly parked?: (wake: () => void) => boolean;
  /** The sender's error where it cannot know what became of the request; without one the request always gets through. */
  readonly failure?: () => Error;
  /** A write may take effect after its sender died or gave up. */
  readonly isWrite?: boolean;
  /** True while sender and receiver cannot reach each other. */
  readonly isCut?: () => boolean;
}

interface Pending {
  owner: Owner;
  readonly what: string;
  readonly on: string;
  readonly isWrite: boolean;
  readonly go: () => void;
}

export interface Timer {
  readonly due: number;
  readonly pending: Pending;
  /** The network holds it back: nobody waits for this moment. */
  readonly delayed: boolean;
}

/** Something stands still although nothing disturbs it any more, or never ends. */
export class RestlessError extends Error {
  override readonly name = 'RestlessError';
}

/** Acts on behalf of no process: wires, brokers, the passing of time. */
export const NATURE: Owner = { name: 'nature', alive: true };

/** Steps for which the same subjects fall behind. */
const SPELL = 150;
/** How often a subject that falls behind is passed over. */
const PASSED_OVER = 0.9;

/**
 * One thing at a time, in an order that the seed determines. Everything that a real process waits for (answers of log and broker, timers)
 * stands here as something pending; each step lets one of them happen and everything that follows from it without waiting.
 */
export class Scheduler {
  readonly random: Random;
  /** Milliseconds since the beginning. */
  now = 0;
  steps = 0;
  /** Differs where two runs differ in anything that was chosen. */
  digest = 0x811c9dc5;
  disturbance: Disturbance = CALM;
  /** Who acts in this step. */
  owner: Owner = NATURE;
  readonly trace: string[] | undefined;
  private readonly ready: Pending[] = [];
  /** Sorted by due time, the next one last. */
  private readonly timers: Timer[] = [];
  private behind: readonly string[] = [];

  constructor(seed: number, traced = false) {
    this.random = new Random(seed);
    this.trace = traced ? [] : undefined;
  }

  /** Says something in the trace. */
  note(text: string): void {
    this.trace?.push(`        ${text}`);
  }

  /** Sends a request; its effect and its answer are steps of their own. */
  request<T>({ what, on, effect, parked, failure, isWrite = false, isCut = () => false }: Request<T>): Promise<T> {
    const { owner } = this;
    return new Promise<T>((resolve, reject) => {
      const fail = (): void => {
        reject(failure?.() ?? new Error(`${what} ${on} cannot fail`));
      };
      const go = (): void => {
        const trouble = failure === undefined ? undefined : isCut() ? 'refused' : this.trouble(isWrite);
        if (trouble === 'refused') {
          this.note('refused');
          fail();
          return;
        }
        if (trouble === 'late') {
          this.note('is given up on and arrives later');
          const arrive = (): void => {
            try {
              effect();
            } catch (error) {
              this.note(error instanceof Error ? error.name : 'failed');
            }
          };
          this.delay({ owner: NATURE, what: `${what} (late)`, on, isWrite: true, go: arrive });
          fail();
          return;
        }
        const wake = (): void => {
          this.post({ owner, what, on, isWrite, go });
        };
        if (parked?.(wake) === true) return;
        let answer: () => void;
        try {
          const value = effect();
          answer = () => {
            resolve(value);
          };
        } catch (error) {
          answer = () => {
            reject(error instanceof Error ? error : new Error(String(error)));
          };
        }
        const answered = (): void => {
          if (trouble === 'lost' || (failure !== undefined && isCut())) {
            this.note('answer lost');
            fail();
          } else answer();
        };
        this.post({ owner, what: `${what} answered`, on, isWrite: false, go: answered });
      };
      this.post({ owner, what, on, isWrite, go });
    });
  }

  /** Something that happens in a later step. */
  later(what: string, on: string, go: () => void, owner: Owner = this.owner): void {
    this.post({ owner, what, on, isWrite: false, go });
  }

  /** Something that happens once so many milliseconds have passed. */
  timer(milliseconds: number, what: string, go: () => void, owner: Owner = this.owner): Timer {
    return this.after(milliseconds, { owner, what, on: '', isWrite: false, go });
  }

  cancel(timer: Timer): void {
    const index = this.timers.indexOf(timer);
    if (index >= 0) this.timers.splice(index, 1);
    // It may have come due and not happened yet.
    const pending = this.ready.indexOf(timer.pending);
    if (pending >= 0) this.ready.splice(pending, 1);
  }

  /** Nothing goes wrong from here on, and what the network held back arrives. */
  calm(): void {
    this.disturbance = CALM;
    keep(this.timers, ({ delayed, pending }) => {
      if (delayed) this.ready.push(pending);
      return !delayed;
    });
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.timer(milliseconds, 'wakes', resolve));
  }

  /** Forgets everything that waits for a dead owner, but for some of the writes that it had sent already. */
  bury(owner: Owner): void {
    const spared = (pending: Pending): boolean => {
      if (pending.owner !== owner) return true;
      if (!pending.isWrite || this.random.chance(0.5)) return false;
      pending.owner = NATURE;
      return true;
    };
    keep(this.ready, spared);
    keep(this.timers, ({ pending }) => spared(pending));
  }

  /**
   * Lets things happen until `done` says so.
   * @throws {RestlessError} after `limit` steps, or where nothing is left that could happen
   */
  async run(done: () => boolean, limit: number): Promise<void> {
    const last = this.steps + limit;
    while (!done()) {
      if (this.steps >= last) throw new RestlessError(`it did not come to an end within ${limit} steps`);
      this.step();
      await drained();
    }
  }

  private step(): void {
    this.steps += 1;
    this.now += 1;
    this.fire();
    if (this.ready.length === 0 || (this.timers.length > 0 && this.random.chance(this.disturbance.leap))) {
      const next = this.timers.at(-1);
      if (next === undefined) throw new RestlessError('nothing is left that could happen');
      this.now = Math.max(this.now, next.due);
      this.fire();
    }
    const index = this.choose();
    const chosen = this.ready[index];
    if (chosen === undefined) return;
    this.digest = Math.imul(this.digest ^ index ^ (this.ready.length << 16), 0x01000193);
    const end = this.ready.pop();
    if (end !== undefined && end !== chosen) this.ready[index] = end;
    this.owner = chosen.owner;
    this.trace?.push(`${this.steps} +${this.now}ms ${chosen.owner.name}: ${chosen.what} ${chosen.on}`);
    chosen.go();
  }

  /** What has come due can happen. */
  private fire(): void {
    for (let next = this.timers.at(-1); next !== undefined && next.due <= this.now; next = this.timers.at(-1)) {
      this.timers.pop();
      this.ready.push(next.pending);
    }
  }

  private choose(): number {
    if (this.disturbance !== CALM && this.steps % SPELL === 0) this.behind = this.fallBehind();
    let index = Math.floor(this.random.next() * this.ready.length);
    for (let tries = 0; tries < 4 && this.isBehind(index) && this.random.chance(PASSED_OVER); tries += 1) {
      index = Math.floor(this.random.next() * this.ready.length);
    }
    return index;
  }

  private isBehind(index: number): boolean {
    const pending = this.ready[index];
    return pending !== undefined && (this.behind.includes(pending.on) || this.behind.includes(pending.owner.name));
  }

  /** Up to two subjects or processes of those in sight. */
  private fallBehind(): readonly string[] {
    if (this.ready.length === 0 || this.random.chance(0.4)) return [];
    const { owner, on } = this.random.pick(this.ready);
    return this.random.chance(0.5) ? [owner.name] : [on, this.random.pick(this.ready).on];
  }

  private trouble(isWrite: boolean): Trouble | undefined {
    const { refused, lost, late } = this.disturbance;
    if (refused + lost + late === 0) return undefined;
    const drawn = this.random.next();
    if (drawn < refused) return 'refused';
    if (drawn < refused + lost) return 'lost';
    return isWrite && drawn < refused + lost + late ? 'late' : undefined;
  }

  private post(pending: Pending): void {
    if (!pending.owner.alive) return;
    if (this.disturbance.delayed > 0 && this.random.chance(this.disturbance.delayed)) this.delay(pending);
    else this.ready.push(pending);
  }

  private delay(pending: Pending): void {
    this.after(this.wait(), pending, true);
  }

  private after(milliseconds: number, pending: Pending, delayed = false): Timer {
    const timer: Timer = { due: this.now + Math.max(0, milliseconds), pending, delayed };
    let low = 0;
    let high = this.timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.timers[middle];
      if (other !== undefined && other.due > timer.due) low = middle + 1;
      else high = middle;
    }
    this.timers.splice(low, 0, timer);
    return timer;
  }

  /** Milliseconds of a delay: mostly short, now and then longer than any patience. */
  private wait(): number {
    return this.random.chance(0.1) ? this.random.between(5_000, 60_000) : this.random.between(1, 400);
  }
}

/** Removes from `list` what does not pass, in place. */
const keep = <T>(list: T[], passes: (item: T) => boolean): void => {
  let kept = 0;
  for (const item of list) {
    if (!passes(item)) continue;
    list[kept] = item;
    kept += 1;
  }
  list.length = kept;
};

/**
 * Everything that follows without waiting has happened: a callback of `nextTick` that was asked for among microtasks runs once there are
 * none left.
 */
const drained = (): Promise<void> =>
  new Promise((resolve) => {
    process.nextTick(resolve);
  });
