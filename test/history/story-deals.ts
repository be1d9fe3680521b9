import type { Body, Made, Play } from './play.js';
import {
  amend,
  bind,
  CAVR,
  DAY,
  JAPAN,
  money,
  OBSERVER,
  openNeed,
  paper,
  PAYMASTER,
  propose,
  SECRETARIAT,
  seats,
  TREASURER,
  usd,
  VANUATU,
} from './play.js';

/** Terms, money, amendments, returns, corrections and settlements: what commitments hold beside their legs. */
export const dealsOf = async (play: Play): Promise<void> => {
  const offer = await play.create(JAPAN, '/v1/offers', {
    title: 'Legislation and courses',
    lines: [
      { kinds: ['legislative'], capacity: usd('200000.00') },
      { kinds: ['training'], capacity: seats(40) },
    ],
    conditions: [{ code: 'national-report' }, { code: 'co-financing', percent: '10', text: 'In kind' }],
    visibility: 'public',
  });
  const need = await openNeed(play, VANUATU, {
    ...{ title: 'An arms law and those who apply it', kinds: ['legislative', 'training'] },
    lines: [
      { kind: 'legislative', quantity: usd('90000.00') },
      { kind: 'training', quantity: seats(12) },
    ],
  });
  const law = await agreed(play, offer, need);
  await paid(play, law);
  await reportedOn(play, law);
  await movedDates(play, law);
  await left(play, law);
  await changed(play, offer, need);
  await sentBack(play, offer, need);
};

const agreed = async (play: Play, offer: Made, need: Made): Promise<Made> => {
  const law = await propose(play, JAPAN, offer, need, [{ offerLine: 1, needLine: 1, drawn: usd('60000.00') }], {
    implementer: CAVR.party,
    fiscalAgent: PAYMASTER.party,
    terms: {
      agreements: [
        {
          ...{ kind: 'grant', parties: ['donor:japan', 'agency:cavr'], reference: 'GA 7/2026', date: '2026-01-05' },
          ...{ sha256: 'd'.repeat(64), legallyBinding: true, subjectTo: 'availability of funds' },
        },
      ],
      period: { from: '2026-01-01', to: '2026-12-31' },
      schedule: [
        { amount: usd('30000.00'), on: 'signature', leg: 1 },
        { amount: usd('20000.00'), on: 'report', report: 1, due: '2026-11-30' },
        { amount: usd('6000.00'), on: 'condition', condition: 3 },
        { amount: usd('4000.00'), on: 'date', due: '2026-12-01' },
      ],
      conditions: [{ code: 'ownership', percent: '5', text: 'Parliament is told', on: 'recipient', due: '2026-06-30' }],
      reports: [
        { kind: 'financial', by: 'agency:cavr', due: '2026-11-20', text: 'With vouchers' },
        { kind: 'completion', by: 'agency:cavr', due: '2026-12-20' },
      ],
      verifier: OBSERVER.party,
    },
  });
  await bind(play, law, { accepts: VANUATU, agencies: [CAVR, PAYMASTER], sign: [JAPAN, VANUATU] });
  return law;
};

/** From the donor through both agencies: charges, another currency, own bookings, corrections, a difference that is settled. */
const paid = async (play: Play, law: Made): Promise<void> => {
  const date = play.today;
  const transfer = (by: typeof JAPAN, kind: string, to: string, amount: Body, more: Body = {}): Promise<Body> =>
    play.command(by, law, 'transfers', { kind, from: by.party, to, amount, date, ...more });
  await transfer(JAPAN, 'disbursement', PAYMASTER.party, usd('30000.00'), { leg: 1, instalment: 1, reference: 'W 1' });
  await play.command(PAYMASTER, law, 'receipts', { transfer: 1, amount: usd('29985.00'), charges: usd('15.00'), date });
  await transfer(PAYMASTER, 'onward-grant', CAVR.party, usd('25000.00'), { onward: 1 });
  await play.command(TREASURER, law, 'receipts', {
    ...{ transfer: 2, amount: usd('25000.00'), credited: money('VUV', '2987500'), rate: '119.50', date },
  });
  await play.command(TREASURER, law, 'receipts/2/correct', {
    ...{ credited: money('VUV', '2990000'), rate: '119.60', reference: 'BANK 2', reason: 'The rate of the day.' },
  });
  // Paid early, seen as an exception; corrected, and short on arrival.
  await transfer(JAPAN, 'disbursement', PAYMASTER.party, usd('500.00'));
  await play.command(JAPAN, law, 'transfers/3/correct', {
    ...{ amount: usd('5000.00'), leg: 1, instalment: 2, date, reference: 'W 2', reason: 'A zero was missing.' },
  });
  await play.command(PAYMASTER, law, 'receipts', { transfer: 3, amount: usd('4000.00'), date });
  await play.command(PAYMASTER, law, 'receipts/3/correct', {
    ...{ amount: usd('4900.00'), charges: usd('10.00'), date, reference: 'BANK 3', reason: 'Two parts came.' },
  });
  const arrived = { amount: usd('4990.00'), reason: 'Advice of the bank.' };
  await play.command(JAPAN, law, 'discrepancies/1/settle', { reason: 'All of it arrived.' });
  await play.command(JAPAN, law, 'discrepancies/1/settle', arrived);
  await play.command(PAYMASTER, law, 'discrepancies/1/settle', arrived);
  await transfer(PAYMASTER, 'fee', PAYMASTER.party, usd('1500.00'));
  await transfer(PAYMASTER, 'interest', PAYMASTER.party, usd('12.50'));
  await transfer(TREASURER, 'exchange-difference', CAVR.party, money('VUV', '500'), { effect: 'gain' });
  await transfer(JAPAN, 'disbursement', PAYMASTER.party, usd('100.00'));
  await play.command(PAYMASTER, law, 'receipts', { transfer: 7, amount: usd('101.00'), date });
  for (const by of [PAYMASTER, JAPAN]) await play.command(by, law, 'discrepancies/2/settle', { reason: 'Rounding.' });
  const account = (kind: string, to: string, amount: string, more: Body): Promise<Body> =>
    play.command(TREASURER, law, 'expenditures', {
      ...{ kind, period: { from: '2026-01-01', to }, date },
      lines: [{ budgetLine: 'Drafting', amount: money('VUV', amount) }],
      ...more,
    });
  await account('interim', '2026-01-03', '90000', { invoices: ['INV 1', 'INV 2'] });
  const document = paper('certificate', 'Certified statement', 'named');
  await account('certified', '2026-01-05', '95000', { reference: 'CERT 1', document });
};

const reportedOn = async (play: Play, law: Made): Promise<void> => {
  const document = paper('report', 'First report', 'named');
  await play.command(CAVR, law, 'reports/1/file', { date: play.today, reference: 'R 1', document });
  await play.command(JAPAN, law, 'reports/1/return', { note: 'Vouchers are missing.' });
  await play.command(CAVR, law, 'reports/1/file');
  await play.command(JAPAN, law, 'reports/1/accept', { note: 'Complete.' });
  await play.command(JAPAN, law, 'reports/2/waive', { note: 'Part of the first.' });
  await play.command(JAPAN, law, 'conditions/3/meet', {
    note: 'Tabled.',
    document: paper('legislation', 'The bill', 'public'),
  });
  await play.command(JAPAN, law, 'conditions/1/waive', {
    note: 'Not due yet.',
    document: paper('letter', 'Waiver', 'named'),
  });
  await play.command(VANUATU, law, 'documents', paper('agreement', 'Grant agreement', 'sealed'));
  await play.command(VANUATU, law, 'suspend', { reason: { code: 'security', note: 'Unrest', noteFor: 'coordinator' } });
  await play.command(VANUATU, law, 'resume');
};

const movedDates = async (play: Play, law: Made): Promise<void> => {
  await play.command(VANUATU, law, 'extend', {
    ...{
      period: { to: '2027-06-30' },
      schedule: [{ n: 4, due: '2027-05-01' }],
      reports: [{ n: 1, due: '2027-05-20' }],
    },
    reason: 'A cyclone closed the airports.',
  });
  await play.command(JAPAN, law, 'amend-accept');
  await amend(play, law, [JAPAN, VANUATU], {
    terms: {
      agreements: [
        {
          kind: 'mou',
          parties: ['donor:japan', 'state:VUT'],
          reference: 'MoU',
          date: '2026-01-05',
          legallyBinding: false,
          sha256: 'f'.repeat(64),
          subjectTo: 'approval',
        },
      ],
      conditions: [
        { n: 1, code: 'national-report', on: 'recipient' },
        { n: 2, code: 'co-financing', percent: '8', text: 'In kind', on: 'recipient' },
        { n: 3, code: 'ownership', percent: '5', text: 'Parliament is told', on: 'recipient', due: '2026-06-30' },
        { code: 'reporting', on: 'provider' },
      ],
      verifier: 'agency:secretariat',
    },
  });
};

/** Money that the agencies hold is due back. */
const left = async (play: Play, law: Made): Promise<void> => {
  await play.command(CAVR, law, 'deliveries', { leg: 1, quantity: usd('1000.00'), date: play.today });
  await play.command(VANUATU, law, 'deliveries/1/confirm');
  await play.command(JAPAN, law, 'cancel', { reason: { code: 'budget', note: 'Cut', noteFor: 'other-side' } });
  await play.command(PAYMASTER, law, 'transfers', {
    ...{ kind: 'refund', of: 1, from: PAYMASTER.party, to: JAPAN.party, amount: usd('3000.00'), date: play.today },
  });
};

const course = (amount: number, more: Body = {}): Body => ({
  ...{ leg: 1, offerLine: 2, needLine: 2, drawn: seats(amount) },
  ...more,
});

/** Every way an amendment ends. */
const changed = async (play: Play, offer: Made, need: Made): Promise<void> => {
  const { leg: _, ...first } = course(4);
  const deal = await propose(play, JAPAN, offer, need, [first], { implementer: CAVR.party, terms: {} });
  await bind(play, deal, { accepts: VANUATU, agencies: [CAVR], sign: [JAPAN, VANUATU] });
  const whole = (amount: number): Body => ({ legs: [course(amount)] });
  await amend(play, deal, [VANUATU, JAPAN], whole(6));
  await amend(play, deal, [JAPAN, VANUATU], whole(3));
  // More than the need lacks, and more than the offer has.
  await amend(play, deal, [VANUATU, JAPAN], whole(13));
  await amend(play, deal, [VANUATU, JAPAN], whole(41));
  const agencies = { implementer: null, fiscalAgent: PAYMASTER.party };
  await play.command(JAPAN, deal, 'amend', { ...agencies, reason: 'Another agency.' });
  await play.command(PAYMASTER, deal, 'decline-task', { reason: { code: 'timing' } });
  await play.command(JAPAN, deal, 'amend', { ...agencies, reason: 'It has time now.' });
  await play.command(PAYMASTER, deal, 'consent-task');
  await play.command(VANUATU, deal, 'amend-accept');
  await play.command(VANUATU, deal, 'amend', { fiscalAgent: null, reason: 'We do it ourselves.' });
  await play.command(JAPAN, deal, 'amend-decline', { reason: { code: 'other', note: 'No', noteFor: 'other-side' } });
  await play.command(VANUATU, deal, 'amend', { ...whole(2), reason: 'Fewer.' });
  await play.command(VANUATU, deal, 'amend-withdraw');
  await play.command(VANUATU, deal, 'amend', { ...whole(2), reason: 'Fewer after all.' });
  await play.pass(31 * DAY);
  await amend(play, deal, [JAPAN, VANUATU], {
    legs: [course(3), { offerLine: 1, needLine: 1, drawn: usd('500.00') }],
  });
};

/** Tranches that are corrected, verified, disputed, settled and sent back. */
const sentBack = async (play: Play, offer: Made, need: Made): Promise<void> => {
  const { leg: _, ...first } = course(5);
  const terms = { verifier: OBSERVER.party };
  const deal = await propose(play, JAPAN, offer, need, [first], { terms });
  await bind(play, deal, { accepts: VANUATU, sign: [JAPAN, VANUATU] });
  const date = play.today;
  const deliver = (amount: number): Promise<Body> =>
    play.command(JAPAN, deal, 'deliveries', { leg: 1, quantity: seats(amount), date });
  await deliver(2);
  const evidence = [{ title: 'List', uri: 'https://evidence.example/2', sha256: 'e'.repeat(64) }];
  await play.command(JAPAN, deal, 'deliveries/1/correct', {
    ...{ quantity: seats(3), beneficiary: 'state:VUT', date, evidence, reason: 'One came late.' },
  });
  await play.command(OBSERVER, deal, 'deliveries/1/verify', {
    ...{ quantity: seats(3), note: 'All were there.', document: paper('photograph', 'The class', 'members') },
  });
  await play.command(VANUATU, deal, 'deliveries/1/confirm');
  const back = { quantity: seats(1), reason: 'Fell ill.', date };
  await play.command(VANUATU, deal, 'returns', { delivery: 1, ...back });
  await deliver(2);
  await play.command(VANUATU, deal, 'returns', { delivery: 2, ...back });
  await deliver(2);
  await play.command(VANUATU, deal, 'deliveries/3/dispute', { reason: 'One came.' });
  const settle = (by: typeof JAPAN, n: number, body: Body): Promise<Body> =>
    play.command(by, deal, `deliveries/${n}/settle`, body);
  const reduced = { outcome: 'reduced', quantity: seats(1) };
  await settle(SECRETARIAT, 3, reduced);
  await settle(VANUATU, 3, reduced);
  await settle(JAPAN, 3, reduced);
  await deliver(1);
  await play.command(VANUATU, deal, 'deliveries/4/dispute', { reason: 'Nobody came.' });
  await settle(JAPAN, 4, { outcome: 'stands' });
  await settle(VANUATU, 4, { outcome: 'stands' });
  await play.command(VANUATU, deal, 'deliveries/4/confirm');
};
