export type { KafkaBusAlarm } from './alarms.js';
export type {
  GroupListener,
  GroupMember,
  OffsetRange,
  OutgoingMessage,
  SentTo,
  TopicMessage,
  TopicPartition,
} from './broker.js';
export { Broker, BrokerError, TopicProducer } from './broker.js';
export { DeadLetters } from './dead-letters.js';
export type { KafkaBrokerOptions } from './kafka-broker.js';
export { KafkaBroker } from './kafka-broker.js';
export type { KafkaMessageBusOptions, ProcessStanding } from './kafka-message-bus.js';
export { KafkaMessageBus } from './kafka-message-bus.js';
export { partitionOf } from './partition-of.js';
export type { SubscriptionOptions } from './process-subscription.js';
export type { LaneStatus, RelayAlarm, RelayOptions, RelayStatus } from './relay.js';
export { Relay } from './relay.js';
export type { Category } from './topic-names.js';
export { TopicNames } from './topic-names.js';
export type { TopicPlan, TopicSettings, TopicsSettings, WantedTopic } from './topic-plan.js';
export { settingsFaults, topicsSettings, wantedTopics } from './topic-plan.js';
export { ensureTopics, TopicsRefusedError } from './topic-setup.js';
