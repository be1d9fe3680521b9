import type { EventStore } from '#kernel';
import { runEnded } from '../support/allocation-run.js';
import type { Body, Made, Play } from './play.js';
import { FIJI, JAPAN, openNeed, seats, SECRETARIAT, usd, VANUATU } from './play.js';

/** What the coordinator asks the solver: alike for all, one that is shared with a desk, floors that conflict, and a run that is not awaited. */
export const allocationsOf = async (play: Play, store: EventStore): Promise<void> => {
  const ended = async ({ id }: Made): Promise<void> => {
    await runEnded(store, id);
    await play.caughtUp();
  };
  const solved = async (order: Body): Promise<Made> => {
    const run = await asked(play, order);
    await ended(run);
    return run;
  };
  const money = (amount: string): Body => ({ kind: 'legal', quantity: usd(amount) });
  const legal = {
    kinds: ['legal', 'training'],
    instruments: ['ATT'],
    period: { from: '2027-01-01', to: '2027-12-31' },
  };
  await openNeed(play, VANUATU, {
    ...{ title: 'An act on brokers', ...legal },
    lines: [money('90000.00'), { kind: 'training', quantity: seats(6) }],
  });
  await openNeed(play, FIJI, { title: 'An act on transit', ...legal, lines: [money('30000.00')] });
  // More lines than are looked at for one line of a need.
  await play.create(JAPAN, '/v1/offers', {
    title: 'Advice by the month',
    lines: [
      ...Array.from({ length: 51 }, () => ({ kinds: ['legal'], capacity: usd('1000.00') })),
      { kinds: ['training'], capacity: seats(4), minimumLot: '2' },
    ],
    visibility: 'public',
  });
  const scope = { region: '009', network: 'network:msg', instrument: 'ATT', from: '2027-01-01', to: '2027-12-31' };
  await solved({
    ...{ objective: 'max-min', scope: { ...scope, kind: 'legal' }, seed: 7 },
    floors: [
      { state: 'VUT', share: '0.1' },
      { region: '009', share: '0.2' },
    ],
    budgets: [
      { donor: 'donor:japan', quantity: usd('45000.00') },
      { kind: 'legal', quantity: usd('50000.00') },
    ],
  });
  const run = await solved({ objective: 'max-value', scope: { state: 'VUT' }, singleSource: ['training'] });
  await play.command(SECRETARIAT, run, 'share', { party: JAPAN.party, note: 'For the next committee' });
  await solved({
    ...{ objective: 'max-value', scope },
    floors: [
      { state: 'VUT', share: '0.5' },
      { state: 'FJI', share: '0.9' },
    ],
  });
  // The second waits for the first, and is called off meanwhile.
  const first = await asked(play, { objective: 'max-value' });
  const second = await asked(play, { objective: 'max-min' });
  await play.command(SECRETARIAT, second, 'cancel');
  await ended(first);
};

const asked = (play: Play, order: Body): Promise<Made> => play.create(SECRETARIAT, '/v1/allocations', order, {}, 202);
