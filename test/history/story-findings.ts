import type { Body, Made, Office, Play } from './play.js';
import { CAVR, DAY, paper, SECRETARIAT, UNSCAR, usd, VANUATU } from './play.js';

const COURT: Office = { party: 'auditor:court', role: 'auditor' };
const LATER = '2099-12-31';

/** What parties are asked to confirm: one is reminded and stays silent, another states its figure, a third request is taken back. */
export const confirmationsOf = async (play: Play, commitment: Made, sample: Made): Promise<void> => {
  const ask = (more: Body): Promise<Made> =>
    play.create(COURT, '/v1/confirmation-requests', { commitments: [commitment.id], party: CAVR.party, ...more });
  const due = (days: number): string => new Date(Date.parse(play.today) + days * DAY).toISOString().slice(0, 10);

  const stated = await ask({ asks: ['leg'], blank: true, note: 'As of today', due: due(5) });
  const { body } = await play.send(COURT, 'GET', stated.path, undefined, {}, 200);
  const answers = (body as { lines: { line: number; books: Body }[] }).lines.map(({ line, books }) => ({
    ...{ line, says: 'states', figure: books, note: 'As agreed' },
  }));
  await play.command(CAVR, stated, 'answer', { answers });
  await play.command(COURT, stated, 'close', { as: 'confirmed' });
  const silent = await ask({ asks: ['leg'], due: due(9) });
  await play.pass(3 * DAY);
  await play.pass(8 * DAY);
  await play.command(COURT, silent, 'close', { as: 'alternative-procedure', procedure: 'The contract was read.' });
  const ofSample = { party: UNSCAR.party, sample: sample.id, due: due(9) };
  const withdrawn = await play.create(COURT, '/v1/confirmation-requests', ofSample);
  await play.command(COURT, withdrawn, 'close', { as: 'withdrawn', reason: 'Sent twice' });
};

/** Transfers of a fund to a State, drawn by monetary units. */
export const sampleOf = (play: Play): Promise<Made> =>
  play.create(COURT, '/v1/samples', {
    ...{ of: 'transfers', method: 'monetary-unit', size: 1, seed: '2026-11' },
    filter: { donor: 'fund:unscar', state: 'VUT', from: '2026-01-01', to: LATER },
  });

/** What an auditor finds of a commitment: claimed twice and verified, at the owner's risk, and withdrawn after days that passed. */
export const findingsOf = async (play: Play, commitment: Made): Promise<void> => {
  await play.create(SECRETARIAT, '/v1/parties', { id: COURT.party, name: 'A court of audit', category: 'ngo' });
  const { body } = await play.send(COURT, 'GET', `${commitment.path}/history`, undefined, {}, 200);
  const [first] = (body as { items: { eventId: string }[] }).items;
  const write = (more: Body = {}): Promise<Made> =>
    play.create(COURT, '/v1/findings', {
      ...{ severity: 'high', title: 'No receipt', text: 'None was reported.', recommendation: 'Report it.' },
      records: [{ kind: 'commitment', id: commitment.id }],
      eventIds: [first?.eventId],
      ...{ owner: CAVR.party, due: LATER },
      ...more,
    });
  const { kind: _kind, ...letter } = paper('letter', 'Confirmation of the bank');
  const evidence = [{ ...letter, uri: 'https://bank.example/9' }];
  const agreed = { response: 'agreed', text: 'It was forgotten.', action: { text: 'We ask the bank.', by: LATER } };

  const verified = await write({ criteria: 'Terms, 4', cause: 'A new treasurer', effect: 'The sum is unproved.' });
  await play.command(CAVR, verified, 'answer', agreed);
  await play.command(CAVR, verified, 'implement', { text: 'Reported.', evidence });
  await play.command(COURT, verified, 'verify', { outcome: 'not-implemented', note: 'It differs.', due: '2099-11-30' });
  await play.command(CAVR, verified, 'implement', { text: 'Corrected.', evidence });
  await play.command(COURT, verified, 'verify', { outcome: 'implemented', note: 'The statement was read.' });
  await play.command(COURT, verified, 'close', { as: 'implemented' });

  const borne = await write();
  await play.command(CAVR, borne, 'answer', { response: 'disagreed', text: 'It costs more.', acceptsRisk: true });
  await play.command(COURT, borne, 'close', { as: 'risk-accepted', reason: 'As the owner stated' });

  const withdrawn = await write({ answerBy: play.today });
  await play.pass(2 * DAY);
  await play.command(COURT, withdrawn, 'amend', {
    ...{ severity: 'low', title: 'A late receipt', text: 'It came late.', criteria: 'Terms, 5', cause: 'Holidays' },
    ...{
      effect: 'None',
      recommendation: 'Report in time.',
      answerBy: '2099-01-31',
      due: '2099-06-30',
      reason: 'It came',
    },
  });
  await play.command(COURT, withdrawn, 'close', { as: 'withdrawn', reason: 'Settled' });
};

/** What the secretariat reads of a need that nobody else is shown yet. */
export const readsOf = async (play: Play): Promise<void> => {
  const need = await play.create(VANUATU, '/v1/needs', {
    ...{ title: 'A store for seized arms', kinds: ['stockpile-management'], instruments: ['UNPoA'] },
    ...{ authorityRef: 'Note Verbale 30/2026', lines: [{ kind: 'stockpile-management', quantity: usd('5000.00') }] },
  });
  await play.command(VANUATU, need, 'submit', { consent: { circulate: false, publish: false } });
  await play.send(SECRETARIAT, 'GET', need.path, undefined, { 'purpose-of-use': 'Review of submissions' }, 200);
  await play.pass(DAY);
};
