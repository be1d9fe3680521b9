import type { EventStore, RecordedEvent } from '#kernel';

/** How far the relay's wake-ups have come. */
export const WAKE_UPS = '_relay';
/** How far the relay's messages to partners have come. */
export const PARTNERS = '_relay-partners';
export const LEASE = '_lease-relay';

/** The newest event of a stream, in few reads whatever its length, also where only the newest are kept. */
export const lastOf = async (store: EventStore, stream: string): Promise<RecordedEvent | undefined> => {
  const from = async (revision: number): Promise<RecordedEvent | undefined> =>
    (await store.readStream(stream, revision, 1))[0];
  let last = await from(0);
  if (last === undefined) return undefined;
  for (let step = 1; ;) {
    const further: RecordedEvent | undefined = await from(last.revision + step);
    if (further !== undefined) {
      last = further;
      step *= 2;
    } else if (step === 1) return last;
    else step = Math.max(1, Math.floor(step / 4));
  }
};

/** The position that a checkpoint stream names last; 0n where it names none. */
export const checkpointOf = (event: RecordedEvent | undefined): bigint =>
  event === undefined ? 0n : BigInt((event.data as { readonly position: string }).position);
