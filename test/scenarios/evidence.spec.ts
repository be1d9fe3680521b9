import { createHash } from 'node:crypto';
import { auditContext } from '#audit';
import { commitmentDecider, commitmentsContext } from '#commitments';
import { directoryContext } from '#directory';
import { readZip, verifyBundle } from '#evidence';
import { eventPath, MANIFEST, type Manifest, plainState, statePath } from '#evidence/format';
import { needsContext } from '#needs';
import { emptyFold, foldOnto, Upcasting } from '#kernel';
import { offersContext } from '#offers';
import {
  canonicalForm,
  leafEntry,
  openCheckpoint,
  type Opening,
  parseProofFile,
  VerifierKey,
  verifyProofFile,
} from '#tlog';
import type { As, TestApp } from '../support/app.js';
import { testApp } from '../support/app.js';
import type { Response } from '../support/http.js';
import { AUDITOR, dealIn, JAPAN, usd, VANUATU } from '../support/deal.js';
import { sceneOf } from '../support/scene.js';
import { told } from '../support/told.js';

/** Whoever sees a record takes with it what proves the record, and no more than its history shows. */
const FIJI: As = { party: 'state:FJI', role: 'npc' };
const CALLERS = { Vanuatu: VANUATU, Japan: JAPAN, auditor: AUDITOR, Fiji: FIJI, anyone: undefined } as const;

const WAIT = { prefer: 'wait=10' };
const NEW = {
  title: 'New',
  kinds: ['training'],
  instruments: ['ATT'],
  lines: [{ kind: 'training', quantity: usd('1.00') }],
  authorityRef: 'A',
};

type Files = ReadonlyMap<string, Buffer>;
interface Bundle {
  readonly files: Files;
  readonly manifest: Manifest;
}

let app: TestApp;
let key: VerifierKey;
const { command, created } = sceneOf(() => app);
let need: string;
let offer: string;
let commitment: string;
let draft: string;
beforeAll(async () => {
  const contexts = [directoryContext, needsContext, offersContext, commitmentsContext, auditContext];
  app = await testApp({ now: '2026-03-02T09:00:00.000Z', contexts });
  ({ need, offer, commitment, draft } = await dealIn(app));
  await app.settled();
  key = VerifierKey.parse((await app.get('/log/verifier-key')).text.trimEnd());
});
afterAll(() => app.close());

const asked = (path: string, as?: As, headers: Record<string, string> = WAIT): Promise<Response> =>
  app.get(`/v1/${path}/evidence`, { headers, ...(as === undefined ? {} : { as }) });

const bundleOf = async (path: string, as?: As): Promise<Bundle> => {
  const answer = await asked(path, as);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/zip']);
  const files = new Map([...(await readZip(answer.bytes))].map(([path, bytes]) => [path, Buffer.from(bytes)]));
  return { files, manifest: JSON.parse(textOf(files, MANIFEST)) as Manifest };
};

const ofCommitment = new Map<As | undefined, Promise<Bundle>>();
/** Of the commitment, whose bundles are large: made once for each caller. No test changes what is in it. */
const commitmentBundle = (as?: As): Promise<Bundle> => {
  const made = ofCommitment.get(as) ?? bundleOf(`commitments/${commitment}`, as);
  ofCommitment.set(as, made);
  return made;
};

const textOf = (files: Files, path: string): string => {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`the bundle has no ${path}`);
  return bytes.toString();
};

const openingIn = (files: Files, stream: string, revision: number): Opening =>
  JSON.parse(textOf(files, `${eventPath(stream, revision)}.json`)) as Opening;

/** Of each event, what the history of its record shows to the caller. */
const historyOf = async (
  stream: string,
  as?: As,
): Promise<readonly { readonly revision: number; readonly data?: object }[]> => {
  const [category = '', ...id] = stream.split('-');
  return (await app.get(`/v1/${category}s/${id.join('-')}/history`, as === undefined ? {} : { as })).body.items;
};

const openedIn = ({ manifest }: Bundle, stream: string): readonly number[] =>
  (manifest.streams.find((each) => each.stream === stream)?.revisions ?? []).flatMap(({ revision, opened: is }) =>
    is ? [revision] : [],
  );

describe.each(Object.entries(CALLERS))('the evidence of a commitment, for %s', (_name, as) => {
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await commitmentBundle(as);
  });

  it('is proven file by file by one checkpoint: places, hashes, openings, and that no revision is missing', () => {
    const { files, manifest } = bundle;
    expect(textOf(files, MANIFEST)).toBe(canonicalForm(manifest));
    const hashes = [...files].filter(([path]) => path !== MANIFEST).sort(([a], [b]) => (a < b ? -1 : 1));
    expect(manifest.files).toEqual(
      hashes.map(([path, bytes]) => ({ path, sha256: createHash('sha256').update(bytes).digest('hex') })),
    );
    expect(VerifierKey.parse(textOf(files, 'verifier-key').trimEnd()).toString()).toBe(key.toString());
    const note = textOf(files, 'checkpoint');
    const { checkpoint } = openCheckpoint(Buffer.from(note), manifest.origin, [key]);
    expect([manifest.origin, manifest.size]).toEqual([key.name, checkpoint.size]);
    expect(manifest.streams.map(({ stream }) => stream)).toEqual(
      [`commitment-${commitment}`, `need-${need}`, `offer-${offer}`].sort(),
    );
    for (const { stream, events, revisions } of manifest.streams) {
      expect(revisions.map(({ revision }) => revision)).toEqual(Array.from({ length: events }, (_, at) => at));
      let before: string | null = null;
      for (const { revision, seq, entryHash, opened: isOpened } of revisions) {
        const path = eventPath(stream, revision);
        const proof = files.get(`${path}.tlog-proof`)!;
        expect(parseProofFile(proof).checkpoint).toBe(note);
        expect(verifyProofFile(proof, leafEntry({ seq, entryHash }), key.name, [key]).index).toBe(seq);
        expect([files.has(`${path}.json`), files.has(`${path}.salt`)]).toEqual([isOpened, isOpened]);
        if (isOpened) {
          const salt = Buffer.from(textOf(files, `${path}.salt`), 'hex');
          expect(textOf(files, `${path}.salt`)).toMatch(/^[0-9a-f]{64}\n$/);
          const hash = createHash('sha256')
            .update(salt)
            .update(files.get(`${path}.json`)!);
          expect(hash.digest('hex')).toBe(entryHash);
          expect(openingIn(files, stream, revision)).toMatchObject({ stream, revision, prevInStream: before });
        }
        before = entryHash;
      }
    }
  });

  it('is what pledgebook-verify verifies, with the key that the log publishes', () => {
    const { verdict, findings } = verifyBundle(bundle.files, { key, witnesses: [], receipts: [], checkpoints: [] });
    expect([verdict, findings.filter(({ kind }) => kind === 'refused' || kind === 'doubt')]).toEqual(['verified', []]);
  });

  it('opens what the record’s history shows whole, and nothing else', async () => {
    const { files, manifest } = bundle;
    for (const { stream, revisions } of manifest.streams) {
      const history = await historyOf(stream, as);
      const stored = await app.store.readStream(stream, 0, 1_000);
      expect(history).toHaveLength(revisions.length);
      for (const { revision, opened: isOpened } of revisions) {
        const { data } = stored[revision]!;
        const shown = history[revision]?.data;
        const whole = shown !== undefined && told(shown) === told(data);
        expect([stream, revision, isOpened]).toEqual([stream, revision, whole]);
        if (isOpened) expect(openingIn(files, stream, revision).data).toEqual(data);
      }
    }
  });

  it('claims the state of a stream that is open from its first event to its last, and of no other', async () => {
    const { files, manifest } = bundle;
    const open = manifest.streams.filter(({ revisions }) => revisions.every((each) => each.opened));
    expect(manifest.state).toEqual(Object.fromEntries(open.map(({ stream }) => [stream, statePath(stream)])));
    const stream = `commitment-${commitment}`;
    if (manifest.state[stream] === undefined) return;
    const events = await app.store.readStream(stream, 0, 1_000);
    const { state, revision } = foldOnto(
      commitmentDecider,
      emptyFold(commitmentDecider.initial),
      events,
      new Upcasting(),
    );
    expect(textOf(files, statePath(stream))).toBe(canonicalForm({ stream, revision, state: plainState(state) }));
  });

  it('shows the record as its reader sees it, with the schemas of what is opened and a page without scripts', async () => {
    const { files, manifest } = bundle;
    const { body } = await app.get(`/v1/commitments/${commitment}`, as === undefined ? {} : { as });
    const { actions: _actions, ...record } = body as { readonly actions: unknown };
    expect(JSON.parse(textOf(files, 'record.json'))).toEqual(record);
    const types = new Set<string>();
    for (const { stream } of manifest.streams)
      for (const revision of openedIn(bundle, stream)) types.add(openingIn(files, stream, revision).type);
    const schemas = [...files.keys()].filter((path) => path.startsWith('schemas/'));
    expect(schemas.sort()).toEqual([...types].map((type) => `schemas/${type}.v1.json`).sort());
    const page = textOf(files, 'index.html');
    expect(page).not.toMatch(/<script|<img|<link|src=|href=|url\(/i);
    expect(page).toContain('No &quot;locks&quot; &amp; &lt;script&gt;alert(1)&lt;/script&gt;');
    for (const words of ['donor:japan', 'state:VUT', '50000.00 USD', 'Commitment bound', 'Delivery confirmed'])
      expect(page).toContain(words);
  });
});

describe('evidence', () => {
  it('opens everything to the State and the auditor, and keeps what is between the sides from everybody else', async () => {
    const stream = `commitment-${commitment}`;
    const events = await app.store.readStream(stream, 0, 1_000);
    const all = events.map(({ revision }) => revision);
    for (const as of [VANUATU, AUDITOR]) expect(openedIn(await commitmentBundle(as), stream)).toEqual(all);
    // What of the need the earmark was judged on is not for the donor: its own proposal holds that.
    expect(openedIn(await commitmentBundle(JAPAN), stream)).toEqual(all.slice(1));
    const apart = events.filter(({ type }) => type.startsWith('Amendment')).map(({ revision }) => revision);
    expect(apart).toHaveLength(2);
    for (const as of [FIJI, undefined]) {
      const bundle = await commitmentBundle(as);
      expect(apart.filter((revision) => openedIn(bundle, stream).includes(revision))).toEqual([]);
      expect(openedIn(bundle, stream).length).toBeGreaterThan(5);
      for (const [path, bytes] of bundle.files)
        expect([path, bytes.includes('40000.00'), bytes.includes('Racks cost less')]).toEqual([path, false, false]);
    }
  });

  it('is the same, to the byte, under one checkpoint for one sight', async () => {
    const [one, another] = [await asked(`needs/${need}`, VANUATU), await asked(`needs/${need}`, VANUATU, {})];
    expect(one.bytes.equals(another.bytes)).toBe(true);
    expect(one.headers['content-disposition']).toBe(`attachment; filename="need-${need}.evidence.zip"`);
    // As every answer that shows a record: what is in it is for the caller.
    expect(one.headers['cache-control']).toBe('private, no-store');
  });

  it('is given of needs and offers, with their own stream alone', async () => {
    for (const [path, stream] of [
      [`needs/${need}`, `need-${need}`],
      [`offers/${offer}`, `offer-${offer}`],
    ] as const) {
      const { manifest } = await bundleOf(path, JAPAN);
      expect(manifest.streams.map((each) => each.stream)).toEqual([stream]);
      expect(manifest.record).toEqual({
        kind: stream.split('-')[0],
        id: stream.slice(stream.indexOf('-') + 1),
        stream,
      });
    }
  });

  it('is there for whoever sees the record: to others the record is absent', async () => {
    expect((await asked(`needs/${draft}`, VANUATU)).status).toBe(200);
    const absent = await asked('needs/00000000-0000-7000-8000-000000000000');
    expect([absent.status, absent.body.code]).toEqual([404, 'not-found']);
    for (const as of [undefined, FIJI, JAPAN]) {
      const { correlationId: _own, ...body } = (await asked(`needs/${draft}`, as)).body;
      const { correlationId: _other, ...expected } = absent.body;
      expect(body).toEqual(expected);
    }
    for (const path of [`offers/${draft}`, `commitments/${draft}`, 'needs/x'])
      expect((await asked(path, VANUATU)).body.code).toBe('not-found');
  });

  it('is there once a checkpoint covers the record: until then the caller is told to come again or to wait', async () => {
    await app.get('/log/checkpoint', { headers: WAIT });
    const { body, headers } = await app.post('/v1/needs', NEW, { as: VANUATU });
    await app.settled();
    const early = await asked(`needs/${body.id}`, VANUATU, {});
    expect([early.status, early.body.code, early.headers['retry-after']]).toEqual([503, 'projection-behind', '1']);
    const token = { 'consistency-token': headers['consistency-token']! };
    expect((await asked(`needs/${body.id}`, VANUATU, token)).status).toBe(200);
    expect((await asked(`needs/${body.id}`, VANUATU, {})).status).toBe(200);
  });

  it('holds what was signed: later events of the record are not in it', async () => {
    const own = await created('/v1/needs', NEW, VANUATU);
    const { manifest } = await bundleOf(`needs/${own}`, VANUATU);
    const { events } = manifest.streams[0]!;
    await command(`/v1/needs/${own}/amend`, { urgency: 'urgent' }, VANUATU);
    const later = await bundleOf(`needs/${own}`, VANUATU);
    expect([later.manifest.streams[0]!.events, later.manifest.size]).toEqual([events + 1, manifest.size + 1]);
  });
});
