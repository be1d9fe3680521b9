import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NoteSigner, openNote, parseCheckpoint, VerifierKey } from '#tlog';
import type { TokenRequest } from '#web';
import { LocalIssuer } from '#web';
import { StandInProcess } from '../eventstore-stand-in/process.js';
import type { Response } from '../support/http.js';
import { send } from '../support/http.js';
import type { Program, ServerProcess } from '../support/program.js';
import { runScript, startScript } from '../support/program.js';
import { talksTo } from './talks-to.js';

/**
 * The services on a log that is put back in time: whichever of them is asked reads and does not write, until an operator has the log go
 * on as a fork. A witness stands beside them, as another ministry would run it.
 */
const ORIGIN = 'log.example/commitments';
const FORKED = 'log.example/second';
const brokers = talksTo('KAFKA_BROKERS');
const folder = mkdtempSync(join(tmpdir(), 'pledgebook-rolled-back-'));
const data = join(folder, 'data');
const log = join(folder, 'log');
const copyTo = join(folder, 'outside', 'checkpoint');
const logKey = join(data, 'keys', 'log.key');
const prefix = `t${randomBytes(6).toString('hex')}`;

/** As the build left it. */
const built: Program = { folder: process.cwd(), remove: () => undefined };

let standIn: StandInProcess;
let witness: ServerProcess;
let witnessKey: VerifierKey;
let services: ServerProcess | undefined;

const settings = (origin: string): Readonly<Record<string, string>> => ({
  PLEDGEBOOK_DATA: data,
  PLEDGEBOOK_PREFIX: prefix,
  PLEDGEBOOK_LOG_COPY: copyTo,
  PLEDGEBOOK_LOG_ORIGIN: origin,
  PLEDGEBOOK_WITNESSES: `${witness.url} ${witnessKey.toString()}`,
  EVENTSTORE_URL: standIn.url,
  KAFKA_BROKERS: brokers,
  PLEDGEBOOK_LOG: 'silent',
});
const startServices = async (origin: string): Promise<void> => {
  services = await startScript(built, 'infra/services.js', settings(origin));
};
/** Answers what they said. */
const stopServices = async (): Promise<string> => {
  const ended = await services?.kill('SIGTERM');
  services = undefined;
  expect(ended?.code).toBe(0);
  return ended?.stdout ?? '';
};
/** A witness of the log that is signed with these keys, always at one address and with one memory. */
const startWitness = async (keys: readonly VerifierKey[], port = '0'): Promise<void> => {
  witness = await startScript(built, 'apps/witness/main.js', {
    WITNESS_DATA: join(folder, 'witness'),
    WITNESS_NAME: 'witness.example/w1',
    WITNESS_LOGS: keys.join('\n'),
    WITNESS_RATE: 'off',
    PORT: port,
  });
};
const keyOfLog = (): VerifierKey => NoteSigner.parse(readFileSync(logKey, 'utf8').trim()).verifier;

beforeAll(async () => {
  mkdirSync(join(folder, 'outside'));
  standIn = await StandInProcess.start(log);
  const made = await runScript(built, 'infra/make-keys.js', [data], { PLEDGEBOOK_LOG_ORIGIN: ORIGIN });
  expect(made).toMatchObject({ code: 0, stderr: '' });
  await startWitness([keyOfLog()]);
  witnessKey = VerifierKey.parse((await (await fetch(`${witness.url}/verifier-key`)).text()).trim());
  await startServices(ORIGIN);
}, 180_000);

afterAll(async () => {
  await services?.kill('SIGTERM');
  await witness.kill('SIGTERM');
  await standIn.kill();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const COORDINATOR: TokenRequest = { party: 'agency:secretariat', roles: ['coordinator'] };
const VANUATU: TokenRequest = { party: 'state:VUT', roles: ['npc'] };
const JAPAN: TokenRequest = { party: 'donor:japan', roles: ['donor-desk'] };

const ask = async (method: string, path: string, who: TokenRequest, body?: object, more = {}): Promise<Response> => {
  const token = await LocalIssuer.open(data).token(who);
  return send(method, `${services?.url ?? ''}${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'wait=20', ...more },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
};
const post = async (path: string, who: TokenRequest, body: object, more = {}): Promise<Response> => {
  const answer = await ask('POST', path, who, body, more);
  expect([path, answer.status]).toEqual([path, /submit|open/.test(path) ? 200 : 201]);
  return answer;
};
const idOf = ({ body }: Response): string => (body as { readonly id: string }).id;
const seats = (amount: number): object => ({ measure: 'seats', amount: String(amount) });
const need = (title: string): object => ({
  ...{ title, kinds: ['training'], instruments: ['ATT'], authorityRef: 'Note Verbale 12/2026', visibility: 'public' },
  lines: [{ kind: 'training', quantity: seats(100) }],
});
const offer = (title: string): object => ({
  ...{ title, visibility: 'public' },
  lines: [{ kinds: ['training'], capacity: seats(10) }],
});
const titles = async (path: string): Promise<readonly string[]> =>
  ((await ask('GET', path, COORDINATOR)).body as { items: { title: string }[] }).items.map(({ title }) => title);
/** The newest checkpoint, signed by the log's own key and cosigned. */
const cosigned = async (): Promise<ReturnType<typeof parseCheckpoint>> => {
  const answer = await fetch(`${services?.url ?? ''}/log/checkpoint`, { headers: { prefer: 'wait=30' } });
  const note = Buffer.from(await answer.text());
  expect(answer.status).toBe(200);
  expect(openNote(note, [keyOfLog(), witnessKey]).verified).toHaveLength(2);
  return parseCheckpoint(note);
};

test('nothing is written to a log that was put back in time, by any service; as a fork it goes on without what was lost', async () => {
  await post('/v1/parties', COORDINATOR, { id: 'donor:japan', name: 'Japan' });
  const offerId = idOf(await post('/v1/offers', JAPAN, offer('Kept')));
  const needId = idOf(await post('/v1/needs', VANUATU, need('Kept')));
  const consent = { circulate: true, publish: true };
  const { headers } = await post(`/v1/needs/${needId}/submit`, VANUATU, { consent }, { 'if-match': '"0"' });
  await post(`/v1/needs/${needId}/open`, COORDINATOR, {}, { 'if-match': String(headers.etag) });
  const kept = await cosigned();
  expect(kept.origin).toBe(ORIGIN);
  // Whole, as a log that is only ever added to is: what is under way at its end was not acknowledged.
  cpSync(log, `${log}-before`, { recursive: true });

  const all = { legs: [{ offerLine: 1, needLine: 1, drawn: seats(10) }], offerId, needId };
  const lost = await post('/v1/commitments', JAPAN, all);
  expect((lost.body as { hold: string }).hold).toBe('held');
  await post('/v1/needs', VANUATU, need('Lost'));
  expect((await cosigned()).size).toBeGreaterThan(kept.size);
  await stopServices();
  await standIn.kill();
  rmSync(log, { recursive: true });
  cpSync(`${log}-before`, log, { recursive: true });
  // The copy outside is lost, too: only the witness knows of more.
  rmSync(copyTo);

  await standIn.restart();
  await startServices(ORIGIN);
  const refusals = await Promise.all([
    ask('POST', '/v1/parties', COORDINATOR, { id: 'agency:late', name: 'Late' }),
    ask('POST', '/v1/needs', VANUATU, need('Late')),
    ask('POST', '/v1/offers', JAPAN, offer('Late')),
    ask('POST', '/v1/commitments', JAPAN, all),
  ]);
  for (const { status, body } of refusals)
    expect([status, (body as { code: string }).code]).toEqual([503, 'log-rolled-back']);
  expect((await ask('GET', `/v1/needs/${needId}`, VANUATU)).status).toBe(200);
  expect((await fetch(`${services?.url ?? ''}/readyz`)).status).toBe(503);
  expect(await stopServices()).toMatch(/Nothing is written, only read: witness \S+ cosigned \d+ events.*back in time/);

  const fork = ['--reason', 'the disk was lost', '--origin', FORKED];
  const former = keyOfLog();
  const said = await runScript(built, 'infra/accept-fork.js', fork, settings(ORIGIN));
  expect(said.stdout).toContain(`goes on as ${FORKED} behind its first ${kept.size} events`);
  await witness.kill('SIGTERM');
  await startWitness([former, keyOfLog()], witness.port);
  await startServices(FORKED);
  expect(await titles('/v1/needs')).toEqual(['Kept']);
  expect(await titles('/v1/offers')).toEqual(['Kept']);
  expect((await ask('GET', `/v1/commitments/${idOf(lost)}`, JAPAN)).status).toBe(404);
  // All ten seats are free again, and processes hear of what is proposed now.
  const held = await post('/v1/commitments', JAPAN, all);
  expect((held.body as { hold: string }).hold).toBe('held');
  const { origin, size } = await cosigned();
  expect([origin, size > kept.size]).toEqual([FORKED, true]);
}, 500_000);
