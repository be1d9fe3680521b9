import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, ConfigResourceTypes } from 'kafkajs';
import { categories } from '#services';
import { talksTo } from './talks-to.js';

const folder = mkdtempSync(join(tmpdir(), 'kafka-topics-'));
let address: string;
beforeAll(() => {
  address = talksTo('KAFKA_BROKERS');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const prefix = `t${randomBytes(6).toString('hex')}`;

/** Runs the command as it is built. */
const topics = (args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...process.env, KAFKA_BROKERS: address, PLEDGEBOOK_PREFIX: prefix, ...environment };
    execFile(process.execPath, ['dist/infra/kafka-topics.js', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });

const configFile = (content: object): string => {
  const file = join(folder, `${randomBytes(4).toString('hex')}.json`);
  writeFileSync(file, JSON.stringify(content));
  return file;
};

describe('npm run kafka-topics', () => {
  it('makes every topic as it should be, once, and says what it did', async () => {
    const would = await topics(['--partitions', '2', '--dry-run']);
    expect(would.stdout).toMatch(
      new RegExp(`^${prefix}\\.party\\.restricted: would be made, 2 partitions with 1 replicas$`, 'm'),
    );
    const made = await topics(['--partitions', '2']);
    expect([made.code, made.stderr]).toEqual([0, '']);
    const lines = made.stdout.trim().split('\n');
    // Two for each category, the dead letters, and the line that counts.
    expect(lines).toHaveLength(2 * categories.length + 2);
    expect(lines).toContain(`${prefix}.need.restricted: made, 2 partitions with 1 replicas`);
    expect(lines).toContain(`${prefix}.dead-letters: made, 1 partitions with 1 replicas`);
    expect(lines.at(-1)).toBe('0 topics are as they should be');
    expect((await topics(['--partitions', '2'])).stdout).toBe(
      `${2 * categories.length + 1} topics are as they should be\n`,
    );
  });

  it('sets what differs and leaves what an operator set beside it', async () => {
    const admin = new Kafka({ brokers: address.split(','), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const resource = { type: ConfigResourceTypes.TOPIC, name: `${prefix}.need` };
    const settings = async (): Promise<Record<string, string>> => {
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
      return Object.fromEntries(
        resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
      );
    };
    try {
      const before = Object.entries(await settings()).filter(([key]) =>
        ['cleanup.policy', 'retention.ms', 'min.insync.replicas', 'max.message.bytes'].includes(key),
      );
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            ...resource,
            configEntries: [...before, ['segment.ms', '86400000']].map(([name, value]) => ({
              name: name!,
              value: value!,
            })),
          },
        ],
      });
      const days = configFile({ partner: { retentionMs: 604_800_000 } });
      const refused = await topics(['--partitions', '2', '--config', days]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/Nothing was changed:\n- .*--shorten-retention if that is meant/);
      expect((await settings())['retention.ms']).toBe('-1');
      const set = await topics(['--partitions', '2', '--config', days, '--shorten-retention']);
      expect([set.code, set.stderr]).toEqual([0, '']);
      expect(set.stdout).toContain(`${prefix}.need: set, retention.ms from -1 to 604800000\n`);
      expect(set.stdout).toContain(`${categories.length + 1} topics are as they should be`);
      expect(await settings()).toMatchObject({ 'retention.ms': '604800000', 'segment.ms': '86400000' });
    } finally {
      await admin.disconnect();
    }
  });

  it('refuses to shrink and to grow, and changes nothing then', async () => {
    for (const [partitions, why] of [
      ['1', 'a topic cannot shrink'],
      ['3', 'their order would be lost'],
    ] as const) {
      const refused = await topics(['--partitions', partitions]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(why);
    }
  });

  it('names what is wrong with its input', async () => {
    const wrong: readonly (readonly [args: string[], environment: NodeJS.ProcessEnv, code: number, why: string])[] = [
      [['--partitions', 'many'], {}, 2, '--partitions is "many": give a whole number from 1'],
      [['--size', '3'], {}, 2, "Unknown option '--size'"],
      [[], { KAFKA_BROKERS: '' }, 2, 'KAFKA_BROKERS must be set: host:port of some brokers'],
      [[], { PLEDGEBOOK_PREFIX: 'a b' }, 2, '"a b" is no prefix of topics'],
      [['--config', join(folder, 'none.json')], {}, 2, 'cannot be read as JSON'],
      [['--config', configFile({ partner: { retention: 1 } })], {}, 2, 'names partner.retention: only partitions,'],
      [['--config', configFile({ partners: {} })], {}, 2, 'names "partners": only restricted, partner, deadLetters'],
      [['--min-in-sync', '2'], {}, 2, 'restricted.minInSyncReplicas is 2, more than its replicationFactor'],
      [['--replication', '3'], {}, 1, `KAFKA_BROKERS=${address}`],
      [[], { KAFKA_BROKERS: '127.0.0.1:1' }, 1, 'KAFKA_BROKERS=127.0.0.1:1: '],
    ];
    for (const [args, environment, code, why] of wrong) {
      const ended = await topics(args, { PLEDGEBOOK_PREFIX: `${prefix}x`, ...environment });
      expect([args, environment, ended.code]).toEqual([args, environment, code]);
      expect(ended.stderr).toContain(why);
    }
  });
});
