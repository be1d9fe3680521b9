import { suggestedCommitmentId } from '#commitments/contract';
import type { DomainEvent, RecordedEvent } from '#kernel';
import { applyToModel } from '#kernel';
import { projectionScenario, recordedEvent } from '#kernel-testing';
import { MemoryReadDatabase } from '#read-database';
import type { AllocationEvent, SharedLine } from '../allocation/allocation.contract.js';
import type { SuggestionFilter } from './suggestions.projection.js';
import { suggestionIdOf, suggestionRow, suggestionRows, suggestions } from './suggestions.projection.js';

const line = (n: number): SharedLine => ({
  ...{ n, needId: `n${n}`, needLine: 1, offerId: 'o1', offerLine: 1, quantity: { measure: 'seats', amount: '2' } },
});
const started: AllocationEvent = {
  type: 'AllocationStarted',
  data: { ruleset: '3', needLines: 3, offerLines: 3, pairs: 3 },
};
const shared = (party: string, ...lines: readonly SharedLine[]): AllocationEvent => ({
  type: 'AllocationShared',
  data: { party, lines, ...(party === 'donor:japan' ? { note: 'See' } : {}) },
});
const proposed: DomainEvent = { type: 'CommitmentProposed', data: {} };
const commitmentOf = (n: number): string => suggestedCommitmentId(suggestionIdOf('a', line(n)));

const log = (...events: readonly (readonly [stream: string, event: DomainEvent])[]): RecordedEvent[] =>
  events.map(([stream, event], at) =>
    recordedEvent(
      stream,
      at,
      event,
      { recordedAt: `2026-11-22T10:00:0${at}.000Z`, actor: { party: 'agency:secretariat', role: 'coordinator' } },
      BigInt(at + 1),
    ),
  );

const HISTORY = log(
  ['allocation-a', started],
  ['allocation-a', shared('donor:japan', line(0), line(2))],
  ['allocation-a', shared('donor:japan', line(1))],
  [`commitment-${commitmentOf(2)}`, proposed],
  ['commitment-another', proposed],
  ['allocation-a', shared('donor:norway', line(2))],
);

const pairsOf = (party: string, filter: SuggestionFilter = {}, order: object = {}): readonly string[] => {
  const database = new MemoryReadDatabase();
  const model = database.open(suggestions);
  applyToModel(suggestions, model, HISTORY, (event) => event);
  const rows = suggestionRows(model, party, filter, { limit: 10, ...order });
  for (const row of rows) expect(suggestionRow(model, party, row.id)).toEqual(row);
  expect(suggestionRow(model, 'donor:other', rows[0]?.id ?? '')).toBeUndefined();
  model.close();
  database.close();
  return rows.map(({ needId, commitmentId }) => `${needId}${commitmentId === undefined ? '' : ' proposed'}`);
};

describe('what a party was told of runs', () => {
  it('is the same however the log is cut', () => {
    expect(projectionScenario(suggestions, HISTORY).suggestion).toHaveLength(4);
  });

  it('is listed newest first, and knows what was proposed, also before another provider was told', () => {
    expect(pairsOf('donor:japan')).toEqual(['n1', 'n0', 'n2 proposed']);
    expect(pairsOf('donor:norway')).toEqual(['n2 proposed']);
    expect(pairsOf('donor:other')).toEqual([]);
    expect(pairsOf('donor:japan', {}, { oldestFirst: true })).toEqual(['n0', 'n2 proposed', 'n1']);
  });

  it('is narrowed and paged', () => {
    expect(pairsOf('donor:japan', { proposed: false })).toEqual(['n1', 'n0']);
    expect(pairsOf('donor:japan', { proposed: true })).toEqual(['n2 proposed']);
    expect(pairsOf('donor:japan', { needId: 'n0', offerId: 'o1', allocationId: 'a' })).toEqual(['n0']);
    expect(pairsOf('donor:japan', { allocationId: 'b' })).toEqual([]);
    expect(pairsOf('donor:japan', {}, { limit: 1, after: { position: 3, at: 0 } })).toEqual(['n0']);
    expect(pairsOf('donor:japan', {}, { after: { position: 2, at: 0 } })).toEqual(['n2 proposed']);
    expect(pairsOf('donor:japan', {}, { oldestFirst: true, after: { position: 2, at: 0 } })).toEqual([
      'n2 proposed',
      'n1',
    ]);
  });

  it('says when the run was, and who shared it when', () => {
    const database = new MemoryReadDatabase();
    const model = database.open(suggestions);
    applyToModel(suggestions, model, HISTORY, (event) => event);
    expect(suggestionRow(model, 'donor:japan', suggestionIdOf('a', line(2)))).toEqual({
      ...{ id: suggestionIdOf('a', line(2)), place: { position: 2, at: 1 }, allocationId: 'a' },
      ...{ needId: 'n2', needLine: 1, offerId: 'o1', offerLine: 1, quantity: { measure: 'seats', amount: '2' } },
      ...{ ranAt: '2026-11-22T10:00:00.000Z', sharedAt: '2026-11-22T10:00:01.000Z', sharedBy: 'agency:secretariat' },
      ...{ note: 'See', commitmentId: commitmentOf(2) },
    });
    model.close();
    database.close();
  });
});
