import type { Response } from 'supertest';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';

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

const callers: Readonly<Record<string, As | undefined>> = {
  anonymous: undefined,
  State: { party: 'state:VUT', role: ['npc', 'mission', 'donor-desk'] },
  donor: { party: 'donor:japan', role: 'donor-desk' },
  unregistered: { party: 'donor:nobody', role: 'donor-desk' },
  agency: { party: 'agency:cavr', role: ['implementer', 'fiscal-agent'] },
  network: { party: 'network:msg', role: 'network-host' },
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
  for (const id of ['donor:japan', 'agency:cavr', 'network:msg'])
    await app.post('/v1/parties', { id, name: id, category: 'bilateral' }, { as: coordinator });
  const exampleOf = (path: string): object =>
    paths[path]?.post?.requestBody?.content['application/json']?.example ?? {};
  for (const [path, as] of [
    ['/v1/needs', callers.State],
    ['/v1/offers', callers.donor],
    ['/v1/reported', coordinator],
  ] as const) {
    const made = await app.post(path, exampleOf(path), as === undefined ? {} : { as });
    expect([path, made.status]).toEqual([path, 201]);
    ids.push((made.body as { id: string }).id);
  }
});
afterAll(() => app.close());

const isForetold = ({ responses }: Operation, { status, type, body }: Response): string | undefined => {
  const described = responses[String(status)];
  if (described === undefined) return `status ${status} is not in the document`;
  if (status < 400) return undefined;
  if (type !== 'application/problem+json') return `a refusal of type ${type}`;
  const { code, correlationId } = body as { code: string; correlationId: string };
  if (resolved(described)?.content?.['application/problem+json']?.examples?.[code] === undefined)
    return `${status} ${code} is not in the document`;
  return correlationId === '' ? 'no correlation id' : undefined;
};

const requestsTo = (
  path: string,
  method: string,
  { requestBody }: Operation,
): readonly { readonly url: string; readonly body?: object; readonly headers: Record<string, string> }[] => {
  const urls = path.includes('{')
    ? ids.map((id) => path.replaceAll(/\{[^}]+\}/g, id === '..' ? '%2e%2e' : encodeURI(id)))
    : [path, `${path}?limit=1`, `${path}?bogus=1`];
  if (method === 'get') return urls.map((url) => ({ url, headers: {} }));
  const example = requestBody?.content['application/json']?.example ?? {};
  return [...urls.slice(0, 2), ...urls.slice(7)].flatMap((url) => [
    { url, body: example, headers: {} },
    { url, body: example, headers: { 'if-match': '"0"', 'idempotency-key': url, prefer: 'wait=1' } },
    { url, body: {}, headers: {} },
  ]);
};

test.each(Object.entries(callers))(
  '%s meets no fault of ours and no answer the document does not foretell',
  async (_name, as) => {
    const surprises: string[] = [];
    for (const [path, operations] of Object.entries(paths)) {
      if (!path.startsWith('/v1/') || path.startsWith('/v1/admin/')) continue;
      for (const [method, operation] of Object.entries(operations)) {
        for (const { url, body, headers } of requestsTo(path, method, operation)) {
          const request = as === undefined ? { headers } : { as, headers };
          const answer = method === 'get' ? await app.get(url, request) : await app.post(url, body ?? {}, request);
          const surprise = answer.status === 500 ? 'a fault of ours' : isForetold(operation, answer);
          if (surprise !== undefined) surprises.push(`${method} ${url}: ${surprise} ${answer.text.slice(0, 200)}`);
        }
      }
    }
    expect(surprises).toEqual([]);
  },
);
