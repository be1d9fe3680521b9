import type { Play } from './play.js';
import { FIJI, type Office, SECRETARIAT } from './play.js';

const OPERATOR: Office = { party: 'agency:hosting', role: 'operator' };

/** How the holder of a designation is reached: said, said again, taken back; and a person who is erased on an order. */
export const peopleOf = async (play: Play): Promise<void> => {
  const holder = 'registrar@fiji.example';
  const office = await play.create(SECRETARIAT, '/v1/designations', {
    ...{ party: FIJI.party, office: 'Firearms registry', powers: ['file'], holder },
    ...{ authorityRef: 'Note Verbale 8/2026', from: '2026-01-01' },
  });
  await play.command(SECRETARIAT, office, 'contact', {
    name: 'A registrar',
    mailbox: holder,
    telephone: '+6795550100',
  });
  await play.command(SECRETARIAT, office, 'contact', { telephone: '+6795550101' });
  await play.command(SECRETARIAT, office, 'remove-contact');
  const { subject } = await play.command(SECRETARIAT, office, 'contact', { mailbox: holder });
  const order = { orderedBy: FIJI.party, reference: 'Note Verbale 9/2026' };
  await play.send(OPERATOR, 'POST', `/v1/subjects/${String(subject)}/erase`, order, {}, 200);
};
