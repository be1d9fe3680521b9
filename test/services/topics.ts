import { randomBytes } from 'node:crypto';
import { ensureTopics, TopicNames, topicsSettings, wantedTopics } from '#bus-kafka';

/** Topics of their own for a test: names under a random prefix, and the topics of its categories. */
export const freshTopics = async (
  brokers: string,
  {
    categories = ['counter'],
    partitions = 3,
  }: { readonly categories?: readonly string[]; readonly partitions?: number } = {},
): Promise<TopicNames> => {
  const names = new TopicNames(`t${randomBytes(6).toString('hex')}`);
  await ensureTopics({ brokers: brokers.split(',') }, wantedTopics(names, categories, topicsSettings({ partitions })));
  return names;
};
