import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { TopicNames } from '#bus-kafka';

/** Topics of their own for a test: names under a random prefix, and the topics of one category. */
export const freshTopics = async (
  brokers: string,
  {
    categories = ['counter'],
    partitions = 3,
  }: { readonly categories?: readonly string[]; readonly partitions?: number } = {},
): Promise<TopicNames> => {
  const names = new TopicNames(`t${randomBytes(6).toString('hex')}`);
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topic = (name: string, numPartitions: number) => ({ topic: name, numPartitions, replicationFactor: 1 });
  await admin.createTopics({
    topics: [
      ...categories.flatMap((category) => [
        topic(names.restricted(category), partitions),
        topic(names.partner(category), partitions),
      ]),
      topic(names.deadLetters, 1),
    ],
  });
  await admin.disconnect();
  return names;
};
