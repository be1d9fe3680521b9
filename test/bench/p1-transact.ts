import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandMeta } from '#kernel';
import { newId, SystemClock, Transactor } from '#kernel';
import type { NeedCommand } from '#needs';
import { needDecider } from '#needs';
import { openDatabase } from '#sqlite';
import { logPath, SqliteEventStore } from '#store-sqlite';
import { needContent, npcOf } from './content.js';
import type { Folders } from './folders.js';
import { interleaved, median, medianRatio } from './measure.js';
import type { Figure } from './report.js';

const CALLERS = 50;
const BATCH = 50;

interface RawRow {
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  readonly checksum: number;
}

/** Durable commands a second through `transact` against what the engine appends when nothing is decided or checked. */
export const throughTransact = async (
  folders: Folders,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<readonly Figure[]> => {
  const folder = folders.fresh('transact');
  const store = SqliteEventStore.open(folder);
  const transactor = new Transactor(store, new SystemClock());
  let n = 0;
  const caller = async (until: number): Promise<number> => {
    let commands = 0;
    for (; performance.now() < until; commands += 1) {
      n += 1;
      const outcome = await draft(transactor, n);
      if (outcome !== 'written') throw new Error(`a draft was ${outcome}`);
    }
    return commands;
  };
  const throughKernel = async (): Promise<number> => {
    const begun = performance.now();
    const counts = await Promise.all(Array.from({ length: CALLERS }, () => caller(begun + seconds * 1000)));
    return (counts.reduce((sum, count) => sum + count, 0) * 1000) / (performance.now() - begun);
  };
  const raw = await RawAppend.of(folders, folder, transactor);
  const figures = await interleaved(rounds, {
    transact: throughKernel,
    raw: async () => raw.rate(seconds),
  });
  raw.close();
  await store.close();
  return [
    { name: 'commands through transact, 50 callers', value: median(figures.transact), unit: '/s' },
    { name: 'raw append of the same bytes, 50 a transaction', value: median(figures.raw), unit: '/s' },
    {
      name: 'transact : raw append',
      value: medianRatio(figures.transact, figures.raw),
      unit: 'ratio',
      target: { bound: 'at least', value: 0.25 },
    },
  ];
};

const draft = async (transactor: Transactor, n: number): Promise<string> => {
  const actor = npcOf(n);
  const meta: CommandMeta = { commandId: newId(), correlationId: newId(), causationId: null, actor };
  const { kind } = await transactor.transact(
    needDecider,
    newId(),
    (by): NeedCommand => ({
      type: 'DraftNeed',
      by,
      filer: actor.party,
      beneficiaries: [actor.party],
      content: needContent(n),
    }),
    meta,
  );
  return kind;
};

/** The engine alone: prepared INSERTs into a table of the log's shape, without its guards, 50 rows a durable transaction. */
class RawAppend {
  static async of(folders: Folders, log: string, transactor: Transactor): Promise<RawAppend> {
    for (let n = 0; n < 500; n += 1) await draft(transactor, n);
    const source = openDatabase(logPath(log), { readOnly: true });
    const rows = source.prepare('SELECT type, data, metadata, checksum FROM events').all() as RawRow[];
    const { sql } = source.prepare("SELECT sql FROM sqlite_schema WHERE name = 'events'").get() as { sql: string };
    source.close();
    const folder = folders.fresh('raw');
    mkdirSync(folder, { recursive: true });
    return new RawAppend(join(folder, 'raw.sqlite'), sql, rows);
  }

  private readonly database;
  private readonly insert;
  private position = 0;

  private constructor(
    path: string,
    table: string,
    private readonly rows: readonly RawRow[],
  ) {
    this.database = openDatabase(path, { synchronous: 'FULL', cacheKib: 65_536, walAutoCheckpoint: 4_000 });
    this.database.exec(table);
    this.insert = this.database.prepare(
      'INSERT INTO events (position, stream, revision, id, type, data, metadata, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  /** Rows a second; what the rows are is made before the clock runs. */
  rate(seconds: number): number {
    const { database, insert, rows } = this;
    const streams = Array.from({ length: Math.ceil(seconds * 120_000) }, () => `need-${newId()}`);
    const ids = streams.map(() => newId());
    const begin = database.prepare('BEGIN IMMEDIATE');
    const commit = database.prepare('COMMIT');
    const begun = performance.now();
    const until = begun + seconds * 1000;
    let written = 0;
    while (performance.now() < until && written + BATCH <= streams.length) {
      begin.run();
      for (let row = 0; row < BATCH; row += 1, written += 1) {
        const { type, data, metadata, checksum } = rows[written % rows.length] ?? EMPTY;
        this.position += 1;
        insert.run(this.position, streams[written] ?? '', 0, ids[written] ?? '', type, data, metadata, checksum);
      }
      commit.run();
    }
    return (written * 1000) / (performance.now() - begun);
  }

  close(): void {
    this.database.close();
  }
}

const EMPTY: RawRow = { type: '', data: '', metadata: '', checksum: 0 };
