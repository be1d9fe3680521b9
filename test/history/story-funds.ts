import type { Body, Made, Office, Play } from './play.js';
import {
  bind,
  FIJI,
  JAPAN,
  money,
  NORWAY,
  openNeed,
  PACIFIC,
  paper,
  PAYMASTER,
  propose,
  SECRETARIAT,
  usd,
  VANUATU,
} from './play.js';

const FUND: Made = { path: '/v1/funds/fund:pacific', id: 'fund:pacific' };
const eur = (amount: string): Body => money('EUR', amount);

/** A fund's book, who fills it, whom it calls and what it decides; rates and files beside it. */
export const fundsOf = async (play: Play): Promise<void> => {
  await rates(play);
  await files(play);
  await established(play);
  const [japan, norway] = await contributed(play);
  await booked(play);
  const needs = [await aNeed(play, VANUATU), await aNeed(play, FIJI)] as const;
  const call = await called(play, needs);
  await allocated(play, call, needs);
  await givenBack(play, japan, norway);
};

const rates = async (play: Play): Promise<void> => {
  const published = { source: 'ecb', reference: 'ECB euro foreign exchange reference rates', base: 'EUR' };
  await play.create(SECRETARIAT, '/v1/rates', {
    ...published,
    days: [
      { on: '2025-01-23', rates: [{ currency: 'USD', rate: '1.0404' }] },
      { on: '2025-01-24', rates: [{ currency: 'USD', rate: '1.0472' }] },
    ],
  });
};

/** Files by the words of their titles, as records of the story list them. Of their bytes the log holds the hash alone. */
const files = async (play: Play): Promise<void> => {
  await play.upload(VANUATU, 'Note Verbale 21/2026', { name: 'note.txt' });
  await play.upload(JAPAN, 'Note Verbale 21/2026');
  await play.upload(PACIFIC, 'Annual report of the fund');
};

const established = async (play: Play): Promise<void> => {
  await play.create(SECRETARIAT, '/v1/funds', {
    fund: PACIFIC.party,
    administrator: PAYMASTER.party,
    decidingBody: { name: 'Selection committee', members: ['donor:japan', 'state:FJI'] },
    currency: 'USD',
    windows: [{ code: 'pacific', name: 'Pacific' }],
    feeRates: [{ code: 'administration', percent: '7', base: 'contributions' }],
    capacityBasis: 'received',
    reserve: usd('1000.00'),
    periods: [
      { from: '2025-01-01', to: '2025-12-31' },
      { from: '2026-01-01', to: '2026-12-31' },
    ],
  });
  await play.command(PACIFIC, FUND, 'amend', { reserve: usd('500.00') });
};

const contributed = async (play: Play): Promise<readonly [Made, Made]> => {
  const pledge = (by: Office, amount: Body, more: Body = {}): Promise<Made> =>
    play.create(by, '/v1/contributions', { fund: PACIFIC.party, amount, ...more });
  const date = play.today;
  const japan = await pledge(JAPAN, usd('30000.00'), {
    window: 'pacific',
    earmark: { kinds: ['training'], beneficiaries: ['VUT', 'FJI'], regions: ['054'], text: 'For the islands' },
    schedule: [
      { due: '2026-03-01', amount: usd('20000.00') },
      { due: '2027-02-01', amount: usd('10000.00') },
    ],
    date,
    reference: 'Letter 1',
    documents: [paper('letter', 'Letter of the donor', 'named')],
    visibility: 'public',
  });
  const norway = await pledge(NORWAY, eur('10000.00'));
  await play.command(JAPAN, japan, 'sign', { date, reference: 'Arrangement 1' });
  await play.command(NORWAY, norway, 'sign', {
    valued: { quantity: usd('10800.00'), rate: '1.08', source: 'ECB reference rate' },
  });
  await play.command(JAPAN, japan, 'payments', { amount: usd('20000.00'), date, reference: 'SWIFT 1' });
  await play.command(NORWAY, norway, 'payments', { amount: eur('10000.00'), date });
  await play.command(PAYMASTER, japan, 'receipts', {
    ...{ payment: 1, amount: usd('19990.00'), charges: usd('10.00'), date, reference: 'BANK 1' },
  });
  await play.command(PAYMASTER, norway, 'receipts', {
    ...{ amount: eur('10000.00'), credited: usd('10812.30'), rate: '1.08123', date },
  });
  return [japan, norway];
};

const booked = async (play: Play): Promise<void> => {
  const book = (kind: string, amount: string, more: Body = {}): Promise<Body> =>
    play.command(PAYMASTER, FUND, 'bookings', { kind, amount: usd(amount), date: play.today, ...more });
  await book('interest', '200.00', { reference: 'INT 1', document: paper('other', 'Advice of the bank', 'named') });
  await book('fee', '2156.16', { rate: 'administration', base: usd('30802.30'), counterparty: PAYMASTER.party });
  await book('exchange-difference', '3.00', { effect: 'gain' });
  await play.command(PACIFIC, FUND, 'documents', { document: paper('report', 'Annual report of the fund', 'public') });
};

const aNeed = (play: Play, by: Office): Promise<Made> =>
  openNeed(play, by, {
    ...{ title: 'Licensing officers to be trained' },
    lines: [{ kind: 'training', quantity: usd('50000.00') }],
  });

/** Vanuatu's application is taken, Fiji's first is taken back, its second declined. */
const called = async (play: Play, [vanuatu, fiji]: readonly [Made, Made]): Promise<Made> => {
  const call = await play.create(PACIFIC, '/v1/calls', {
    fund: PACIFIC.party,
    title: 'Call of 2026',
    window: 'pacific',
    opens: play.today,
    closes: `${play.today.slice(0, 4)}-12-31`,
    ceiling: usd('20000.00'),
    criteria: [
      { code: 'urgency', text: 'Urgency', weight: '0.6' },
      { code: 'plan', text: 'Link to a plan' },
    ],
    documents: [paper('other', 'Text of the call', 'public')],
    visibility: 'public',
  });
  const apply = (by: Office, need: Made, amount: string): Promise<Body> =>
    play.command(by, call, 'applications', { needId: need.id, amount: usd(amount) });
  await apply(VANUATU, vanuatu, '15000.00');
  await apply(FIJI, fiji, '21.00');
  await play.command(FIJI, call, 'applications/2/withdraw');
  await apply(FIJI, fiji, '20000.00');
  await play.command(PACIFIC, call, 'applications/1/screen', { eligible: true });
  await play.command(PACIFIC, call, 'applications/3/screen', { eligible: false, reason: 'Its plan is missing.' });
  await play.command(PACIFIC, call, 'applications/1/rank', { rank: 1, note: 'First of all' });
  await play.command(PACIFIC, call, 'applications/3/decide', {
    ...{ outcome: 'declined', reason: { code: 'budget', note: 'Next year', noteFor: 'other-side' } },
  });
  return call;
};

/** Decided, signed under the decision, paid in part, cancelled, refunded: what is left is free again. */
const allocated = async (play: Play, call: Made, [vanuatu, fiji]: readonly [Made, Made]): Promise<void> => {
  const decide = (allocations: readonly Body[], more: Body = {}): Promise<Body> =>
    play.command(PACIFIC, FUND, 'decisions', {
      ...{ body: 'Selection committee', date: play.today, reference: 'Minutes 3/2026', allocations },
      interests: [{ party: 'state:FJI', declaration: 'One need is its own', recused: true }],
      ...more,
    });
  await decide([{ needId: vanuatu.id, call: call.id, application: 1, amount: usd('15000.00') }], {
    ...{ window: 'pacific', documents: [paper('report', 'Minutes of the committee', 'sealed')] },
  });
  await decide([{ needId: fiji.id, amount: usd('100.00') }]);
  await play.command(PACIFIC, FUND, 'decisions/2/release', { reason: 'Not needed.' });
  await play.command(PACIFIC, call, 'close');
  const offer = await play.create(PACIFIC, '/v1/offers', {
    ...{ title: 'Grants', lines: [{ kinds: ['training'], capacity: usd('50000.00') }], visibility: 'public' },
  });
  const legs = [{ offerLine: 1, needLine: 1, drawn: usd('12000.00') }];
  const grant = await propose(play, PACIFIC, offer, vanuatu, legs);
  await bind(play, grant, { accepts: VANUATU, sign: [PACIFIC, VANUATU] });
  const date = play.today;
  const [fund, state] = [PACIFIC.party, VANUATU.party];
  await play.command(PACIFIC, grant, 'transfers', {
    ...{ kind: 'disbursement', from: fund, to: state, amount: usd('9000.00'), date, reference: 'P 1' },
  });
  await play.command(VANUATU, grant, 'cancel', { reason: { code: 'priorities' } });
  await play.command(VANUATU, grant, 'transfers', {
    ...{ kind: 'refund', of: 1, from: state, to: fund, amount: usd('2500.00'), date },
  });
  await play.command(PACIFIC, grant, 'receipts', { transfer: 2, amount: usd('2500.00'), date });
  await play.command(PACIFIC, FUND, 'decisions/1/release', { needId: vanuatu.id });
};

const givenBack = async (play: Play, japan: Made, norway: Made): Promise<void> => {
  await play.command(JAPAN, japan, 'cancel', { reason: { code: 'budget', note: 'Cut', noteFor: 'coordinator' } });
  await play.command(PAYMASTER, japan, 'refunds', { amount: usd('990.00'), date: play.today, reference: 'BACK 1' });
  await play.command(PAYMASTER, norway, 'refunds', {
    ...{ amount: eur('100.00'), credited: usd('108.12'), rate: '1.0812', date: play.today },
  });
  await play.command(NORWAY, norway, 'close');
  const pledged = await play.create(JAPAN, '/v1/contributions', { fund: PACIFIC.party, amount: usd('5.00') });
  await play.command(JAPAN, pledged, 'cancel', { reason: { code: 'other' } });
  const period = { from: '2025-01-01', to: '2025-12-31' };
  await play.command(PAYMASTER, FUND, 'close-period', { period });
  await play.command(PAYMASTER, FUND, 'bookings', { kind: 'bank-charge', amount: usd('1.00'), date: '2025-12-30' });
};
