import { describe, expect, it } from '@jest/globals';
import { TopicNames } from './topic-names.js';
import {
  type FoundTopic,
  planTopics,
  settingsFaults,
  settingsOf,
  topicsSettings,
  type WantedTopic,
  wantedTopics,
} from './topic-plan.js';

const names = new TopicNames('p');
const wanted = wantedTopics(names, ['need'], topicsSettings({ partitions: 6 }));

const asFound = (topic: WantedTopic, change: Partial<FoundTopic> = {}): FoundTopic => ({
  name: topic.name,
  partitions: topic.partitions,
  replicationFactor: topic.replicationFactor,
  settings: settingsOf(topic),
  ...change,
});

const [need] = wanted;
if (need === undefined) throw new Error('no topic is wanted');

describe('the topics', () => {
  it('are two for a category and one for dead letters', () => {
    expect(wanted.map(({ name, partitions, cleanupPolicy }) => [name, partitions, cleanupPolicy])).toEqual([
      ['p.need.restricted', 6, 'delete'],
      ['p.need', 6, 'delete'],
      ['p.dead-letters', 1, 'compact'],
    ]);
  });

  it('are made where they are missing, and left alone where they are right', () => {
    expect(planTopics(wanted, [])).toEqual({ create: wanted, change: [], asTheyAre: [], refusals: [] });
    const found = wanted.map((topic) => asFound(topic));
    expect(planTopics(wanted, found)).toEqual({
      create: [],
      change: [],
      asTheyAre: wanted.map(({ name }) => name),
      refusals: [],
    });
  });

  it('are set where a setting differs, and only that', () => {
    const found = asFound(need, { settings: { ...settingsOf(need), 'retention.ms': '1000', other: 'x' } });
    expect(planTopics([need], [found]).change).toEqual([
      { name: 'p.need.restricted', settings: { 'retention.ms': '-1' }, now: { 'retention.ms': '1000' } },
    ]);
  });

  it('never shrink, never grow, and never change their replicas', () => {
    const refusals = (change: Partial<FoundTopic>): readonly string[] =>
      planTopics([need], [asFound(need, change)]).refusals;
    expect(refusals({ partitions: 12 })).toEqual([
      'p.need.restricted has 12 partitions, more than 6: a topic cannot shrink',
    ]);
    expect(refusals({ partitions: 3 })[0]).toMatch(/fewer than 6: more would move records/);
    expect(refusals({ replicationFactor: 3 })[0]).toMatch(/3 replicas, not 1/);
  });

  it('forget sooner only where that is meant', () => {
    const days = (count: number): WantedTopic => ({ ...need, retentionMs: count * 86_400_000 });
    const shorter = (from: WantedTopic, to: WantedTopic, meant = false) =>
      planTopics([to], [asFound(from)], { shortenRetention: meant });
    expect(shorter(need, days(7)).refusals[0]).toMatch(/for -1 ms and would keep them for 604800000 ms/);
    expect(shorter(days(14), days(7)).refusals).toHaveLength(1);
    expect(shorter(days(7), days(14)).refusals).toEqual([]);
    expect(shorter(days(7), need).refusals).toEqual([]);
    expect(shorter(need, days(7), true)).toMatchObject({
      refusals: [],
      change: [{ settings: { 'retention.ms': '604800000' } }],
    });
  });

  it('are refused with the field and what it may be where settings cannot work', () => {
    const { restricted, partner, deadLetters } = topicsSettings();
    expect(settingsFaults({ restricted, partner, deadLetters })).toEqual([]);
    const faults = settingsFaults({
      restricted: { ...restricted, partitions: 0, cleanupPolicy: 'compact' },
      partner: { ...partner, minInSyncReplicas: 2, maxMessageBytes: 1_000_000 },
      deadLetters: { ...deadLetters, partitions: 3, cleanupPolicy: 'delete' },
    });
    expect(faults).toEqual([
      'restricted.partitions is 0: give a whole number from 1',
      'partner.maxMessageBytes is 1000000: give a whole number from 1114112',
      'partner.minInSyncReplicas is 2, more than its replicationFactor: nothing could be sent',
      'restricted.cleanupPolicy is "compact", which keeps only the newest event of a record: give "delete"',
      'deadLetters.cleanupPolicy must be "compact": a dead letter counts until it is taken back',
      'deadLetters.partitions is 3: it must be 1, so that one mark proves that all was read',
    ]);
  });

  it('have a prefix that Kafka takes', () => {
    expect(() => new TopicNames('a b')).toThrow('"a b" is no prefix of topics');
    expect(() => new TopicNames('')).toThrow(RangeError);
    expect([names.group('capacity-holding'), names.source('x')]).toEqual(['p.capacity-holding', '/p/logs/x']);
  });
});
