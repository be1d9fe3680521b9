import type { Metadata } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { failureOf, StoreUnavailableError } from '#kernel';

/**
 * Why a call ended without its answer:
 * - `unsent`: there was no connection, so nothing of it reached the server;
 * - `broken`: the connection or the server went away; whether it was done is unknown;
 * - `mute`: nothing came for as long as we wait; whether it was done, or still will be, is unknown;
 * - `timed-out`: the server gave up waiting for itself; whether it was done is unknown;
 * - `too-slow`: the server cut a subscription that did not keep up;
 * - `no-boundary`: no record begins at the position that was named;
 * - `deleted`, `denied`: the server refuses, and will again;
 * - `other`: the server says something else.
 */
export type FailureKind =
  'unsent' | 'broken' | 'mute' | 'timed-out' | 'too-slow' | 'no-boundary' | 'deleted' | 'denied' | 'other';

/** A call that ended without its answer. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  constructor(
    readonly kind: FailureKind,
    text: string,
    cause?: unknown,
  ) {
    super(text, { cause });
  }
}

interface GrpcError {
  readonly code: status;
  readonly details: string;
  readonly exception: string;
}

const isStatus = (code: unknown): code is status => typeof code === 'number' && code in status;

const grpcError = (error: unknown): GrpcError | undefined => {
  if (typeof error !== 'object' || error === null || !('code' in error) || !isStatus(error.code)) return undefined;
  const { metadata } = error as { readonly metadata?: Metadata };
  return {
    code: error.code,
    details: 'details' in error ? String(error.details) : '',
    exception: metadata?.get('exception')[0]?.toString() ?? '',
  };
};

const kindOf = ({ code, details, exception }: GrpcError): FailureKind => {
  if (exception === 'stream-deleted') return 'deleted';
  if (exception === 'access-denied') return 'denied';
  // The client goes to the leader with the next call.
  if (exception === 'not-leader') return 'broken';
  switch (code) {
    case status.UNAVAILABLE:
      return details.startsWith('No connection established') ? 'unsent' : 'broken';
    case status.CANCELLED:
    case status.INTERNAL:
      return 'broken';
    case status.ABORTED:
      return details.includes('Consumer too slow') ? 'too-slow' : 'timed-out';
    case status.DEADLINE_EXCEEDED:
      return 'timed-out';
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return 'denied';
    case status.UNKNOWN:
      return details.startsWith('Unexpected ReadAllResult') ? 'no-boundary' : 'other';
    default:
      return 'other';
  }
};

/** What an error of the client or of gRPC means here. */
export const callFailure = (error: unknown): CallFailure => {
  if (error instanceof CallFailure) return error;
  const grpc = grpcError(error);
  if (grpc === undefined) return new CallFailure('other', failureOf(error), error);
  return new CallFailure(kindOf(grpc), `status ${grpc.code}${grpc.details === '' ? '' : `: ${grpc.details}`}`, error);
};

/** What it means that a call could not even be begun: no node of a cluster was found, say. */
export const openingFailure = (error: unknown): CallFailure =>
  grpcError(error) === undefined
    ? new CallFailure('unsent', 'no node of the server was found', error)
    : callFailure(error);

/** The error that callers of the store get. */
export const unavailable = (what: string, failure: CallFailure): StoreUnavailableError =>
  new StoreUnavailableError(`${what}: ${ADVICE[failure.kind] ?? failure.message}`, { cause: failure });

const ADVICE: Partial<Record<FailureKind, string>> = {
  unsent: 'the event store cannot be reached',
  broken: 'the connection to the event store broke',
  mute: 'the event store does not answer',
  denied: 'the event store denies this account access: see infra/kurrent',
};
