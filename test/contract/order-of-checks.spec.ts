import { RateLimit } from '#web';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';
import { probeContext } from './probe.js';

/**
 * API.md, headers: "Order of checks: 401, 429, 413/415, 400, 403 by role or registration, idempotency, 404, 403 by record, 428,
 * 412, 409." Every pair of faults that one request can have is sent; the earlier one answers.
 */
interface Sent {
  path: string;
  body: string;
  as: As;
  headers: Record<string, string>;
}

interface Fault {
  readonly status: number;
  readonly code: string;
  readonly commit: (sent: Sent) => void;
  /** Names of faults that cannot stand in the same request. */
  readonly excludes?: readonly string[];
}

const AUTHOR: As = { party: 'state:VUT', role: 'npc' };
const STRANGER: As = { party: 'state:FJI', role: 'npc' };
const KEY = 'used-before';

let app: TestApp;
let open: string;
let hidden: string;
let full: string;

const write = async (title: string, hiddenToo: boolean): Promise<string> => {
  const { body } = await app.post('/v1/notes', { title, hidden: hiddenToo ? 'yes' : 'no' }, { as: AUTHOR });
  return `/v1/notes/${(body as { id: string }).id}/stamp`;
};

const send = ({ path, body, as, headers }: Sent): Promise<Response> =>
  app.post(path, body, headers.authorization === undefined ? { as, headers } : { headers });

beforeAll(async () => {
  app = await testApp({ contexts: [probeContext] });
  open = await write('open', false);
  hidden = await write('hidden', true);
  full = await write('full', false);
  for (const revision of ['"0"', '"1"']) await app.post(full, {}, { as: AUTHOR, headers: { 'if-match': revision } });
  for (const as of [AUTHOR, STRANGER]) {
    await app.post(open, {}, { as, headers: { 'if-match': '"0"', 'idempotency-key': KEY } });
  }
});
afterAll(() => app.close());

const FAULTS: Readonly<Record<string, Fault>> = {
  'bad token': {
    status: 401,
    code: 'unauthenticated',
    commit: (sent) => (sent.headers.authorization = 'Bearer x.y.z'),
  },
  'body too large': {
    status: 413,
    code: 'payload-too-large',
    commit: (sent) => (sent.body = ' '.repeat(1_048_577)),
    excludes: ['wrong type', 'unknown field'],
  },
  'wrong type': {
    status: 415,
    code: 'unsupported-media-type',
    commit: (sent) => (sent.headers['content-type'] = 'text/plain'),
  },
  'unknown field': { status: 400, code: 'invalid-request', commit: (sent) => (sent.body = '{"bogus":1}') },
  'bad header': {
    status: 400,
    code: 'invalid-request',
    commit: (sent) => ((sent.headers.prefer = 'x'), (sent.headers['effective-at'] = 'tomorrow')),
  },
  'wrong role': {
    status: 403,
    code: 'forbidden',
    commit: (sent) => (sent.as = { party: 'auditor:x', role: 'auditor' }),
    excludes: ['another’s record', 'unregistered', 'key reused', 'no record', 'hidden record'],
  },
  unregistered: {
    status: 403,
    code: 'party-not-registered',
    commit: (sent) => (sent.as = { party: 'donor:unregistered', role: 'donor-desk' }),
    excludes: ['another’s record', 'key reused'],
  },
  'key reused': {
    status: 422,
    code: 'idempotency-key-reused',
    commit: (sent) => {
      sent.path = open;
      sent.headers['idempotency-key'] = KEY;
      sent.headers['effective-at'] = '2025';
    },
    excludes: ['no record', 'hidden record', 'rule', 'another’s record', 'bad header'],
  },
  'no record': {
    status: 404,
    code: 'not-found',
    commit: (sent) => (sent.path = '/v1/notes/nothing/stamp'),
    excludes: ['rule', 'another’s record', 'hidden record'],
  },
  'hidden record': {
    status: 404,
    code: 'not-found',
    commit: (sent) => ((sent.path = hidden), (sent.as = STRANGER)),
    excludes: ['rule', 'another’s record'],
  },
  'another’s record': { status: 403, code: 'forbidden', commit: (sent) => (sent.as = STRANGER) },
  'no If-Match': {
    status: 428,
    code: 'if-match-required',
    commit: (sent) => delete sent.headers['if-match'],
    excludes: ['stale'],
  },
  stale: {
    status: 412,
    code: 'stale-revision',
    commit: (sent) => (sent.headers['if-match'] = sent.path === full ? '"1"' : '"9"'),
  },
  rule: { status: 409, code: 'full', commit: (sent) => (sent.path = full) },
};

const names = Object.keys(FAULTS);
const pairs = names.flatMap((first, index) =>
  names
    .slice(index + 1)
    .filter((second) => FAULTS[first]?.excludes?.includes(second) !== true)
    .filter((second) => FAULTS[first]?.status !== FAULTS[second]?.status)
    .map((second) => [first, second] as const),
);

const requestWith = (...faults: readonly string[]): Sent => {
  const sent: Sent = { path: full, body: '{}', as: AUTHOR, headers: { 'if-match': '"2"' } };
  // A request that only meets the later faults must pass the earlier checks.
  if (!faults.includes('rule')) sent.path = open;
  // The later fault is committed first: where both touch the same part, the earlier one has the last word.
  for (const name of [...faults].reverse()) FAULTS[name]?.commit(sent);
  return sent;
};

test.each(names)('%s alone answers as the table says', async (name) => {
  const fault = FAULTS[name];
  const { status, body } = await send(requestWith(name));
  expect({ status, code: (body as { code: string }).code }).toEqual({ status: fault?.status, code: fault?.code });
});

test.each(pairs)('%s is answered before %s', async (first, second) => {
  const fault = FAULTS[first];
  const { status, body } = await send(requestWith(first, second));
  expect({ status, code: (body as { code: string }).code }).toEqual({ status: fault?.status, code: fault?.code });
});

test('too many requests are answered after a bad token and before the body is looked at', async () => {
  const limited = await testApp({ contexts: [probeContext], rate: new RateLimit(1, () => 0) });
  try {
    expect((await limited.get('/v1/notes', { as: AUTHOR })).status).toBe(200);
    const second = await limited.post('/v1/notes', 'not json', {
      as: AUTHOR,
      headers: { 'content-type': 'text/plain' },
    });
    expect(second.status).toBe(429);
    expect(second.headers['retry-after']).toBe('1');
    expect((await limited.get('/v1/notes', { authorization: 'Bearer x.y.z' })).status).toBe(401);
    expect((await limited.get('/v1/notes', { as: STRANGER })).status).toBe(200);
  } finally {
    await limited.close();
  }
});
