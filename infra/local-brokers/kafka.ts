import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { type KafkaProgram, kafkaProgram, LocalBrokerError } from './kafka-program.js';

const run = promisify(execFile);

export interface KafkaOptions {
  /** Where the broker keeps its data; a folder of its own, removed by `stop`, where absent. */
  readonly folder?: string;
  /** Where it listens on 127.0.0.1; a free port where absent. */
  readonly port?: number;
  /** Where the jars are kept between runs. */
  readonly cache?: string;
  /** Listens a second time, over TLS, for accounts that may do what access rules allow them; who comes to the first address may do everything. */
  readonly secured?: SecuredListener;
}

/** A listener over TLS for accounts (SASL, SCRAM-SHA-256). */
export interface SecuredListener {
  /** A file with certificate and private key (PKCS #8), both as PEM. */
  readonly certificate: string;
  /** Passwords by name of account. */
  readonly accounts: Readonly<Record<string, string>>;
}

/** A broker of one node on this machine. */
export interface LocalKafka {
  /** What clients are given: `127.0.0.1:port`. */
  readonly brokers: string;
  /** What clients with an account are given. */
  readonly securedBrokers: string | undefined;
  readonly port: number;
  readonly version: string;
  readonly pid: number;
  /** Ends it cleanly; a folder it made itself is removed. */
  stop(): Promise<void>;
  /** Ends it as a power cut does: no goodbye, data kept. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port with the same data. */
  restart(): Promise<void>;
  /** Stops it where it stands (SIGSTOP): connections stay open and nobody answers. */
  freeze(): void;
  /** Lets it go on after `freeze`. */
  thaw(): void;
}

const START_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 30_000;

/**
 * Starts Apache Kafka (KRaft, one node, small memory) and resolves once it answers.
 * @throws {LocalBrokerError} where Java or Maven is missing or the broker does not come up, with what it said
 */
export const startKafka = async (options: KafkaOptions = {}): Promise<LocalKafka> => {
  const program = await kafkaProgram(options.cache);
  const { secured } = options;
  const [port, controllerPort, securedPort] = await freePorts(options.port);
  const own = options.folder === undefined;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'pledgebook-kafka-'));
  mkdirSync(folder, { recursive: true });
  const node = new KafkaNode(program, folder, { port, controllerPort, securedPort }, secured);
  const removeOwn = (): void => {
    if (own) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await node.format();
    await node.start();
  } catch (error) {
    await node.end('SIGKILL');
    removeOwn();
    throw error;
  }
  return {
    brokers: node.brokers,
    securedBrokers: secured === undefined ? undefined : `127.0.0.1:${securedPort}`,
    port,
    version: program.version,
    get pid() {
      return node.pid;
    },
    stop: async () => {
      await node.end('SIGTERM');
      removeOwn();
    },
    kill: () => node.end('SIGKILL'),
    restart: () => node.start(),
    freeze: () => {
      node.signal('SIGSTOP');
    },
    thaw: () => {
      node.signal('SIGCONT');
    },
  };
};

interface Ports {
  readonly port: number;
  readonly controllerPort: number;
  readonly securedPort: number;
}

class KafkaNode {
  readonly brokers: string;
  private readonly settings: string;
  private readonly log: string;
  private child: ChildProcess | undefined;
  private readonly endWithUs = (): void => {
    this.child?.kill('SIGKILL');
  };

  constructor(
    private readonly program: KafkaProgram,
    private readonly folder: string,
    ports: Ports,
    private readonly secured: SecuredListener | undefined,
  ) {
    this.brokers = `127.0.0.1:${ports.port}`;
    this.settings = join(folder, 'server.properties');
    this.log = join(folder, 'broker.log');
    writeFileSync(this.settings, settingsFor(join(folder, 'data'), ports, secured));
  }

  get pid(): number {
    const { pid } = this.child ?? {};
    if (pid === undefined) throw new LocalBrokerError('the broker is not running');
    return pid;
  }

  /** Prepares the data folder, unless a broker had it before. */
  async format(): Promise<void> {
    if (existsSync(join(this.folder, 'data', 'meta.properties'))) return;
    const id = Buffer.from('pledgebook-local').toString('base64url');
    try {
      await run(this.program.java, [
        ...this.javaOptions(),
        'kafka.tools.StorageTool',
        'format',
        '-t',
        id,
        '-c',
        this.settings,
        ...Object.entries(this.secured?.accounts ?? {}).flatMap(([name, password]) => [
          '--add-scram',
          `SCRAM-SHA-256=[name=${name},password=${password}]`,
        ]),
      ]);
    } catch (error) {
      throw new LocalBrokerError(`Kafka could not prepare ${this.folder}: ${lastLine((error as Error).message)}`);
    }
  }

  async start(): Promise<void> {
    const output = openSync(this.log, 'a');
    const child = spawn(this.program.java, [...this.javaOptions(), 'kafka.Kafka', this.settings], {
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.child = child;
    process.once('exit', this.endWithUs);
    const gone = new AbortController();
    child.once('exit', () => {
      gone.abort();
    });
    child.once('error', () => {
      gone.abort();
    });
    const until = performance.now() + START_WITHIN_MS;
    while (!(await answers(this.brokers))) {
      if (gone.signal.aborted || performance.now() > until) {
        throw new LocalBrokerError(
          `Kafka did not start on ${this.brokers}: ${lastLine(readFileSync(this.log, 'utf8'))}`,
        );
      }
      await wait(100);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    this.child = undefined;
    process.off('exit', this.endWithUs);
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // A frozen process hears SIGTERM only once it goes on.
    child.kill('SIGCONT');
    child.kill(signal);
    const impatience = new AbortController();
    await Promise.race([ended, wait(STOP_WITHIN_MS, undefined, { signal: impatience.signal }).catch(() => undefined)]);
    impatience.abort();
    child.kill('SIGKILL');
    await ended;
  }

  private javaOptions(): string[] {
    return [
      '-Xms64m',
      '-Xmx320m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-cp',
      join(this.program.jars, '*'),
    ];
  }
}

const settingsFor = (
  data: string,
  { port, controllerPort, securedPort }: Ports,
  secured: SecuredListener | undefined,
): string => {
  const clients = `PLAINTEXT://127.0.0.1:${port}${secured === undefined ? '' : `,SASL_SSL://127.0.0.1:${securedPort}`}`;
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `${clients},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': clients,
    'controller.listener.names': 'CONTROLLER',
    ...(secured === undefined ? {} : settingsOfAccounts(secured)),
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // Members of a test join one by one and are not waited for; sessions of a test may be shorter than six seconds.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'num.replica.fetchers': 1,
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
    'log.cleaner.io.buffer.size': 64 * 1024,
    // Files of 10 MB would be laid out for every index of every partition.
    'log.index.size.max.bytes': 256 * 1024,
    'log.segment.bytes': 64 * 1024 * 1024,
    'controlled.shutdown.enable': false,
  })
    .map(([key, value]) => `${key}=${String(value)}\n`)
    .join('');
};

/** Whoever comes without an account comes to the other listener, and is the operator of this machine. */
const settingsOfAccounts = ({ certificate }: SecuredListener): Readonly<Record<string, string>> => ({
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
  'ssl.keystore.type': 'PEM',
  'ssl.keystore.location': certificate,
  'sasl.enabled.mechanisms': 'SCRAM-SHA-256',
  'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config':
    'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
});

const answers = async (brokers: string): Promise<boolean> => {
  const kafka = new Kafka({
    clientId: 'local-brokers',
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    if ((await admin.describeCluster()).brokers.length === 0) return false;
    // After a restart it answers before it leads what it keeps.
    const { topics } = await admin.fetchTopicMetadata();
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
};

/** Ports that nobody listens on; the first as wished. */
const freePorts = async (wished: number | undefined): Promise<readonly [number, number, number]> => {
  const first = await held(wished ?? 0);
  const [second, third] = [await held(0), await held(0)];
  const ports = [portOf(first), portOf(second), portOf(third)] as const;
  await Promise.all([first, second, third].map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};

const held = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new LocalBrokerError(`port ${port} of 127.0.0.1 cannot be used (${error.code ?? error.message}): name another`),
      );
    });
    server.listen(port, '127.0.0.1', () => {
      resolve(server);
    });
  });

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new LocalBrokerError('no port was given');
  return address.port;
};

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? 'it said nothing';
