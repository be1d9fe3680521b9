import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { categoryOfStream } from '#kernel';
import { categories } from './categories.js';
import { contexts } from './contexts.js';

const HISTORY = join(process.cwd(), 'test', 'history');

describe('categories', () => {
  it('hold every event type that a context writes, and no other', () => {
    const written = contexts.flatMap(({ schemas }) => Object.keys(schemas));
    expect(new Set(categories.flatMap(({ types }) => types))).toEqual(new Set(written));
  });

  it('hold every stream and event of the logs that were ever kept', () => {
    const types = new Map(categories.map((category) => [category.name, new Set(category.types)]));
    const logs = readdirSync(HISTORY).filter((file) => file.endsWith('.ndjson'));
    expect(logs.length).toBeGreaterThanOrEqual(3);
    const strangers = logs
      .flatMap((log) => readFileSync(join(HISTORY, log), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line) as { readonly stream: string; readonly type: string })
      .filter(({ stream, type }) => types.get(categoryOfStream(stream))?.has(type) !== true);
    expect(strangers).toEqual([]);
  });
});
