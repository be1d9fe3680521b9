import { derivedId, type EventStore, type RecordedEvent } from '#kernel';

const streamOfEffects = (stream: string): string => `_effect-${stream}`;

/**
 * Does to the log what a process does: once per event however often it is called, and only in the order of the stream, for the effect
 * of revision `r` is appended at `r - 1`.
 */
export const takeEffect = async (
  store: EventStore,
  { id, stream, revision, type, metadata }: RecordedEvent,
): Promise<void> => {
  await store.append(streamOfEffects(stream), revision - 1, [
    { id: derivedId('effect', id), type, data: { of: id }, metadata },
  ]);
};

/** Ids of the events that took effect, in the order in which they did. */
export const effectsOf = async (store: EventStore, stream: string): Promise<readonly string[]> => {
  const effects = await store.readStream(streamOfEffects(stream), 0, 100_000);
  return effects.map(({ data }) => (data as { readonly of: string }).of);
};
