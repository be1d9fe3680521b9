import type { CallOptions, ClientDuplexStream, ClientReadableStream, Metadata } from '@grpc/grpc-js';
import type { BatchAppendReq, BatchAppendResp, ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { EventStoreDBClient } from '@eventstore/db-client';
import { CallFailure, callFailure, openingFailure } from './failures.js';

/**
 * What the client's own methods stand on, protected in its types: calls on the connection that it holds, to the node that it found, and
 * its way of replacing a connection that failed.
 */
interface ClientInside {
  GRPCStreamCreator<T>(
    client: typeof streamsGrpc.StreamsClient,
    name: string,
    create: (grpc: StreamsClient) => T,
  ): () => Promise<T>;
  callArguments(options: { readonly requiresLeader: boolean }, call: CallOptions): [Metadata, CallOptions];
  handleError: (...of: readonly unknown[]) => Promise<void>;
}

/** Reads that miss what was acknowledged are of no use: only the leader answers. */
const FROM_LEADER = { requiresLeader: true };
/** The client's deadline would end a subscription, or an append call that serves many. */
const NO_DEADLINE: CallOptions = { deadline: Infinity };

/** The calls of the protocol, over the client's connection. */
export class ClientCalls {
  private readonly client: EventStoreDBClient;
  private readonly inside: ClientInside;

  /** @throws {Error} of the client, for a connection string it does not understand */
  constructor(url: string) {
    this.client = EventStoreDBClient.connectionString(url);
    this.inside = this.client as unknown as ClientInside;
    const { handleError } = this.inside;
    // The client forgets to catch what fails while it replaces a connection.
    this.inside.handleError = (...of) => handleError(...of).catch(() => undefined);
  }

  /** @throws {CallFailure} */
  batchAppend(): Promise<ClientDuplexStream<BatchAppendReq, BatchAppendResp>> {
    return this.inside
      .GRPCStreamCreator(streamsGrpc.StreamsClient, 'batchAppend', (grpc) =>
        grpc.batchAppend(...this.inside.callArguments(FROM_LEADER, NO_DEADLINE)),
      )()
      .catch(refuse);
  }

  /** A call to follow: whoever opens it listens to its errors for good, and cancels it. @throws {CallFailure} */
  open(request: ReadReq): Promise<ClientReadableStream<ReadResp>> {
    return this.inside
      .GRPCStreamCreator(streamsGrpc.StreamsClient, 'read', (grpc) =>
        grpc.read(request, ...this.inside.callArguments(FROM_LEADER, NO_DEADLINE)),
      )()
      .catch(refuse);
  }

  /**
   * Reads until the server ends or `take` answers that it has enough.
   * @param idleMs longest silence
   * @throws {CallFailure} and whatever `take` throws
   */
  async read(request: ReadReq, take: (message: ReadResp) => 'more' | 'enough', idleMs: number): Promise<void> {
    const opening = this.open(request);
    await new Promise<void>((resolve, reject) => {
      let settled = false;
      const settle = (then: () => void): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        then();
      };
      const fail = (error: unknown): void => {
        settle(() => {
          reject(callFailure(error));
        });
      };
      const timer = setTimeout(() => {
        fail(new CallFailure('mute', `no answer for ${idleMs} ms`));
        opening.then(cancelLater, () => undefined);
      }, idleMs);
      opening.then((call) => {
        call.on('data', (message: ReadResp) => {
          if (settled) return;
          timer.refresh();
          try {
            if (take(message) === 'more') return;
            settle(resolve);
          } catch (error) {
            settle(() => {
              reject(error instanceof Error ? error : callFailure(error));
            });
          }
          cancelLater(call);
        });
        call.on('end', () => {
          settle(resolve);
        });
        // Stays for good: an error without a listener would end the process.
        call.on('error', fail);
      }, fail);
    });
  }

  async dispose(): Promise<void> {
    await this.client.dispose();
  }
}

const refuse = (error: unknown): never => {
  throw openingFailure(error);
};

/** Cancelling within a message's own turn breaks grpc-js (grpc-node issues 1464 and 1652). */
export const cancelLater = (call: { cancel(): void }): void => {
  setImmediate(() => {
    call.cancel();
  });
};
