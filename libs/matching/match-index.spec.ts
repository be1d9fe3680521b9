import type { Networks } from '#directory/contract';
import type { ProjectionRunner, SqlRow, SqlValue } from '#kernel';
import { SystemClock } from '#kernel';
import { IndexedWorld } from './indexed-world.fixture.js';
import { MatchIndex } from './match-index.js';
import { Chance } from './rules/small-worlds.fixture.js';

describe('the match index', () => {
  it('finds what is labelled eligible without reading all that is live', () => {
    const { model } = new IndexedWorld(new Chance(1));
    const plans: unknown[] = [];
    const explained = {
      get: (sql: string, ...parameters: SqlValue[]) => model.get(sql, ...parameters),
      all: (sql: string, ...parameters: SqlValue[]): SqlRow[] => {
        plans.push(...model.all(`EXPLAIN QUERY PLAN ${sql}`, ...parameters).map(({ detail }) => detail));
        return model.all(sql, ...parameters);
      },
    };
    const runner = { model: () => explained } as unknown as ProjectionRunner;
    const index = new MatchIndex(runner, { networksOf: () => [] } as unknown as Networks, new SystemClock());

    expect([index.eligibleNeeds(), index.eligibleOffers()]).toEqual([[], []]);

    const bySmallIndex = expect.stringMatching(/^SEARCH side USING INDEX side_eligible /) as string;
    expect(plans.filter((detail) => String(detail).includes(' side '))).toEqual([bySmallIndex, bySmallIndex]);
  });
});
