import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafka } from '../../infra/local-brokers/kafka.js';
import { StandInProcess } from '../eventstore-stand-in/process.js';

/** A server that suites talk to. */
interface Server {
  /** Environment variable by which suites are told where it is. */
  readonly variable: string;
  readonly what: string;
  /** Starts one on this machine; answers what to put into the variable. */
  readonly start: () => Promise<{
    readonly address: string;
    readonly version: string;
    readonly stop: () => Promise<void>;
  }>;
}

const SERVERS: readonly Server[] = [
  {
    variable: 'KAFKA_BROKERS',
    what: 'Apache Kafka',
    start: async () => {
      const kafka = await startKafka();
      return { address: kafka.brokers, version: kafka.version, stop: () => kafka.stop() };
    },
  },
  {
    variable: 'EVENTSTORE_URL',
    what: 'the stand-in of EventStoreDB',
    start: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'eventstore-'));
      const standIn = await StandInProcess.start(folder);
      return {
        address: standIn.url,
        version: '23.10.8',
        stop: async () => {
          await standIn.kill();
          rmSync(folder, { recursive: true });
        },
      };
    },
  },
];

/** Starts every server that the environment does not name, and names it there. */
export const startServers = async (
  environment: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<{ readonly stop: () => Promise<void> }> => {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((each) => each()));
  };
  try {
    for (const { variable, what, start } of SERVERS) {
      const given = environment[variable];
      if (given !== undefined && given !== '') {
        say(`${what}: ${given}, as ${variable} says`);
        continue;
      }
      const { address, version, stop: end } = await start();
      stops.push(end);
      environment[variable] = address;
      environment[`${variable}_STARTED`] = `${what} ${version}, started for this run`;
      say(`${what} ${version}: ${address}, started for this run`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
};
