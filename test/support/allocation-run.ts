import type { EventStore } from '#kernel';

const ENDS: readonly string[] = ['AllocationEnded', 'AllocationCancelled'];

/** Resolves once the log says that a run has come to its end, however it did. */
export const runEnded = async (store: Pick<EventStore, 'subscribeToAll'>, id: string): Promise<void> => {
  let ended: () => void = () => undefined;
  const end = new Promise<void>((resolve) => (ended = resolve));
  const subscription = store.subscribeToAll(0n, async (batch) => {
    if (batch.some(({ stream, type }) => stream === `allocation-${id}` && ENDS.includes(type))) ended();
  });
  await end;
  await subscription.stop();
};
