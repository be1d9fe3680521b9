import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type { BatchAppendReq, ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import timestampPb from 'google-protobuf/google/protobuf/timestamp_pb.js';
import type { SerialisedEvent } from '#kernel';
import { NO_STREAM } from '#kernel';

const { FORWARDS, BACKWARDS } = streamsPb.ReadReq.Options.ReadDirection;

const identifierOf = (stream: string): InstanceType<typeof sharedPb.StreamIdentifier> =>
  new sharedPb.StreamIdentifier().setStreamName(Buffer.from(stream));

const options = (): ReadReq.Options =>
  new streamsPb.ReadReq.Options().setUuidOption(
    new streamsPb.ReadReq.Options.UUIDOption().setString(new sharedPb.Empty()),
  );

const request = (of: ReadReq.Options): ReadReq => new streamsPb.ReadReq().setOptions(of);

/** Events of a stream from a revision on, inclusive. */
export const streamRequest = (stream: string, from: number, count: number): ReadReq =>
  request(
    options()
      .setStream(
        new streamsPb.ReadReq.Options.StreamOptions()
          .setStreamIdentifier(identifierOf(stream))
          .setRevision(String(from)),
      )
      .setReadDirection(FORWARDS)
      .setCount(String(count))
      .setNoFilter(new sharedPb.Empty()),
  );

/** The newest event of a stream. */
export const newestRequest = (stream: string): ReadReq =>
  request(
    options()
      .setStream(
        new streamsPb.ReadReq.Options.StreamOptions()
          .setStreamIdentifier(identifierOf(stream))
          .setEnd(new sharedPb.Empty()),
      )
      .setReadDirection(BACKWARDS)
      .setCount('1')
      .setNoFilter(new sharedPb.Empty()),
  );

const allOptions = (position: bigint): ReadReq.Options.AllOptions => {
  const all = new streamsPb.ReadReq.Options.AllOptions();
  if (position === 0n) return all.setStart(new sharedPb.Empty());
  return all.setPosition(
    new streamsPb.ReadReq.Options.Position().setCommitPosition(String(position)).setPreparePosition(String(position)),
  );
};

/** Everything from a position on, inclusive; 0n for the start. */
export const allRequest = (position: bigint, count: number): ReadReq =>
  request(
    options()
      .setAll(allOptions(position))
      .setReadDirection(FORWARDS)
      .setCount(String(count))
      .setNoFilter(new sharedPb.Empty()),
  );

/** Everything before a position (exclusive), or before the end, newest first. */
export const backwardsRequest = (before: bigint | undefined, count: number): ReadReq =>
  request(
    options()
      .setAll(
        before === undefined
          ? new streamsPb.ReadReq.Options.AllOptions().setEnd(new sharedPb.Empty())
          : allOptions(before),
      )
      .setReadDirection(BACKWARDS)
      .setCount(String(count))
      .setNoFilter(new sharedPb.Empty()),
  );

/** A subscription to streams whose name fits `regex`, after a position (exclusive; 0n for the start). */
export const subscriptionRequest = (after: bigint, regex: string): ReadReq =>
  request(
    options()
      .setAll(allOptions(after))
      .setSubscription(new streamsPb.ReadReq.Options.SubscriptionOptions())
      .setFilter(
        new streamsPb.ReadReq.Options.FilterOptions()
          .setStreamIdentifier(new streamsPb.ReadReq.Options.FilterOptions.Expression().setRegex(regex))
          .setCount(new sharedPb.Empty())
          .setCheckpointintervalmultiplier(1),
      ),
  );

/** One append, whole in one message. */
export const appendRequest = (
  correlationId: string,
  stream: string,
  expected: number,
  events: readonly SerialisedEvent[],
  deadline: Date,
): BatchAppendReq => {
  const of = new streamsPb.BatchAppendReq.Options()
    .setStreamIdentifier(identifierOf(stream))
    .setDeadline(timestampPb.Timestamp.fromDate(deadline));
  if (expected === NO_STREAM) of.setNoStream(new emptyPb.Empty());
  else of.setStreamPosition(String(expected));
  return new streamsPb.BatchAppendReq()
    .setCorrelationId(new sharedPb.UUID().setString(correlationId))
    .setOptions(of)
    .setProposedMessagesList(events.map(proposed))
    .setIsFinal(true);
};

const proposed = ({ id, type, data, metadata }: SerialisedEvent): BatchAppendReq.ProposedMessage => {
  const message = new streamsPb.BatchAppendReq.ProposedMessage()
    .setId(new sharedPb.UUID().setString(id))
    .setData(Buffer.from(data))
    .setCustomMetadata(Buffer.from(metadata));
  message.getMetadataMap().set('type', type).set('content-type', 'application/json');
  return message;
};
