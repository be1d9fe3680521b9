import { SignJWT, generateKeyPair } from 'jose';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import { isUuid } from '#kernel';
import type { As, TestApp } from '../support/app.js';
import { temporaryFolder, testApp } from '../support/app.js';
import { probeContext } from './probe.js';

const AUTHOR: As = { party: 'state:VUT', role: 'npc', sub: 'ruth.tarileo@example.org' };
const contexts = [probeContext];

let app: TestApp;
beforeAll(async () => {
  app = await testApp({ contexts });
});
afterAll(() => app.close());

const refusedEverywhere = async (authorization: string): Promise<void> => {
  for (const path of ['/v1/notes', '/healthz', '/nowhere', '/v1/notes/%zz']) {
    const answer = await app.get(path, { authorization });
    expect([path, answer.status, answer.headers['www-authenticate']]).toEqual([
      path,
      401,
      'Bearer error="invalid_token"',
    ]);
  }
  expect((await app.post('/v1/notes', { title: 'x' }, { authorization })).status).toBe(401);
};

const token = (claims: Partial<Parameters<TestApp['token']>[0]>): Promise<string> =>
  app.token({ party: 'state:VUT', roles: ['npc'], ...claims });

test.each([
  ['no token at all', () => 'Bearer '],
  ['another scheme', () => 'Basic dXNlcjpwYXNz'],
  ['a text that is no token', () => 'Bearer nonsense'],
  ['a token without a signature', () => `Bearer ${unsigned()}`],
  [
    'a token changed afterwards',
    async () => `Bearer ${(await token({})).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))}`,
  ],
  ['an expired token', async () => `Bearer ${await token({ issuedAt: new Date('2026-11-21T21:00:00Z') })}`],
  ['a token for another service', async () => `Bearer ${await token({ audience: 'elsewhere' })}`],
  ['a token of another key', async () => `Bearer ${await foreign()}`],
  ['a party that is no party id', async () => `Bearer ${await token({ party: 'state:XXX' })}`],
  ['a system principal', async () => `Bearer ${await token({ party: 'system:timer' })}`],
  ['an unknown role', async () => `Bearer ${await token({ roles: ['npc', 'king'] })}`],
  ['no roles', async () => `Bearer ${await token({ roles: [] })}`],
  ['an empty subject', async () => `Bearer ${await token({ sub: '' })}`],
])('%s is 401 everywhere, also on reads', async (_what, authorization) => {
  await refusedEverywhere(await authorization());
});

const unsigned = (): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ iss: 'pledgebook-local', aud: 'pledgebook', sub: 'x', party: 'state:VUT', roles: ['npc'], exp: 4_000_000_000 })}.`;
};

const foreign = async (): Promise<string> => {
  const { privateKey } = await generateKeyPair('EdDSA');
  return new SignJWT({ party: 'state:VUT', roles: ['npc'] })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer('pledgebook-local')
    .setAudience('pledgebook')
    .setSubject('x')
    .setExpirationTime('1h')
    .sign(privateKey);
};

test('a token lives twelve hours and not a second more', async () => {
  const hours = await testApp({ contexts });
  const authorization = `Bearer ${await hours.token({ party: 'state:VUT', roles: ['npc'] })}`;
  hours.clock.set('2026-11-22T21:59:59Z');
  expect((await hours.get('/v1/notes', { authorization })).status).toBe(200);
  hours.clock.set('2026-11-22T22:00:00Z');
  expect((await hours.get('/v1/notes', { authorization })).status).toBe(401);
  await hours.close();
});

test('without a token reads are the public’s and everything else is 401', async () => {
  expect((await app.get('/v1/notes')).status).toBe(200);
  const refused = await app.post('/v1/notes', 'not even json');
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  expect((await app.get('/v1/notes/x/broken')).status).toBe(403);
});

test('a role the party’s kind can never hold is no role', async () => {
  const as: As = { party: 'state:VUT', role: ['coordinator', 'implementer'] };
  expect((await app.get('/v1/notes', { as })).status).toBe(200);
  expect((await app.post('/v1/notes', { title: 'x' }, { as })).status).toBe(403);
});

test('neither iss nor sub reaches the log: an actor is a random reference, the same for the same person', async () => {
  await app.post('/v1/notes', { title: 'one' }, { as: AUTHOR });
  await app.post('/v1/notes', { title: 'two' }, { as: AUTHOR });
  await app.post('/v1/notes', { title: 'three' }, { as: { ...AUTHOR, sub: 'someone else' } });
  const events = await app.store.readAll(0n, 100);
  const subjects = events.slice(-3).map(({ metadata }) => metadata.actor.subject ?? '');
  expect(subjects.every(isUuid)).toBe(true);
  expect(subjects[0]).toBe(subjects[1]);
  expect(subjects[2]).not.toBe(subjects[0]);
  expect(
    JSON.stringify(events, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  ).not.toContain('tarileo');
});

test('an event says under which designation it was done, or that the role was claimed', async () => {
  const { body } = await app.post('/v1/notes', { title: 'mine' }, { as: AUTHOR });
  const [first] = await app.store.readStream(`note-${(body as { id: string }).id}`, 0, 1);
  expect(first?.metadata.actor).toMatchObject({
    party: 'state:VUT',
    role: 'npc',
    sovereign: 'VUT',
    designation: 'role-claim',
  });
  const designated: As = { party: 'donor:designates', role: 'donor-desk' };
  const other = await app.post('/v1/notes', { title: 'theirs' }, { as: designated });
  const [event] = await app.store.readStream(`note-${(other.body as { id: string }).id}`, 0, 1);
  expect(event?.metadata.actor.designation).toBe('designation-1');
});

test('I5: a claim of the past needs a designation that was in force then', async () => {
  const as: As = { party: 'donor:designates', role: 'donor-desk' };
  const { body } = await app.post('/v1/notes', { title: 'theirs' }, { as });
  const path = `/v1/notes/${(body as { id: string }).id}/stamp`;
  const stamp = (effectiveAt: string): ReturnType<TestApp['post']> =>
    app.post(path, {}, { as, headers: { 'if-match': '"0"', 'effective-at': effectiveAt } });
  expect((await stamp('2025-12-31')).status).toBe(403);
  expect((await stamp('2026-01-01')).status).toBe(200);
});

test('tokens, cursors and consistency tokens outlive a restart on the same folder', async () => {
  const folder = temporaryFolder();
  const first = await testApp({ contexts, dataFolder: folder.path });
  const authorization = `Bearer ${await first.token({ party: 'state:VUT', roles: ['npc'] })}`;
  const written = await first.post('/v1/notes', { title: 'kept' }, { authorization });
  const headers = { 'consistency-token': written.headers['consistency-token'] ?? '', prefer: 'wait=5' };
  const read = await first.get('/v1/notes', { authorization, headers });
  await first.close();
  const second = await testApp({ contexts, dataFolder: folder.path });
  const again = await second.get('/v1/notes', { authorization, headers });
  await second.close();
  folder.remove();
  expect([again.status, again.body]).toEqual([200, { items: [{ title: 'kept' }], next: null }]);
  expect(read.body).toEqual(again.body);
});

test('with an OpenID Connect issuer its tokens count and those of the local issuer do not', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256' };
  const provider = createServer((request, response) => {
    const { port } = provider.address() as AddressInfo;
    const issuer = `http://127.0.0.1:${port}`;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` }));
  });
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const federated = await testApp({ contexts, oidc: { issuer } });
  const sign = (party: string): Promise<string> =>
    new SignJWT({ party, roles: ['npc'] })
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
      .setIssuer(issuer)
      .setAudience('pledgebook')
      .setSubject('someone')
      .setExpirationTime(Math.floor(federated.clock.now().getTime() / 1000) + 60)
      .sign(privateKey);
  const good = await federated.post(
    '/v1/notes',
    { title: 'x' },
    { authorization: `Bearer ${await sign('state:VUT')}` },
  );
  const local = await federated.get('/v1/notes', { as: AUTHOR });
  await federated.close();
  await new Promise((resolve) => provider.close(resolve));
  expect([good.status, local.status]).toEqual([201, 401]);
});
