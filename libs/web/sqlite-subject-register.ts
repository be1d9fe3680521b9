import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Sealed } from '#kernel';
import { recentlyUsed } from '#kernel';
import type { Database, Statement } from '#sqlite';
import { faultOf, inTransaction, openDatabase } from '#sqlite';
import { keyFolder } from './key-folder.js';
import { masterKeyFile, MasterKeys } from './master-keys.js';
import { type MasterKey, openText, SealBrokenError, sealText, unwrapKey, wrapKey } from './sealing.js';
import type { Person, SealedAt, TextToSeal, Unsealed } from './subject-register.js';
import { KeyStoreUnavailableError, SubjectRegister } from './subject-register.js';

const keyOf = ({ issuer, subject }: Person): string => JSON.stringify([issuer, subject]);

const SCHEMA = `
CREATE TABLE IF NOT EXISTS subject (
  reference TEXT PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL, UNIQUE (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subject_key (
  reference TEXT PRIMARY KEY, master TEXT NOT NULL, wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS erased (
  reference TEXT PRIMARY KEY, wiped INTEGER NOT NULL
) STRICT, WITHOUT ROWID`;

interface KeyRow {
  readonly reference: string;
  readonly master: string;
  readonly wrapped: Uint8Array;
}

/** The key store in a file of its own, apart from the log. */
export class SqliteSubjectRegister extends SubjectRegister {
  private readonly known = recentlyUsed<string, string>(50_000);
  private readonly find: Statement;
  private readonly add: Statement;
  private readonly reverse: Statement;
  private readonly findKey: Statement;
  private readonly addKey: Statement;
  private readonly dropPerson: Statement;
  private readonly dropKey: Statement;
  private readonly markErased: Statement;
  private readonly findErased: Statement;
  private readonly findUnwiped: Statement;

  private constructor(
    private readonly database: Database,
    private readonly masters: MasterKeys,
  ) {
    super();
    this.find = database.prepare('SELECT reference FROM subject WHERE issuer = ? AND subject = ?');
    this.add = database.prepare('INSERT INTO subject (reference, issuer, subject) VALUES (?, ?, ?)');
    this.reverse = database.prepare('SELECT issuer, subject FROM subject WHERE reference = ?');
    this.findKey = database.prepare('SELECT reference, master, wrapped FROM subject_key WHERE reference = ?');
    this.addKey = database.prepare('INSERT INTO subject_key (reference, master, wrapped) VALUES (?, ?, ?)');
    this.dropPerson = database.prepare('DELETE FROM subject WHERE reference = ?');
    this.dropKey = database.prepare('DELETE FROM subject_key WHERE reference = ?');
    this.markErased = database.prepare(
      'INSERT INTO erased (reference, wiped) VALUES (?, 0) ON CONFLICT DO UPDATE SET wiped = min(wiped, ?)',
    );
    this.findErased = database.prepare('SELECT 1 FROM erased WHERE reference = ?');
    this.findUnwiped = database.prepare('SELECT 1 FROM erased WHERE wiped = 0 LIMIT 1');
  }

  /**
   * The key store in `<data>/keys/subjects.sqlite`.
   * @param masterKey the file of the master key; `<data>/keys/master.key` unless told. Made where absent, while nothing is wrapped yet
   * @throws {KeyStoreUnavailableError} where the master key is missing, or is not the one that keys are wrapped with
   */
  static open(dataFolder: string, masterKey?: string): SqliteSubjectRegister {
    mkdirSync(keyFolder(dataFolder), { recursive: true, mode: 0o700 });
    const database = openDatabase(join(keyFolder(dataFolder), 'subjects.sqlite'), { synchronous: 'FULL' });
    try {
      prepareFile(database);
      const wrapping = database.prepare('SELECT DISTINCT master FROM subject_key').all() as { master: string }[];
      const masters = MasterKeys.at(masterKeyFile(dataFolder, masterKey), wrapping.length > 0);
      const known = new Set(masters.all().map(({ id }) => id));
      const strange = wrapping.find(({ master }) => !known.has(master));
      if (strange !== undefined) throw wrongMaster(masters.place, strange.master);
      const register = new SqliteSubjectRegister(database, masters);
      register.wipe();
      return register;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  static inMemory(): SqliteSubjectRegister {
    const database = openDatabase(':memory:');
    prepareFile(database);
    return new SqliteSubjectRegister(database, MasterKeys.inMemory());
  }

  override async referenceOf(person: Person): Promise<string> {
    const known = this.read(person);
    if (known !== undefined) return known;
    const { issuer, subject } = person;
    const reference = randomUUID();
    written(() => this.add.run(reference, issuer, subject));
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

  override async seal(subject: string, texts: readonly TextToSeal[]): Promise<readonly Sealed[] | undefined> {
    const key = this.keyFor(subject);
    return key === undefined ? undefined : texts.map(({ place, text }) => sealText(key, subject, place, text));
  }

  override async unseal({ place, sealed }: SealedAt): Promise<Unsealed> {
    const row = this.findKey.get(sealed.subject) as KeyRow | undefined;
    if (row === undefined) return this.isErased(sealed.subject) ? 'erased' : 'unreadable';
    try {
      return { text: openText(this.unwrapped(row), place, sealed) };
    } catch (error) {
      if (error instanceof SealBrokenError) return 'unreadable';
      throw error;
    }
  }

  override async erase(subjects: readonly string[]): Promise<void> {
    written(() => {
      inTransaction(this.database, () => {
        for (const reference of subjects) {
          const person = this.reverse.get(reference) as Person | undefined;
          if (person !== undefined) this.known.delete(keyOf({ issuer: person.issuer, subject: person.subject }));
          const dropped = this.dropPerson.run(reference).changes + this.dropKey.run(reference).changes;
          // A backup that was put back may hold again what was erased, and wiped, before.
          this.markErased.run(reference, dropped > 0 ? 0 : 1);
        }
      });
      this.wipe();
    });
  }

  /**
   * Wraps every key anew with a new master key, and forgets the ones before; answers how many. Cut off half-way it is simply done again.
   * Another process may use the store meanwhile.
   */
  rotateMasterKey(): number {
    return written(() => {
      this.masters.add();
      const count = inTransaction(this.database, () => {
        const [master] = this.masters.all();
        const rows = this.database.prepare('SELECT reference, master, wrapped FROM subject_key').all() as KeyRow[];
        const update = this.database.prepare('UPDATE subject_key SET master = ?, wrapped = ? WHERE reference = ?');
        for (const row of rows)
          update.run(master.id, wrapKey(master, row.reference, this.unwrapped(row), randomBytes(12)), row.reference);
        return rows.length;
      });
      this.rewrite();
      this.masters.keepNewest();
      return count;
    });
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

  private isErased(reference: string): boolean {
    return this.findErased.get(reference) !== undefined;
  }

  /** The subject's key, made where there is none; undefined for one who was erased. */
  private keyFor(subject: string): Buffer | undefined {
    const row = this.findKey.get(subject) as KeyRow | undefined;
    if (row !== undefined) return this.unwrapped(row);
    return written(() =>
      // The master key is read within the transaction: a rotation that begins later finds this key, one that began before is used.
      inTransaction(this.database, () => {
        const made = this.findKey.get(subject) as KeyRow | undefined;
        if (made !== undefined) return this.unwrapped(made);
        if (this.isErased(subject)) return undefined;
        const key = randomBytes(32);
        const [master] = this.masters.all();
        this.addKey.run(subject, master.id, wrapKey(master, subject, key, randomBytes(12)));
        return key;
      }),
    );
  }

  private unwrapped({ reference, master, wrapped }: KeyRow): Buffer {
    const found: MasterKey | undefined = this.masters.all().find(({ id }) => id === master);
    if (found === undefined) throw wrongMaster(this.masters.place, master);
    return unwrapKey(found, reference, Buffer.from(wrapped));
  }

  /** Brings what was erased off the file, also where a crash came between. */
  private wipe(): void {
    if (this.findUnwiped.get() === undefined) return;
    this.rewrite();
    this.database.exec('UPDATE erased SET wiped = 1 WHERE wiped = 0');
  }

  /** Writes the file anew, and empties the write-ahead log: what was deleted or replaced is in neither. */
  private rewrite(): void {
    this.database.exec('VACUUM');
    const { busy } = this.database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { readonly busy: number };
    if (busy !== 0) throw new KeyStoreUnavailableError('the key store is being read by another program: try again');
  }
}

const prepareFile = (database: Database): void => {
  // Deleted content is overwritten, and what a rewriting needs beside the file never reaches a disk.
  database.exec('PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY');
  database.exec(SCHEMA);
};

const wrongMaster = (place: string, id: string): KeyStoreUnavailableError =>
  new KeyStoreUnavailableError(
    `the master key ${place} is not the one that keys of subjects are wrapped with (${id}): put that one back`,
  );

const written = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    throw new KeyStoreUnavailableError(`the register of subjects cannot be written (${fault}): check the disk`, {
      cause: error,
    });
  }
};
