import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { RecordedEvent } from '#kernel';
import { sampleEvent } from '#kernel-testing';
import { SqliteLogReader } from './log-reader.js';
import { SqliteEventStore } from './sqlite-event-store.js';

/** Events to be compared by the thousand, which `toEqual` does field by field. */
const textOf = (events: readonly RecordedEvent[]): string =>
  JSON.stringify(events, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

describe('what the store keeps in memory', () => {
  let folder: string;
  let store: SqliteEventStore;
  let disk: SqliteLogReader;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pledgebook-recent-'));
    store = SqliteEventStore.open(folder);
    disk = SqliteLogReader.open(folder);
  });

  afterEach(async () => {
    await disk.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const stream = fc.constantFrom('need-1', 'need-2', 'offer-1', '_lease');
  const append = fc.record({
    kind: fc.constant('append' as const),
    stream,
    events: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(1_500)),
    stale: fc.boolean(),
    size: fc.constantFrom(10, 300),
  });
  const readStream = fc.record({
    kind: fc.constant('stream' as const),
    stream,
    back: fc.integer({ min: -2, max: 6 }),
    limit: fc.constantFrom(0, 1, 3, 100_000),
  });
  const readAll = fc.record({
    kind: fc.constant('all' as const),
    back: fc.oneof(fc.integer({ min: -2, max: 8 }), fc.integer({ min: 0, max: 6_000 })),
    limit: fc.constantFrom(0, 1, 3, 100_000),
  });

  test('is what the disk holds, whatever was written, refused and read before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(append, readStream, readAll), { minLength: 5, maxLength: 20 }),
        async (steps) => {
          for (const step of steps) {
            if (step.kind === 'append') {
              const revision = (await disk.readStream(step.stream, 0, 100_000)).length - 1;
              const events = Array.from({ length: step.events }, (_, n) =>
                sampleEvent({ n, text: 'x'.repeat(step.size) }),
              );
              const receipt = store.append(step.stream, step.stale ? revision + 1 : revision, events);
              if (step.stale) await expect(receipt).rejects.toThrow('is at revision');
              else await receipt;
            } else if (step.kind === 'stream') {
              const from = (await disk.readStream(step.stream, 0, 100_000)).length - step.back;
              expect(textOf(await store.readStream(step.stream, from, step.limit))).toBe(
                textOf(await disk.readStream(step.stream, from, step.limit)),
              );
            } else {
              const after = (await disk.head()) - BigInt(step.back);
              expect(textOf(await store.readAll(after, step.limit))).toBe(
                textOf(await disk.readAll(after, step.limit)),
              );
            }
          }
          expect(textOf(await store.readAll(0n, 100_000))).toBe(textOf(await disk.readAll(0n, 100_000)));
        },
      ),
      { numRuns: 6 },
    );
  });
});
