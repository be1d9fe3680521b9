import type { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { Caller } from '#directory/contract';
import { ANONYMOUS } from '#directory/contract';
import type { Command, Decider, DomainEvent, EventToAppend, Rejection } from '#kernel';
import { newId, SYSTEM_PROCESS, SystemClock, Transactor, Upcasting } from '#kernel';
import { InMemoryEventStore, sampleEvent } from '#kernel-testing';
import type { RecordKind } from '#web';
import { RecordKinds } from '#web';
import { AuditLog } from './audit-log.js';
import { LogExport } from './log-export.js';
import { ndjson } from './ndjson.js';
import type { LogTree } from './signed-log/log-tree.js';

const PAGE = 500;
const PAGES = 20;
const SIGNED_BY = { root: new Uint8Array(32), note: 'signed' };

interface Noted extends DomainEvent {
  readonly type: 'Noted';
  readonly data: { readonly text: string };
}

/** Pages that some of the notes are torn from: anyone sees them, and reads all of a note but one that says `hidden`. */
const decider: Decider<number, Command, Noted, Rejection> = {
  category: 'page',
  initial: 0,
  schemas: { Noted: 1 },
  decide: () => ({ kind: 'accepted', events: [] }),
  evolve: (notes) => notes + 1,
};
const pageKind: RecordKind<number, Command, Noted, Rejection> = {
  decider,
  path: '/v1/pages',
  exists: (notes) => notes > 0,
  sees: () => true,
  permits: () => false,
  view: () => ({}),
  maskEvent: (_caller, _notes, { data }) => (data.text === 'hidden' ? { text: null } : { ...data }),
};

const logOf = async (
  streams: readonly (readonly [stream: string, expected: number, events: readonly EventToAppend[]])[],
): Promise<{ readonly size: number; readonly log: AuditLog; readonly exporting: LogExport }> => {
  const store = new InMemoryEventStore();
  for (const [stream, expected, events] of streams) await store.append(stream, expected, events);
  const ids = (await store.readAll(0n, 1_000_000)).map(({ id }) => id);
  const seqs = new Map(ids.map((id, seq) => [id, seq]));
  const tree = {
    leafOf: (id: string) => ({ seq: seqs.get(id) }),
    places: (from: number, count: number) =>
      ids
        .slice(from, from + count)
        .map((eventId, n) => ({ seq: from + n, eventId, entryHash: '', prevInStream: null })),
    subtrees: (from: number, to: number) =>
      [from, to].map((at) => Buffer.of(...(at < 256 ? [at] : [at >> 8, at & 255]))),
  } as unknown as LogTree;
  const clock = new SystemClock();
  const kinds = new RecordKinds();
  kinds.add(pageKind);
  const log = new AuditLog(store, new Transactor(store, clock), kinds, new Upcasting([]), clock);
  return { size: ids.length, log, exporting: new LogExport(store, log, tree) };
};

const note = (text: string, metadata: Partial<EventToAppend['metadata']> = {}): EventToAppend => {
  const event = sampleEvent({}, newId());
  return { ...event, type: 'Noted', data: { text }, metadata: { ...event.metadata, ...metadata } };
};

/** An export of a log of some pages, as it is sent; and how far that log was read. */
const exportOf = async (): Promise<{ readonly sent: Readable; readonly pagesRead: () => number }> => {
  const notes = (): EventToAppend[] => Array.from({ length: PAGE }, () => note('n'));
  const { size, exporting } = await logOf(Array.from({ length: PAGES }, (_, n) => [`noise-${n}`, -1, notes()]));
  let read = 0;
  const caller = (): Promise<Caller> => {
    read += 1;
    return Promise.resolve(ANONYMOUS);
  };
  const sent = ndjson(exporting.pages(caller, { after: 0n, filter: {}, signed: { ...SIGNED_BY, size } }));
  return { sent, pagesRead: () => read };
};

test('an export reads no further than two pages ahead of a slow reader, however long the log is', async () => {
  const { sent, pagesRead } = await exportOf();
  const taken = sent[Symbol.asyncIterator]();
  for (let count = 1; count <= 3; count += 1) {
    await taken.next();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(pagesRead()).toBeLessThanOrEqual(count + 2);
  }
  sent.destroy();
});

test('an export comes to its end with what it is signed by, its caller asked anew for every page', async () => {
  const { sent, pagesRead } = await exportOf();
  const text = ((await sent.toArray()) as string[]).join('');
  const all = text.trimEnd().split('\n');
  expect(all).toHaveLength(PAGE * PAGES + 1);
  expect(JSON.parse(all.at(-1) ?? '')).toMatchObject({ end: true, checkpoint: 'signed' });
  expect(pagesRead()).toBe(PAGES + 1);
});

test('an export from beyond the end of the log ends where that does', async () => {
  const { size, exporting } = await logOf([['page-1', -1, [note('a'), note('b')]]]);
  const order = { after: 999n, filter: {}, signed: { ...SIGNED_BY, size } };
  const pages: unknown[] = [];
  for await (const page of exporting.pages(() => Promise.resolve(ANONYMOUS), order)) pages.push(...page);
  expect(pages).toEqual([{ end: true, after: '2', checkpoint: 'signed' }]);
});

test('with a filter a run of events that are left out is one line, however many pages it is of', async () => {
  const notes = (count: number): EventToAppend[] => Array.from({ length: count }, () => note('n'));
  const { size, exporting } = await logOf([
    ['page-1', -1, notes(3 * PAGE + 1)],
    ['page-2', -1, [...notes(2), note('hidden'), note('n')]],
    ['page-3', -1, notes(2 * PAGE)],
  ]);
  const lines: unknown[] = [];
  const order = { after: 0n, filter: { stream: 'page-2' }, signed: { ...SIGNED_BY, size } };
  for await (const page of exporting.pages(() => Promise.resolve(ANONYMOUS), order)) lines.push(...page);
  expect(lines).toMatchObject([
    { position: '1501', seq: 0, leftOut: 1501, hashes: ['00', '05dd'] },
    { position: '1502', seq: 1501, opening: { stream: 'page-2', revision: 0 } },
    { position: '1503', seq: 1502, opening: { stream: 'page-2', revision: 1 } },
    // What is shown in part is left out like what nobody asked for.
    { position: '1504', seq: 1503, leftOut: 1, hashes: ['05df', '05e0'] },
    { position: '1505', seq: 1504, opening: { stream: 'page-2', revision: 3 } },
    { position: '2505', seq: 1505, leftOut: 1000, hashes: ['05e1', '09c9'] },
    { end: true, after: '2505', checkpoint: 'signed' },
  ]);
});

test('of one request all events are opened or none, however many it led to', async () => {
  const request = (texts: readonly string[]): EventToAppend[] => {
    const commandId = newId();
    return texts.map((text) => note(text, { commandId, requestHash: 'f'.repeat(64) }));
  };
  const shown = (count: number): string[] => Array.from({ length: count }, () => 'shown');
  const { size, exporting } = await logOf([
    ['page-1', -1, request(shown(3))],
    ['page-1', 2, request(['hidden', ...shown(1_119)])],
    ['page-1', 1_122, request(shown(3))],
    ['page-1', 1_125, [note('hidden'), note('shown')]],
  ]);
  const opened: number[] = [];
  const order = { after: 0n, filter: {}, signed: { ...SIGNED_BY, size } };
  for await (const page of exporting.pages(() => Promise.resolve(ANONYMOUS), order))
    for (const line of page) if ('opening' in line) opened.push(line.opening.revision);
  expect(opened).toEqual([0, 1, 2, 1_123, 1_124, 1_125, 1_127]);
});

test('of what a process wrote of a hidden record neither the event it answers nor the mark of the request is listed', async () => {
  const caused = { correlationId: 'chosen by whoever acts there', causationId: newId() };
  const { log } = await logOf([
    ['page-1', -1, [note('hidden', caused)]],
    ['page-1', 0, [note('hidden', { ...caused, actor: SYSTEM_PROCESS })]],
    ['page-1', 1, [note('shown', { ...caused, actor: SYSTEM_PROCESS })]],
  ]);
  const told: unknown[] = [];
  for await (const page of log.events(ANONYMOUS, 0n, {}))
    for (const item of page)
      if (!('masked' in item)) told.push({ correlationId: item.correlationId, causationId: item.causationId });
  expect(told).toEqual([caused, { correlationId: null, causationId: null }, caused]);
});
