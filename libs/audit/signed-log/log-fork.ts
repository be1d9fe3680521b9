import { type Actor, type Clock, type EventStore, lastEventOf, LogLineage, newId, Transactor } from '#kernel';
import { parseCheckpoint, type VerifierKey } from '#tlog';
import { CHECKPOINT_STREAM } from '#evidence/format';
import type { LogKeyEvent } from './log-keys.contract.js';
import { LOG_KEYS_ID, LOG_KEYS_STREAM, type LogKeyCommand, logKeysDecider } from './log-keys.js';
import { eventsOf, Reckoning, streamOf } from './reckoning.js';

/** A fork that must not be; the message says why, and what to do. */
export class ForkRefusedError extends Error {
  override readonly name = 'ForkRefusedError';
}

export interface ForkOrder {
  readonly by: Actor;
  readonly reason: string;
  /** The key that signs from now on, under a name that this log never had. */
  readonly key: VerifierKey;
  /** The most events that are known to have been signed elsewhere. */
  readonly signed?: number;
}

const FORKED: LogKeyEvent['type'] = 'LogForked';

/** The log as it stands since its newest fork. @throws {StoreUnavailableError} */
export const lineageOf = async (store: EventStore): Promise<LogLineage> => {
  let fork: string | undefined;
  for await (const { type, id } of streamOf(store, LOG_KEYS_STREAM)) if (type === FORKED) fork = id;
  return LogLineage.of(store.storeId, fork);
};

/** The name and the key that a log was last signed with; undefined where nothing was. */
export const lastSigner = async (
  store: Pick<EventStore, 'readStream'>,
): Promise<{ readonly origin: string; readonly verifier: string | undefined } | undefined> => {
  const last = await lastEventOf(store as EventStore, CHECKPOINT_STREAM);
  if (last === undefined) return undefined;
  const { note, keys = [] } = last.data as { readonly note: string; readonly keys?: readonly string[] };
  const { origin } = parseCheckpoint(Buffer.from(note));
  return { origin, verifier: keys.find((key) => key.startsWith(`${origin}+`)) };
};

/**
 * Records that the log goes on from the events it holds, under another name and key. Nobody else writes to it meanwhile.
 * @returns how many events are kept, and the name they were signed under
 * @throws {ForkRefusedError} where nothing was signed, its own record tells that events were altered, or the name was its own before
 */
export const forkLog = async (
  store: EventStore,
  clock: Clock,
  { by, reason, key, signed }: ForkOrder,
): Promise<{ readonly size: number; readonly formerOrigin: string }> => {
  const transactor = new Transactor(store, clock);
  const { state } = await transactor.load(logKeysDecider, LOG_KEYS_ID);
  const last = await lastSigner(store);
  const formerOrigin = state.keys.at(-1)?.origin ?? last?.origin;
  if (formerOrigin === undefined)
    throw new ForkRefusedError('nothing of this log was ever signed: it goes on without a fork');
  const former = state.keys.at(-1)?.verifier ?? last?.verifier;
  const { size, root } = await reckoned(store);
  const commandId = newId();
  const outcome = await transactor.transact(
    logKeysDecider,
    LOG_KEYS_ID,
    (context): LogKeyCommand => ({
      type: 'ForkLog',
      by: context,
      formerOrigin,
      ...(former === undefined ? {} : { former }),
      ...{ origin: key.name, key: key.toString(), size, root: root.toString('base64'), reason },
      ...(signed === undefined ? {} : { signed }),
    }),
    { commandId, correlationId: commandId, causationId: null, actor: by, once: true },
  );
  if (outcome.kind === 'refused') throw new ForkRefusedError(outcome.rejection.detail);
  return { size, formerOrigin };
};

/** The tree over all events. @throws {ForkRefusedError} where it is not what the log's own record says was signed */
const reckoned = async (store: EventStore): Promise<{ readonly size: number; readonly root: Buffer }> => {
  const last = await lastEventOf(store, CHECKPOINT_STREAM);
  const stated = last === undefined ? undefined : parseCheckpoint(Buffer.from((last.data as { note: string }).note));
  const reckoning = new Reckoning();
  const agrees = (): boolean => stated?.size !== reckoning.size || reckoning.root().equals(stated.root);
  let sound = agrees();
  for await (const event of eventsOf(store)) {
    reckoning.add(event);
    sound &&= agrees();
  }
  if (!sound || (stated !== undefined && stated.size > reckoning.size))
    throw new ForkRefusedError(
      `the events are not those of its own last checkpoint (${stated?.size ?? 0} events): a fork keeps what was signed, so restore a sound backup`,
    );
  return { size: reckoning.size, root: reckoning.root() };
};
