import type { Scheduler, Timer } from './scheduler.js';

/** Monday morning, when everything begins. */
export const BEGINNING = Date.parse('2026-03-02T08:00:00.000Z');

/** What the code under simulation gets for a timer: the calls of Node's own that it makes. */
interface Handle {
  readonly timer: Timer;
  unref(): Handle;
}

/**
 * Puts virtual time in the place of this process's, for everything that runs from now on; answers how to put it back.
 * @param wall milliseconds since 1970, as a machine without skew sees them
 */
export const installVirtualTime = (scheduler: Scheduler, wall: () => number): (() => void) => {
  const real = {
    Date,
    setTimeout,
    clearTimeout,
    setImmediate,
    clearImmediate,
    setInterval,
    now: performance.now.bind(performance),
  };
  class VirtualDate extends real.Date {
    constructor(...parts: readonly unknown[]) {
      if (parts.length === 0) super(wall());
      else super(...(parts as ConstructorParameters<DateConstructor>));
    }

    static override now(): number {
      return wall();
    }
  }
  const after = (milliseconds: number | undefined, run: () => void): Handle => {
    const handle: Handle = {
      timer: scheduler.timer(milliseconds ?? 0, 'timer', run),
      unref: () => handle,
    };
    return handle;
  };
  const cancel = (handle: Handle | undefined): void => {
    if (handle !== undefined) scheduler.cancel(handle.timer);
  };
  const virtual = {
    Date: VirtualDate,
    setTimeout: (run: (...given: unknown[]) => void, milliseconds?: number, ...given: unknown[]) =>
      after(milliseconds, () => {
        run(...given);
      }),
    clearTimeout: cancel,
    setImmediate: (run: (...given: unknown[]) => void, ...given: unknown[]) =>
      after(0, () => {
        run(...given);
      }),
    clearImmediate: cancel,
    // Nothing of ours uses it; what does would run in real time unnoticed.
    setInterval: () => {
      throw new Error('setInterval is not simulated');
    },
  };
  Object.assign(globalThis, virtual);
  performance.now = () => scheduler.now;
  const { now, ...globals } = real;
  const { stackTraceLimit } = Error;
  // Errors are what a simulation makes most of, and their stacks what costs most of them.
  if (scheduler.trace === undefined) Error.stackTraceLimit = 0;
  return () => {
    Object.assign(globalThis, globals);
    performance.now = now;
    Error.stackTraceLimit = stackTraceLimit;
  };
};
