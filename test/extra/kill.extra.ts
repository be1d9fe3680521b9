import { randomInt } from 'node:crypto';
import { everyEvent } from '#kernel-testing';
import { checkLog, SqliteEventStore } from '#store-sqlite';
import type { RecordedEvent } from '#kernel';
import { temporaryFolder } from '../support/app.js';
import type { Program } from '../support/program.js';
import { buildProgram, killWhileStarting, startServer } from '../support/program.js';
import type { Answer } from './client.js';
import {
  Client,
  DisconnectedError,
  DONORS,
  intent,
  legsOf,
  mustBe,
  offerBody,
  openNeed,
  registerDonors,
  settled,
  STATES,
  Tokens,
} from './client.js';
import { Ledger } from './ledger.js';
import { Load } from './load.js';
import { brokenInLog, brokenOnServer } from './promises.js';
import { Random } from './random.js';

/**
 * "Killing the process at any moment loses nothing acknowledged and leaves nothing half-done": the real service under mixed load,
 * killed with SIGKILL at random moments and started again on the same folder.
 */
const KILLS = Number(process.env.KILLS ?? 30);
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));

let program: Program;
let folder: ReturnType<typeof temporaryFolder>;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => {
  program.remove();
});
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  folder.remove();
});

/** What the kills came too early for is done in peace, so that the ledger has read it too. */
const reachAll = async (load: Load, client: Client): Promise<void> => {
  const wanted = [
    'amend-accept',
    'correct',
    'returns',
    'receipts',
    'expenditures',
    'confirmed access',
    'a grant of the fund',
    'a refused proposal',
    'sign',
    'decline',
  ];
  const missing = (): boolean =>
    load.acknowledged.length <= KILLS * 5 || wanted.some((name) => !load.reached.has(name));
  for (let round = 0; round < 300 && missing(); round += 1) {
    const stop = new AbortController();
    const running = load.run(client, 8, stop.signal);
    await after(500);
    stop.abort();
    await running;
  }
};

/** What the load came to, also where nothing stands in that way at its end. */
const REACHED = [
  'CommitmentHeld',
  'CommitmentAmended',
  'DeliveryCorrected',
  'CapacityReturned',
  'CoverageReturned',
  'CapacityDeliveryCorrected',
  'CoverageDeliveryCorrected',
  'AccessFreed',
  'TransferReported',
  'ReceiptReported',
  'ExpenditureReported',
  'ContributionReceived',
  'FundCredited',
  'AllocationDecided',
  'AllocationUsed',
];

const eventsIn = async (path: string): Promise<RecordedEvent[]> => {
  const store = SqliteEventStore.open(path);
  try {
    return await everyEvent(store);
  } finally {
    await store.close();
  }
};

/** Time passes, and nothing in particular is waited for. */
const after = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

test(`loses nothing acknowledged and leaves nothing half-done in ${KILLS} kills under load (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const load = new Load(random);
  const tokens = new Tokens(folder.path);
  let checked = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    if (random.chance(0.1)) {
      await killWhileStarting(program, folder.path, random.between(50, 1_500));
      continue;
    }
    const server = await startServer(program, folder.path);
    const client = new Client(server.url, tokens);
    if (load.acknowledged.length === 0) await registerDonors(client).catch(() => undefined);
    expect(await brokenOnServer(client, load.acknowledged.slice(checked))).toEqual([]);
    checked = load.acknowledged.length;
    await load.repeatUnanswered(client);
    const stop = new AbortController();
    const running = load.run(client, 8, stop.signal);
    await after(random.between(100, 1_200));
    await server.kill('SIGKILL');
    stop.abort();
    await running;
  }
  const server = await startServer(program, folder.path);
  const client = new Client(server.url, tokens);
  await load.repeatUnanswered(client);
  await reachAll(load, client);
  await settled(client);
  expect(await brokenOnServer(client, load.acknowledged)).toEqual([]);
  expect(await server.kill('SIGTERM')).toMatchObject({ code: 0, signal: null });
  expect(checkLog(folder.path).faults).toEqual([]);
  const events = await eventsIn(folder.path);
  expect(brokenInLog(events, load.acknowledged)).toEqual([]);
  const ledger = new Ledger(events);
  expect(ledger.faults).toEqual([]);
  // A load that never came to these would have proved nothing.
  expect(load.acknowledged.length).toBeGreaterThan(KILLS * 5);
  const { refused, left, bound } = ledger.outcomes;
  expect(Object.entries({ refused, left, bound }).filter(([, count]) => count === 0)).toEqual([]);
  expect(REACHED.filter((type) => ledger.count(type) === 0)).toEqual([]);
  process.stdout.write(
    `kill test: ${load.acknowledged.length} acknowledged answers, ${events.length} events, ${JSON.stringify(ledger.outcomes)}, seed ${SEED}\n`,
  );
});

const proposals = 50;

/** An offer with room for ten seats and a need that wants them all, then fifty proposals of one seat at once. */
const rush = async (client: Client): Promise<{ readonly offerId: string; readonly needId: string }> => {
  await registerDonors(client);
  const [donor, state] = [DONORS[0]!, STATES[0]!];
  const { body } = mustBe(201, await client.post(intent(donor, '/v1/offers', offerBody('Ten seats', 10))));
  return { offerId: body.id, needId: await openNeed(client, state, 'Fifty officers', 50) };
};

test(`fifty simultaneous proposals on room for ten are ten held and forty refused, also when killed half-way (SEED=${SEED})`, async () => {
  const tokens = new Tokens(folder.path);
  const random = new Random(SEED);
  let server = await startServer(program, folder.path);
  let client = new Client(server.url, tokens);
  const ids = await rush(client);
  const intents = Array.from({ length: proposals }, () => {
    const one = intent(DONORS[0]!, '/v1/commitments', { ...ids, legs: legsOf(1) }, { prefer: 'wait=30' });
    return { ...one, headers: { ...one.headers, 'idempotency-key': one.id } };
  });
  const answered = new Map<string, Answer>();
  const sendAll = (): Promise<unknown> =>
    Promise.all(
      intents.map(async (one) => {
        try {
          answered.set(one.id, await client.post(one));
        } catch (error) {
          if (!(error instanceof DisconnectedError)) throw error;
        }
      }),
    );
  const sending = sendAll();
  // Half-way: some are proposed, some are held, some not yet here.
  await after(random.between(20, 120));
  await server.kill('SIGKILL');
  await sending;
  const before = new Map(answered);
  server = await startServer(program, folder.path);
  client = new Client(server.url, tokens);
  await sendAll();
  const statuses = [...answered.values()].map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(10);
  expect(statuses.filter((status) => status === 409)).toHaveLength(40);
  for (const { status, body } of answered.values()) {
    expect(status === 201 ? body.hold : body.code).toBe(status === 201 ? 'held' : 'insufficient-capacity');
  }
  for (const [id, { status, location }] of before) {
    expect(answered.get(id)).toMatchObject({ status, location });
  }
  await settled(client);
  const { body } = await client.get(`/v1/offers/${ids.offerId}`, DONORS[0]!);
  expect(body.lines).toMatchObject([{ held: { amount: '10' }, available: { amount: '0' } }]);
  await server.kill('SIGTERM');
  const ledger = new Ledger(await eventsIn(folder.path));
  expect(ledger.faults).toEqual([]);
  expect(ledger.outcomes).toEqual({ held: 10, refused: 40, left: 0, bound: 0, cancelled: 0 });
});

test(`a graceful stop under load answers what is under way, keeps what it answered, and ends with code 0 (SEED=${SEED})`, async () => {
  const random = new Random(SEED);
  const load = new Load(random);
  const tokens = new Tokens(folder.path);
  for (let round = 0; round < 3; round += 1) {
    const server = await startServer(program, folder.path);
    const client = new Client(server.url, tokens);
    if (round === 0) await registerDonors(client);
    const stop = new AbortController();
    const running = load.run(client, 8, stop.signal);
    await after(random.between(500, 1_000));
    const { code, signal, stderr } = await server.kill('SIGTERM');
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    stop.abort();
    await running;
    const events = await eventsIn(folder.path);
    expect(brokenInLog(events, load.acknowledged)).toEqual([]);
    // Nothing that reached the log before the stop went without an answer.
    const inLog = new Set(events.map(({ metadata }) => metadata.correlationId));
    expect(load.unanswered.filter(({ id }) => inLog.has(id))).toEqual([]);
    load.unanswered = [];
  }
  const server = await startServer(program, folder.path);
  await settled(new Client(server.url, tokens));
  await server.kill('SIGTERM');
  expect(new Ledger(await eventsIn(folder.path)).faults).toEqual([]);
});
