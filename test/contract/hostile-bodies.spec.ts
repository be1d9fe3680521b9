import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';

/**
 * Every body that the document describes, with every field of it wrong at once in one way after another: whatever is wrong is named, before
 * anybody asks who sends it or whether the record is there.
 */
interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly uniqueItems?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Operation {
  readonly parameters: readonly ({ readonly name: string } | { readonly $ref: string })[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema?: Schema; readonly example?: object }>>;
  };
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface Refused {
  readonly code: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** Of no role that writes anything: 400 comes before 403. */
const as: As = { party: 'auditor:court', role: 'auditor' };

let app: TestApp;
let document: Document;
beforeAll(async () => {
  app = await testApp();
  document = (await app.get('/openapi.json')).body as Document;
});
afterAll(() => app.close());

const nameOf = ({ $ref, allOf }: Schema): string | undefined => {
  const reference = $ref ?? (allOf?.length === 1 ? allOf[0]?.$ref : undefined);
  return reference?.split('/').at(-1);
};
const resolved = (schema: Schema): Schema => {
  const name = nameOf(schema);
  return name === undefined ? schema : (document.components.schemas[name] ?? {});
};

type Way = keyof typeof WAYS;
/** What stands in place of a value, by what the value is. `undefined`: this way says nothing about it. */
const WAYS = {
  'of another type': () => ({ quantity: 5, period: 5, code: 5, date: 5, text: 5, number: 'one', flag: 'yes', list: 5 }),
  'not there': () => ({
    quantity: null,
    period: null,
    code: null,
    date: null,
    text: null,
    number: null,
    flag: null,
    list: null,
  }),
  impossible: () => ({
    quantity: { measure: 'money', currency: 'USD', amount: '-1.00' },
    period: { from: '2026-02-02', to: '2026-02-01' },
    code: 'no-such-code',
    date: '2026-02-30',
    text: ' \u00a0 ',
    number: 1.5,
    flag: 0,
    list: {},
  }),
  'too exact': () => ({
    quantity: { measure: 'money', currency: 'USD', amount: '1.2345' },
    period: { from: '2026-13-01', to: '2026-01-01' },
    code: '',
    date: '2026-02-03T10:00:00Z',
    text: 'a\u0007b',
    number: 2 ** 53,
    flag: 'true',
    list: '',
  }),
  'too long': () => ({
    quantity: { measure: 'money', currency: 'USD', amount: '1234567890123456.00' },
    period: { from: '2026-01-01', to: '2026-12-31', days: 365 },
    code: 'x'.repeat(10_001),
    date: '12026-01-01',
    text: 'x'.repeat(10_001),
    number: 1e300,
    flag: 1,
    list: 'x'.repeat(10_001),
  }),
  'ill-formed': () => ({
    quantity: { measure: 'money', currency: 'ZZZ', amount: '1.00' },
    period: { from: '2026-01-01' },
    code: 'a\ud800b',
    date: 'soon',
    text: 'a\ud800b',
    number: -1.5,
    flag: [],
    list: 5,
  }),
  'a JSON number': () => ({
    quantity: { measure: 'money', currency: 'USD', amount: 1.5 },
    period: [],
    code: 1.5,
    date: 2026,
    text: 1.5,
    number: 0.5,
    flag: 0.5,
    list: 0.5,
  }),
} as const;

interface Wrong {
  readonly value: unknown;
  readonly fields: readonly string[];
}

/** A value of this schema with everything in it wrong, and the fields that must be named. */
const wrong = (schema: Schema, way: Way, path: string, depth = 0): Wrong | undefined => {
  const name = nameOf(schema);
  const { quantity, period, code, date, text, number, flag, list } = WAYS[way]();
  const named = (value: unknown): Wrong => ({ value, fields: [path] });
  if (name === 'Quantity') return named(quantity);
  if (name === 'Period') return named(period);
  const { type, properties, items, oneOf, enum: codes, format, pattern } = resolved(schema);
  if (oneOf !== undefined) return way === 'of another type' ? named(5) : undefined;
  if (properties !== undefined) {
    if (way === 'not there' && depth > 0) return named(null);
    return wrongFields(properties, way, path === '' ? '' : `${path}.`, depth + 1);
  }
  switch (type) {
    case 'array': {
      if (items === undefined || way === 'of another type' || way === 'not there') return named(list);
      const element = wrong(items, way, `${path}[0]`, depth + 1);
      return element === undefined ? undefined : { value: [element.value], fields: element.fields };
    }
    case 'string':
      if (codes !== undefined) return named(code);
      if (format === 'date') return named(date);
      // What has a form of its own is short.
      return pattern === undefined || way !== 'too long' ? named(text) : named(code);
    case 'integer':
    case 'number':
      return named(number);
    case 'boolean':
      return named(flag);
    default:
      return undefined;
  }
};

const wrongFields = (properties: Readonly<Record<string, Schema>>, way: Way, path: string, depth: number): Wrong => {
  const each = Object.entries(properties).flatMap(([name, schema]) => {
    const found = wrong(schema, way, `${path}${name}`, depth);
    return found === undefined ? [] : [[name, found] as const];
  });
  return {
    value: { ...Object.fromEntries(each.map(([name, { value }]) => [name, value])), bogus: 1 },
    fields: [...each.flatMap(([, { fields }]) => fields), `${path}bogus`],
  };
};

const bodies = (): readonly { readonly path: string; readonly schema: Schema; readonly example: object }[] =>
  Object.entries(document.paths).flatMap(([path, { post }]) => {
    const { schema, example = {} } = post?.requestBody?.content['application/json'] ?? {};
    return schema === undefined || path.startsWith('/v1/admin/') ? [] : [{ path, schema, example }];
  });

const to = (path: string): string => path.replace('{n}', '1').replaceAll(/\{[^}]+\}/g, 'x');

test.each(Object.keys(WAYS) as Way[])('every field that is %s is named, together with all others', async (way) => {
  const found: object[] = [];
  for (const { path, schema } of bodies()) {
    const { value, fields } = wrong(schema, way, '') ?? { value: { bogus: 1 }, fields: ['bogus'] };
    const { status, body } = await app.post(to(path), value as object, { as });
    const { code, errors = [] } = body as Refused;
    const named = errors.map(({ field }) => field);
    // What is refused as a whole is not looked into.
    const missed = fields.filter(
      (field) =>
        !named.some((each) => each.startsWith(field) || field.startsWith(`${each}.`) || field.startsWith(`${each}[`)),
    );
    if (status !== 400 || code !== 'invalid-request' || missed.length > 0) found.push({ path, status, missed, named });
  }
  expect(found).toEqual([]);
});

test('a code that is said twice is named where a list takes each once', async () => {
  const found: object[] = [];
  for (const { path, schema, example } of bodies()) {
    for (const [field, property] of Object.entries(resolved(schema).properties ?? {})) {
      const { type, uniqueItems, items } = resolved(property);
      const codes = items === undefined ? undefined : resolved(items).enum;
      if (type !== 'array' || uniqueItems !== true || codes === undefined) continue;
      const { status, body } = await app.post(to(path), { ...example, [field]: [codes[0], codes[0]] }, { as });
      const named = ((body as Refused).errors ?? []).map((each) => each.field);
      if (status !== 400 || !named.includes(`${field}[1]`)) found.push({ path, field, status, named });
    }
  }
  expect(found).toEqual([]);
});

const SHA256 = 'a'.repeat(64);
const DOCUMENT = { kind: 'report', title: 'A paper', sha256: SHA256 };
const EVIDENCE = { title: 'A paper', uri: 'https://example.org/paper.pdf', sha256: SHA256 };
const MONEY = { measure: 'money', currency: 'USD', amount: '1.00' };
const SEATS = { measure: 'seats', amount: '1' };
const LINE = { line: 1, kind: 'training', description: 'Seats', quantity: SEATS };
const AN_ID = '01920000-0000-7000-8000-000000000000';

test('what must be there is named where it is not', async () => {
  const found: object[] = [];
  for (const { path, schema } of bodies()) {
    const { required = [] } = resolved(schema);
    const { body } = await app.post(to(path), {}, { as });
    const named = ((body as Refused).errors ?? []).map((each) => each.field);
    const missed = required.filter((field) => !named.includes(field));
    if (missed.length > 0) found.push({ path, missed });
  }
  expect(found).toEqual([]);
});

/** Lists of what is elsewhere, an element of each, and how another may differ and still name the same thing. */
test.each<[path: string, field: string, element: object, differing?: object]>([
  ['/v1/findings', 'records', { kind: 'need', id: AN_ID }],
  ['/v1/findings/{id}/implement', 'evidence', EVIDENCE],
  ['/v1/confirmation-requests/{id}/answer', 'answers', { line: 1, says: 'agrees' }, { says: 'no-record' }],
  ['/v1/needs', 'documents', DOCUMENT],
  ['/v1/needs', 'reportRefs', { instrument: 'ATT', year: 2025 }],
  ['/v1/needs', 'approached', { party: 'donor:japan', when: '2025' }],
  ['/v1/needs', 'priorAid', { commitmentId: AN_ID }],
  ['/v1/needs/{id}/amend', 'priorAid', { commitmentId: AN_ID }],
  ['/v1/needs/{id}/amend', 'lines', LINE, { quantity: { ...SEATS, amount: '2' } }],
  ['/v1/needs/{id}/close', 'waivers', { line: 1, reason: 'Held by others' }, { reason: 'Not needed' }],
  ['/v1/needs/{id}/assess', 'lines', { line: 1, quantity: SEATS }, { quantity: { ...SEATS, amount: '2' } }],
  ['/v1/offers/{id}/amend', 'lines', { line: 1, kinds: ['training'], capacity: SEATS }, { kinds: ['legal'] }],
  ['/v1/offers', 'documents', DOCUMENT],
  ['/v1/offers', 'conditions', { code: 'co-financing', percent: '10' }],
  ['/v1/parties', 'members', { party: 'state:VUT', as: 'member' }, { as: 'observer' }],
  ['/v1/parties', 'documents', DOCUMENT],
  ['/v1/contributions', 'documents', DOCUMENT],
  ['/v1/calls', 'documents', DOCUMENT],
  ['/v1/funds/{id}/decisions', 'documents', DOCUMENT],
  [
    '/v1/funds/{id}/decisions',
    'interests',
    { party: 'state:VUT', declaration: 'Its own need', recused: true },
    { recused: false },
  ],
  [
    '/v1/funds/{id}/decisions',
    'allocations',
    { needId: AN_ID, amount: MONEY },
    { amount: { ...MONEY, amount: '2.00' } },
  ],
  ['/v1/funds', 'windows', { code: 'a', name: 'A' }, { name: 'B' }],
  ['/v1/calls', 'criteria', { code: 'a', text: 'A' }, { text: 'B' }],
  ['/v1/commitments/{id}/deliveries', 'evidence', EVIDENCE],
  ['/v1/commitments/{id}/deliveries/{n}/correct', 'evidence', EVIDENCE],
  ['/v1/allocations', 'floors', { state: 'VUT', share: '0.25' }, { share: '0.5' }],
  ['/v1/allocations', 'budgets', { donor: 'donor:japan', quantity: MONEY }, { quantity: { ...MONEY, amount: '2.00' } }],
  ['/v1/allocations/{id}/share', 'pairs', { needId: AN_ID, needLine: 1, offerId: AN_ID, offerLine: 1 }],
])('%s: what %s names already is not named again', async (path, field, element, differing = {}) => {
  const { example } = bodies().find((each) => each.path === path) ?? {};
  const list = [element, { ...element, ...differing }, element];
  const { status, body } = await app.post(to(path), { ...example, [field]: list }, { as });
  const message = 'stands here twice: name it once';
  expect({ status, errors: (body as Refused).errors }).toEqual({
    status: 400,
    errors: [1, 2].map((index) => ({ field: `${field}[${index}]`, message })),
  });
});

test.each([
  ['if-match', 'W/"1"', 'If-Match'],
  ['if-match', '*', 'If-Match'],
  ['if-match', '"1", "2"', 'If-Match'],
  ['effective-at', '2999-01-01', 'Effective-At'],
  ['idempotency-key', 'two words', 'Idempotency-Key'],
  ['consistency-token', 'x', 'Consistency-Token'],
])('every POST refuses %s: %s before anything else', async (header, value, field) => {
  const found: object[] = [];
  for (const { path, example } of bodies()) {
    const { status, body } = await app.post(to(path), example, { as, headers: { [header]: value } });
    const named = ((body as Refused).errors ?? []).map((each) => each.field);
    if (status !== 400 || !named.includes(field)) found.push({ path, status, named });
  }
  expect(found).toEqual([]);
});

test('a report’s date that Effective-At contradicts is 400, also where the caller may not report at all', async () => {
  const dated = bodies().filter(({ schema }) => resolved(schema).properties?.date !== undefined);
  expect(dated.map(({ path }) => path).length).toBeGreaterThan(10);
  const found: object[] = [];
  for (const { path, example } of dated) {
    const body = { ...example, date: '2026-11-20' };
    const contradicted = await app.post(to(path), body, { as, headers: { 'effective-at': '2026-11-19' } });
    const named = ((contradicted.body as Refused).errors ?? []).map((each) => each.field);
    // A correction is made when it is made: its date is that of what it corrects.
    if (path.endsWith('/correct') === (contradicted.status === 400 && named.includes('Effective-At')))
      found.push({ path, status: contradicted.status, named });
    const alike = await app.post(to(path), body, { as, headers: { 'effective-at': '2026-11-20' } });
    if (alike.status === 400) found.push({ path, status: alike.status, text: alike.text });
    const later = await app.post(to(path), { ...example, date: '2026-11-25' }, { as });
    if (later.status !== 400) found.push({ path, later: later.status });
  }
  expect(found).toEqual([]);
});

test('whoever has no token is told so by every route that writes, whatever else is wrong', async () => {
  const found: object[] = [];
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations).filter((each) => !['get', 'head'].includes(each))) {
      const answer = await app.send(method.toUpperCase(), to(path), {
        headers: { 'content-type': 'text/plain' },
        body: '{',
      });
      if (answer.status !== 401) found.push({ path, method, status: answer.status });
    }
  }
  expect(found).toEqual([]);
});

// A suggestion has no revision: it never changes, and is proposed once.
const WITHOUT_REVISION = ['/v1/suggestions/{id}/propose'];

test('every command on a record says in the document how it takes If-Match, and every POST its Idempotency-Key', () => {
  const commands = Object.entries(document.paths).filter(
    ([path, { post }]) => post !== undefined && path.startsWith('/v1/') && !path.startsWith('/v1/admin/'),
  );
  const missing = commands.flatMap(([path, { post }]) => {
    const headers = (post?.parameters ?? []).map((each) =>
      '$ref' in each ? (each.$ref.split('/').at(-1) ?? '').replace('-required', '') : each.name,
    );
    return [
      ...(headers.includes('Idempotency-Key') ? [] : [`${path}: Idempotency-Key`]),
      ...(path.includes('{id}') && headers.includes('If-Match') === WITHOUT_REVISION.includes(path)
        ? [`${path}: If-Match`]
        : []),
    ];
  });
  expect(missing).toEqual([]);
});
