import type { Body, Made, Play } from './play.js';
import {
  amend,
  bind,
  FIJI,
  JAPAN,
  MSG,
  NORWAY,
  openNeed,
  PAPUA,
  paper,
  propose,
  SECRETARIAT,
  seats,
  SOLOMONS,
  usd,
  VANUATU,
} from './play.js';

const uses = (amount: number | 'unlimited'): Body => ({ measure: 'access', amount: String(amount) });

/** What several parties do together, needs that are one, and what nobody knew the size of. */
export const jointRecords = async (play: Play): Promise<void> => {
  const offer = await jointOffer(play);
  await jointCommitment(play, offer, await jointNeed(play));
  await merged(play);
  await assessed(play, offer);
};

const jointOffer = async (play: Play): Promise<Made> => {
  const offer = await play.create(JAPAN, '/v1/offers', {
    title: 'Courses and a laboratory',
    lines: [
      { kinds: ['training'], capacity: seats(100), minimumLot: '2' },
      { kinds: ['training'], capacity: uses(2) },
      { kinds: ['training'], capacity: uses('unlimited') },
    ],
    providers: [{ party: 'donor:japan', share: '60' }, { party: 'donor:norway' }],
    earmark: { networks: ['network:msg'], kinds: ['training'] },
    documents: [paper('other', 'Catalogue of courses', 'members')],
    visibility: 'public',
  });
  await play.command(JAPAN, offer, 'amend', {
    providers: [
      { party: 'donor:japan', share: '50' },
      { party: 'donor:norway', share: '50' },
    ],
  });
  return offer;
};

/** Fiji was asked and declined; Kiribati was asked later and has not answered. */
const jointNeed = async (play: Play): Promise<Made> => {
  const states = [VANUATU, PAPUA, SOLOMONS, FIJI];
  return openNeed(
    play,
    MSG,
    {
      title: 'Officers of several States',
      beneficiaries: states.map(({ party }) => party),
      lines: [{ kind: 'training', quantity: seats(20) }],
      period: { from: '2026-02-01', to: '2028-12-31' },
    },
    async (need) => {
      for (const state of states.slice(0, 3)) await play.command(state, need, 'consent-participation');
      await play.command(FIJI, need, 'withdraw-participation');
      const beneficiaries = [...states.slice(0, 3).map(({ party }) => party), 'state:KIR'];
      await play.command(MSG, need, 'amend', { beneficiaries });
      await play.command(SOLOMONS, need, 'withdraw-participation');
    },
  );
};

const jointCommitment = async (play: Play, offer: Made, need: Made): Promise<void> => {
  const whole = await propose(play, NORWAY, offer, need, [{ offerLine: 1, needLine: 1, drawn: seats(4) }], {
    signatories: ['donor:japan', 'donor:norway', 'state:PNG'],
  });
  await bind(play, whole, { accepts: PAPUA, sign: [JAPAN, NORWAY, PAPUA] });
  await amend(play, whole, [NORWAY, PAPUA], { legs: [{ leg: 1, offerLine: 1, needLine: 1, drawn: seats(5) }] });
  // A part of it, by two parties alone.
  const part = await propose(play, JAPAN, offer, need, [{ offerLine: 1, needLine: 1, drawn: seats(2) }], {
    ...{ signatories: ['donor:norway', 'network:msg'], partOf: whole.id },
  });
  await bind(play, part, { accepts: MSG, sign: [NORWAY, MSG] });
  await play.command(NORWAY, part, 'deliveries', {
    ...{ leg: 1, quantity: seats(2), beneficiary: 'state:VUT', date: play.today },
  });
  await play.command(VANUATU, part, 'deliveries/1/confirm');
};

/** Two needs that are one, and that part again. */
const merged = async (play: Play): Promise<void> => {
  const lines = [{ kind: 'training', quantity: seats(3) }];
  const absorbed = await openNeed(play, VANUATU, { title: 'Officers of the police', lines });
  const survivor = await openNeed(play, VANUATU, { title: 'Officers', lines });
  const last = await openNeed(play, VANUATU, { title: 'All officers', lines });
  await play.command(VANUATU, absorbed, 'merge', { into: survivor.id });
  await play.command(VANUATU, absorbed, 'unmerge');
  await play.command(VANUATU, absorbed, 'merge', { into: survivor.id });
  await play.command(VANUATU, survivor, 'merge', { into: last.id });
};

/** Words first, a figure once it was assessed; and uses that are free again. */
const assessed = async (play: Play, offer: Made): Promise<void> => {
  const need = await openNeed(play, VANUATU, {
    title: 'What an assessment finds',
    lines: [
      { kind: 'training', quantity: { measure: 'undetermined', why: 'to-be-assessed' } },
      { kind: 'training', quantity: { measure: 'undetermined', why: 'not-stated' } },
    ],
  });
  const scope = { scope: 'Training of trainers' };
  const course = await propose(play, JAPAN, offer, need, [
    { offerLine: 1, needLine: 1, drawn: seats(4), credited: scope },
  ]);
  await bind(play, course, { accepts: VANUATU, sign: [JAPAN, NORWAY, VANUATU] });
  await amend(play, course, [JAPAN, VANUATU], {
    legs: [{ leg: 1, offerLine: 1, needLine: 1, drawn: seats(4), credited: { scope: 'Training of all trainers' } }],
  });
  for (const quantity of [seats(1), seats(2)]) {
    await play.command(JAPAN, course, 'deliveries', { leg: 1, quantity, date: play.today });
  }
  await play.command(VANUATU, course, 'deliveries/1/confirm');
  const report = paper('assessment', 'Report of the assessment', 'members');
  await play.command(VANUATU, need, 'assess', { lines: [{ line: 1, quantity: usd('1000.00') }], report });
  await amend(play, course, [JAPAN, VANUATU], {
    legs: [
      {
        ...{ leg: 1, offerLine: 1, needLine: 1, drawn: seats(4), credited: usd('800.00') },
        valuation: { rate: '200.00', asOf: '2026-01-05', source: 'Report of the assessment' },
      },
    ],
  });
  const access = await propose(play, JAPAN, offer, need, [
    { offerLine: 2, needLine: 2, drawn: uses(2), credited: { scope: 'The licensing unit' } },
    { offerLine: 3, needLine: 2, drawn: uses(40), credited: { scope: 'All officers' } },
  ]);
  await bind(play, access, { accepts: VANUATU, sign: [VANUATU, JAPAN, NORWAY] });
  for (const [leg, quantity] of [uses(2), uses(40)].entries()) {
    await play.command(JAPAN, access, 'deliveries', { leg: leg + 1, quantity, date: play.today });
    await play.command(VANUATU, access, `deliveries/${leg + 1}/confirm`);
  }
  await play.command(SECRETARIAT, access, 'close');
};
