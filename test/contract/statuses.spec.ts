import { connect } from 'node:net';
import { InMemoryEventStore } from '#kernel-testing';
import { newId, NO_STREAM, StoreUnavailableError, technicalEvent, WRITES_STREAM } from '#kernel';
import type { WebProblemCode } from '#web';
import { RateLimit, WEB_PROBLEMS } from '#web';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';
import { poison, probeContext } from './probe.js';

/** Every code of the table that generates the OpenAPI problems is brought about over HTTP: a new code does not compile without its scene. */
const AUTHOR: As = { party: 'state:VUT', role: 'npc' };

class FailingStore extends InMemoryEventStore {
  failing = false;

  override readStream(
    ...parameters: Parameters<InMemoryEventStore['readStream']>
  ): ReturnType<InMemoryEventStore['readStream']> {
    return this.failing ? Promise.reject(new StoreUnavailableError('disk full')) : super.readStream(...parameters);
  }
}

const store = new FailingStore();
let app: TestApp;
let note: string;

beforeAll(async () => {
  app = await testApp({ contexts: [probeContext], store });
  note = `/v1/notes/${idIn(await app.post('/v1/notes', { title: 'a note' }, { as: AUTHOR }))}`;
});
afterAll(() => app.close());

const idIn = ({ body }: Response): string => (body as { id: string }).id;

type Scene = () => Promise<Pick<Response, 'status' | 'headers' | 'body' | 'type'>>;

const scenes: Readonly<Record<WebProblemCode, Scene>> = {
  'invalid-request': () => app.post('/v1/notes', { title: '' }, { as: AUTHOR }),
  unauthenticated: () => app.post('/v1/notes', { title: 'x' }),
  forbidden: () => app.post('/v1/notes', { title: 'x' }, { as: { party: 'auditor:x', role: 'auditor' } }),
  'party-not-registered': () =>
    app.post('/v1/notes', { title: 'x' }, { as: { party: 'donor:unregistered', role: 'donor-desk' } }),
  'not-found': () => app.get('/v1/notes/nothing'),
  'method-not-allowed': () => app.sendPlain('DELETE', note, { as: AUTHOR }),
  'stale-revision': () => app.post(`${note}/stamp`, {}, { as: AUTHOR, headers: { 'if-match': '"7"' } }),
  'payload-too-large': () => app.post('/v1/notes', `{"title":"${'x'.repeat(1_100_000)}"}`, { as: AUTHOR }),
  'unsupported-media-type': () =>
    app.post('/v1/notes', 'title=x', { as: AUTHOR, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  'idempotency-key-reused': async () => {
    const headers = { 'idempotency-key': 'once' };
    await app.post('/v1/notes', { title: 'one' }, { as: AUTHOR, headers });
    return app.post('/v1/notes', { title: 'two' }, { as: AUTHOR, headers });
  },
  'if-match-required': () => app.post(`${note}/stamp`, {}, { as: AUTHOR }),
  'too-many-requests': async () => {
    const limited = await testApp({ contexts: [probeContext], rate: new RateLimit(1, () => 0) });
    await limited.get('/v1/notes');
    const answer = await limited.get('/v1/notes');
    await limited.close();
    return answer;
  },
  'header-fields-too-large': () => raw(`GET /v1/notes HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(20_000)}\r\n\r\n`),
  'internal-error': () => app.get(`${note}/broken`, { as: { party: 'agency:host', role: 'operator' } }),
  'projection-behind': async () => {
    const behind = await testApp({ contexts: [probeContext] });
    poison.armed = true;
    const written = await behind.post('/v1/notes', { title: 'never shown' }, { as: AUTHOR });
    const answer = await behind.get('/v1/notes', {
      headers: { 'consistency-token': written.headers['consistency-token'] ?? '' },
    });
    poison.armed = false;
    await behind.close();
    return answer;
  },
  'store-unavailable': async () => {
    store.failing = true;
    const answer = await app.get(note);
    store.failing = false;
    return answer;
  },
  'log-rolled-back': async () => {
    const rolledBack = new InMemoryEventStore();
    const told = technicalEvent(newId(), 'WritesRefused', { reason: 'it was put back in time' }, new Date());
    await rolledBack.append(WRITES_STREAM, NO_STREAM, [told]);
    const reading = await testApp({ contexts: [probeContext], store: rolledBack });
    const answer = await reading.post('/v1/notes', { title: 'x' }, { as: AUTHOR });
    await reading.close();
    return answer;
  },
  'identity-provider-unavailable': async () => {
    const elsewhere = await testApp({ contexts: [probeContext], oidc: { issuer: 'http://127.0.0.1:9' } });
    const answer = await elsewhere.get('/v1/notes', { as: AUTHOR });
    await elsewhere.close();
    return answer;
  },
  'shutting-down': async () => {
    const stopping = await testApp({ contexts: [probeContext] });
    const kept = await keepAlive(stopping.url);
    const closed = stopping.close();
    const answer = await kept.send('GET /v1/notes HTTP/1.1\r\nhost: x\r\n\r\n');
    await closed;
    return answer;
  },
};

const parsed = (text: string): Awaited<ReturnType<Scene>> => {
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => field.split(': ') as [string, string]).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    status: Number(line.split(' ')[1]),
    headers,
    body: JSON.parse(body) as unknown,
    type: (headers['content-type'] ?? '').split(';')[0] ?? '',
  };
};

const keepAlive = (url: string): Promise<{ send(text: string): Promise<Awaited<ReturnType<Scene>>> }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => {
      resolve({
        send: (text) =>
          new Promise((answered) => {
            let received = '';
            socket.on('data', (chunk) => (received += chunk.toString()));
            socket.on('close', () => {
              answered(parsed(received));
            });
            socket.write(text);
          }),
      });
    });
    socket.on('error', reject);
  });

const raw = async (text: string): Promise<Awaited<ReturnType<Scene>>> => (await keepAlive(app.url)).send(text);

test.each(Object.entries(scenes))('%s is answered with its status as a problem document', async (code, scene) => {
  const { status, title } = WEB_PROBLEMS[code as WebProblemCode];
  const answer = await scene();
  expect(answer.type).toBe('application/problem+json');
  expect(answer.body).toMatchObject({
    type: `/problems/${code}`,
    title,
    status,
    code,
    detail: expect.stringMatching(/\S/) as unknown,
  });
  expect(answer.status).toBe(status);
  const { correlationId } = answer.body as { correlationId: string };
  expect(answer.headers['x-correlation-id']).toBe(correlationId);
  if (status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
  if (status === 405) expect(answer.headers.allow).toBe('GET, HEAD, OPTIONS');
  if (status === 429 || status === 503) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  if (code === 'internal-error') expect(JSON.stringify(answer.body)).not.toContain('secret');
});

test.each(Object.keys(WEB_PROBLEMS))('the type of %s leads to a page about it', async (code) => {
  const { status, text, type } = await app.get(`/problems/${code}`);
  expect([status, type]).toEqual([200, 'text/html']);
  expect(text).toContain(WEB_PROBLEMS[code as WebProblemCode].title);
});

interface Refusal {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly examples?: object }>>;
}
interface Described {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, Refusal>> }>>>
  >;
  readonly components: { readonly responses: Readonly<Record<string, Refusal>> };
}

test('the document names every code that its routes were seen to answer', async () => {
  const document = (await app.get('/openapi.json')).body as Described;
  const codesOf = (path: string, method: string): string[] =>
    Object.values(document.paths[path]?.[method]?.responses ?? {})
      .map((each) => document.components.responses[each.$ref?.replace('#/components/responses/', '') ?? ''] ?? each)
      .flatMap(({ content }) => Object.keys(content?.['application/problem+json']?.examples ?? {}));
  const elsewhere = [
    'method-not-allowed',
    'header-fields-too-large',
    'stale-revision',
    'if-match-required',
    'projection-behind',
  ];
  for (const code of Object.keys(WEB_PROBLEMS).filter((known) => !elsewhere.includes(known)))
    expect(codesOf('/v1/notes', 'post')).toContain(code);
  expect(codesOf('/v1/notes/{id}/stamp', 'post')).toEqual(
    expect.arrayContaining(['stale-revision', 'if-match-required', 'full']),
  );
  expect(codesOf('/v1/notes', 'get')).toContain('projection-behind');
});
