import { Metadata, status } from '@grpc/grpc-js';
import { StoreUnavailableError } from '#kernel';
import type { FailureKind } from './failures.js';
import { CallFailure, callFailure, openingFailure, unavailable } from './failures.js';

const grpcError = (code: number, details = '', exception?: string) => {
  const metadata = new Metadata();
  if (exception !== undefined) metadata.set('exception', exception);
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata });
};

it.each<[kind: FailureKind, code: number, details: string, exception: string | undefined]>([
  ['unsent', status.UNAVAILABLE, 'No connection established. Last error: connect ECONNREFUSED', undefined],
  ['broken', status.UNAVAILABLE, 'read ECONNRESET', undefined],
  ['broken', status.UNAVAILABLE, 'Connection dropped', undefined],
  ['broken', status.CANCELLED, 'Cancelled on client', undefined],
  ['broken', status.INTERNAL, 'Received RST_STREAM with code 2', undefined],
  ['broken', status.NOT_FOUND, 'Leader info available', 'not-leader'],
  ['too-slow', status.ABORTED, 'Operation timed out: Consumer too slow to handle event while live.', undefined],
  ['timed-out', status.ABORTED, 'Operation timed out: Commit phase timeout.', undefined],
  ['timed-out', status.DEADLINE_EXCEEDED, 'Deadline exceeded', undefined],
  ['no-boundary', status.UNKNOWN, 'Unexpected ReadAllResult: Error', undefined],
  ['deleted', status.FAILED_PRECONDITION, "Event stream 'x' is deleted.", 'stream-deleted'],
  ['denied', status.PERMISSION_DENIED, 'Access Denied', 'access-denied'],
  ['denied', status.UNAUTHENTICATED, '', undefined],
  ['other', status.UNKNOWN, 'Exception was thrown by handler.', undefined],
  ['other', status.UNIMPLEMENTED, '', undefined],
])('%s is told by status %i "%s"', (kind, code, details, exception) => {
  expect(callFailure(grpcError(code, details, exception)).kind).toBe(kind);
});

it('what failed before a call was made was not sent', () => {
  expect(openingFailure(new Error('Failed to discover after 10 attempts.'))).toMatchObject({ kind: 'unsent' });
  expect(openingFailure(grpcError(status.UNAVAILABLE, 'read ECONNRESET'))).toMatchObject({ kind: 'broken' });
});

it('callers are told what to do, never what the server quotes', () => {
  const error = unavailable('the log cannot be read', callFailure(grpcError(status.PERMISSION_DENIED)));
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(error.message).toBe('the log cannot be read: the event store denies this account access: see infra/kurrent');
  expect(unavailable('x', new CallFailure('mute', 'no answer for 5 ms')).message).toBe(
    'x: the event store does not answer',
  );
});
