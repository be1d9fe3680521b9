import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  ensureTopics,
  type KafkaBrokerOptions,
  settingsFaults,
  TopicNames,
  type TopicPlan,
  TopicsRefusedError,
  type TopicsSettings,
  topicsSettings,
  wantedTopics,
} from '#bus-kafka';

const USAGE = `npm run kafka-topics -- [options]      makes the topics of KAFKA_BROKERS as they should be; a second run changes nothing

  --partitions <n>       partitions of every event topic (12); final: records would move
  --replication <n>      replicas of every topic (1; 3 in production)
  --min-in-sync <n>      replicas that must have a message before it counts as sent (1; 2 in production)
  --config <file>        JSON with "restricted", "partner" and "deadLetters", each with any of partitions, replicationFactor,
                         minInSyncReplicas, retentionMs (-1: for ever), cleanupPolicy, maxMessageBytes
  --shorten-retention    lets a topic forget sooner what it holds
  --dry-run              says what it would do

PLEDGEBOOK_PREFIX (pledgebook) is what topics begin with; KAFKA_TLS and KAFKA_SASL_… are as for the services. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.`;

/** Wrong usage, with a sentence for people. */
class UsageError extends Error {}

const whole = (option: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,6}$/.test(text) || Number(text) === 0) {
    throw new UsageError(`--${option} is "${text}": give a whole number from 1`);
  }
  return Number(text);
};

const KINDS = ['restricted', 'partner', 'deadLetters'] as const;
const FIELDS = [
  'partitions',
  'replicationFactor',
  'minInSyncReplicas',
  'retentionMs',
  'cleanupPolicy',
  'maxMessageBytes',
];

const withFile = (settings: TopicsSettings, file: string): TopicsSettings => {
  let given: unknown;
  try {
    given = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--config ${file} cannot be read as JSON: ${(error as Error).message}`);
  }
  if (typeof given !== 'object' || given === null) throw new UsageError(`--config ${file} is not a JSON object`);
  for (const [kind, fields] of Object.entries(given)) {
    if (!KINDS.some((known) => known === kind)) {
      throw new UsageError(`--config ${file} names "${kind}": only ${KINDS.join(', ')} are known`);
    }
    for (const field of Object.keys(fields as object)) {
      if (!FIELDS.includes(field)) {
        throw new UsageError(`--config ${file} names ${kind}.${field}: only ${FIELDS.join(', ')} are known`);
      }
    }
  }
  const { restricted, partner, deadLetters } = given as Partial<TopicsSettings>;
  return {
    restricted: { ...settings.restricted, ...restricted },
    partner: { ...settings.partner, ...partner },
    deadLetters: { ...settings.deadLetters, ...deadLetters },
  };
};

const optionsOf = (args: readonly string[]) => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        partitions: text,
        replication: text,
        'min-in-sync': text,
        config: text,
        'shorten-retention': flag,
        'dry-run': flag,
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

const settingsFor = (options: ReturnType<typeof optionsOf>): TopicsSettings => {
  const partitions = whole('partitions', options.partitions);
  const replicationFactor = whole('replication', options.replication);
  const minInSyncReplicas = whole('min-in-sync', options['min-in-sync']);
  const settings = topicsSettings({
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(minInSyncReplicas === undefined ? {} : { minInSyncReplicas }),
  });
  const all = options.config === undefined ? settings : withFile(settings, options.config);
  const faults = settingsFaults(all);
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return all;
};

const report = ({ create, change, asTheyAre }: TopicPlan, dryRun: boolean): void => {
  const would = dryRun ? 'would be ' : '';
  for (const { name, partitions, replicationFactor } of create) {
    console.log(`${name}: ${would}made, ${partitions} partitions with ${replicationFactor} replicas`);
  }
  for (const { name, settings, now } of change) {
    const differences = Object.entries(settings).map(
      ([key, value]) => `${key} from ${now[key] ?? 'nothing'} to ${value}`,
    );
    console.log(`${name}: ${would}set, ${differences.join(', ')}`);
  }
  console.log(`${asTheyAre.length} topics are as they should be`);
};

/** @throws {UsageError} */
const kafkaOf = async (environment: NodeJS.ProcessEnv): Promise<KafkaBrokerOptions> => {
  const { SettingError, Variables } = await import('#hosting');
  const { kafkaSettings } = await import('#distributed');
  try {
    return kafkaSettings(new Variables(environment));
  } catch (error) {
    throw error instanceof SettingError ? new UsageError(error.message) : error;
  }
};

const run = async (args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> => {
  const options = optionsOf(args);
  if (options.help === true) {
    console.log(USAGE);
    return;
  }
  const settings = settingsFor(options);
  // Only now: all contexts come with it, and a wrong option is told sooner without.
  const kafka = await kafkaOf(environment);
  const prefix = environment.PLEDGEBOOK_PREFIX;
  const names = new TopicNames(prefix === undefined || prefix === '' ? undefined : prefix);
  const { categories } = await import('#services');
  const wanted = wantedTopics(
    names,
    categories.map(({ name }) => name),
    settings,
  );
  const dryRun = options['dry-run'] === true;
  const plan = await ensureTopics(kafka, wanted, {
    dryRun,
    shortenRetention: options['shorten-retention'] === true,
  });
  report(plan, dryRun);
};

try {
  await run(process.argv.slice(2), process.env);
} catch (error) {
  if (error instanceof UsageError || error instanceof RangeError) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else if (error instanceof TopicsRefusedError) {
    console.error(`Nothing was changed:\n${error.refusals.map((refusal) => `- ${refusal}`).join('\n')}`);
    process.exitCode = 1;
  } else {
    console.error(
      `KAFKA_BROKERS=${process.env.KAFKA_BROKERS ?? ''}: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = 1;
  }
}
