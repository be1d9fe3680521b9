import { randomUUID } from 'node:crypto';
import type { ServiceError } from '@grpc/grpc-js';
import { credentials, Metadata } from '@grpc/grpc-js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type {
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  ReadResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import timestampPb from 'google-protobuf/google/protobuf/timestamp_pb.js';
import type { Observed } from './observed.js';
import { events, failureOf, observed, stream } from './observed.js';

let server: Observed;
let grpc: StreamsClient;
let address: string;

beforeAll(async () => {
  server = await observed();
  address = server.url.replace('esdb://', '').replace(/\?.*/, '');
  grpc = new streamsGrpc.StreamsClient(address, credentials.createInsecure());
});

afterAll(async () => {
  grpc.close();
  await server.stop();
});

const identifier = (name: string) => new sharedPb.StreamIdentifier().setStreamName(Buffer.from(name));
const empty = () => new sharedPb.Empty();

/** Fields that are set, as the stubs tell them. */
const shape = (message: { toObject(): object }): unknown =>
  JSON.parse(
    JSON.stringify(message.toObject(), (_key, value: unknown) =>
      value === '' || value === 0 || value === '0' || value === false ? undefined : value,
    ),
  );

const trailersOf = ({ code, details, metadata }: ServiceError) => {
  const keys = ['exception', 'stream-name', 'expected-version', 'actual-version', 'maximum-append-size'];
  const trailers = keys.flatMap((key) => metadata.get(key).map((value) => [key, value.toString()]));
  return { code, details, ...Object.fromEntries(trailers) };
};

it('ServerFeatures tells its version and, in lower case, what it can', async () => {
  const client = new featuresGrpc.ServerFeaturesClient(address, credentials.createInsecure());
  const supported = await new Promise<SupportedMethods>((resolve, reject) =>
    client.getSupportedMethods(empty(), (error, answer) => {
      if (error === null) resolve(answer);
      else reject(error);
    }),
  );
  client.close();
  expect(supported.getEventStoreServerVersion()).toBe('23.10.8');
  const methods = supported.toObject().methodsList;
  const service = 'event_store.client.streams.streams';
  for (const [name, featuresList] of [
    ['read', ['position', 'events']],
    ['append', []],
    ['delete', []],
    ['tombstone', []],
    ['batchappend', ['deadline_duration']],
  ] as const) {
    expect(methods).toContainEqual({ serviceName: service, methodName: name, featuresList });
  }
});

describe('Append', () => {
  type Expected = (options: InstanceType<typeof streamsPb.AppendReq.Options>) => unknown;
  const append = (
    name: string,
    expected: Expected,
    properties: readonly Readonly<Record<string, string>>[],
    bytes = 1,
  ) =>
    new Promise<AppendResp>((resolve, reject) => {
      const call = grpc.append((error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
      call.on('error', () => undefined);
      const options = new streamsPb.AppendReq.Options().setStreamIdentifier(identifier(name));
      expected(options);
      call.write(new streamsPb.AppendReq().setOptions(options));
      for (const of of properties) {
        const message = new streamsPb.AppendReq.ProposedMessage()
          .setId(new sharedPb.UUID().setString(randomUUID()))
          .setData(new Uint8Array(bytes));
        for (const [key, value] of Object.entries(of)) message.getMetadataMap().set(key, value);
        call.write(new streamsPb.AppendReq().setProposedMessage(message));
      }
      call.end();
    });
  const plain = { type: 'T', 'content-type': 'application/json' };
  const noStream: Expected = (options) => options.setNoStream(empty());
  const exact =
    (revision: number): Expected =>
    (options) =>
      options.setRevision(String(revision));

  it('answers a success with revision and position, an empty one on a missing stream without a revision', async () => {
    const name = stream();
    const { success } = (await append(name, noStream, [plain, plain])).toObject();
    expect(success).toMatchObject({ currentRevision: '1', noStream: undefined, noPosition: undefined });
    expect(success?.position?.commitPosition).toBe(success?.position?.preparePosition);
    expect((await append(stream(), noStream, [])).toObject().success).toMatchObject({ noStream: {} });
  });

  it('answers a wrong version with status 0, in old and new fields', async () => {
    const name = stream();
    await append(name, noStream, [plain, plain]);
    const wrong = async (of: string, expected: Expected) => shape(await append(of, expected, [plain]));
    const there = { currentRevision: '1', currentRevision2060: 1 };
    const missing = { currentNoStream: {}, noStream2060: {} };
    expect(await wrong(name, noStream)).toEqual({
      // 2^64 - 1 on a real server, which no number of the stubs holds exactly.
      wrongExpectedVersion: { ...there, expectedNoStream: {}, expectedRevision2060: expect.any(Number) },
    });
    const nine = { expectedRevision: '9', expectedRevision2060: 9 };
    expect(await wrong(name, exact(9))).toEqual({ wrongExpectedVersion: { ...there, ...nine } });
    expect(await wrong(stream(), exact(9))).toEqual({ wrongExpectedVersion: { ...missing, ...nine } });
    expect(await wrong(stream(), (options) => options.setStreamExists(empty()))).toEqual({
      wrongExpectedVersion: { ...missing, expectedStreamExists: {}, streamExists2060: {} },
    });
  });

  it('ends with a status and trailers where it refuses', async () => {
    const refused = async (...of: Parameters<typeof append>) =>
      trailersOf((await failureOf(append(...of))) as ServiceError);
    expect(await refused(stream(), noStream, [plain], 1_048_577)).toEqual({
      code: 3,
      details: 'Maximum Append Size of 1048576 Exceeded.',
      exception: 'maximum-append-size-exceeded',
      'maximum-append-size': '1048576',
    });
    expect(await refused(stream(), noStream, [{ 'content-type': 'application/json' }])).toEqual({
      code: 3,
      details: "Required Metadata Property 'type' is missing",
      exception: 'missing-required-metadata-property',
    });
    const ended = stream();
    await server.client.tombstoneStream(ended);
    expect(await refused(ended, noStream, [plain])).toEqual({
      code: 9,
      details: `Event stream '${ended}' is deleted.`,
      exception: 'stream-deleted',
      'stream-name': ended,
    });
  });
});

describe('BatchAppend', () => {
  /** Sends these requests over one call and collects so many answers, with the milliseconds each took. */
  const batch = (requests: readonly BatchAppendReq[], answers: number) =>
    new Promise<{ readonly answer: BatchAppendResp.AsObject; readonly type: string; readonly ms: number }[]>(
      (resolve, reject) => {
        const call = grpc.batchAppend();
        const begun = performance.now();
        const got: { answer: BatchAppendResp.AsObject; type: string; ms: number }[] = [];
        call.on('error', reject);
        call.on('data', (response: BatchAppendResp) => {
          const type = response.getError()?.getDetails()?.getTypeName() ?? '';
          got.push({ answer: response.toObject(), type, ms: performance.now() - begun });
          if (got.length < answers) return;
          call.on('error', () => undefined).removeListener('error', reject);
          call.cancel();
          resolve(got);
        });
        for (const request of requests) call.write(request);
      },
    );

  interface Asked {
    readonly name?: string;
    readonly expected?: (options: BatchAppendReq.Options) => unknown;
    readonly ids?: readonly string[];
    readonly type?: string;
    readonly bytes?: number;
    readonly deadlineMs?: number;
    readonly isFinal?: boolean;
  }
  const noStream = (options: BatchAppendReq.Options) => options.setNoStream(new emptyPb.Empty());
  const request = ({
    name = stream(),
    expected = noStream,
    ids = [randomUUID()],
    type = 'T',
    bytes = 1,
    deadlineMs = 10_000,
    isFinal = true,
  }: Asked = {}) => {
    const options = new streamsPb.BatchAppendReq.Options()
      .setStreamIdentifier(identifier(name))
      .setDeadline(timestampPb.Timestamp.fromDate(new Date(Date.now() + deadlineMs)));
    expected(options);
    const messages = ids.map((id) => {
      const message = new streamsPb.BatchAppendReq.ProposedMessage()
        .setId(new sharedPb.UUID().setString(id))
        .setData(new Uint8Array(bytes));
      message.getMetadataMap().set('type', type).set('content-type', 'application/json');
      return message;
    });
    return new streamsPb.BatchAppendReq()
      .setCorrelationId(new sharedPb.UUID().setString(randomUUID()))
      .setOptions(options)
      .setProposedMessagesList(messages)
      .setIsFinal(isFinal);
  };
  const one = async (asked: Asked) => {
    const sent = request(asked);
    const [got] = await batch([sent], 1);
    return { ...got!, correlation: sent.getCorrelationId()!.getString() };
  };

  it('answers a success by its correlation id, and goes on', async () => {
    const name = stream();
    const [first, second] = [
      request({ name, ids: [randomUUID(), randomUUID()] }),
      request({ name, expected: (options) => options.setStreamPosition('1') }),
    ];
    const got = await batch([first, second], 2);
    expect(got.map(({ answer }) => answer.correlationId?.string)).toEqual(
      [first, second].map((sent) => sent.getCorrelationId()?.getString()),
    );
    expect(got.map(({ answer }) => answer.success?.currentRevision)).toEqual(['1', '2']);
    expect(Buffer.from(String(got[0]?.answer.streamIdentifier?.streamName), 'base64').toString()).toBe(name);
    expect(got[0]?.answer.success?.position?.commitPosition).toBe(got[0]?.answer.success?.position?.preparePosition);
    expect((await one({ ids: [] })).answer.success).toMatchObject({ noStream: {} });
  });

  it('answers a wrong version with what is and what was expected', async () => {
    const name = stream();
    await one({ name, ids: [randomUUID(), randomUUID()] });
    const details = async (asked: Asked) => {
      const sent = request(asked);
      return new Promise<unknown>((resolve, reject) => {
        const call = grpc.batchAppend();
        call.on('error', () => undefined);
        call.on('data', (response: BatchAppendResp) => {
          const status = response.getError();
          const bytes = status?.getDetails()?.getValue_asU8();
          if (bytes === undefined) reject(new Error('no details'));
          else {
            resolve([
              status?.getCode(),
              status?.getMessage(),
              status?.getDetails()?.getTypeUrl(),
              shape(sharedPb.WrongExpectedVersion.deserializeBinary(bytes)),
            ]);
          }
          call.cancel();
        });
        call.write(sent);
      });
    };
    const wrong = [6, 'WrongExpectedVersion', 'type.googleapis.com/event_store.client.WrongExpectedVersion'];
    expect(await details({ name })).toEqual([...wrong, { currentStreamRevision: '1', expectedNoStream: {} }]);
    expect(await details({ expected: (options) => options.setStreamPosition('9') })).toEqual([
      ...wrong,
      { currentNoStream: {}, expectedStreamPosition: '9' },
    ]);
    expect(await details({ expected: (options) => options.setStreamExists(new emptyPb.Empty()) })).toEqual([
      ...wrong,
      { currentNoStream: {}, expectedStreamExists: {} },
    ]);
  });

  it('answers what is too large, and what is deleted', async () => {
    expect(await one({ bytes: 1_048_577 })).toMatchObject({
      answer: { error: { code: 3, message: 'MaximumAppendSizeExceeded' } },
      type: 'event_store.client.MaximumAppendSizeExceeded',
    });
    const name = stream();
    await server.client.tombstoneStream(name);
    expect(await one({ name })).toMatchObject({
      answer: { error: { code: 5, message: 'StreamDeleted' } },
      type: 'event_store.client.StreamDeleted',
    });
  });

  const timeout = { answer: { error: { code: 4, message: 'Timeout' } }, type: 'event_store.client.Timeout' };

  it.each([
    [700, 700],
    [10_000, 2_000],
  ])('answers a request that is never completed, with a deadline of %i ms, after %i', async (deadlineMs, ms) => {
    const got = await one({ deadlineMs, isFinal: false });
    expect(got).toMatchObject(timeout);
    expect(got.ms).toBeGreaterThan(ms - 50);
    expect(got.ms).toBeLessThan(ms + 1_500);
    const { structured } = got.answer.correlationId!;
    const half = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
    expect(half(structured!.mostSignificantBits) + half(structured!.leastSignificantBits)).toBe(
      got.correlation.replaceAll('-', ''),
    );
  });

  it('answers a deadline that is over at once', async () => {
    const got = await one({ deadlineMs: -10 });
    expect(got).toMatchObject(timeout);
    expect(got.answer.correlationId?.structured).toBeDefined();
  });

  it('answers a malformed request twice', async () => {
    for (const asked of [{ ids: ['no-uuid'] }, { type: '' }]) {
      const sent = request({ ...asked, deadlineMs: 300 });
      const [bad, late] = await batch([sent], 2);
      expect(bad).toMatchObject({
        answer: {
          correlationId: { string: sent.getCorrelationId()?.getString() },
          error: { code: 3, message: 'BadRequest' },
        },
        type: 'event_store.client.BadRequest',
      });
      expect(late).toMatchObject(timeout);
      expect(late?.answer.correlationId?.structured).toBeDefined();
      expect(late!.ms - bad!.ms).toBeGreaterThan(200);
    }
  });
});

describe('Read', () => {
  type Options = InstanceType<typeof streamsPb.ReadReq.Options>;
  const ofStream = (name: string) => (options: Options) =>
    options.setStream(
      new streamsPb.ReadReq.Options.StreamOptions().setStreamIdentifier(identifier(name)).setStart(empty()),
    );
  /** The messages of a read, and how it ended; a subscription is cancelled after so many. */
  const read = (asked: (options: Options) => unknown, subscribed = 0) =>
    new Promise<{ readonly messages: ReadResp[]; readonly status: ServiceError | undefined }>((resolve) => {
      const options = new streamsPb.ReadReq.Options()
        .setUuidOption(new streamsPb.ReadReq.Options.UUIDOption().setString(empty()))
        .setNoFilter(empty());
      asked(options);
      if (subscribed > 0) options.setSubscription(new streamsPb.ReadReq.Options.SubscriptionOptions());
      else options.setCount('1000');
      const messages: ReadResp[] = [];
      const call = grpc.read(new streamsPb.ReadReq().setOptions(options), new Metadata());
      call.on('data', (message: ReadResp) => {
        messages.push(message);
        if (messages.length === subscribed) call.cancel();
      });
      call.on('error', (status: ServiceError) => {
        resolve({ messages, status });
      });
      call.on('end', () => {
        setImmediate(resolve, { messages, status: undefined });
      });
    });
  const cases = (messages: readonly ReadResp[]) =>
    messages.map((message) => {
      const { event, checkpoint, confirmation, caughtUp } = message.toObject();
      if (event !== undefined) return `event@${event.commitPosition}`;
      if (checkpoint !== undefined) return `checkpoint@${checkpoint.commitPosition}`;
      return confirmation === undefined ? caughtUp && 'caught_up' : 'confirmation';
    });

  it('of a stream sends its events alone', async () => {
    const name = stream();
    const id = randomUUID();
    const data = { n: 1 };
    const { position } = await server.client.appendToStream(name, {
      id,
      type: 'T',
      contentType: 'application/json',
      data,
      metadata: { m: 1 },
    });
    const { messages, status } = await read(ofStream(name));
    expect(status).toBeUndefined();
    const event = messages[0]?.getEvent()?.getEvent();
    expect(messages.map((message) => message.getContentCase())).toEqual([streamsPb.ReadResp.ContentCase.EVENT]);
    expect(shape(messages[0]!)).toEqual({
      event: {
        commitPosition: String(position?.commit),
        event: {
          id: { string: id },
          streamIdentifier: { streamName: Buffer.from(name).toString('base64') },
          preparePosition: String(position?.prepare),
          commitPosition: String(position?.commit),
          metadataMap: expect.arrayContaining([
            ['type', 'T'],
            ['created', expect.stringMatching(/^1\d{16}$/)],
            ['content-type', 'application/json'],
          ]),
          customMetadata: Buffer.from('{"m":1}').toString('base64'),
          data: Buffer.from('{"n":1}').toString('base64'),
        },
      },
    });
    expect(event?.getStreamRevision()).toBe('0');
  });

  it('of a missing stream says so with status 0, of a tombstoned one with an error, past the end with nothing', async () => {
    const name = stream();
    const missing = await read(ofStream(name));
    expect(missing.status).toBeUndefined();
    expect(missing.messages.map(shape)).toEqual([
      { streamNotFound: { streamIdentifier: { streamName: Buffer.from(name).toString('base64') } } },
    ]);
    await server.client.tombstoneStream(name);
    const ended = await read(ofStream(name));
    expect(ended.messages).toEqual([]);
    expect(trailersOf(ended.status!)).toMatchObject({ code: 9, exception: 'stream-deleted', 'stream-name': name });
    const { position } = await server.client.appendToStream(stream(), events(1));
    const beyond = await read((options) =>
      options.setAll(
        new streamsPb.ReadReq.Options.AllOptions().setPosition(
          new streamsPb.ReadReq.Options.Position()
            .setCommitPosition(String(position!.commit + 1_000_000n))
            .setPreparePosition(String(position!.prepare + 1_000_000n)),
        ),
      ),
    );
    expect(beyond).toEqual({ messages: [], status: undefined });
  });

  it('as a filtered subscription from the end sends a checkpoint after each considered event', async () => {
    const name = stream();
    const asked = read((options) => {
      options.setAll(new streamsPb.ReadReq.Options.AllOptions().setEnd(empty())).setFilter(
        new streamsPb.ReadReq.Options.FilterOptions()
          .setStreamIdentifier(new streamsPb.ReadReq.Options.FilterOptions.Expression().setPrefixList([name]))
          .setMax(1)
          .setCheckpointintervalmultiplier(1),
      );
    }, 6);
    // The subscription is there once an append of its own shows it is.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const matching = await server.client.appendToStream(name, events(1));
    const other = await server.client.appendToStream(stream(), events(2));
    const { messages } = await asked;
    const told = cases(messages);
    expect(told.slice(0, 4)).toEqual([
      'confirmation',
      'caught_up',
      `event@${matching.position!.commit}`,
      `checkpoint@${matching.position!.commit}`,
    ]);
    expect(told[5]).toBe(`checkpoint@${other.position!.commit}`);
  });
});

it('Delete ends with a status and trailers where it refuses', async () => {
  const name = stream();
  await server.client.appendToStream(name, events(2));
  const refused = (of: string, expected: (options: InstanceType<typeof streamsPb.DeleteReq.Options>) => unknown) =>
    new Promise<unknown>((resolve) => {
      const options = new streamsPb.DeleteReq.Options().setStreamIdentifier(identifier(of));
      expected(options);
      grpc.delete(new streamsPb.DeleteReq().setOptions(options), (error) => {
        resolve(error === null ? undefined : trailersOf(error));
      });
    });
  expect(await refused(name, (options) => options.setRevision('9'))).toEqual({
    code: 9,
    details: `Delete failed due to WrongExpectedVersion. Stream: ${name}, Expected version: 9, Actual version: 1`,
    exception: 'wrong-expected-version',
    'stream-name': name,
    'expected-version': '9',
    'actual-version': '1',
  });
  expect(await refused(stream(), (options) => options.setAny(empty()))).toMatchObject({
    'expected-version': '-2',
    'actual-version': '-1',
  });
});
