import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { TopicNames } from '#bus-kafka';
import { pause } from '#kernel';
import { categories } from '#services';
import type { Readiness, TokenRequest } from '#web';
import { LocalIssuer } from '#web';
import { type LocalKafka, startKafka } from '../../infra/local-brokers/kafka.js';
import { StandInProcess } from '../eventstore-stand-in/process.js';
import type { Response } from '../support/http.js';
import { send } from '../support/http.js';
import type { Ended, Program, ServerProcess } from '../support/program.js';
import { runScript, startScript } from '../support/program.js';

/**
 * The services as they run across machines: log and bus over TLS, each with accounts, and Kafka allowing each account no more than
 * infra/KAFKA.md says. Both are of this suite's own, since no others can be told what to allow.
 */
const folder = mkdtempSync(join(tmpdir(), 'pledgebook-secured-'));
const data = join(folder, 'data');
const certificate = join(folder, 'server.pem');
const prefix = `t${randomBytes(6).toString('hex')}`;
const names = new TopicNames(prefix);
const accounts = { operator: 'making-topics', relay: 'forwarding', services: 'handling', 'partner-unodc': 'reading' };
type Account = keyof typeof accounts;

/** As the build left it. */
const built: Program = { folder: process.cwd(), remove: () => undefined };

let kafka: LocalKafka;
let log: StandInProcess;
const started: ServerProcess[] = [];
const stops: (() => Promise<unknown>)[] = [];

/** A certificate of its own authority, which clients are told to trust. */
const makeCertificate = async (): Promise<void> => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const named = ['-subj', '/CN=pledgebook-test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [...made, ...named, '-keyout', key, '-out', cert]);
  writeFileSync(certificate, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'));
};

const kafkaAs = (account: Account, password: string = accounts[account]): Readonly<Record<string, string>> => ({
  KAFKA_BROKERS: kafka.securedBrokers ?? '',
  KAFKA_TLS: 'true',
  KAFKA_SASL_MECHANISM: 'scram-sha-256',
  KAFKA_SASL_USERNAME: account,
  KAFKA_SASL_PASSWORD: password,
  NODE_EXTRA_CA_CERTS: certificate,
  PLEDGEBOOK_PREFIX: prefix,
});

/** The rules of infra/KAFKA.md. */
const allow = async (admin: Admin): Promise<void> => {
  const { AclOperationTypes: May, AclPermissionTypes, AclResourceTypes: Of, ResourcePatternTypes: Named } = kafkajs;
  const rule = (
    account: Account,
    resourceType: kafkajs.AclResourceTypes,
    resourceName: string,
    resourcePatternType: kafkajs.ResourcePatternTypes,
    ...operations: readonly kafkajs.AclOperationTypes[]
  ): kafkajs.AclEntry[] =>
    operations.map((operation) => ({
      ...{ resourceType, resourceName, resourcePatternType, operation },
      ...{ principal: `User:${account}`, host: '*', permissionType: AclPermissionTypes.ALLOW },
    }));
  const all = `${prefix}.`;
  await admin.createAcls({
    acl: [
      ...rule('operator', Of.TOPIC, all, Named.PREFIXED, May.CREATE, May.DESCRIBE),
      ...rule('operator', Of.TOPIC, all, Named.PREFIXED, May.DESCRIBE_CONFIGS, May.ALTER_CONFIGS),
      ...rule('relay', Of.TOPIC, all, Named.PREFIXED, May.WRITE, May.DESCRIBE),
      ...rule('services', Of.TOPIC, names.deadLetters, Named.LITERAL, May.READ, May.WRITE, May.DESCRIBE),
      ...rule('services', Of.GROUP, all, Named.PREFIXED, May.READ),
      ...categories.flatMap(({ name }) => [
        ...rule('services', Of.TOPIC, names.restricted(name), Named.LITERAL, May.READ, May.WRITE, May.DESCRIBE),
        ...rule('partner-unodc', Of.TOPIC, names.partner(name), Named.LITERAL, May.READ, May.DESCRIBE),
      ]),
      ...rule('partner-unodc', Of.GROUP, 'partner-unodc.', Named.PREFIXED, May.READ),
    ],
  });
};

const topics = (environment: Readonly<Record<string, string>>): Promise<Ended> =>
  runScript(built, 'infra/kafka-topics.js', ['--partitions', '2'], environment);

const begin = async (script: string, environment: Readonly<Record<string, string>>): Promise<ServerProcess> => {
  const program = await startScript(built, script, { PLEDGEBOOK_LOG: 'warn', ...environment });
  started.push(program);
  return program;
};

/** What a service or a relay is told. */
const settings = (instance: string, keys: string, kafka: object, eventStore = log.url): Record<string, string> => ({
  EVENTSTORE_URL: `${eventStore}&tlsCAFile=${join(folder, 'cert.pem')}`,
  PLEDGEBOOK_DATA: join(folder, instance),
  PLEDGEBOOK_DOCUMENTS: data,
  PLEDGEBOOK_KEY_FOLDER: join(data, 'keys'),
  PLEDGEBOOK_KEYS_URL: keys,
  PLEDGEBOOK_KEYS_SECRET_FILE: join(data, 'keys', 'keys-secret'),
  ...kafka,
});

let keys: ServerProcess;

beforeAll(async () => {
  await makeCertificate();
  log = await StandInProcess.start(join(folder, 'log'), 0, { certificate, account: 'pledgebook:of-the-log' });
  stops.push(() => log.kill());
  kafka = await startKafka({ secured: { certificate, accounts } });
  stops.push(() => kafka.stop());
  const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await allow(admin);
  await admin.disconnect();
  expect(await runScript(built, 'infra/make-keys.js', [data], {})).toMatchObject({ code: 0, stderr: '' });
  const secret = { PLEDGEBOOK_KEYS_SECRET_FILE: join(data, 'keys', 'keys-secret') };
  keys = await begin('apps/keys/main.js', { PLEDGEBOOK_DATA: data, ...secret });
}, 180_000);

afterAll(async () => {
  await Promise.all(started.map((program) => program.kill('SIGTERM')));
  await Promise.all(stops.map((stop) => stop()));
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

test('topics are made by the account that may, and by no other', async () => {
  const { KAFKA_TLS: _tls, ...withoutTls } = kafkaAs('operator');
  const refused = await Promise.all(
    [
      kafkaAs('operator', 'guessed'),
      kafkaAs('partner-unodc'),
      { ...kafkaAs('operator'), NODE_EXTRA_CA_CERTS: '' },
      { ...kafkaAs('operator'), KAFKA_SASL_MECHANISM: 'md5' },
      withoutTls,
    ].map(topics),
  );
  const why = [
    /invalid credentials/,
    new RegExp(`${names.restricted('need')}, .*Topic authorization failed`),
    /self-signed certificate/,
    /^KAFKA_SASL_MECHANISM must be one of plain, /,
    /Closed connection/,
  ];
  expect(refused).toEqual(
    why.map((text, index): unknown =>
      expect.objectContaining({ code: index === 3 ? 2 : 1, stdout: '', stderr: expect.stringMatching(text) }),
    ),
  );
  const made = await topics(kafkaAs('operator'));
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toContain(`${names.restricted('need')}: made, 2 partitions with 1 replicas`);
  expect((await topics(kafkaAs('operator'))).stdout).toBe(
    `${2 * categories.length + 1} topics are as they should be\n`,
  );
}, 120_000);

const COORDINATOR: TokenRequest = { party: 'agency:secretariat', roles: ['coordinator'] };
const VANUATU: TokenRequest = { party: 'state:VUT', roles: ['npc'] };
const JAPAN: TokenRequest = { party: 'donor:japan', roles: ['donor-desk'] };
const seats = (amount: number): object => ({ measure: 'seats', amount: String(amount) });

const post = async (at: string, path: string, who: TokenRequest, body: object, more = {}): Promise<Response> => {
  const token = await LocalIssuer.open(data).token(who);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', prefer: 'wait=20', ...more };
  return send('POST', at + path, { headers, body: JSON.stringify(body) });
};
const idOf = ({ body }: Response): string => (body as { readonly id: string }).id;

test('a commitment is held through log and bus, with the accounts of relay and services alone', async () => {
  const ready = async (name: string, account: Account): Promise<string> => {
    const { url } = await begin(`apps/${name}/main.js`, settings(name, keys.url, kafkaAs(account)));
    await untilReady(url);
    return url;
  };
  const [needs, offers, commitments] = await Promise.all([
    ready('needs', 'services'),
    ready('offers', 'services'),
    ready('commitments', 'services'),
    ready('relay', 'relay'),
  ]);
  await post(needs, '/v1/parties', COORDINATOR, { id: 'donor:japan', name: 'Japan' });
  const offer = await post(offers, '/v1/offers', JAPAN, {
    ...{ title: 'Courses', visibility: 'public' },
    lines: [{ kinds: ['training'], capacity: seats(10) }],
  });
  const need = await post(needs, '/v1/needs', VANUATU, {
    ...{ title: 'Courses', kinds: ['training'], instruments: ['ATT'], authorityRef: 'Note Verbale 12/2026' },
    ...{ lines: [{ kind: 'training', quantity: seats(100) }], visibility: 'public' },
  });
  const path = `/v1/needs/${idOf(need)}`;
  const consent = { circulate: true, publish: true };
  const { headers } = await post(needs, `${path}/submit`, VANUATU, { consent }, { 'if-match': '"0"' });
  const opened = await post(needs, `${path}/open`, COORDINATOR, {}, { 'if-match': String(headers.etag) });
  expect([offer.status, need.status, opened.status]).toEqual([201, 201, 200]);
  const legs = [{ offerLine: 1, needLine: 1, drawn: seats(10) }];
  const proposal = { offerId: idOf(offer), needId: idOf(need), legs };
  const held = await post(commitments, '/v1/commitments', JAPAN, proposal);
  expect([held.status, held.body]).toMatchObject([201, { hold: 'held' }]);
}, 120_000);

/** Half a minute at most. @throws {Error} with what is not ready */
const untilReady = async (url: string): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    const readiness = (await (await fetch(`${url}/readyz`)).json()) as Readiness;
    if (readiness.ready) return;
    if (attempt === 120) throw new Error(JSON.stringify(readiness));
    await pause(250);
  }
};

test('a partner reads what is public, and nothing else', async () => {
  const read = (topic: string, group = 'partner-unodc.mirror'): Promise<Ended> =>
    runScript(built, 'test/services/processes/partner.js', [topic, group], kafkaAs('partner-unodc'));
  const offers = await read(names.partner('offer'));
  expect(offers).toMatchObject({ code: 0, stdout: expect.stringContaining('OfferPosted') });
  const notTheirs = { code: 1, stdout: '', stderr: expect.stringContaining('Not authorized to access topics') };
  expect(await read(names.restricted('offer'))).toMatchObject(notTheirs);
  expect(await read(names.deadLetters)).toMatchObject(notTheirs);
  // What the client makes of a group that it may not join.
  const outsider = { code: 1, stdout: '', stderr: 'Failed to find group coordinator\n' };
  expect(await read(names.partner('offer'), names.group('offers'))).toMatchObject(outsider);
}, 120_000);

test('what log or bus refuses is said by whoever is refused', async () => {
  const refused = await begin('apps/offers/main.js', settings('refused', keys.url, kafkaAs('services', 'guessed')));
  await refused.logged(({ error }) => String(error).includes('SASLAuthentication'));
  const elsewhere = log.url.replace('of-the-log', 'guessed');
  const denied = begin('apps/needs/main.js', settings('denied', keys.url, kafkaAs('services'), elsewhere));
  await expect(denied).rejects.toThrow('denies this account access');
}, 120_000);
