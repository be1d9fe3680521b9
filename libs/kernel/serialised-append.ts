import type { ExpectedRevision } from './event-store.js';
import { InvalidAppendError, MAX_APPEND_BYTES } from './event-store.js';
import type { EventToAppend } from './events.js';
import { isUuid } from './ids.js';

/** An event as every store writes it: data and metadata as JSON text. */
export interface SerialisedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/**
 * Checks an append before any store is touched and turns it into text: the one place where every store's rules for a valid append stand.
 * @throws {InvalidAppendError} naming what is wrong
 */
export const serialisedAppend = (
  stream: string,
  expected: ExpectedRevision,
  events: readonly EventToAppend[],
): SerialisedEvent[] => {
  checkName('stream', stream);
  if (!Number.isSafeInteger(expected) || expected < -1) {
    throw new InvalidAppendError(`expected revision ${expected} is neither a revision nor -1`);
  }
  if (events.length === 0) throw new InvalidAppendError(`an append to ${stream} holds no event`);
  const ids = new Set<string>();
  let bytes = 0;
  const serialised = events.map((event): SerialisedEvent => {
    if (!isUuid(event.id)) throw new InvalidAppendError(`event id ${event.id} is not a lower-case UUID`);
    if (ids.has(event.id)) throw new InvalidAppendError(`event id ${event.id} stands twice in one append`);
    ids.add(event.id);
    checkName('event type', event.type);
    const data = jsonOf(event.data, `data of ${event.type}`);
    const metadata = jsonOf(event.metadata, `metadata of ${event.type}`);
    bytes += Buffer.byteLength(data) + Buffer.byteLength(metadata);
    return { id: event.id, type: event.type, data, metadata };
  });
  if (bytes > MAX_APPEND_BYTES) {
    throw new InvalidAppendError(`an append to ${stream} has ${bytes} bytes, more than ${MAX_APPEND_BYTES}`);
  }
  return serialised;
};

const checkName = (what: string, name: string): void => {
  if (name === '') throw new InvalidAppendError(`the ${what} is empty`);
  // A lone surrogate has no UTF-8 form: two different names would be stored as one.
  if (/\p{Cs}/u.test(name) || name.includes('\0')) throw new InvalidAppendError(`the ${what} is not plain text`);
};

const jsonOf = (value: object, what: string): string => {
  let text: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new InvalidAppendError(`${what} has no JSON form`, { cause: error });
  }
  if (typeof text !== 'string' || !text.startsWith('{')) throw new InvalidAppendError(`${what} is not a JSON object`);
  checkExact(value, what);
  return text;
};

/** What two readers could read in two ways has no hash that proves it: it would stand in the log for ever, and in no audit tree. */
const checkExact = (value: unknown, what: string): void => {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new InvalidAppendError(`${what} holds a lone surrogate`);
  } else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value))
      throw new InvalidAppendError(
        `${what} holds ${value}, which is not a whole number below 2^53: write it as a text`,
      );
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      checkExact(name, what);
      checkExact(member, what);
    }
  }
};
