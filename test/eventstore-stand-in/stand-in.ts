import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { sendUnaryData, ServerInterceptor, ServerUnaryCall } from '@grpc/grpc-js';
import { Server, ServerCredentials, ServerInterceptingCall, status } from '@grpc/grpc-js';
import type { ClusterInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Appends, structured } from './appends.js';
import { Faults } from './faults.js';
import { Log } from './log.js';
import { bytesOf } from './outlet.js';
import { Reads } from './reads.js';

export interface StandInOptions {
  /** Where the log is kept; in memory alone where absent. */
  readonly folder?: string;
  /** A free one where absent or 0. */
  readonly port?: number;
  /** How far its clock is ahead of this machine's, in milliseconds: deadlines are judged by it. */
  readonly clockAheadMs?: number;
  /** Speaks TLS with the certificate and the private key of this file, both as PEM. */
  readonly certificate?: string | undefined;
  /** The one account there is, as `name:password`; anybody is let in where absent. */
  readonly account?: string | undefined;
}

const VERSION = '23.10.8';
const STREAMS = 'event_store.client.streams.streams';
const METHODS: readonly [service: string, method: string, features: readonly string[]][] = [
  [STREAMS, 'read', ['position', 'events']],
  [STREAMS, 'append', []],
  [STREAMS, 'delete', []],
  [STREAMS, 'tombstone', []],
  [STREAMS, 'batchappend', ['deadline_duration']],
  ['event_store.client.gossip.gossip', 'read', []],
  ['event_store.client.server_features.serverfeatures', 'getsupportedmethods', []],
];

const credentialsOf = (certificate: string | undefined): ServerCredentials => {
  if (certificate === undefined) return ServerCredentials.createInsecure();
  const pem = readFileSync(certificate);
  return ServerCredentials.createSsl(null, [{ private_key: pem, cert_chain: pem }]);
};

/** Calls of this account alone, as the protocol has it: the observed server had no accounts. */
const letIn =
  (account: string): ServerInterceptor =>
  (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, pass) => {
            if (metadata.get('authorization')[0] === `Basic ${Buffer.from(account).toString('base64')}`) pass(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: '' });
          },
        });
      },
    });

/** A test double of EventStoreDB 23.10.8: the same protocol, the same answers as far as they were observed, and faults on demand. */
export class EventStoreStandIn {
  readonly faults = new Faults();
  private readonly instance = randomUUID();
  private readonly log: Log;
  private readonly reads: Reads;
  private readonly sockets = new Set<Socket>();
  private readonly grpc: Server;
  private readonly listener: NetServer;

  static async start(options: StandInOptions = {}): Promise<EventStoreStandIn> {
    const standIn = new EventStoreStandIn(new Log(options.folder), options);
    standIn.listener.listen(options.port ?? 0, '127.0.0.1');
    await once(standIn.listener, 'listening');
    return standIn;
  }

  private constructor(
    log: Log,
    private readonly options: StandInOptions,
  ) {
    const { account, certificate, clockAheadMs = 0 } = options;
    this.log = log;
    this.grpc = new Server({
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      interceptors: account === undefined ? [] : [letIn(account)],
    });
    const injector = this.grpc.createConnectionInjector(credentialsOf(certificate));
    this.listener = createServer((socket) => {
      this.sockets.add(socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined));
      injector.injectConnection(socket.setNoDelay(true));
    });
    const drop = (): void => {
      this.dropConnections();
    };
    const appends = new Appends(log, this.faults, drop, clockAheadMs);
    this.reads = new Reads(log, this.faults, drop);
    const { StreamsService } = streamsGrpc;
    this.grpc.addService(
      { ...StreamsService, read: { ...StreamsService.read, responseSerialize: bytesOf } },
      {
        read: this.reads.read,
        append: appends.append,
        batchAppend: appends.batchAppend,
        delete: appends.delete,
        tombstone: appends.tombstone,
      },
    );
    this.grpc.addService(featuresGrpc.ServerFeaturesService, { getSupportedMethods: this.supportedMethods });
    this.grpc.addService(gossipGrpc.GossipService, { read: this.gossip });
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Connection string for a client. */
  get url(): string {
    const { account, certificate } = this.options;
    const who = account === undefined ? '' : `${account}@`;
    return `esdb://${who}127.0.0.1:${this.port}?tls=${String(certificate !== undefined)}`;
  }

  /** Breaks every connection that is open now; new ones are accepted. */
  dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Every subscription that runs now goes on without a word. */
  muteSubscriptions(): void {
    this.reads.muteSubscriptions();
  }

  /** Ends every subscription as too slow. */
  cutSubscriptions(): void {
    this.reads.cutSubscriptions();
  }

  /** Stops listening and breaks every connection; what was acknowledged is on disk. */
  async stop(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    this.faults.clear();
    this.dropConnections();
    this.grpc.forceShutdown();
    await closed;
    await this.log.close();
  }

  private readonly supportedMethods = (
    _call: ServerUnaryCall<unknown, SupportedMethods>,
    answer: sendUnaryData<SupportedMethods>,
  ): void => {
    const methods = METHODS.map(([service, method, features]) =>
      new featuresPb.SupportedMethod()
        .setServiceName(service)
        .setMethodName(method)
        .setFeaturesList([...features]),
    );
    const supported = new featuresPb.SupportedMethods().setEventStoreServerVersion(VERSION).setMethodsList(methods);
    void Promise.resolve(this.faults.frozen).then(() => {
      answer(null, supported);
    });
  };

  private readonly gossip = (
    _call: ServerUnaryCall<unknown, ClusterInfo>,
    answer: sendUnaryData<ClusterInfo>,
  ): void => {
    const member = new gossipPb.MemberInfo()
      .setInstanceId(structured(new sharedPb.UUID().setString(this.instance)))
      .setTimeStamp(String(BigInt(Date.now()) * 10_000n))
      .setState(gossipPb.MemberInfo.VNodeState.LEADER)
      .setIsAlive(true)
      .setHttpEndPoint(new gossipPb.EndPoint().setAddress('127.0.0.1').setPort(this.port));
    void Promise.resolve(this.faults.frozen).then(() => {
      answer(null, new gossipPb.ClusterInfo().setMembersList([member]));
    });
  };
}
