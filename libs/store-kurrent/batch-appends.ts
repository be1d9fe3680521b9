import { randomUUID } from 'node:crypto';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type { AppendReceipt, SerialisedEvent } from '#kernel';
import { NO_STREAM } from '#kernel';
import type { ClientCalls } from './client-calls.js';
import { cancelLater } from './client-calls.js';
import { CallFailure, callFailure } from './failures.js';
import { appendRequest } from './requests.js';

/** What the server says of an append. */
export type AppendAnswer =
  | ({ readonly kind: 'written' } & AppendReceipt)
  | { readonly kind: 'wrong-version'; readonly actual: number }
  | { readonly kind: 'too-large'; readonly limit: number }
  | { readonly kind: 'failed'; readonly failure: CallFailure };

interface Pending {
  readonly resolve: (answer: AppendAnswer) => void;
  readonly timer: NodeJS.Timeout;
}

interface Call {
  readonly stream: Promise<ClientDuplexStream<BatchAppendReq, BatchAppendResp>>;
  readonly pending: Map<string, Pending>;
}

/**
 * The server judges a deadline by its own clock, and one that is over fails at once: far enough off that no difference of clocks matters.
 * It waits no longer than its own two seconds all the same, and we no longer than our time.
 */
const DEADLINE_MS = 24 * 3_600_000;

/**
 * Appends over one long-lived call of the protocol, opened with the first and anew after it broke. Every append has an answer after
 * `timeoutMs` at the latest, and what breaks concerns the appends of that call alone.
 */
export class BatchAppends {
  private call: Call | undefined;

  constructor(
    private readonly calls: ClientCalls,
    private readonly timeoutMs: number,
  ) {}

  /** Never rejects. Events and their ids are checked before: what is not valid would be answered twice, and late. */
  append(stream: string, expected: number, events: readonly SerialisedEvent[]): Promise<AppendAnswer> {
    const call = (this.call ??= this.begin());
    const id = randomUUID();
    const request = appendRequest(id, stream, expected, events, new Date(Date.now() + DEADLINE_MS));
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        call.pending.delete(id);
        const failure = new CallFailure('mute', `no answer for ${this.timeoutMs} ms`);
        resolve({ kind: 'failed', failure });
      }, this.timeoutMs);
      call.pending.set(id, { resolve, timer });
      // What fails here fails the whole call, which answers for all of its appends.
      call.stream.then(
        (open) => open.write(request),
        () => undefined,
      );
    });
  }

  /** Ends the call; what is in flight fails. The next append opens another. */
  end(): void {
    const { call } = this;
    if (call === undefined) return;
    this.finish(call, new CallFailure('broken', 'the call was ended'));
    call.stream.then(cancelLater, () => undefined);
  }

  private begin(): Call {
    const call: Call = { stream: this.calls.batchAppend(), pending: new Map() };
    call.stream.then(
      (open) => {
        open.on('data', (response: BatchAppendResp) => {
          take(call.pending, response);
        });
        // Stays for good: an error without a listener would end the process.
        open.on('error', (error: unknown) => {
          this.finish(call, callFailure(error));
        });
        open.on('end', () => {
          this.finish(call, new CallFailure('broken', 'the server ended the call'));
        });
      },
      (error: unknown) => {
        this.finish(call, callFailure(error));
      },
    );
    return call;
  }

  private finish(call: Call, failure: CallFailure): void {
    if (this.call === call) this.call = undefined;
    for (const { resolve, timer } of call.pending.values()) {
      clearTimeout(timer);
      resolve({ kind: 'failed', failure });
    }
    call.pending.clear();
  }
}

const take = (pending: Map<string, Pending>, response: BatchAppendResp): void => {
  const id = correlationOf(response);
  const append = pending.get(id);
  // Its time was over before, or the server answers a second time.
  if (append === undefined) return;
  pending.delete(id);
  clearTimeout(append.timer);
  append.resolve(answerOf(response));
};

/** The server sends an id back as it came, but for answers that a deadline made. */
const correlationOf = (response: BatchAppendResp): string => {
  const id = response.getCorrelationId();
  const parts = id?.getStructured();
  if (id === undefined || parts === undefined) return id?.getString() ?? '';
  const half = (bits: string): string => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
  const hex = half(parts.getMostSignificantBits()) + half(parts.getLeastSignificantBits());
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

const answerOf = (response: BatchAppendResp): AppendAnswer => {
  const success = response.getSuccess();
  const position = success?.getPosition();
  if (success !== undefined && position !== undefined) {
    return {
      kind: 'written',
      revision: Number(success.getCurrentRevision()),
      position: BigInt(position.getCommitPosition()),
    };
  }
  const error = response.getError();
  const details = error?.getDetails();
  const failed = (kind: 'timed-out' | 'deleted' | 'denied' | 'other'): AppendAnswer => ({
    kind: 'failed',
    failure: new CallFailure(kind, `the server says ${error?.getMessage() ?? 'nothing'}`),
  });
  const bytes = details?.getValue_asU8() ?? new Uint8Array();
  switch (details?.getTypeName()) {
    case 'event_store.client.WrongExpectedVersion': {
      const wrong = sharedPb.WrongExpectedVersion.deserializeBinary(bytes);
      const actual = wrong.hasCurrentStreamRevision() ? Number(wrong.getCurrentStreamRevision()) : NO_STREAM;
      return { kind: 'wrong-version', actual };
    }
    case 'event_store.client.MaximumAppendSizeExceeded':
      return {
        kind: 'too-large',
        limit: sharedPb.MaximumAppendSizeExceeded.deserializeBinary(bytes).getMaxappendsize(),
      };
    case 'event_store.client.Timeout':
      return failed('timed-out');
    case 'event_store.client.StreamDeleted':
      return failed('deleted');
    case 'event_store.client.AccessDenied':
      return failed('denied');
    default:
      return failed('other');
  }
};
