import type { TopicMessage } from '#bus-kafka';
import type { RecordedEvent } from '#kernel';
import { BrokenRuleError } from './inspector.js';

/**
 * Holds what a topic was sent against the log: of each stream everything from its beginning, in order; what came twice came under the same
 * id. Answers how many events of these streams it does not hold yet.
 * @throws {BrokenRuleError} where a message is missing, out of order, or another's
 */
export const missingIn = (
  topic: string,
  messages: readonly TopicMessage[],
  streams: ReadonlyMap<string, readonly RecordedEvent[]>,
): number => {
  const came = new Map<string, number>();
  for (const { key = '', headers } of messages) {
    const revision = Number(headers.ce_streamrevision);
    const next = came.get(key) ?? 0;
    if (!(revision <= next)) throw new BrokenRuleError(`${topic} has ${key}@${revision} where ${next} was due`);
    const event = streams.get(key)?.[revision];
    if (event?.id !== headers.ce_id) {
      throw new BrokenRuleError(
        `${topic} has ${key}@${revision} as ${headers.ce_id}; the log has ${event?.id ?? 'none'}`,
      );
    }
    came.set(key, Math.max(next, revision + 1));
  }
  return [...streams].reduce((sum, [stream, { length }]) => sum + length - (came.get(stream) ?? 0), 0);
};
