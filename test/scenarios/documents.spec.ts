import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { backUp, checkDocuments, restoreFrom } from '#store-sqlite';
import type { As, TestApp } from '../support/app.js';
import { temporaryFolder, testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

/** Files are brought in chunks, kept under their hash, and given to whoever sees a record that lists them, as octets and nothing else. */
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const FIJI: As = { party: 'state:FJI', role: 'npc' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const OPERATOR: As = { party: 'agency:hosting', role: 'operator' };

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let app: TestApp;
const bearer = async ({ party, role }: As): Promise<string> =>
  `Bearer ${await app.token({ party, roles: typeof role === 'string' ? [role] : role })}`;
const by = (as: As | undefined): { readonly as?: As } => (as === undefined ? {} : { as });

const declare = (as: As, bytes: Buffer, more: object = {}): Promise<Response> =>
  app.post(
    '/v1/documents',
    { sha256: hashOf(bytes), size: bytes.length, mediaType: 'application/pdf', ...more },
    { as },
  );

const send = (
  as: As,
  sha256: string,
  offset: number | string,
  chunk: Buffer,
  headers: Record<string, string> = {},
): Promise<Response> =>
  app.send('PATCH', `/v1/documents/${sha256}`, {
    as,
    headers: { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset), ...headers },
    body: chunk,
  });

const progress = (as: As | undefined, sha256: string): Promise<Response> =>
  app.send('HEAD', `/v1/documents/${sha256}`, by(as));

const fetchAs = (as: As | undefined, sha256: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.get(`/v1/documents/${sha256}`, { ...by(as), headers });

const upload = async (as: As, bytes: Buffer, more: object = {}): Promise<string> => {
  expect((await declare(as, bytes, more)).status).toBe(201);
  expect((await send(as, hashOf(bytes), 0, bytes)).status).toBe(204);
  return hashOf(bytes);
};

/** An open need of Vanuatu that lists the document. */
const openNeed = async (documents: readonly object[], more: object = {}): Promise<string> => {
  const drafted = await app.post(
    '/v1/needs',
    {
      title: 'Mark the weapons of the police',
      kinds: ['marking-record-keeping'],
      instruments: ['ITI'],
      lines: [{ kind: 'marking-record-keeping', quantity: { measure: 'seats', amount: '4' } }],
      authorityRef: 'Note 12/2026',
      visibility: { summary: 'public', body: 'public', annex: 'sealed' },
      documents,
      ...more,
    },
    { as: VANUATU },
  );
  expect(drafted.body).toMatchObject({ status: 'draft' });
  const path = String(drafted.headers.location);
  const submitted = await app.post(
    `${path}/submit`,
    { consent: { circulate: true, publish: true } },
    { as: VANUATU, headers: { 'if-match': String(drafted.headers.etag) } },
  );
  const opened = await app.post(
    `${path}/open`,
    {},
    {
      as: COORDINATOR,
      headers: { 'if-match': String(submitted.headers.etag) },
    },
  );
  expect(opened.status).toBe(200);
  await app.settled();
  return path;
};

const listed = (sha256: string, label?: string): object => ({
  kind: 'note-verbale',
  title: 'The note',
  sha256,
  ...(label === undefined ? {} : { label }),
});

describe('in one service', () => {
  beforeAll(async () => {
    app = await testApp({ documentLimit: 100_000 });
    await app.post('/v1/parties', { id: 'donor:japan', name: 'Japan', category: 'bilateral' }, { as: COORDINATOR });
  });
  afterAll(() => app.close());

  test('a file comes in chunks, each acknowledged with the offset to go on from', async () => {
    const bytes = randomBytes(5_000);
    const sha256 = hashOf(bytes);
    const declared = await declare(VANUATU, bytes, { name: 'note.pdf' });
    expect(declared.status).toBe(201);
    expect(declared.headers.location).toBe(`/v1/documents/${sha256}`);
    expect(declared.body).toEqual({ sha256, size: 5_000, received: 0, complete: false });
    const first = await send(VANUATU, sha256, 0, bytes.subarray(0, 2_000));
    expect([first.status, first.headers['upload-offset']]).toEqual([204, '2000']);
    const asked = await progress(VANUATU, sha256);
    expect([asked.status, asked.headers['upload-offset'], asked.headers['upload-length']]).toEqual([
      200,
      '2000',
      '5000',
    ]);
    expect((await declare(VANUATU, bytes, { name: 'note.pdf' })).body).toMatchObject({ received: 2_000 });
    expect((await fetchAs(VANUATU, sha256)).status).toBe(404);
    const last = await send(VANUATU, sha256, 2_000, bytes.subarray(2_000));
    expect([last.status, last.headers['upload-offset']]).toEqual([204, '5000']);
    const again = await declare(VANUATU, bytes);
    expect([again.status, again.body]).toEqual([200, { sha256, size: 5_000, received: 5_000, complete: true }]);
    expect((await fetchAs(VANUATU, sha256)).bytes).toEqual(bytes);
  });

  test('a chunk elsewhere than where the upload stands is refused with the right offset', async () => {
    const bytes = randomBytes(300);
    const sha256 = hashOf(bytes);
    await declare(VANUATU, bytes);
    await send(VANUATU, sha256, 0, bytes.subarray(0, 100));
    for (const offset of [0, 50, 101, 300]) {
      const refused = await send(VANUATU, sha256, offset, bytes.subarray(0, 10));
      expect([refused.status, (refused.body as { code: string }).code]).toEqual([409, 'offset-mismatch']);
      expect(refused.headers['upload-offset']).toBe('100');
    }
    for (const offset of ['x', '-1', '01', '']) expect((await send(VANUATU, sha256, offset, bytes)).status).toBe(400);
    expect((await send(VANUATU, sha256, 100, bytes.subarray(100))).status).toBe(204);
    // A repeat of the last chunk, whose answer was lost, is told how far the file is.
    const repeated = await send(VANUATU, sha256, 100, bytes.subarray(100));
    expect([repeated.status, repeated.headers['upload-offset']]).toEqual([409, '300']);
  });

  test('bytes of another hash are refused, and nothing of them is kept', async () => {
    const bytes = randomBytes(400);
    const sha256 = hashOf(bytes);
    await declare(VANUATU, bytes);
    const refused = await send(VANUATU, sha256, 0, randomBytes(400));
    expect([refused.status, (refused.body as { code: string }).code]).toEqual([409, 'hash-mismatch']);
    expect((await progress(VANUATU, sha256)).status).toBe(404);
    expect((await fetchAs(VANUATU, sha256)).status).toBe(404);
    expect((await send(VANUATU, sha256, 0, bytes)).status).toBe(404);
    expect(await upload(VANUATU, bytes)).toBe(sha256);
  });

  test('what is too large, too long or of another kind is refused', async () => {
    const tooLarge = await app.post(
      '/v1/documents',
      { sha256: '0'.repeat(64), size: 100_001, mediaType: 'text/plain' },
      { as: VANUATU },
    );
    expect([tooLarge.status, (tooLarge.body as { code: string }).code]).toEqual([413, 'payload-too-large']);
    const bytes = randomBytes(200);
    const sha256 = hashOf(bytes);
    await declare(VANUATU, bytes);
    expect((await send(VANUATU, sha256, 0, Buffer.concat([bytes, bytes]))).status).toBe(413);
    expect((await chunked(VANUATU, sha256, [bytes, bytes])).status).toBe(413);
    expect((await progress(VANUATU, sha256)).headers['upload-offset']).toBe('0');
    const asJson = await send(VANUATU, sha256, 0, Buffer.from('{}'), { 'content-type': 'application/json' });
    expect(asJson.status).toBe(415);
    const elsewhere = await app.post('/v1/needs', 'bytes', {
      as: VANUATU,
      headers: { 'content-type': 'application/offset+octet-stream' },
    });
    expect(elsewhere.status).toBe(415);
    expect(
      (await app.post('/v1/documents', { sha256: 'x', size: 0, mediaType: 'pdf' }, { as: VANUATU })).body,
    ).toMatchObject({ status: 400, errors: [{ field: 'sha256' }, { field: 'size' }, { field: 'mediaType' }] });
  });

  /** Without a length, as a sender does that reads from a pipe. */
  const chunked = async (as: As, sha256: string, parts: readonly Buffer[]): Promise<{ readonly status: number }> => {
    const headers = {
      'content-type': 'application/offset+octet-stream',
      'upload-offset': '0',
      'transfer-encoding': 'chunked',
      authorization: await bearer(as),
    };
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(`${app.url}/v1/documents/${sha256}`, { method: 'PATCH', headers }, (response) => {
        response.resume();
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0 });
        });
      });
      outgoing.on('error', reject);
      for (const part of parts) outgoing.write(part);
      outgoing.end();
    });
  };

  test('only who may write uploads', async () => {
    const bytes = randomBytes(50);
    const body = { sha256: hashOf(bytes), size: 50, mediaType: 'text/plain' };
    expect((await app.post('/v1/documents', body)).status).toBe(401);
    expect((await app.post('/v1/documents', body, { as: OPERATOR })).status).toBe(403);
    const nobody: As = { party: 'donor:nobody', role: 'donor-desk' };
    expect((await app.post('/v1/documents', body, { as: nobody })).body).toMatchObject({
      code: 'party-not-registered',
    });
    expect((await send(OPERATOR, hashOf(bytes), 0, bytes)).status).toBe(403);
    const anonymous = await app.send('PATCH', `/v1/documents/${hashOf(bytes)}`, { body: 'x' });
    expect(anonymous.status).toBe(401);
  });

  test('an uploader learns nothing of who else holds the file', async () => {
    const bytes = randomBytes(700);
    const sha256 = await upload(VANUATU, bytes, { name: 'secret.pdf' });
    const unknown = await declare(JAPAN, randomBytes(700));
    const known = await declare(JAPAN, bytes);
    expect([known.status, { ...(known.body as object), sha256: '' }]).toEqual([
      unknown.status,
      { ...(unknown.body as object), sha256: '' },
    ]);
    expect((await fetchAs(JAPAN, sha256)).status).toBe(404);
    const half = await send(JAPAN, sha256, 0, bytes.subarray(0, 350));
    expect([half.status, half.headers['upload-offset']]).toEqual([204, '350']);
    expect((await send(JAPAN, sha256, 350, bytes.subarray(350))).status).toBe(204);
    expect((await fetchAs(JAPAN, sha256)).bytes).toEqual(bytes);
    expect((await fetchAs(JAPAN, sha256)).headers['content-disposition']).not.toContain('secret');
  });

  test('a document is given to whoever is shown a record that lists it, under the label it has there', async () => {
    const open = await upload(VANUATU, randomBytes(100));
    const inner = await upload(VANUATU, randomBytes(100));
    const own = await upload(VANUATU, randomBytes(100));
    await openNeed([listed(open), listed(inner, 'members'), listed(own, 'sealed')]);
    const seen = async (as: As | undefined): Promise<readonly number[]> => [
      (await fetchAs(as, open)).status,
      (await fetchAs(as, inner)).status,
      (await fetchAs(as, own)).status,
    ];
    expect(await seen(undefined)).toEqual([200, 404, 404]);
    expect(await seen(FIJI)).toEqual([200, 200, 404]);
    expect(await seen(VANUATU)).toEqual([200, 200, 200]);
    expect((await progress(FIJI, inner)).headers['upload-offset']).toBe('100');
    expect((await progress(undefined, inner)).status).toBe(404);
  });

  test('parties and reported records list documents too', async () => {
    const [open, inner, own] = await Promise.all([1, 2, 3].map(() => upload(COORDINATOR, randomBytes(100))));
    const documents = [listed(open ?? ''), listed(inner ?? '', 'members'), listed(own ?? '', 'sealed')];
    const seen = async (as: As | undefined): Promise<readonly number[]> =>
      Promise.all([open, inner, own].map(async (sha256) => (await fetchAs(as, sha256 ?? '')).status));
    await app.post('/v1/parties', { id: 'agency:cavr', name: 'CAVR', category: 'ngo', documents }, { as: COORDINATOR });
    await app.settled();
    expect(await seen(undefined)).toEqual([200, 404, 404]);
    expect(await seen(FIJI)).toEqual([200, 200, 404]);
    expect(await seen({ party: 'agency:cavr', role: 'implementer' })).toEqual([200, 200, 200]);
    const register = async (as?: As): Promise<unknown> =>
      ((await app.get('/v1/parties/agency:cavr', as === undefined ? {} : { as })).body as { documents: unknown[] })
        .documents.length;
    expect([await register(), await register(FIJI), await register(COORDINATOR)]).toEqual([1, 2, 3]);

    const paper = await upload(COORDINATOR, randomBytes(100));
    const hidden = await upload(COORDINATOR, randomBytes(100));
    const reported = await app.post(
      '/v1/reported',
      {
        kind: 'contribution',
        title: 'Published',
        source: { kind: 'published', reference: 'Page 3' },
        documents: [listed(paper), listed(hidden, 'sealed'), { kind: 'letter', title: 'Not seen by us' }],
      },
      { as: COORDINATOR },
    );
    expect(reported.status).toBe(201);
    await app.settled();
    expect((await fetchAs(undefined, paper)).status).toBe(200);
    expect((await fetchAs(FIJI, hidden)).status).toBe(404);
    const shown = await app.get(String(reported.headers.location));
    expect(shown.body).toMatchObject({ documents: [listed(paper), { title: 'Not seen by us' }] });
  });

  test('an offer lists documents under its own label or a stricter one', async () => {
    const [open, own] = [await upload(JAPAN, randomBytes(100)), await upload(JAPAN, randomBytes(100))];
    const posted = await app.post(
      '/v1/offers',
      {
        title: 'Seats',
        lines: [{ kinds: ['training'], capacity: { measure: 'seats', amount: '10' } }],
        visibility: 'public',
        documents: [listed(open), listed(own, 'named')],
      },
      { as: JAPAN },
    );
    expect(posted.status).toBe(201);
    await app.settled();
    expect([(await fetchAs(undefined, open)).status, (await fetchAs(FIJI, own)).status]).toEqual([200, 404]);
  });

  test('what a need no longer lists is no longer given', async () => {
    const sha256 = await upload(VANUATU, randomBytes(100));
    const path = await openNeed([listed(sha256)]);
    expect((await fetchAs(undefined, sha256)).status).toBe(200);
    const { headers } = await app.get(path, { as: VANUATU });
    const amended = await app.post(
      `${path}/amend`,
      { documents: [] },
      {
        as: VANUATU,
        headers: { 'if-match': String(headers.etag) },
      },
    );
    expect(amended.status).toBe(200);
    await app.settled();
    expect((await fetchAs(undefined, sha256)).status).toBe(404);
  });

  test("listing a known hash in a record of one's own opens nothing that others hide", async () => {
    const bytes = randomBytes(100);
    const sha256 = await upload(JAPAN, bytes);
    await openNeed([listed(sha256)]);
    expect((await fetchAs(VANUATU, sha256)).status).toBe(404);
    expect((await fetchAs(undefined, sha256)).status).toBe(404);
    // Whoever has the bytes anyhow may show them.
    await upload(VANUATU, bytes);
    expect((await fetchAs(undefined, sha256)).status).toBe(200);
  });

  test('a download is octets to be saved: never guessed at, never run, in ranges where asked', async () => {
    const bytes = Buffer.from('<script>alert(1)</script> and some more');
    const sha256 = hashOf(bytes);
    await declare(VANUATU, bytes, { mediaType: 'text/html', name: '../"x\\ü.html' });
    await send(VANUATU, sha256, 0, bytes);
    const whole = await fetchAs(VANUATU, sha256);
    expect(whole.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'content-disposition': 'attachment; filename="..__x__.html"; filename*=UTF-8\'\'.._%22x_%C3%BC.html',
      'content-length': String(bytes.length),
      etag: `"${sha256}"`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-store',
    });
    expect(whole.bytes).toEqual(bytes);
    const part = await fetchAs(VANUATU, sha256, { range: 'bytes=1-6' });
    expect([part.status, part.headers['content-range'], part.text]).toEqual([
      206,
      `bytes 1-6/${bytes.length}`,
      'script',
    ]);
    expect((await fetchAs(VANUATU, sha256, { range: 'bytes=-4' })).text).toBe('more');
    expect((await fetchAs(VANUATU, sha256, { range: 'bytes=35-' })).text).toBe('more');
    for (const range of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=9-3', 'x'])
      expect((await fetchAs(VANUATU, sha256, { range })).status).toBe(200);
    const beyond = await fetchAs(VANUATU, sha256, { range: 'bytes=500-' });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, `bytes */${bytes.length}`]);
    expect((await fetchAs(VANUATU, sha256, { range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200);
    expect((await fetchAs(VANUATU, sha256, { 'if-none-match': `"${sha256}"` })).status).toBe(304);
  });

  test('either side lays a document beside a commitment, for those whom its label names', async () => {
    const offer = await app.post(
      '/v1/offers',
      {
        title: 'Seats',
        lines: [{ kinds: ['marking-record-keeping'], capacity: { measure: 'seats', amount: '10' } }],
        visibility: 'public',
      },
      { as: JAPAN },
    );
    const needPath = await openNeed([]);
    const proposed = await app.post(
      '/v1/commitments',
      {
        offerId: (offer.body as { id: string }).id,
        needId: needPath.slice(needPath.lastIndexOf('/') + 1),
        legs: [{ offerLine: 1, needLine: 1, drawn: { measure: 'seats', amount: '2' } }],
      },
      { as: JAPAN, headers: { prefer: 'wait=10' } },
    );
    expect(proposed.status).toBe(201);
    const path = String(proposed.headers.location);
    const attach = async (as: As, document: object): Promise<Response> => {
      const { headers } = await app.get(path, { as });
      return app.post(`${path}/documents`, document, { as, headers: { 'if-match': headers.etag ?? '"0"' } });
    };
    const [shared, own] = [await upload(JAPAN, randomBytes(100)), await upload(JAPAN, randomBytes(100))];
    expect((await attach(JAPAN, listed(shared))).status).toBe(200);
    expect((await attach(JAPAN, listed(own, 'sealed'))).body).toMatchObject({
      documents: [
        { n: 1, party: 'donor:japan', sha256: shared },
        { n: 2, party: 'donor:japan', sha256: own },
      ],
    });
    expect((await attach(FIJI, listed(shared))).status).toBe(404);
    await app.settled();
    expect((await app.get(path, { as: VANUATU })).body).toMatchObject({ documents: [{ n: 1 }] });
    const seen = async (as: As): Promise<readonly number[]> => [
      (await fetchAs(as, shared)).status,
      (await fetchAs(as, own)).status,
    ];
    expect(await seen(JAPAN)).toEqual([200, 200]);
    expect(await seen(VANUATU)).toEqual([200, 404]);
    expect(await seen(FIJI)).toEqual([404, 404]);
    // To list what the other side keeps sealed, under one's own name, opens it to nobody.
    expect((await attach(VANUATU, listed(own))).status).toBe(200);
    await app.settled();
    expect(await seen(VANUATU)).toEqual([200, 404]);
  });

  test('a hidden document is answered as one that nobody ever brought', async () => {
    const hidden = await upload(VANUATU, randomBytes(100));
    const underWay = randomBytes(100);
    await declare(VANUATU, underWay);
    await send(VANUATU, hashOf(underWay), 0, underWay.subarray(0, 50));
    const absent = hashOf(randomBytes(100));
    const auditor: As = { party: 'auditor:court', role: 'auditor' };
    const alike = ({ status, headers, text }: Response, sha256: string): object => ({
      status,
      headers: Object.keys(headers).sort(),
      length: headers['content-length'],
      text: text.replaceAll(sha256, '').replaceAll(/"correlationId":"[^"]*"/g, ''),
    });
    for (const as of [undefined, FIJI, JAPAN, COORDINATOR, OPERATOR, auditor]) {
      const answers = async (sha256: string): Promise<readonly object[]> => [
        alike(await app.get(`/v1/documents/${sha256}`, as === undefined ? {} : { as }), sha256),
        alike(await progress(as, sha256), sha256),
        ...(as === undefined ? [] : [alike(await send(as, sha256, 0, Buffer.from('x')), sha256)]),
      ];
      const expected = await answers(absent);
      for (const sha256 of [hidden, hashOf(underWay)]) expect([as, await answers(sha256)]).toEqual([as, expected]);
    }
  });

  test('what is no hash is no document', async () => {
    for (const name of ['x', '..%2f..%2flog.sqlite', 'A'.repeat(64), '0'.repeat(64)]) {
      expect((await fetchAs(VANUATU, name)).status).toBe(404);
      expect((await progress(VANUATU, name)).status).toBe(404);
      expect((await send(VANUATU, name, 0, Buffer.from('x'))).status).toBe(404);
    }
  });

  test('an upload that nobody touched for a week is given up', async () => {
    const bytes = randomBytes(100);
    await declare(VANUATU, bytes);
    await send(VANUATU, hashOf(bytes), 0, bytes.subarray(0, 10));
    app.clock.advance(8 * 24 * 60 * 60 * 1000);
    await declare(VANUATU, randomBytes(20));
    expect((await progress(VANUATU, hashOf(bytes))).status).toBe(404);
  });
});

describe('on a data folder', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(async () => {
    folder = temporaryFolder();
    app = await testApp({ dataFolder: join(folder.path, 'data') });
  });
  afterEach(async () => {
    await app.close();
    folder.remove();
  });
  const data = (): string => join(folder.path, 'data');
  const restart = async (): Promise<void> => {
    await app.close();
    app = await testApp({ dataFolder: data() });
  };
  const partOf = (sha256: string): string => {
    const [party = ''] = readdirSync(join(data(), 'uploads'));
    return join(data(), 'uploads', party, `${sha256}.part`);
  };
  const noteOf = (sha256: string): string => partOf(sha256).replace(/part$/, 'json');
  const fileOf = (sha256: string): string => join(data(), 'documents', sha256.slice(0, 2), sha256.slice(2));

  /** A chunk of which only the first part is sent. */
  const halfSent = async (
    as: As,
    sha256: string,
    { first, length }: { readonly first: Buffer; readonly length: number },
  ): Promise<ReturnType<typeof httpRequest>> => {
    const outgoing = httpRequest(`${app.url}/v1/documents/${sha256}`, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/offset+octet-stream',
        'upload-offset': '0',
        'content-length': String(length),
        authorization: await bearer(as),
      },
    });
    outgoing.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      outgoing.write(first, () => {
        resolve();
      });
    });
    return outgoing;
  };

  test('while a chunk is being written another is told to wait, and a sender that breaks off goes on where it stopped', async () => {
    const bytes = randomBytes(20_000);
    const sha256 = hashOf(bytes);
    await declare(VANUATU, bytes);
    const outgoing = await halfSent(VANUATU, sha256, { first: bytes.subarray(0, 8_000), length: 20_000 });
    while (!existsSync(partOf(sha256)) || statSync(partOf(sha256)).size < 8_000) await progress(VANUATU, sha256);
    const second = await send(VANUATU, sha256, 8_000, Buffer.alloc(0));
    expect([second.status, (second.body as { code: string }).code]).toEqual([409, 'upload-busy']);
    outgoing.destroy();
    // How much of it had come is for the server to say; the end of the first request may still be on its way.
    let rest: Response;
    do {
      const stands = Number((await progress(VANUATU, sha256)).headers['upload-offset']);
      expect(stands).toBeLessThanOrEqual(8_000);
      rest = await send(VANUATU, sha256, stands, bytes.subarray(stands));
    } while (rest.status === 409);
    expect(rest.status).toBe(204);
    expect((await fetchAs(VANUATU, sha256)).bytes).toEqual(bytes);
  });

  test('an upload goes on after a restart where it stood, and a stored file is there', async () => {
    const bytes = randomBytes(3_000);
    const sha256 = hashOf(bytes);
    await declare(VANUATU, bytes, { name: 'note.pdf' });
    await send(VANUATU, sha256, 0, bytes.subarray(0, 1_000));
    await restart();
    expect((await progress(VANUATU, sha256)).headers['upload-offset']).toBe('1000');
    expect((await send(VANUATU, sha256, 1_000, bytes.subarray(1_000))).status).toBe(204);
    await restart();
    const found = await fetchAs(VANUATU, sha256);
    expect(found.bytes).toEqual(bytes);
    expect(found.headers['content-disposition']).toContain('note.pdf');
    expect(
      readdirSync(join(data(), 'uploads')).flatMap((party) => readdirSync(join(data(), 'uploads', party))),
    ).toEqual([]);
  });

  test('what a kill left is taken for no more than was acknowledged, and for no more than is there', async () => {
    const bytes = randomBytes(3_000);
    const sha256 = hashOf(bytes);
    await declare(VANUATU, bytes);
    await send(VANUATU, sha256, 0, bytes.subarray(0, 1_000));
    await app.close();
    // Killed in the middle of a chunk: bytes on disk that nobody was told of.
    appendFileSync(partOf(sha256), randomBytes(500));
    app = await testApp({ dataFolder: data() });
    expect((await progress(VANUATU, sha256)).headers['upload-offset']).toBe('1000');
    expect((await send(VANUATU, sha256, 1_000, bytes.subarray(1_000, 2_000))).status).toBe(204);
    await app.close();
    // A power cut took bytes that a lying disk had promised.
    truncateSync(partOf(sha256), 1_600);
    app = await testApp({ dataFolder: data() });
    expect((await progress(VANUATU, sha256)).headers['upload-offset']).toBe('1600');
    expect((await send(VANUATU, sha256, 1_600, bytes.subarray(1_600))).status).toBe(204);
    expect((await fetchAs(VANUATU, sha256)).bytes).toEqual(bytes);
  });

  test('a kill between the last byte and its event loses no file', async () => {
    const bytes = randomBytes(3_000);
    const sha256 = hashOf(bytes);
    await declare(VANUATU, bytes);
    await send(VANUATU, sha256, 0, bytes.subarray(0, 2_999));
    await app.close();
    appendFileSync(partOf(sha256), bytes.subarray(2_999));
    const note = JSON.parse(readFileSync(noteOf(sha256), 'utf8')) as object;
    writeFileSync(noteOf(sha256), JSON.stringify({ ...note, received: 3_000 }));
    app = await testApp({ dataFolder: data() });
    expect((await fetchAs(VANUATU, sha256)).bytes).toEqual(bytes);
    expect(existsSync(noteOf(sha256))).toBe(false);
  });

  test('bytes that turn out wrong at the start are thrown away, and a note cut short is no upload', async () => {
    const [wrong, cut] = [randomBytes(100), randomBytes(100)];
    for (const bytes of [wrong, cut]) {
      await declare(VANUATU, bytes);
      await send(VANUATU, hashOf(bytes), 0, bytes.subarray(0, 50));
    }
    await app.close();
    writeFileSync(partOf(hashOf(wrong)), randomBytes(100));
    const note = JSON.parse(readFileSync(noteOf(hashOf(wrong)), 'utf8')) as object;
    writeFileSync(noteOf(hashOf(wrong)), JSON.stringify({ ...note, received: 100 }));
    truncateSync(noteOf(hashOf(cut)), 20);
    app = await testApp({ dataFolder: data() });
    for (const bytes of [wrong, cut]) {
      expect((await progress(VANUATU, hashOf(bytes))).status).toBe(404);
      expect((await fetchAs(VANUATU, hashOf(bytes))).status).toBe(404);
      await upload(VANUATU, bytes);
    }
  });

  test('a stored file that was cut short is refused, not half given, and the check names it', async () => {
    const bytes = randomBytes(3_000);
    const sha256 = await upload(VANUATU, bytes);
    expect(checkDocuments(data())).toEqual([]);
    truncateSync(fileOf(sha256), 1_000);
    expect((await fetchAs(VANUATU, sha256)).status).toBe(503);
    expect(checkDocuments(data())).toEqual([`document ${sha256} has other bytes than were stored`]);
    rmSync(fileOf(sha256));
    expect((await fetchAs(VANUATU, sha256)).status).toBe(503);
    expect(checkDocuments(data())).toEqual([`document ${sha256} is missing`]);
  });

  test('a backup holds stored files, byte for byte, and no unfinished ones', async () => {
    // A file that looks like one of our own databases is still somebody's file.
    const bytes = Buffer.concat([Buffer.from('SQLite format 3\0'), randomBytes(2_000)]);
    const sha256 = await upload(VANUATU, bytes);
    const unfinished = randomBytes(100);
    await declare(VANUATU, unfinished);
    await app.close();
    const target = join(folder.path, 'backup');
    backUp(data(), target);
    expect(existsSync(join(target, 'uploads'))).toBe(false);
    restoreFrom(target, join(folder.path, 'restored'));
    expect(checkDocuments(join(folder.path, 'restored'))).toEqual([]);
    truncateSync(fileOf(sha256), 10);
    expect(() => backUp(data(), join(folder.path, 'second'))).toThrow(/documents .* are damaged/);
    app = await testApp({ dataFolder: join(folder.path, 'restored') });
    expect((await fetchAs(VANUATU, sha256)).bytes).toEqual(bytes);
  });
});
