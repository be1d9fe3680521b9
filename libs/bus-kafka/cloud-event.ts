import { categoryOfStream, isUuid, type RecordedEvent } from '#kernel';
import type { OutgoingMessage, TopicMessage } from './broker.js';
import type { TopicNames } from './topic-names.js';

/** What a wake-up says: an event of the log, to be read there. */
export interface WakeUp {
  readonly stream: string;
  readonly revision: number;
  readonly position: bigint;
  readonly id: string;
  readonly type: string;
}

const REVISION = /^\d{1,15}$/;
const POSITION = /^\d{1,20}$/;

/** CloudEvents 1.0 attributes in Kafka's binary mode; extension names are lower-case letters and digits, at most 20. */
const headersOf = (event: RecordedEvent, source: string, classification: string): Record<string, string> => {
  const { metadata } = event;
  const trace = metadata.correlationId.replaceAll('-', '');
  return {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_source: source,
    ce_type: event.type,
    ce_time: metadata.recordedAt,
    ce_subject: event.stream,
    ce_streamrevision: String(event.revision),
    ce_logposition: String(event.position),
    ce_correlationid: metadata.correlationId,
    ...(metadata.causationId === null ? {} : { ce_causationid: metadata.causationId }),
    ce_dataclassification: classification,
    // W3C trace context: all that follows from one request is one trace.
    ...(isUuid(metadata.correlationId)
      ? { ce_traceparent: `00-${trace}-${event.id.replaceAll('-', '').slice(-16)}-01` }
      : {}),
  };
};

/** The wake-up of an event: everything a service needs to read it from the log, nothing of what it says. */
export const wakeUpOf = (event: RecordedEvent, names: TopicNames, source: string): OutgoingMessage => ({
  topic: names.restricted(categoryOfStream(event.stream)),
  key: event.stream,
  headers: headersOf(event, source, 'restricted'),
  value: '',
});

/** A public event for partners, with its data. */
export const partnerMessageOf = (event: RecordedEvent, names: TopicNames, source: string): OutgoingMessage => ({
  topic: names.partner(categoryOfStream(event.stream)),
  key: event.stream,
  headers: {
    ...headersOf(event, source, 'public'),
    ce_dataschema: `/v1/schemas/${event.type}/${event.metadata.schema}`,
    'content-type': 'application/json',
  },
  value: JSON.stringify(event.data),
});

/** Asks `process` to take up `stream` again, in order with the stream's own wake-ups. */
export const replayRequest = (names: TopicNames, process: string, stream: string, id: string): OutgoingMessage => ({
  topic: names.restricted(categoryOfStream(stream)),
  key: stream,
  headers: {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: `/${names.prefix}/dead-letters`,
    ce_type: names.replayType,
    ce_subject: stream,
    process,
  },
  value: '',
});

/** What a message of a restricted topic is. */
export type Heard =
  | { readonly kind: 'wake-up'; readonly wakeUp: WakeUp }
  | { readonly kind: 'replay'; readonly process: string; readonly stream: string }
  /** Of a log that is not ours. */
  | { readonly kind: 'foreign'; readonly source: string }
  | { readonly kind: 'malformed' };

export const heard = (
  { key, headers }: Pick<TopicMessage, 'key' | 'headers'>,
  names: TopicNames,
  source: string,
): Heard => {
  const { ce_id: id = '', ce_type: type = '', ce_subject: stream = '', ce_source: from = '' } = headers;
  if (stream === '' || stream !== key) return { kind: 'malformed' };
  if (type === names.replayType) {
    const { process = '' } = headers;
    return process === '' ? { kind: 'malformed' } : { kind: 'replay', process, stream };
  }
  const { ce_streamrevision: revision = '', ce_logposition: position = '' } = headers;
  if (!isUuid(id) || type === '' || !REVISION.test(revision) || !POSITION.test(position)) return { kind: 'malformed' };
  if (from !== source) return { kind: 'foreign', source: from };
  return { kind: 'wake-up', wakeUp: { stream, revision: Number(revision), position: BigInt(position), id, type } };
};
