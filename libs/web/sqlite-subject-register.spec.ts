import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '#sqlite';
import { SqliteSubjectRegister } from './sqlite-subject-register.js';
import { KeyStoreUnavailableError } from './subject-register.js';

const ruth = { issuer: 'https://id.example', subject: 'ruth' };
const PLACE = ['party-state:VUT', 'd1', 'mailbox'];
const MAILBOX = { place: PLACE, text: 'ruth@gov.example' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pledgebook-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const masterKey = (): string => join(folder, 'keys', 'master.key');
/** Every byte that the key store has on disk, whichever of its files it is in. */
const bytesOnDisk = (): Buffer =>
  Buffer.concat(readdirSync(join(folder, 'keys')).map((name) => readFileSync(join(folder, 'keys', name))));
const wrappedKeys = (): readonly Buffer[] => {
  const database = openDatabase(join(folder, 'keys', 'subjects.sqlite'), { readOnly: true });
  const rows = database.prepare('SELECT wrapped FROM subject_key').all() as { wrapped: Uint8Array }[];
  database.close();
  return rows.map(({ wrapped }) => Buffer.from(wrapped));
};

describe('the register of subjects', () => {
  it('gives a person one reference for ever, also after a restart, and another person another', async () => {
    const first = SqliteSubjectRegister.open(folder);
    const reference = await first.referenceOf(ruth);
    expect(await first.referenceOf({ ...ruth })).toBe(reference);
    expect(await first.referenceOf({ ...ruth, issuer: 'https://other.example' })).not.toBe(reference);
    expect(await first.referenceOf({ ...ruth, subject: 'Ruth' })).not.toBe(reference);
    first.close();
    const second = SqliteSubjectRegister.open(folder);
    expect(await second.referenceOf(ruth)).toBe(reference);
    expect(await second.personBehind(reference)).toEqual(ruth);
    second.close();
  });

  it('tells nothing of a person in the reference itself', async () => {
    const register = SqliteSubjectRegister.inMemory();
    const other = SqliteSubjectRegister.inMemory();
    expect(await register.referenceOf(ruth)).not.toBe(await other.referenceOf(ruth));
    expect(await register.personBehind('unknown')).toBeUndefined();
  });

  it('opens what it sealed, after a restart too, and nothing that was altered, moved or is another’s', async () => {
    const first = SqliteSubjectRegister.open(folder);
    const [sealed, ...more] = (await first.seal('subject-1', [MAILBOX])) ?? [];
    const [others] = (await first.seal('subject-2', [MAILBOX])) ?? [];
    if (sealed === undefined || others === undefined) throw new Error('nothing was sealed');
    expect([more, sealed.ct === others.ct]).toEqual([[], false]);
    first.close();
    const second = SqliteSubjectRegister.open(folder);
    expect(await second.unseal({ place: PLACE, sealed })).toEqual({ text: 'ruth@gov.example' });
    expect(await second.unseal({ place: [...PLACE, 'x'], sealed })).toBe('unreadable');
    expect(await second.unseal({ place: PLACE, sealed: { ...sealed, ct: others.ct } })).toBe('unreadable');
    expect(await second.unseal({ place: PLACE, sealed: { ...sealed, subject: 'subject-2' } })).toBe('unreadable');
    expect(await second.unseal({ place: PLACE, sealed: { ...sealed, subject: 'nobody' } })).toBe('unreadable');
    second.close();
    expect(bytesOnDisk().includes('ruth@gov.example')).toBe(false);
  });
});

describe('erasing a subject', () => {
  it('makes what was sealed noise and the reference nobody’s, for ever; who comes back is somebody new', async () => {
    const register = SqliteSubjectRegister.open(folder);
    const reference = await register.referenceOf(ruth);
    const [sealed] = (await register.seal(reference, [MAILBOX])) ?? [];
    if (sealed === undefined) throw new Error('nothing was sealed');
    await register.erase([reference]);
    await register.erase([reference, 'never-known']);
    for (const subject of [reference, 'never-known']) expect(await register.seal(subject, [MAILBOX])).toBeUndefined();
    expect(await register.unseal({ place: PLACE, sealed })).toBe('erased');
    expect(await register.personBehind(reference)).toBeUndefined();
    expect(await register.knownReferenceOf(ruth)).toBeUndefined();
    const returned = await register.referenceOf(ruth);
    expect(returned).not.toBe(reference);
    expect(await register.unseal({ place: PLACE, sealed: { ...sealed, subject: returned } })).toBe('unreadable');
    register.close();
  });

  it('leaves neither key nor person in any byte of its files, among many others that stay', async () => {
    let register = SqliteSubjectRegister.open(folder);
    const references: string[] = [];
    for (let n = 0; n < 150; n += 1) references.push(await register.referenceOf({ ...ruth, subject: `<person-${n}>` }));
    for (const reference of references.slice(0, 45)) await register.seal(reference, [MAILBOX]);
    register.close();
    register = SqliteSubjectRegister.open(folder);
    const before = wrappedKeys();
    await register.erase(references.filter((_reference, n) => n % 3 === 0));
    const bytes = bytesOnDisk();
    const left = Array.from({ length: 150 }, (_, n) => n).filter((n) => bytes.includes(`<person-${n}>`));
    expect(left).toEqual(Array.from({ length: 150 }, (_, n) => n).filter((n) => n % 3 !== 0));
    expect(before.filter((wrapped) => bytes.includes(wrapped))).toHaveLength(30);
    register.close();
  });

  it('that was cut off before its bytes were off the disk is finished at the next start', async () => {
    const register = SqliteSubjectRegister.open(folder);
    const reference = await register.referenceOf({ ...ruth, subject: '<cut-off>' });
    register.close();
    const database = openDatabase(join(folder, 'keys', 'subjects.sqlite'));
    database.exec('PRAGMA secure_delete = OFF; DELETE FROM subject');
    database.prepare('INSERT INTO erased (reference, wiped) VALUES (?, 0)').run(reference);
    database.close();
    expect(bytesOnDisk().includes('<cut-off>')).toBe(true);
    SqliteSubjectRegister.open(folder).close();
    expect(bytesOnDisk().includes('<cut-off>')).toBe(false);
  });

  it('is done again to a key store that was put back from before', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'pledgebook-'));
    const register = SqliteSubjectRegister.open(folder);
    const reference = await register.referenceOf(ruth);
    const [sealed] = (await register.seal(reference, [MAILBOX])) ?? [];
    if (sealed === undefined) throw new Error('nothing was sealed');
    register.close();
    for (const name of readdirSync(join(folder, 'keys')))
      writeFileSync(join(copy, name), readFileSync(join(folder, 'keys', name)));
    rmSync(join(folder, 'keys'), { recursive: true });
    renameSync(copy, join(folder, 'keys'));
    const again = SqliteSubjectRegister.open(folder);
    expect(await again.unseal({ place: PLACE, sealed })).toEqual({ text: 'ruth@gov.example' });
    await again.erase([reference]);
    expect([await again.unseal({ place: PLACE, sealed }), await again.personBehind(reference)]).toEqual([
      'erased',
      undefined,
    ]);
    again.close();
  });
});

describe('the master key', () => {
  it('is made at the first start, readable by its owner alone, and lies where it is told to', async () => {
    SqliteSubjectRegister.open(folder).close();
    expect(readFileSync(masterKey(), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(statSync(masterKey()).mode & 0o777).toBe(0o600);
    const apart = join(folder, 'apart', 'the.key');
    const other = join(folder, 'other');
    SqliteSubjectRegister.open(other, apart).close();
    expect([statSync(apart).mode & 0o777, readdirSync(join(other, 'keys')).includes('master.key')]).toEqual([
      0o600,
      false,
    ]);
  });

  it('that is missing, empty or another one stops the start and says which file to put back', async () => {
    const register = SqliteSubjectRegister.open(folder);
    await register.seal('subject-1', [MAILBOX]);
    register.close();
    const right = readFileSync(masterKey(), 'utf8');
    const refused = (): unknown => {
      try {
        SqliteSubjectRegister.open(folder).close();
        return undefined;
      } catch (error) {
        return error;
      }
    };
    rmSync(masterKey());
    expect(String(refused())).toMatch(/master\.key is missing.*put it back/);
    for (const wrong of ['', 'not a key\n', `${'0'.repeat(64)}\n`]) {
      writeFileSync(masterKey(), wrong);
      const error = refused();
      expect(error).toBeInstanceOf(KeyStoreUnavailableError);
      expect(String(error)).toContain('master.key');
    }
    writeFileSync(masterKey(), right);
    expect(refused()).toBeUndefined();
  });

  it('is rotated under a store in use: everything opens, and the key before is worth nothing', async () => {
    const register = SqliteSubjectRegister.open(folder);
    const [sealed] = (await register.seal('subject-1', [MAILBOX])) ?? [];
    if (sealed === undefined) throw new Error('nothing was sealed');
    const [before, wrapped] = [readFileSync(masterKey(), 'utf8'), wrappedKeys()];
    const rotating = SqliteSubjectRegister.open(folder);
    expect(rotating.rotateMasterKey()).toBe(1);
    rotating.close();
    const after = readFileSync(masterKey(), 'utf8');
    expect([after.length, after === before, statSync(masterKey()).mode & 0o777]).toEqual([65, false, 0o600]);
    expect(await register.unseal({ place: PLACE, sealed })).toEqual({ text: 'ruth@gov.example' });
    await register.seal('subject-2', [MAILBOX]);
    const bytes = bytesOnDisk();
    expect(wrapped.some((each) => bytes.includes(each))).toBe(false);
    register.close();
    SqliteSubjectRegister.open(folder).close();
  });

  it.each(['before', 'after'])(
    'whose rotation was cut off %s the keys were wrapped anew is rotated again',
    async (when) => {
      const register = SqliteSubjectRegister.open(folder);
      const [sealed] = (await register.seal('subject-1', [MAILBOX])) ?? [];
      if (sealed === undefined) throw new Error('nothing was sealed');
      const old = readFileSync(masterKey(), 'utf8');
      if (when === 'after') register.rotateMasterKey();
      register.close();
      const current = readFileSync(masterKey(), 'utf8');
      writeFileSync(masterKey(), when === 'after' ? current + old : `${'a'.repeat(64)}\n${old}`);
      const again = SqliteSubjectRegister.open(folder);
      expect(again.rotateMasterKey()).toBe(1);
      expect(await again.unseal({ place: PLACE, sealed })).toEqual({ text: 'ruth@gov.example' });
      again.close();
      expect(readFileSync(masterKey(), 'utf8')).toHaveLength(65);
    },
  );
});
