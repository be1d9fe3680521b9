import type { sendUnaryData, ServerDuplexStream, ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type {
  AppendReq,
  AppendResp,
  BatchAppendReq,
  BatchAppendResp,
  DeleteReq,
  DeleteResp,
  TombstoneReq,
  TombstoneResp,
} from '@eventstore/db-client/generated/streams_pb.js';
import type { Faults } from './faults.js';
import type { AppendResult, Expected, Log, ProposedEvent } from './log.js';
import type { Failure } from './messages.js';
import {
  appendSuccess,
  accessDenied,
  appendWrongVersion,
  batchDeleted,
  batchDenied,
  batchMalformed,
  batchSuccess,
  batchTimeout,
  batchTooLarge,
  batchWrongVersion,
  commitTimeout,
  deletionRefused,
  missingProperty,
  nameOf,
  streamDeleted,
  tooLarge,
  unavailable,
  unknown,
} from './messages.js';

/** How long the server itself waits for a commit, or for the rest of a request, in milliseconds. */
const SERVER_TIMEOUT_MS = 2_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

type Uuid = InstanceType<typeof sharedPb.UUID>;
type Proposed = AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage;

/** A proposed event as the log takes it, or what is wrong with it. */
const eventOf = (message: Proposed): ProposedEvent | { readonly malformed: string } | { readonly missing: string } => {
  const properties = message.getMetadataMap();
  const type = properties.get('type');
  const contentType = properties.get('content-type');
  if (type === undefined) return { missing: 'type' };
  if (contentType === undefined) return { missing: 'content-type' };
  const id = message.getId()?.getString() ?? '';
  if (!UUID.test(id)) return { malformed: 'Unrecognized Guid format.' };
  if (type === '') return { malformed: 'Empty eventType provided.' };
  return {
    id: id.toLowerCase(),
    type,
    isJson: contentType === 'application/json',
    data: Buffer.from(message.getData_asU8()),
    metadata: Buffer.from(message.getCustomMetadata_asU8()),
  };
};

/** The cases of an expected revision that all kinds of options share. */
interface ExpectedOptions {
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
}

const expectedOf = (options: ExpectedOptions, revision: string): Expected => {
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasAny()) return 'any';
  return options.hasStreamExists() ? 'stream_exists' : Number(revision);
};

/** An id in the other form, which answers made by a deadline have. */
export const structured = (id: Uuid): Uuid => {
  const hex = id.getString().replaceAll('-', '');
  const half = (from: number): string => BigInt.asIntN(64, BigInt(`0x${hex.slice(from, from + 16)}`)).toString();
  return new sharedPb.UUID().setStructured(
    new sharedPb.UUID.Structured().setMostSignificantBits(half(0)).setLeastSignificantBits(half(16)),
  );
};

const timer = (ms: number, then: () => void): NodeJS.Timeout => setTimeout(then, ms).unref();

/** Appends and deletions of the stand-in. */
export class Appends {
  constructor(
    private readonly log: Log,
    private readonly faults: Faults,
    private readonly dropConnections: () => void,
    private readonly clockAheadMs: number,
  ) {}

  /** One call per append. */
  readonly append = (call: ServerReadableStream<AppendReq, AppendResp>, answer: sendUnaryData<AppendResp>): void => {
    let options: AppendReq.Options | undefined;
    const messages: AppendReq.ProposedMessage[] = [];
    call.on('data', (request: AppendReq) => {
      options ??= request.getOptions();
      const message = request.getProposedMessage();
      if (message !== undefined) messages.push(message);
    });
    call.on('error', () => undefined);
    call.on('end', () => {
      if (options !== undefined) void this.single(call, options, messages, answer);
    });
  };

  /** Any number of appends over one call, answered each by its correlation id. */
  readonly batchAppend = (call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>): void => {
    const batches = new Batches(this.log, this.faults, this.dropConnections, this.clockAheadMs, call);
    call.on('data', (request: BatchAppendReq) => {
      batches.take(request);
    });
    call.on('end', () => call.end());
    call.on('cancelled', () => {
      batches.end();
    });
  };

  readonly delete = (call: ServerUnaryCall<DeleteReq, DeleteResp>, answer: sendUnaryData<DeleteResp>): void => {
    const options = call.request.getOptions();
    if (options === undefined) return;
    const stream = nameOf(options.getStreamIdentifier());
    const expected = expectedOf(options, options.getRevision());
    void this.log.delete(stream, expected).then((result) => {
      if (result.kind !== 'written') {
        answer(deletionFailure(stream, expected, result));
        return;
      }
      const position = String(result.position);
      answer(
        null,
        new streamsPb.DeleteResp().setPosition(
          new streamsPb.DeleteResp.Position().setCommitPosition(position).setPreparePosition(position),
        ),
      );
    });
  };

  readonly tombstone = (
    call: ServerUnaryCall<TombstoneReq, TombstoneResp>,
    answer: sendUnaryData<TombstoneResp>,
  ): void => {
    const options = call.request.getOptions();
    if (options === undefined) return;
    const stream = nameOf(options.getStreamIdentifier());
    const expected = expectedOf(options, options.getRevision());
    void this.log.tombstone(stream, expected).then((result) => {
      if (result.kind !== 'written') {
        answer(deletionFailure(stream, expected, result));
        return;
      }
      const position = String(result.position);
      answer(
        null,
        new streamsPb.TombstoneResp().setPosition(
          new streamsPb.TombstoneResp.Position().setCommitPosition(position).setPreparePosition(position),
        ),
      );
    });
  };

  private async single(
    call: ServerReadableStream<AppendReq, AppendResp>,
    options: AppendReq.Options,
    messages: readonly AppendReq.ProposedMessage[],
    answer: sendUnaryData<AppendResp>,
  ): Promise<void> {
    this.faults.counts.appends += 1;
    const stream = nameOf(options.getStreamIdentifier());
    const fault = this.faults.meet('append', stream);
    if (fault?.act === 'refuse' || fault?.act === 'deny') {
      answer(fault.act === 'deny' ? accessDenied() : unavailable('the stand-in refuses'));
      return;
    }
    await this.faults.before(fault);
    // A call that was given up while the server stood still is done no more.
    if (call.cancelled) return;
    const events: ProposedEvent[] = [];
    for (const message of messages) {
      const event = eventOf(message);
      if ('missing' in event) {
        answer(missingProperty(event.missing));
        return;
      }
      if ('malformed' in event) {
        answer(unknown('Exception was thrown by handler.'));
        return;
      }
      events.push(event);
    }
    if (stream === '') {
      answer(unknown('Exception was thrown by handler.'));
      return;
    }
    const expected = expectedOf(options, options.getRevision());
    const result = await this.log.append(stream, expected, events);
    await this.faults.after(fault);
    if (fault?.act === 'drop-connection') this.dropConnections();
    if (fault?.act === 'swallow-answer') return;
    switch (result.kind) {
      case 'written':
        answer(null, appendSuccess(result.revision, result.position));
        return;
      case 'wrong-version':
        answer(null, appendWrongVersion(expected, result.current));
        return;
      case 'commit-timeout':
        timer(SERVER_TIMEOUT_MS, () => {
          answer(commitTimeout());
        });
        return;
      case 'deleted':
        answer(streamDeleted(stream));
        return;
      case 'too-large':
        answer(tooLarge());
        return;
      case 'never':
        return;
    }
  }
}

const deletionFailure = (stream: string, expected: Expected, result: AppendResult): Failure =>
  result.kind === 'wrong-version' ? deletionRefused(stream, expected, result.current) : streamDeleted(stream);

/** An append whose messages are still coming in. */
interface Assembling {
  readonly correlation: Uuid;
  readonly stream: string;
  readonly expected: Expected;
  readonly messages: BatchAppendReq.ProposedMessage[];
  /** Milliseconds after which the server gives up. */
  readonly patience: number;
  expiry: NodeJS.Timeout | undefined;
}

/** What runs over one BatchAppend call. */
class Batches {
  private readonly assembling = new Map<string, Assembling>();
  private ended = false;

  constructor(
    private readonly log: Log,
    private readonly faults: Faults,
    private readonly dropConnections: () => void,
    private readonly clockAheadMs: number,
    private readonly call: ServerDuplexStream<BatchAppendReq, BatchAppendResp>,
  ) {}

  end(): void {
    this.ended = true;
    for (const { expiry } of this.assembling.values()) clearTimeout(expiry);
    this.assembling.clear();
  }

  take(request: BatchAppendReq): void {
    const correlation = request.getCorrelationId();
    if (correlation === undefined) return;
    const key = correlation.getString();
    const append = this.assembling.get(key) ?? this.begin(correlation, request.getOptions());
    if (append === undefined) return;
    append.messages.push(...request.getProposedMessagesList());
    if (!request.getIsFinal()) return;
    clearTimeout(append.expiry);
    this.assembling.delete(key);
    this.run(append);
  }

  private begin(correlation: Uuid, options: BatchAppendReq.Options | undefined): Assembling | undefined {
    if (options === undefined) return undefined;
    const deadline = options.getDeadline()?.toDate().getTime() ?? Infinity;
    const left = deadline - Date.now() - this.clockAheadMs;
    const append: Assembling = {
      correlation,
      stream: nameOf(options.getStreamIdentifier()),
      expected: expectedOf(options, options.getStreamPosition()),
      messages: [],
      patience: Math.max(0, Math.min(left, SERVER_TIMEOUT_MS)),
      expiry: undefined,
    };
    if (left <= 0) {
      this.timedOut(append);
      return undefined;
    }
    this.assembling.set(correlation.getString(), append);
    append.expiry = timer(append.patience, () => {
      this.assembling.delete(correlation.getString());
      this.timedOut(append);
    });
    return append;
  }

  private run(append: Assembling): void {
    this.faults.counts.appends += 1;
    const fault = this.faults.meet('append', append.stream);
    if (fault?.act === 'deny') {
      this.answer(append, batchDenied(append.stream));
      return;
    }
    if (fault?.act === 'refuse') {
      this.call.emit('error', unavailable('the stand-in refuses'));
      return;
    }
    const waiting = this.faults.before(fault);
    const proceed = (): void => {
      const result = this.written(append);
      if (result === undefined) return;
      void result.then(async (ended) => {
        await this.faults.after(fault);
        if (fault?.act === 'drop-connection') this.dropConnections();
        else if (fault?.act !== 'swallow-answer') this.conclude(append, ended);
      });
    };
    if (waiting === undefined) proceed();
    // A call that was given up while the server stood still is done no more.
    else void waiting.then(() => !this.ended && proceed());
  }

  private written(append: Assembling): Promise<AppendResult> | undefined {
    const { stream } = append;
    if (stream === '') {
      this.answer(append, batchMalformed(stream, 'Empty stream name provided.'));
      return undefined;
    }
    const events: ProposedEvent[] = [];
    for (const message of append.messages) {
      const event = eventOf(message);
      if ('malformed' in event || 'missing' in event) {
        const text = 'malformed' in event ? event.malformed : `${event.missing} is missing`;
        this.answer(append, batchMalformed(stream, text));
        // The server forgets that it has answered.
        timer(append.patience, () => {
          this.timedOut(append);
        });
        return undefined;
      }
      events.push(event);
    }
    return this.log.append(stream, append.expected, events);
  }

  private conclude(append: Assembling, result: AppendResult): void {
    const { stream, expected } = append;
    switch (result.kind) {
      case 'written':
        this.answer(append, batchSuccess(stream, result.revision, result.position));
        return;
      case 'wrong-version':
        this.answer(append, batchWrongVersion(stream, expected, result.current));
        return;
      case 'commit-timeout':
        timer(SERVER_TIMEOUT_MS, () => {
          this.answer(append, batchTimeout(stream));
        });
        return;
      case 'deleted':
        this.answer(append, batchDeleted(stream));
        return;
      case 'too-large':
        this.answer(append, batchTooLarge(stream));
        return;
      case 'never':
        return;
    }
  }

  private timedOut({ correlation, stream }: Assembling): void {
    this.send(batchTimeout(stream).setCorrelationId(structured(correlation)));
  }

  private answer({ correlation }: Assembling, response: BatchAppendResp): void {
    this.send(response.setCorrelationId(correlation));
  }

  private send(response: BatchAppendResp): void {
    if (!this.ended) this.call.write(response);
  }
}
