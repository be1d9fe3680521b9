import { randomBytes } from 'node:crypto';
import type { Category } from '#bus-kafka';
import { ensureTopics, TopicNames, topicsSettings, wantedTopics } from '#bus-kafka';
import { startKafka } from '../../infra/local-brokers/kafka.js';
import { StandInProcess } from '../eventstore-stand-in/process.js';
import type { Folders } from './folders.js';

const PARTITIONS = 3;

/** An event store and a Kafka broker: those of EVENTSTORE_URL and KAFKA_BROKERS, or some started in processes of their own. */
export interface Servers {
  readonly url: string;
  readonly brokers: readonly string[];
  /** Topics of their own for these categories, under a fresh prefix. */
  readonly topics: (categories: readonly Category[]) => Promise<TopicNames>;
  readonly stop: () => Promise<void>;
}

/** @throws {LocalBrokerError} where no broker is given and none can be started: Java or Maven is missing */
export const startServers = async (folders: Folders): Promise<Servers> => {
  const { EVENTSTORE_URL: url = '', KAFKA_BROKERS: brokers = '' } = process.env;
  const kafka = brokers === '' ? await startKafka() : undefined;
  const standIn =
    url === ''
      ? await StandInProcess.start(folders.fresh('eventstore')).catch(async (error: unknown) => {
          await kafka?.stop();
          throw error;
        })
      : undefined;
  const addresses = (kafka?.brokers ?? brokers).split(',');
  return {
    url: standIn?.url ?? url,
    brokers: addresses,
    topics: async (categories) => {
      const names = new TopicNames(`bench${randomBytes(6).toString('hex')}`);
      const wanted = wantedTopics(
        names,
        categories.map(({ name }) => name),
        topicsSettings({ partitions: PARTITIONS }),
      );
      await ensureTopics({ brokers: addresses }, wanted);
      return names;
    },
    stop: async () => {
      await standIn?.kill();
      await kafka?.stop();
    },
  };
};
