import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { EventToAppend, RecordedEvent } from '#kernel';
import { newId } from '#kernel';
import { InMemoryEventStore, sampleEvent } from '#kernel-testing';
import type { AuditLog } from './audit-log.js';
import { LogExport } from './log-export.js';
import type { LogTree } from './signed-log/log-tree.js';

const PAGE = 500;
const PAGES = 20;

/** An export of a log of some pages, of which the reader sees nothing; and how far that log was read. */
const exportOf = async (): Promise<{ readonly lines: Readable; readonly pagesRead: () => number }> => {
  const store = new InMemoryEventStore();
  for (let page = 0; page < PAGES; page += 1) {
    await store.append(
      `noise-${page}`,
      -1,
      Array.from({ length: PAGE }, () => sampleEvent({ note: 'n' }, newId())),
    );
  }
  const ids = (await store.readAll(0n, PAGE * PAGES)).map(({ id }) => id);
  const seqs = new Map(ids.map((id, seq) => [id, seq]));
  const tree = {
    leafOf: (id: string) => ({ seq: seqs.get(id) }),
    places: (from: number, count: number) =>
      ids
        .slice(from, from + count)
        .map((eventId, n) => ({ seq: from + n, eventId, entryHash: '', prevInStream: null })),
  } as unknown as LogTree;
  const log = { shown: () => Promise.resolve({ lifted: undefined, data: undefined }) } as unknown as AuditLog;
  let read = 0;
  const caller = (): Promise<Caller> => {
    read += 1;
    return Promise.resolve(ANONYMOUS);
  };
  const signed = { size: ids.length, root: new Uint8Array(32), note: 'signed' };
  const lines = new LogExport(store, log, tree).lines(caller, { after: 0n, filter: {}, signed });
  return { lines: Readable.from(lines), pagesRead: () => read };
};

test('an export reads no further than a page ahead of a slow reader, however long the log is', async () => {
  const { lines, pagesRead } = await exportOf();
  const taken = lines[Symbol.asyncIterator]();
  for (let count = 1; count <= 3 * PAGE; count += 1) {
    await taken.next();
    if (count % PAGE !== 1) continue;
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(pagesRead()).toBeLessThanOrEqual(Math.ceil(count / PAGE) + 1);
  }
  lines.destroy();
});

test('an export comes to its end with what it is signed by, its caller asked anew for every page', async () => {
  const { lines, pagesRead } = await exportOf();
  const all = (await lines.toArray()) as object[];
  expect(all).toHaveLength(PAGE * PAGES + 1);
  expect(all.at(-1)).toMatchObject({ end: true, checkpoint: 'signed' });
  expect(pagesRead()).toBe(PAGES + 1);
});

test('of one request all events are opened or none, however many it led to', async () => {
  const store = new InMemoryEventStore();
  const written = (request: string, count: number): EventToAppend[] =>
    Array.from({ length: count }, () => {
      const event = sampleEvent();
      return { ...event, metadata: { ...event.metadata, commandId: request, requestHash: 'f'.repeat(64) } };
    });
  const requests = [written('before', 3), written('many', 120), written('after', 3)];
  for (const [n, events] of requests.entries()) await store.append('page-1', [-1, 2, 122][n] ?? NaN, events);
  const events = await store.readAll(0n, 200);
  const leaves = events.map(({ id: eventId }, seq) => ({ seq, eventId, entryHash: '', prevInStream: null }));
  const tree = {
    leafOf: (id: string) => leaves.find(({ eventId }) => eventId === id),
    places: (from: number, count: number) => leaves.slice(from, from + count),
  } as unknown as LogTree;
  const hidden = requests[1]?.[0]?.id;
  const log = {
    shown: (_caller: Caller, lifted: RecordedEvent) =>
      Promise.resolve({ lifted, data: lifted.id === hidden ? undefined : lifted.data }),
  } as unknown as AuditLog;
  const signed = { size: events.length, root: new Uint8Array(32), note: 'signed' };
  const opened: number[] = [];
  const order = { after: 0n, filter: {}, signed };
  for await (const line of new LogExport(store, log, tree).lines(() => Promise.resolve(ANONYMOUS), order)) {
    if ('opening' in line) opened.push(line.opening.revision);
  }
  expect(opened).toEqual([0, 1, 2, 123, 124, 125]);
});
