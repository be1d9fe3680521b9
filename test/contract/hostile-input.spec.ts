import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';
import { postThenRead } from '../support/http.js';
import { probeContext } from './probe.js';

const as: As = { party: 'state:VUT', role: 'npc' };
const STRANGER: As = { party: 'state:FJI', role: 'npc' };
let app: TestApp;
beforeAll(async () => {
  app = await testApp({ contexts: [probeContext] });
});
afterAll(() => app.close());

interface Refused {
  readonly code: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

const send = (body: object | string, headers: Record<string, string> = {}): Promise<Response> =>
  app.post('/v1/notes', body, { as, headers });

const fieldsOf = ({ status, body }: Response): readonly string[] => {
  expect([status, (body as Refused).code]).toEqual([400, 'invalid-request']);
  return ((body as Refused).errors ?? []).map(({ field }) => field);
};

const nested = (depth: number): string => `{"title":"x","lines":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const line = { colour: 'red', quantity: { measure: 'seats', amount: '2' } };

test.each<[string, object | string, readonly string[]]>([
  ['text that is not JSON', '{"title":', ['']],
  ['JSON that is no object', '[]', ['']],
  ['null', 'null', ['']],
  ['a number alone', '42', ['']],
  ['nesting deeper than any record', nested(60), ['']],
  ['nesting that would exhaust the stack', nested(100_000), ['']],
  ['no required field', {}, ['title']],
  ['null for a required field', { title: null }, ['title']],
  ['null for an optional field', { title: 'x', text: null }, ['text']],
  ['an empty text', { title: '' }, ['title']],
  ['a blank text', { title: ' \u00a0\u200b ' }, ['title']],
  ['a title over 300', { title: 'x'.repeat(301) }, ['title']],
  ['a text over 10,000', { title: 'x', text: 'x'.repeat(10_001) }, ['text']],
  ['a control character', { title: 'a\u0007b' }, ['title']],
  ['a carriage return', { title: 'x', text: 'a\r\nb' }, ['text']],
  ['a lone surrogate', '{"title":"a\\ud800b"}', ['title']],
  [
    'a lone surrogate in an unknown place',
    '{"title":"x","lines":[{"colour":"\\udc00","quantity":{"measure":"seats","amount":"2"}}]}',
    ['lines[0].colour'],
  ],
  ['an unknown field', { title: 'x', constructer: 1 }, ['constructer']],
  ['__proto__', '{"title":"x","__proto__":{"hidden":"yes"}}', ['__proto__']],
  ['constructor', '{"title":"x","constructor":{"prototype":{}}}', ['constructor']],
  ['a field named like a method', { title: 'x', toString: 'x', hasOwnProperty: 1 }, ['toString', 'hasOwnProperty']],
  ['a code outside its list', { title: 'x', hidden: 'maybe' }, ['hidden']],
  ['a code twice', { title: 'x', codes: ['a', 'b', 'a'] }, ['codes[2]']],
  ['a list that is none', { title: 'x', codes: 'a' }, ['codes']],
  ['no lines', { title: 'x', lines: [] }, ['lines']],
  [
    'lines of the wrong kind',
    { title: 'x', lines: [null, 1, 'x', [], line] },
    ['lines[0]', 'lines[1]', 'lines[2]', 'lines[3]'],
  ],
  ['an object for a list', { title: 'x', lines: { 0: line } }, ['lines']],
  ['a word instead of a list', { title: 'x', either: 'nothing' }, ['either']],
  [
    'an amount as a JSON number',
    { title: 'x', lines: [{ ...line, quantity: { measure: 'seats', amount: 2 } }] },
    ['lines[0].quantity.amount'],
  ],
  [
    'an exponent',
    { title: 'x', lines: [{ ...line, quantity: { measure: 'seats', amount: '1e3' } }] },
    ['lines[0].quantity.amount'],
  ],
  [
    'a negative amount',
    { title: 'x', lines: [{ ...line, quantity: { measure: 'seats', amount: '-1' } }] },
    ['lines[0].quantity.amount'],
  ],
  [
    'an amount too precise',
    { title: 'x', lines: [{ ...line, quantity: { measure: 'person-days', amount: '1.25' } }] },
    ['lines[0].quantity.amount'],
  ],
  ['a number that is not whole', { title: 'x', rank: 1.5 }, ['rank']],
  ['a number too large to be exact', '{"title":"x","rank":9007199254740993}', ['rank']],
  ['a number beyond all numbers', '{"title":"x","rank":1e999}', ['rank']],
  ['a period backwards', { title: 'x', period: { from: '2027-02-01', to: '2027-01-01' } }, ['period.to']],
  ['a day that does not exist', { title: 'x', period: { from: '2027-02-29', to: '2027-03-01' } }, ['period.from']],
])('%s is refused naming its field', async (_what, body, fields) => {
  expect(fieldsOf(await send(body))).toEqual(fields);
});

test('every fault of body, query and headers is named at once, with its path and how to put it right', async () => {
  const answer = await app.post(
    '/v1/notes?verbose=1',
    {
      title: '',
      bogus: 1,
      lines: [line, { colour: 'blue', quantity: { measure: 'money', currency: 'XXX', amount: '0' }, size: 3 }],
    },
    {
      as,
      headers: {
        'effective-at': '2999-01-01',
        'if-match': 'W/"1"',
        'idempotency-key': 'two words',
        'consistency-token': 'x',
      },
    },
  );
  expect([...fieldsOf(answer)].sort()).toEqual(
    [
      'Consistency-Token',
      'Effective-At',
      'Idempotency-Key',
      'If-Match',
      'bogus',
      'lines[1].colour',
      'lines[1].quantity.amount',
      'lines[1].quantity.currency',
      'lines[1].size',
      'title',
      'verbose',
    ].sort(),
  );
  const { errors = [] } = answer.body as Refused;
  expect(errors.find(({ field }) => field === 'lines[1].size')?.message).toBe(
    'unknown field; known fields are colour, quantity',
  );
  expect(errors.every(({ message }) => message.length > 5)).toBe(true);
});

test('tabs, newlines and every script are fine', async () => {
  const title = 'Marquage \u0645\u0631\u062d\u0628\u0627 \ud83d\udd12 \u5317';
  const answer = await send({ title, text: 'a\tb\nc' });
  expect([answer.status, (answer.body as { title: string }).title]).toEqual([201, title]);
});

test.each([
  ['a form', 'application/x-www-form-urlencoded'],
  ['plain text', 'text/plain'],
  ['nearly JSON', 'application/jsonx'],
  ['a JSON dialect', 'application/merge-patch+json'],
  ['nonsense', 'nonsense'],
])('%s is 415', async (_what, contentType) => {
  const answer = await send('{"title":"x"}', { 'content-type': contentType });
  expect([answer.status, (answer.body as Refused).code]).toEqual([415, 'unsupported-media-type']);
});

test('bytes that are not UTF-8 are refused, not repaired', async () => {
  const authorization = `Bearer ${await app.token({ party: as.party, roles: ['npc'] })}`;
  const body = Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await fetch(`${app.url}/v1/notes`, { method: 'POST', headers, body });
  expect([answer.status, ((await answer.json()) as Refused).errors]).toEqual([
    400,
    [{ field: '', message: 'is not UTF-8: send well-formed Unicode' }],
  ]);
});

test('a body without a content type is 415', async () => {
  const authorization = `Bearer ${await app.token({ party: as.party, roles: ['npc'] })}`;
  const answer = await fetch(`${app.url}/v1/notes`, {
    method: 'POST',
    headers: { authorization },
    body: Buffer.from('{"title":"x"}'),
  });
  expect(answer.status).toBe(415);
});

test('a charset is no reason to refuse', async () => {
  expect((await send('{"title":"x"}', { 'content-type': 'application/json; charset=UTF-8' })).status).toBe(201);
});

test('a command without data takes {} or nothing', async () => {
  const { body } = await send({ title: 'x' });
  const authorization = `Bearer ${await app.token({ party: as.party, roles: ['npc'] })}`;
  const path = `${app.url}/v1/notes/${(body as { id: string }).id}/stamp`;
  const answer = await fetch(path, { method: 'POST', headers: { authorization, 'if-match': '"0"' } });
  expect(answer.status).toBe(200);
});

test.each([
  '/v1/notes?limit=0',
  '/v1/notes?limit=201',
  '/v1/notes?limit=ten',
  '/v1/notes?limit=1e1',
  '/v1/notes?limit=5&limit=6',
  '/v1/notes?colour=blue',
  '/v1/notes?color=red',
  '/v1/notes?cursor=x',
  '/v1/notes?cursor=',
  '/v1/notes?toString=1',
  '/v1/notes?__proto__=1',
])('%s is refused naming the parameter', async (path) => {
  expect(fieldsOf(await app.get(path))).toEqual([new URL(path, 'http://x').searchParams.keys().next().value]);
});

test.each([
  '/v1/notes/%zz',
  '/v1/notes/%00',
  `/v1/notes/${'x'.repeat(300)}`,
  '/v1/notes/..%2f..%2fetc',
  '/v1/notes/state:VUT',
  '/v1/notes/%F0%9F',
  '/v2/notes',
  '/',
])('%s is 404 like anything absent', async (path) => {
  const answer = await fetch(`${app.url}${path}`);
  expect([answer.status, ((await answer.json()) as Refused).code]).toEqual([404, 'not-found']);
});

test.each(['PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
  '%s is no method of a list, which says those it has',
  async (method) => {
    // Whatever the body: it is not read.
    const body = Buffer.from('not JSON');
    const headers = { 'content-length': String(body.length) };
    const refused = await app.sendPlain(method, '/v1/notes?bogus=1', { as, body, headers });
    expect([refused.status, refused.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS, POST']);
    expect((await app.sendPlain(method, '/v1/notes')).status).toBe(401);
    expect((await app.sendPlain(method, '/v1/nothing', { as })).status).toBe(404);
  },
);

test('a method that a record of this address never has is refused alike whether the record is there, hidden or absent', async () => {
  const { body } = await app.post('/v1/notes', { title: 'hidden', hidden: 'yes' }, { as });
  const answers = await Promise.all(
    [(body as { id: string }).id, 'nothing', '%00', '%F0%9F%94%92'].map(async (id) => {
      const { status, headers } = await app.sendPlain('DELETE', `/v1/notes/${id}`, { as: STRANGER });
      return [status, headers.allow];
    }),
  );
  expect(answers).toEqual(answers.map(() => [405, 'GET, HEAD, OPTIONS']));
  expect((await app.sendPlain('GET', '/v1/notes/nothing/stamp')).headers.allow).toBe('OPTIONS, POST');
  expect((await app.sendPlain('DELETE', '/v1/notes/', { as })).status).toBe(404);
});

test('OPTIONS tells anyone the methods of an address', async () => {
  const told = await app.sendPlain('OPTIONS', '/v1/notes');
  expect([told.status, told.headers.allow, told.text]).toEqual([204, 'GET, HEAD, OPTIONS, POST', '']);
  expect((await app.sendPlain('OPTIONS', '/v1/nothing')).status).toBe(404);
  expect((await app.sendPlain('OPTIONS', '/v1/notes', { authorization: 'Bearer x.y.z' })).status).toBe(401);
});

test('HEAD of what only takes POST is refused without a body', async () => {
  const { status, text, headers } = await app.sendPlain('HEAD', '/v1/notes/nothing/stamp');
  expect([status, text, headers.allow]).toEqual([405, '', 'OPTIONS, POST']);
});

test('HEAD answers like GET without a body', async () => {
  const answer = await fetch(`${app.url}/v1/notes`, { method: 'HEAD' });
  expect([answer.status, await answer.text()]).toEqual([200, '']);
});

test('a body of 10 MB is answered 413 to a sender that writes it all before it reads', async () => {
  const token = await app.token({ party: as.party, roles: ['npc'] });
  const body = JSON.stringify({ title: 'x'.repeat(10_000_000) });
  const answer = await postThenRead(`${app.url}/v1/notes`, token, body);
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
});
