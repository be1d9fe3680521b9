import type { CommandMeta, EventStore } from '#kernel';
import { emptyFold, newId, SystemClock, technicalEvent, Transactor } from '#kernel';
import type { NeedCommand } from '#needs';
import { needDecider } from '#needs';
import { needContent, npcOf } from './content.js';

/** Callers that write at once. */
export const IN_FLIGHT = 64;

/** A need as the endpoint drafts one that nobody has an id for yet. */
export const draft = async (transactor: Transactor, id: string, n: number): Promise<void> => {
  const actor = npcOf(n);
  const meta: CommandMeta = { commandId: newId(), once: true, correlationId: newId(), causationId: null, actor };
  const command = (by: NeedCommand['by']): NeedCommand => ({
    type: 'DraftNeed',
    by,
    filer: actor.party,
    beneficiaries: [actor.party],
    content: needContent(n),
  });
  const known = emptyFold(needDecider.initial);
  const { kind } = await transactor.transact(needDecider, id, command, meta, { known });
  if (kind !== 'written') throw new Error(`a draft was ${kind}`);
};

/** Writes so many drafts, each a stream of its own. */
export const writeDrafts = async (store: EventStore, events: number): Promise<void> => {
  const transactor = new Transactor(store, new SystemClock());
  let n = 0;
  const lane = async (): Promise<void> => {
    for (; n < events;) {
      n += 1;
      await draft(transactor, newId(), n);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
};

/** Has a relay send everything again, the way an operator would. */
export const fromTheBeginning = async (store: EventStore): Promise<void> => {
  for (const stream of ['_relay', '_relay-partners']) {
    const saved = await store.readStream(stream, 0, 1_000_000);
    const event = technicalEvent(newId(), 'RelayCheckpointSaved', { position: '0' }, new Date());
    await store.append(stream, saved.at(-1)?.revision ?? -1, [event]);
  }
};
