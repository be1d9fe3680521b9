import type { RecordedEvent } from '#kernel';
import { SYSTEM_PROCESS } from '#kernel';
import type { Client } from './client.js';
import type { Acknowledged } from './load.js';

const revisionOf = (etag: string | undefined): number => Number(etag?.slice(1, -1));

/** What a server, started again, must still say of what was acknowledged: the record, and the same answer to the same key. */
export const brokenOnServer = async (client: Client, acknowledged: readonly Acknowledged[]): Promise<string[]> => {
  const broken: string[] = [];
  for (const { intent, answer, record } of acknowledged) {
    const now = await client.get(record, intent.who);
    if (now.status !== 200) {
      broken.push(`${record} answers ${now.status} after ${intent.path} was answered ${answer.status}`);
      continue;
    }
    if (!(revisionOf(now.etag) >= revisionOf(answer.etag))) {
      broken.push(`${record} is at ${now.etag} after ${intent.path} was answered ${answer.etag}`);
    }
    if (!('idempotency-key' in intent.headers)) continue;
    const again = await client.post(intent);
    const same =
      again.status === answer.status && again.location === answer.location && again.body.code === answer.body.code;
    if (!same) {
      broken.push(
        `${intent.path} was answered ${answer.status} ${answer.location}, and with the same key ${again.status} ${again.location} ${again.body.code ?? ''}`,
      );
    }
  }
  return broken;
};

/** What the log must hold of what was acknowledged: each request's events, once, together, at the revision that was told or before. */
export const brokenInLog = (events: readonly RecordedEvent[], acknowledged: readonly Acknowledged[]): string[] => {
  const byRequest = new Map<string, RecordedEvent[]>();
  for (const event of events) {
    const { correlationId, actor } = event.metadata;
    if (actor.party === SYSTEM_PROCESS.party) continue;
    byRequest.set(correlationId, [...(byRequest.get(correlationId) ?? []), event]);
  }
  return acknowledged.flatMap(({ intent, answer, record }) => {
    const written = byRequest.get(intent.id) ?? [];
    const [first] = written;
    const say = (what: string): string[] => [`${intent.path} answered ${answer.status} ${answer.etag}: ${what}`];
    if (first === undefined) return say('nothing of it is in the log');
    const { stream, metadata } = first;
    if (!record.endsWith(stream.slice(stream.indexOf('-') + 1))) return say(`it is in ${stream}`);
    const together = written.every(
      (event, index) =>
        event.stream === stream &&
        event.revision === first.revision + index &&
        event.metadata.commandId === metadata.commandId,
    );
    if (!together) return say('it was written more than once, or in pieces');
    return first.revision + written.length - 1 <= revisionOf(answer.etag) ? [] : say(`it is at ${first.revision}`);
  });
};
