import 'reflect-metadata';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureTopics, type KafkaBrokerOptions, TopicNames, topicsSettings, wantedTopics } from '#bus-kafka';
import { kafkaSettings } from '#distributed';
import { Opened, SettingError, Variables } from '#hosting';
import { pause } from '#kernel';
import { categories, SERVICES } from '#services';
import type { HealthCheck, Readiness } from '#web';
import { StandInProcess } from '../test/eventstore-stand-in/process.js';
import { makeKeys } from './keys.js';
import { Program } from './program.js';
import { startKafka } from './local-brokers/kafka.js';

const USAGE = `npm run services [-- --instances 2] [--port 3000]      the services shape on this machine, until Ctrl-C

  --instances  of every service (1)
  --port       where the gateway listens on 127.0.0.1 (3000)

KAFKA_BROKERS (with KAFKA_TLS and KAFKA_SASL_… where they ask for it) and EVENTSTORE_URL name the servers to use. Without
KAFKA_BROKERS a broker is started here, which takes Java 17 and Maven; without EVENTSTORE_URL a stand-in of KurrentDB: a double
for tests, not for records that somebody relies on.
PLEDGEBOOK_DATA (./data unless set) is the folder of keys, documents, read models and logs of what happens.
PLEDGEBOOK_PREFIX (pledgebook) is what streams and topics begin with.`;

/** What the person at the keyboard can put right. */
class UsageError extends Error {}

const READY_WITHIN_MS = 120_000;
const POLL_MS = 250;
const WRITES = 'writes';
/** Checks of `GET /readyz` that a log fails which is not what was signed: only an operator can help. */
const OF_A_SOUND_LOG: ReadonlySet<string> = new Set([WRITES, 'log checkpoints', 'log witnesses']);

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const whole = (option: string, text: string, least: number, most: number): number => {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || number < least || number > most)
    throw new UsageError(`--${option} is "${text}": give a whole number from ${least} to ${most}`);
  return number;
};

const given = (name: string): string | undefined => {
  const text = process.env[name]?.trim();
  return text === '' ? undefined : text;
};

const kafkaOf = async (folder: string, opened: Opened): Promise<KafkaBrokerOptions> => {
  if (given('KAFKA_BROKERS') !== undefined) return kafkaSettings(new Variables(process.env));
  const kafka = await opened.open(() =>
    startKafka({ folder: join(folder, 'kafka') }).then((broker) => ({
      brokers: broker.brokers,
      version: broker.version,
      close: () => broker.stop(),
    })),
  );
  say(`Kafka ${kafka.version} on ${kafka.brokers}`);
  return { brokers: [kafka.brokers] };
};

const eventStoreOf = async (folder: string, opened: Opened): Promise<string> => {
  const url = given('EVENTSTORE_URL');
  if (url !== undefined) return url;
  const standIn = await opened.open(() =>
    StandInProcess.start(join(folder, 'eventstore')).then((server) => ({ url: server.url, close: () => server.end() })),
  );
  say(`A stand-in of KurrentDB on ${standIn.url}`);
  return standIn.url;
};

/** Resolves once everything is ready, or once all that is not is that the log must not be written: with why. */
const untilReady = async (gateway: string, services: readonly string[]): Promise<string | undefined> => {
  let lacking: readonly HealthCheck[] = [];
  for (const before = performance.now() + READY_WITHIN_MS; performance.now() < before;) {
    if ((await readiness(gateway)).ready) return undefined;
    lacking = (await Promise.all(services.map(readiness))).flatMap(({ checks }) => checks.filter(({ ok }) => !ok));
    const refusal = lacking.find(({ name }) => name === WRITES)?.detail?.refusal;
    if (refusal !== undefined && lacking.every(({ name }) => OF_A_SOUND_LOG.has(name))) return String(refusal);
    await pause(POLL_MS);
  }
  const what = [...new Set(lacking.map(({ name }) => name))].join(', ');
  throw new Error(`the services were not ready within ${READY_WITHIN_MS / 1000} s (${what}): see what they logged`);
};

const readiness = async (address: string): Promise<Readiness> =>
  (await (await fetch(`${address}/readyz`)).json()) as Readiness;

interface Options {
  readonly instances: number;
  readonly port: number;
}

/** Starts everything; what it opened is closed by `opened`, last first. Answers what may end before it is told to. */
const start = async ({ instances, port }: Options, opened: Opened): Promise<readonly Program[]> => {
  const data = resolve(given('PLEDGEBOOK_DATA') ?? 'data');
  const folder = join(data, 'services');
  const prefix = given('PLEDGEBOOK_PREFIX') ?? 'pledgebook';
  const logs = join(folder, 'logs');
  mkdirSync(logs, { recursive: true });
  if (existsSync(join(data, 'log.sqlite')))
    say(`${join(data, 'log.sqlite')} is the log of one process; services have another: npm run migrate-log moves it`);
  // The same keys as one process has in this folder: tokens of "npm run token" are good for both.
  const { folder: keyFolder, secret } = makeKeys(data, given('PLEDGEBOOK_LOG_ORIGIN'));
  const eventStore = await eventStoreOf(folder, opened);
  const kafka = await kafkaOf(folder, opened);
  await ensureTopics(
    kafka,
    wantedTopics(
      new TopicNames(prefix),
      categories.map(({ name }) => name),
      topicsSettings(),
    ),
  );
  const programs: Program[] = [];
  const run = async (app: string, instance: string, environment: NodeJS.ProcessEnv): Promise<string> => {
    const program = await opened.open(() =>
      Program.start({
        name: instance,
        script: fileURLToPath(new URL(`../apps/${app}/main.js`, import.meta.url)),
        environment: { ...process.env, PORT: '0', ...environment },
        folder: logs,
        say,
      }),
    );
    programs.push(program);
    return program.address;
  };
  const keys = await run('keys', 'keys', { PLEDGEBOOK_DATA: data, PLEDGEBOOK_KEYS_SECRET: secret });
  const shared = {
    EVENTSTORE_URL: eventStore,
    KAFKA_BROKERS: kafka.brokers.join(','),
    // A broker of this machine alone, started here, knows nobody.
    ...(given('KAFKA_BROKERS') === undefined ? { KAFKA_TLS: '', KAFKA_SASL_MECHANISM: '' } : {}),
    PLEDGEBOOK_PREFIX: prefix,
    PLEDGEBOOK_DOCUMENTS: data,
    PLEDGEBOOK_KEY_FOLDER: keyFolder,
    PLEDGEBOOK_KEYS_URL: keys,
    PLEDGEBOOK_KEYS_SECRET: secret,
  };
  const several = (app: string, count: number): Promise<readonly string[]> =>
    Promise.all(
      Array.from({ length: count }, (_, index) => {
        const instance = `${app}-${index + 1}`;
        return run(app, instance, { ...shared, PLEDGEBOOK_DATA: join(folder, instance) });
      }),
    );
  const [relays, ...services] = await Promise.all([
    several('relay', Math.min(instances, 2)),
    ...SERVICES.map((service) => several(service, instances)),
  ]);
  say(
    `${services.flat().length} services and ${relays.length} relay${relays.length === 1 ? '' : 's'}, logs in ${logs}`,
  );
  const addresses: Readonly<Record<string, string>> = Object.fromEntries(
    SERVICES.map((service, index) => [`PLEDGEBOOK_${service.toUpperCase()}_URLS`, (services[index] ?? []).join(',')]),
  );
  const gateway = await run('gateway', 'gateway', { ...shared, ...addresses, PORT: String(port) });
  const refusal = await untilReady(gateway, services.flat());
  if (refusal !== undefined) say(`Nothing is written, only read: ${refusal}`);
  say(`Pledgebook is ready on ${gateway} (routes at ${gateway}/docs, keys and documents in ${data})`);
  return programs;
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: { instances: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    say(USAGE);
    return 0;
  }
  const options = {
    instances: whole('instances', values.instances ?? '1', 1, 8),
    port: whole('port', values.port ?? given('PORT') ?? '3000', 0, 65_535),
  };
  const opened = new Opened();
  const told = new Promise<undefined>((resolvePromise) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        resolvePromise(undefined);
        // Whoever says it again does not wait for what is still starting.
        process.once(signal, () => process.exit(1));
      });
  });
  try {
    const programs = await Promise.race([start(options, opened), told]);
    if (programs === undefined) return 0;
    const ended = await Promise.race([told, ...programs.map((program) => program.failed)]);
    if (ended !== undefined) say(`${ended}: everything is stopped, see its log`);
    return ended === undefined ? 0 : 1;
  } finally {
    await opened.close();
  }
};

try {
  process.exitCode = await main();
} catch (error) {
  const usage =
    error instanceof UsageError || error instanceof SettingError || error instanceof TypeError ? `\n\n${USAGE}` : '';
  process.stderr.write(`services: ${error instanceof Error ? error.message : String(error)}${usage}\n`);
  process.exitCode = usage === '' ? 1 : 2;
}
