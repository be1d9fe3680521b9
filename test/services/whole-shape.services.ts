import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { KafkaBroker, TopicNames } from '#bus-kafka';
import { backoffMs, idOfStream, ManualClock, newId, pause } from '#kernel';
import { everyEvent } from '#kernel-testing';
import { categories } from '#services';
import { KurrentEventStore } from '#store-kurrent';
import type { TokenRequest } from '#web';
import { LocalIssuer } from '#web';
import { logged } from '../../infra/frozen-events.js';
import { createApp } from '../../apps/pledgebook/app.js';
import { StandInProcess } from '../eventstore-stand-in/process.js';
import { readingsOf, storeOf } from '../history/replay.js';
import type { Response } from '../support/http.js';
import { postThenRead, send } from '../support/http.js';
import { talksTo } from './talks-to.js';

/**
 * `npm run services` as a user starts it, two instances of each, on a stand-in of its own (it is stopped in its tracks here) and Kafka.
 * Whatever is killed, nothing acknowledged is lost, nothing happens twice, and what is read equals a fresh rebuild in one process.
 */
const folder = mkdtempSync(join(tmpdir(), 'pledgebook-services-'));
const prefix = `t${randomBytes(6).toString('hex')}`;
const brokers = talksTo('KAFKA_BROKERS');
const run = promisify(execFile);

let standIn: StandInProcess;
let services: ChildProcess;
let url: string;
let issuer: LocalIssuer;
let store: KurrentEventStore;

beforeAll(async () => {
  standIn = await StandInProcess.start(join(folder, 'log'));
  services = spawn(process.execPath, ['dist/infra/services.js', '--instances', '2', '--port', '0'], {
    env: {
      ...process.env,
      PLEDGEBOOK_DATA: folder,
      PLEDGEBOOK_PREFIX: prefix,
      EVENTSTORE_URL: standIn.url,
      KAFKA_BROKERS: brokers,
      PLEDGEBOOK_LOG: 'warn',
      PLEDGEBOOK_RATE: 'off',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  url = await new Promise((resolve, reject) => {
    createInterface({ input: services.stdout ?? process.stdin })
      .on('line', (line) => {
        lines.push(line);
        const found = /^Pledgebook is ready on (\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      })
      .on('close', () => {
        reject(new Error(lines.join('\n')));
      });
  });
  issuer = LocalIssuer.open(folder);
  store = await KurrentEventStore.open({ url: standIn.url, prefix });
}, 180_000);

afterAll(async () => {
  await store.close();
  services.kill('SIGTERM');
  const [code] = (await once(services, 'exit')) as [number | null];
  await standIn.kill();
  rmSync(folder, { recursive: true, force: true });
  expect(code).toBe(0);
}, 60_000);

interface Who {
  readonly party: string;
  readonly role: TokenRequest['roles'][number];
}
const COORDINATOR: Who = { party: 'agency:secretariat', role: 'coordinator' };
const VANUATU: Who = { party: 'state:VUT', role: 'npc' };
const JAPAN: Who = { party: 'donor:japan', role: 'donor-desk' };

const ask = async (method: string, path: string, who: Who, body?: object, more: object = {}): Promise<Response> => {
  const token = await issuer.token({ party: who.party, roles: [who.role] });
  return send(method, `${url}${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...more },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
};

/** As a client does that must not lose its request: the same key until there is an answer that is not "try again". */
const untilAnswered = async (path: string, who: Who, body: object, more: object = {}): Promise<Response> => {
  const key = newId();
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask('POST', path, who, body, { 'idempotency-key': key, ...more }).catch(() => undefined);
    if (answer !== undefined && answer.status !== 503) return answer;
    expect(answer?.headers['retry-after'] ?? '1').toMatch(/^\d+$/);
    if (attempt > 100) throw new Error(`${path} is answered 503 for ever`);
    await pause(backoffMs(attempt, 100, 1_000));
  }
};

const kill = (instance: string): void => {
  process.kill(Number(readFileSync(join(folder, 'services', 'logs', `${instance}.pid`), 'utf8')), 'SIGKILL');
};

const seats = (amount: number) => ({ measure: 'seats', amount: String(amount) });

const openPair = async (): Promise<{ readonly offerId: string; readonly needId: string }> => {
  await untilAnswered('/v1/parties', COORDINATOR, { id: 'donor:japan', name: 'Japan' });
  const offer = await untilAnswered('/v1/offers', JAPAN, {
    title: 'Courses',
    lines: [{ kinds: ['training'], capacity: seats(10) }],
    visibility: 'public',
  });
  const need = await untilAnswered('/v1/needs', VANUATU, {
    title: 'Courses for licensing officers',
    kinds: ['training'],
    instruments: ['ATT'],
    lines: [{ kind: 'training', quantity: seats(100) }],
    authorityRef: 'Note Verbale 12/2026',
    visibility: 'public',
  });
  const path = String(need.headers.location);
  const consent = { circulate: true, publish: true };
  const submitted = await untilAnswered(`${path}/submit`, VANUATU, { consent }, { 'if-match': '"0"' });
  const opened = await untilAnswered(`${path}/open`, COORDINATOR, {}, { 'if-match': String(submitted.headers.etag) });
  expect([offer.status, need.status, submitted.status, opened.status]).toEqual([201, 201, 200, 200]);
  return { offerId: (offer.body as { id: string }).id, needId: (need.body as { id: string }).id };
};

/** Waits until nothing has been written for two seconds. */
const quiet = async (): Promise<void> => {
  for (let before = -1n, head = await store.head(); head !== before; head = await store.head()) {
    before = head;
    await pause(2_000);
  }
};

/** Ids of the events in each topic of the services, with how often each stands there. */
const idsInTopics = async (): Promise<ReadonlyMap<string, number>> => {
  const broker = new KafkaBroker({ brokers: brokers.split(',') });
  const names = new TopicNames(prefix);
  const topics = categories.map(({ name }) => names.restricted(name));
  const counts = new Map<string, number>();
  const ends = await broker.ranges(topics);
  let missing = [...ends.values()].flat().reduce((sum, { end }) => sum + end, 0n);
  const done = new AbortController();
  const member = broker.follow(topics, {
    assigned: () => undefined,
    broken: () => undefined,
    messages: (_of, messages) => {
      for (const { headers } of messages) {
        missing -= 1n;
        if (headers.ce_id !== undefined) counts.set(headers.ce_id, (counts.get(headers.ce_id) ?? 0) + 1);
      }
      if (missing <= 0n) done.abort();
    },
  });
  await pause(30_000, done.signal);
  await member.leave();
  await broker.close();
  expect(missing).toBe(0n);
  return counts;
};

const expectNothingLostNorTwice = async (): Promise<void> => {
  await quiet();
  const events = await everyEvent(store);
  const ids = new Set(events.map(({ id }) => id));
  expect(ids.size).toBe(events.length);
  const steps = events.map(({ stream, metadata, type }) => `${stream} ${metadata.commandId} ${type}`);
  expect(new Set(steps).size).toBe(steps.length);
  const counts = await idsInTopics();
  expect(events.filter(({ id }) => !counts.has(id)).map(({ type, stream }) => `${stream} ${type}`)).toEqual([]);
  expect([...counts.keys()].filter((id) => !ids.has(id))).toEqual([]);
};

/** What the services show, and what one process shows that reads the same log from its beginning. */
const expectAsRebuilt = async (): Promise<void> => {
  const own = await everyEvent(store);
  const events = own.map((event, index) => ({ ...logged(event), position: String(index + 1) }));
  // A server counts bytes where a log in memory counts events: the same place under two names.
  const places = new Map(own.map(({ position }, index) => [String(position), String(index + 1)]));
  const placed = (reading: object): unknown =>
    JSON.parse(
      JSON.stringify(reading, (name, value: unknown) =>
        name === 'position' ? (places.get(value as string) ?? value) : value,
      ),
    );
  const token = (request: TokenRequest): Promise<string> => issuer.token(request);
  const app = await createApp({
    store: await storeOf(events),
    clock: new ManualClock(new Date().toISOString()),
    rate: 'off',
    tick: 'manual',
  });
  try {
    const fresh = { url: await app.listen(0), token: (request: TokenRequest) => app.token(request) };
    await app.settled();
    expect(placed(await readingsOf({ url, token }, events))).toEqual(await readingsOf(fresh, events));
  } finally {
    await app.close();
  }
};

/** How the demo says to verify the evidence that it took away. */
const VERIFY = /npx pledgebook-verify '([^']+)' --key '([^']+)'/;

test('what the gateway answers of itself, and what it hands on, comes in gzip', async () => {
  for (const path of ['/openapi.json', '/v1/schemas']) {
    const { status, headers, text } = await send('GET', `${url}${path}`, { headers: { 'accept-encoding': 'gzip' } });
    expect([path, status, headers['content-encoding'], typeof JSON.parse(text)]).toEqual([path, 200, 'gzip', 'object']);
  }
});

test('the demo ends with the totals that it ends with in one process', async () => {
  const facts = (said: string): string =>
    said
      .split('\n')
      .slice(2)
      .filter((line) => !/PLEDGEBOOK_DATA|^Done/.test(line))
      .join('\n')
      .replaceAll(/position \d+/g, 'position N')
      .replaceAll(/…[0-9a-f]{6}/g, '…id')
      .replace(VERIFY, 'npx pledgebook-verify');
  const demo = 'dist/test/scenarios/demo/main.js';
  const [there, here] = await Promise.all([
    run(process.execPath, [demo, '--url', url], { env: { ...process.env, PLEDGEBOOK_DATA: folder } }),
    run(process.execPath, [demo], { env: { ...process.env, PLEDGEBOOK_DATA: join(folder, 'alone') } }),
  ]);
  expect(there.stdout).toContain('Done: every answer was as expected.');
  expect(facts(there.stdout)).toBe(facts(here.stdout));
  for (const { stdout } of [there, here]) {
    const [, bundle = '', key = ''] = VERIFY.exec(stdout) ?? [];
    const verified = await run(process.execPath, ['dist/apps/verify/main.js', bundle, '--key', key]);
    expect(verified.stdout).toMatch(/: verified\n$/);
  }
  await expectNothingLostNorTwice();
}, 300_000);

test('fifty proposals for ten seats while services, processes and the relay are killed: ten are held, forty refused', async () => {
  const { offerId, needId } = await openPair();
  const legs = [{ offerLine: 1, needLine: 1, drawn: seats(1) }];
  const proposals = Array.from({ length: 50 }, async (_, index) => {
    await pause(index * 40);
    return untilAnswered('/v1/commitments', JAPAN, { offerId, needId, legs });
  });
  const killing = (async () => {
    for (const instance of ['offers-1', 'commitments-2', 'relay-1', 'needs-1', 'gateway', 'offers-2']) {
      await pause(350);
      kill(instance);
    }
  })();
  const answers = await Promise.all(proposals);
  await killing;
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 201));
  const ids = answers.map(({ body }) => (body as { id: string }).id);
  expect(new Set(ids).size).toBe(50);
  const holds = async (): Promise<readonly string[]> => {
    const mine = new Set(ids);
    return (await everyEvent(store))
      .filter(({ stream }) => stream.startsWith('commitment-') && mine.has(idOfStream(stream)))
      .map(({ type }) => type)
      .filter((type) => type === 'CommitmentHeld' || type === 'HoldRefused');
  };
  for (let waits = 0; waits < 120 && (await holds()).length < 50; waits += 1) await pause(1_000);
  const found = await holds();
  expect([found.filter((type) => type === 'CommitmentHeld').length, found.length]).toEqual([10, 50]);
  await expectNothingLostNorTwice();
  const reserved = (await everyEvent(store)).filter(
    ({ stream, type }) => stream === `offer-${offerId}` && type === 'CapacityReserved',
  );
  expect(reserved).toHaveLength(10);
}, 400_000);

test('a body that is too large is 413 also for a caller that reads only once it has sent all of it', async () => {
  const token = await issuer.token({ party: VANUATU.party, roles: [VANUATU.role] });
  const answer = await postThenRead(`${url}/v1/needs`, token, JSON.stringify({ title: 'x'.repeat(10_000_000) }));
  expect(answer).toMatch(/^HTTP\/1\.1 413 .*payload-too-large/s);
});

test('a log that does not answer: 503 with Retry-After, the same key repeats safely once it is back', async () => {
  const key = newId();
  const body = {
    title: 'Courses, said once',
    lines: [{ kinds: ['training'], capacity: seats(3) }],
    visibility: 'public',
  };
  const post = (): Promise<Response> => ask('POST', '/v1/offers', JAPAN, body, { 'idempotency-key': key });
  standIn.stop();
  const refused = await post();
  expect([refused.status, (refused.body as { code: string }).code]).toEqual([503, 'store-unavailable']);
  expect(refused.headers['retry-after']).toMatch(/^\d+$/);
  standIn.continue();
  let answer = await post();
  for (let attempt = 1; answer.status === 503 && attempt < 60; attempt += 1) {
    await pause(500);
    answer = await post();
  }
  expect(answer.status).toBe(201);
  const again = await post();
  expect([again.status, again.body]).toEqual([answer.status, answer.body]);
  await expectNothingLostNorTwice();
  const said = (await everyEvent(store)).filter(({ data }) => JSON.stringify(data).includes(body.title));
  expect(said).toHaveLength(1);
  // Whatever happened in all three.
  await expectAsRebuilt();
}, 300_000);
