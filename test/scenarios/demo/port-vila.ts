import { writeFileSync } from 'node:fs';
import type { Answer, Body, Client, Office } from './client.js';
import { listIn, locationOf, must, objectIn, textIn } from './client.js';
import type { Say } from './printing.js';
import { heading, short, shown, step } from './printing.js';

const SECRETARIAT: Office = { party: 'agency:secretariat', role: 'coordinator' };
const MSG: Office = { party: 'network:msg', role: 'network-host' };
const STATES = ['state:VUT', 'state:FJI', 'state:PNG', 'state:SLB'].map((party): Office => ({ party, role: 'npc' }));
const UNSCAR: Office = { party: 'fund:unscar', role: 'donor-desk' };
const CAVR: Office = { party: 'agency:cavr', role: 'implementer' };
const CAVR_TREASURER: Office = { party: 'agency:cavr', role: 'fiscal-agent' };
/** Long enough for any machine; the answer comes as soon as the outcome is known. */
const WAIT = { prefer: 'wait=20' };

const usd = (amount: string): Body => ({ measure: 'money', currency: 'USD', amount });
const today = (): string => new Date().toISOString().slice(0, 10);
const yearEnd = (years: number): string => `${new Date().getUTCFullYear() + years}-12-31`;
const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** What the story ended with, for the test that plays it. */
export interface Story {
  readonly needId: string;
  readonly offerId: string;
  readonly commitmentId: string;
  readonly closedAs: string;
  /** Status of the commitment at the three points replayed. */
  readonly replayed: readonly string[];
  /** Per statement read at the end: closing balance, and whether sources and uses balance. */
  readonly statements: readonly { readonly of: string; readonly closing: string; readonly reconciles: boolean }[];
}

/**
 * Port Vila 2017 as Pledgebook would hold it: a joint need of four States, a fund that pays under a decision, one agency that holds
 * the money and does the work, two instalments on report, an extension, a refund, and statements that reconcile to zero.
 */
export const playPortVila = async (client: Client, say: Say, evidence: string): Promise<Story> => {
  heading(say, '3. A joint need from filing to confirmed delivery (Port Vila 2017)');
  say('ILLUSTRATION. Vanuatu, Fiji, Papua New Guinea and Solomon Islands did meet in Port Vila in November 2017,');
  say(
    'UNSCAR did pay, and CAVR was fiscal agent and implementing agency. Every amount, date and line below is INVENTED',
  );
  say('to show how such a story is kept.');
  await register(client, say);
  const need = await file(client, say);
  await fill(client, say);
  const offer = await post(client, say);
  await match(client, say, need, offer);
  await decideAllocation(client, say, need);
  const commitment = await bind(client, say, need, offer);
  await carryOut(client, say, commitment);
  const statements = await settle(client, say, commitment);
  await close(client, say, commitment, need);
  const replayed = await replay(client, say, commitment);
  await takeEvidence(client, say, commitment, evidence);
  const { body: end } = await client.get(commitment, STATES[0]);
  return {
    needId: idOf(need),
    offerId: idOf(offer),
    commitmentId: idOf(commitment),
    closedAs: textIn(end, 'closedAs'),
    replayed,
    statements,
  };
};

const register = async (client: Client, say: Say): Promise<void> => {
  step(
    say,
    'The secretariat',
    'registers the network, the fund, two donors and the agency. States need no registration.',
  );
  const parties: readonly Body[] = [
    {
      id: 'network:msg',
      name: 'Melanesian Spearhead Group',
      category: 'regional',
      members: STATES.map(({ party }) => ({ party, as: 'member' })),
    },
    {
      id: 'fund:unscar',
      name: 'UN Trust Facility Supporting Cooperation on Arms Regulation (UNSCAR)',
      category: 'fund',
    },
    { id: 'donor:australia', name: 'Australia, donor desk', category: 'bilateral', ofState: 'AUS' },
    { id: 'donor:germany', name: 'Germany, donor desk', category: 'bilateral', ofState: 'DEU' },
    { id: 'agency:cavr', name: 'Centre for Armed Violence Reduction', category: 'ngo' },
  ];
  for (const party of parties) await client.create('/v1/parties', SECRETARIAT, party);
};

const file = async (client: Client, say: Say): Promise<string> => {
  const drafted = await client.create('/v1/needs', MSG, {
    title: 'Carry out the ATT and the UNPoA in Melanesia',
    problem: 'Armouries have no lockable racks, few officers are trained, and the laws do not yet cover brokering.',
    outcome:
      'Weapons are stored to standard by people who know how, and the region takes its seats at the conferences.',
    beneficiaries: STATES.map(({ party }) => party),
    kinds: ['stockpile-management', 'meeting-sponsorship', 'legislative'],
    instruments: ['ATT', 'UNPoA'],
    lines: [
      { kind: 'stockpile-management', description: 'Racks, locks and training', quantity: usd('60000.00') },
      {
        kind: 'meeting-sponsorship',
        description: 'Delegates to the 4th Conference of States Parties and the 3rd UNPoA Review Conference',
        quantity: { measure: 'seats', amount: '8' },
      },
      {
        kind: 'legislative',
        description: 'Review of the four firearms acts',
        quantity: { measure: 'undetermined', why: 'to-be-assessed' },
      },
    ],
    urgency: 'normal',
    languages: ['en'],
    priorAid: 'none',
    ownContribution: 'none',
    authorityRef: 'Outcome document of Port Vila (illustration)',
    contactOffice: 'Secretariat of the network',
    visibility: { summary: 'public', body: 'public', annex: 'sealed' },
  });
  const need = locationOf(drafted);
  step(say, 'The network', `drafts a joint need of four States (${short(need)}): ${linesOf(drafted)}.`);
  for (const state of STATES) await client.command(need, 'consent-participation', state);
  say('  Each State is counted only once it has consented: Vanuatu, Fiji, Papua New Guinea and Solomon Islands do.');
  await client.command(need, 'submit', MSG, { consent: { circulate: true, publish: true } });
  const opened = await client.command(need, 'open', SECRETARIAT);
  must(opened.body.status === 'open', 'the need is open');
  must((opened.body.beneficiaries as readonly string[]).length === 4, 'four States take part');
  step(say, 'The secretariat', 'reviews the need and opens it. From now on everyone may read it.');
  return need;
};

const linesOf = ({ body }: Answer): string =>
  listIn(body, 'lines')
    .map(({ kind, quantity }) => `${shown(quantity)} for ${String(kind)}`)
    .join(', ');

/** The fund's book, and who filled it. */
const fill = async (client: Client, say: Say): Promise<void> => {
  await client.create('/v1/funds', SECRETARIAT, {
    fund: 'fund:unscar',
    decidingBody: { name: 'Strategic planning group', members: ['donor:australia', 'donor:germany'] },
    currency: 'USD',
    windows: [{ code: 'pacific', name: 'Pacific' }],
    feeRates: [],
    capacityBasis: 'received',
    periods: [{ from: `${today().slice(0, 4)}-01-01`, to: yearEnd(0) }],
  });
  const given = [
    { donor: 'donor:australia', amount: usd('60000.00'), receipt: {} },
    {
      donor: 'donor:germany',
      amount: { measure: 'money', currency: 'EUR', amount: '20000.00' },
      receipt: { credited: usd('22000.00'), rate: '1.1' },
    },
  ] as const;
  for (const { donor, amount, receipt } of given) {
    const desk: Office = { party: donor, role: 'donor-desk' };
    const pledged = locationOf(await client.create('/v1/contributions', desk, { fund: 'fund:unscar', amount }));
    await client.command(pledged, 'sign', desk, { date: today(), reference: 'Arrangement (illustration)' });
    await client.command(pledged, 'payments', desk, { amount, date: today(), reference: 'PAY-1 (illustration)' });
    await client.command(pledged, 'receipts', UNSCAR, { amount, ...receipt, date: today(), reference: 'BANK-1' });
    step(say, desk.party, `contributes ${shown(amount)} to UNSCAR: pledged, signed, paid, and received by the fund.`);
  }
  say(
    `  The euros were booked as ${shown(usd('22000.00'))}, at the rate of 1.1 that stands with the receipt for ever.`,
  );
};

const post = async (client: Client, say: Say): Promise<string> => {
  const posted = await client.create('/v1/offers', UNSCAR, {
    title: 'Small arms control in Melanesia',
    description: 'Grants for projects that carry out the ATT and the UNPoA.',
    lines: [{ kinds: ['stockpile-management', 'training'], capacity: usd('80000.00'), minimumLot: '5000.00' }],
    earmark: { regions: ['054'], instruments: ['ATT', 'UNPoA'], level: 'geographic' },
    period: { from: today(), to: yearEnd(2) },
    languages: ['en'],
    visibility: 'public',
  });
  const offer = locationOf(posted);
  step(
    say,
    'UNSCAR',
    `posts an offer (${short(offer)}): ${shown(usd('80000.00'))} for stockpile management and training,`,
  );
  say('  only for States of Melanesia, only under the ATT or the UNPoA.');
  return offer;
};

const match = async (client: Client, say: Say, need: string, offer: string): Promise<void> => {
  const { body } = await client.get(`${need}/matches?includeBlocked=true`, MSG);
  const found = listIn(body, 'items').find(({ offerId }) => offer.endsWith(String(offerId)));
  if (found === undefined) throw new Error(`the offer does not match: ${JSON.stringify(body)}`);
  step(
    say,
    'The network',
    `asks what matches its need. UNSCAR's offer does, with a score of ${Number(found.score).toFixed(2)}:`,
  );
  for (const { name, weight, value, because } of listIn(found, 'components')) {
    say(`  - ${String(name)} ${Number(value).toFixed(2)} × weight ${Number(weight).toFixed(2)}: ${String(because)}`);
  }
  for (const { needLine, quantity } of listIn(found, 'coverage')) {
    say(`  It could serve ${shown(quantity)} of line ${String(needLine)}.`);
  }
  must(
    listIn(body, 'items').length + listIn(body, 'blocked').length === 1,
    'reported records and drafts stay outside the match',
  );
};

const decideAllocation = async (client: Client, say: Say, need: string): Promise<void> => {
  await client.command('/v1/funds/fund:unscar', 'decisions', UNSCAR, {
    body: 'Strategic planning group',
    date: today(),
    reference: 'Decision 3 (illustration)',
    allocations: [{ needId: idOf(need), amount: usd('60000.00') }],
    interests: [],
  });
  step(say, 'UNSCAR', `records the decision of its body: ${shown(usd('60000.00'))} for this need.`);
  say('  A fund that keeps its book here signs nothing without one, and allocates no more than it has.');
};

const bind = async (client: Client, say: Say, need: string, offer: string): Promise<string> => {
  const proposed = await client.create(
    '/v1/commitments',
    UNSCAR,
    {
      offerId: idOf(offer),
      needId: idOf(need),
      legs: [{ offerLine: 1, needLine: 1, drawn: usd('60000.00') }],
      implementer: 'agency:cavr',
      fiscalAgent: 'agency:cavr',
      terms: {
        agreements: [
          {
            kind: 'grant',
            parties: ['fund:unscar', 'agency:cavr'],
            reference: 'Grant letter (illustration)',
            date: today(),
            legallyBinding: true,
          },
        ],
        period: { from: today(), to: yearEnd(1) },
        schedule: [
          { amount: usd('35000.00'), on: 'report', report: 1 },
          { amount: usd('25000.00'), on: 'report', report: 2 },
        ],
        reports: [
          { kind: 'narrative', by: 'agency:cavr', due: yearEnd(0), text: 'Inception report' },
          { kind: 'financial', by: 'agency:cavr', due: yearEnd(1), text: 'Progress and expenditure' },
        ],
      },
    },
    WAIT,
  );
  const commitment = locationOf(proposed);
  must(proposed.body.hold === 'held', 'the capacity is held');
  step(
    say,
    'UNSCAR',
    `proposes a commitment (${short(commitment)}): ${shown(usd('60000.00'))} for line 1, with CAVR as fiscal`,
  );
  say('  agent and implementing agency, in two instalments, each on the acceptance of a report.');
  say('  The offer holds that sum at once, so that nobody promises it twice:');
  await sayAvailable(client, say, offer);
  const accepted = await client.command(commitment, 'accept', MSG, {}, WAIT);
  must(accepted.body.status === 'accepted', 'the need took the coverage');
  step(say, 'The network', 'accepts for its members. The need reserves the sum on line 1.');
  await client.command(commitment, 'consent-task', CAVR);
  step(say, 'CAVR', 'consents to both of its tasks: to hold and pass on the money, and to do the work.');
  await client.command(commitment, 'sign', UNSCAR);
  const signed = await client.command(commitment, 'sign', MSG, {}, WAIT);
  must(signed.body.status === 'binding', 'the last signature binds');
  step(
    say,
    'UNSCAR and the network',
    'sign. With both signatures and the consent the commitment is binding, and counts.',
  );
  return commitment;
};

const sayAvailable = async (client: Client, say: Say, offer: string): Promise<void> => {
  const { body } = await client.get(offer, UNSCAR);
  for (const { held, available } of listIn(body, 'lines')) {
    say(`  held ${shown(held)}, still available ${shown(available)}.`);
  }
};

const report = async (client: Client, say: Say, commitment: string, n: number): Promise<void> => {
  await client.command(commitment, `reports/${n}/file`, CAVR, { date: today(), reference: `R-${n} (illustration)` });
  await client.command(commitment, `reports/${n}/accept`, UNSCAR, { note: 'Complete' });
  step(say, 'CAVR', `files report ${n}; UNSCAR accepts it. Nobody accepts its own report.`);
};

/** One instalment: what UNSCAR says it paid, and what CAVR says arrived. */
const pay = async (
  client: Client,
  say: Say,
  commitment: string,
  { n, amount, arrived, charges }: { n: number; amount: string; arrived: string; charges?: string },
): Promise<void> => {
  await client.command(commitment, 'transfers', UNSCAR, {
    kind: 'disbursement',
    from: 'fund:unscar',
    to: 'agency:cavr',
    amount: usd(amount),
    instalment: n,
    date: today(),
    reference: `UNSCAR-PAY-${n} (illustration)`,
  });
  const received = await client.command(commitment, 'receipts', CAVR_TREASURER, {
    transfer: n,
    amount: usd(arrived),
    ...(charges === undefined ? {} : { charges: usd(charges) }),
    date: today(),
    reference: `CAVR-BANK-${n} (illustration)`,
  });
  must(listIn(received.body, 'discrepancies').length === 0, 'what arrived and the charges make up what was sent');
  step(say, 'UNSCAR', `pays instalment ${n}: ${shown(usd(amount))} to CAVR, the fiscal agent.`);
  const went = charges === undefined ? '' : ` and ${shown(usd(charges))} went in bank charges`;
  say(`  CAVR reports that ${shown(usd(arrived))} arrived${went}: two facts by two parties, and they agree.`);
};

const deliver = async (
  client: Client,
  say: Say,
  commitment: string,
  { n, amount, what, beneficiary, by }: { n: number; amount: string; what: string; beneficiary?: string; by: Office },
): Promise<void> => {
  await client.command(commitment, 'deliveries', CAVR, {
    leg: 1,
    quantity: usd(amount),
    date: today(),
    ...(beneficiary === undefined ? {} : { beneficiary }),
  });
  step(say, 'CAVR', `reports tranche ${n}: ${what}, worth ${shown(usd(amount))}. Reported is not yet confirmed.`);
  const confirmed = await client.command(commitment, `deliveries/${n}/confirm`, by, { condition: 'usable' }, WAIT);
  say(`  ${by.party} looks and confirms it, usable. The commitment is now ${textIn(confirmed.body, 'status')}.`);
};

const carryOut = async (client: Client, say: Say, commitment: string): Promise<void> => {
  await report(client, say, commitment, 1);
  await pay(client, say, commitment, { n: 1, amount: '35000.00', arrived: '34975.00', charges: '25.00' });
  await deliver(client, say, commitment, {
    n: 1,
    amount: '30000.00',
    what: 'racks and locks in Vanuatu',
    beneficiary: 'state:VUT',
    by: { party: 'state:VUT', role: 'npc' },
  });
  await client.command(commitment, 'extend', MSG, {
    period: { to: yearEnd(2) },
    reports: [{ n: 2, due: yearEnd(2) }],
    reason: 'A cyclone closed the airports (illustration)',
  });
  await client.command(commitment, 'amend-accept', UNSCAR, {}, WAIT);
  step(say, 'The network', 'asks for more time; UNSCAR agrees. Dates move, not a cent does: a no-cost extension.');
  await report(client, say, commitment, 2);
  await pay(client, say, commitment, { n: 2, amount: '25000.00', arrived: '25000.00' });
  await deliver(client, say, commitment, {
    n: 2,
    amount: '25000.00',
    what: 'training for officers of all four States',
    by: MSG,
  });
};

/** The work cost less than planned: CAVR accounts for what it spent and pays the rest back, and the sides reduce the leg. */
const settle = async (client: Client, say: Say, commitment: string): Promise<Story['statements']> => {
  await client.command(commitment, 'expenditures', CAVR, {
    kind: 'certified',
    period: { from: today(), to: today() },
    lines: [
      { budgetLine: 'Equipment', amount: usd('29975.00') },
      { budgetLine: 'Training', amount: usd('25000.00') },
    ],
    date: today(),
    reference: 'Certified statement (illustration)',
  });
  await client.command(commitment, 'transfers', CAVR, {
    kind: 'refund',
    of: 2,
    from: 'agency:cavr',
    to: 'fund:unscar',
    amount: usd('5000.00'),
    date: today(),
    reference: 'Refund (illustration)',
  });
  await client.command(commitment, 'receipts', UNSCAR, { transfer: 3, amount: usd('5000.00'), date: today() });
  step(say, 'CAVR', `accounts for ${shown(usd('54975.00'))} by budget line and pays ${shown(usd('5000.00'))} back.`);
  await client.command(commitment, 'amend', UNSCAR, {
    legs: [{ leg: 1, offerLine: 1, needLine: 1, drawn: usd('55000.00') }],
    terms: {
      schedule: [
        { n: 1, amount: usd('35000.00'), on: 'report', report: 1 },
        { n: 2, amount: usd('20000.00'), on: 'report', report: 2 },
      ],
    },
    reason: 'The training cost less than planned',
  });
  await client.command(commitment, 'amend-accept', MSG, {}, WAIT);
  step(
    say,
    'UNSCAR and the network',
    `agree on ${shown(usd('55000.00'))}: what was delivered stays, the rest goes back.`,
  );
  heading(say, '4. Sources and uses');
  return [
    await statement(client, say, 'holder=agency:cavr', CAVR),
    await statement(client, say, 'fund=fund:unscar', UNSCAR),
  ];
};

const statement = async (client: Client, say: Say, of: string, by: Office): Promise<Story['statements'][number]> => {
  const { body } = await client.get(`/v1/statements?${of}&from=${today()}&to=${today()}`, by);
  const account = listIn(body, 'currencies').find(({ currency }) => currency === 'USD');
  if (account === undefined) throw new Error(`no account in USD: ${JSON.stringify(body)}`);
  say();
  say(`${of.slice(of.indexOf('=') + 1)} in USD`);
  say(`  opening ${String(account.opening).padStart(43)}`);
  for (const [sign, part] of [
    ['+', 'sources'],
    ['-', 'uses'],
  ] as const) {
    for (const [name, amount] of Object.entries(objectIn(account, part))) {
      if (!/^[0.]*$/.test(String(amount))) say(`  ${sign} ${name.padEnd(30)} ${String(amount).padStart(18)}`);
    }
  }
  say(`  closing ${String(account.closing).padStart(43)}`);
  say(`  reconciles: ${account.reconciles === true ? 'yes' : 'NO'}, difference ${String(account.difference)}`);
  must(account.reconciles === true, 'sources and uses balance');
  return { of, closing: String(account.closing), reconciles: account.reconciles === true };
};

const close = async (client: Client, say: Say, commitment: string, need: string): Promise<void> => {
  const closed = await client.command(commitment, 'close', SECRETARIAT);
  must(closed.body.closedAs === 'confirmed', 'what was confirmed closes as confirmed');
  step(say, 'The secretariat', `closes the commitment: ${textIn(closed.body, 'closedAs')}.`);
  const { body } = await client.get(need);
  say('  What anyone may read of the need now:');
  for (const { line, quantity, coverage } of listIn(body, 'lines')) {
    if (typeof coverage === 'string') {
      say(`  - line ${String(line)}: to be assessed, its coverage is ${coverage}`);
      continue;
    }
    const { binding, delivered, confirmed, outstanding } = coverage as Body;
    say(
      `  - line ${String(line)}: asked ${shown(quantity)}, binding ${shown(binding)}, delivered ${shown(delivered)},`,
    );
    say(`    confirmed ${shown(confirmed)}, still lacking ${shown(outstanding)}`);
  }
};

/** The event after which each point is replayed, and what had just happened. */
const POINTS = [
  { type: 'CommitmentHeld', after: 'the proposal was held' },
  { type: 'CommitmentBound', after: 'the last signature was given' },
  { type: 'DeliveryConfirmed', after: 'the first tranche was confirmed' },
] as const;

const replay = async (client: Client, say: Say, commitment: string): Promise<readonly string[]> => {
  heading(say, '5. Replay: what stood there, at any moment');
  const { body } = await client.get(`${commitment}/history`, MSG);
  const events = listIn(body, 'items');
  say(
    `The commitment's history holds ${events.length} events; nothing in it was ever changed. Replayed at three of them:`,
  );
  const statuses: string[] = [];
  for (const { type, after } of POINTS) {
    const event = events.find((each) => each.type === type);
    if (event === undefined) throw new Error(`the history has no ${type}`);
    const { body: then } = await client.get(`${commitment}/replay?at=${textIn(event, 'position')}`, MSG);
    const state = objectIn(then, 'state');
    const [leg] = listIn(state, 'legs');
    statuses.push(textIn(state, 'status'));
    say();
    say(`  At position ${textIn(event, 'position')}, when ${after}: ${textIn(state, 'status')}`);
    say(
      `    signatures ${listIn(state, 'signatures').length}, consents ${listIn(state, 'consents').length}, transfers ${listIn(state, 'transfers').length},`,
    );
    say(
      `    delivered ${shown(leg?.delivered)}, confirmed ${shown(leg?.confirmed)}; ${listIn(then, 'steps').length} steps led there.`,
    );
  }
  return statuses;
};

const takeEvidence = async (client: Client, say: Say, commitment: string, to: string): Promise<void> => {
  heading(say, '6. Evidence: what proves it without this service');
  const key = (await client.file('/log/verifier-key')).toString().trimEnd();
  const bundle = await client.file(`${commitment}/evidence`, MSG);
  writeFileSync(to, bundle);
  step(
    say,
    'The network',
    'takes the evidence of the commitment away: its events, and what proves them under one signed',
  );
  say('  checkpoint of the log. Read index.html in it. To verify it, here or on any other machine, offline:');
  say();
  say(`  npx pledgebook-verify '${to}' --key '${key}'`);
  say();
  say('  VERIFY.md in it says how to do so with OpenSSL, Python or Go instead, and none of these programs.');
};
