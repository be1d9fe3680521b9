import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

/** Whoever asks whatever of any route gets an answer that the document foretells, and never a fault of ours. */
interface Described {
  readonly content?: Readonly<Record<string, { readonly examples?: Readonly<Record<string, unknown>> }>>;
}
interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: object }>> };
  readonly responses: Readonly<Record<string, Reference<Described>>>;
}
/** The same, or where in the document it stands. */
type Reference<T> = T | { readonly $ref: string };
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const AN_AGENCY: As = { party: 'agency:cavr', role: ['implementer', 'fiscal-agent'] };
const callers: Readonly<Record<string, As | undefined>> = {
  anonymous: undefined,
  State: { party: 'state:VUT', role: ['npc', 'mission', 'donor-desk'] },
  donor: { party: 'donor:japan', role: 'donor-desk' },
  unregistered: { party: 'donor:nobody', role: 'donor-desk' },
  agency: AN_AGENCY,
  network: { party: 'network:msg', role: 'network-host' },
  fund: { party: 'fund:unscar', role: 'donor-desk' },
  coordinator: { party: 'agency:secretariat', role: 'coordinator' },
  auditor: { party: 'auditor:court', role: 'auditor' },
  operator: { party: 'agency:hosting', role: 'operator' },
};

const ids = [
  '00000000-0000-7000-8000-000000000000',
  'state:VUT',
  '1',
  'x',
  '..',
  '%F0%9F%94%92',
  "'; DROP TABLE need; --",
];

/** A record of each kind, by the beginning of its path. */
const made = new Map<string, string>();

let app: TestApp;
let paths: Paths;
let shared: Readonly<Record<string, Described>>;
const resolved = (described: Reference<Described>): Described | undefined =>
  '$ref' in described ? shared[described.$ref.replace('#/components/responses/', '')] : described;
beforeAll(async () => {
  app = await testApp();
  const document = (await app.get('/openapi.json')).body as {
    readonly paths: Paths;
    readonly components: { readonly responses: Readonly<Record<string, Described>> };
  };
  paths = document.paths;
  shared = document.components.responses;
  const coordinator: As = { party: 'agency:secretariat', role: 'coordinator' };
  for (const id of ['donor:japan', 'agency:cavr', 'agency:undp', 'network:msg', 'fund:unscar'])
    await app.post('/v1/parties', { id, name: id, category: 'bilateral' }, { as: coordinator });
  made.set('/v1/parties', 'donor:japan');
  const exampleOf = (path: string): object =>
    paths[path]?.post?.requestBody?.content['application/json']?.example ?? {};
  const make = async (path: string, as: As | undefined, more: object = {}): Promise<void> => {
    const answer = await app.post(path, { ...exampleOf(path), ...more }, as === undefined ? {} : { as });
    expect([path, answer.status, answer.text]).toEqual([path, 201, answer.text]);
    made.set(path, (answer.headers.location ?? '').split('/').at(-1) ?? '');
  };
  // Every example of the document is one that can be sent as it stands.
  await make('/v1/needs', callers.State);
  await make('/v1/offers', callers.donor);
  await make('/v1/reported', coordinator);
  await make('/v1/funds', coordinator);
  await make('/v1/contributions', callers.donor);
  await make('/v1/calls', callers.fund);
  await make('/v1/rates', coordinator);
  made.set('/v1/rulesets', '3');
  await make('/v1/documents', callers.State);
  await make('/v1/designations', coordinator, { party: 'state:KIR' });
  const need = await openNeed(coordinator);
  await make('/v1/commitments', callers.donor, { offerId: made.get('/v1/offers'), needId: need, legs: [LEG] });
  await makeFinding(need, make);
});
afterAll(() => app.close());

/** A finding on a need, by an auditor who may read it. */
const makeFinding = async (
  need: string,
  make: (path: string, as: As | undefined, more: object) => Promise<void>,
): Promise<void> => {
  const { auditor: as, coordinator } = callers;
  const { party: auditor } = as ?? { party: '' };
  await app.post(
    '/v1/parties',
    { id: auditor, name: auditor, category: 'ngo' },
    coordinator === undefined ? {} : { as: coordinator },
  );
  await make('/v1/mandates', coordinator, { auditor, scope: { records: [need] }, sealed: false });
  const { body } = await app.get(`/v1/needs/${need}/history`, as === undefined ? {} : { as });
  const [first] = (body as { items: { eventId: string }[] }).items;
  const records = [{ kind: 'need', id: need }];
  await make('/v1/findings', as, { records, eventIds: [first?.eventId], owner: 'state:VUT' });
};

const LEG = { offerLine: 1, needLine: 1, drawn: { measure: 'money', currency: 'USD', amount: '60000.00' } };

/** A need of one State, of which money can be drawn. */
const openNeed = async (coordinator: As): Promise<string> => {
  const { State: as } = callers;
  const send = async (path: string, body: object, by: As | undefined, revision?: number): Promise<Response> =>
    app.post(path, body, {
      ...(by === undefined ? {} : { as: by }),
      ...(revision === undefined ? {} : { headers: { 'if-match': `"${revision}"` } }),
    });
  const example = paths['/v1/needs']?.post?.requestBody?.content['application/json']?.example;
  const { id } = (await send('/v1/needs', { ...example, beneficiaries: ['state:VUT'] }, as)).body as { id: string };
  await send(`/v1/needs/${id}/submit`, { consent: { circulate: true, publish: true } }, as, 0);
  expect((await send(`/v1/needs/${id}/open`, {}, coordinator, 1)).status).toBe(200);
  return id;
};

const isForetold = ({ responses }: Operation, { status, type, body }: Response, method: string): string | undefined => {
  const described = responses[String(status)];
  if (described === undefined) return `status ${status} is not in the document`;
  // What answers HEAD has no body to say more.
  if (status < 400 || method === 'head') return undefined;
  if (type !== 'application/problem+json') return `a refusal of type ${type}`;
  const { code, correlationId } = body as { code: string; correlationId: string };
  if (resolved(described)?.content?.['application/problem+json']?.examples?.[code] === undefined)
    return `${status} ${code} is not in the document`;
  return correlationId === '' ? 'no correlation id' : undefined;
};

interface Sent {
  readonly url: string;
  readonly body?: object;
  readonly headers: Readonly<Record<string, string>>;
}

const requestsTo = (path: string, method: string, { requestBody }: Operation): readonly Sent[] => {
  const real = made.get(path.split('/').slice(0, 3).join('/'));
  const named = (id: string): string =>
    // What is numbered within a record has its first.
    path.replace('{n}', '1').replaceAll(/\{[^}]+\}/g, id === '..' ? '%2e%2e' : encodeURI(id));
  const own = real === undefined ? [] : [named(real)];
  const strange = path.includes('{') ? ids.map(named) : [path, `${path}?limit=1`, `${path}?bogus=1`];
  if (method === 'get' || method === 'head') return [...strange, ...own].map((url) => ({ url, headers: {} }));
  if (method === 'patch') {
    const chunk = { 'content-type': 'application/offset+octet-stream' };
    return [...strange, ...own].flatMap((url) => [
      { url, body: {}, headers: {} },
      { url, body: {}, headers: chunk },
      { url, body: {}, headers: { ...chunk, 'upload-offset': '7' } },
    ]);
  }
  const example = requestBody?.content['application/json']?.example ?? {};
  return [...strange.slice(0, 2), ...(path.includes('{') ? own : [])].flatMap((url) => [
    { url, body: example, headers: {} },
    {
      url,
      body: example,
      headers: { 'if-match': '"0"', 'idempotency-key': encodeURIComponent(url), prefer: 'wait=1' },
    },
    { url, body: {}, headers: {} },
  ]);
};

const send = (method: string, { url, body, headers }: Sent, as: As | undefined): Promise<Response> => {
  const json = { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body ?? {}) };
  return app.sendPlain(method.toUpperCase(), url, {
    ...(as === undefined ? {} : { as }),
    headers,
    ...(method === 'post' ? json : method === 'patch' ? { body: 'bytes' } : {}),
  });
};

/** All of them with the extra tests, which set `PLEDGEBOOK_EVERY_CALLER`; else who may least, and who may most. */
const ASKING = Object.entries(callers).filter(
  ([name]) => process.env.PLEDGEBOOK_EVERY_CALLER !== undefined || ['anonymous', 'State', 'coordinator'].includes(name),
);
test.each(ASKING)('%s meets no fault of ours and no answer the document does not foretell', async (_name, as) => {
  const surprises: string[] = [];
  for (const [path, operations] of Object.entries(paths)) {
    if (!path.startsWith('/v1/') || path.startsWith('/v1/admin/')) continue;
    for (const [method, operation] of Object.entries(operations)) {
      for (const request of requestsTo(path, method, operation)) {
        const answer = await send(method, request, as);
        const surprise = answer.status === 500 ? 'a fault of ours' : isForetold(operation, answer, method);
        if (surprise !== undefined)
          surprises.push(`${method} ${request.url}: ${surprise} ${JSON.stringify(answer.body).slice(0, 200)}`);
      }
    }
  }
  expect(surprises).toEqual([]);
});

test('every path tells the methods it has, and refuses the others', async () => {
  const surprises: string[] = [];
  for (const [path, operations] of Object.entries(paths)) {
    const url = path.replaceAll(/\{[^}]+\}/g, 'x');
    const own = Object.keys(operations).map((method) => method.toUpperCase());
    const has = [...new Set([...own, 'OPTIONS', ...(own.includes('GET') ? ['HEAD'] : [])])].sort();
    for (const method of ['OPTIONS', 'HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
      if (has.includes(method) && method !== 'OPTIONS') continue;
      const { status, headers } = await app.sendPlain(method, url, { as: AN_AGENCY });
      if (status !== (method === 'OPTIONS' ? 204 : 405) || headers.allow !== has.join(', '))
        surprises.push(`${method} ${url}: ${status} ${headers.allow}, not ${has.join(', ')}`);
    }
  }
  expect(surprises).toEqual([]);
});

// Seen failing for rates, reported records and a fund's attribution: they answered with nothing.
test('every route that takes days from and to refuses them backwards', async () => {
  const surprises: string[] = [];
  for (const [path, { get }] of Object.entries(paths)) {
    const taken = get?.parameters.flatMap(({ name, in: where }) => (where === 'query' ? [name] : [])) ?? [];
    // A conversion is from one currency to another.
    if (!taken.includes('from') || !taken.includes('to') || path === '/v1/rates/convert') continue;
    const own = path.replace('{id}', made.get(path.split('/').slice(0, 3).join('/')) ?? '');
    const url = `${own}?from=2026-02-02&to=2026-02-01${taken.includes('holder') ? '&holder=state:VUT' : ''}`;
    const { status, body } = await app.get(url, { as: { party: 'agency:secretariat', role: 'coordinator' } });
    const { errors = [] } = body as { readonly errors?: readonly { readonly field: string }[] };
    if (status !== 400 || errors.map(({ field }) => field).join() !== 'to') surprises.push(`${url}: ${status}`);
  }
  expect(surprises).toEqual([]);
});
