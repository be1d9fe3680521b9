import type { RecordedEvent } from '#kernel';
import type { Opening } from '#tlog';

/**
 * What the leaf of an event holds of it: the event as it was recorded, before any upcasting.
 * @param prevInStream the hash of the stream's event before, hexadecimal; null for its first
 */
export const openingOf = (
  { id: eventId, stream, revision, type, data, metadata: { salt: _salt, ...metadata } }: RecordedEvent,
  prevInStream: string | null,
): Opening => ({ stream, revision, eventId, type, schema: metadata.schema, data, metadata, prevInStream });
