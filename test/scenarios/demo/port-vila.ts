import type { Answer, Body, Client, Office } from './client.js';
import { listIn, locationOf, must, objectIn, textIn } from './client.js';
import type { Say } from './printing.js';
import { heading, short, shown } from './printing.js';

const SECRETARIAT: Office = { party: 'agency:secretariat', role: 'coordinator' };
const VANUATU: Office = { party: 'state:VUT', role: 'npc' };
const UNSCAR: Office = { party: 'fund:unscar', role: 'donor-desk' };
const CAVR: Office = { party: 'agency:cavr', role: 'implementer' };
const CAVR_TREASURER: Office = { party: 'agency:cavr', role: 'fiscal-agent' };
/** Long enough for any machine; the answer comes as soon as the outcome is known. */
const WAIT = { prefer: 'wait=20' };

const usd = (amount: string): Body => ({ measure: 'money', currency: 'USD', amount });
const today = (): string => new Date().toISOString().slice(0, 10);
const inYears = (years: number): string => `${new Date().getUTCFullYear() + years}-12-31`;

/** What the story ended with, for the test that plays it. */
export interface Story {
  readonly needId: string;
  readonly offerId: string;
  readonly commitmentId: string;
  readonly closedAs: string;
  /** Status of the commitment at the three points replayed. */
  readonly replayed: readonly string[];
}

/** Port Vila 2017 as Pledgebook would hold it: one need from filing to confirmed delivery, and the replay of its commitment. */
export const playPortVila = async (client: Client, say: Say): Promise<Story> => {
  heading(say, '3. One need from filing to confirmed delivery (Port Vila 2017)');
  say('ILLUSTRATION. Vanuatu, Fiji, Papua New Guinea and Solomon Islands did meet in Port Vila in November 2017,');
  say(
    'UNSCAR did pay, and CAVR was fiscal agent and implementing agency. Every amount, date and line below is INVENTED',
  );
  say('to show how such a story is kept.');
  await register(client, say);
  const need = await file(client, say);
  const offer = await post(client, say);
  await match(client, say, need, offer);
  const commitment = await bind(client, say, need, offer);
  await pay(client, say, commitment);
  await deliver(client, say, commitment, need);
  const replayed = await replay(client, say, commitment);
  const { body: end } = await client.get(commitment, VANUATU);
  return {
    needId: need.slice(need.lastIndexOf('/') + 1),
    offerId: offer.slice(offer.lastIndexOf('/') + 1),
    commitmentId: commitment.slice(commitment.lastIndexOf('/') + 1),
    closedAs: textIn(end, 'closedAs'),
    replayed,
  };
};

const step = (say: Say, who: string, what: string): void => {
  say();
  say(`${who}: ${what}`);
};

const register = async (client: Client, say: Say): Promise<void> => {
  step(say, 'The secretariat', 'registers the fund and the agency. States need no registration.');
  await client.create('/v1/parties', SECRETARIAT, {
    id: 'fund:unscar',
    name: 'UN Trust Facility Supporting Cooperation on Arms Regulation (UNSCAR)',
    category: 'fund',
  });
  await client.create('/v1/parties', SECRETARIAT, {
    id: 'agency:cavr',
    name: 'Centre for Armed Violence Reduction',
    category: 'ngo',
  });
};

const file = async (client: Client, say: Say): Promise<string> => {
  const drafted = await client.create('/v1/needs', VANUATU, {
    title: 'Carry out the ATT and the UNPoA in Vanuatu',
    problem:
      'The armouries of the police and the mobile force have no lockable racks, and no officer has been trained.',
    outcome: 'Weapons are stored to standard, by people who know how, and Vanuatu takes its seat at the conferences.',
    kinds: ['stockpile-management', 'meeting-sponsorship'],
    instruments: ['ATT', 'UNPoA'],
    lines: [
      { kind: 'stockpile-management', description: 'Racks, locks and training', quantity: usd('48000.00') },
      {
        kind: 'meeting-sponsorship',
        description: 'Delegates to the 4th Conference of States Parties and the 3rd UNPoA Review Conference',
        quantity: { measure: 'seats', amount: '4' },
      },
    ],
    urgency: 'normal',
    languages: ['en'],
    priorAid: 'none',
    ownContribution: 'none',
    authorityRef: 'Note Verbale 1/2017 (illustration)',
    contactOffice: 'Office of the national point of contact',
    visibility: { summary: 'public', body: 'public', annex: 'sealed' },
  });
  const need = locationOf(drafted);
  step(say, 'Vanuatu', `drafts a need (${short(need)}) with two lines: ${linesOf(drafted)}.`);
  const quality = objectIn(drafted.body, 'quality');
  say(`  The quality coach gives it ${String(quality.score)} of 100 and says what would help:`);
  for (const { field, why } of listIn(quality, 'missing').slice(0, 2)) say(`  - ${String(field)}: ${String(why)}`);
  await client.command(need, 'submit', VANUATU, { consent: { circulate: true, publish: true } });
  say('  It submits the need and consents to its circulation and publication.');
  const opened = await client.command(need, 'open', SECRETARIAT);
  must(opened.body.status === 'open', 'the need is open');
  step(
    say,
    'The secretariat',
    'reviews the need and opens it. From now on everyone may read it, and offers may match it.',
  );
  return need;
};

const linesOf = ({ body }: Answer): string =>
  listIn(body, 'lines')
    .map(({ kind, quantity }) => `${shown(quantity)} for ${String(kind)}`)
    .join(', ');

const post = async (client: Client, say: Say): Promise<string> => {
  const posted = await client.create('/v1/offers', UNSCAR, {
    title: 'Small arms control in Melanesia',
    description: 'Grants for projects that carry out the ATT and the UNPoA.',
    lines: [{ kinds: ['stockpile-management', 'training'], capacity: usd('100000.00') }],
    earmark: { regions: ['054'], instruments: ['ATT', 'UNPoA'], level: 'geographic' },
    period: { from: today(), to: inYears(2) },
    languages: ['en'],
    visibility: 'public',
  });
  const offer = locationOf(posted);
  step(
    say,
    'UNSCAR',
    `posts an offer (${short(offer)}): ${shown(usd('100000.00'))} for stockpile management and training,`,
  );
  say('  only for States of Melanesia, only under the ATT or the UNPoA.');
  return offer;
};

const match = async (client: Client, say: Say, need: string, offer: string): Promise<void> => {
  const { body } = await client.get(`${need}/matches?includeBlocked=true`, VANUATU);
  const found = listIn(body, 'items').find(({ offerId }) => offer.endsWith(String(offerId)));
  if (found === undefined) throw new Error(`the offer does not match: ${JSON.stringify(body)}`);
  step(
    say,
    'Vanuatu',
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

const bind = async (client: Client, say: Say, need: string, offer: string): Promise<string> => {
  const proposed = await client.create(
    '/v1/commitments',
    UNSCAR,
    {
      offerId: offer.slice(offer.lastIndexOf('/') + 1),
      needId: need.slice(need.lastIndexOf('/') + 1),
      legs: [{ offerLine: 1, needLine: 1, drawn: usd('48000.00') }],
      implementer: 'agency:cavr',
      fiscalAgent: 'agency:cavr',
    },
    WAIT,
  );
  const commitment = locationOf(proposed);
  must(proposed.body.hold === 'held', 'the capacity is held');
  step(
    say,
    'UNSCAR',
    `proposes a commitment (${short(commitment)}): ${shown(usd('48000.00'))} for line 1, with CAVR as fiscal`,
  );
  say('  agent and implementing agency. The offer holds that sum at once, so that nobody promises it twice:');
  await sayAvailable(client, say, offer);
  const accepted = await client.command(commitment, 'accept', VANUATU, {}, WAIT);
  must(accepted.body.status === 'accepted', 'the need took the coverage');
  step(
    say,
    'Vanuatu',
    'accepts. The need reserves the sum on line 1, so that no second donor pays for the same thing.',
  );
  await client.command(commitment, 'consent-task', CAVR);
  step(say, 'CAVR', 'consents to both of its tasks: to hold and pass on the money, and to do the work.');
  await client.command(commitment, 'sign', UNSCAR);
  const signed = await client.command(commitment, 'sign', VANUATU, {}, WAIT);
  must(signed.body.status === 'binding', 'the last signature binds');
  step(say, 'UNSCAR and Vanuatu', 'sign. With both signatures and the consent the commitment is binding, and counts.');
  return commitment;
};

const sayAvailable = async (client: Client, say: Say, offer: string): Promise<void> => {
  const { body } = await client.get(offer, UNSCAR);
  for (const { held, available } of listIn(body, 'lines')) {
    say(`  held ${shown(held)}, still available ${shown(available)}.`);
  }
};

const pay = async (client: Client, say: Say, commitment: string): Promise<void> => {
  await client.command(commitment, 'transfers', UNSCAR, {
    kind: 'disbursement',
    from: 'fund:unscar',
    to: 'agency:cavr',
    amount: usd('48000.00'),
    date: today(),
    reference: 'UNSCAR-PAY-1 (illustration)',
  });
  step(say, 'UNSCAR', `reports that it paid ${shown(usd('48000.00'))} to CAVR, the fiscal agent.`);
  const received = await client.command(commitment, 'receipts', CAVR_TREASURER, {
    transfer: 1,
    amount: usd('47975.00'),
    charges: usd('25.00'),
    date: today(),
    reference: 'CAVR-BANK-1 (illustration)',
  });
  must(listIn(received.body, 'discrepancies').length === 0, 'what arrived and the charges make up what was sent');
  step(say, 'CAVR', `reports that ${shown(usd('47975.00'))} arrived and ${shown(usd('25.00'))} went in bank charges.`);
  say('  Sent and received are two facts by two parties. They agree to the cent: no discrepancy is left to settle.');
};

const TRANCHES = [
  { amount: '30000.00', what: 'racks and locks' },
  { amount: '18000.00', what: 'the training' },
] as const;

const deliver = async (client: Client, say: Say, commitment: string, need: string): Promise<void> => {
  for (const [index, { amount, what }] of TRANCHES.entries()) {
    const n = index + 1;
    await client.command(commitment, 'deliveries', CAVR, { leg: 1, quantity: usd(amount), date: today() });
    step(say, 'CAVR', `reports tranche ${n}: ${what}, worth ${shown(usd(amount))}. Reported is not yet confirmed.`);
    const confirmed = await client.command(
      commitment,
      `deliveries/${n}/confirm`,
      VANUATU,
      { condition: 'usable' },
      WAIT,
    );
    say(`  Vanuatu looks and confirms it, usable. The commitment is now ${textIn(confirmed.body, 'status')}.`);
  }
  const closed = await client.command(commitment, 'close', SECRETARIAT);
  must(closed.body.closedAs === 'confirmed', 'what was confirmed closes as confirmed');
  step(say, 'The secretariat', `closes the commitment: ${textIn(closed.body, 'closedAs')}.`);
  const { body } = await client.get(need);
  say('  What anyone may read of the need now:');
  for (const { line, quantity, coverage } of listIn(body, 'lines')) {
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
  heading(say, '4. Replay: what stood there, at any moment');
  const { body } = await client.get(`${commitment}/history`, VANUATU);
  const events = listIn(body, 'items');
  say(
    `The commitment's history holds ${events.length} events; nothing in it was ever changed. Replayed at three of them:`,
  );
  const statuses: string[] = [];
  for (const { type, after } of POINTS) {
    const event = events.find((each) => each.type === type);
    if (event === undefined) throw new Error(`the history has no ${type}`);
    const { body: then } = await client.get(`${commitment}/replay?at=${textIn(event, 'position')}`, VANUATU);
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
