import { gzipSync } from 'node:zlib';
import { Controller, Get, Module } from '@nestjs/common';
import { pino } from 'pino';
import type { Context } from '#web';
import { contexts } from '#services';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';
import { sendPlain } from '../support/http.js';
import { poison, probeContext } from './probe.js';

const as: As = { party: 'state:VUT', role: 'npc' };
const other: As = { party: 'state:FJI', role: 'npc' };
const UUID = (version: number): RegExp =>
  new RegExp(`^/v1/notes/[0-9a-f]{8}-[0-9a-f]{4}-${version}[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`);

let app: TestApp;
let lines: string[];
beforeAll(async () => {
  lines = [];
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  app = await testApp({ contexts: [probeContext], logger });
});
afterAll(() => app.close());

const write = (body: object, headers: Record<string, string> = {}, by: As = as): Promise<Response> =>
  app.post('/v1/notes', body, { as: by, headers });
const locationOf = ({ headers }: Response): string => headers.location ?? '';
const count = async (): Promise<number> => (await app.store.readAll(0n, 10_000)).length;

describe('a creation', () => {
  test('answers 201 with Location, ETag, a consistency token and the record as GET shows it', async () => {
    const made = await write({ title: 'a' });
    expect(made.status).toBe(201);
    expect(locationOf(made)).toMatch(UUID(7));
    expect(made.headers.etag).toBe('"0"');
    expect(made.headers['consistency-token']).toMatch(/\S/);
    const shown = await app.get(locationOf(made));
    expect([shown.status, shown.headers.etag, shown.body]).toEqual([200, '"0"', made.body]);
  });

  test('I15: the same key twice writes once, and answers the same', async () => {
    const headers = { 'idempotency-key': 'a-key' };
    const first = await write({ title: 'a', hidden: 'no' }, headers);
    expect(locationOf(first)).toMatch(UUID(8));
    const before = await count();
    const again = await write({ hidden: 'no', title: 'a' }, headers);
    expect([again.status, locationOf(again), again.body]).toEqual([201, locationOf(first), first.body]);
    await app.post(`${locationOf(first)}/stamp`, {}, { as, headers: { 'if-match': '"0"' } });
    const later = await write({ title: 'a', hidden: 'no' }, headers);
    expect([later.status, locationOf(later), later.headers.etag]).toEqual([201, locationOf(first), '"1"']);
    expect((later.body as { stamps: number }).stamps).toBe(1);
    expect(await count()).toBe(before + 1);
  });

  test('twenty at once under one key write one record', async () => {
    const before = await count();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => write({ title: 'raced' }, { 'idempotency-key': 'race' })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(locationOf)).size).toBe(1);
    expect(await count()).toBe(before + 1);
  });

  test('the scope of a key is caller, method and path; another body or claimed moment is 422', async () => {
    const headers = { 'idempotency-key': 'scoped' };
    const mine = await write({ title: 'a' }, headers);
    const theirs = await write({ title: 'a' }, headers, other);
    expect(locationOf(theirs)).not.toBe(locationOf(mine));
    expect((await write({ title: 'b' }, headers)).status).toBe(422);
    expect((await write({ title: 'a' }, { ...headers, 'effective-at': '2025' })).status).toBe(422);
    expect((await write({ title: 'a' }, headers)).status).toBe(201);
  });

  test('equal requests without a key are two requests', async () => {
    expect(locationOf(await write({ title: 'twin' }))).not.toBe(locationOf(await write({ title: 'twin' })));
  });

  test('waits for its outcome: a recorded refusal is 409 with the record’s place, on a repeat too', async () => {
    const headers = { 'idempotency-key': 'waits', prefer: 'respond-async, wait=5' };
    const first = await write({ title: 'refused later' }, headers);
    const again = await write({ title: 'refused later' }, headers);
    for (const answer of [first, again]) {
      expect([answer.status, (answer.body as { code: string }).code]).toEqual([409, 'full']);
      expect([locationOf(answer), answer.headers.etag]).toEqual([expect.stringMatching(UUID(8)), '"0"']);
      expect(answer.headers['consistency-token']).toMatch(/\S/);
    }
    expect(locationOf(again)).toBe(locationOf(first));
    expect((await write({ title: 'refused later' })).status).toBe(201);
  });
});

describe('a command', () => {
  const stamp = (path: string, headers: Record<string, string>): Promise<Response> =>
    app.post(`${path}/stamp`, {}, { as, headers });

  test('answers 200 with the record and its new revision', async () => {
    const path = locationOf(await write({ title: 'a' }));
    const answer = await stamp(path, { 'if-match': '"0"' });
    expect([answer.status, answer.headers.etag, answer.headers.location]).toEqual([200, '"1"', undefined]);
    expect(answer.body).toMatchObject({ stamps: 1, revision: 1 });
  });

  test('a repeat under its key answers the record now, whatever its If-Match says', async () => {
    const path = locationOf(await write({ title: 'a' }));
    const headers = { 'if-match': '"0"', 'idempotency-key': 'stamp-once' };
    await stamp(path, headers);
    await stamp(path, { 'if-match': '"1"' });
    const again = await stamp(path, headers);
    expect([again.status, again.headers.etag, (again.body as { stamps: number }).stamps]).toEqual([200, '"2"', 2]);
  });

  test('a refusal that wrote nothing is decided afresh under the same key', async () => {
    const path = locationOf(await write({ title: 'a' }));
    const headers = { 'idempotency-key': 'afresh' };
    expect((await stamp(path, { ...headers, 'if-match': '"7"' })).status).toBe(412);
    expect((await stamp(path, { ...headers, 'if-match': '"0"' })).status).toBe(200);
  });

  test('a repeat on a record its caller no longer sees is 404', async () => {
    const path = locationOf(await write({ title: 'vanishes' }));
    const headers = { 'if-match': '"0"', 'idempotency-key': 'gone' };
    expect((await stamp(path, headers)).status).toBe(200);
    expect((await stamp(path, headers)).status).toBe(404);
    expect((await app.get(path, { as })).status).toBe(404);
  });

  test.each(['1', '999999999999999', '1000000000000000', '9007199254740993', '18446744073709551616', '9'.repeat(40)])(
    'If-Match "%s" names a revision that does not exist: 412',
    async (revision) => {
      const path = locationOf(await write({ title: 'a' }));
      const answer = await stamp(path, { 'if-match': `"${revision}"` });
      expect([answer.status, answer.body.code, answer.headers.etag]).toEqual([412, 'stale-revision', '"0"']);
    },
  );

  test.each(['*', 'W/"0"', '"0", "1"', '0', '"00"', '"-1"', '"x"', '""', '"1e3"', '"1.0"'])(
    'If-Match %s is 400',
    async (match) => {
      const path = locationOf(await write({ title: 'a' }));
      expect((await stamp(path, { 'if-match': match })).status).toBe(400);
    },
  );
});

describe('claimed moments', () => {
  // It is 2026-11-22 10:00 UTC: in the earliest zone the 23rd has begun.
  test.each([
    '2026',
    '2026-11',
    '2026-11-22',
    '2026-11-23',
    '1995-06-30',
    '2026-11-22T10:00:00Z',
    '2026-11-22T12:00:00+02:00',
  ])('%s is taken as it was claimed', async (moment) => {
    const made = await write({ title: 'a' }, { 'effective-at': moment });
    expect(made.status).toBe(201);
    const { items } = (await app.get(`${locationOf(made)}/history`)).body as { items: { effectiveAt: string }[] };
    expect(items[0]?.effectiveAt).toBe(moment);
  });

  test.each(['2027', '2026-12', '2026-11-24', '2026-11-23T00:00:01Z', '2026-02-30', '26', 'now', '2026-11-22 10:00'])(
    '%s is 400',
    async (moment) => {
      expect((await write({ title: 'a' }, { 'effective-at': moment })).status).toBe(400);
    },
  );
});

describe('lists', () => {
  interface Page {
    readonly items: readonly object[];
    readonly next: string | null;
  }
  const page = async (path: string, by?: As): Promise<Page & { link: string | undefined; status: number }> => {
    const answer = await app.get(path, by === undefined ? {} : { as: by });
    return { ...(answer.body as Page), link: answer.headers.link, status: answer.status };
  };

  test('follow next to the end without gap or repetition', async () => {
    await app.settled();
    const whole = await page('/v1/notes?limit=200');
    const seen: object[] = [];
    for (let path: string | undefined = '/v1/notes?limit=3&colour=red'; path !== undefined;) {
      const { items, next, link } = await page(path);
      seen.push(...items);
      path = next === null ? undefined : /^<(.+)>; rel="next"$/.exec(link ?? '')?.[1];
      if (next !== null) expect(new URL(path ?? '', 'http://x').searchParams.get('cursor')).toBe(next);
    }
    expect(seen).toEqual(whole.items);
    expect(whole.next).toBeNull();
  });

  test('a cursor is for its caller and its filter alone', async () => {
    const { next } = await page('/v1/notes?limit=1', as);
    const cursor = encodeURIComponent(next ?? '');
    expect((await page(`/v1/notes?limit=1&cursor=${cursor}`, as)).status).toBe(200);
    expect((await page(`/v1/notes?limit=2&cursor=${cursor}`, as)).status).toBe(200);
    expect((await page(`/v1/notes?limit=1&cursor=${cursor}`, other)).status).toBe(400);
    expect((await page(`/v1/notes?limit=1&cursor=${cursor}`)).status).toBe(400);
    expect((await page(`/v1/notes?limit=1&colour=red&cursor=${cursor}`, as)).status).toBe(400);
    expect(
      (await page(`/v1/notes?limit=1&cursor=${cursor.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))}`, as)).status,
    ).toBe(400);
  });
});

describe('consistency tokens', () => {
  test('a read with a token sees the write, by any caller', async () => {
    for (let round = 0; round < 20; round += 1) {
      const made = await write({ title: `round ${round}` });
      const answer = await app.get('/v1/notes?limit=200', {
        headers: { 'consistency-token': made.headers['consistency-token'] ?? '', prefer: 'wait=5' },
      });
      expect((answer.body as { items: { title: string }[] }).items.map(({ title }) => title)).toContain(
        `round ${round}`,
      );
    }
  });

  test('a token that was changed, or of another log, is 400', async () => {
    const token = (await write({ title: 'a' })).headers['consistency-token'] ?? '';
    const elsewhere = await testApp({ contexts: [probeContext] });
    const read = (sent: string): Promise<Response> =>
      app.get('/v1/notes', { headers: { 'consistency-token': sent, prefer: 'wait=5' } });
    expect((await elsewhere.get('/v1/notes', { headers: { 'consistency-token': token } })).status).toBe(400);
    await elsewhere.close();
    expect((await read(`${token}A`)).status).toBe(400);
    expect((await read(`x${token}`)).status).toBe(400);
    expect((await read(token)).status).toBe(200);
  });
});

describe('a history', () => {
  test('keeps the place of what it masks and hides the person from strangers', async () => {
    const path = locationOf(await write({ title: 'a' }));
    await app.post(`${path}/stamp`, {}, { as, headers: { 'if-match': '"0"' } });
    const own = (await app.get(`${path}/history`, { as })).body as { items: Record<string, unknown>[]; next: null };
    const strange = (await app.get(`${path}/history`)).body as typeof own;
    expect(own.items.map(({ revision }) => revision)).toEqual([0, 1]);
    expect(own.items[0]).toMatchObject({
      type: 'NoteWritten',
      data: { title: 'a' },
      position: expect.stringMatching(/^[0-9]+$/) as unknown,
      eventId: expect.any(String) as unknown,
    });
    expect(own.items[1]).toEqual({ revision: 1, position: expect.any(String) as unknown, masked: true });
    expect((own.items[0]?.actor as { subject?: string }).subject).toMatch(/^[0-9a-f-]{36}$/);
    expect((strange.items[0]?.actor as { subject?: string }).subject).toBeUndefined();
    expect(own.next).toBeNull();
  });
});

describe('what is left of a request', () => {
  test('its correlation id is taken or created, returned, and stands in events and log lines', async () => {
    const given = await write({ title: 'a' }, { 'x-correlation-id': 'visit-42' });
    expect(given.headers['x-correlation-id']).toBe('visit-42');
    const [event] = (await app.store.readAll(0n, 10_000)).slice(-1);
    expect(event?.metadata.correlationId).toBe('visit-42');
    expect(
      lines.some((line) => line.includes('"correlationId":"visit-42"') && line.includes('"party":"state:VUT"')),
    ).toBe(true);
    for (const odd of ['two words', 'x'.repeat(129)]) {
      expect(
        (await app.get('/v1/notes', { headers: { 'x-correlation-id': odd } })).headers['x-correlation-id'],
      ).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test('no log line holds bodies, tokens or people', async () => {
    const token = await app.token({ party: 'state:VUT', roles: ['npc'], sub: 'a.person@example.org' });
    await app.post('/v1/notes', { title: 'a sealed matter' }, { authorization: `Bearer ${token}` });
    await app.post('/v1/notes', '{"title":"a sealed ma', { authorization: `Bearer ${token}` });
    await app.get('/v1/notes?limit=7&cursor=sealed', { authorization: `Bearer ${token}` });
    const text = lines.join('');
    for (const secret of ['sealed', token, 'a.person', 'pledgebook-local']) expect(text).not.toContain(secret);
  });
});

describe('the service itself', () => {
  test('is alive, and ready while its views keep up', async () => {
    expect((await app.get('/healthz')).body).toEqual({ status: 'ok' });
    const ready = await app.get('/readyz?probe=1');
    expect([ready.status, (ready.body as { ready: boolean }).ready]).toEqual([200, true]);
  });

  test('is not ready while a projection is parked, and says which event stops it', async () => {
    // The poison is for this service alone: what the other has still to apply is applied first.
    await app.settled();
    const sick = await testApp({ contexts: [probeContext] });
    poison.armed = true;
    const made = await sick.post('/v1/notes', { title: 'poison' }, { as });
    await sick.get('/v1/notes', {
      headers: { 'consistency-token': made.headers['consistency-token'] ?? '', prefer: 'wait=5' },
    });
    poison.armed = false;
    const ready = await sick.get('/readyz');
    await sick.close();
    expect(ready.status).toBe(503);
    expect((ready.body as { checks: object[] }).checks).toContainEqual(
      expect.objectContaining({
        name: 'projection note-titles',
        ok: false,
        detail: expect.objectContaining({ eventType: 'NoteWritten' }) as unknown,
      }),
    );
    expect(JSON.stringify(ready.body)).not.toContain('poison');
  });

  test('shows its figures to this machine', async () => {
    // A read model stands still only once nothing more is on its way to it.
    await app.settled();
    const { text, type } = await app.get('/metrics');
    expect(type).toBe('text/plain');
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
      'http_request_duration_seconds_bucket{le="0.001",method="POST",route="/v1/notes"',
      'pledgebook_projection_lag{projection="note-titles"} 0',
      'pledgebook_log_position',
    ]) {
      expect(text).toContain(name);
    }
  });

  test('shows its routes on a page that needs no network', async () => {
    const { text, headers } = await app.get('/docs');
    expect(text).not.toMatch(/(?:src|href)="(?!\/docs\/)/);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    for (const [, path = ''] of text.matchAll(/(?:src|href)="([^"]+)"/g))
      expect((await app.get(path)).status).toBe(200);
    expect((await app.get('/docs/assets/package.json')).status).toBe(404);
    expect((await app.get('/docs/assets/..%2fpackage.json')).status).toBe(404);
  });

  test('finishes what it has begun when it stops', async () => {
    const stopping = await testApp({ contexts: [probeContext] });
    const writes = Array.from({ length: 20 }, (_, index) =>
      stopping.post('/v1/notes', { title: `note ${index}` }, { as }),
    );
    const first = await Promise.race(writes);
    const closed = stopping.close();
    const answers = await Promise.allSettled(writes);
    await closed;
    expect(first.status).toBe(201);
    const statuses = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.status : 'no answer'));
    expect(statuses.filter((status) => status !== 201 && status !== 503 && status !== 'no answer')).toEqual([]);
    await expect(stopping.get('/healthz')).rejects.toThrow();
  });
});

describe('every route', () => {
  test('declares an action: a route without one is not served', async () => {
    @Controller('v1/silent')
    class SilentController {
      @Get()
      read(): object {
        return {};
      }
    }
    @Module({})
    class SilentModule {}
    const silent: Context = { name: 'silent', module: SilentModule, controllers: [SilentController], streams: {} };
    await expect(testApp({ contexts: [probeContext, silent] })).rejects.toThrow('SilentController.read');
  });

  test('of the whole service declares one, and stands in the document with its refusals and examples', async () => {
    const whole = await testApp({ contexts });
    const document = (await whole.get('/openapi.json')).body as {
      openapi: string;
      paths: Record<
        string,
        Record<
          string,
          {
            operationId: string;
            responses: Record<string, unknown>;
            requestBody?: { content: Record<string, { example?: unknown }> };
          }
        >
      >;
    };
    const routes = whole.declared();
    await whole.close();
    expect(document.openapi).toBe('3.1.0');
    expect(routes.filter(({ action }) => action === undefined)).toEqual([]);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    const described = new Set(operations.map(({ operation }) => operation.operationId));
    const named = routes
      .map(({ operationId }) => operationId)
      .filter((name) => !name.startsWith('ServiceController_docs'));
    expect(named.filter((name) => !described.has(name))).toEqual([]);
    for (const { path, method, operation } of operations.filter(({ path }) => path.startsWith('/v1/'))) {
      expect([path, method, Object.keys(operation.responses)]).toEqual([
        path,
        method,
        expect.arrayContaining(['400', '401', '403', '404', '429', '500', '503']),
      ]);
      if (method === 'post' && operation.requestBody !== undefined)
        expect([path, operation.requestBody.content['application/json']?.example]).toEqual([path, expect.anything()]);
    }
  });
});

describe('an answer of some length', () => {
  const get = (path: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET'): Promise<Response> =>
    sendPlain(method, `${app.url}${path}`, { headers });

  test('comes in gzip to whoever accepts it, and is the same', async () => {
    const plain = await get('/openapi.json');
    expect([plain.headers['content-encoding'], plain.headers['content-length']]).toEqual([
      undefined,
      String(plain.bytes.length),
    ]);
    const short = await get('/openapi.json', { 'accept-encoding': 'br, gzip;q=0.5' });
    expect(short.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': plain.headers['content-type'] });
    expect(short.headers.vary?.toLowerCase().split(', ')).toEqual(['authorization', 'accept-encoding']);
    expect(short.bytes.length).toBeLessThan(plain.bytes.length / 4);
    expect(short.text).toBe(plain.text);
  });

  test.each(['identity', 'gzip;q=0', 'br', 'zstd, br;q=0.9'])(
    'comes as it is to whoever accepts %s',
    async (accepted) => {
      const { status, headers, body } = await get('/openapi.json', { 'accept-encoding': accepted });
      expect([status, headers['content-encoding'], (body as { openapi: string }).openapi]).toEqual([
        200,
        undefined,
        '3.1.0',
      ]);
    },
  );

  test('a short one and the head of a long one come as they are', async () => {
    const gzip = { 'accept-encoding': 'gzip' };
    expect((await get('/healthz', gzip)).headers['content-encoding']).toBeUndefined();
    const { status, headers, bytes } = await get('/openapi.json', gzip, 'HEAD');
    expect([status, headers['content-encoding'], bytes.length]).toEqual([200, undefined, 0]);
  });

  test('a body that comes compressed is not unpacked', async () => {
    const token = await app.token({ party: as.party, roles: ['npc'] });
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    };
    const { status } = await sendPlain('POST', `${app.url}/v1/notes`, { headers, body: gzipSync('{"title": "a"}') });
    expect(status).toBe(400);
  });
});
