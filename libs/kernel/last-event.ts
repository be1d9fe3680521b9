import type { EventStore } from './event-store.js';
import type { RecordedEvent } from './events.js';

/** The newest event of a stream, in few reads whatever its length, also where only the newest are kept. */
export const lastEventOf = async (store: EventStore, stream: string): Promise<RecordedEvent | undefined> => {
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
