/** Wait before attempt `attempt` (from 1) after a failure: doubling from `first` up to `cap` milliseconds. */
export const backoffMs = (attempt: number, first = 100, cap = 30_000): number =>
  Math.min(cap, first * 2 ** Math.min(attempt - 1, 20));

/** Waits `milliseconds`, or less where `signal` aborts; never rejects. */
export const pause = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end, { once: true });
  });

/** Lets timers and sockets have their turn. */
export const yieldToLoop = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Milliseconds of work after which others have their turn. */
export const TURN_MS = 8;

/** Long work in turns: `pass` lets timers and sockets go on once a turn was worked for, and answers at once before that. */
export class Turns {
  private begun = performance.now();

  async pass(): Promise<void> {
    if (performance.now() - this.begun < TURN_MS) return;
    await yieldToLoop();
    this.begun = performance.now();
  }
}

/** The text of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
