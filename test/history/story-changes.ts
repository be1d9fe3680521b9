import type { Body, Made, Play } from './play.js';
import { days, JAPAN, money, openNeed, PACIFIC, paper, propose, SECRETARIAT, seats, usd, VANUATU } from './play.js';

/** Records that are amended in every field, and what is given with every word that may go with it. */
export const changesOf = async (play: Play): Promise<void> => {
  await parties(play);
  const need = await needs(play);
  await offers(play, need);
  await fund(play);
};

const parties = async (play: Play): Promise<void> => {
  const network = await play.create(SECRETARIAT, '/v1/parties', {
    ...{ id: 'network:forum', name: 'A forum', category: 'regional' },
    members: [{ party: 'state:VUT', as: 'observer', from: '2001-01-01', to: '2020-12-31' }],
  });
  await play.command(SECRETARIAT, network, 'amend', {
    ...{ name: 'A larger forum', category: 'multilateral' },
    members: [{ party: 'state:VUT', as: 'associate', from: '2021-01-01', to: '2030-12-31' }],
  });
  const party = await play.create(SECRETARIAT, '/v1/parties', {
    ...{ id: 'authority:islands', name: 'An authority', footnote: 'Named as it names itself.' },
  });
  await play.command(SECRETARIAT, party, 'amend', {
    ...{ footnote: 'Named as it names itself; no view is taken.', ofState: 'SLB' },
    contact: { office: 'Desk', mailbox: 'desk@islands.example' },
    documents: [paper('letter', 'Letter that names the desk', 'members')],
  });
};

/** The commitment that a later need names as aid it had before. */
const needs = async (play: Play): Promise<Made> => {
  const need = await openNeed(play, VANUATU, {
    title: 'To be amended',
    lines: [{ kind: 'training', quantity: seats(3) }],
  });
  await play.create(SECRETARIAT, '/v1/mandates', {
    ...{ auditor: 'auditor:court', scope: { records: [need.id] }, from: '2026-01-01', reference: 'Decision 5' },
  });
  const offer = await play.create(JAPAN, '/v1/offers', {
    ...{ title: 'Seats', lines: [{ kinds: ['training'], capacity: seats(5) }], visibility: 'public' },
  });
  const prior = await propose(play, JAPAN, offer, need, [{ offerLine: 1, needLine: 1, drawn: seats(1) }]);
  const given: Body = {
    title: 'Amended in everything',
    problem: 'Nobody is trained.',
    outcome: 'Somebody is.',
    kinds: ['training', 'legal'],
    instruments: ['ATT'],
    traffickingNexus: true,
    lines: [
      { line: 1, kind: 'training', description: 'Seats', quantity: seats(4) },
      { kind: 'legal', quantity: days('2') },
    ],
    rank: 1,
    urgency: 'urgent',
    period: { from: '2026-02-01', to: '2030-12-31' },
    languages: ['fr'],
    priorAid: [{ text: 'A course' }, { commitmentId: prior.id }],
    ownContribution: [{ description: 'A room', quantity: days('1') }],
    planLink: 'https://plan.example/2',
    reportRefs: [{ instrument: 'UNPoA', year: 2024, section: '7', url: 'https://reports.example/vut' }],
    authorityRef: 'Note Verbale 21/2026',
    requestingAuthority: 'Ministry',
    contactOffice: 'National point of contact',
    approached: [{ party: 'donor:japan', when: '2025-11', result: 'No answer yet' }],
    proposedImplementer: 'agency:cavr',
    documents: [paper('note-verbale', 'Note Verbale 21/2026', 'members')],
    annex: {
      sites: ['Port Vila'],
      quantitiesHeld: [{ description: 'Rifles', quantity: { measure: 'items', unit: 'weapon', amount: '12' } }],
      risk: 'Old locks',
      accessLimits: 'By appointment',
    },
    visibility: { summary: 'public', body: 'members', annex: 'named' },
    named: ['donor:japan'],
    oversubscription: true,
  };
  await play.command(VANUATU, need, 'amend', given);
  const { lines: _, ...rest } = given;
  const draft = await play.create(VANUATU, '/v1/needs', {
    ...rest,
    lines: [{ kind: 'legal', quantity: { measure: 'items', unit: 'book', amount: '3', qualifier: 'about' } }],
  });
  await play.command(VANUATU, draft, 'withdraw', { reason: { code: 'other', note: 'A copy', noteFor: 'coordinator' } });
  const reason = { code: 'timing', note: 'Too early', noteFor: 'coordinator' };
  await play.command(JAPAN, prior, 'withdraw', { reason });
  const task = await propose(play, JAPAN, offer, need, [{ offerLine: 1, needLine: 1, drawn: seats(1) }], {
    implementer: 'agency:cavr',
  });
  await play.command({ party: 'agency:cavr', role: 'implementer' }, task, 'decline-task', { reason });
  return need;
};

const offers = async (play: Play, need: Made): Promise<void> => {
  const content = {
    title: 'Amended in everything',
    description: 'Every field.',
    providers: [{ party: 'donor:japan', share: '70' }, { party: 'donor:norway' }],
    lines: [{ kinds: ['training'], description: 'Seats', capacity: seats(5), minimumLot: '1' }],
    earmark: {
      ...{ beneficiaries: ['state:VUT'], regions: ['054'], networks: ['network:msg'], level: 'need-specific' },
      ...{ instruments: ['ATT'], kinds: ['training'], implementerTypes: ['ngo'], traffickingNexus: true },
    },
    conditions: [{ code: 'co-financing', percent: '5', text: 'In kind' }],
    period: { from: '2026-01-01', to: '2031-12-31' },
    languages: ['fr'],
    documents: [paper('other', 'Terms of the offer', 'named')],
    visibility: 'named',
    named: ['state:VUT'],
  };
  const offer = await play.create(JAPAN, '/v1/offers', { ...content, draft: true });
  await play.command(JAPAN, offer, 'post');
  await play.command(JAPAN, offer, 'amend', {
    ...content,
    lines: [{ line: 1, kinds: ['training'], description: 'More', capacity: seats(6), minimumLot: '2' }],
  });
  await propose(play, JAPAN, offer, need, [{ offerLine: 1, needLine: 1, drawn: seats(2) }], {
    implementer: 'agency:cavr',
  });
  await play.command(JAPAN, offer, 'withdraw', { reason: { code: 'budget', note: 'Cut', noteFor: 'other-side' } });
  await play.create(SECRETARIAT, '/v1/reported', {
    kind: 'commitment',
    title: 'A programme, as published',
    description: 'As the source tells it.',
    donors: [{ name: 'Several donors' }],
    beneficiaries: [{ name: 'Island States' }],
    what: {
      ...{ implementer: { name: 'A consultant' }, fiscalAgent: { name: 'A bank' } },
    },
    claims: [
      { value: { measure: 'items', unit: 'weapon', amount: '5', qualifier: 'about' }, source: 'A newspaper' },
      { value: { measure: 'undetermined', why: 'not-stated' }, source: 'Another' },
      {
        value: 'Nothing was paid',
        source: {
          ...{ kind: 'transcribed', reference: 'A letter', url: 'https://letters.example/1' },
          ...{ publishedOn: '2025', readOn: '2026-01' },
        },
      },
    ],
    source: { kind: 'transcribed', reference: 'A letter' },
    visibility: 'members',
  });
  await play.create(SECRETARIAT, '/v1/reported', {
    ...{ kind: 'offer', title: 'Grants, as published', source: { kind: 'published', reference: 'A call' } },
    what: { lines: [{ description: 'Grants', capacity: usd('100.00'), minimumLot: '10.00' }] },
  });
};

const fund = async (play: Play): Promise<void> => {
  const path = '/v1/funds/fund:pacific';
  await play.command(PACIFIC, { path, id: 'fund:pacific' }, 'amend', {
    administrator: 'agency:cavr',
    decidingBody: { name: 'Board', members: ['donor:norway'] },
    windows: [
      { code: 'pacific', name: 'Pacific' },
      { code: 'general', name: 'General' },
    ],
    feeRates: [{ code: 'administration', percent: '6', base: 'transfers' }],
    capacityBasis: 'signed',
    reserve: usd('700.00'),
    periods: [
      { from: '2025-01-01', to: '2025-12-31' },
      { from: '2026-01-01', to: '2026-12-31' },
      { from: '2027-01-01', to: '2027-12-31' },
    ],
  });
  const early = await play.create(SECRETARIAT, '/v1/parties', { id: 'fund:early', name: 'A fund', category: 'fund' });
  await play.create(SECRETARIAT, '/v1/funds', {
    ...{ fund: 'fund:early', decidingBody: { name: 'Board', members: [] }, currency: 'USD' },
  });
  const book = { path: '/v1/funds/fund:early', id: early.id };
  await play.command({ party: 'fund:early', role: 'donor-desk' }, book, 'amend', {
    ...{ currency: 'EUR', reserve: money('EUR', '0.00') },
  });
};
