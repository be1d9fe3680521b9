import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import type { Metadata as GrpcMetadata } from '@grpc/grpc-js';
import { Metadata, status } from '@grpc/grpc-js';
import type { BatchAppendResp, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import codePb from '@eventstore/db-client/generated/code_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import type { Expected, LogRecord } from './log.js';
import { MAX_APPEND_SIZE, TOMBSTONE_REVISION } from './log.js';

/** A call that ends with a status other than 0. */
export interface Failure {
  readonly code: number;
  readonly details: string;
  readonly metadata: GrpcMetadata;
}

const failure = (code: number, details: string, trailers: Readonly<Record<string, string>> = {}): Failure => {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return { code, details, metadata };
};

/** Trailers are ASCII. */
const trailerOf = (stream: string): string => (/^[\x20-\x7e]*$/.test(stream) ? stream : encodeURIComponent(stream));

export const unavailable = (details: string): Failure => failure(status.UNAVAILABLE, details);
export const accessDenied = (): Failure =>
  failure(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });
export const unknown = (details: string): Failure => failure(status.UNKNOWN, details);
export const commitTimeout = (): Failure => failure(status.ABORTED, 'Operation timed out: Commit phase timeout.');
export const tooSlow = (): Failure =>
  failure(
    status.ABORTED,
    'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  );
export const streamDeleted = (stream: string): Failure =>
  failure(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': trailerOf(stream),
  });
export const tooLarge = (): Failure =>
  failure(status.INVALID_ARGUMENT, `Maximum Append Size of ${MAX_APPEND_SIZE} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(MAX_APPEND_SIZE),
  });
export const missingProperty = (name: string): Failure =>
  failure(status.INVALID_ARGUMENT, `Required Metadata Property '${name}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });

/** A special revision as deletions tell it: numbers, unlike appends. */
const numberOf = (expected: Expected): string =>
  expected === 'any' ? '-2' : expected === 'no_stream' ? '-1' : expected === 'stream_exists' ? '-4' : String(expected);

export const deletionRefused = (stream: string, expected: Expected, current: number): Failure =>
  failure(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${numberOf(expected)}, Actual version: ${current}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': trailerOf(stream),
      'expected-version': numberOf(expected),
      'actual-version': String(current),
    },
  );

const revisionText = (revision: number): string =>
  revision === TOMBSTONE_REVISION ? '9223372036854775807' : String(revision);

export const identifierOf = (stream: string): InstanceType<typeof sharedPb.StreamIdentifier> =>
  new sharedPb.StreamIdentifier().setStreamName(Buffer.from(stream));

export const nameOf = (identifier: { getStreamName_asU8(): Uint8Array } | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();

const recordMessage = (record: LogRecord): ReadResp.ReadEvent.RecordedEvent => {
  const position = String(record.position);
  const message = new streamsPb.ReadResp.ReadEvent.RecordedEvent()
    .setId(new sharedPb.UUID().setString(record.id))
    .setStreamIdentifier(identifierOf(record.stream))
    .setStreamRevision(revisionText(record.revision))
    .setPreparePosition(position)
    .setCommitPosition(position)
    .setCustomMetadata(record.metadata)
    .setData(record.data);
  message
    .getMetadataMap()
    .set('type', record.type)
    .set('created', String(record.created))
    .set('content-type', record.isJson ? 'application/json' : 'application/octet-stream');
  return message;
};

/** An event as a reader gets it; `target` is what a link resolves to, undefined where that is gone. */
export const eventMessage = (record: LogRecord, link?: { readonly target: LogRecord | undefined }): ReadResp => {
  const event = new streamsPb.ReadResp.ReadEvent().setCommitPosition(String(record.position));
  if (link === undefined) event.setEvent(recordMessage(record));
  else {
    event.setLink(recordMessage(record));
    if (link.target !== undefined) event.setEvent(recordMessage(link.target));
  }
  return new streamsPb.ReadResp().setEvent(event);
};

export const confirmation = (id: string): ReadResp =>
  new streamsPb.ReadResp().setConfirmation(new streamsPb.ReadResp.SubscriptionConfirmation().setSubscriptionId(id));

export const checkpoint = ({ position }: LogRecord): ReadResp =>
  new streamsPb.ReadResp().setCheckpoint(
    new streamsPb.ReadResp.Checkpoint().setCommitPosition(String(position)).setPreparePosition(String(position)),
  );

export const caughtUp = (): ReadResp => new streamsPb.ReadResp().setCaughtUp(new streamsPb.ReadResp.CaughtUp());

export const streamNotFound = (stream: string): ReadResp =>
  new streamsPb.ReadResp().setStreamNotFound(
    new streamsPb.ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream)),
  );

/** `revision` -1: the append was empty and the stream is still missing. */
export const batchSuccess = (stream: string, revision: number, position: number): BatchAppendResp => {
  const success = new streamsPb.BatchAppendResp.Success().setPosition(
    new sharedPb.AllStreamPosition().setCommitPosition(String(position)).setPreparePosition(String(position)),
  );
  if (revision < 0) success.setNoStream(new emptyPb.Empty());
  else success.setCurrentRevision(String(revision));
  return new streamsPb.BatchAppendResp().setStreamIdentifier(identifierOf(stream)).setSuccess(success);
};

const batchError = (
  stream: string,
  code: codePb.Code,
  message: string,
  type: string,
  details: { serializeBinary(): Uint8Array },
): BatchAppendResp => {
  const any = new anyPb.Any();
  any.pack(details.serializeBinary(), `event_store.client.${type}`);
  return new streamsPb.BatchAppendResp()
    .setStreamIdentifier(identifierOf(stream))
    .setError(new statusPb.Status().setCode(code).setMessage(message).setDetails(any));
};

export const batchTimeout = (stream: string): BatchAppendResp =>
  batchError(stream, codePb.Code.DEADLINE_EXCEEDED, 'Timeout', 'Timeout', new sharedPb.Timeout());

export const batchDenied = (stream: string): BatchAppendResp =>
  batchError(stream, codePb.Code.PERMISSION_DENIED, 'AccessDenied', 'AccessDenied', new sharedPb.AccessDenied());

export const batchTooLarge = (stream: string): BatchAppendResp =>
  batchError(
    stream,
    codePb.Code.INVALID_ARGUMENT,
    'MaximumAppendSizeExceeded',
    'MaximumAppendSizeExceeded',
    new sharedPb.MaximumAppendSizeExceeded().setMaxappendsize(MAX_APPEND_SIZE),
  );

export const batchDeleted = (stream: string): BatchAppendResp =>
  batchError(
    stream,
    codePb.Code.NOT_FOUND,
    'StreamDeleted',
    'StreamDeleted',
    new sharedPb.StreamDeleted().setStreamIdentifier(identifierOf(stream)),
  );

export const batchMalformed = (stream: string, message: string): BatchAppendResp =>
  batchError(
    stream,
    codePb.Code.INVALID_ARGUMENT,
    'BadRequest',
    'BadRequest',
    new sharedPb.BadRequest().setMessage(message),
  );

export const batchWrongVersion = (stream: string, expected: Expected, current: number): BatchAppendResp => {
  const details = new sharedPb.WrongExpectedVersion();
  if (current < 0) details.setCurrentNoStream(new emptyPb.Empty());
  else details.setCurrentStreamRevision(String(current));
  if (expected === 'any') details.setExpectedAny(new emptyPb.Empty());
  else if (expected === 'no_stream') details.setExpectedNoStream(new emptyPb.Empty());
  else if (expected === 'stream_exists') details.setExpectedStreamExists(new emptyPb.Empty());
  else details.setExpectedStreamPosition(String(expected));
  return batchError(stream, codePb.Code.ALREADY_EXISTS, 'WrongExpectedVersion', 'WrongExpectedVersion', details);
};

export const appendSuccess = (revision: number, position: number): InstanceType<typeof streamsPb.AppendResp> => {
  const success = new streamsPb.AppendResp.Success().setPosition(
    new streamsPb.AppendResp.Position().setCommitPosition(String(position)).setPreparePosition(String(position)),
  );
  if (revision < 0) success.setNoStream(new sharedPb.Empty());
  else success.setCurrentRevision(String(revision));
  return new streamsPb.AppendResp().setSuccess(success);
};

/** A refusal with status 0, told in old and new fields as the server does. */
export const appendWrongVersion = (expected: Expected, current: number): InstanceType<typeof streamsPb.AppendResp> => {
  const wrong = new streamsPb.AppendResp.WrongExpectedVersion();
  if (current < 0) wrong.setCurrentNoStream(new sharedPb.Empty()).setNoStream2060(new sharedPb.Empty());
  else wrong.setCurrentRevision(String(current)).setCurrentRevision2060(current);
  if (expected === 'any') wrong.setExpectedAny(new sharedPb.Empty()).setAny2060(new sharedPb.Empty());
  else if (expected === 'stream_exists') {
    wrong.setExpectedStreamExists(new sharedPb.Empty()).setStreamExists2060(new sharedPb.Empty());
  } else if (expected === 'no_stream') {
    // A real server writes 2^64 - 1; this is the largest that the stubs write.
    wrong.setExpectedNoStream(new sharedPb.Empty()).setExpectedRevision2060(18_446_744_073_709_549_568);
  } else wrong.setExpectedRevision(String(expected)).setExpectedRevision2060(expected);
  return new streamsPb.AppendResp().setWrongExpectedVersion(wrong);
};
