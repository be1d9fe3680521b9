import { Readable } from 'node:stream';
import { auditContext } from '#audit';
import { directoryContext } from '#directory';
import { type Given, type Report, verifyServer } from '#evidence';
import type { RecordedEvent } from '#kernel';
import { needsContext } from '#needs';
import type { Checkpoint, Opening } from '#tlog';
import {
  CompactRange,
  entryHashOf,
  leafEntry,
  leafHash,
  openCheckpoint,
  parseEntryBundle,
  parseLeafEntry,
  parseProofFile,
  tilePath,
  tileWidth,
  VerifierKey,
  verifyProofFile,
} from '#tlog';
import { fetchFrom } from '../../apps/verify/server.js';
import { verifyExport, verifyStoredLog } from '../../infra/log-verification.js';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';

/** Whoever has the log's verifier key verifies the log by its public routes alone. */
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const FIJI: As = { party: 'state:FJI', role: 'npc' };
const AUDITOR: As = { party: 'auditor:court', role: 'auditor' };
const NEED = {
  title: 'Marking of weapons',
  kinds: ['training'],
  instruments: ['UNPoA'],
  lines: [{ kind: 'training', quantity: { measure: 'seats', amount: '4' } }],
  authorityRef: 'Note Verbale 12/2026',
  visibility: 'public',
};
const PARTIES = 300;
const WAIT = { headers: { prefer: 'wait=10' } };

let app: TestApp;
let key: VerifierKey;
let draft: string;
beforeAll(async () => {
  app = await testApp({ now: '2026-03-02T09:00:00.000Z', contexts: [directoryContext, needsContext, auditContext] });
  await Promise.all(
    Array.from({ length: PARTIES }, (_, at) =>
      app.post('/v1/parties', { id: `agency:a${at}`, name: 'Agency', category: 'multilateral' }, { as: COORDINATOR }),
    ),
  );
  const auditor = { id: 'auditor:court', name: 'Court', category: 'audit' };
  await app.post('/v1/parties', auditor, { as: COORDINATOR });
  // Whom a State tells of a need is in confidence.
  const named = { visibility: 'named', named: ['agency:a1'] };
  draft = (await app.post('/v1/needs', { ...NEED, ...named }, { as: VANUATU })).body.id;
  key = VerifierKey.parse((await app.get('/log/verifier-key')).text.trimEnd());
});
afterAll(() => app.close());

const checkpointNow = async (): Promise<Checkpoint> => {
  const answer = await app.get('/log/checkpoint', WAIT);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
  expect(answer.headers['cache-control']).toBe('no-cache');
  return openCheckpoint(answer.bytes, key.name, [key]).checkpoint;
};
const tile = (level: number | 'entries', n: number, width: number): Promise<Response> =>
  app.get(`/log/${tilePath({ level, n, width })}`);
const everyEvent = (): Promise<RecordedEvent[]> => app.store.readAll(0n, 1_000);
const eventOf = async (stream: string, revision: number): Promise<RecordedEvent> =>
  (await app.store.readStream(stream, revision, 1))[0]!;
const proofOf = (eventId: string, as?: As, headers: Record<string, string> = WAIT.headers): Promise<Response> =>
  app.get(`/v1/audit/events/${eventId}/proof`, { headers, ...(as === undefined ? {} : { as }) });

describe('the log, to anyone', () => {
  it('is signed: its entries, read by the public routes, have the root of the checkpoint, and are the events in their order', async () => {
    const { size, root } = await checkpointNow();
    const events = await everyEvent();
    expect(size).toBe(events.length);
    expect(size).toBeGreaterThan(PARTIES);
    const range = CompactRange.empty();
    const seen = new Map<string, string>();
    for (let n = 0; n * 256 < size; n += 1) {
      const bundle = await tile('entries', n, tileWidth(size, 0, n));
      expect([bundle.status, bundle.headers['content-type']]).toEqual([200, 'application/octet-stream']);
      const hashes = await tile(0, n, tileWidth(size, 0, n));
      const leaves = parseEntryBundle(bundle.bytes).map(leafHash);
      expect(hashes.bytes.equals(Buffer.concat(leaves))).toBe(true);
      for (const entry of parseEntryBundle(bundle.bytes)) {
        const { id, stream, revision, type, data, metadata } = events[range.size]!;
        const { salt, ...rest } = metadata;
        const opening = { stream, revision, eventId: id, type, schema: metadata.schema, data, metadata: rest };
        const entryHash = entryHashOf({ ...opening, prevInStream: seen.get(stream) ?? null }, salt);
        expect(parseLeafEntry(entry)).toEqual({ seq: range.size, entryHash });
        seen.set(stream, entryHash);
        range.append(leafHash(entry));
      }
    }
    expect(range.size).toBe(size);
    expect(range.root().equals(root)).toBe(true);
    const above = await tile(1, 0, 1);
    expect(above.bytes).toHaveLength(32);
  });

  it('has tiles that may be kept for ever, and none wider or further than what is signed', async () => {
    const { size } = await checkpointNow();
    const full = await tile(0, 0, 256);
    expect(full.bytes).toHaveLength(8_192);
    expect(full.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const partial = tileWidth(size, 0, 1);
    expect((await tile(0, 1, partial)).bytes).toHaveLength(partial * 32);
    expect((await tile(0, 1, partial - 1)).bytes).toHaveLength((partial - 1) * 32);
    const absent = await Promise.all([
      tile(0, 1, 256),
      tile(0, 1, partial + 1),
      tile('entries', 1, partial + 1),
      tile(0, 2, 1),
      tile(1, 0, 2),
      tile(2, 0, 1),
      app.get('/log/tile/0/0'),
      app.get('/log/tile/0/x000/001'),
      app.get('/log/tile/00/000'),
      app.get('/log/tile/entries/000.p/256'),
      app.get('/log/tile/0'),
      app.get('/log/tile'),
      app.get('/log'),
    ]);
    expect(absent.map(({ status, body }) => [status, body.code])).toEqual(absent.map(() => [404, 'not-found']));
  });

  it('only grows: a later checkpoint is of the same tree with more leaves', async () => {
    const before = await checkpointNow();
    const { headers } = await app.post('/v1/needs', NEED, { as: VANUATU });
    const token = { headers: { 'consistency-token': headers['consistency-token']! } };
    const after = openCheckpoint((await app.get('/log/checkpoint', token)).bytes, key.name, [key]).checkpoint;
    expect(after.size).toBe(before.size + 1);
    const width = tileWidth(after.size, 0, 1);
    const range = CompactRange.empty();
    for (const bytes of [(await tile(0, 0, 256)).bytes, (await tile(0, 1, width)).bytes])
      for (let at = 0; at < bytes.length && range.size < before.size; at += 32)
        range.append(bytes.subarray(at, at + 32));
    expect(range.root().equals(before.root)).toBe(true);
  });

  it('is signed once for what it holds', async () => {
    const one = await app.get('/log/checkpoint', WAIT);
    const another = await app.get('/log/checkpoint', WAIT);
    expect(another.text).toBe(one.text);
    expect((await app.get('/log/checkpoint')).text).toBe(one.text);
    const streams = new Set((await everyEvent()).map(({ stream }) => stream));
    expect([...streams].filter((stream) => stream.startsWith('_'))).toEqual([]);
  });
});

describe('the proof of an event', () => {
  it('is verified with the verifier key alone', async () => {
    const event = await eventOf('party-agency:a7', 0);
    const answer = await proofOf(event.id);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="${event.id}.tlog-proof"`);
    const { extra, index } = parseProofFile(answer.bytes);
    const { salt, ...metadata } = event.metadata;
    const { stream, revision, type, data } = event;
    const opening = { stream, revision, eventId: event.id, type, schema: 1, data, metadata, prevInStream: null };
    const entry = leafEntry({ seq: index, entryHash: entryHashOf(opening, salt) });
    expect(Buffer.from(extra!).equals(entry)).toBe(true);
    expect(verifyProofFile(answer.bytes, entry, key.name, [key])).toMatchObject({ index, verified: [{ key }] });
    expect((await everyEvent())[index]?.id).toBe(event.id);
  });

  it('is given to whoever may read the event: to others it is not there', async () => {
    const { id } = await eventOf(`need-${draft}`, 0);
    expect((await proofOf(id, VANUATU)).status).toBe(200);
    for (const as of [undefined, FIJI, AUDITOR]) expect((await proofOf(id, as)).body.code).toBe('not-found');
    const mandate = {
      auditor: 'auditor:court',
      scope: { everything: true },
      reference: 'Decision 4/2026',
      from: '2026-01-01',
      to: '2026-12-31',
    };
    expect((await app.post('/v1/mandates', mandate, { as: COORDINATOR })).status).toBe(201);
    // As `/v1/audit/events` shows it: what is masked there has no proof.
    const after = (await everyEvent()).at(-8)!.position;
    const { items } = (await app.get(`/v1/audit/events?after=${after}`, { as: AUDITOR })).body;
    const shown = new Set(items.map(({ eventId }: { eventId?: string }) => eventId));
    const proven: string[] = [];
    const newest = await app.store.readAll(after, 10);
    for (const each of newest) if ((await proofOf(each.id, AUDITOR)).status === 200) proven.push(each.id);
    expect(proven).toEqual(newest.map((each) => each.id).filter((each) => shown.has(each)));
    expect([proven.length > 0, proven.length < newest.length]).toEqual([true, true]);
    const unknown = ['00000000-0000-7000-8000-000000000000', 'x'];
    for (const each of unknown) expect((await proofOf(each, VANUATU)).body.code).toBe('not-found');
  });

  it('is there once a checkpoint covers the event: until then the caller is told to come again or to wait', async () => {
    await app.get('/log/checkpoint', WAIT);
    const { body, headers } = await app.post('/v1/needs', NEED, { as: VANUATU });
    await app.settled();
    const { id } = await eventOf(`need-${body.id}`, 0);
    const early = await proofOf(id, VANUATU, {});
    expect([early.status, early.body.code, early.headers['retry-after']]).toEqual([503, 'projection-behind', '1']);
    expect((await proofOf(id, VANUATU, { 'consistency-token': headers['consistency-token']! })).status).toBe(200);
    expect((await proofOf(id, VANUATU, {})).status).toBe(200);
  });
});

describe('the verifier of the package', () => {
  const outcome = ({ verdict, findings }: Report): unknown => [
    verdict,
    findings.filter(({ kind }) => kind === 'refused'),
  ];
  const given = async (name: string, answer: Promise<Response>): Promise<readonly Given[]> => [
    { name, bytes: (await answer).bytes },
  ];

  it('proves of the server that its log only grew and holds the event of a receipt, and of its store that it is what was signed', async () => {
    const checkpoints = await given('checkpoint seen before', app.get('/log/checkpoint', WAIT));
    const receipts = await given('receipt', proofOf((await eventOf('party-agency:a9', 0)).id));
    await app.post('/v1/needs', NEED, { as: VANUATU });
    await app.get('/log/checkpoint', WAIT);
    const trust = { key, witnesses: [], checkpoints, receipts };
    const online = await verifyServer(fetchFrom(`${app.url}/`), trust);
    expect(outcome(online)).toEqual(['verified', []]);
    expect(online.findings.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^the log begins with the \d+ events of checkpoint seen before, unchanged$/),
    );
    expect(outcome(await verifyStoredLog(app.store, trust))).toEqual(['verified', []]);
  });

  it('says so where there is no such server', async () => {
    const { findings } = await verifyServer(fetchFrom(`${app.url}/nowhere`), {
      witnesses: [],
      checkpoints: [],
      receipts: [],
    });
    expect(findings).toEqual([
      { kind: 'refused', text: 'the server answers 404', file: `${app.url}/nowhere/log/verifier-key` },
    ]);
  });
});

describe('an export with openings', () => {
  interface Line {
    readonly position: string;
    readonly seq: number;
    readonly entryHash: string;
    readonly masked?: true;
    readonly salt?: string;
    readonly opening?: Opening;
    readonly end?: true;
    readonly after?: string;
    readonly checkpoint?: string;
    readonly leftOut?: number;
    readonly hashes?: readonly string[];
  }
  const verified = async (lines: readonly Line[]): Promise<Report> =>
    verifyExport(Readable.from(lines.map((line) => JSON.stringify(line))), {
      key,
      witnesses: [],
      checkpoints: [],
      receipts: [],
    });
  const exported = async (query = '', headers: Record<string, string> = {}): Promise<readonly Line[]> => {
    const accept = { accept: 'application/x-ndjson', prefer: 'wait=10', ...headers };
    const { status, text } = await app.get(`/v1/audit/events?openings=true${query}`, { as: AUDITOR, headers: accept });
    if (status !== 200) throw new Error(text);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  };

  it('holds every leaf under its last line, and of what the auditor reads whole what opens it: it verifies without the server', async () => {
    const lines = await exported();
    const end = lines.at(-1)!;
    const leaves = lines.slice(0, -1);
    const { size, root } = openCheckpoint(Buffer.from(end.checkpoint!), key.name, [key]).checkpoint;
    const range = CompactRange.empty();
    const newest = new Map<string, string>();
    for (const { seq, entryHash, salt, opening } of leaves) {
      expect(seq).toBe(range.size);
      range.append(leafHash(leafEntry({ seq, entryHash })));
      if (opening === undefined) continue;
      expect([entryHashOf(opening, salt!), opening.prevInStream]).toEqual([
        entryHash,
        newest.get(opening.stream) ?? null,
      ]);
      newest.set(opening.stream, entryHash);
    }
    expect([range.size, range.root().equals(root)]).toEqual([size, true]);
    const events = await everyEvent();
    expect(leaves.map(({ position }) => position)).toEqual(events.map(({ position }) => String(position)));
    expect(end).toMatchObject({ end: true, after: String(events.at(-1)!.position) });
    const masked = leaves.filter((line) => line.masked === true);
    expect(masked.map((line) => Object.keys(line))).toEqual(
      masked.map(() => ['position', 'seq', 'entryHash', 'masked']),
    );
    expect([masked.length > 0, newest.size > 0]).toEqual([true, true]);
    // As they were recorded, with all that their leaves hold.
    expect(leaves.filter(({ opening }) => opening !== undefined).map(({ opening }) => opening?.eventId)).toContain(
      (await eventOf('party-agency:a7', 0)).id,
    );
  });

  it('is proved to be the log that was signed by `verify-log`, masked as it is', async () => {
    const lines = await exported();
    const report = await verified(lines);
    expect([report.verdict, report.findings.map(({ kind }) => kind)]).toEqual([
      'verified',
      ['proved', 'proved', 'open'],
    ]);
    expect(report.findings[1]?.text).toContain(`the first ${lines.length - 1} are those that ${key.name} signed`);
  });

  it('goes on where it was cut, and ends where nothing is new', async () => {
    const whole = await exported();
    const cut = await exported('&limit=7');
    expect(cut).toEqual(whole.slice(0, 7));
    const rest = await exported(`&after=${cut.at(-1)!.position}`);
    expect([...cut, ...rest]).toEqual(whole);
    const after = whole.at(-1)!.after!;
    expect(await exported(`&after=${after}`)).toEqual([{ ...whole.at(-1), after }]);
  });

  it('leaves out with a filter what the auditor may not read, opens nothing that is shown in part, and verifies by itself', async () => {
    const stream = 'party-agency:a7';
    const told = ({ opening, end, leftOut }: Line): unknown =>
      opening?.stream ?? end ?? (leftOut ? 'left out' : undefined);
    const ofAgency = await exported(`&stream=${stream}`);
    expect(ofAgency.map(told)).toEqual(['left out', stream, 'left out', true]);
    expect((await verified(ofAgency)).verdict).toBe('verified');
    expect((await exported('&stream=need-none')).map(told)).toEqual(['left out', true]);
    const cut = await exported(`&stream=${stream}&limit=1`);
    expect([...cut, ...(await exported(`&stream=${stream}&after=${cut[0]!.position}`))]).toEqual(ofAgency);
    const command = async (name: string, body: object, as: As, revision: number): Promise<void> => {
      const headers = { 'if-match': `"${revision}"` };
      expect((await app.post(`/v1/needs/${draft}/${name}`, body, { as, headers })).status).toBe(200);
    };
    await command('submit', { consent: { circulate: true, publish: true } }, VANUATU, 0);
    await command('open', {}, COORDINATOR, 1);
    // What the drafts of an open need said is not for an auditor.
    const { id, position } = await eventOf(`need-${draft}`, 0);
    const { items } = (await app.get(`/v1/audit/events?stream=need-${draft}`, { as: AUDITOR, ...WAIT })).body;
    expect(items[0]).toMatchObject({ eventId: id, data: { filer: 'state:VUT' } });
    const ofNeed = await exported(`&stream=need-${draft}`);
    expect(ofNeed.flatMap(({ opening }) => opening?.type ?? [])).toEqual(['NeedOpened']);
    expect((await verified(ofNeed)).verdict).toBe('verified');
    const line = (await exported()).find((each) => each.position === String(position));
    expect(line).toEqual({ ...line, masked: true, salt: undefined, opening: undefined });
  });

  it('is for auditors with a mandate, as lines only', async () => {
    const ask = (as: As | undefined, accept: string): Promise<Response> =>
      app.get('/v1/audit/events?openings=true', { headers: { accept }, ...(as === undefined ? {} : { as }) });
    for (const as of [undefined, VANUATU, COORDINATOR]) {
      expect((await ask(as, 'application/x-ndjson')).body.code).toBe('forbidden');
    }
    const { status, body } = await ask(AUDITOR, 'application/json');
    expect([status, body.errors[0].field]).toEqual([400, 'openings']);
  });
});
