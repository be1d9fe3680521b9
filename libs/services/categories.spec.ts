import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { categoryOfStream } from '#kernel';
import { categories } from './categories.js';

const HISTORY = join(process.cwd(), 'test', 'history');

describe('categories', () => {
  it('hold every stream and event of the logs that were ever kept', () => {
    const types = new Map(categories.map((category) => [category.name, new Set(category.types)]));
    const logs = readdirSync(HISTORY).filter((file) => file.endsWith('.ndjson'));
    expect(logs.length).toBeGreaterThanOrEqual(3);
    const strangers = logs
      .flatMap((log) => readFileSync(join(HISTORY, log), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line) as { readonly stream: string; readonly type: string })
      .filter(({ stream, type }) => types.get(categoryOfStream(stream))?.has(type) !== true);
    expect(strangers).toEqual([]);
    expect(new Set(types.keys()).size).toBe(categories.length);
  });
});
