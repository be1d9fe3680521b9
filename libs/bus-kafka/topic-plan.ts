import type { TopicNames } from './topic-names.js';

/** How the topics of one kind are kept. */
export interface TopicSettings {
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Replicas that must have a message before it counts as sent. */
  readonly minInSyncReplicas: number;
  /** How long messages are kept, in milliseconds; -1 for ever. Of no effect with `compact`. */
  readonly retentionMs: number;
  readonly cleanupPolicy: 'delete' | 'compact';
  /** Largest batch of one partition, in bytes. An event may have 1 MiB of data, and headers beside it. */
  readonly maxMessageBytes: number;
}

export interface TopicsSettings {
  readonly restricted: TopicSettings;
  readonly partner: TopicSettings;
  readonly deadLetters: TopicSettings;
}

/** A topic as it should be. */
export interface WantedTopic extends TopicSettings {
  readonly name: string;
}

/** A topic as the broker has it. */
export interface FoundTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Settings by Kafka's names. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface TopicPlan {
  readonly create: readonly WantedTopic[];
  /** Settings to change, by Kafka's names, with what they are now. */
  readonly change: readonly {
    readonly name: string;
    readonly settings: Readonly<Record<string, string>>;
    readonly now: Readonly<Record<string, string | undefined>>;
  }[];
  readonly asTheyAre: readonly string[];
  /** What is not done, and why: sentences for people. With any of them nothing is to be done. */
  readonly refusals: readonly string[];
}

const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;
const MIN_MESSAGE_BYTES = 1024 * 1024 + 64 * 1024;

/** One broker, messages kept for ever: what a machine of one's own runs with. Wake-ups are small; partners may want less. */
export const topicsSettings = (
  given: Partial<Pick<TopicSettings, 'partitions' | 'replicationFactor' | 'minInSyncReplicas'>> = {},
): TopicsSettings => {
  const { partitions = 12, replicationFactor = 1, minInSyncReplicas = 1 } = given;
  const events: TopicSettings = {
    partitions,
    replicationFactor,
    minInSyncReplicas,
    retentionMs: -1,
    cleanupPolicy: 'delete',
    maxMessageBytes: MAX_MESSAGE_BYTES,
  };
  return { restricted: events, partner: events, deadLetters: { ...events, partitions: 1, cleanupPolicy: 'compact' } };
};

/** Every topic under these names. */
export const wantedTopics = (
  names: TopicNames,
  categories: readonly string[],
  { restricted, partner, deadLetters }: TopicsSettings,
): readonly WantedTopic[] => [
  ...categories.flatMap((category) => [
    { name: names.restricted(category), ...restricted },
    { name: names.partner(category), ...partner },
  ]),
  { name: names.deadLetters, ...deadLetters },
];

/** What is wrong with these settings, whatever a broker has; each names its field. */
export const settingsFaults = ({ restricted, partner, deadLetters }: TopicsSettings): readonly string[] => {
  const faults: string[] = [];
  for (const [kind, of] of Object.entries({ restricted, partner, deadLetters })) {
    const whole = (field: keyof TopicSettings, least: number): void => {
      const value = of[field];
      if (!Number.isSafeInteger(value) || Number(value) < least) {
        faults.push(`${kind}.${field} is ${String(value)}: give a whole number from ${least}`);
      }
    };
    whole('partitions', 1);
    whole('replicationFactor', 1);
    whole('minInSyncReplicas', 1);
    whole('retentionMs', -1);
    whole('maxMessageBytes', MIN_MESSAGE_BYTES);
    if (of.minInSyncReplicas > of.replicationFactor) {
      faults.push(
        `${kind}.minInSyncReplicas is ${of.minInSyncReplicas}, more than its replicationFactor: nothing could be sent`,
      );
    }
    if (!['delete', 'compact'].includes(of.cleanupPolicy)) {
      faults.push(`${kind}.cleanupPolicy is "${of.cleanupPolicy}": give "delete" or "compact"`);
    }
  }
  for (const [kind, of] of Object.entries({ restricted, partner })) {
    if (of.cleanupPolicy === 'compact') {
      faults.push(`${kind}.cleanupPolicy is "compact", which keeps only the newest event of a record: give "delete"`);
    }
  }
  if (deadLetters.cleanupPolicy !== 'compact') {
    faults.push('deadLetters.cleanupPolicy must be "compact": a dead letter counts until it is taken back');
  }
  if (deadLetters.partitions !== 1) {
    faults.push(
      `deadLetters.partitions is ${deadLetters.partitions}: it must be 1, so that one mark proves that all was read`,
    );
  }
  return faults;
};

/** Compares what should be with what is. Partitions and replicas stay as they are once a topic exists. */
export const planTopics = (
  wanted: readonly WantedTopic[],
  found: readonly FoundTopic[],
  { shortenRetention = false }: { readonly shortenRetention?: boolean } = {},
): TopicPlan => {
  const byName = new Map(found.map((topic) => [topic.name, topic]));
  const create: WantedTopic[] = [];
  const change: TopicPlan['change'][number][] = [];
  const asTheyAre: string[] = [];
  const refusals: string[] = [];
  for (const topic of wanted) {
    const { name } = topic;
    const is = byName.get(name);
    if (is === undefined) {
      create.push(topic);
      continue;
    }
    refusals.push(...partitionRefusals(topic, is));
    const settings = Object.fromEntries(
      Object.entries(settingsOf(topic)).filter(([key, value]) => is.settings[key] !== value),
    );
    const { 'retention.ms': retention } = settings;
    if (retention !== undefined && !shortenRetention && isShorter(retention, is.settings['retention.ms'])) {
      refusals.push(
        `${name} keeps messages for ${is.settings['retention.ms'] ?? '?'} ms and would keep them for ${retention} ms: what is older would go at once. Say --shorten-retention if that is meant`,
      );
    }
    if (Object.keys(settings).length === 0) asTheyAre.push(name);
    else {
      const now = Object.fromEntries(Object.keys(settings).map((key) => [key, is.settings[key]]));
      change.push({ name, settings, now });
    }
  }
  return { create, change, asTheyAre, refusals };
};

/** The settings of a topic by Kafka's names. */
export const settingsOf = (topic: TopicSettings): Readonly<Record<string, string>> => ({
  'cleanup.policy': topic.cleanupPolicy,
  'retention.ms': String(topic.cleanupPolicy === 'compact' ? -1 : topic.retentionMs),
  'min.insync.replicas': String(topic.minInSyncReplicas),
  'max.message.bytes': String(topic.maxMessageBytes),
});

const partitionRefusals = ({ name, partitions, replicationFactor }: WantedTopic, is: FoundTopic): readonly string[] => [
  ...(partitions < is.partitions
    ? [`${name} has ${is.partitions} partitions, more than ${partitions}: a topic cannot shrink`]
    : []),
  ...(partitions > is.partitions
    ? [
        `${name} has ${is.partitions} partitions, fewer than ${partitions}: more would move records to other partitions, and their order would be lost. Make topics under a new prefix instead`,
      ]
    : []),
  ...(replicationFactor === is.replicationFactor
    ? []
    : [
        `${name} has ${is.replicationFactor} replicas, not ${replicationFactor}: move them with Kafka's kafka-reassign-partitions`,
      ]),
];

const isShorter = (wanted: string, is: string | undefined): boolean =>
  wanted !== '-1' && (is === undefined || is === '-1' || Number(wanted) < Number(is));
