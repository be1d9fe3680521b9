import {
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventStore } from '#kernel';
import { NO_STREAM, StoreUnavailableError } from '#kernel';
import { eventStoreContract, everyEvent, sampleEvent } from '#kernel-testing';
import type { Database } from '#sqlite';
import { openDatabase } from '#sqlite';
import { DataFolderInUseError, logPath } from './data-folder.js';
import { checkLog } from './log-check.js';
import { NewerLogFormatError } from './log-file.js';
import { SqliteLogReader } from './log-reader.js';
import { SqliteEventStore } from './sqlite-event-store.js';

let folder: string;
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'pledgebook-store-'));

eventStoreContract('SqliteEventStore', async () => {
  const own = newFolder();
  let store = SqliteEventStore.open(own);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = SqliteEventStore.open(own);
      return store;
    },
    dispose: async () => {
      await store.close();
      rmSync(own, { recursive: true });
    },
  };
});

beforeEach(() => {
  folder = newFolder();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const fill = async (store: EventStore, streams: number, each = 1): Promise<void> => {
  await Promise.all(
    Array.from({ length: streams }, (_, stream) =>
      store.append(
        `need-${stream}`,
        NO_STREAM,
        Array.from({ length: each }, (_event, n) => sampleEvent({ stream, n })),
      ),
    ),
  );
};

const written = async (streams: number, each = 1): Promise<void> => {
  const store = SqliteEventStore.open(folder);
  await fill(store, streams, each);
  await store.close();
};

/** Works on the file as some other program would. */
const raw = (work: (database: Database) => void): void => {
  const database = openDatabase(logPath(folder));
  try {
    work(database);
  } finally {
    database.close();
  }
};

const overwrite = (offset: number, bytes: Uint8Array): void => {
  const file = openSync(logPath(folder), 'r+');
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
};

const opening = (): Promise<unknown> =>
  Promise.resolve()
    .then(() => SqliteEventStore.open(folder))
    .then((store) => store.close())
    .catch((error: unknown) => error);

describe('group commit', () => {
  it('stores an append made twice at the same moment once, and answers both alike', async () => {
    const store = SqliteEventStore.open(folder);
    const events = [sampleEvent(), sampleEvent()];
    const [first, second] = await Promise.all([
      store.append('need-1', NO_STREAM, events),
      store.append('need-1', NO_STREAM, events),
    ]);
    expect(second).toEqual(first);
    expect(await everyEvent(store)).toHaveLength(2);
    await store.close();
  });

  it('decides appends of one turn in the order they were made', async () => {
    const store = SqliteEventStore.open(folder);
    const receipts = await Promise.all(
      Array.from({ length: 50 }, (_, n) => store.append('need-1', n - 1, [sampleEvent({ n })])),
    );
    expect(receipts.map((receipt) => receipt.revision)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    await store.close();
  });

  it('takes more appends in one turn than one transaction holds', async () => {
    const store = SqliteEventStore.open(folder);
    await fill(store, 3_000);
    expect(await everyEvent(store)).toHaveLength(3_000);
    await store.close();
  });
});

describe('the file refuses to forget', () => {
  const forbidden: readonly [what: string, sql: string][] = [
    ['a changed event', "UPDATE events SET data = '{}' WHERE position = 1"],
    ['a removed event', 'DELETE FROM events'],
    [
      'a replaced event',
      "INSERT OR REPLACE INTO events SELECT position, stream, revision, id, 'Other', data, metadata, checksum FROM events WHERE position = 1",
    ],
    [
      'an event replaced through its revision',
      "INSERT OR REPLACE INTO events SELECT 99, stream, revision, id, 'Other', data, metadata, checksum FROM events WHERE position = 1",
    ],
    [
      'an event slipped in behind the newest',
      "INSERT INTO events SELECT 0, 'other', 0, id, type, data, metadata, checksum FROM events WHERE position = 1",
    ],
    [
      'an event that leaves a gap in its stream',
      "INSERT INTO events SELECT 99, 'other', 1, id, type, data, metadata, checksum FROM events WHERE position = 1",
    ],
    ['a changed store id', "UPDATE meta SET value = 'x' WHERE name = 'storeId'"],
    ['a replaced format', "INSERT OR REPLACE INTO meta VALUES ('format', '0')"],
    ['a removed format', "DELETE FROM meta WHERE name = 'format'"],
  ];
  it.each(forbidden)('%s', async (_what, sql) => {
    await written(3);
    raw((database) => {
      for (const recursive of ['ON', 'OFF']) {
        database.exec(`PRAGMA recursive_triggers = ${recursive}`);
        expect(() => database.exec(sql)).toThrow(/append-only/);
      }
    });
    expect(checkLog(folder)).toMatchObject({ events: 3, streams: 3, faults: [] });
  });
});

describe('one writer', () => {
  it('a second store on the folder is refused and told what to do, until the first is closed', async () => {
    const store = SqliteEventStore.open(folder);
    const refused = await opening();
    expect(refused).toBeInstanceOf(DataFolderInUseError);
    expect((refused as Error).message).toContain(folder);
    expect((refused as Error).message).toContain('PLEDGEBOOK_DATA');
    await store.append('need-1', NO_STREAM, [sampleEvent()]);
    await store.close();
    expect(await opening()).toBeUndefined();
  });

  it('does not keep tools from reading meanwhile', async () => {
    const store = SqliteEventStore.open(folder);
    const reader = SqliteLogReader.open(folder);
    const { position } = await store.append('need-1', NO_STREAM, [sampleEvent()]);
    expect(reader.storeId).toBe(store.storeId);
    expect(await reader.head()).toBe(position);
    expect(await reader.readAll(0n, 10)).toEqual(await store.readAll(0n, 10));
    expect(await reader.readStream('need-1', 0, 10)).toHaveLength(1);
    await reader.close();
    await store.close();
  });

  it('a tool that reads alone keeps writers out, and is kept out by one', async () => {
    const store = SqliteEventStore.open(folder);
    await store.append('need-1', NO_STREAM, [sampleEvent()]);
    expect(() => SqliteLogReader.openAlone(folder)).toThrow(DataFolderInUseError);
    await store.close();
    const alone = SqliteLogReader.openAlone(folder);
    expect(await opening()).toBeInstanceOf(DataFolderInUseError);
    expect(alone.counts()).toEqual({ domain: 1, technical: 0 });
    await alone.close();
    expect(await opening()).toBeUndefined();
  });

  it('a reader that checks what it reads refuses an event that was altered', async () => {
    await written(3);
    const reader = SqliteLogReader.open(folder);
    expect(await reader.readChecked(0n, 10)).toEqual(await reader.readAll(0n, 10));
    raw((database) => {
      database.exec(`DROP TRIGGER events_never_change; UPDATE events SET data = '{"n":9}' WHERE position = 2`);
    });
    await expect(reader.readChecked(0n, 10)).rejects.toThrow(/the event at position 2 does not match its checksum/);
    expect(await reader.readChecked(2n, 10)).toHaveLength(1);
    await reader.close();
  });

  it('a reader of a folder without a log is told so, and creates nothing', () => {
    expect(() => SqliteLogReader.open(folder)).toThrow(/no log/);
    expect(() => SqliteLogReader.openAlone(folder)).toThrow(/no log/);
    expect(readdirSync(folder)).toEqual([]);
    expect(() => checkLog(folder)).toThrow(StoreUnavailableError);
  });
});

describe('formats', () => {
  it('refuses a log that a newer version wrote, and leaves it alone', async () => {
    await written(1);
    raw((database) => {
      database.exec("DROP TRIGGER meta_never_changes; UPDATE meta SET value = '2' WHERE name = 'format'");
    });
    const refused = await opening();
    expect(refused).toBeInstanceOf(NewerLogFormatError);
    expect((refused as Error).message).toMatch(/format 2.*up to 1/);
    expect(() => SqliteLogReader.open(folder)).toThrow(NewerLogFormatError);
  });

  it('refuses a database that is not a log', async () => {
    raw((database) => {
      database.exec('CREATE TABLE guests (name TEXT)');
    });
    expect(await opening()).toBeInstanceOf(StoreUnavailableError);
  });
});

describe('a full disk', () => {
  it('refuses every append of the commit with advice, keeps what was acknowledged, and goes on once there is room', async () => {
    const store = SqliteEventStore.open(folder, { maxPages: 60 });
    const filler = 'x'.repeat(20_000);
    let acknowledged = 0;
    let refused: unknown;
    while (refused === undefined) {
      await store.append(`need-${acknowledged}`, NO_STREAM, [sampleEvent({ filler })]).then(
        () => (acknowledged += 1),
        (error: unknown) => (refused = error),
      );
    }
    expect(refused).toBeInstanceOf(StoreUnavailableError);
    expect((refused as Error).message).toMatch(/full.*nothing was written.*free space/);
    const head = await store.head();
    const together = await Promise.allSettled([
      store.append('small', NO_STREAM, [sampleEvent()]),
      store.append('large', NO_STREAM, [sampleEvent({ filler: filler.repeat(5) })]),
      store.append('small', 7, [sampleEvent()]),
    ]);
    for (const outcome of together) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailableError' } });
    }
    expect(await store.head()).toBe(head);
    expect(await everyEvent(store)).toHaveLength(acknowledged);
    await store.close();
    const roomier = SqliteEventStore.open(folder);
    const { position } = await roomier.append('large', NO_STREAM, [sampleEvent({ filler: filler.repeat(5) })]);
    expect(position).toBeGreaterThan(head);
    await roomier.close();
    expect(checkLog(folder)).toMatchObject({ events: acknowledged + 1, faults: [] });
  });
});

describe('a damaged file', () => {
  const marker = (n: number): string => `marker-${n}-marker`;

  const writtenWithMarkers = async (): Promise<void> => {
    const store = SqliteEventStore.open(folder);
    for (let n = 0; n < 200; n += 1) await store.append(`need-${n}`, NO_STREAM, [sampleEvent({ text: marker(n) })]);
    await store.close();
  };

  const flip = (n: number): void => {
    const bytes = readFileSync(logPath(folder));
    // Moving rows between pages leaves stale copies behind: change every one to be sure of the live one.
    const places: number[] = [];
    for (let at = bytes.indexOf(marker(n)); at >= 0; at = bytes.indexOf(marker(n), at + 1)) places.push(at);
    expect(places.length).toBeGreaterThan(0);
    for (const at of places) overwrite(at, Buffer.from('n'));
  };

  it('with one changed letter in a recent event does not start, and says what to do', async () => {
    await writtenWithMarkers();
    flip(199);
    const refused = await opening();
    expect(refused).toBeInstanceOf(StoreUnavailableError);
    expect((refused as Error).message).toMatch(/damaged.*checksum.*npm run check.*npm run restore/);
  });

  it('with one changed letter in an old event is found by the full check', async () => {
    await writtenWithMarkers();
    flip(3);
    const store = SqliteEventStore.open(folder, { tailCheck: 50 });
    await store.close();
    expect(checkLog(folder).faults).toEqual(['event at position 4 does not match its checksum']);
  });

  it('with a destroyed page does not start and is reported by the check', async () => {
    await writtenWithMarkers();
    overwrite(4096 * 5, Buffer.alloc(4096, 0xa5));
    const refused = await opening();
    expect(refused).toBeInstanceOf(StoreUnavailableError);
    expect((refused as Error).message).toContain('damaged');
    expect(checkLog(folder).faults.length).toBeGreaterThan(0);
  });

  it('cut short does not start', async () => {
    await writtenWithMarkers();
    truncateSync(logPath(folder), statSync(logPath(folder)).size - 4096 * 3);
    expect(await opening()).toBeInstanceOf(StoreUnavailableError);
  });

  it('that is no database at all does not start and cannot be read', async () => {
    writeFileSync(logPath(folder), 'not a database, but long enough to be taken for one '.repeat(200));
    expect(await opening()).toBeInstanceOf(StoreUnavailableError);
    expect(() => checkLog(folder)).toThrow(StoreUnavailableError);
    expect(() => SqliteLogReader.open(folder)).toThrow(/damaged/);
  });

  it('damaged under a running server answers reads with a clear error', async () => {
    await written(1);
    const store = SqliteEventStore.open(folder);
    raw((database) => {
      database.exec("DROP TRIGGER events_never_change; UPDATE events SET data = '{' WHERE position = 1");
    });
    await expect(store.readAll(0n, 10)).rejects.toThrow(/damaged.*not JSON/);
    const subscription = store.subscribeToAll(0n, () => Promise.resolve());
    await expect(subscription.done).rejects.toBeInstanceOf(StoreUnavailableError);
    await store.close();
  });

  it('without its guards or with a gap in a stream is found by the full check', async () => {
    await written(2, 3);
    raw((database) => {
      database.exec("DROP TRIGGER events_never_vanish; DELETE FROM events WHERE revision = 1 AND stream = 'need-0'");
    });
    expect(checkLog(folder).faults).toEqual([
      'events_never_vanish is missing in the schema',
      expect.stringMatching(/of need-0 has revision 2, not 1/),
    ]);
  });
});
