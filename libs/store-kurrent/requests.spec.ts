import { randomUUID } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { BACKWARDS, END, EventStoreDBClient, jsonEvent, NO_STREAM, streamNameFilter } from '@eventstore/db-client';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import timestampPb from 'google-protobuf/google/protobuf/timestamp_pb.js';
import {
  allRequest,
  appendRequest,
  backwardsRequest,
  newestRequest,
  streamRequest,
  subscriptionRequest,
} from './requests.js';

/** A server that answers nothing and keeps what it was sent, byte for byte. */
let server: Server;
let client: EventStoreDBClient;
let received: (bytes: Buffer) => void;

beforeAll(async () => {
  server = new Server();
  const { StreamsService } = streamsGrpc;
  const keep = (bytes: Buffer) => bytes;
  server.addService(
    {
      read: { ...StreamsService.read, requestDeserialize: keep },
      batchAppend: { ...StreamsService.batchAppend, requestDeserialize: keep },
    },
    {
      read: (call: {
        request: Buffer;
        emit: (event: string, error: { code: number; metadata?: Metadata }) => void;
      }) => {
        received(call.request);
        call.emit('error', { code: status.UNIMPLEMENTED });
      },
      batchAppend: (call: { on: (event: string, listener: (bytes: Buffer) => void) => void }) => {
        call.on('data', (bytes) => {
          received(bytes);
        });
      },
    },
  );
  const batchAppend = new featuresPb.SupportedMethod()
    .setServiceName('event_store.client.streams.streams')
    .setMethodName('batchappend');
  server.addService(featuresGrpc.ServerFeaturesService, {
    getSupportedMethods: (_call: unknown, answer: (error: null, methods: unknown) => void) => {
      answer(
        null,
        new featuresPb.SupportedMethods().setEventStoreServerVersion('23.10.8').setMethodsList([batchAppend]),
      );
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false`);
});

afterAll(async () => {
  await client.dispose();
  server.forceShutdown();
});

/** What the client sends when it is asked so. */
const sentBy = async (ask: () => { on(event: 'error', listener: () => void): unknown } | Promise<unknown>) => {
  const bytes = new Promise<Buffer>((resolve) => (received = resolve));
  const asked = ask();
  if (asked instanceof Promise) asked.catch(() => undefined);
  else asked.on('error', () => undefined);
  return (await bytes).toString('hex');
};
const ours = (request: { serializeBinary(): Uint8Array }) => Buffer.from(request.serializeBinary()).toString('hex');
const at = (commit: bigint) => ({ commit, prepare: commit });

it('reads ask the server as its own client does, byte for byte', async () => {
  const forwards = { fromRevision: 7n, maxCount: 20 };
  expect(ours(streamRequest('need-é', 7, 20))).toBe(await sentBy(() => client.readStream('need-é', forwards)));
  const newest = { fromRevision: END, direction: BACKWARDS, maxCount: 1 } as const;
  expect(ours(newestRequest('need-1'))).toBe(await sentBy(() => client.readStream('need-1', newest)));
  expect(ours(allRequest(0n, 5))).toBe(await sentBy(() => client.readAll({ maxCount: 5 })));
  expect(ours(allRequest(77n, 5))).toBe(await sentBy(() => client.readAll({ fromPosition: at(77n), maxCount: 5 })));
  const end = { fromPosition: END, direction: BACKWARDS, maxCount: 9 } as const;
  expect(ours(backwardsRequest(undefined, 9))).toBe(await sentBy(() => client.readAll(end)));
  const before = { fromPosition: at(2n ** 60n), direction: BACKWARDS, maxCount: 9 } as const;
  expect(ours(backwardsRequest(2n ** 60n, 9))).toBe(await sentBy(() => client.readAll(before)));
});

it('subscriptions do too', async () => {
  const filter = streamNameFilter({ regex: '^p\\.[^_]' });
  for (const after of [0n, 99n]) {
    const options = after === 0n ? { filter } : { filter, fromPosition: at(after) };
    const theirs = await sentBy(() => client.subscribeToAll(options));
    expect(ours(subscriptionRequest(after, '^p\\.[^_]'))).toBe(theirs);
  }
});

it('appends do too, but for the correlation id and the deadline, which are new each time', async () => {
  const events = Array.from({ length: 3 }, (_, n) => ({
    id: randomUUID(),
    type: 'Écrit',
    data: { n },
    metadata: { m: 'ä' },
  }));
  const theirs = events.map((event) => jsonEvent(event));
  const serialised = events.map(({ id, type, data, metadata }) => ({
    id,
    type,
    data: JSON.stringify(data),
    metadata: JSON.stringify(metadata),
  }));
  for (const expected of [-1, 41]) {
    const expectedRevision = expected === -1 ? NO_STREAM : BigInt(expected);
    const sent = await sentBy(() => client.appendToStream('need-1', theirs, { expectedRevision }));
    const request = streamsPb.BatchAppendReq.deserializeBinary(Buffer.from(sent, 'hex'));
    const deadline = request.getOptions()?.getDeadline()?.toDate() ?? new Date(0);
    const correlation = request.getCorrelationId()?.getString() ?? '';
    expect(timestampPb.Timestamp.fromDate(deadline).toDate()).toEqual(deadline);
    expect(ours(appendRequest(correlation, 'need-1', expected, serialised, deadline))).toBe(sent);
  }
});
