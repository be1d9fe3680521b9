import { describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { partitionOf } from './partition-of.js';

describe('the partition of a key', () => {
  const javaCompatible = kafkajs.Partitioners.DefaultPartitioner();
  const theirs = (key: string, count: number): number =>
    javaCompatible({
      topic: 't',
      partitionMetadata: Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 1 })) as never,
      message: { key, value: '' },
    });

  it('is the one that Kafka clients choose', () => {
    const keys = [
      '',
      'a',
      'ab',
      'abc',
      'abcd',
      'need-0190',
      'größe',
      '日本',
      ...Array.from({ length: 500 }, (_, n) => `offer-${n * 7919}`),
    ];
    for (const count of [1, 3, 12, 100]) {
      expect(keys.map((key) => partitionOf(key, count))).toEqual(keys.map((key) => theirs(key, count)));
    }
  });
});
