import { readFileSync } from 'node:fs';
import { categoryOfStream, idOfStream, Upcasting } from '#kernel';
import { everyEvent } from '#kernel-testing';
import { PublicRecords } from '#services';
import { RecordKinds } from '#web';
import type { LoggedEvent } from '../../infra/frozen-events.js';
import { storeOf } from '../history/replay.js';
import type { As, EmbeddedTestApp } from '../support/app.js';
import { embeddedApp } from '../support/app.js';

/** Issue of confidentiality: what partners read on Kafka is what anyone may read of a record that was never restricted (DOMAIN, visibility). */
const VANUATU: As = { party: 'state:VUT', role: 'npc' };
const JAPAN: As = { party: 'donor:japan', role: 'donor-desk' };
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };

let app: EmbeddedTestApp;
afterEach(() => app.close());

const records = (): PublicRecords =>
  new PublicRecords(
    app.store,
    app.nest.get(RecordKinds, { strict: false }),
    app.nest.get(Upcasting, { strict: false }),
  );

/** Each event of a record with whether partners may read it. */
const told = async (stream: string): Promise<readonly string[]> => {
  const events = await app.store.readStream(stream, 0, 100);
  const judge = records();
  const lines: string[] = [];
  for (const event of events) lines.push(`${event.type}: ${(await judge.isPublic(event)) ? 'public' : 'withheld'}`);
  return lines;
};

const seats = (amount: string) => ({ measure: 'seats', amount });

const openNeed = async (visibility: string, publish: boolean | string = true): Promise<string> => {
  const created = await app.post(
    '/v1/needs',
    {
      title: 'Courses for licensing officers',
      kinds: ['training'],
      instruments: ['ATT'],
      lines: [{ kind: 'training', quantity: seats('100') }],
      authorityRef: 'Note Verbale 12/2026',
      visibility,
    },
    { as: VANUATU },
  );
  const { id } = created.body as { id: string };
  const submitted = await app.post(
    `/v1/needs/${id}/submit`,
    { consent: { circulate: true, publish } },
    { as: VANUATU, headers: { 'if-match': '"0"' } },
  );
  const opened = await app.post(
    `/v1/needs/${id}/open`,
    {},
    { as: COORDINATOR, headers: { 'if-match': String(submitted.headers.etag) } },
  );
  expect(opened.status).toBe(200);
  return id;
};

const amend = async (path: string, changes: object, as: As): Promise<void> => {
  const { headers } = await app.get(path, { as });
  const answer = await app.post(`${path}/amend`, changes, { as, headers: { 'if-match': String(headers.etag) } });
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
};

const openOffer = async (visibility: string): Promise<string> => {
  await app.post('/v1/parties', { id: 'donor:japan', name: 'Japan' }, { as: COORDINATOR });
  const answer = await app.post(
    '/v1/offers',
    { title: 'Courses', lines: [{ kinds: ['training'], capacity: seats('20') }], visibility },
    { as: JAPAN },
  );
  return (answer.body as { id: string }).id;
};

describe('what partners are told', () => {
  it('leaves out what a need said before it was open to everyone, and begins there', async () => {
    app = await embeddedApp();
    const id = await openNeed('public');
    await amend(`/v1/needs/${id}`, { title: 'Courses for licensing officers and their deputies' }, VANUATU);
    expect(await told(`need-${id}`)).toEqual([
      'NeedDrafted: withheld',
      'NeedSubmitted: withheld',
      'NeedOpened: public',
      'NeedAmended: public',
    ]);
  });

  it('holds nothing of a record from the revision on at which it was restricted, also when its label is widened again', async () => {
    app = await embeddedApp();
    const id = await openOffer('public');
    await amend(`/v1/offers/${id}`, { title: 'Courses, for all' }, JAPAN);
    await amend(`/v1/offers/${id}`, { visibility: 'members' }, JAPAN);
    await amend(`/v1/offers/${id}`, { visibility: 'public' }, JAPAN);
    await amend(`/v1/offers/${id}`, { title: 'Courses once more' }, JAPAN);
    const lines = await told(`offer-${id}`);
    expect(lines.map((line) => line.split(': ')[1])).toEqual(['public', 'public', 'withheld', 'withheld', 'withheld']);
  });

  it.each([
    ['public', 'public', true],
    ['members', 'public', false],
    ['public', 'members', false],
  ])('tells of a commitment under a need that is %s and an offer that is %s: %s', async (need, offer, isTold) => {
    app = await embeddedApp();
    const offerId = await openOffer(offer);
    const needId = await openNeed(need);
    const proposed = await app.post(
      '/v1/commitments',
      { offerId, needId, legs: [{ offerLine: 1, needLine: 1, drawn: seats('4') }] },
      { as: JAPAN, headers: { prefer: 'wait=5' } },
    );
    expect(proposed.status).toBe(201);
    const path = String(proposed.headers.location);
    let etag = String(proposed.headers.etag);
    for (const [command, as] of [
      ['accept', VANUATU],
      ['sign', VANUATU],
      ['sign', JAPAN],
    ] as const) {
      const answer = await app.post(`${path}/${command}`, {}, { as, headers: { 'if-match': etag, prefer: 'wait=5' } });
      expect([command, answer.status]).toEqual([command, 200]);
      etag = String(answer.headers.etag);
    }
    await app.settled();
    const lines = await told(`commitment-${path.split('/').at(-1) ?? ''}`);
    expect(lines).toContain(`CommitmentBound: ${isTold ? 'public' : 'withheld'}`);
    expect(lines.filter((line) => /Proposed|Held|Accepted/.test(line)).every((line) => line.endsWith('withheld'))).toBe(
      true,
    );
  });

  it('is never more than anyone reads in the histories of a log that holds every type', async () => {
    const events = readFileSync('test/history/log-3.ndjson', 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LoggedEvent);
    const at = events.reduce((last, { metadata }) => (metadata.recordedAt > last ? metadata.recordedAt : last), '');
    app = await embeddedApp({ store: await storeOf(events), now: at });
    await app.settled();
    const judge = records();
    const seen = new Map<string, readonly { readonly revision: number; readonly data?: object }[]>();
    const categories = new Set<string>();
    const leaks: string[] = [];
    for (const event of await everyEvent(app.store)) {
      if (!(await judge.isPublic(event))) continue;
      categories.add(categoryOfStream(event.stream));
      const shown = (seen.get(event.stream) ?? (await historyOf(event.stream))).find(
        ({ revision }) => revision === event.revision,
      );
      if (withoutEmpty(shown?.data) !== withoutEmpty(event.data)) leaks.push(`${event.stream} ${event.type}`);
    }
    expect(leaks).toEqual([]);
    expect([...categories].sort()).toEqual(
      expect.arrayContaining(['commitment', 'need', 'offer', 'party', 'reported']),
    );

    async function historyOf(
      stream: string,
    ): Promise<readonly { readonly revision: number; readonly data?: object }[]> {
      const category = categoryOfStream(stream);
      const kind = app.nest.get(RecordKinds, { strict: false }).of(category);
      const path = `${kind?.path ?? ''}/${encodeURIComponent(idOfStream(stream))}/history?limit=200`;
      const { body, status } = await app.get(path);
      const items = status === 200 ? (body.items as { readonly revision: number; readonly data?: object }[]) : [];
      seen.set(stream, items);
      return items;
    }
  }, 180_000);
});

/** An empty list that is not shown hides nothing. */
const withoutEmpty = (data: object | undefined): string =>
  JSON.stringify(sorted(data), (_name, field: unknown) =>
    Array.isArray(field) && field.length === 0 ? undefined : field,
  );

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([one], [other]) => one.localeCompare(other))
            .map(([name, field]) => [name, sorted(field)]),
        )
      : value;
