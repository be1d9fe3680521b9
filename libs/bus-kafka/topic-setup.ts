import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { BrokerError } from './broker.js';
import { type KafkaBrokerOptions, kafkaOf } from './kafka-broker.js';
import { type FoundTopic, planTopics, settingsOf, type TopicPlan, type WantedTopic } from './topic-plan.js';

/** Topics are not as they should be, and are not changed: each refusal says why. Nothing was done. */
export class TopicsRefusedError extends Error {
  override readonly name = 'TopicsRefusedError';
  constructor(readonly refusals: readonly string[]) {
    super(refusals.join('\n'));
  }
}

/**
 * Makes the topics that are missing and sets those that differ; a second call changes nothing. Answers what it did.
 * @throws {TopicsRefusedError} where it would have to shrink or move something
 * @throws {BrokerError} naming the topics that the brokers do not make, with what they say of them
 */
export const ensureTopics = async (
  options: KafkaBrokerOptions,
  wanted: readonly WantedTopic[],
  { dryRun = false, shortenRetention = false }: { readonly dryRun?: boolean; readonly shortenRetention?: boolean } = {},
): Promise<TopicPlan> => {
  const admin = kafkaOf(options).admin();
  await admin.connect();
  try {
    const found = await foundTopics(
      admin,
      wanted.map(({ name }) => name),
    );
    const plan = planTopics(wanted, found, { shortenRetention });
    if (plan.refusals.length > 0) throw new TopicsRefusedError(plan.refusals);
    if (!dryRun) await carryOut(admin, plan);
    return plan;
  } finally {
    await admin.disconnect();
  }
};

const foundTopics = async (admin: Admin, names: readonly string[]): Promise<readonly FoundTopic[]> => {
  const all = new Set(await admin.listTopics());
  const topics = names.filter((name) => all.has(name));
  if (topics.length === 0) return [];
  const settings = await settingsFound(admin, topics);
  const metadata = await admin.fetchTopicMetadata({ topics });
  return metadata.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.length,
    replicationFactor: partitions[0]?.replicas.length ?? 0,
    settings: Object.fromEntries((settings.get(name) ?? []).map(({ key, value }) => [key, value])),
  }));
};

interface FoundSetting {
  readonly key: string;
  readonly value: string;
  readonly ofTheTopic: boolean;
}

const settingsFound = async (
  admin: Admin,
  topics: readonly string[],
): Promise<ReadonlyMap<string, readonly FoundSetting[]>> => {
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      configEntries.map(({ configName, configValue, configSource }) => ({
        key: configName,
        value: configValue,
        ofTheTopic: configSource === kafkajs.ConfigSource.TOPIC_CONFIG,
      })),
    ]),
  );
};

/** What the brokers said of the topics that they did not make; kafkajs says only that they said something. */
const notMade = (error: unknown): unknown => {
  if (!(error instanceof kafkajs.KafkaJSAggregateError)) return error;
  const said = new Map<string, string[]>();
  for (const each of error.errors) {
    const { message, topic = '' } = each as Error & { readonly topic?: string };
    said.set(message, [...(said.get(message) ?? []), topic]);
  }
  const sentences = [...said].map(([message, topics]) => `${topics.join(', ')}: ${message}`);
  return new BrokerError(sentences.join('; '), 'TOPICS_NOT_MADE', { cause: error });
};

const carryOut = async (admin: Admin, { create, change }: TopicPlan): Promise<void> => {
  if (create.length > 0) {
    const topics = create.map((topic) => ({
      topic: topic.name,
      numPartitions: topic.partitions,
      replicationFactor: topic.replicationFactor,
      configEntries: Object.entries(settingsOf(topic)).map(([name, value]) => ({ name, value })),
    }));
    await admin.createTopics({ topics }).catch((error: unknown) => {
      throw notMade(error);
    });
  }
  if (change.length === 0) return;
  // The request names all settings of a topic: what an operator set beside ours stays.
  const found = await settingsFound(
    admin,
    change.map(({ name }) => name),
  );
  await admin.alterConfigs({
    validateOnly: false,
    resources: change.map(({ name, settings }) => {
      const own = (found.get(name) ?? []).filter(({ ofTheTopic }) => ofTheTopic);
      const all = { ...Object.fromEntries(own.map(({ key, value }) => [key, value])), ...settings };
      return {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configEntries: Object.entries(all).map(([key, value]) => ({ name: key, value })),
      };
    }),
  });
};
