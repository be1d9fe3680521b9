import { InMemoryEventStore, recordedEvent } from '#kernel-testing';
import { ANONYMOUS } from '#directory/contract';
import type { ProjectionRunner, RecordedEvent, Transactor } from '#kernel';
import { applyToModel, emptyFold, foldOnto, Upcasting } from '#kernel';
import { MemoryReadDatabase } from '#read-database';
import { NoteSigner } from '#tlog';
import type { AnyRecordKind, RecordKinds } from '#web';
import { LogSigning } from '../signed-log/log-signing.js';
import { LogTree } from '../signed-log/log-tree.js';
import { logTree } from '../signed-log/log-tree.projection.js';
import { Evidence, type EvidenceOfRecord } from './evidence.js';

const ID = '00000000-0000-7000-8000-000000000001';
const STREAM = `need-${ID}`;

/** A record whose history hides every event that says so. */
const kind = {
  decider: {
    category: 'need',
    initial: 0,
    schemas: { Noted: 1 },
    decide: () => ({ kind: 'accepted', events: [] }),
    evolve: (count: number) => count + 1,
  },
  path: '/v1/needs',
  exists: () => true,
  sees: () => true,
  permits: () => false,
  view: (_caller: unknown, id: string) => ({ id }),
  maskEvent: (_caller: unknown, _state: unknown, { data }: RecordedEvent) => ('hidden' in data ? {} : data),
} as unknown as AnyRecordKind;

const noted = (revision: number, data: object, command = `c${revision}`, requestHash?: string): RecordedEvent =>
  recordedEvent(
    STREAM,
    revision,
    { type: 'Noted', data },
    { commandId: command, ...(requestHash === undefined ? {} : { requestHash }) },
  );

/** @param signed the events that the tree was made of, where these are not those that the store holds */
const evidenceOf = async (
  events: readonly RecordedEvent[],
  {
    signed = events,
    size = events.length,
    revision = 0,
  }: { readonly signed?: readonly RecordedEvent[]; readonly size?: number; readonly revision?: number } = {},
): Promise<{ readonly found: EvidenceOfRecord; readonly paths: () => Promise<readonly string[]> }> => {
  const store = new InMemoryEventStore();
  await store.append(STREAM, -1, events);
  const model = new MemoryReadDatabase().open(logTree);
  applyToModel(logTree, model, signed, (event) => event);
  const tree = new LogTree({ model: () => model } as unknown as ProjectionRunner);
  const kinds = { of: () => kind } as unknown as RecordKinds;
  const folded = foldOnto(kind.decider, emptyFold(kind.decider.initial), events, new Upcasting());
  const transactor = { load: () => Promise.resolve(folded) } as unknown as Transactor;
  const signing = new LogSigning({ signer: NoteSigner.generate('log.example/test') });
  const evidence = new Evidence(kinds, transactor, store, new Upcasting(), tree, signing);
  const found = await evidence.of(ANONYMOUS, 'need', ID, { size, root: tree.rootAt(size), note: 'note' }, revision);
  if (found === undefined) throw new Error('the record is there, and seen');
  const paths = async (): Promise<readonly string[]> => {
    const listed: string[] = [];
    for await (const { path } of evidence.files(ANONYMOUS, found)) listed.push(path);
    return listed;
  };
  return { found, paths };
};

const openedIn = ({ streams }: EvidenceOfRecord): readonly boolean[] =>
  streams.flatMap(({ events }) => events.map(({ opened }) => opened));

test('nothing of a request is opened, of which one event is withheld: the salt would serve to guess what the request said', async () => {
  const { found, paths } = await evidenceOf([
    noted(0, { n: 0 }, 'a', 'hash'),
    noted(1, { hidden: 1 }, 'a', 'hash'),
    noted(2, { n: 2 }, 'b', 'hash'),
    noted(3, { n: 3 }, 'c'),
    noted(4, { hidden: 4 }, 'c'),
  ]);
  expect(openedIn(found)).toEqual([false, false, true, true, false]);
  expect((await paths()).filter((path) => path.endsWith('.salt'))).toEqual(
    [2, 3].map((at) => `events/${STREAM}/${at}.salt`),
  );
});

test('a state is claimed where every event is opened, and nowhere else', async () => {
  const state = `state/${STREAM}.json`;
  expect(await (await evidenceOf([noted(0, { n: 0 }), noted(1, { n: 1 })])).paths()).toContain(state);
  expect(await (await evidenceOf([noted(0, { n: 0 }), noted(1, { hidden: 1 })])).paths()).not.toContain(state);
});

test('what the checkpoint does not cover is left out, and waited for where it was there when it was asked', async () => {
  const events = [noted(0, { n: 0 }), noted(1, { n: 1 })];
  expect(openedIn((await evidenceOf(events, { size: 1 })).found)).toEqual([true]);
  await expect(evidenceOf(events, { size: 1, revision: 1 })).rejects.toMatchObject({ code: 'projection-behind' });
});

test('a store that holds another event than the one that was signed hands out no opening of it', async () => {
  const signed = [noted(0, { n: 0 }), noted(1, { n: 1 })];
  const { paths } = await evidenceOf([noted(0, { n: 0 }), noted(1, { n: 2 })], { signed });
  await expect(paths()).rejects.toThrow(`revision 1 of ${STREAM} is not the event that was signed`);
});
