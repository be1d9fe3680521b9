import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { directoryContext, ErasedAgain, subjectsContext } from '#directory';
import { StoreUnavailableError } from '#kernel';
import { backUp, restoreKeys } from '#store-sqlite';
import { KeyStoreUnavailableError, RemoteSubjectRegister, SqliteSubjectRegister, SubjectRegister } from '#web';
import type { Keys } from '../../apps/keys/keys.js';
import { createKeys } from '../../apps/keys/keys.js';
import type { As, EmbeddedTestApp } from '../support/app.js';
import { embeddedApp, temporaryFolder } from '../support/app.js';
import { send } from '../support/http.js';

/** The register of people, asked by services over HTTP (DESIGN, privacy): nobody without the secret learns anything, and a failure loses nothing. */
const SECRET = 'a secret of tests that guards nothing at all';
const VIKTOR = { issuer: 'https://id.example', subject: 'viktor' };
const MERE = { issuer: 'https://id.example', subject: 'mere' };
const MAILBOX = { place: ['party-state:FJI', 'd1', 'mailbox'], text: 'viktor@gov.example' };

let register: SqliteSubjectRegister;
let keys: Keys;
let url: string;
beforeEach(async () => {
  register = SqliteSubjectRegister.inMemory();
  keys = await createKeys({ register, secret: SECRET, logger: pino({ level: 'silent' }) });
  url = await keys.listen(0);
});
afterEach(() => keys.close());

const post = (path: string, body: unknown, secret?: string) =>
  send('POST', `${url}${path}`, {
    headers: {
      'content-type': 'application/json',
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
    },
    body: JSON.stringify(body),
  });

test('one person has one reference, whoever asks, and however many at once', async () => {
  const [one, other] = [new RemoteSubjectRegister(url, SECRET), new RemoteSubjectRegister(url, SECRET)];
  expect(await one.knownReferenceOf(VIKTOR)).toBeUndefined();
  const given = await Promise.all([one, other, one, other].map((each) => each.referenceOf(VIKTOR)));
  expect(new Set(given).size).toBe(1);
  const [reference = ''] = given;
  expect(await other.knownReferenceOf(VIKTOR)).toBe(reference);
  expect(await one.referenceOf(MERE)).not.toBe(reference);
  expect(await one.personBehind(reference)).toEqual(VIKTOR);
  expect(await one.personBehind('0000')).toBeUndefined();
  expect(await register.personBehind(reference)).toEqual(VIKTOR);
});

test.each([undefined, '', 'another secret of more than thirty-two characters'])(
  'without the secret (%s) nothing is answered or written',
  async (secret) => {
    for (const [path, body] of [
      ['/v1/references', { people: [{ ...VIKTOR, make: true }] }],
      ['/v1/people', { references: ['0000'] }],
      ['/v1/seal', { subject: 'viktor', texts: [MAILBOX] }],
      ['/v1/unseal', { sealed: [] }],
      ['/v1/erase', { subjects: ['0000'] }],
    ] as const)
      expect((await post(path, body, secret)).status).toBe(401);
    expect(await register.knownReferenceOf(VIKTOR)).toBeUndefined();
    await expect(new RemoteSubjectRegister(url, secret ?? '').referenceOf(VIKTOR)).rejects.toThrow(
      'the shared secret is not its own',
    );
  },
);

test.each([
  ['/v1/references', {}],
  ['/v1/references', { people: [{ ...VIKTOR }] }],
  ['/v1/references', { people: [{ issuer: 1, subject: 'viktor', make: true }] }],
  ['/v1/references', { people: Array.from({ length: 501 }, () => ({ ...VIKTOR, make: true })) }],
  ['/v1/people', { references: 'all' }],
  ['/v1/people', { references: [''] }],
  ['/v1/seal', { subject: '0000', texts: [{ text: 'mere@gov.example' }] }],
  ['/v1/unseal', { sealed: [{ place: ['x'], sealed: { alg: 'A256GCM' } }] }],
  ['/v1/erase', { subjects: '0000' }],
])('what is no question is refused without quoting it: %s %j', async (path, body) => {
  const answer = await post(path, body, SECRET);
  expect([answer.status, answer.body]).toEqual([400, { error: 'this is no question for the key store' }]);
  expect(await register.knownReferenceOf(VIKTOR)).toBeUndefined();
});

test('a key store that is away is a store that is unavailable, and nothing about the person is said', async () => {
  const remote = new RemoteSubjectRegister(url, SECRET);
  const reference = await remote.referenceOf(VIKTOR);
  expect(await remote.reachable()).toBe(true);
  await keys.close();
  expect(await remote.reachable()).toBe(false);
  // What a reference is never changes.
  expect(await remote.referenceOf(VIKTOR)).toBe(reference);
  const failure = await remote.referenceOf(MERE).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StoreUnavailableError);
  expect(String(failure)).not.toMatch(/mere|id\.example/);
});

test('what one service had sealed another opens, and once it was erased nobody does, nor knows the person', async () => {
  const [one, other] = [new RemoteSubjectRegister(url, SECRET), new RemoteSubjectRegister(url, SECRET)];
  const reference = await one.referenceOf(VIKTOR);
  const { place } = MAILBOX;
  const [sealed] = (await one.seal(reference, [MAILBOX])) ?? [];
  if (sealed === undefined) throw new Error('nothing was sealed');
  expect(
    await Promise.all([
      other.unseal({ place, sealed }),
      other.unseal({ place: ['elsewhere'], sealed }),
      one.unseal({ place, sealed }),
    ]),
  ).toEqual([{ text: MAILBOX.text }, 'unreadable', { text: MAILBOX.text }]);
  await one.erase([reference]);
  expect(await other.unseal({ place, sealed })).toBe('erased');
  expect(await other.seal(reference, [MAILBOX])).toBeUndefined();
  expect([await one.personBehind(reference), await one.knownReferenceOf(VIKTOR)]).toEqual([undefined, undefined]);
  expect(await one.referenceOf(VIKTOR)).not.toBe(reference);
});

test('a key store that is away seals, opens and erases nothing, and says nothing of what it was asked', async () => {
  const remote = new RemoteSubjectRegister(url, SECRET);
  const reference = await remote.referenceOf(VIKTOR);
  const [sealed] = (await remote.seal(reference, [MAILBOX])) ?? [];
  if (sealed === undefined) throw new Error('nothing was sealed');
  await keys.close();
  for (const asked of [
    () => remote.seal(reference, [MAILBOX]),
    () => remote.unseal({ place: MAILBOX.place, sealed }),
    () => remote.erase([reference]),
  ]) {
    const failure = await asked().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(KeyStoreUnavailableError);
    expect(String(failure)).not.toContain('viktor');
  }
});

describe('a person with a contact point', () => {
  const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
  const OFFICE: As = { party: 'state:VUT', role: 'mission', sub: 'office@gov.example' };
  const contexts = [directoryContext, subjectsContext];
  const folder = temporaryFolder();
  const keyStore = join(folder.path, 'data', 'keys');
  let app: EmbeddedTestApp;
  const start = async (): Promise<void> => {
    app = await embeddedApp({ contexts, dataFolder: join(folder.path, 'data') });
  };
  beforeEach(start);
  afterEach(() => app.close());
  afterAll(() => {
    folder.remove();
  });

  /** A designation with a contact point: its path, and whom it names. */
  const designated = async (holder: string): Promise<{ readonly path: string; readonly subject: string }> => {
    const body = {
      ...{ party: 'state:VUT', office: 'npc', powers: ['file'], holder },
      ...{ authorityRef: 'Note 3', from: '2026-01-01' },
    };
    const made = await app.post('/v1/designations', body, { as: COORDINATOR });
    const path = made.headers.location ?? '';
    const headers = { 'if-match': made.headers.etag ?? '' };
    const set = await app.post(`${path}/contact`, { mailbox: holder }, { as: COORDINATOR, headers });
    expect(set.body.contact).toEqual({ mailbox: holder });
    return { path, subject: String(set.body.subject) };
  };
  const erase = (subject: string) =>
    app.post(
      `/v1/subjects/${subject}/erase`,
      { orderedBy: 'state:VUT', reference: 'Note 9' },
      { as: { party: 'agency:hosting', role: 'operator' } },
    );
  const contactAt = async (path: string): Promise<unknown> =>
    (await app.get(path, { as: COORDINATOR })).body.contact as unknown;

  test('is not shown by halves while the key store is away, and erased by the log first, then by the key store, whoever asks again', async () => {
    const { path, subject } = await designated('away@gov.example');
    const register = app.nest.get(SubjectRegister);
    const own = { erase: register.erase.bind(register), unseal: register.unseal.bind(register) };
    let asked = 0;
    const away = (): Promise<never> => {
      asked += 1;
      return Promise.reject(new KeyStoreUnavailableError('away'));
    };
    register.unseal = away;
    const unread = await app.get(path, { as: COORDINATOR });
    expect([unread.status, unread.body.code, unread.body.contact]).toEqual([503, 'store-unavailable', undefined]);
    expect(unread.body.detail).toContain('key store');
    register.erase = away;
    const refused = await erase(subject);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    register.unseal = own.unseal;
    // What stands in the log is not shown, though the key is still there.
    await app.projections.waitFor(await app.store.head(), 5_000);
    expect(await contactAt(path)).toEqual({ erased: true });
    expect(await register.personBehind(subject)).toEqual({ issuer: 'pledgebook-local', subject: 'away@gov.example' });
    register.erase = own.erase;
    await app.settled();
    expect(asked).toBeGreaterThan(1);
    expect(await register.personBehind(subject)).toBeUndefined();
    expect((await erase(subject)).body).toMatchObject({ erased: true, revision: 0 });
  });

  test('is erased again where the key store is put back from before the erasure', async () => {
    const { path, subject } = await designated('back@gov.example');
    await app.close();
    const backup = join(folder.path, 'backup');
    const data = join(folder.path, 'data');
    backUp(data, backup);
    const kept = readdirSync(backup, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const readable = kept.filter(({ parentPath, name }) =>
      readFileSync(join(parentPath, name)).includes('back@gov.example'),
    );
    expect([kept.map(({ name }) => name).includes('log.sqlite'), readable]).toEqual([true, []]);
    await start();
    expect((await erase(subject)).status).toBe(200);
    await app.settled();
    await app.close();
    rmSync(keyStore, { recursive: true });
    restoreKeys(`${backup}.keys`, data);
    await start();
    await app.nest.get(ErasedAgain).done;
    const register = app.nest.get(SubjectRegister);
    expect(await register.personBehind(subject)).toBeUndefined();
    expect(await register.seal(subject, [MAILBOX])).toBeUndefined();
    expect(await contactAt(path)).toEqual({ erased: true });
    expect((await app.get(path, { as: OFFICE })).body).not.toHaveProperty('holder');
  });

  test('whose key was lost without an erasure is said to be unreadable', async () => {
    const { path } = await designated('lost@gov.example');
    await app.close();
    rmSync(join(keyStore, 'subjects.sqlite'));
    await start();
    expect(await contactAt(path)).toEqual({ unreadable: true });
  });
});
