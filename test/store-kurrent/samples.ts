import { sampleEvent } from '#kernel-testing';
import type { EventToAppend } from '#kernel';

export const samples = (count: number): EventToAppend[] => Array.from({ length: count }, (_, n) => sampleEvent({ n }));

export const idsOf = (events: readonly { readonly id: string }[]): readonly string[] => events.map(({ id }) => id);

/** What a promise is rejected with; undefined where it is not. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
