import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Database, Statement } from '#sqlite';
import { StoreUnavailableError } from '#kernel';
import { faultOf, openDatabase } from '#sqlite';
import { keyFolder } from './key-folder.js';
import type { Person } from './subject-register.js';
import { SubjectRegister } from './subject-register.js';

const keyOf = ({ issuer, subject }: Person): string => JSON.stringify([issuer, subject]);

const SCHEMA = `CREATE TABLE IF NOT EXISTS subject (
  reference TEXT PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL, UNIQUE (issuer, subject)
) STRICT, WITHOUT ROWID`;

/** The register in a file of its own, apart from the log. Erasing a row makes the reference say nothing for ever. */
export class SqliteSubjectRegister extends SubjectRegister {
  private readonly known = new LRUCache<string, string>({ max: 50_000 });
  private readonly find: Statement;
  private readonly add: Statement;
  private readonly reverse: Statement;

  private constructor(private readonly database: Database) {
    super();
    database.exec(SCHEMA);
    this.find = database.prepare('SELECT reference FROM subject WHERE issuer = ? AND subject = ?');
    this.add = database.prepare('INSERT INTO subject (reference, issuer, subject) VALUES (?, ?, ?)');
    this.reverse = database.prepare('SELECT issuer, subject FROM subject WHERE reference = ?');
  }

  /** The register in `<data>/keys/subjects.sqlite`. */
  static open(dataFolder: string): SqliteSubjectRegister {
    mkdirSync(keyFolder(dataFolder), { recursive: true, mode: 0o700 });
    return new SqliteSubjectRegister(
      openDatabase(join(keyFolder(dataFolder), 'subjects.sqlite'), { synchronous: 'FULL' }),
    );
  }

  static inMemory(): SqliteSubjectRegister {
    return new SqliteSubjectRegister(openDatabase(':memory:'));
  }

  override async referenceOf(person: Person): Promise<string> {
    const known = this.read(person);
    if (known !== undefined) return known;
    const { issuer, subject } = person;
    const reference = randomUUID();
    try {
      this.add.run(reference, issuer, subject);
    } catch (error) {
      if (faultOf(error) === undefined) throw error;
      throw new StoreUnavailableError(
        `the register of subjects cannot be written (${faultOf(error)}): check the disk`,
        {
          cause: error,
        },
      );
    }
    this.known.set(keyOf(person), reference);
    return reference;
  }

  override async knownReferenceOf(person: Person): Promise<string | undefined> {
    return this.read(person);
  }

  override async personBehind(reference: string): Promise<Person | undefined> {
    const row = this.reverse.get(reference) as { readonly issuer: string; readonly subject: string } | undefined;
    return row === undefined ? undefined : { issuer: row.issuer, subject: row.subject };
  }

  override close(): void {
    if (this.database.isOpen) this.database.close();
  }

  private read(person: Person): string | undefined {
    const key = keyOf(person);
    const cached = this.known.get(key);
    if (cached !== undefined) return cached;
    const row = this.find.get(person.issuer, person.subject) as { readonly reference: string } | undefined;
    if (row !== undefined) this.known.set(key, row.reference);
    return row?.reference;
  }
}
