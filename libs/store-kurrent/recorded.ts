import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { RecordedEvent } from '#kernel';
import { StoreUnavailableError } from '#kernel';

type Message = ReadResp.ReadEvent.RecordedEvent;

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** The name under which the server keeps the event's stream. */
export const storedStreamOf = (message: Message): string =>
  textOf(message.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array());

export const idOf = (message: Message): string => message.getId()?.getString() ?? '';

export const positionOf = (message: Message): bigint => BigInt(message.getCommitPosition());

/** Bytes of an event's content. */
export const sizeOf = (message: Message): number =>
  message.getData_asU8().length + message.getCustomMetadata_asU8().length;

/**
 * An event as the kernel knows it; `stream` is its name within this log.
 * @throws {StoreUnavailableError} where something other than this program wrote it
 */
export const recordedOf = (message: Message, stream: string): RecordedEvent => {
  const position = positionOf(message);
  return {
    id: idOf(message),
    stream,
    type: message.getMetadataMap().get('type') ?? '',
    data: parsed(message.getData_asU8(), position),
    metadata: parsed(message.getCustomMetadata_asU8(), position) as RecordedEvent['metadata'],
    revision: Number(message.getStreamRevision()),
    position,
  };
};

const parsed = (bytes: Uint8Array, position: bigint): object => {
  try {
    return JSON.parse(textOf(bytes)) as object;
  } catch (error) {
    // The parser's own text would quote the event.
    throw new StoreUnavailableError(`the event at ${position} is not JSON: another program wrote it`, {
      cause: error instanceof SyntaxError ? undefined : error,
    });
  }
};
