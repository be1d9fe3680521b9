import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ANONYMOUS } from '#directory/contract';
import type { Decider, DomainEvent, Rejection } from '#kernel';
import { accept, ManualClock, Transactor, Upcasting } from '#kernel';
import { InMemoryEventStore, sampleEvent } from '#kernel-testing';
import type { ClockName, RecordKind } from '#web';
import { momentOf, RecordKinds } from '#web';
import { AuditLog } from './audit-log.js';

type Written = DomainEvent & { readonly type: 'SampleRecorded'; readonly data: { readonly letter: string } };
type Write = { readonly type: 'Write'; readonly by: never };

/** A record that says in which order its events were folded. */
const page: Decider<string, Write, Written, Rejection> = {
  category: 'page',
  initial: '',
  schemas: { SampleRecorded: 1 },
  decide: () => accept(),
  evolve: (state, { data }) => state + data.letter,
};
const PAGES: RecordKind<string, Write, Written, Rejection> = {
  decider: page,
  path: '/v1/pages',
  exists: (state) => state !== '',
  sees: () => true,
  permits: () => false,
  view: (_caller, id, { state }) => ({ id, text: state }),
  maskEvent: (_caller, _state, { data }) => data,
};

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const day = (n: number): string => new Date(START + n * DAY_MS).toISOString().slice(0, 10);
const instant = fc.integer({ min: 0, max: 60 * 24 }).map((hour) => new Date(START + hour * 3_600_000).toISOString());
/** When it happened, as closely as it is known, and the last millisecond of that. */
const happened = fc.oneof(
  instant.map((text) => ({ text, last: Date.parse(text) })),
  fc.integer({ min: 0, max: 60 }).map((n) => ({ text: day(n), last: START + (n + 1) * DAY_MS - 1 })),
  fc
    .integer({ min: 0, max: 2 })
    .map((month) => ({ text: `2026-0${month + 1}`, last: Date.UTC(2026, month + 1, 1) - 1 })),
  fc.constant({ text: '2025', last: START - 1 }),
);
const written = fc.record({ letter: fc.constantFrom('a', 'b', 'c', 'd'), effective: happened });
/** One append: events of one stream, recorded at one moment, with positions of their own. */
const append = fc.record({
  stream: fc.constantFrom('page-1', 'page-2', 'page-3'),
  events: fc.array(written, { minLength: 1, maxLength: 4 }),
});
const histories = fc
  .array(append, { minLength: 1, maxLength: 12 })
  .chain((appends) => fc.tuple(fc.constant(appends), fc.array(instant, { minLength: 12, maxLength: 12 })));
interface Asked {
  readonly at: string;
  readonly clock: ClockName;
  /** The last position, or millisecond, that counts. */
  readonly last: number;
}
const lastOf = (when: string): number => (when.length === 10 ? Date.parse(when) + DAY_MS - 1 : Date.parse(when));
const moments = fc.oneof(
  fc.integer({ min: 0, max: 50 }).map((n): Asked => ({ at: String(n), clock: 'recorded', last: n })),
  fc
    .tuple(
      fc.oneof(instant, fc.integer({ min: 0, max: 61 }).map(day)),
      fc.constantFrom<ClockName>('recorded', 'effective'),
    )
    .map(([at, clock]): Asked => ({ at, clock, last: lastOf(at) })),
);

// Seen failing with `<` for `<=` a position, with effective times compared as texts, and with events folded in the order they happened.
test('boards as of a position or a time are a fold of what counts then, in the order of the record, on both clocks (I13)', async () => {
  await fc.assert(
    fc.asyncProperty(histories, moments, async ([appends, times], { at, clock, last }) => {
      const store = new InMemoryEventStore();
      const expected = new Map<string, { text: string; revision: number }>();
      const revisions = new Map<string, number>();
      let position = 0;
      // Servers record in the order of their own clocks.
      const recorded = [...times].sort();
      for (const [n, { stream, events }] of appends.entries()) {
        const recordedAt = recorded[n] ?? '';
        const revision = revisions.get(stream) ?? -1;
        const made = events.map(({ letter, effective }) => {
          const event = sampleEvent({ letter });
          return { ...event, metadata: { ...event.metadata, recordedAt, effectiveAt: effective.text } };
        });
        await store.append(stream, revision, made);
        revisions.set(stream, revision + events.length);
        for (const [place, { letter, effective }] of events.entries()) {
          position += 1;
          const reckoned = /^\d+$/.test(at) ? position : clock === 'recorded' ? Date.parse(recordedAt) : effective.last;
          if (reckoned > last) continue;
          const text = (expected.get(stream)?.text ?? '') + letter;
          expected.set(stream, { text, revision: revision + 1 + place });
        }
      }
      const kinds = new RecordKinds();
      kinds.add(PAGES);
      const manual = new ManualClock('2026-04-01T00:00:00.000Z');
      const log = new AuditLog(store, new Transactor(store, manual), kinds, new Upcasting([]), manual);
      const { boards } = await log.boards(ANONYMOUS, momentOf(at, clock));
      const shown = (boards.pages ?? []) as readonly { id: string; text: string; revision: number }[];
      expect(new Map(shown.map(({ id, text, revision }) => [`page-${id}`, { text, revision }]))).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
