/** Something that changes, for those who wait until it does. */
export class Change {
  private waiting: (() => void)[] = [];

  announce(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves at the next announcement. */
  next(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** Whether `signal` has aborted by now: asked anew after each wait. */
export const isOver = (signal: AbortSignal): boolean => signal.aborted;
