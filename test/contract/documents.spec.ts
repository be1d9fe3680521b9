import type { TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import { ROUTE_SUMMARIES } from '#services';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: object }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

let app: TestApp;
let document: Document;
beforeAll(async () => {
  app = await testApp();
  document = (await app.get('/openapi.json')).body as Document;
});
afterAll(() => app.close());

test('the example of every body is one the service accepts as well-formed', async () => {
  const refused: object[] = [];
  for (const [path, { post }] of Object.entries(document.paths)) {
    const example = post?.requestBody?.content['application/json']?.example;
    if (example === undefined) continue;
    // Whoever asks, 400 comes before every other check but the token's.
    const answer = await app.post(path.replaceAll(/\{[^}]+\}/g, 'x'), example, {
      as: { party: 'auditor:x', role: 'auditor' },
    });
    if (answer.status === 400) refused.push({ path, example, errors: (answer.body as { errors: unknown }).errors });
  }
  expect(refused).toEqual([]);
});

test('every route says in one line what it does, and no line is left of a route that is gone', () => {
  const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(Object.keys(ROUTE_SUMMARIES).sort()).toEqual(routes.sort());
  expect(document.paths['/v1/statements']?.get?.summary).toContain('opening to closing balance');
});

test('every reference of the document leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/#\/components\/(\w+)\/([^"]+)/g)];
  expect(references.length).toBeGreaterThan(100);
  expect(
    references.flatMap(([all, part = '', name = '']) => (document.components[part]?.[name] === undefined ? [all] : [])),
  ).toEqual([]);
});
