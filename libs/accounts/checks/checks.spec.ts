import type { Terms } from '#commitments/contract';
import type { Earmark } from '#offers/contract';
import type { Quantity } from '#vocabulary';
import type { Check, CheckParameters } from './check.js';
import { CHECKS } from './checks.js';
import type { Fact, FactEvent, Hand } from './facts.js';
import { Facts } from './facts.js';

const usd = (amount: string): Quantity => ({ measure: 'money', currency: 'USD', amount });

interface Told {
  readonly on?: string;
  readonly at?: string;
}
type Entry = readonly [stream: string, event: FactEvent, told?: Told];

/** Facts in this order. Recorded on the day they tell of unless told otherwise. */
const factsOf = (entries: readonly Entry[], hands: readonly Hand[] = []): Facts =>
  new Facts(
    entries.map(([stream, { type, data }, told = {}], index): Fact => {
      const on = told.on ?? ('date' in data ? data.date : '2026-01-05');
      return {
        position: BigInt(index + 1),
        stream,
        type,
        data,
        eventId: `e${index + 1}`,
        effectiveAt: on,
        recordedAt: `${told.at ?? on}T12:00:00.000Z`,
      };
    }),
    hands,
  );

const named = (name: string): Check => {
  const check = CHECKS.find((known) => known.name === name);
  if (check === undefined) throw new Error(`no check ${name}`);
  return check;
};
const run = (name: string, facts: Facts, parameters: Partial<CheckParameters> = {}): readonly string[] => {
  const check = named(name);
  return check
    .find(facts, { onDate: '2026-12-31', days: check.days?.byDefault ?? 0, ...parameters })
    .map(({ what }) => what);
};

const C1 = 'commitment-c1';
const C2 = 'commitment-c2';
const FUND = 'fund-fund:unscar';
const GIFT = 'contribution-g1';

const proposal = (over: object = {}): FactEvent => ({
  type: 'CommitmentProposed',
  data: {
    offerId: 'o1',
    needId: 'n1',
    side: 'provider',
    proposedBy: 'fund:unscar',
    providers: ['fund:unscar'],
    beneficiaries: ['state:VUT'],
    filer: 'state:VUT',
    legs: [{ leg: 1, offerLine: 1, needLine: 1, drawn: usd('100.00'), credited: usd('100.00'), amendment: 0 }],
    signatories: [],
    expiresAt: '2026-03-01T00:00:00.000Z',
    conditions: [],
    earmarkFacts: {
      beneficiaries: ['state:VUT'],
      networks: [],
      regions: ['054'],
      instruments: ['ATT'],
      traffickingNexus: false,
      needLineKinds: { '1': 'training', '2': 'legal' },
    },
    ...over,
  },
});
const BOUND: FactEvent = { type: 'CommitmentBound', data: {} };
const transfer = (n: number, amount: string, over: object = {}): FactEvent => ({
  type: 'TransferReported',
  data: {
    n,
    kind: 'disbursement',
    from: 'fund:unscar',
    to: 'agency:cavr',
    amount: usd(amount),
    date: '2026-02-01',
    ...over,
  },
});
const receipt = (n: number, of: number, amount: string, over: object = {}): FactEvent => ({
  type: 'ReceiptReported',
  data: { n, transfer: of, party: 'agency:cavr', amount: usd(amount), date: '2026-02-02', ...over },
});
const spent = (n: number, amount: string, over: object = {}): FactEvent => ({
  type: 'ExpenditureReported',
  data: {
    n,
    party: 'agency:cavr',
    kind: 'interim',
    from: '2026-01-01',
    to: '2026-03-31',
    lines: [{ budgetLine: 'travel', amount: usd(amount) }],
    date: '2026-04-01',
    ...over,
  },
});
const pledged = (amount: string, over: object = {}): FactEvent => ({
  type: 'ContributionPledged',
  data: {
    fund: 'fund:unscar',
    donor: 'donor:japan',
    amount: usd(amount),
    date: '2026-01-01',
    visibility: 'public',
    ...over,
  },
});
const giftSigned: FactEvent = { type: 'ContributionSigned', data: { party: 'donor:japan', date: '2026-01-10' } };
const giftPaid = (n: number, amount: string, date: string, over: object = {}): FactEvent => ({
  type: 'ContributionPaid',
  data: { n, amount: usd(amount), date, ...over },
});
const giftReceived = (n: number, amount: string, date: string, over: object = {}): FactEvent => ({
  type: 'ContributionReceived',
  data: { n, amount: usd(amount), date, ...over },
});
const fund = (over: object = {}): FactEvent => ({
  type: 'FundEstablished',
  data: {
    fund: 'fund:unscar',
    terms: {
      decidingBody: { name: 'Board', members: ['state:VUT', 'donor:japan'] },
      currency: 'USD',
      windows: [],
      feeRates: [{ code: 'admin', percent: '7', base: 'contributions' }],
      capacityBasis: 'received',
      periods: [{ from: '2026-01-01', to: '2026-06-30' }],
      ...over,
    },
  },
});
const fee = (amount: string, over: object = {}): FactEvent => ({
  type: 'FundBooked',
  data: {
    n: 1,
    kind: 'fee',
    effect: 'loss',
    amount: usd(amount),
    rate: 'admin',
    base: usd('100.10'),
    date: '2026-03-01',
    ...over,
  },
});
const decision = (over: object = {}): FactEvent => ({
  type: 'AllocationDecided',
  data: {
    n: 1,
    body: 'Board',
    date: '2026-02-01',
    reference: 'D-1',
    allocations: [{ needId: 'n1', amount: usd('100.00') }],
    interests: [],
    ...over,
  },
});
const need = (beneficiary: string, kind = 'training'): FactEvent =>
  ({
    type: 'NeedDrafted',
    data: { filer: beneficiary, beneficiaries: [beneficiary], content: { lines: [{ line: 1, kind }] } },
  }) as unknown as FactEvent;
const offer = (earmark: Earmark): FactEvent =>
  ({ type: 'OfferPosted', data: { provider: 'fund:unscar', content: { lines: [], earmark } } }) as unknown as FactEvent;
const evidence = (n: number, sha256: string): FactEvent => ({
  type: 'DeliveryReported',
  data: {
    n,
    party: 'agency:cavr',
    leg: 1,
    quantity: usd('1.00'),
    drawn: usd('1.00'),
    credited: usd('1.00'),
    date: '2026-03-01',
    evidence: [{ title: 'List', uri: 'https://example.org', sha256 }],
  },
});
const CLOSED: Entry = [
  FUND,
  { type: 'PeriodClosed', data: { period: { from: '2026-01-01', to: '2026-06-30' }, party: 'fund:unscar' } },
];
const terms = (of: object): FactEvent => proposal({ terms: of });
const amendedTerms = (changed: Terms): FactEvent => ({
  type: 'CommitmentAmended',
  data: { n: 1, changes: { terms: changed }, legs: [], increases: [], decreases: [], recredited: [] },
});
const EARLY = 'instalment paid before its trigger';
const hand = (subject: string, party: string, stream = C1): Hand => ({
  subject,
  party,
  stream,
  eventId: `${party} acts`,
});

/** Per case: what the check is to find, in which events. An empty list is a clean record. */
const CASES: Readonly<
  Record<
    string,
    readonly (readonly [
      says: string,
      found: readonly string[],
      entries: readonly Entry[],
      over?: Partial<CheckParameters>,
    ])[]
  >
> = {
  'contributions-unpaid': [
    [
      'paid in time',
      [],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
        [GIFT, giftPaid(1, '50.00', '2026-01-20')],
      ],
    ],
    [
      'received, though the donor reported no payment',
      [],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
        [GIFT, giftReceived(1, '50.00', '2026-01-20')],
      ],
    ],
    ['pledged only', [], [[GIFT, pledged('50.00')]]],
    [
      'paid in part',
      ['contribution overdue'],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
        [GIFT, giftPaid(1, '49.99', '2026-01-20')],
      ],
    ],
    [
      'not due yet',
      [],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
      ],
      { onDate: '2026-02-09' },
    ],
    [
      'due the day before',
      ['contribution overdue'],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
      ],
      { onDate: '2026-02-10' },
    ],
    [
      'within the days allowed',
      [],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
      ],
      { onDate: '2026-02-10', days: 1 },
    ],
    [
      'judged on a day before it was signed',
      [],
      [
        [GIFT, pledged('50.00', { schedule: [{ due: '2026-01-03', amount: usd('50.00') }] })],
        [GIFT, giftSigned],
      ],
      { onDate: '2026-01-09' },
    ],
    [
      'judged on a day before it was cancelled',
      ['contribution overdue'],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
        [
          GIFT,
          { type: 'ContributionCancelled', data: { party: 'donor:japan', reason: { code: 'budget' } } },
          { on: '2026-03-01' },
        ],
      ],
      { onDate: '2026-02-28' },
    ],
    [
      'by schedule: the second part is not due',
      [],
      [
        [
          GIFT,
          pledged('50.00', {
            schedule: [
              { due: '2026-02-01', amount: usd('20.00') },
              { due: '2027-02-01', amount: usd('30.00') },
            ],
          }),
        ],
        [GIFT, giftSigned],
        [GIFT, giftPaid(1, '20.00', '2026-01-20')],
      ],
    ],
    [
      'cancelled',
      [],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
        [GIFT, { type: 'ContributionCancelled', data: { party: 'donor:japan' } }],
      ],
    ],
    [
      'received less what the way cost',
      [],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
        [GIFT, giftReceived(1, '49.00', '2026-01-20', { charges: usd('1.00') })],
      ],
    ],
    [
      'partly told by the donor, partly by the fund',
      [],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
        [GIFT, giftPaid(1, '30.00', '2026-01-20')],
        [GIFT, giftReceived(1, '10.00', '2026-01-21', { payment: 1 })],
        [GIFT, giftReceived(2, '20.00', '2026-01-21')],
      ],
    ],
    [
      'told by both, where the receipt names no payment',
      ['contribution overdue'],
      [
        [GIFT, pledged('50.00')],
        [GIFT, giftSigned],
        [GIFT, giftPaid(1, '30.00', '2026-01-20')],
        [GIFT, giftReceived(1, '30.00', '2026-01-21')],
      ],
    ],
  ],
  'advances-ageing': [
    [
      'spent',
      [],
      [
        [C1, proposal()],
        [C1, transfer(1, '50.00')],
        [C1, receipt(1, 1, '50.00')],
        [C1, spent(1, '50.00')],
      ],
    ],
    [
      'passed on and given back',
      [],
      [
        [C1, proposal()],
        [C1, transfer(1, '50.00')],
        [C1, transfer(2, '30.00', { from: 'agency:cavr', to: 'fund:unscar', kind: 'refund', of: 1 })],
        [C1, transfer(3, '20.00', { from: 'agency:cavr', to: 'agency:cavr', kind: 'fee' })],
      ],
    ],
    [
      'held',
      ['advance outstanding'],
      [
        [C1, proposal()],
        [C1, transfer(1, '50.00')],
        [C1, spent(1, '49.00')],
      ],
    ],
    [
      'held, but not for long',
      [],
      [
        [C1, proposal()],
        [C1, transfer(1, '50.00')],
      ],
      { onDate: '2026-07-31' },
    ],
    [
      'held a day too long',
      ['advance outstanding'],
      [
        [C1, proposal()],
        [C1, transfer(1, '50.00')],
      ],
      { onDate: '2026-08-01' },
    ],
    [
      'spent from the oldest money first',
      [],
      [
        [C1, proposal()],
        [C1, transfer(1, '50.00')],
        [C1, transfer(2, '50.00', { date: '2026-12-01' })],
        [C1, spent(1, '50.00')],
      ],
    ],
    [
      'an interim account that a certified one replaces',
      ['advance outstanding'],
      [
        [C1, proposal()],
        [C1, transfer(1, '50.00')],
        [C1, spent(1, '50.00')],
        [C1, spent(2, '40.00', { kind: 'certified', replaces: [1] })],
      ],
    ],
    [
      'interest kept',
      ['advance outstanding'],
      [
        [C1, proposal()],
        [C1, transfer(1, '1.00', { from: 'agency:cavr', to: 'agency:cavr', kind: 'interest' })],
      ],
    ],
    [
      'held by a State that paid in as much of its own',
      ['advance outstanding', 'advance outstanding'],
      [
        [C1, proposal()],
        [C1, transfer(1, '50.00', { to: 'state:VUT' })],
        [C1, transfer(2, '50.00', { kind: 'contribution', from: 'state:VUT', to: 'agency:cavr' })],
      ],
    ],
  ],
  'fee-rates': [
    [
      'as agreed, rounded down',
      [],
      [
        [FUND, fund()],
        [FUND, fee('7.00')],
      ],
    ],
    [
      'as agreed, rounded up',
      [],
      [
        [FUND, fund()],
        [FUND, fee('7.01')],
      ],
    ],
    [
      'interest',
      [],
      [
        [FUND, fund()],
        [FUND, fee('9.00', { kind: 'interest', effect: 'gain', rate: undefined, base: undefined })],
      ],
    ],
    [
      'too much',
      ['fee differs from rate × base'],
      [
        [FUND, fund()],
        [FUND, fee('7.02')],
      ],
    ],
    [
      'too little',
      ['fee differs from rate × base'],
      [
        [FUND, fund()],
        [FUND, fee('6.99')],
      ],
    ],
    [
      'of nothing',
      ['fee without rate or base'],
      [
        [FUND, fund()],
        [FUND, fee('7.00', { base: undefined })],
      ],
    ],
    [
      'at another rate',
      ['fee at an unknown rate'],
      [
        [FUND, fund()],
        [FUND, fee('7.00', { rate: 'host' })],
      ],
    ],
    [
      'in another currency',
      ['fee in another currency'],
      [
        [FUND, fund()],
        [FUND, fee('7.00', { base: { measure: 'money', currency: 'EUR', amount: '100.00' } })],
      ],
    ],
    [
      'at the rate of its day',
      [],
      [
        [FUND, fund()],
        [FUND, fee('7.00')],
        [
          FUND,
          {
            type: 'FundTermsAmended',
            data: { changes: { feeRates: [{ code: 'admin', percent: '5', base: 'contributions' }] } },
          },
        ],
      ],
    ],
  ],
  earmarks: [
    [
      'for anything',
      [],
      [
        ['offer-o1', offer({})],
        [C1, proposal()],
        [C1, transfer(1, '10.00')],
      ],
    ],
    [
      'for what it paid',
      [],
      [
        ['offer-o1', offer({ kinds: ['training'] })],
        [C1, proposal()],
        [C1, transfer(1, '10.00')],
      ],
    ],
    [
      'for something else',
      ['paid outside the offer’s earmark'],
      [
        ['offer-o1', offer({ kinds: ['legal'] })],
        [C1, proposal()],
        [C1, transfer(1, '10.00')],
      ],
    ],
    [
      'not paid yet',
      [],
      [
        ['offer-o1', offer({ kinds: ['legal'] })],
        [C1, proposal()],
      ],
    ],
    [
      'narrowed afterwards',
      [],
      [
        ['offer-o1', offer({})],
        [C1, proposal()],
        ['offer-o1', { type: 'OfferAmended', data: { changes: { earmark: { kinds: ['legal'] } } } }],
        [C1, transfer(1, '10.00')],
      ],
    ],
    [
      'for a line that was amended',
      ['paid outside the offer’s earmark'],
      [
        ['offer-o1', offer({ kinds: ['training'] })],
        ['need-n1', need('state:VUT')],
        [C1, proposal()],
        [
          'need-n1',
          { type: 'NeedAmended', data: { changes: { lines: [{ line: 1, kind: 'legal' }] } } } as unknown as FactEvent,
        ],
        [C1, transfer(1, '10.00')],
      ],
    ],
    [
      'contributions that admit it',
      [],
      [
        [GIFT, pledged('50.00', { earmark: { kinds: ['training'] } })],
        [GIFT, giftReceived(1, '50.00', '2026-01-20')],
        [C1, proposal()],
        [C1, transfer(1, '50.00')],
      ],
    ],
    [
      'a contribution for something else',
      ['paid outside the donors’ earmarks'],
      [
        [GIFT, pledged('50.00', { earmark: { kinds: ['legal'] } })],
        [GIFT, giftReceived(1, '50.00', '2026-01-20')],
        [C1, proposal()],
        [C1, transfer(1, '10.00')],
      ],
    ],
    [
      'other money that is free',
      [],
      [
        [GIFT, pledged('50.00', { earmark: { kinds: ['legal'] } })],
        [GIFT, giftReceived(1, '50.00', '2026-01-20')],
        ['contribution-g2', pledged('10.00')],
        ['contribution-g2', giftReceived(1, '10.00', '2026-01-20')],
        [C1, proposal()],
        [C1, transfer(1, '10.00')],
      ],
    ],
    [
      'free money that another purpose leaves alone',
      [],
      [
        ['contribution-g2', pledged('10.00')],
        ['contribution-g2', giftReceived(1, '10.00', '2026-01-20')],
        [GIFT, pledged('10.00', { earmark: { beneficiaries: ['VUT'] } })],
        [GIFT, giftReceived(1, '10.00', '2026-01-20')],
        [C1, proposal()],
        [C1, transfer(1, '10.00')],
        [
          C2,
          proposal({
            needId: 'n2',
            beneficiaries: ['state:FJI'],
            earmarkFacts: {
              beneficiaries: ['state:FJI'],
              networks: [],
              regions: [],
              instruments: [],
              traffickingNexus: false,
              needLineKinds: { '1': 'legal' },
            },
          }),
        ],
        [C2, transfer(1, '10.00')],
      ],
    ],
    [
      'money that came back',
      [],
      [
        [GIFT, pledged('50.00', { earmark: { kinds: ['legal'] } })],
        [GIFT, giftReceived(1, '50.00', '2026-01-20')],
        [C1, proposal()],
        [C1, transfer(1, '10.00')],
        [C1, transfer(2, '10.00', { kind: 'refund', from: 'agency:cavr', to: 'fund:unscar', of: 1 })],
      ],
    ],
    [
      'another window',
      ['paid outside the donors’ earmarks'],
      [
        [GIFT, pledged('50.00', { window: 'pacific' })],
        [GIFT, giftReceived(1, '50.00', '2026-01-20')],
        [C1, proposal()],
        [FUND, decision({ window: 'africa' })],
        [
          FUND,
          { type: 'AllocationUsed', data: { decision: 1, needId: 'n1', commitment: 'c1', quantity: usd('10.00') } },
        ],
        [C1, transfer(1, '10.00')],
      ],
    ],
  ],
  'duplicate-references': [
    [
      'each its own',
      [],
      [
        [C1, transfer(1, '5.00', { reference: 'P-1' })],
        [C1, receipt(1, 1, '5.00', { reference: 'P-1' })],
        [C1, transfer(2, '5.00', { reference: 'P-1', from: 'agency:cavr', to: 'agency:ngo', onward: 1 })],
        [C1, evidence(1, 'aa')],
        [C1, spent(1, '1.00', { invoices: ['I-1'] })],
        [C1, spent(2, '1.00', { invoices: ['I-1'], replaces: [1], kind: 'certified' })],
      ],
    ],
    [
      'one payment for two commitments',
      ['payment reference used twice'],
      [
        [C1, transfer(1, '5.00', { reference: 'P-1' })],
        [C2, transfer(1, '5.00', { reference: 'P-1' })],
      ],
    ],
    [
      'one payment for a contribution and a commitment',
      ['payment reference used twice'],
      [
        [GIFT, pledged('5.00')],
        [GIFT, giftPaid(1, '5.00', '2026-01-20', { reference: 'P-1' })],
        [C1, transfer(1, '5.00', { reference: 'P-1', from: 'donor:japan' })],
      ],
    ],
    [
      'one receipt of two transfers',
      ['receipt reference used twice'],
      [
        [C1, receipt(1, 1, '5.00', { reference: 'R' })],
        [C1, receipt(2, 2, '5.00', { reference: 'R' })],
      ],
    ],
    [
      'one transfer that came in parts',
      [],
      [
        [C1, receipt(1, 1, '5.00', { reference: 'R' })],
        [C1, receipt(2, 1, '5.00', { reference: 'R' })],
      ],
    ],
    [
      'one receipt of two payments',
      ['receipt reference used twice'],
      [
        [GIFT, pledged('5.00')],
        [GIFT, giftReceived(1, '1.00', '2026-01-20', { reference: 'R', payment: 1 })],
        [GIFT, giftReceived(2, '1.00', '2026-01-20', { reference: 'R', payment: 2 })],
      ],
    ],
    [
      'one payment for a refund to a donor and a commitment',
      ['payment reference used twice'],
      [
        [GIFT, pledged('5.00')],
        [
          GIFT,
          { type: 'ContributionRefunded', data: { n: 1, amount: usd('5.00'), date: '2026-01-20', reference: 'P-1' } },
        ],
        [C1, transfer(1, '5.00', { reference: 'P-1' })],
      ],
    ],
    [
      'one list of participants',
      ['evidence used twice'],
      [
        [C1, evidence(1, 'aa')],
        [C2, evidence(1, 'aa')],
      ],
    ],
    [
      'one invoice',
      ['invoice used twice'],
      [
        [C1, spent(1, '1.00', { invoices: ['I-1'] })],
        [C2, spent(1, '1.00', { invoices: ['I-1'], party: 'agency:ngo' })],
      ],
    ],
    [
      'one paper for two accounts',
      ['document of an account used twice'],
      [
        [C1, spent(1, '1.00', { document: { kind: 'budget', title: 'Ledger', sha256: 'bb' } })],
        [C2, spent(1, '1.00', { document: { kind: 'budget', title: 'Ledger', sha256: 'bb' } })],
        [C1, evidence(1, 'bb')],
      ],
    ],
    [
      'a reference that was corrected',
      [],
      [
        [C1, transfer(1, '5.00', { reference: 'P-1' })],
        [C2, transfer(1, '5.00', { reference: 'P-1' })],
        [
          C2,
          {
            type: 'TransferCorrected',
            data: { n: 1, amount: usd('5.00'), date: '2026-02-01', reference: 'P-2', reason: 'Typing error' },
          },
        ],
      ],
    ],
  ],
  'same-hands': [
    ['apart', [], [[C1, proposal({ implementer: 'agency:ngo', fiscalAgent: 'agency:cavr' })]]],
    [
      'together',
      ['one agency for two tasks'],
      [[C1, proposal({ implementer: 'agency:cavr', fiscalAgent: 'agency:cavr' })]],
    ],
    [
      'parted by an amendment',
      [],
      [
        [C1, proposal({ implementer: 'agency:cavr', fiscalAgent: 'agency:cavr' })],
        [
          C1,
          {
            type: 'CommitmentAmended',
            data: { n: 1, changes: { fiscalAgent: null }, legs: [], increases: [], decreases: [], recredited: [] },
          },
        ],
      ],
    ],
  ],
  'body-interests': [
    [
      'for somebody else',
      [],
      [
        [FUND, fund()],
        ['need-n1', need('state:FJI')],
        [FUND, decision()],
      ],
    ],
    [
      'for a member',
      ['beneficiary on the deciding body'],
      [
        [FUND, fund()],
        ['need-n1', need('state:VUT')],
        [FUND, decision()],
      ],
    ],
    [
      'for a member that recused itself',
      [],
      [
        [FUND, fund()],
        ['need-n1', need('state:VUT')],
        [FUND, decision({ interests: [{ party: 'state:VUT', declaration: 'We asked for it.', recused: true }] })],
      ],
    ],
    [
      'for a member that declared and stayed',
      ['beneficiary on the deciding body'],
      [
        [FUND, fund()],
        ['need-n1', need('state:VUT')],
        [FUND, decision({ interests: [{ party: 'state:VUT', declaration: 'We asked for it.', recused: false }] })],
      ],
    ],
    [
      'for a member’s sovereign',
      ['beneficiary on the deciding body'],
      [
        ['party-donor:japan', { type: 'PartyRegistered', data: { id: 'donor:japan', name: 'Japan', ofState: 'JPN' } }],
        [FUND, fund()],
        ['need-n1', need('state:JPN')],
        [FUND, decision()],
      ],
    ],
    [
      'for a need known by its commitment',
      ['beneficiary on the deciding body'],
      [
        [FUND, fund()],
        [FUND, decision()],
        [C1, proposal()],
      ],
    ],
    [
      'of a body that changed since',
      ['beneficiary on the deciding body'],
      [
        [FUND, fund()],
        ['need-n1', need('state:VUT')],
        [FUND, decision()],
        [FUND, { type: 'FundTermsAmended', data: { changes: { decidingBody: { name: 'Board', members: [] } } } }],
      ],
    ],
    [
      'for a member that the need named by an amendment',
      ['beneficiary on the deciding body'],
      [
        [FUND, fund()],
        ['need-n1', need('state:FJI')],
        ['need-n1', { type: 'NeedAmended', data: { changes: {}, beneficiaries: ['state:FJI', 'state:VUT'] } }],
        ['need-n1', { type: 'NeedAmended', data: { changes: { title: 'Courses' } } }],
        [FUND, decision()],
      ],
    ],
    [
      'for a member that the need named before and after, not then',
      [],
      [
        [FUND, fund()],
        ['need-n1', need('state:VUT')],
        ['need-n1', { type: 'NeedAmended', data: { changes: {}, beneficiaries: ['state:FJI'] } }],
        [FUND, decision()],
        ['need-n1', { type: 'NeedAmended', data: { changes: {}, beneficiaries: ['state:FJI', 'state:VUT'] } }],
      ],
    ],
  ],
  'late-entries': [
    [
      'in time',
      [],
      [
        [C1, proposal()],
        [C1, transfer(1, '5.00')],
        [
          FUND,
          { type: 'PeriodClosed', data: { period: { from: '2026-01-01', to: '2026-06-30' }, party: 'fund:unscar' } },
        ],
      ],
    ],
    [
      'after the closing',
      ['prior-period entry'],
      [
        [C1, proposal()],
        [
          FUND,
          { type: 'PeriodClosed', data: { period: { from: '2026-01-01', to: '2026-06-30' }, party: 'fund:unscar' } },
        ],
        [C1, transfer(1, '5.00', { date: '2026-06-30' })],
      ],
    ],
    [
      'a decision after the closing',
      ['prior-period entry'],
      [[FUND, fund()], CLOSED, [FUND, decision({ date: '2026-06-30' })]],
    ],
    ['a decision before the closing', [], [[FUND, fund()], [FUND, decision({ date: '2026-06-30' })], CLOSED]],
    [
      'after the closing, for the next period',
      [],
      [
        [C1, proposal()],
        [
          FUND,
          { type: 'PeriodClosed', data: { period: { from: '2026-01-01', to: '2026-06-30' }, party: 'fund:unscar' } },
        ],
        [C1, transfer(1, '5.00', { date: '2026-07-01' })],
      ],
    ],
    [
      'of another fund',
      [],
      [
        [C1, proposal({ providers: ['donor:japan'] })],
        [
          FUND,
          { type: 'PeriodClosed', data: { period: { from: '2026-01-01', to: '2026-06-30' }, party: 'fund:unscar' } },
        ],
        [C1, transfer(1, '5.00')],
      ],
    ],
    [
      'a contribution after the closing',
      ['prior-period entry'],
      [
        [GIFT, pledged('5.00')],
        [
          FUND,
          { type: 'PeriodClosed', data: { period: { from: '2026-01-01', to: '2026-06-30' }, party: 'fund:unscar' } },
        ],
        [GIFT, giftReceived(1, '5.00', '2026-05-01')],
      ],
    ],
    ...(
      [
        ['into a closed period', '2026-07-01', '2026-06-30', ['prior-period entry']],
        ['out of a closed period', '2026-06-30', '2026-07-01', ['prior-period entry']],
        ['beside a closed period', '2026-07-01', '2026-07-02', []],
      ] as const
    ).flatMap(([says, before, now, found]) => {
      const told = { transfer: 1, amount: usd('4.00'), date: now, reason: 'x' };
      return (
        [
          ['transfer', transfer(1, '5.00', { date: before }), 'TransferCorrected'],
          ['receipt', receipt(1, 1, '5.00', { date: before }), 'ReceiptCorrected'],
        ] as const
      ).map(
        ([what, first, type]) =>
          [
            `a ${what} corrected ${says}`,
            found,
            [[C1, proposal()], [C1, first], CLOSED, [C1, { type, data: { n: 1, ...told } }, { at: now }]],
          ] as const,
      );
    }),
    [
      'an account of a closed period that a certified one replaces',
      ['prior-period entry'],
      [
        [C1, proposal()],
        [C1, spent(1, '5.00', { date: '2026-06-30' })],
        CLOSED,
        [C1, spent(2, '4.00', { kind: 'certified', replaces: [1], date: '2026-08-01' })],
      ],
    ],
    ['thirty days later', [], [[FUND, fee('7.00'), { at: '2026-03-31' }]]],
    ['thirty-one days later', ['recorded late'], [[FUND, fee('7.00'), { at: '2026-04-01' }]]],
    ['within the days allowed', [], [[C1, evidence(1, 'aa'), { at: '2026-04-01' }]], { days: 31 }],
  ],
  'early-instalments': [
    ...(
      [
        ['on signature', { on: 'signature' }, [C1, BOUND, { on: '2026-02-01' }], [C1, BOUND, { on: '2026-02-02' }]],
        [
          'on acceptance of a report',
          { on: 'report', report: 1 },
          [C1, { type: 'ReportAccepted', data: { n: 1, party: 'fund:unscar' } }, { on: '2026-02-01' }],
          [C1, { type: 'ReportAccepted', data: { n: 2, party: 'fund:unscar' } }, { on: '2026-01-01' }],
        ],
        [
          'on a condition',
          { on: 'condition', condition: 1 },
          [C1, { type: 'ConditionWaived', data: { n: 1, party: 'fund:unscar' } }, { on: '2026-01-31' }],
          [C1, { type: 'ConditionMet', data: { n: 1, party: 'fund:unscar' } }, { on: '2026-02-02' }],
        ],
      ] as const
    ).flatMap(([says, on, inTime, tooLate]) => {
      const planned = terms({ schedule: [{ n: 1, amount: usd('5.00'), ...on }] });
      const paid: Entry = [C1, transfer(1, '5.00', { instalment: 1 })];
      return [
        [says, [], [[C1, planned], inTime, paid]],
        [`before ${says}`, ['instalment paid before its trigger'], [[C1, planned], paid, tooLate]],
        [`without ${says}`, ['instalment paid before its trigger'], [[C1, planned], paid]],
      ] as const;
    }),
    [
      'on its date',
      [],
      [
        [C1, terms({ schedule: [{ n: 1, amount: usd('5.00'), on: 'date', due: '2026-02-01' }] })],
        [C1, transfer(1, '5.00', { instalment: 1 })],
      ],
    ],
    [
      'before its date',
      ['instalment paid before its trigger'],
      [
        [C1, terms({ schedule: [{ n: 1, amount: usd('5.00'), on: 'date', due: '2026-02-02' }] })],
        [C1, transfer(1, '5.00', { instalment: 1 })],
      ],
    ],
    [
      'outside the schedule',
      [],
      [
        [C1, terms({ schedule: [{ n: 1, amount: usd('5.00'), on: 'date', due: '2026-02-02' }] })],
        [C1, transfer(1, '5.00')],
      ],
    ],
    ...(
      [
        ['on its date, put off afterwards', '2026-02-01', '2026-06-01', []],
        ['before its date, brought forward afterwards', '2026-02-02', '2026-01-01', [EARLY]],
      ] as const
    ).map(
      ([says, due, later, found]) =>
        [
          says,
          found,
          [
            [C1, terms({ schedule: [{ n: 1, amount: usd('5.00'), on: 'date', due }] })],
            [C1, transfer(1, '5.00', { instalment: 1 })],
            [C1, amendedTerms({ schedule: [{ n: 1, amount: usd('5.00'), on: 'date', due: later }] })],
          ],
        ] as const,
    ),
    [
      'before the date it was put off to',
      [EARLY],
      [
        [C1, terms({ schedule: [{ n: 1, amount: usd('5.00'), on: 'date', due: '2026-01-01' }] })],
        [C1, amendedTerms({ schedule: [{ n: 1, amount: usd('5.00'), on: 'date', due: '2026-06-01' }] })],
        [C1, transfer(1, '5.00', { instalment: 1 })],
      ],
    ],
  ],
  'reports-late': [
    ['not bound', [], [[C1, terms({ reports: [{ n: 1, kind: 'narrative', by: 'agency:cavr', due: '2026-06-30' }] })]]],
    ...(
      [
        ['filed on the day', [], '2026-06-30'],
        ['filed late', ['report filed late'], '2026-07-01'],
        ['not filed', ['report overdue'], undefined],
      ] as const
    ).map(
      ([says, found, filed]) =>
        [
          says,
          found,
          [
            [C1, terms({ reports: [{ n: 1, kind: 'narrative', by: 'agency:cavr', due: '2026-06-30' }] })],
            [C1, BOUND],
            ...(filed === undefined
              ? []
              : [[C1, { type: 'ReportFiled', data: { n: 1, party: 'agency:cavr', date: filed } }] as Entry]),
          ],
        ] as const,
    ),
    [
      'returned and not filed again',
      ['report overdue'],
      [
        [C1, terms({ reports: [{ n: 1, kind: 'narrative', by: 'agency:cavr', due: '2026-06-30' }] })],
        [C1, BOUND],
        [C1, { type: 'ReportFiled', data: { n: 1, party: 'agency:cavr', date: '2026-06-01' } }],
        [C1, { type: 'ReportReturned', data: { n: 1, party: 'fund:unscar' } }, { on: '2026-06-02' }],
      ],
    ],
    [
      'judged on a day before anything bound its sides',
      [],
      [
        [C1, terms({ reports: [{ n: 1, kind: 'narrative', by: 'agency:cavr', due: '2026-01-02' }] })],
        [C1, BOUND],
      ],
      { onDate: '2026-01-04' },
    ],
    [
      'waived',
      [],
      [
        [C1, terms({ reports: [{ n: 1, kind: 'narrative', by: 'agency:cavr', due: '2026-06-30' }] })],
        [C1, BOUND],
        [C1, { type: 'ReportWaived', data: { n: 1, party: 'fund:unscar' } }],
      ],
    ],
    [
      'extended',
      [],
      [
        [C1, terms({ reports: [{ n: 1, kind: 'narrative', by: 'agency:cavr', due: '2026-06-30' }] })],
        [C1, BOUND],
        [C1, amendedTerms({ reports: [{ n: 1, kind: 'narrative', by: 'agency:cavr', due: '2027-06-30' }] })],
      ],
    ],
  ],
};

it('are ten, each with cases', () => {
  expect(CHECKS.map(({ name }) => name)).toEqual(Object.keys(CASES));
});

describe.each(Object.entries(CASES))('%s', (name, cases) => {
  it.each(cases.map(([says, found, entries, over = {}]) => [says, found, entries, over] as const))(
    '%s',
    (_says, found, entries, over) => {
      const facts = factsOf(entries);
      expect(run(name, facts, over)).toEqual(found);
      // What a check does not say it reads it does not get.
      const read = new Set<string>(named(name).reads);
      expect(entries.filter(([, { type }]) => read.has(type))).not.toHaveLength(0);
      const given = new Facts(facts.all.filter(({ type }) => read.has(type)));
      expect(run(name, given, over)).toEqual(found);
    },
  );
});

describe('same-hands of people', () => {
  it('are found where one person acts for two parties, and only there', () => {
    const apart = [hand('s1', 'donor:japan'), hand('s2', 'agency:cavr'), hand('s1', 'donor:japan', C2)];
    expect(run('same-hands', factsOf([], apart))).toEqual([]);
    const [found] = named('same-hands').find(factsOf([], [...apart, hand('s1', 'agency:cavr', C2)]), {
      onDate: '',
      days: 0,
    });
    expect(found).toMatchObject({
      what: 'one person for two parties',
      parties: ['donor:japan', 'agency:cavr'],
      records: [C1, C2],
    });
  });
});

it('every finding opens as events', () => {
  for (const [name, cases] of Object.entries(CASES)) {
    for (const [, found, entries, over] of cases) {
      const check = named(name);
      const known = new Set(entries.map((_, index) => `e${index + 1}`));
      const findings = check.find(factsOf(entries), {
        onDate: '2026-12-31',
        days: check.days?.byDefault ?? 0,
        ...over,
      });
      expect(findings).toHaveLength(found.length);
      for (const { events, records } of findings) {
        expect(events.length).toBeGreaterThan(0);
        expect(records.length).toBeGreaterThan(0);
        expect(events.every((event) => known.has(event))).toBe(true);
      }
    }
  }
});
