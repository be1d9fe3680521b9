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
import type { Turn } from './measure.js';
import { interleaved, rateOf, ratioOf, turn } from './measure.js';
import type { Figure } from './report.js';

const CALLERS = 50;
const BATCH = 50;
/** More than any machine's disk takes. */
const MOST_PER_SECOND = 100_000;

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
  const drafting = new Drafting(folder);
  const raw = await RawAppend.of(folders, folder, drafting.transactor);
  const turns = await interleaved(rounds, {
    transact: () => drafting.during(seconds),
    raw: () => raw.append(seconds),
  });
  raw.close();
  await drafting.close();
  return [
    { name: 'commands through transact, 50 callers', value: rateOf(turns.transact), unit: '/s' },
    { name: 'raw append of the same bytes, 50 a transaction', value: rateOf(turns.raw), unit: '/s' },
    {
      name: 'transact : raw append',
      value: ratioOf(turns.transact, turns.raw),
      unit: 'ratio',
      target: { bound: 'at least', value: 0.25 },
    },
    { name: '… by processor time', value: ratioOf(turns.transact, turns.raw, 'cpuSeconds'), unit: 'ratio' },
  ];
};

/** Fifty callers on one log, each drafting needs through `transact`, one after the other. */
export class Drafting {
  private readonly store;
  readonly transactor;
  private n = 0;

  constructor(folder: string) {
    this.store = SqliteEventStore.open(folder);
    this.transactor = new Transactor(this.store, new SystemClock());
  }

  /** Commands that were answered as durable. */
  during(seconds: number): Promise<Turn> {
    return turn(async () => {
      const until = performance.now() + seconds * 1000;
      const counts = await Promise.all(Array.from({ length: CALLERS }, () => this.caller(until)));
      return counts.reduce((sum, count) => sum + count, 0);
    });
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private async caller(until: number): Promise<number> {
    let commands = 0;
    for (; performance.now() < until; commands += 1) {
      this.n += 1;
      const outcome = await draft(this.transactor, this.n);
      if (outcome !== 'written') throw new Error(`a draft was ${outcome}`);
    }
    return commands;
  }
}

const draft = async (transactor: Transactor, n: number): Promise<string> => {
  const actor = npcOf(n);
  const meta: CommandMeta = { commandId: newId(), once: true, correlationId: newId(), causationId: null, actor };
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
  private readonly begin;
  private readonly commit;
  private position = 0;

  private constructor(
    path: string,
    table: string,
    private readonly rows: readonly RawRow[],
  ) {
    this.database = openDatabase(path, { synchronous: 'FULL', cacheKib: 65_536, walAutoCheckpoint: 4_000 });
    this.database.exec(table);
    this.begin = this.database.prepare('BEGIN IMMEDIATE');
    this.commit = this.database.prepare('COMMIT');
    this.insert = this.database.prepare(
      'INSERT INTO events (position, stream, revision, id, type, data, metadata, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  /** Appends for so long; what the rows are is made before the clock runs. */
  append(seconds: number): Promise<Turn> {
    const streams = Array.from({ length: Math.ceil(seconds * MOST_PER_SECOND) }, () => `need-${newId()}`);
    const ids = streams.map(() => newId());
    return turn(() => {
      const until = performance.now() + seconds * 1000;
      let written = 0;
      for (; performance.now() < until && written + BATCH <= streams.length; written += BATCH) {
        this.batch(streams.slice(written, written + BATCH), ids.slice(written, written + BATCH));
      }
      return written;
    });
  }

  close(): void {
    this.database.close();
  }

  private batch(streams: readonly string[], ids: readonly string[]): void {
    this.begin.run();
    for (const [index, stream] of streams.entries()) {
      this.position += 1;
      const { type, data, metadata, checksum } = this.rows[this.position % this.rows.length] ?? EMPTY;
      this.insert.run(this.position, stream, 0, ids[index] ?? '', type, data, metadata, checksum);
    }
    this.commit.run();
  }
}

const EMPTY: RawRow = { type: '', data: '', metadata: '', checksum: 0 };
