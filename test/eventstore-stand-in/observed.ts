import { randomUUID } from 'node:crypto';
import type { AppendResult, EventStoreDBClient as Client, ResolvedEvent } from '@eventstore/db-client';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { EventStoreStandIn } from './stand-in.js';

/** The server that these specs compare with what was observed: the stand-in, or a real one where `EVENTSTORE_URL` names it. */
export interface Observed {
  readonly url: string;
  readonly client: Client;
  readonly standIn: EventStoreStandIn | undefined;
  readonly stop: () => Promise<void>;
}

export const observed = async (): Promise<Observed> => {
  const given = process.env.EVENTSTORE_URL;
  const standIn = given === undefined ? await EventStoreStandIn.start() : undefined;
  const url = given ?? standIn?.url ?? '';
  const client = EventStoreDBClient.connectionString(url);
  return {
    url,
    client,
    standIn,
    stop: async () => {
      await client.dispose();
      await standIn?.stop();
    },
  };
};

export const event = (id: string = randomUUID(), data: Record<string, number> = { n: 1 }, type = 'Sampled') =>
  jsonEvent({ id, type, data });
export const events = (count: number) => Array.from({ length: count }, (_, n) => event(randomUUID(), { n }));
export const stream = (name = 's'): string => `${name}-${randomUUID()}`;

/** The client's two ways to append: over one long call, and, where credentials are given, over a call for each. */
export const PATHS = [
  ['Batch', {}],
  ['Unary', { credentials: { username: 'admin', password: 'changeit' } }],
] as const;

export const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new Error(`resolved with ${JSON.stringify(value, (_, inner: unknown) => String(inner))}`);
    },
    (error: unknown) => error,
  );

/** Everything a read yields. */
export const all = async (reading: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> => {
  const found: ResolvedEvent[] = [];
  for await (const one of reading) found.push(one);
  return found;
};

export const revisionsOf = (found: readonly ResolvedEvent[]) => found.map(({ event: one }) => Number(one?.revision));

export const place = ({ nextExpectedRevision, position }: AppendResult) => [nextExpectedRevision, position?.commit];
