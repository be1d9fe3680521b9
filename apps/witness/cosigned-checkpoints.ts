import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '#sqlite';
import { inTransaction, openDatabase } from '#sqlite';

/** What a witness cosigned last of a log. */
export interface Cosigned {
  readonly size: number;
  readonly root: Uint8Array;
  /** The checkpoint with the log's signature: evidence, should the log ever show another tree. */
  readonly checkpoint: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export const STATE_FILE = 'witness.sqlite';
/** Another process on the same folder is waited for this long. */
const LOCK_MS = 1_000;

/** The memory of a witness: one row a log, each write on disk before it is told. */
export class CosignedCheckpoints {
  private constructor(private readonly database: Database) {}

  /** Opens the state in a folder, which it makes where there is none. @throws what SQLite and the disk throw */
  static open(folder: string): CosignedCheckpoints {
    mkdirSync(folder, { recursive: true });
    const database = openDatabase(join(folder, STATE_FILE), { synchronous: 'FULL', timeout: LOCK_MS });
    try {
      database.exec(
        `CREATE TABLE IF NOT EXISTS cosigned (
           origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, checkpoint TEXT NOT NULL, at INTEGER NOT NULL
         ) STRICT`,
      );
      return new CosignedCheckpoints(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  of(origin: string): Cosigned | undefined {
    const row = this.database.prepare('SELECT size, root, checkpoint, at FROM cosigned WHERE origin = ?').get(origin);
    return row as Cosigned | undefined;
  }

  /**
   * Reads what was cosigned last, lets `decide` judge it, and keeps the checkpoint that it names, as one: nobody else, of this process or of another,
   * comes between. What it answers is answered once that is on disk.
   */
  next<T>(origin: string, decide: (last: Cosigned | undefined) => { readonly keep?: Cosigned; readonly answer: T }): T {
    return inTransaction(this.database, () => {
      const { keep, answer } = decide(this.of(origin));
      if (keep !== undefined) {
        const { size, root, checkpoint, at } = keep;
        this.database
          .prepare('INSERT OR REPLACE INTO cosigned (origin, size, root, checkpoint, at) VALUES (?, ?, ?, ?, ?)')
          .run(origin, size, root, checkpoint, at);
      }
      return answer;
    });
  }

  get isEmpty(): boolean {
    return this.database.prepare('SELECT 1 FROM cosigned LIMIT 1').get() === undefined;
  }

  close(): void {
    this.database.close();
  }
}
