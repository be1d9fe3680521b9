import { describe, expect, it } from '@jest/globals';
import { FundDecisions } from '#funds/contract';
import type { Quantity } from '#vocabulary';
import { Decisions } from './commitment-decisions.js';
import { usd } from './commitment.fixture.js';

/** A fund whose book shows a signature when the test says so. */
class OneFund extends FundDecisions {
  readonly shown: (() => void)[] = [];
  override keepsBook(party: string): Promise<boolean> {
    return Promise.resolve(party === 'fund:trust');
  }
  override decidedFor(): Promise<Quantity> {
    return Promise.resolve(usd('1.00'));
  }
  override untilDrawn(): Promise<void> {
    return new Promise((resolve) => this.shown.push(resolve));
  }
}

const steps = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('signatures of a fund', () => {
  it('are given one at a time: the next when the book shows the last', async () => {
    const fund = new OneFund();
    const decisions = new Decisions(fund);
    const given: string[] = [];
    const sign = (party: string, name: string): Promise<string> =>
      decisions.inTurn(party, name, () => {
        given.push(name);
        return Promise.resolve(name);
      });
    const all = [
      sign('fund:trust', 'c1'),
      sign('fund:trust', 'c2'),
      sign('fund:without-book', 'c3'),
      sign('donor:x', 'c4'),
    ];
    await steps();
    expect(given.toSorted()).toEqual(['c1', 'c3', 'c4']);
    expect(await all[0]).toBe('c1');
    fund.shown[0]?.();
    expect(await Promise.all(all)).toEqual(['c1', 'c2', 'c3', 'c4']);
  });

  it('that are refused let the next one pass', async () => {
    const decisions = new Decisions(new OneFund());
    const refused = decisions.inTurn('fund:trust', 'c1', () => Promise.reject(new Error('refused')));
    const next = decisions.inTurn('fund:trust', 'c2', () => Promise.resolve('signed'));
    await expect(refused).rejects.toThrow('refused');
    expect(await next).toBe('signed');
  });

  it('are anybody’s own where no fund keeps a book here', async () => {
    expect(await new Decisions().inTurn('fund:trust', 'c1', () => Promise.resolve(1))).toBe(1);
    expect(await new Decisions().of('fund:trust', 'n1', 'c1')).toEqual({});
  });
});
