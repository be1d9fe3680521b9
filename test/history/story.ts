import { InMemoryEventStore } from '#kernel-testing';
import type { Port } from '#hosting';
import type { RecordedEvent } from '#kernel';
import { ManualClock } from '#kernel';
import { createApp } from '../../apps/pledgebook/app.js';
import type { Body, Made, Office } from './play.js';
import {
  bind as bound,
  CAVR,
  DAY,
  days,
  FIJI,
  JAPAN,
  openNeed,
  paper,
  Play,
  propose,
  REVIEWER,
  SECRETARIAT,
  SOLOMONS,
  TREASURER,
  UNSCAR,
  usd,
  VANUATU,
} from './play.js';
import { allocationsOf } from './story-allocations.js';
import { changesOf } from './story-changes.js';
import { dealsOf } from './story-deals.js';
import { confirmationsOf, findingsOf, readsOf, sampleOf } from './story-findings.js';
import { fundsOf } from './story-funds.js';
import { jointRecords } from './story-joint.js';
import { logKeysOf } from './story-log.js';
import { peopleOf } from './story-people.js';

const STARTS = '2026-01-05T09:00:00.000Z';

/**
 * Plays one history that holds every event type, through the service as its callers and clocks drive it, and answers its log.
 * Every name in it is used for illustration, every amount is invented.
 * @param ports beside those that the service picks
 */
export const playStory = async (ports: readonly Port[] = []): Promise<readonly RecordedEvent[]> => {
  const clock = new ManualClock(STARTS);
  const store = new InMemoryEventStore();
  const app = await createApp({ store, clock, rate: 'off', tick: 'manual', ports });
  try {
    const play = new Play(app, await app.listen(0), clock);
    await registers(play);
    const needs = await needsOf(play);
    const offers = await offersOf(play);
    await reported(play);
    await transcribed(play);
    await jointRecords(play);
    await duplicates(play);
    await dealsOf(play);
    await fundsOf(play);
    await changesOf(play);
    const confirmed = await confirmedCommitment(play, needs.vanuatu, offers.fund);
    await findingsOf(play, confirmed);
    await confirmationsOf(play, confirmed, await sampleOf(play));
    await readsOf(play);
    await refusedCommitments(play, needs.vanuatu, offers);
    await leftCommitments(play, needs.vanuatu, offers);
    await cancelledCommitment(play, needs.vanuatu, offers.fund);
    await silentCommitment(play, needs.vanuatu, offers.fund);
    await endings(play, needs, offers);
    await weights(play);
    await allocationsOf(play, store);
    await peopleOf(play);
    await logKeysOf(app, play);
    return await store.readAll(0n, Number.MAX_SAFE_INTEGER);
  } finally {
    await app.close();
  }
};

const registers = async (play: Play): Promise<void> => {
  const register = (body: Body): Promise<Made> => play.create(SECRETARIAT, '/v1/parties', body);
  const fund = await register({ id: 'fund:unscar', name: 'UNSCAR', category: 'fund' });
  await register({
    id: 'donor:japan',
    name: 'Japan, donor desk',
    category: 'bilateral',
    ofState: 'JPN',
    contact: { office: 'Conventional Arms Division', mailbox: 'salw@japan.example' },
  });
  const cavr = await register({
    ...{ id: 'agency:cavr', name: 'Centre for Armed Violence Reduction', category: 'ngo' },
    documents: [paper('certificate', 'Certificate of registration', 'members'), paper('other', 'Statutes')],
  });
  await play.command(SECRETARIAT, cavr, 'amend', { documents: [paper('other', 'Statutes of 2026')] });
  await register({ id: 'donor:norway', name: 'Norway, donor desk', category: 'bilateral', ofState: 'NOR' });
  await register({ id: 'fund:pacific', name: 'A fund for the Pacific', category: 'fund' });
  await register({ id: 'agency:paymaster', name: 'A fiscal agent', category: 'un-entity' });
  await register({ id: 'agency:observer', name: 'A verifier', category: 'ngo' });
  await register({
    id: 'network:msg',
    name: 'Melanesian Spearhead Group',
    category: 'regional',
    members: [
      { party: 'state:VUT', as: 'member', from: '1988-03-14' },
      { party: 'state:FJI', as: 'member', from: '1996-06-01' },
      { party: 'state:PNG', as: 'member' },
      { party: 'state:SLB', as: 'member' },
    ],
  });
  await register({
    id: 'authority:bougainville',
    name: 'Autonomous Bougainville Government',
    footnote: 'Named as it names itself; no view on its status is taken.',
  });
  await play.command(SECRETARIAT, fund, 'amend', { contact: { office: 'Secretariat of the fund' } });
  const merged = await register({ id: 'agency:merged-away', name: 'An agency that merged', category: 'ngo' });
  await play.command(SECRETARIAT, merged, 'retire');
  const designate = (holder: string, powers: readonly string[], more: Body = {}): Promise<Made> =>
    play.create(SECRETARIAT, '/v1/designations', {
      ...{ party: FIJI.party, office: 'npc', powers, holder, authorityRef: 'Note Verbale 3/2026', from: '2026-01-01' },
      ...more,
    });
  await designate(String(FIJI.sub), ['file', 'consent', 'accept', 'sign', 'confirm']);
  const earlier = await designate('earlier@fiji.example', ['file'], { to: '2026-12-31' });
  await play.command(SECRETARIAT, earlier, 'revoke');
  const mandate = (by: Office, body: Body): Promise<Made> =>
    play.create(by, '/v1/mandates', { auditor: 'auditor:court', from: '2026-01-01', reference: 'Decision 4', ...body });
  await mandate(SECRETARIAT, { scope: { everything: true } });
  await mandate(VANUATU, { scope: { parties: [VANUATU.party] }, sealed: true });
  const brief = await mandate(SECRETARIAT, { scope: { parties: [JAPAN.party] }, to: '2026-06-30' });
  await play.command(SECRETARIAT, brief, 'end');
};

interface Needs {
  readonly vanuatu: Made;
  readonly solomons: Made;
}

const needsOf = async (play: Play): Promise<Needs> => {
  const vanuatu = await play.create(
    VANUATU,
    '/v1/needs',
    {
      title: 'Stockpiles and delegates',
      problem: 'The armouries have no lockable racks.',
      outcome: 'Weapons are stored to standard.',
      kinds: ['stockpile-management', 'training', 'needs-assessment-visit'],
      instruments: ['ATT', 'UNPoA', 'regional:MSG-plan'],
      traffickingNexus: true,
      lines: [
        { kind: 'stockpile-management', description: 'Racks and locks', quantity: usd('100000.00') },
        { kind: 'training', quantity: { measure: 'seats', amount: '4', qualifier: 'at-least' } },
        { kind: 'stockpile-management', quantity: { measure: 'items', unit: 'marking-machine', amount: '2' } },
        { kind: 'needs-assessment-visit', quantity: { measure: 'undetermined', why: 'to-be-assessed' } },
      ],
      rank: 1,
      urgency: 'urgent',
      period: { from: '2026-03-01', to: '2028-12-31' },
      languages: ['en', 'bi'],
      priorAid: [{ text: 'A course in 2019' }],
      ownContribution: [{ description: 'A room', quantity: days('5') }, { description: 'Guards' }],
      planLink: 'https://plan.example/vut',
      reportRefs: [{ instrument: 'UNPoA', year: 2024, section: '7', url: 'https://reports.example/vut' }],
      authorityRef: 'Note Verbale 1/2026',
      requestingAuthority: 'Ministry of Internal Affairs',
      contactOffice: 'National point of contact',
      approached: [{ party: 'donor:japan', when: '2025-11', result: 'No answer yet' }],
      proposedImplementer: 'agency:cavr',
      documents: [{ kind: 'note-verbale', title: 'Request', sha256: 'a'.repeat(64), label: 'members' }],
      annex: {
        sites: ['Port Vila armoury'],
        quantitiesHeld: [{ description: 'Rifles', quantity: { measure: 'items', unit: 'weapon', amount: '120' } }],
        risk: 'Old locks',
        accessLimits: 'By appointment',
      },
      visibility: { summary: 'public', body: 'public', annex: 'sealed' },
      named: ['donor:japan'],
    },
    { 'idempotency-key': 'the-need-of-vanuatu', 'effective-at': '2025-12-20' },
  );
  const submit = (as: Office, need: Made, consent: boolean): Promise<Body> =>
    play.command(as, need, 'submit', { consent: { circulate: consent, publish: consent } });
  await submit(VANUATU, vanuatu, false);
  await play.command(SECRETARIAT, vanuatu, 'return', { reasons: ['quantity-missing'], note: 'How many delegates?' });
  await play.command(VANUATU, vanuatu, 'amend', {
    rank: 2,
    lines: [
      { line: 1, kind: 'stockpile-management', description: 'Racks and locks', quantity: usd('120000.00') },
      { line: 2, kind: 'training', quantity: { measure: 'seats', amount: '6' } },
      { line: 3, kind: 'stockpile-management', quantity: { measure: 'items', unit: 'marking-machine', amount: '2' } },
      { line: 4, kind: 'needs-assessment-visit', quantity: { measure: 'undetermined', why: 'to-be-assessed' } },
    ],
  });
  await submit(VANUATU, vanuatu, true);
  await play.command(SECRETARIAT, vanuatu, 'open');

  const fiji = await play.create(FIJI, '/v1/needs', {
    ...{ title: 'Marking', kinds: ['marking-record-keeping'], instruments: ['ITI'], authorityRef: 'NV 2/2026' },
    lines: [{ kind: 'marking-record-keeping', quantity: { measure: 'items', unit: 'marking-machine', amount: '3' } }],
    ...{ priorAid: 'none', ownContribution: 'none', planLink: 'none' },
  });
  await submit(FIJI, fiji, true);
  await play.command(SECRETARIAT, fiji, 'set-aside', { code: 'not-in-proper-form', note: 'The note is unsigned.' });
  await submit(FIJI, fiji, false);
  await play.command(FIJI, fiji, 'object', { to: 'publication' });
  await play.command(FIJI, fiji, 'withdraw', { reason: { code: 'priorities', note: 'Next year' } });

  const solomons = await play.create(SOLOMONS, '/v1/needs', {
    ...{ title: 'Training of officers', kinds: ['training'], instruments: ['UNPoA'], authorityRef: 'NV 7/2026' },
    lines: [{ kind: 'training', quantity: days('30') }],
    visibility: 'members',
  });
  await submit(SOLOMONS, solomons, false);
  // Nobody objects within five working days: the timer opens it.
  await play.pass(8 * DAY);
  return { vanuatu, solomons };
};

/** Two offices of one State file alike; the coordinator finds one thing first and another later. */
const duplicates = async (play: Play): Promise<void> => {
  for (const office of ['the police', 'the customs service']) {
    await openNeed(play, SOLOMONS, {
      ...{
        title: `Doors of the armoury at Honiara, by ${office}`,
        kinds: ['physical-protection'],
        instruments: ['UNPoA'],
      },
      authorityRef: `NV of ${office}`,
      lines: [{ kind: 'physical-protection', quantity: { measure: 'items', unit: 'door', amount: '3' } }],
      visibility: 'members',
    });
  }
  const { body } = await play.send(
    SECRETARIAT,
    'GET',
    '/v1/duplicates?state=SLB&about=needs&verdict=none',
    undefined,
    {},
    200,
  );
  const [pair] = (body as { readonly items: readonly { readonly id: string }[] }).items;
  if (pair === undefined) throw new Error('the two needs do not look alike');
  const path = `/v1/duplicates/${pair.id}`;
  const note = 'One door leads to the depot of the police, the other to that of the customs service.';
  await play.send(SECRETARIAT, 'POST', `${path}/judge`, { verdict: 'complementary', note }, {}, 200);
  await play.command(SECRETARIAT, { path, id: pair.id }, 'judge', { verdict: 'different' });
};

interface Offers {
  readonly fund: Made;
  readonly japan: Made;
  readonly course: Made;
}

const offersOf = async (play: Play): Promise<Offers> => {
  const fund = await play.create(UNSCAR, '/v1/offers', {
    draft: true,
    title: 'Small arms control in Melanesia',
    description: 'Grants for projects.',
    lines: [
      { kinds: ['stockpile-management', 'training'], description: 'Grants', capacity: usd('150000.00') },
      { kinds: ['training', 'stockpile-management'], capacity: days('40') },
    ],
    earmark: {
      ...{
        beneficiaries: ['VUT', 'state:FJI', 'SLB'],
        regions: ['054'],
        networks: ['network:msg'],
        level: 'geographic',
      },
      ...{ instruments: ['ATT', 'UNPoA'], kinds: ['stockpile-management', 'training'], implementerTypes: ['ngo'] },
    },
    conditions: [
      { code: 'co-financing', percent: '10' },
      { code: 'reporting', text: 'Every six months' },
    ],
    period: { from: '2026-01-01', to: '2031-12-31' },
    languages: ['en'],
    documents: [{ kind: 'other', title: 'Call', sha256: 'b'.repeat(64) }],
    visibility: 'public',
  });
  await play.command(UNSCAR, fund, 'post');
  await play.command(UNSCAR, fund, 'amend', { description: 'Grants for projects of up to two years.' });
  await play.command(UNSCAR, fund, 'suspend', { reason: { code: 'budget', note: 'Audit', noteFor: 'coordinator' } });
  await play.command(UNSCAR, fund, 'resume');
  const post = (as: Office, title: string, capacity: Body, more: Body = {}): Promise<Made> =>
    play.create(as, '/v1/offers', { title, lines: [{ kinds: ['stockpile-management'], capacity }], ...more });
  const japan = await post(JAPAN, 'Racks', usd('60000.00'), { visibility: 'named', named: ['state:VUT'] });
  const course = await post(JAPAN, 'A course', usd('1000.00'), { period: { from: '2026-01-01', to: '2026-12-31' } });
  return { fund, japan, course };
};

const reported = async (play: Play): Promise<void> => {
  const source = {
    ...{ kind: 'published', reference: 'Annual report', url: 'https://reports.example/2024' },
    ...{ publishedOn: '2025-03', readOn: '2026-01-10' },
  };
  const record = (body: Body): Promise<Made> =>
    play.create(SECRETARIAT, '/v1/reported', { ...{ statusWords: 'as published', source }, ...body });
  const need = await record({
    kind: 'need',
    title: 'Racks for the armoury',
    beneficiaries: ['SLB'],
    kinds: ['stockpile-management'],
    instruments: ['UNPoA'],
    what: { lines: [{ kind: 'stockpile-management', quantity: usd('9000.00') }] },
    amounts: 'not-published',
    dates: { from: '2024' },
  });
  await play.command(SOLOMONS, need, 'claim');
  const offer = await record({
    kind: 'offer',
    title: 'A grant',
    donors: ['donor:japan', { name: 'and others' }],
    kinds: ['training'],
    instruments: ['ATT'],
    what: { lines: [{ kinds: ['training'], capacity: usd('5000.00') }] },
    amounts: [{ ...usd('5000.00'), qualifier: 'about' }],
    dates: { agreed: '2024-05' },
  });
  await play.command(JAPAN, offer, 'claim');
  const fact = await record({
    kind: 'commitment',
    title: 'Destruction of surplus',
    donors: ['JPN'],
    beneficiaries: ['state:VUT'],
    kinds: ['surplus-destruction'],
    instruments: ['UNPoA'],
    what: { implementers: [{ name: 'A firm' }] },
    amounts: [usd('1000.00')],
    dates: { agreed: '2020-05-01', from: '2020', to: '2021' },
    claims: [{ value: usd('1200.00'), source: 'A newspaper' }],
    partOf: offer.id,
    documents: [paper('report', 'Annual report', 'public'), { kind: 'letter', title: 'Not seen by us' }],
  });
  await play.command(VANUATU, fact, 'disown', { note: 'Nothing of this arrived.' });
};

/** A note verbale that a coordinator transcribed and its State ratified. */
const transcribed = async (play: Play): Promise<void> => {
  const need = await play.create(SECRETARIAT, '/v1/needs', {
    ...{ title: 'As noted by Papua New Guinea', kinds: ['legal'], instruments: ['ATT'] },
    lines: [{ kind: 'legal', quantity: days('20') }],
    onBehalfOf: 'state:PNG',
    authorityRef: 'Note Verbale 9/2026',
    documents: [paper('note-verbale', 'Note Verbale 9/2026', 'members')],
  });
  await play.command(SECRETARIAT, need, 'submit', { consent: { circulate: true, publish: false } });
  await play.command(REVIEWER, need, 'open');
  await play.command({ party: 'state:PNG', role: 'mission' }, need, 'ratify');
};

const money = (amount: string, offerLine = 1): Body => ({ offerLine, needLine: 1, drawn: usd(amount) });

/** Both sides sign, and the agency where one is named. */
const bind = (play: Play, commitment: Made, provider: Office): Promise<void> =>
  bound(play, commitment, { accepts: VANUATU, agencies: [CAVR], sign: [provider, VANUATU] });

const deliver = (play: Play, commitment: Made, leg: number, quantity: Body, more: Body = {}): Promise<Body> =>
  play.command(CAVR, commitment, 'deliveries', { leg, quantity, date: play.today, ...more });

const confirmedCommitment = async (play: Play, need: Made, offer: Made): Promise<Made> => {
  const lump = { basis: 'agreed-lump-sum', reference: 'Annex 2' };
  const commitment = await propose(
    play,
    UNSCAR,
    offer,
    need,
    [money('40000.00'), { offerLine: 2, needLine: 1, drawn: days('10'), credited: usd('5000.00'), valuation: lump }],
    { implementer: 'agency:cavr', fiscalAgent: 'agency:cavr' },
  );
  await bind(play, commitment, UNSCAR);
  await play.command(UNSCAR, commitment, 'transfers', {
    ...{ kind: 'disbursement', from: 'fund:unscar', to: 'agency:cavr', amount: usd('40000.00'), leg: 1 },
    ...{ date: '2026-01', reference: 'PAY-1' },
  });
  await play.command(TREASURER, commitment, 'receipts', {
    ...{ transfer: 1, amount: usd('39900.00'), charges: usd('25.00'), date: play.today, reference: 'BANK-1' },
    ...{ credited: { measure: 'money', currency: 'VUV', amount: '4788000' }, rate: '120' },
  });
  await play.command(SECRETARIAT, commitment, 'discrepancies/1/accept', { reason: 'A fee of the correspondent bank.' });
  const evidence = [{ title: 'Photographs', uri: 'https://evidence.example/1', sha256: 'c'.repeat(64) }];
  await deliver(play, commitment, 1, usd('15000.00'), { evidence, beneficiary: 'state:VUT' });
  await play.command(VANUATU, commitment, 'deliveries/1/confirm', {
    ...{ quantity: usd('14000.00'), condition: 'usable', note: 'One rack is bent.' },
  });
  await deliver(play, commitment, 1, usd('25000.00'));
  await play.command(VANUATU, commitment, 'deliveries/2/confirm', { condition: 'in-use-later' });
  await deliver(play, commitment, 2, days('10'));
  await play.command(VANUATU, commitment, 'deliveries/3/confirm');
  await play.command(SECRETARIAT, commitment, 'close');
  return commitment;
};

/** What the offer refuses, and what the need refuses. */
const refusedCommitments = async (play: Play, need: Made, { fund, japan }: Offers): Promise<void> => {
  await propose(play, JAPAN, japan, need, [money('60000.01')]);
  const [first, second] = [
    await propose(play, UNSCAR, fund, need, [money('50000.00')], { implementer: 'agency:cavr' }),
    await propose(play, JAPAN, japan, need, [money('60000.00')]),
  ];
  await play.command(VANUATU, first, 'accept');
  // 45,000 are bound, 50,000 accepted: the need lacks 25,000 only.
  await play.command(VANUATU, second, 'accept');
  await play.command(VANUATU, second, 'decline', {
    reason: { code: 'budget', note: 'Too much', noteFor: 'other-side' },
  });
  await play.command(UNSCAR, first, 'withdraw', { reason: { code: 'timing' } });
};

/** Commitments that end before they bind. */
const leftCommitments = async (play: Play, need: Made, { fund, japan, course }: Offers): Promise<void> => {
  const task = await propose(play, UNSCAR, fund, need, [money('1000.00')], { implementer: 'agency:cavr' });
  await play.command(CAVR, task, 'decline-task', { reason: { code: 'timing', note: 'Fully booked' } });
  const expiresAt = new Date(Date.parse(`${play.today}T00:00:00Z`) + 3 * DAY).toISOString();
  await propose(play, JAPAN, japan, need, [money('500.00')], { expiresAt });
  await play.pass(4 * DAY);
  await propose(play, JAPAN, course, need, [money('700.00')]);
  // The proposal that still stands is declined by the process.
  await play.command(JAPAN, course, 'withdraw', { reason: { code: 'priorities' } });
};

const cancelledCommitment = async (play: Play, need: Made, offer: Made): Promise<void> => {
  const commitment = await propose(play, VANUATU, offer, need, [money('20000.00')], { implementer: 'agency:cavr' });
  await play.command(UNSCAR, commitment, 'accept');
  await play.command(CAVR, commitment, 'consent-task');
  await play.command(VANUATU, commitment, 'sign');
  await play.command(UNSCAR, commitment, 'sign');
  await deliver(play, commitment, 1, usd('5000.00'));
  await play.command(VANUATU, commitment, 'deliveries/1/dispute', { reason: 'Nothing arrived.' });
  await deliver(play, commitment, 1, usd('2000.00'));
  await play.command(VANUATU, commitment, 'deliveries/2/confirm');
  await play.command(UNSCAR, commitment, 'cancel', { reason: { code: 'security' } });
  await play.command(UNSCAR, commitment, 'close');
  await play.command(VANUATU, commitment, 'close');
};

/** Delivered and not confirmed: the timer closes it after 180 days; a late answer reopens it, and silence closes it again. */
const silentCommitment = async (play: Play, need: Made, offer: Made): Promise<void> => {
  const commitment = await propose(play, UNSCAR, offer, need, [money('3000.00')], { implementer: 'agency:cavr' });
  await bind(play, commitment, UNSCAR);
  await deliver(play, commitment, 1, usd('1000.00'));
  await deliver(play, commitment, 1, usd('2000.00'));
  await play.pass(181 * DAY);
  await play.command(VANUATU, commitment, 'deliveries/1/confirm');
};

const endings = async (play: Play, { solomons }: Needs, { fund, japan }: Offers): Promise<void> => {
  const yearly = await play.create(JAPAN, '/v1/offers', {
    ...{ title: 'This year only', lines: [{ kinds: ['training'], capacity: usd('10.00') }] },
    period: { from: '2026-01-01', to: '2026-12-31' },
  });
  await play.command(JAPAN, japan, 'complete');
  await play.pass(300 * DAY);
  await play.send(JAPAN, 'GET', yearly.path, undefined, {}, 200);
  await play.pass(200 * DAY);
  await play.command(SOLOMONS, solomons, 'reopen');
  await play.command(SOLOMONS, solomons, 'reaffirm');
  await play.command(SOLOMONS, solomons, 'close', {
    ...{ outcome: 'partly-met', waivers: [{ line: 1, reason: 'Trained by ourselves.' }] },
  });
  await play.send(UNSCAR, 'GET', fund.path, undefined, {}, 200);
};

/** The coordinator has urgent needs come first from now on. */
const weights = async (play: Play): Promise<void> => {
  const weighted = {
    ...{ fit: '0.15', coverage: '0.2', priority: '0.2', earmark: '0.1', period: '0.1', language: '0.05' },
    ...{ 'prior-work': '0.05', freshness: '0.05', conditions: '0.1' },
  };
  const body = { weights: weighted, reason: 'The network asked that urgent needs come first.' };
  await play.send(SECRETARIAT, 'POST', '/v1/rulesets/3/weights', body, {}, 200);
};
