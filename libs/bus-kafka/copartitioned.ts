import kafkajs from 'kafkajs';
import type { PartitionAssigner } from 'kafkajs';

const { AssignerProtocol } = kafkajs;

/**
 * Gives partition `n` of every topic to the same member, among those that subscribe to the topic: kafkajs's own assigner takes every
 * member for a reader of the leader's topics, which fails during a rolling upgrade that adds one.
 */
export const copartitioned: PartitionAssigner = ({ cluster }) => ({
  name: 'Copartitioned',
  version: 1,
  protocol: ({ topics }) => ({
    name: 'Copartitioned',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [...topics], userData: Buffer.alloc(0) }),
  }),
  assign: async ({ members }) => {
    const readers = members
      .map(({ memberId, memberMetadata }) => ({
        memberId,
        topics: new Set(AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? []),
        partitions: new Map<string, number[]>(),
      }))
      .sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
    const all = [...new Set(readers.flatMap(({ topics }) => [...topics]))];
    // A member may read what we do not.
    await cluster.addMultipleTargetTopics(all);
    for (const topic of all) {
      const of = readers.filter(({ topics }) => topics.has(topic));
      for (const { partitionId } of cluster.findTopicPartitionMetadata(topic)) {
        const reader = of[partitionId % of.length];
        reader?.partitions.set(topic, [...(reader.partitions.get(topic) ?? []), partitionId]);
      }
    }
    return readers.map(({ memberId, partitions }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 1,
        assignment: Object.fromEntries(partitions),
        userData: Buffer.alloc(0),
      }),
    }));
  },
});
