/** The server's clock. Domain code never reads it: a command carries its time. */
export abstract class Clock {
  /** Now, never earlier than an answer given before. */
  abstract now(): Date;
}

/** The machine's clock, held still where the machine's clock steps back, so that `recordedAt` never decreases within a process. */
export class SystemClock extends Clock {
  private last = 0;

  override now(): Date {
    this.last = Math.max(this.last, Date.now());
    return new Date(this.last);
  }
}

/** A clock for tests: stands still until moved. */
export class ManualClock extends Clock {
  private time: number;

  constructor(start: string | Date) {
    super();
    this.time = new Date(start).getTime();
  }

  override now(): Date {
    return new Date(this.time);
  }

  /** Moves the clock to `moment`; moving back is refused. */
  set(moment: string | Date): void {
    const next = new Date(moment).getTime();
    if (next < this.time) throw new RangeError('a clock never goes back');
    this.time = next;
  }

  advance(milliseconds: number): void {
    this.set(new Date(this.time + milliseconds));
  }
}
