import { join } from 'node:path';
import { auditContext } from '#audit';
import { directoryContext } from '#directory';
import type { EventStore } from '#kernel';
import { InMemoryEventStore } from '#kernel-testing';
import { NoteSigner, openCheckpoint, parseCheckpoint, parseProofFile } from '#tlog';
import type { As, EmbeddedTestApp } from '../support/app.js';
import { embeddedApp, temporaryFolder } from '../support/app.js';
import type { Response } from '../support/http.js';
import { RunningWitness } from '../support/running-witness.js';

/** The log and witnesses that others run, over HTTP: one lags, one is down, one refuses. */
const COORDINATOR: As = { party: 'agency:secretariat', role: 'coordinator' };
const ORIGIN = 'log.example/test';
const WAIT = { headers: { prefer: 'wait=10' } };
const log = NoteSigner.generate(ORIGIN);

describe('a log with witnesses', () => {
  const scratch = temporaryFolder();
  const open: { close(): Promise<void> }[] = [];
  let folders = 0;
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });
  afterAll(() => scratch.remove());

  const witnessed = async (name: string, key = log.verifier): Promise<RunningWitness> => {
    const witness = await new RunningWitness(name, join(scratch.path, String((folders += 1))), key).start();
    open.push(witness);
    return witness;
  };
  const three = async (): Promise<[RunningWitness, RunningWitness, RunningWitness]> => [
    await witnessed('w1'),
    await witnessed('w2'),
    await witnessed('w3'),
  ];
  const appOn = async (
    witnesses: readonly RunningWitness[],
    quorum: number,
    store: EventStore = new InMemoryEventStore(),
  ): Promise<EmbeddedTestApp> => {
    const policy = { witnesses: witnesses.map((each) => each.policy), quorum };
    const app = await embeddedApp({
      store,
      contexts: [directoryContext, auditContext],
      log: { key: { text: log.privateKey() }, witnesses: policy },
    });
    open.push(app);
    return app;
  };
  let parties = 0;
  const register = async (app: EmbeddedTestApp, count = 1): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      const id = `agency:a${(parties += 1)}`;
      const answer = await app.post('/v1/parties', { id, name: 'A', category: 'multilateral' }, { as: COORDINATOR });
      expect(answer.status).toBe(201);
    }
  };
  const checkpoint = (app: EmbeddedTestApp): Promise<Response> => app.get('/log/checkpoint', WAIT);
  const cosignersOf = ({ bytes }: Response, keys: readonly RunningWitness[]): [number, ...string[]] => {
    const opened = openCheckpoint(bytes, ORIGIN, [log.verifier, ...keys.map(({ key }) => key)]);
    expect(opened.verified[0]!.key).toBe(log.verifier);
    return [opened.checkpoint.size, ...opened.verified.slice(1).map(({ key }) => key.name)];
  };
  const readiness = async (app: EmbeddedTestApp): Promise<{ ok: boolean; detail: Record<string, unknown> }> => {
    const { body } = await app.get('/readyz');
    return body.checks.find(({ name }: { name: string }) => name === 'log witnesses');
  };
  const NOT_COSIGNED = [503, 'log-not-cosigned', '1'];
  const refusalOf = ({ status, body, headers }: Response): unknown[] => [status, body.code, headers['retry-after']];

  it('hands out checkpoints with their cosignatures, and proofs that rest on those', async () => {
    const witnesses = await three();
    const app = await appOn(witnesses, 3);
    await register(app, 5);
    expect(cosignersOf(await checkpoint(app), witnesses)).toEqual([5, 'w1', 'w2', 'w3']);
    await register(app, 3);
    expect(cosignersOf(await checkpoint(app), witnesses)).toEqual([8, 'w1', 'w2', 'w3']);
    expect(await Promise.all(witnesses.map((each) => each.size()))).toEqual([8, 8, 8]);
    const [event] = await app.store.readAll(0n, 1);
    const proof = await app.get(`/v1/audit/events/${event!.id}/proof`, { as: COORDINATOR, ...WAIT });
    expect(proof.status).toBe(200);
    const bytes = Buffer.from(parseProofFile(proof.bytes).checkpoint);
    expect(cosignersOf({ ...proof, bytes }, witnesses)).toEqual([8, 'w1', 'w2', 'w3']);
    expect(await readiness(app)).toEqual({
      name: 'log witnesses',
      ok: true,
      detail: { needed: '3 of 3', cosigned: 8, signed: 8, w1: 'cosigned 8', w2: 'cosigned 8', w3: 'cosigned 8' },
    });
  });

  it('goes on while fewer are down than may be, and shows them what they missed once they are back', async () => {
    const witnesses = await three();
    const [w1, , w3] = witnesses;
    const app = await appOn(witnesses, 2);
    await register(app, 2);
    await checkpoint(app);
    w3.fault = 'down';
    await register(app, 2);
    expect(cosignersOf(await checkpoint(app), witnesses)).toEqual([4, 'w1', 'w2']);
    expect((await readiness(app)).ok).toBe(true);
    w3.fault = 'none';
    w1.fault = 'down';
    app.clock.advance(1_000);
    await register(app);
    expect(cosignersOf(await checkpoint(app), witnesses)).toEqual([5, 'w2', 'w3']);
    expect((await readiness(app)).detail.w3).toBe('cosigned 5');
    expect(await Promise.all([w1.size(), w3.size()])).toEqual([4, 5]);
  });

  it('is written and signed while too many are down: only what is handed out waits, and says so', async () => {
    const [w1, w2] = await three();
    const app = await appOn([w1, w2], 2);
    await register(app, 2);
    const before = await checkpoint(app);
    w2.fault = 'down';
    await register(app, 2);
    expect(refusalOf(await checkpoint(app))).toEqual(NOT_COSIGNED);
    // Whoever does not ask for the newest is given the newest that is cosigned.
    expect((await app.get('/log/checkpoint')).text).toBe(before.text);
    const { body, status } = await app.get('/readyz');
    expect([status, body.ready]).toEqual([200, true]);
    expect((await readiness(app)).detail).toMatchObject({
      cosigned: 2,
      signed: 4,
      w1: 'cosigned 4',
      w2: 'does not answer',
    });
    w2.fault = 'none';
    // Not asked again before its pause is over.
    expect(refusalOf(await checkpoint(app))).toEqual(NOT_COSIGNED);
    app.clock.advance(5_000);
    expect(cosignersOf(await checkpoint(app), [w1, w2])).toEqual([4, 'w1', 'w2']);
  });

  it('does not wait for a witness that takes long, once enough have cosigned', async () => {
    const witnesses = await three();
    const app = await appOn(witnesses, 2);
    await register(app);
    // At its start a service waits five seconds for what each says of the log.
    expect(cosignersOf(await checkpoint(app), witnesses)).toEqual([1, 'w1', 'w2', 'w3']);
    witnesses[1].fault = 'silent';
    await register(app, 2);
    expect(cosignersOf(await checkpoint(app), witnesses)).toEqual([3, 'w1', 'w3']);
    await register(app);
    expect(cosignersOf(await checkpoint(app), witnesses)).toEqual([4, 'w1', 'w3']);
    witnesses[1].hangUp();
  });

  it('goes on after a restart from what was cosigned, and without asking again', async () => {
    const witnesses = await three();
    const store = new InMemoryEventStore();
    const first = await appOn(witnesses, 3, store);
    await register(first, 3);
    const handedOut = await checkpoint(first);
    for (const each of witnesses) each.fault = 'down';
    const second = await appOn(witnesses, 3, store);
    expect((await checkpoint(second)).text).toBe(handedOut.text);
    for (const each of witnesses) each.fault = 'none';
    await register(second);
    expect(cosignersOf(await checkpoint(second), witnesses)).toEqual([4, 'w1', 'w2', 'w3']);
    // The other instance on the same log hands out the same.
    expect((await checkpoint(first)).text).toBe((await checkpoint(second)).text);
  });

  it('counts only cosignatures of witnesses that are trusted now', async () => {
    const [w1, w2, w3] = await three();
    const store = new InMemoryEventStore();
    const first = await appOn([w1, w2], 2, store);
    await register(first, 3);
    await checkpoint(first);
    w3.fault = 'down';
    const second = await appOn([w1, w3], 2, store);
    expect(refusalOf(await checkpoint(second))).toEqual(NOT_COSIGNED);
    w3.fault = 'none';
    second.clock.advance(1_000);
    expect(cosignersOf(await checkpoint(second), [w1, w3])).toEqual([3, 'w1', 'w3']);
  });

  it('says why a witness refuses it', async () => {
    const w1 = await witnessed('w1');
    const stranger = await witnessed('w2', NoteSigner.generate('another.example/log').verifier);
    const rotated = await witnessed('w3', NoteSigner.generate(ORIGIN).verifier);
    const app = await appOn([w1, stranger, rotated], 2);
    await register(app);
    expect(refusalOf(await checkpoint(app))).toEqual(NOT_COSIGNED);
    expect(await w1.size()).toBe(1);
    expect(await readiness(app)).toMatchObject({
      ok: true,
      detail: {
        w2: expect.stringContaining('does not know this log'),
        w3: expect.stringContaining("does not know the log's key"),
      },
    });
  });

  it('that was put back in time is told by a witness that is ahead', async () => {
    const [w1, w2] = await three();
    const store = new InMemoryEventStore();
    const app = await appOn([w1, w2], 2, store);
    await register(app, 5);
    await checkpoint(app);
    const older = new InMemoryEventStore();
    for (const { stream, revision, ...event } of await store.readAll(0n, 3))
      await older.append(stream, revision - 1, [event]);
    const restored = await appOn([w1, w2], 1, older);
    // Without its record of checkpoints it does not know that it ever signed: nothing is, before the witnesses were asked.
    expect(refusalOf(await checkpoint(restored))).toEqual([503, 'log-not-signed', '1']);
    const says = 'cosigned 5 events, the log ends at position 3: it was put back in time';
    const { status, body } = await restored.get('/readyz');
    expect(status).toBe(503);
    expect(body.checks).toContainEqual(
      expect.objectContaining({
        name: 'log checkpoints',
        ok: false,
        detail: expect.objectContaining({ trouble: `witness w1 ${says}` }),
      }),
    );
    // Nor does it grow past what the witness saw.
    const party = { id: 'agency:late', name: 'Late', category: 'multilateral' };
    const refused = await restored.post('/v1/parties', party, { as: COORDINATOR });
    expect([refused.status, refused.body.code]).toEqual([503, 'log-rolled-back']);
    expect(refused.body.detail).toContain(`witness w1 ${says}`);
    expect((await restored.get('/v1/parties')).body.items).toHaveLength(3);
    expect(await w1.size()).toBe(5);
  });

  it('that forked finds no witness for the second tree: whoever wants cosignatures is shown one', async () => {
    const [w1, w2] = await three();
    const one = await appOn([w1, w2], 2);
    // One that began later would be refused to write: the witnesses hold more than it.
    const other = await appOn([w1, w2], 1);
    await register(one, 4);
    expect(cosignersOf(await checkpoint(one), [w1, w2])).toEqual([4, 'w1', 'w2']);
    await register(other, 4);
    expect(refusalOf(await checkpoint(other))).toEqual(NOT_COSIGNED);
    expect(await readiness(other)).toMatchObject({
      ok: false,
      detail: { cosigned: 0, signed: 4, w1: expect.stringContaining('another tree of the same 4 events') },
    });
    await register(one);
    expect(cosignersOf(await checkpoint(one), [w1, w2])).toEqual([5, 'w1', 'w2']);
  });

  it('on several instances is cosigned once for what it holds', async () => {
    const witnesses = await three();
    const store = new InMemoryEventStore();
    const instances = [await appOn(witnesses, 3, store), await appOn(witnesses, 3, store)];
    for (const count of [1, 3]) {
      await register(instances[0]!, count);
      const notes = await Promise.all(instances.map(checkpoint));
      expect(notes.map((note) => cosignersOf(note, witnesses))).toEqual(
        notes.map(() => [count === 1 ? 1 : 4, 'w1', 'w2', 'w3']),
      );
    }
    const sizes = (await store.readStream('_log-cosigned', 0, 100)).map(
      ({ data }) => parseCheckpoint(Buffer.from((data as { note: string }).note)).size,
    );
    expect(sizes).toEqual([1, 4]);
  });
});
