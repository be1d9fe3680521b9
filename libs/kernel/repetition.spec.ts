import type { CounterCommand } from '#kernel-testing';
import { counter, InMemoryEventStore } from '#kernel-testing';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from './clock.js';
import type { CommandContext } from './decider.js';
import { derivedId } from './ids.js';
import { Transactor } from './transact.js';

const actor = { party: 'state:VUT', role: 'npc', subject: 's' };

// I15. Seen to fail when transact left out its look for an earlier receipt, and when event ids were random and the receipt forgotten.
describe('commands repeated in any order, side by side and after restarts', () => {
  it('each write once, and tell the receipt they told first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            key: fc.nat(5),
            stream: fc.constantFrom('1', '2'),
            restart: fc.boolean(),
            together: fc.boolean(),
          }),
          { minLength: 1, maxLength: 30 },
        ),
        async (calls) => {
          const store = new InMemoryEventStore();
          const clock = new ManualClock('2026-11-22T10:00:00.000Z');
          let transactor = new Transactor(store, clock);
          const receipts = new Map<string, string>();
          const run = async (stream: string, key: number): Promise<void> => {
            const scope = `${stream}/${key}`;
            const outcome = await transactor.transact(
              counter,
              stream,
              (by: CommandContext): CounterCommand => ({ type: 'RaiseTwice', amount: 1, by }),
              { commandId: derivedId(scope), correlationId: 'c', causationId: null, actor, request: scope },
            );
            if (outcome.kind !== 'written' && outcome.kind !== 'repeated') throw new Error(outcome.kind);
            const receipt = `${outcome.revision}@${outcome.position}`;
            expect(receipts.get(scope) ?? receipt).toBe(receipt);
            receipts.set(scope, receipt);
          };
          for (const { key, stream, restart, together } of calls) {
            if (restart) transactor = new Transactor(store, clock);
            await Promise.all([run(stream, key), ...(together ? [run(stream, key)] : [])]);
          }
          const written = await store.readAll(0n, 1_000);
          expect(written).toHaveLength(2 * receipts.size);
          expect(new Set(written.map(({ id }) => id)).size).toBe(written.length);
          await store.close();
        },
      ),
      { numRuns: 50 },
    );
  });
});
