import type { Clock } from './clock.js';
import type { DeadlineSource, DueDeadline } from './deadlines.js';
import { deadlineCommandId } from './deadlines.js';
import { streamOf } from './decider.js';
import { SYSTEM_TIMER } from './events.js';
import type { Transactor } from './transact.js';

/** A deadline could not be tried, or a source not be asked; the next tick tries again. */
export interface DeadlineAlarm {
  readonly source: string;
  readonly error: unknown;
  readonly stream?: string;
  readonly due?: string;
}

export interface DeadlineTickerOptions {
  /** Milliseconds between the end of a tick and the next: 500 unless told, at most 1000. */
  readonly intervalMs?: number;
  readonly alarm?: (alarm: DeadlineAlarm) => void;
}

/** Deadlines asked for at once. */
const PAGE = 500;
/** Commands under way at once: enough to share a commit, few enough to leave room for people. */
const ABREAST = 64;
/** A refused deadline is decided again after this long even where its record stands still: facts of other streams may count. */
const REFUSAL_HOLDS_MS = 60_000;

interface Tried {
  /** The record's revision when the deadline was tried; undefined once it was written: then it never counts again. */
  readonly revision: number | undefined;
  readonly at: number;
}

/**
 * Turns deadlines that have come into commands of `system:timer`. The command id derives from record, key and due moment, so that
 * firing twice writes once. A refusal means the deadline is obsolete: it is left alone until its record changes.
 */
export class DeadlineTicker {
  private readonly tried = new Map<string, Tried>();
  private readonly chores: { readonly name: string; readonly work: (now?: Date) => Promise<void> }[] = [];
  private readonly intervalMs: number;
  private readonly alarm: (alarm: DeadlineAlarm) => void;
  private timer: NodeJS.Timeout | undefined;
  private started = false;
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly sources: readonly DeadlineSource[],
    private readonly transactor: Transactor,
    private readonly clock: Clock,
    options: DeadlineTickerOptions = {},
  ) {
    this.intervalMs = Math.min(options.intervalMs ?? 500, 1000);
    this.alarm = options.alarm ?? (() => undefined);
  }

  /**
   * What else is done with every tick, behind the deadlines, and a last time, without a moment, when ticking stops. Where it throws, the alarm is
   * told.
   */
  alongside(name: string, work: (now?: Date) => Promise<void>): void {
    this.chores.push({ name, work });
  }

  /** Ticks now and from then on. */
  start(): void {
    if (this.started) return;
    this.started = true;
    this.loop();
  }

  /** Stops ticking; resolves when no command is under way. */
  async stop(): Promise<void> {
    this.started = false;
    clearTimeout(this.timer);
    this.tail = this.tail.then(() => this.work());
    await this.tail;
  }

  /** One tick behind the one under way, if any: afterwards every deadline due at the clock's now has been tried. */
  tickNow(): Promise<void> {
    this.tail = this.tail.then(() => this.tick()).then(() => this.work(this.clock.now()));
    return this.tail;
  }

  private loop(): void {
    void this.tickNow().then(() => {
      if (!this.started) return;
      this.timer = setTimeout(() => {
        this.loop();
      }, this.intervalMs);
      this.timer.unref();
    });
  }

  private async work(now?: Date): Promise<void> {
    for (const { name, work } of this.chores) {
      try {
        await work(now);
      } catch (error) {
        this.alarm({ source: name, error });
      }
    }
  }

  private async tick(): Promise<void> {
    // Each would be refused, and told as one that could not be tried.
    if (this.transactor.writes.refusal !== undefined) return;
    const now = this.clock.now();
    const seen = new Set<string>();
    let complete = true;
    for (const source of this.sources) {
      try {
        await this.drain(source, now, seen);
      } catch (error) {
        complete = false;
        this.alarm({ source: source.name, error });
      }
    }
    // What no source names any more is settled; where a source could not be asked nothing is forgotten.
    if (!complete) return;
    for (const key of this.tried.keys()) if (!seen.has(key)) this.tried.delete(key);
  }

  private async drain(source: DeadlineSource, now: Date, seen: Set<string>): Promise<void> {
    for (;;) {
      // Rows tried already may stand in front of new ones until the source drops them.
      const limit = PAGE + this.tried.size;
      const rows = await source.due(now, limit);
      const fresh: { readonly key: string; readonly row: DueDeadline }[] = [];
      for (const row of rows) {
        const key = deadlineCommandId(row);
        if (!seen.has(key) && (await this.isToTry(key, row, now))) fresh.push({ key, row });
        seen.add(key);
      }
      for (let from = 0; from < fresh.length; from += ABREAST) {
        await Promise.all(fresh.slice(from, from + ABREAST).map(({ key, row }) => this.fire(source, key, row, now)));
      }
      if (rows.length < limit || fresh.length === 0) return;
    }
  }

  private async isToTry(key: string, { command }: DueDeadline, now: Date): Promise<boolean> {
    const tried = this.tried.get(key);
    if (tried === undefined) return true;
    if (tried.revision === undefined) return false;
    if (now.getTime() - tried.at >= REFUSAL_HOLDS_MS) return true;
    return (await this.transactor.load(command.decider, command.id)).revision !== tried.revision;
  }

  private async fire(source: DeadlineSource, commandId: string, row: DueDeadline, now: Date): Promise<void> {
    const { due, command } = row;
    try {
      const outcome = await this.transactor.transact(command.decider, command.id, command.command, {
        commandId,
        correlationId: commandId,
        causationId: null,
        actor: SYSTEM_TIMER,
        effectiveAt: due,
      });
      const settled = outcome.kind === 'written' || outcome.kind === 'repeated';
      this.tried.set(commandId, { revision: settled ? undefined : outcome.folded.revision, at: now.getTime() });
    } catch (error) {
      this.alarm({ source: source.name, error, stream: streamOf(command.decider.category, command.id), due });
    }
  }
}
